/*
 * verity.h - the inside of dm-verity: digests of 4 KiB blocks, and of files.
 *
 * A writer of an image makes a hcsshim_verity (hcsshim.h), gives it every byte
 * in order with hcsshim_verity_update() or _skip() while the bytes are still in
 * the cache, gives whole blocks that it wrote again to _put(), and ends with
 * _finish(). What stands here is below that.
 */
#ifndef HCSSHIM_LAYER_VERITY_H
#define HCSSHIM_LAYER_VERITY_H

#include <stddef.h>
#include <stdint.h>

#include "hcsshim.h"
#include "layer/sha256.h"

#define HCSSHIM_VERITY_DIGESTS (HCSSHIM_VERITY_BLOCK / HCSSHIM_SHA256_SIZE)
/* What one thread reads and hashes in one go: 64 blocks. */
#define HCSSHIM_VERITY_PIECE ((size_t)256 * 1024)
#define HCSSHIM_VERITY_PIECE_BLOCKS                                            \
    (HCSSHIM_VERITY_PIECE / HCSSHIM_VERITY_BLOCK)

/*
 * How a block is hashed: SHA-256 of salt and block. Filled once, then only
 * read, by any number of threads.
 */
typedef struct hcsshim__verity_hasher {
    const hcsshim__sha256_kernel *kernel;
    uint32_t state[8];                      /* after the salt's whole blocks */
    uint8_t head[HCSSHIM_SHA256_BLOCK];     /* the rest of the salt */
    size_t head_length;                     /* below 64 */
    uint8_t tail[2 * HCSSHIM_SHA256_BLOCK]; /* padding and bit length */
    size_t tail_blocks;                     /* 1 or 2 */
    uint8_t zero_digest[HCSSHIM_SHA256_SIZE]; /* of a block of zeros */
} hcsshim__verity_hasher;

/* salt: borrowed and copied. Returns 0 or E_INVALIDARG. */
int32_t hcsshim__verity_hasher_init(hcsshim__verity_hasher *hasher,
                                    const uint8_t *salt, size_t salt_length);

/*
 * hcsshim__verity_hash_blocks() - hash 'count' blocks at 'data'.
 *
 * digests: room for 32 bytes each.
 */
void hcsshim__verity_hash_blocks(const hcsshim__verity_hasher *hasher,
                                 const uint8_t *data, size_t count,
                                 uint8_t *digests);

/*
 * hcsshim__verity_hash_range() - hash blocks of a file on several threads.
 *
 * The caller's thread is one of them. The rest as hcsshim_verity_hash_file().
 */
int32_t hcsshim__verity_hash_range(const hcsshim__verity_hasher *hasher,
                                   int64_t file, uint64_t offset,
                                   uint64_t count, uint32_t threads,
                                   uint8_t *digests);

/*
 * hcsshim__verity_read_at() - read exactly 'length' bytes at 'offset'.
 *
 * Returns 0, E_INVALID_DATA if the file ends before, or the error of the read.
 */
int32_t hcsshim__verity_read_at(int64_t file, uint64_t offset, uint8_t *buffer,
                                size_t length);

/*
 * hcsshim__verity_write_to() - let the workers write what they hash.
 *
 * file: the image itself, borrowed until the call with -1, which waits until
 *       nothing is being written any more. Blocks that are skipped are not
 *       written, nor those of _put().
 *
 * Returns 1, or 0 if the tree has no workers: then nothing is written.
 */
int hcsshim__verity_write_to(hcsshim_verity *verity, int64_t file);

/* Wait for the workers. Returns 0 or the error of a write. */
int32_t hcsshim__verity_drain(hcsshim_verity *verity);

#endif
