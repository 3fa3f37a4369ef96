/* verity_pool.h - threads that hash an image beside its maker, and write it. */
#ifndef HCSSHIM_LAYER_VERITY_POOL_H
#define HCSSHIM_LAYER_VERITY_POOL_H

#include "layer/verity.h"

typedef struct hcsshim__verity_pool hcsshim__verity_pool;

/* hasher: borrowed until _free(). workers: 1 to 64. */
int32_t hcsshim__verity_pool_new(const hcsshim__verity_hasher *hasher,
                                 uint32_t workers, hcsshim__verity_pool **out);

/*
 * hcsshim__verity_pool_write_to() - write the pieces, too.
 *
 * file: where block 0 is at its beginning; borrowed. Below 0: no longer. The
 *       pool is empty, or drained.
 */
void hcsshim__verity_pool_write_to(hcsshim__verity_pool *pool, int64_t file);

/* Stop the workers; what they have not begun is not hashed. NULL: nothing. */
void hcsshim__verity_pool_free(hcsshim__verity_pool *pool);

/*
 * hcsshim__verity_pool_room() - a place for the next piece.
 *
 * Returns HCSSHIM_VERITY_PIECE bytes that are the caller's until the next
 * _add(), which copies nothing if it is given them. The same one thread.
 */
uint8_t *hcsshim__verity_pool_room(hcsshim__verity_pool *pool, uint8_t *leaves);

/*
 * hcsshim__verity_pool_add() - hash blocks some time.
 *
 * data:   copied, at most HCSSHIM_VERITY_PIECE_BLOCKS blocks.
 * leaves: where all digests of the image stand; the ones of blocks that came
 *         earlier may be written here, and the array may move between calls.
 *
 * May block, but hashes instead of waiting where it can. One thread.
 *
 * Returns 0 or the error of an earlier write.
 */
int32_t hcsshim__verity_pool_add(hcsshim__verity_pool *pool, uint64_t block,
                                 const uint8_t *data, size_t count,
                                 uint8_t *leaves);

/*
 * hcsshim__verity_pool_drain() - hash, and write, what is left.
 *
 * Every digest is among the leaves then. Blocks. The same one thread.
 *
 * Returns 0 or the error of a write.
 */
int32_t hcsshim__verity_pool_drain(hcsshim__verity_pool *pool, uint8_t *leaves);

#endif
