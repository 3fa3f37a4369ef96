/*
 * verity_pool.c - threads that hash an image beside its maker, and write it.
 *
 * A ring of slots, each up to 64 blocks with room for their digests. The maker
 * fills slots in turn; each goes from FREE to READY (maker), to HASHED, if
 * there is a file to WRITTEN, and to FREE when the maker comes round to it and
 * copies the digests out. Whoever would have to wait does what there is to do
 * instead, the maker, too. Only one thread writes at a time: the kernel lets a
 * second writer of a file wait, and wait busily.
 */
#include "layer/verity_pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "events/platform.h"
#include "layer/ext4_io.h"
#include "layer/file.h"

#define MOST_WORKERS 64
#define SLOTS 8

enum state { FREE, READY, HASHING, HASHED, WRITING, WRITTEN };

struct slot {
    enum state state;
    uint64_t block;
    size_t count;
    uint8_t *data; /* HCSSHIM_VERITY_PIECE bytes */
    uint8_t digests[HCSSHIM_VERITY_PIECE_BLOCKS * HCSSHIM_SHA256_SIZE];
};

struct hcsshim__verity_pool {
    const hcsshim__verity_hasher *hasher;
    int64_t file; /* below 0: none */
    void *memory;
    uint32_t workers;
    hcsshim__thread threads[MOST_WORKERS];

    hcsshim__mutex lock;   /* of all below, but what is in a slot */
    int locks;             /* there is a lock */
    hcsshim__gate changes; /* counts them, for who waits for one */
    uint32_t sleepers;     /* who do */
    struct slot slots[SLOTS];
    size_t next;   /* slot that the maker fills next: the oldest one */
    int writing;   /* somebody is */
    int32_t error; /* of the first write that failed */
    int stopping;
};

static void change(hcsshim__verity_pool *pool)
{
    uint32_t count = atomic_load(&pool->changes.word) + 1;

    if (pool->sleepers > 0)
        hcsshim__gate_open(&pool->changes, count);
    else
        atomic_store(&pool->changes.word, count);
}

/* Wait for a change after the present state. The lock is held but meanwhile. */
static void wait_for_change(hcsshim__verity_pool *pool)
{
    uint32_t seen = atomic_load(&pool->changes.word);

    pool->sleepers++;
    hcsshim__mutex_unlock(&pool->lock);
    hcsshim__gate_wait(&pool->changes, seen, HCSSHIM_FOREVER);
    hcsshim__mutex_lock(&pool->lock);
    pool->sleepers--;
}

/* The oldest slot in a state, or NULL. */
static struct slot *find(hcsshim__verity_pool *pool, enum state state)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &pool->slots[(pool->next + i) % SLOTS];

        if (slot->state == state)
            return slot;
    }
    return NULL;
}

static void hash_slot(hcsshim__verity_pool *pool, struct slot *slot)
{
    slot->state = HASHING;
    hcsshim__mutex_unlock(&pool->lock);
    hcsshim__verity_hash_blocks(pool->hasher, slot->data, slot->count,
                                slot->digests);
    hcsshim__mutex_lock(&pool->lock);
    slot->state = HASHED;
}

static void write_slot(hcsshim__verity_pool *pool, struct slot *slot)
{
    hcsshim__piece piece = {slot->data, slot->count * HCSSHIM_VERITY_BLOCK};
    int32_t hr = pool->error;

    slot->state = WRITING;
    pool->writing = 1;
    hcsshim__mutex_unlock(&pool->lock);
    if (hr == 0)
        hr = hcsshim__image_write(
            pool->file, slot->block * HCSSHIM_VERITY_BLOCK, &piece, 1);
    hcsshim__mutex_lock(&pool->lock);
    pool->writing = 0;
    pool->error = hr;
    slot->state = WRITTEN;
}

/* Hash or write a slot. Returns 0 if there is nothing to do. */
static int do_something(hcsshim__verity_pool *pool)
{
    struct slot *slot = NULL;

    if (pool->file >= 0 && !pool->writing)
        slot = find(pool, HASHED);
    if (slot != NULL) {
        write_slot(pool, slot);
    } else {
        slot = find(pool, READY);
        if (slot == NULL)
            return 0;
        hash_slot(pool, slot);
    }
    change(pool);
    return 1;
}

static void work(void *context)
{
    hcsshim__verity_pool *pool = context;

    hcsshim__mutex_lock(&pool->lock);
    while (!pool->stopping) {
        if (!do_something(pool))
            wait_for_change(pool);
    }
    hcsshim__mutex_unlock(&pool->lock);
}

/* Make a slot FREE, and its digests part of the leaves. */
static void reclaim(hcsshim__verity_pool *pool, struct slot *slot,
                    uint8_t *leaves)
{
    enum state last = pool->file >= 0 ? WRITTEN : HASHED;

    while (slot->state != FREE && slot->state != last) {
        if (!do_something(pool))
            wait_for_change(pool);
    }
    if (slot->state != FREE)
        memcpy(leaves + slot->block * HCSSHIM_SHA256_SIZE, slot->digests,
               slot->count * HCSSHIM_SHA256_SIZE);
    slot->state = FREE;
}

int32_t hcsshim__verity_pool_new(const hcsshim__verity_hasher *hasher,
                                 uint32_t workers, hcsshim__verity_pool **out)
{
    hcsshim__verity_pool *pool = calloc(1, sizeof *pool);
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;
    uint8_t *memory;

    *out = NULL;
    if (pool == NULL)
        return hr;
    pool->hasher = hasher;
    pool->file = -1;
    memory = hcsshim__file_buffer(SLOTS * HCSSHIM_VERITY_PIECE, &pool->memory);
    if (memory == NULL)
        goto out;
    for (size_t i = 0; i < SLOTS; i++)
        pool->slots[i].data = memory + i * HCSSHIM_VERITY_PIECE;
    hr = hcsshim__mutex_init(&pool->lock);
    if (hr < 0)
        goto out;
    pool->locks = 1;
    for (; pool->workers < workers; pool->workers++) {
        hr = hcsshim__thread_start(&pool->threads[pool->workers], work, pool);
        if (hr < 0)
            goto out;
    }
    *out = pool; /* now the caller's */
    pool = NULL;
out:
    hcsshim__verity_pool_free(pool);
    return hr;
}

static void stop(hcsshim__verity_pool *pool)
{
    hcsshim__mutex_lock(&pool->lock);
    pool->stopping = 1;
    change(pool);
    hcsshim__mutex_unlock(&pool->lock);
    while (pool->workers > 0)
        hcsshim__thread_join(pool->threads[--pool->workers]);
    hcsshim__mutex_destroy(&pool->lock);
}

void hcsshim__verity_pool_free(hcsshim__verity_pool *pool)
{
    if (pool == NULL)
        return;
    if (pool->locks)
        stop(pool);
    free(pool->memory);
    free(pool);
}

void hcsshim__verity_pool_write_to(hcsshim__verity_pool *pool, int64_t file)
{
    hcsshim__mutex_lock(&pool->lock);
    pool->file = file;
    hcsshim__mutex_unlock(&pool->lock);
}

uint8_t *hcsshim__verity_pool_room(hcsshim__verity_pool *pool, uint8_t *leaves)
{
    struct slot *slot = &pool->slots[pool->next];

    hcsshim__mutex_lock(&pool->lock);
    reclaim(pool, slot, leaves);
    hcsshim__mutex_unlock(&pool->lock);
    return slot->data;
}

int32_t hcsshim__verity_pool_add(hcsshim__verity_pool *pool, uint64_t block,
                                 const uint8_t *data, size_t count,
                                 uint8_t *leaves)
{
    struct slot *slot = &pool->slots[pool->next];
    uint8_t *place = hcsshim__verity_pool_room(pool, leaves);
    int32_t hr;

    slot->block = block;
    slot->count = count;
    if (data != place)
        memcpy(place, data, count * HCSSHIM_VERITY_BLOCK);
    hcsshim__mutex_lock(&pool->lock);
    slot->state = READY;
    pool->next = (pool->next + 1) % SLOTS;
    hr = pool->error;
    change(pool);
    hcsshim__mutex_unlock(&pool->lock);
    return hr;
}

int32_t hcsshim__verity_pool_drain(hcsshim__verity_pool *pool, uint8_t *leaves)
{
    int32_t hr;

    hcsshim__mutex_lock(&pool->lock);
    for (size_t i = 0; i < SLOTS; i++)
        reclaim(pool, &pool->slots[(pool->next + i) % SLOTS], leaves);
    hr = pool->error;
    hcsshim__mutex_unlock(&pool->lock);
    return hr;
}
