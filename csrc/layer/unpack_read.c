/*
 * unpack_read.c - reading and hashing the tar beside making its files.
 *
 * While the caller's thread makes the files of one piece, another one reads
 * and hashes the next: either takes about as long. The thread lives as long as
 * a call, so that there is none when nobody calls.
 */
#include <stdlib.h>

#include "events/platform.h"
#include "layer/file.h"
#include "layer/unpack.h"

#define SLOTS 8u

/* What the two threads share: a ring, of which each moves one end. */
struct hcsshim__reading {
    hcsshim__sha256 *digest; /* the reader's during a call */
    int64_t file;
    uint64_t limit;
    hcsshim__gate filled; /* how many pieces were, counted round */
    hcsshim__gate taken;
    _Atomic int stop; /* the taker wants no more */
    uint8_t *buffers[SLOTS];
    void *memories[SLOTS];
    size_t lengths[SLOTS]; /* 0: the end, or an error */
    int32_t error;         /* the reader's; read after its last piece */
};

void hcsshim__reading_free(struct hcsshim__reading *reading)
{
    if (reading == NULL)
        return;
    for (unsigned i = 0; i < SLOTS; i++)
        free(reading->memories[i]);
    free(reading);
}

static struct hcsshim__reading *make_reading(void)
{
    struct hcsshim__reading *reading = calloc(1, sizeof *reading);

    if (reading == NULL)
        return NULL;
    for (unsigned i = 0; i < SLOTS; i++) {
        reading->buffers[i] =
            hcsshim__file_buffer(HCSSHIM__FILE_PIECE, &reading->memories[i]);
        if (reading->buffers[i] == NULL) {
            hcsshim__reading_free(reading);
            return NULL;
        }
    }
    return reading;
}

/* Wait until a gate's word is another one. */
static uint32_t wait_for_change(hcsshim__gate *gate, uint32_t from)
{
    uint32_t now;

    while ((now = atomic_load(&gate->word)) == from)
        (void)hcsshim__gate_wait(gate, from, HCSSHIM_FOREVER);
    return now;
}

/* The reader's thread: until the limit, the end, or a failure. */
static void read_on(void *context)
{
    struct hcsshim__reading *reading = context;
    uint32_t filled = 0;
    uint32_t taken = 0;
    uint64_t total = 0;

    for (;;) {
        unsigned slot = filled % SLOTS;
        size_t got = 0;
        int32_t hr = 0;

        while (filled - taken == SLOTS)
            taken = wait_for_change(&reading->taken, taken);
        if (total < reading->limit && !atomic_load(&reading->stop))
            hr = hcsshim__file_read(reading->file, reading->buffers[slot],
                                    HCSSHIM__FILE_PIECE, &got);
        if (got > 0)
            hcsshim__sha256_update(reading->digest, reading->buffers[slot],
                                   got);
        total += got;
        reading->lengths[slot] = got;
        reading->error = hr;
        hcsshim__gate_open(&reading->filled, ++filled);
        if (got == 0)
            return;
    }
}

/* The caller's thread: until the reader's last piece, even after a failure. */
static int32_t take_on(hcsshim_unpack *unpack, uint64_t *got)
{
    struct hcsshim__reading *reading = unpack->reading;
    uint32_t filled = 0;
    uint32_t taken = 0;
    int32_t hr = 0;

    for (;;) {
        unsigned slot = taken % SLOTS;
        size_t length;

        if (filled == taken)
            filled = wait_for_change(&reading->filled, filled);
        length = reading->lengths[slot];
        if (length == 0)
            return hr < 0 ? hr : reading->error;
        if (hr >= 0) {
            hr = hcsshim__unpack_take(unpack, reading->buffers[slot], length);
            *got += length;
        }
        if (hr < 0)
            atomic_store(&reading->stop, 1);
        hcsshim__gate_open(&reading->taken, ++taken);
    }
}

int32_t hcsshim_unpack_read(hcsshim_unpack *unpack, int64_t file,
                            uint64_t limit, uint64_t *got)
{
    struct hcsshim__reading *reading;
    hcsshim__thread thread;
    int32_t hr = unpack->error;

    *got = 0;
    if (hr < 0)
        return hr;
    if (unpack->reading == NULL)
        unpack->reading = make_reading();
    reading = unpack->reading;
    if (reading == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    reading->digest = &unpack->digest;
    reading->file = file;
    reading->limit = limit;
    reading->error = 0;
    atomic_store(&reading->stop, 0);
    atomic_store(&reading->filled.word, 0);
    atomic_store(&reading->taken.word, 0);
    hr = hcsshim__thread_start(&thread, read_on, reading);
    if (hr < 0)
        return hr;
    hr = take_on(unpack, got);
    hcsshim__thread_join(thread);
    if (hr < 0)
        unpack->error = hr;
    return hr;
}
