/* ext4_behind.h - a thread that writes an image behind who makes it. */
#ifndef HCSSHIM_LAYER_EXT4_BEHIND_H
#define HCSSHIM_LAYER_EXT4_BEHIND_H

#include "layer/ext4_io.h"

enum { EXT4_QUEUE = 512 };
#define EXT4_SCRATCH ((size_t)256 * 1024)
/* What is read of a tar at once. */
#define EXT4_PIECE ((size_t)256 * 1024)

/* Pieces that follow each other in a file. */
typedef struct hcsshim__ext4_batch {
    uint64_t begin; /* in the file */
    hcsshim__piece queue[EXT4_QUEUE];
    size_t count;
    uint8_t *scratch; /* for what has no place of its own */
    size_t scratch_used;
} hcsshim__ext4_batch;

typedef struct hcsshim__ext4_behind hcsshim__ext4_behind;

/*
 * hcsshim__ext4_behind_new() - start the thread.
 *
 * file: borrowed until _free(). The functions below are for one thread.
 *
 * Returns 0, E_OUTOFMEMORY, or why no thread could be started.
 */
int32_t hcsshim__ext4_behind_new(int64_t file, hcsshim__ext4_behind **out);

/* Write what was submitted, then end the thread. NULL: nothing. */
void hcsshim__ext4_behind_free(hcsshim__ext4_behind *behind);

/* The batch to fill, empty after each _submit(). */
hcsshim__ext4_batch *hcsshim__ext4_behind_batch(hcsshim__ext4_behind *behind);

/*
 * hcsshim__ext4_behind_submit() - let the present batch be written.
 *
 * What its pieces point to must stay as it is; see _buffer(). May block.
 *
 * Returns 0 or the error of an earlier write.
 */
int32_t hcsshim__ext4_behind_submit(hcsshim__ext4_behind *behind);

/*
 * hcsshim__ext4_behind_buffer() - EXT4_PIECE bytes to read into.
 *
 * They are free to be changed: no batch that is still to be written was filled
 * between the last time they were given and the next call. May block.
 */
uint8_t *hcsshim__ext4_behind_buffer(hcsshim__ext4_behind *behind);

/*
 * hcsshim__ext4_behind_drain() - wait until all that was submitted is written.
 *
 * Returns 0 or the error of a write, again and again.
 */
int32_t hcsshim__ext4_behind_drain(hcsshim__ext4_behind *behind);

#endif
