/* verity.c - the dm-verity tree of an image that is being written. */
#include "layer/verity.h"

#include <stdlib.h>
#include <string.h>

#include "layer/verity_pool.h"

#define BLOCK HCSSHIM_VERITY_BLOCK
#define DIGEST HCSSHIM_SHA256_SIZE
#define MOST_WORKERS 64
#define MOST_LEVELS 10 /* 128 to the power of 10 is above 2^64 */
/* 256 TiB: no sum of sizes comes near its type. */
#define MOST_BLOCKS (UINT64_C(1) << 36)

struct hcsshim_verity {
    hcsshim__verity_hasher hasher;
    hcsshim__verity_pool *pool; /* NULL: no workers */
    uint8_t *leaves;            /* digests of the blocks so far */
    uint64_t room;              /* of leaves, in digests */
    uint64_t blocks;            /* of the image so far */
    uint8_t *part;      /* waits to be full; the pool's if there is one */
    size_t part_length; /* in bytes */
    int finished;
    uint8_t *tree; /* once finished */
    size_t tree_length;
};

int32_t hcsshim_verity_new(const uint8_t *salt, size_t salt_length,
                           uint32_t workers, hcsshim_verity **out)
{
    hcsshim_verity *verity = NULL;
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    *out = NULL;
    if (workers > MOST_WORKERS)
        return HCSSHIM_E_INVALIDARG;
    verity = calloc(1, sizeof *verity);
    if (verity == NULL)
        return hr;
    hr = hcsshim__verity_hasher_init(&verity->hasher, salt, salt_length);
    if (hr == 0 && workers > 0)
        hr = hcsshim__verity_pool_new(&verity->hasher, workers, &verity->pool);
    if (hr < 0)
        goto out;
    verity->part = verity->pool != NULL
                       ? hcsshim__verity_pool_room(verity->pool, NULL)
                       : malloc(BLOCK);
    if (verity->part == NULL) {
        hr = HCSSHIM_E_OUTOFMEMORY;
        goto out;
    }
    *out = verity; /* now the caller's */
    verity = NULL;
out:
    hcsshim_verity_free(verity);
    return hr;
}

void hcsshim_verity_free(hcsshim_verity *verity)
{
    if (verity == NULL)
        return;
    if (verity->pool == NULL)
        free(verity->part);
    hcsshim__verity_pool_free(verity->pool);
    free(verity->leaves);
    free(verity->tree);
    free(verity);
}

/* Make room for the digests of 'count' more blocks. */
static int32_t reserve(hcsshim_verity *verity, uint64_t count)
{
    uint64_t wanted, room = verity->room;
    uint8_t *leaves;

    if (count > MOST_BLOCKS - verity->blocks)
        return HCSSHIM_E_INVALIDARG;
    wanted = verity->blocks + count;
    if (wanted <= room)
        return 0;
    room = room == 0 ? 8192 : room * 2;
    if (room < wanted)
        room = wanted;
    if (room > SIZE_MAX / DIGEST)
        return HCSSHIM_E_OUTOFMEMORY;
    leaves = realloc(verity->leaves, (size_t)room * DIGEST);
    if (leaves == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    verity->leaves = leaves;
    verity->room = room;
    return 0;
}

/* Hash whole blocks that come next: at most a piece if there are workers. */
static int32_t append(hcsshim_verity *verity, const uint8_t *data, size_t count)
{
    int32_t hr = reserve(verity, count);

    if (hr < 0)
        return hr;
    if (verity->pool != NULL) {
        hr = hcsshim__verity_pool_add(verity->pool, verity->blocks, data, count,
                                      verity->leaves);
        verity->part = hcsshim__verity_pool_room(verity->pool, verity->leaves);
    } else {
        hcsshim__verity_hash_blocks(&verity->hasher, data, count,
                                    verity->leaves + verity->blocks * DIGEST);
    }
    verity->blocks += count;
    return hr;
}

/*
 * Hash the whole blocks of the waiting part; keep what is after them. A pool's
 * part goes to the workers, who leave it as it is, and is followed by another.
 */
static int32_t flush_part(hcsshim_verity *verity)
{
    const uint8_t *part = verity->part;
    size_t count = verity->part_length / BLOCK;
    size_t rest = verity->part_length % BLOCK;
    int32_t hr;

    if (count == 0)
        return 0;
    hr = append(verity, part, count);
    if (hr < 0)
        return hr;
    memmove(verity->part, part + count * BLOCK, rest);
    verity->part_length = rest;
    return 0;
}

/*
 * How much may wait: a block if the hashing is done here, else a whole piece,
 * since waking a worker for less costs more than hashing it.
 */
static size_t part_limit(const hcsshim_verity *verity)
{
    return verity->pool == NULL ? BLOCK : HCSSHIM_VERITY_PIECE;
}

/* Whole blocks that need not be copied into the part first, up to a piece. */
static size_t direct_blocks(const hcsshim_verity *verity, size_t length)
{
    size_t most = length < HCSSHIM_VERITY_PIECE ? length : HCSSHIM_VERITY_PIECE;

    if (verity->part_length != 0 || length < part_limit(verity))
        return 0;
    return most / BLOCK;
}

int32_t hcsshim_verity_update(hcsshim_verity *verity, const void *data,
                              size_t length)
{
    const uint8_t *next = data;
    int32_t hr = 0;

    if (verity->finished)
        return HCSSHIM_E_UNEXPECTED;
    while (hr == 0 && length > 0) {
        size_t take = direct_blocks(verity, length) * BLOCK;

        if (take > 0) {
            hr = append(verity, next, take / BLOCK);
        } else {
            take = part_limit(verity) - verity->part_length;
            if (take > length)
                take = length;
            memcpy(verity->part + verity->part_length, next, take);
            verity->part_length += take;
            if (verity->part_length == part_limit(verity))
                hr = flush_part(verity);
        }
        next += take;
        length -= take;
    }
    return hr;
}

/* Zeros up to the end of the block, so that whole blocks can be skipped. */
static int32_t fill_block(hcsshim_verity *verity, uint64_t *length)
{
    static const uint8_t zeros[BLOCK];
    size_t held = verity->part_length % BLOCK;
    size_t take = held == 0 ? 0 : BLOCK - held;
    int32_t hr;

    if (take > *length)
        take = (size_t)*length;
    hr = hcsshim_verity_update(verity, zeros, take);
    *length -= take;
    return hr;
}

int32_t hcsshim_verity_skip(hcsshim_verity *verity, uint64_t length)
{
    static const uint8_t zeros[BLOCK];
    uint64_t count;
    int32_t hr = fill_block(verity, &length);

    if (hr < 0 || length == 0)
        return hr;
    hr = flush_part(verity);
    count = length / BLOCK;
    if (hr == 0)
        hr = reserve(verity, count);
    if (hr < 0)
        return hr;
    for (uint64_t i = 0; i < count; i++)
        memcpy(verity->leaves + (verity->blocks + i) * DIGEST,
               verity->hasher.zero_digest, DIGEST);
    verity->blocks += count;
    return hcsshim_verity_update(verity, zeros, (size_t)(length % BLOCK));
}

int32_t hcsshim_verity_read(hcsshim_verity *verity, int64_t file,
                            uint64_t offset, uint64_t length, uint32_t threads)
{
    uint64_t count = length / BLOCK;
    int32_t hr;

    if (verity->finished)
        return HCSSHIM_E_UNEXPECTED;
    if (length % BLOCK != 0 || verity->part_length % BLOCK != 0)
        return HCSSHIM_E_INVALIDARG;
    hr = flush_part(verity);
    if (hr == 0)
        hr = reserve(verity, count);
    if (hr < 0 || count == 0)
        return hr;
    hr = hcsshim__verity_hash_range(&verity->hasher, file, offset, count,
                                    threads,
                                    verity->leaves + verity->blocks * DIGEST);
    if (hr == 0)
        verity->blocks += count;
    return hr;
}

int32_t hcsshim_verity_put(hcsshim_verity *verity, uint64_t block,
                           const void *data, size_t count)
{
    uint64_t waiting = verity->part_length / BLOCK;
    int32_t hr;

    if (verity->finished)
        return HCSSHIM_E_UNEXPECTED;
    if (count > verity->blocks + waiting ||
        block > verity->blocks + waiting - count)
        return HCSSHIM_E_INVALIDARG;
    hr = flush_part(verity);
    if (hr < 0 || count == 0)
        return hr;
    if (verity->pool != NULL) /* a late digest must not undo this one */
        hcsshim__verity_pool_drain(verity->pool, verity->leaves);
    hcsshim__verity_hash_blocks(&verity->hasher, data, count,
                                verity->leaves + block * DIGEST);
    return 0;
}

/* The blocks of each level of the tree from the leaves up; their number. */
static size_t measure(uint64_t blocks, uint64_t levels[MOST_LEVELS])
{
    size_t count = 0;

    do {
        blocks = (blocks + HCSSHIM_VERITY_DIGESTS - 1) / HCSSHIM_VERITY_DIGESTS;
        levels[count++] = blocks;
    } while (blocks > 1);
    return count;
}

/* Lay the tree out, the top level first, and hash it from the leaves up. */
static int32_t build(hcsshim_verity *verity, uint8_t *root)
{
    uint64_t levels[MOST_LEVELS], total = 0;
    size_t count = measure(verity->blocks, levels);
    uint8_t *at;

    for (size_t i = 0; i < count; i++)
        total += levels[i];
    if (total > SIZE_MAX / BLOCK)
        return HCSSHIM_E_OUTOFMEMORY;
    verity->tree = calloc((size_t)total, BLOCK);
    if (verity->tree == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    verity->tree_length = (size_t)total * BLOCK;
    at = verity->tree + verity->tree_length - (size_t)levels[0] * BLOCK;
    memcpy(at, verity->leaves, (size_t)verity->blocks * DIGEST);
    for (size_t i = 0; i + 1 < count; i++) {
        uint8_t *above = at - (size_t)levels[i + 1] * BLOCK;

        hcsshim__verity_hash_blocks(&verity->hasher, at, (size_t)levels[i],
                                    above);
        at = above;
    }
    hcsshim__verity_hash_blocks(&verity->hasher, verity->tree, 1, root);
    return 0;
}

int32_t hcsshim_verity_finish(hcsshim_verity *verity, uint8_t *root)
{
    int32_t hr;

    memset(root, 0, DIGEST);
    if (verity->finished)
        return HCSSHIM_E_UNEXPECTED;
    hr = flush_part(verity);
    if (hr < 0)
        return hr;
    if (verity->part_length != 0 || verity->blocks == 0)
        return HCSSHIM_E_INVALIDARG;
    if (verity->pool != NULL)
        hcsshim__verity_pool_drain(verity->pool, verity->leaves);
    verity->finished = 1;
    hr = build(verity, root);
    free(verity->leaves); /* the tree holds them now */
    verity->leaves = NULL;
    verity->room = 0;
    return hr;
}

int hcsshim__verity_write_to(hcsshim_verity *verity, int64_t file)
{
    if (verity->pool == NULL)
        return 0;
    hcsshim__verity_pool_drain(verity->pool, verity->leaves);
    hcsshim__verity_pool_write_to(verity->pool, file);
    return 1;
}

int32_t hcsshim__verity_drain(hcsshim_verity *verity)
{
    return verity->pool == NULL
               ? 0
               : hcsshim__verity_pool_drain(verity->pool, verity->leaves);
}

uint64_t hcsshim_verity_blocks(const hcsshim_verity *verity)
{
    return verity->blocks + verity->part_length / BLOCK;
}

const uint8_t *hcsshim_verity_tree(const hcsshim_verity *verity, size_t *length)
{
    *length = verity->tree_length;
    return verity->tree;
}
