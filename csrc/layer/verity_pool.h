/* verity_pool.h - threads that hash pieces of an image beside its writer. */
#ifndef HCSSHIM_LAYER_VERITY_POOL_H
#define HCSSHIM_LAYER_VERITY_POOL_H

#include "layer/verity.h"

typedef struct hcsshim__verity_pool hcsshim__verity_pool;

/* hasher: borrowed until _free(). workers: 1 to 64. */
int32_t hcsshim__verity_pool_new(const hcsshim__verity_hasher *hasher,
                                 uint32_t workers, hcsshim__verity_pool **out);

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
 */
void hcsshim__verity_pool_add(hcsshim__verity_pool *pool, uint64_t block,
                              const uint8_t *data, size_t count,
                              uint8_t *leaves);

/*
 * hcsshim__verity_pool_help() - hash one piece that no worker has begun.
 *
 * For the same one thread, before it waits for something else.
 *
 * Returns 1, or 0 if there is none.
 */
int hcsshim__verity_pool_help(hcsshim__verity_pool *pool);

/* Hash what is left and write every digest. Blocks. The same one thread. */
void hcsshim__verity_pool_drain(hcsshim__verity_pool *pool, uint8_t *leaves);

#endif
