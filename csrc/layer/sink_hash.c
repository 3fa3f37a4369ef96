/* sink_hash.c - a ring of buffers, of which each thread moves one end. */
#include "layer/sink_hash.h"

#include <stdlib.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "layer/file.h"

#define SLOTS 4u

struct slot {
    uint8_t *buffer; /* NULL: none yet */
    void *memory;
    size_t room;
    size_t length; /* 0: the end */
};

struct hcsshim__sink_hash {
    hcsshim__sha256 *digest;
    hcsshim__gate filled; /* how many buffers were, counted round */
    hcsshim__gate taken;
    struct slot slots[SLOTS];
    hcsshim__thread thread;
    uint64_t process; /* which the thread is in */
};

static void wait_while(hcsshim__gate *gate, uint32_t word)
{
    while (atomic_load(&gate->word) == word)
        (void)hcsshim__gate_wait(gate, word, HCSSHIM_FOREVER);
}

static void run(void *context)
{
    struct hcsshim__sink_hash *hash = context;

    for (uint32_t taken = 0;; taken++) {
        const struct slot *slot = &hash->slots[taken % SLOTS];

        wait_while(&hash->filled, taken);
        if (slot->length == 0)
            return;
        hcsshim__sha256_update(hash->digest, slot->buffer, slot->length);
        hcsshim__gate_open(&hash->taken, taken + 1);
    }
}

/* The next slot, when nothing in it is to be hashed. */
static struct slot *next_slot(struct hcsshim__sink_hash *hash)
{
    uint32_t filled = atomic_load(&hash->filled.word);

    wait_while(&hash->taken, filled - SLOTS);
    return &hash->slots[filled % SLOTS];
}

static void push(struct hcsshim__sink_hash *hash)
{
    hcsshim__gate_open(&hash->filled, atomic_load(&hash->filled.word) + 1);
}

int32_t hcsshim__sink_hash_new(hcsshim__sha256 *digest,
                               struct hcsshim__sink_hash **out)
{
    struct hcsshim__sink_hash *hash = calloc(1, sizeof *hash);
    int32_t hr;

    *out = NULL;
    if (hash == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hash->digest = digest;
    hash->process = hcsshim__process_id();
    hr = hcsshim__thread_start(&hash->thread, run, hash);
    if (hr < 0)
        free(hash);
    else
        *out = hash;
    return hr;
}

void hcsshim__sink_hash_free(struct hcsshim__sink_hash *hash)
{
    /* In a child that inherited it there is no thread to wait for. */
    if (hash == NULL || hash->process != hcsshim__process_id())
        return;
    next_slot(hash)->length = 0;
    push(hash);
    hcsshim__thread_join(hash->thread);
    for (size_t i = 0; i < SLOTS; i++)
        free(hash->slots[i].memory);
    free(hash);
}

int32_t hcsshim__sink_hash_give(struct hcsshim__sink_hash *hash,
                                hcsshim__sink *sink)
{
    struct slot *slot = next_slot(hash);
    struct slot given = {sink->buffer, sink->memory, sink->room, sink->used};

    if (slot->buffer == NULL) {
        slot->room = HCSSHIM__FILE_PIECE;
        slot->buffer = hcsshim__file_buffer(slot->room, &slot->memory);
        if (slot->buffer == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
    }
    sink->buffer = slot->buffer;
    sink->memory = slot->memory;
    sink->room = slot->room;
    sink->used = sink->hashed = 0;
    *slot = given;
    push(hash);
    return 0;
}
