/* verity_file.c - the digests of a file's blocks, on several threads. */
#include "layer/verity.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "events/platform.h"

#define MOST_THREADS 64
/* Where the kernel copies fastest to: a page and a bit (see read_piece). */
#define PAGE 4096
#define BEYOND_PAGE 256

/* What the threads share. */
struct range {
    const hcsshim__verity_hasher *hasher;
    int64_t file;
    uint64_t offset;
    uint64_t count;
    uint8_t *digests;
    _Atomic uint64_t next; /* block that nobody took yet */
    _Atomic int32_t error; /* the first one; 0 for none */
};

static void fail(struct range *range, int32_t hr)
{
    int32_t none = 0;

    atomic_compare_exchange_strong(&range->error, &none, hr);
}

/*
 * Some processors copy several times slower to an address that lies 16 bytes
 * after the source's place in its page, which is where malloc() puts large
 * buffers: the page cache's pages are aligned. So 'buffer' is page + 256.
 */
static int32_t hash_piece(struct range *range, uint64_t block, uint8_t *buffer)
{
    uint64_t left = range->count - block;
    size_t blocks = left < HCSSHIM_VERITY_PIECE_BLOCKS
                        ? (size_t)left
                        : HCSSHIM_VERITY_PIECE_BLOCKS;
    int32_t hr = hcsshim__verity_read_at(
        range->file, range->offset + block * HCSSHIM_VERITY_BLOCK, buffer,
        blocks * HCSSHIM_VERITY_BLOCK);

    if (hr == 0)
        hcsshim__verity_hash_blocks(range->hasher, buffer, blocks,
                                    range->digests +
                                        block * HCSSHIM_SHA256_SIZE);
    return hr;
}

static void work(void *context)
{
    struct range *range = context;
    uint8_t *memory = malloc(HCSSHIM_VERITY_PIECE + 2 * PAGE);
    uint8_t *buffer;

    if (memory == NULL) {
        fail(range, HCSSHIM_E_OUTOFMEMORY);
        return;
    }
    buffer = memory + (PAGE - (uintptr_t)memory % PAGE) + BEYOND_PAGE;
    while (atomic_load(&range->error) == 0) {
        uint64_t block =
            atomic_fetch_add(&range->next, HCSSHIM_VERITY_PIECE_BLOCKS);
        int32_t hr;

        if (block >= range->count)
            break;
        hr = hash_piece(range, block, buffer);
        if (hr < 0)
            fail(range, hr);
    }
    free(memory);
}

int32_t hcsshim__verity_hash_range(const hcsshim__verity_hasher *hasher,
                                   int64_t file, uint64_t offset,
                                   uint64_t count, uint32_t threads,
                                   uint8_t *digests)
{
    struct range range = {.hasher = hasher,
                          .file = file,
                          .offset = offset,
                          .count = count,
                          .digests = digests};
    hcsshim__thread others[MOST_THREADS];
    uint64_t pieces = count / HCSSHIM_VERITY_PIECE_BLOCKS + 1;
    uint32_t started = 0;

    if (threads < 1 || threads > MOST_THREADS ||
        count > UINT64_MAX / HCSSHIM_VERITY_BLOCK - 1 ||
        offset > INT64_MAX - count * HCSSHIM_VERITY_BLOCK)
        return HCSSHIM_E_INVALIDARG;
    if (threads > pieces)
        threads = (uint32_t)pieces;
    /* With fewer threads than wished the work is done all the same. */
    while (started + 1 < threads &&
           hcsshim__thread_start(&others[started], work, &range) == 0)
        started++;
    work(&range);
    while (started > 0)
        hcsshim__thread_join(others[--started]);
    return atomic_load(&range.error);
}

int32_t hcsshim_verity_hash_file(const uint8_t *salt, size_t salt_length,
                                 int64_t file, uint64_t offset, uint64_t count,
                                 uint32_t threads, uint8_t *digests)
{
    hcsshim__verity_hasher hasher;
    int32_t hr = hcsshim__verity_hasher_init(&hasher, salt, salt_length);

    if (hr < 0)
        return hr;
    return hcsshim__verity_hash_range(&hasher, file, offset, count, threads,
                                      digests);
}
