/*
 * verity_pool.c - threads that hash pieces of an image beside its writer.
 *
 * A ring of slots, each a copy of up to 64 blocks with room for their digests.
 * The writer fills slots in turn; a slot goes from FREE to READY (writer), to
 * BUSY (whoever takes it), to DONE, and to FREE when the writer comes round to
 * it and copies the digests out. A writer that comes round to a slot nobody
 * took hashes it itself, or another one meanwhile if a worker is in the middle
 * of it: it waits only if there is nothing to do.
 */
#include "layer/verity_pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "events/platform.h"

#define MOST_WORKERS 64
#define SLOTS 8

enum { FREE, READY, BUSY, DONE };

struct slot {
    hcsshim__gate state; /* changes are told to who waits for DONE */
    uint64_t block;
    size_t count;
    uint8_t *data; /* HCSSHIM_VERITY_PIECE bytes */
    uint8_t digests[HCSSHIM_VERITY_PIECE_BLOCKS * HCSSHIM_SHA256_SIZE];
};

struct hcsshim__verity_pool {
    const hcsshim__verity_hasher *hasher;
    struct slot slots[SLOTS];
    uint8_t *memory;
    size_t next; /* slot that the writer fills next */
    _Atomic int stopping;
    hcsshim__gate filled; /* counts READY slots ever, and the stop */
    uint32_t workers;
    hcsshim__thread threads[MOST_WORKERS];
};

static int take(struct slot *slot)
{
    uint32_t ready = READY;

    return atomic_compare_exchange_strong(&slot->state.word, &ready, BUSY);
}

static void hash_slot(const hcsshim__verity_pool *pool, struct slot *slot)
{
    hcsshim__verity_hash_blocks(pool->hasher, slot->data, slot->count,
                                slot->digests);
}

/* Hash the first slot from 'at' on that is READY. Returns whether one was. */
static int hash_one(hcsshim__verity_pool *pool, size_t *at)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &pool->slots[(*at + i) % SLOTS];

        if (!take(slot))
            continue;
        hash_slot(pool, slot);
        hcsshim__gate_open(&slot->state, DONE);
        *at = (*at + i + 1) % SLOTS;
        return 1;
    }
    return 0;
}

static void work(void *context)
{
    hcsshim__verity_pool *pool = context;
    size_t at = 0;

    for (;;) {
        uint32_t seen = atomic_load(&pool->filled.word);

        if (atomic_load(&pool->stopping))
            return;
        if (!hash_one(pool, &at))
            hcsshim__gate_wait(&pool->filled, seen, HCSSHIM_FOREVER);
    }
}

int hcsshim__verity_pool_help(hcsshim__verity_pool *pool)
{
    size_t at = pool->next;

    return hash_one(pool, &at);
}

/* Make a slot FREE, and its digests part of the leaves. */
static void reclaim(hcsshim__verity_pool *pool, struct slot *slot,
                    uint8_t *leaves)
{
    uint32_t state = atomic_load(&slot->state.word);

    if (state == FREE)
        return;
    if (take(slot)) {
        hash_slot(pool, slot);
    } else {
        while ((state = atomic_load(&slot->state.word)) != DONE) {
            if (!hcsshim__verity_pool_help(pool))
                hcsshim__gate_wait(&slot->state, state, HCSSHIM_FOREVER);
        }
    }
    memcpy(leaves + slot->block * HCSSHIM_SHA256_SIZE, slot->digests,
           slot->count * HCSSHIM_SHA256_SIZE);
    atomic_store(&slot->state.word, FREE);
}

int32_t hcsshim__verity_pool_new(const hcsshim__verity_hasher *hasher,
                                 uint32_t workers, hcsshim__verity_pool **out)
{
    hcsshim__verity_pool *pool = calloc(1, sizeof *pool);
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    *out = NULL;
    if (pool == NULL)
        return hr;
    pool->hasher = hasher;
    pool->memory = malloc(SLOTS * HCSSHIM_VERITY_PIECE);
    if (pool->memory == NULL)
        goto out;
    for (size_t i = 0; i < SLOTS; i++)
        pool->slots[i].data = pool->memory + i * HCSSHIM_VERITY_PIECE;
    for (; pool->workers < workers; pool->workers++) {
        hr = hcsshim__thread_start(&pool->threads[pool->workers], work, pool);
        if (hr < 0)
            goto out;
    }
    *out = pool; /* now the caller's */
    pool = NULL;
    hr = 0;
out:
    hcsshim__verity_pool_free(pool);
    return hr;
}

void hcsshim__verity_pool_free(hcsshim__verity_pool *pool)
{
    if (pool == NULL)
        return;
    atomic_store(&pool->stopping, 1);
    hcsshim__gate_open(&pool->filled, atomic_load(&pool->filled.word) + 1);
    while (pool->workers > 0)
        hcsshim__thread_join(pool->threads[--pool->workers]);
    free(pool->memory);
    free(pool);
}

uint8_t *hcsshim__verity_pool_room(hcsshim__verity_pool *pool, uint8_t *leaves)
{
    struct slot *slot = &pool->slots[pool->next];

    reclaim(pool, slot, leaves);
    return slot->data;
}

void hcsshim__verity_pool_add(hcsshim__verity_pool *pool, uint64_t block,
                              const uint8_t *data, size_t count,
                              uint8_t *leaves)
{
    struct slot *slot = &pool->slots[pool->next];

    reclaim(pool, slot, leaves);
    slot->block = block;
    slot->count = count;
    if (data != slot->data)
        memcpy(slot->data, data, count * HCSSHIM_VERITY_BLOCK);
    atomic_store(&slot->state.word, READY);
    hcsshim__gate_open(&pool->filled, atomic_load(&pool->filled.word) + 1);
    pool->next = (pool->next + 1) % SLOTS;
}

void hcsshim__verity_pool_drain(hcsshim__verity_pool *pool, uint8_t *leaves)
{
    for (size_t i = 0; i < SLOTS; i++)
        reclaim(pool, &pool->slots[(pool->next + i) % SLOTS], leaves);
}
