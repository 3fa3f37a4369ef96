/* backup_unpack.c - members of a tar become backup streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/backup.h"
#include "layer/file.h"
#include "layer/text.h"
#include "layer/windows_meta.h"

#define WHITEOUT ".wh."

struct hcsshim_backup_unpack {
    hcsshim__tar *tar;
    hcsshim__sink sink; /* the stream, as far as nobody took it */
    int32_t error;
    char problem[HCSSHIM__PROBLEM];
    int ended; /* the last byte was fed */
    int open;  /* a file is under way */
    int given; /* the sink's bytes were given with the last step */
    const hcsshim__tar_entry *waiting; /* a member that no file has yet */
    uint64_t hole;                     /* zeros that are due */
    int has_body;                      /* the stream takes the body */
    hcsshim__path name;
    hcsshim__path target;
    hcsshim__bytes scratch;
    hcsshim_backup_item item;
};

static int32_t fail(hcsshim_backup_unpack *unpack, hcsshim__tar_text name,
                    const char *reason)
{
    hcsshim__describe(unpack->problem, name, reason);
    return HCSSHIM_E_INVALID_DATA;
}

int32_t hcsshim_backup_unpack_new(hcsshim_backup_unpack **out)
{
    hcsshim_backup_unpack *unpack = calloc(1, sizeof *unpack);
    int32_t hr;

    *out = NULL;
    if (unpack == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr = hcsshim__tar_new(HCSSHIM__TAR_APPLY_GLOBAL, &unpack->tar);
    if (hr >= 0)
        hr = hcsshim__sink_init(&unpack->sink, HCSSHIM__SINK_MEMORY,
                                HCSSHIM__SINK_PLAIN);
    if (hr < 0)
        hcsshim_backup_unpack_free(unpack);
    else
        *out = unpack;
    return hr;
}

void hcsshim_backup_unpack_free(hcsshim_backup_unpack *unpack)
{
    if (unpack == NULL)
        return;
    hcsshim__tar_free(unpack->tar);
    hcsshim__sink_destroy(&unpack->sink);
    free(unpack->name.data);
    free(unpack->target.data);
    free(unpack->scratch.data);
    free(unpack);
}

const char *hcsshim_backup_unpack_problem(const hcsshim_backup_unpack *unpack)
{
    return unpack->problem;
}

void hcsshim_backup_unpack_feed(hcsshim_backup_unpack *unpack, const void *data,
                                size_t length)
{
    if (length == 0)
        unpack->ended = 1;
    else
        hcsshim__tar_feed(unpack->tar, data, length);
}

/* ---- streams ---------------------------------------------------------- */

static int32_t begin_stream(hcsshim_backup_unpack *unpack, uint32_t id,
                            uint64_t size, const uint8_t *name, size_t length)
{
    hcsshim__backup_head head = {
        .id = id, .size = size, .name_length = (uint32_t)length};
    int32_t hr;
    uint8_t *out = hcsshim__sink_reserve(&unpack->sink,
                                         HCSSHIM__BACKUP_HEAD + length, &hr);

    if (out == NULL)
        return hr;
    hcsshim__backup_store(out, head);
    if (length > 0)
        memcpy(out + HCSSHIM__BACKUP_HEAD, name, length);
    hcsshim__sink_commit(&unpack->sink, HCSSHIM__BACKUP_HEAD + length);
    unpack->has_body = 1;
    return 0;
}

/* ":name" becomes ":name:$DATA" in units. */
static int32_t begin_alternate(hcsshim_backup_unpack *unpack,
                               const hcsshim__tar_entry *entry,
                               hcsshim__tar_text suffix)
{
    static const char type[] = ":$DATA";
    char text[HCSSHIM__BACKUP_NAME];
    uint8_t units[2 * sizeof text];
    size_t length = suffix.length;
    int64_t size;

    if (length > sizeof type - 1 &&
        memcmp(suffix.data + length - (sizeof type - 1), type,
               sizeof type - 1) == 0)
        length -= sizeof type - 1;
    if (length < 2 || length > sizeof text / 2 - sizeof type ||
        memchr(suffix.data + 1, ':', length - 1) != NULL ||
        memchr(suffix.data, '/', length) != NULL ||
        memchr(suffix.data, '\\', length) != NULL)
        return fail(unpack, entry->name, "no stream can have this name");
    memcpy(text, suffix.data, length);
    memcpy(text + length, type, sizeof type - 1);
    size = hcsshim__utf16_store(text, length + sizeof type - 1, units);
    if (size < 0)
        return fail(unpack, entry->name, "the name is no UTF-8");
    return begin_stream(unpack, HCSSHIM__BACKUP_ALTERNATE,
                        (uint64_t)entry->size, units, (size_t)size);
}

/* ---- members ---------------------------------------------------------- */

static int32_t begin_file(hcsshim_backup_unpack *unpack,
                          const hcsshim__tar_entry *entry)
{
    const char *reason = "";
    int32_t hr = hcsshim__windows_streams(entry, &unpack->sink,
                                          &unpack->scratch, &reason);

    if (hr == HCSSHIM_E_INVALID_DATA)
        return fail(unpack, entry->name, reason);
    if (hr < 0 || entry->type != HCSSHIM__TAR_FILE)
        return hr;
    unpack->item.size = (uint64_t)entry->size;
    return begin_stream(unpack, HCSSHIM__BACKUP_DATA, (uint64_t)entry->size,
                        NULL, 0);
}

static int32_t begin_removed(hcsshim_backup_unpack *unpack,
                             const hcsshim__tar_entry *entry, size_t last)
{
    hcsshim__path *name = &unpack->name;
    size_t length = name->length - last - (sizeof WHITEOUT - 1);

    /* The rest of a folder cannot be removed without knowing it. */
    if (length == 0 ||
        hcsshim__text_starts(
            (hcsshim__tar_text){name->data + last, name->length - last},
            WHITEOUT WHITEOUT))
        return fail(unpack, entry->name, "it removes nothing that has a name");
    memmove(name->data + last, name->data + last + sizeof WHITEOUT - 1, length);
    name->length = last + length;
    unpack->item.kind = HCSSHIM_BACKUP_REMOVED;
    return 0;
}

static int32_t begin_link(hcsshim_backup_unpack *unpack,
                          const hcsshim__tar_entry *entry)
{
    const char *reason = "";
    int32_t hr = hcsshim__path_clean(&unpack->target, entry->link, &reason);

    if (hr == HCSSHIM_E_INVALID_DATA)
        return fail(unpack, entry->link, reason);
    unpack->item.kind = HCSSHIM_BACKUP_LINK;
    return hr;
}

static int32_t begin_kind(hcsshim_backup_unpack *unpack,
                          const hcsshim__tar_entry *entry)
{
    hcsshim__tar_text path = hcsshim__path_text(&unpack->name);
    size_t last = hcsshim__path_last(path);
    hcsshim__tar_text part = {path.data + last, path.length - last};

    if (hcsshim__text_starts(part, WHITEOUT))
        return begin_removed(unpack, entry, last);
    switch (entry->type) {
    case HCSSHIM__TAR_LINK:
        return begin_link(unpack, entry);
    case HCSSHIM__TAR_FILE:
    case HCSSHIM__TAR_FOLDER:
    case HCSSHIM__TAR_SYMLINK:
        return begin_file(unpack, entry);
    default:
        return fail(unpack, entry->name, "Windows has no such file");
    }
}

static int32_t begin(hcsshim_backup_unpack *unpack,
                     const hcsshim__tar_entry *entry)
{
    const char *reason = "";
    int32_t hr = hcsshim__path_clean(&unpack->name, entry->name, &reason);

    unpack->waiting = NULL;
    unpack->has_body = 0;
    memset(&unpack->item, 0, sizeof unpack->item);
    unpack->item.kind = HCSSHIM_BACKUP_FILE;
    unpack->target.length = 0;
    if (hr == HCSSHIM_E_INVALID_DATA || (hr >= 0 && unpack->name.length == 0))
        return fail(unpack, entry->name, reason);
    if (hr < 0)
        return hr;
    reason = hcsshim__windows_info(entry, &unpack->item.info);
    if (reason != NULL)
        return fail(unpack, entry->name, reason);
    unpack->open = 1;
    return begin_kind(unpack, entry);
}

/* Whether a member is a stream of the file under way: 1, and its suffix. */
static int is_stream(const hcsshim_backup_unpack *unpack,
                     const hcsshim__tar_entry *entry, hcsshim__tar_text *suffix)
{
    size_t length = unpack->name.length;
    size_t dot = 0;

    while (entry->name.length - dot >= 2 && entry->name.data[dot] == '.' &&
           entry->name.data[dot + 1] == '/')
        dot += 2;
    if (unpack->item.kind != HCSSHIM_BACKUP_FILE ||
        entry->type != HCSSHIM__TAR_FILE ||
        entry->name.length - dot <= length ||
        memcmp(entry->name.data + dot, unpack->name.data, length) != 0 ||
        entry->name.data[dot + length] != ':')
        return 0;
    *suffix = (hcsshim__tar_text){entry->name.data + dot + length,
                                  entry->name.length - dot - length};
    return 1;
}

/* ---- steps ------------------------------------------------------------ */

static int32_t give(hcsshim_backup_unpack *unpack, hcsshim_backup_item *item,
                    int more)
{
    hcsshim__tar_text target = hcsshim__path_text(&unpack->target);

    *item = unpack->item;
    item->more = (uint32_t)more;
    item->name = unpack->name.data;
    item->name_length = unpack->name.length;
    item->target = target.data;
    item->target_length = target.length;
    item->stream = (const char *)unpack->sink.buffer;
    item->stream_length = unpack->sink.used;
    unpack->given = 1;
    unpack->open = more;
    return 1;
}

/* A member begins: a stream of the file under way, or the next file. */
static int32_t take_entry(hcsshim_backup_unpack *unpack,
                          const hcsshim__tar_entry *entry, int *complete)
{
    hcsshim__tar_text suffix;

    if (!unpack->open)
        return begin(unpack, entry);
    if (is_stream(unpack, entry, &suffix))
        return begin_alternate(unpack, entry, suffix);
    unpack->waiting = entry;
    *complete = 1;
    return 0;
}

static int32_t take_body(hcsshim_backup_unpack *unpack,
                         const hcsshim__tar_step *step)
{
    if (!unpack->has_body)
        return 0;
    if (step->data == NULL) {
        unpack->hole = step->length;
        return 0;
    }
    return hcsshim__sink_write(&unpack->sink, step->data, (size_t)step->length);
}

static int32_t take_hole(hcsshim_backup_unpack *unpack)
{
    uint64_t length =
        unpack->hole < HCSSHIM__FILE_PIECE ? unpack->hole : HCSSHIM__FILE_PIECE;

    unpack->hole -= length;
    return hcsshim__sink_zeros(&unpack->sink, length);
}

static int32_t tar_failed(hcsshim_backup_unpack *unpack, int32_t hr)
{
    uint64_t offset = 0;
    const char *reason = hcsshim__tar_problem(unpack->tar, &offset);

    if (reason != NULL)
        (void)snprintf(unpack->problem, sizeof unpack->problem,
                       "%s, at byte %llu", reason, (unsigned long long)offset);
    return hr;
}

/* One step of the tar. Sets 'complete' when the file is, 'stop' at the end. */
static int32_t advance(hcsshim_backup_unpack *unpack, int *complete, int *stop)
{
    hcsshim__tar_step step;
    int32_t hr;

    if (unpack->waiting != NULL)
        return begin(unpack, unpack->waiting);
    if (unpack->hole > 0)
        return take_hole(unpack);
    hr = hcsshim__tar_next(unpack->tar, &step);
    if (hr < 0)
        return tar_failed(unpack, hr);
    if (hr == HCSSHIM__TAR_ENTRY)
        return take_entry(unpack, step.entry, complete);
    if (hr == HCSSHIM__TAR_DATA || hr == HCSSHIM__TAR_HOLE)
        return take_body(unpack, &step);
    *stop = hr == HCSSHIM__TAR_END || !unpack->ended;
    if (hr == HCSSHIM__TAR_MORE && !unpack->ended)
        return 0;
    hr = hr == HCSSHIM__TAR_MORE ? hcsshim__tar_finish(unpack->tar) : 0;
    *stop = 1;
    *complete = unpack->open;
    return hr < 0 ? tar_failed(unpack, hr) : 0;
}

int32_t hcsshim_backup_unpack_next(hcsshim_backup_unpack *unpack,
                                   hcsshim_backup_item *item)
{
    int complete = 0;
    int stop = 0;

    if (unpack->given)
        hcsshim__sink_clear(&unpack->sink);
    unpack->given = 0;
    while (unpack->error >= 0 && !stop) {
        int32_t hr = advance(unpack, &complete, &stop);

        if (hr < 0)
            unpack->error = hr;
        else if (complete)
            return give(unpack, item, 0);
        else if (unpack->open && unpack->sink.used >= HCSSHIM__FILE_PIECE)
            return give(unpack, item, 1);
    }
    return unpack->error;
}
