/*
 * ext4_behind.c - a thread that writes an image behind who makes it.
 *
 * Most of the time an image takes is the kernel's, for finding pages to copy it
 * into; meanwhile the tar can be read and parsed. Batches are numbered as they
 * are submitted, and written in that order: one number tells what is done. The
 * writer is the slower of the two, so that whoever waits for it waits until
 * half of what is on the way is written: a wake-up costs as much as a batch.
 */
#include "layer/ext4_behind.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "layer/file.h"

#define BATCHES 8
#define BUFFERS 8

struct buffer {
    uint8_t *data;
    void *memory;
    uint32_t last; /* the number of the last batch that may point into it */
};

struct hcsshim__ext4_behind {
    int64_t file;
    hcsshim__ext4_batch batches[BATCHES];
    struct buffer buffers[BUFFERS];
    size_t buffer;            /* the present one */
    uint32_t count;           /* batches submitted; that of the maker */
    hcsshim__gate submitted;  /* the same, or one more: stop */
    hcsshim__gate written;    /* batches written; the maker waits for it */
    _Atomic uint32_t awaited; /* which of them the maker wants to be told of */
    _Atomic int stopping;
    _Atomic int32_t error; /* of the first write that failed */
    int started;
    hcsshim__thread thread;
};

/* Whether batch 'number' comes before 'other'; numbers wrap around. */
static int before(uint32_t number, uint32_t other)
{
    return (int32_t)(number - other) < 0;
}

static void write_batch(hcsshim__ext4_behind *behind,
                        const hcsshim__ext4_batch *batch)
{
    int32_t hr;

    if (atomic_load(&behind->error) < 0)
        return;
    hr = hcsshim__image_write(behind->file, batch->begin, batch->queue,
                              batch->count);
    if (hr < 0)
        atomic_store(&behind->error, hr);
}

static void work(void *context)
{
    hcsshim__ext4_behind *behind = context;
    uint32_t done = 0;

    for (;;) {
        uint32_t count = atomic_load(&behind->submitted.word);

        if (atomic_load(&behind->stopping))
            return; /* all is written */
        if (count == done) {
            hcsshim__gate_wait(&behind->submitted, count, HCSSHIM_FOREVER);
            continue;
        }
        write_batch(behind, &behind->batches[done % BATCHES]);
        atomic_store(&behind->written.word, ++done);
        if (done == atomic_load(&behind->awaited))
            hcsshim__gate_open(&behind->written, done);
    }
}

/* Wait until 'number' batches are written. */
static void wait_for(hcsshim__ext4_behind *behind, uint32_t number)
{
    uint32_t written = atomic_load(&behind->written.word);

    if (!before(written, number))
        return;
    atomic_store(&behind->awaited, number);
    while (before(written = atomic_load(&behind->written.word), number))
        hcsshim__gate_wait(&behind->written, written, HCSSHIM_FOREVER);
}

int32_t hcsshim__ext4_behind_new(int64_t file, hcsshim__ext4_behind **out)
{
    hcsshim__ext4_behind *behind = calloc(1, sizeof *behind);
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    *out = NULL;
    if (behind == NULL)
        return hr;
    behind->file = file;
    for (size_t i = 0; i < BATCHES; i++) {
        behind->batches[i].scratch = malloc(EXT4_SCRATCH);
        if (behind->batches[i].scratch == NULL)
            goto out;
    }
    for (size_t i = 0; i < BUFFERS; i++) {
        struct buffer *buffer = &behind->buffers[i];

        buffer->data = hcsshim__file_buffer(EXT4_PIECE, &buffer->memory);
        if (buffer->data == NULL)
            goto out;
    }
    hr = hcsshim__thread_start(&behind->thread, work, behind);
    if (hr < 0)
        goto out;
    behind->started = 1;
    *out = behind; /* now the caller's */
    behind = NULL;
out:
    hcsshim__ext4_behind_free(behind);
    return hr;
}

void hcsshim__ext4_behind_free(hcsshim__ext4_behind *behind)
{
    if (behind == NULL)
        return;
    if (behind->started) {
        hcsshim__ext4_behind_drain(behind);
        atomic_store(&behind->stopping, 1);
        hcsshim__gate_open(&behind->submitted, behind->count + 1);
        hcsshim__thread_join(behind->thread);
    }
    for (size_t i = 0; i < BATCHES; i++)
        free(behind->batches[i].scratch);
    for (size_t i = 0; i < BUFFERS; i++)
        free(behind->buffers[i].memory);
    free(behind);
}

hcsshim__ext4_batch *hcsshim__ext4_behind_batch(hcsshim__ext4_behind *behind)
{
    return &behind->batches[behind->count % BATCHES];
}

int32_t hcsshim__ext4_behind_submit(hcsshim__ext4_behind *behind)
{
    hcsshim__ext4_batch *next;

    hcsshim__gate_open(&behind->submitted, ++behind->count);
    if (before(atomic_load(&behind->written.word), behind->count - BATCHES + 1))
        wait_for(behind, behind->count - BATCHES / 2);
    next = hcsshim__ext4_behind_batch(behind);
    next->count = 0;
    next->scratch_used = 0;
    return atomic_load(&behind->error);
}

uint8_t *hcsshim__ext4_behind_buffer(hcsshim__ext4_behind *behind)
{
    struct buffer *buffer = &behind->buffers[behind->buffer];

    buffer->last = behind->count;
    behind->buffer = (behind->buffer + 1) % BUFFERS;
    buffer = &behind->buffers[behind->buffer];
    if (before(atomic_load(&behind->written.word), buffer->last))
        wait_for(
            behind,
            behind->buffers[(behind->buffer + BUFFERS / 2) % BUFFERS].last);
    return buffer->data;
}

int32_t hcsshim__ext4_behind_drain(hcsshim__ext4_behind *behind)
{
    wait_for(behind, behind->count);
    return atomic_load(&behind->error);
}
