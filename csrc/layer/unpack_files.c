/* unpack_files.c - bytes and meta of files that are open already. */
#include <stdlib.h>
#include <string.h>

#include "layer/file.h"
#include "layer/unpack_work.h"

/* Runs of zeros from here on become holes. */
#define HOLE ((size_t)64 * 1024)
#define BLOCK ((size_t)4096)
/* As many files that wait are worth waking somebody. */
#define WORTH 4

/* ---- bytes ------------------------------------------------------------ */

static int is_zero(const uint8_t *data, size_t length)
{
    return data[0] == 0 && data[length - 1] == 0 &&
           memcmp(data, data + 1, length - 1) == 0;
}

static int32_t skip(hcsshim__making *making, uint64_t length)
{
    making->skipped += length;
    return hcsshim__tree_skip(making->file, length);
}

static int32_t write_bytes(hcsshim__making *making, const uint8_t *data,
                           size_t length)
{
    if (length == 0)
        return 0;
    making->skipped = 0;
    return hcsshim__file_write(making->file, data, length);
}

/* How many bytes from 'at' on are zeros, in whole blocks. */
static size_t zeros_at(const uint8_t *data, size_t at, size_t length)
{
    size_t end = at;

    while (length - end >= BLOCK && is_zero(data + end, BLOCK))
        end += BLOCK;
    return end - at;
}

static int32_t write_sparse(hcsshim__making *making, const uint8_t *data,
                            size_t length)
{
    size_t done = 0;
    int32_t hr = 0;

    for (size_t at = 0; at < length && hr >= 0;) {
        size_t zeros = zeros_at(data, at, length);

        if (zeros >= HOLE) {
            hr = write_bytes(making, data + done, at - done);
            if (hr >= 0)
                hr = skip(making, zeros);
            done = at + zeros;
        }
        at += zeros >= BLOCK ? zeros : BLOCK;
    }
    return hr < 0 || done >= length
               ? hr
               : write_bytes(making, data + done, length - done);
}

static int32_t write_parts(hcsshim__making *making)
{
    int32_t hr = 0;

    for (size_t i = 0; i < making->going.count && hr >= 0; i++) {
        const hcsshim__part *part = &making->going.list[i];

        if (part->data == NULL)
            hr = skip(making, part->length);
        else if (part->length >= HOLE)
            hr = write_sparse(making, part->data, (size_t)part->length);
        else
            hr = write_bytes(making, part->data, (size_t)part->length);
    }
    return hr;
}

/* ---- files that any thread takes --------------------------------------- */

static void fail(struct hcsshim__work *work, const hcsshim__making *making,
                 int32_t hr)
{
    char problem[HCSSHIM__PROBLEM];

    hcsshim__describe(problem, hcsshim__path_text(&making->path), NULL);
    hcsshim__work_fail(work, hr, problem);
}

static void queue(struct hcsshim__work *work, hcsshim__making *making)
{
    if (making->queued || making->busy)
        return;
    making->queued = 1;
    making->next = NULL;
    if (work->first == NULL)
        work->first = making;
    else
        work->last->next = making;
    work->last = making;
    if (++work->queued == WORTH)
        hcsshim__work_publish(work);
}

static void run_parts(struct hcsshim__work *work, hcsshim__making *making)
{
    int32_t hr;

    making->going = making->coming;
    making->coming.count = 0;
    hcsshim__mutex_unlock(&work->lock);
    hr = write_parts(making);
    hcsshim__mutex_lock(&work->lock);
    for (size_t i = 0; i < making->going.count; i++)
        hcsshim__work_release(work, making->going.list[i].piece);
    if (hr < 0)
        fail(work, making, hr);
}

static void complete(struct hcsshim__work *work, hcsshim__making *making)
{
    int64_t file = making->file;
    int32_t hr;

    making->file = -1;
    hcsshim__mutex_unlock(&work->lock);
    hr = hcsshim__tree_finish(work->unpack->tree, file,
                              making->skipped > 0 ? making->size : -1,
                              &making->meta);
    hcsshim__mutex_lock(&work->lock);
    if (hr < 0)
        fail(work, making, hr);
    making->next = work->spare;
    work->spare = making;
}

void hcsshim__making_run(struct hcsshim__work *work)
{
    hcsshim__making *making = work->first;

    work->first = making->next;
    work->queued--;
    making->queued = 0;
    making->busy = 1;
    while (making->coming.count > 0 && work->error >= 0)
        run_parts(work, making);
    making->busy = 0;
    if (making->closed && work->error >= 0)
        complete(work, making);
}

void hcsshim__making_share(struct hcsshim__work *work)
{
    if (work->making != NULL && work->making->coming.count > 0)
        queue(work, work->making);
    if (work->first != NULL)
        hcsshim__work_publish(work);
}

void hcsshim__making_free_all(struct hcsshim__work *work)
{
    for (size_t i = 0; i < HCSSHIM__WORK_FILES; i++) {
        hcsshim__making *making = &work->files[i];

        if (making->file >= 0)
            (void)hcsshim__tree_finish(work->unpack->tree, making->file, -1,
                                       NULL);
        free(making->path.data);
        free(making->attributes);
        free(making->texts.data);
    }
}

/* ---- files that are taken apart ---------------------------------------- */

/* Write along, or wait for who does, until there is a free file. */
static hcsshim__making *take_spare(struct hcsshim__work *work)
{
    hcsshim__making *making;

    while (work->spare == NULL && work->error >= 0) {
        if (work->first != NULL)
            hcsshim__making_run(work);
        else
            hcsshim__work_await(work);
    }
    making = work->spare;
    if (making == NULL || work->error < 0)
        return NULL;
    work->spare = making->next;
    return making;
}

/* The attributes' texts are the tar's, and the file may outlive them there. */
static int32_t copy_attributes(hcsshim__making *making)
{
    hcsshim__tree_meta *meta = &making->meta;
    size_t length = 0;
    char *text;

    if (meta->attribute_count == 0)
        return 0;
    if (meta->attribute_count > making->attribute_room) {
        hcsshim__tar_record *more =
            realloc(making->attributes, meta->attribute_count * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        making->attributes = more;
        making->attribute_room = meta->attribute_count;
    }
    for (size_t i = 0; i < meta->attribute_count; i++)
        length +=
            meta->attributes[i].key.length + meta->attributes[i].value.length;
    if (hcsshim__bytes_reserve(&making->texts, length) < 0)
        return HCSSHIM_E_OUTOFMEMORY;
    text = (char *)making->texts.data;
    for (size_t i = 0; i < meta->attribute_count; i++) {
        hcsshim__tar_record record = meta->attributes[i];

        memcpy(text, record.key.data, record.key.length);
        record.key.data = text;
        text += record.key.length;
        memcpy(text, record.value.data, record.value.length);
        record.value.data = text;
        text += record.value.length;
        making->attributes[i] = record;
    }
    meta->attributes = making->attributes;
    return 0;
}

/* So are the streams, which the next member's take the place of. */
static int32_t copy_windows(hcsshim__making *making)
{
    const hcsshim__tree_windows *windows = making->meta.windows;
    int32_t hr;

    if (windows == NULL)
        return 0;
    hr = hcsshim__bytes_reserve(&making->texts, windows->length + 1);
    if (hr < 0)
        return hr;
    making->windows = *windows;
    making->windows.streams = making->texts.data;
    memcpy(making->texts.data, windows->streams, windows->length);
    making->meta.windows = &making->windows;
    return 0;
}

int32_t hcsshim__unpack_open(hcsshim_unpack *unpack, hcsshim__tar_text path,
                             int64_t size)
{
    struct hcsshim__work *work = unpack->work;
    hcsshim__making *making;
    int32_t hr;

    hcsshim__mutex_lock(&work->lock);
    making = take_spare(work);
    hr = work->error;
    work->making = making;
    hcsshim__mutex_unlock(&work->lock);
    if (making == NULL)
        return hr;
    making->size = size;
    making->skipped = 0;
    making->closed = 0;
    making->coming.count = 0;
    making->meta = unpack->meta;
    making->path.length = 0;
    hr = hcsshim__path_add(&making->path, path.data, path.length);
    if (hr >= 0)
        hr = copy_attributes(making);
    if (hr >= 0)
        hr = copy_windows(making);
    if (hr >= 0)
        hr = hcsshim__tree_create(unpack->tree, path,
                                  making->meta.owned ? making->meta.mode : 0644,
                                  &making->file);
    if (hr == HCSSHIM__TREE_KEPT) {
        memset(&making->meta, 0, sizeof making->meta);
        hr = hcsshim__unpack_aside(unpack, &making->file);
    }
    return hr;
}

int hcsshim__unpack_is_open(const hcsshim_unpack *unpack)
{
    return unpack->work->making != NULL;
}

int32_t hcsshim__unpack_write(hcsshim_unpack *unpack, const uint8_t *data,
                              uint64_t length)
{
    struct hcsshim__work *work = unpack->work;
    uint32_t piece = work->parsed % HCSSHIM__WORK_PIECES;
    hcsshim__making *making = work->making;
    int32_t hr;

    hcsshim__mutex_lock(&work->lock);
    while (making->coming.count == HCSSHIM__WORK_PARTS && work->error >= 0) {
        queue(work, making);
        if (work->first != NULL)
            hcsshim__making_run(work);
        else
            hcsshim__work_await(work);
    }
    hr = work->error;
    if (hr >= 0) {
        making->coming.list[making->coming.count++] =
            (hcsshim__part){data, length, piece};
        work->pieces[piece].users++;
    }
    hcsshim__mutex_unlock(&work->lock);
    return hr;
}

void hcsshim__unpack_close(hcsshim_unpack *unpack)
{
    struct hcsshim__work *work = unpack->work;
    hcsshim__making *making = work->making;

    if (making == NULL)
        return;
    hcsshim__mutex_lock(&work->lock);
    work->making = NULL;
    making->closed = 1;
    if (!making->busy)
        queue(work, making);
    hcsshim__mutex_unlock(&work->lock);
}
