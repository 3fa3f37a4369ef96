/*
 * ext4_out.c - where an image goes: into a file, and through dm-verity.
 *
 * Nothing is copied: data are queued where they lie, in the reader's buffer or
 * in a table, and written together. Small things are gathered in 'scratch'.
 */
#include <stdlib.h>
#include <string.h>

#include "layer/ext4_parts.h"
#include "layer/verity.h"

#define ZEROS ((size_t)64 * 1024)

static const uint8_t zeros[ZEROS];

int32_t hcsshim__ext4_out_init(hcsshim__ext4_out *out)
{
    out->batch = &out->own;
    out->own.scratch = malloc(EXT4_SCRATCH);
    return out->own.scratch == NULL ? HCSSHIM_E_OUTOFMEMORY : 0;
}

void hcsshim__ext4_out_clear(hcsshim__ext4_out *out)
{
    hcsshim__ext4_behind_free(out->behind);
    if (out->fused)
        hcsshim__verity_write_to(out->verity, -1);
    free(out->own.scratch);
}

void hcsshim__ext4_out_hand_over(hcsshim__ext4_out *out)
{
    if (out->file < 0 || out->fused || out->behind != NULL ||
        out->batch->count > 0 ||
        hcsshim__ext4_behind_new(out->file, &out->behind) < 0)
        return;
    out->batch = hcsshim__ext4_behind_batch(out->behind);
}

/* Refuse to go beyond the limit. */
static int32_t claim(hcsshim__ext4_out *out, uint64_t length)
{
    if (length <= out->limit && out->position <= out->limit - length)
        return 0;
    out->full = 1;
    return HCSSHIM_E_FILE_TOO_LARGE;
}

int32_t hcsshim__ext4_out_flush(hcsshim__ext4_out *out)
{
    hcsshim__ext4_batch *batch = out->batch;
    int32_t hr = 0;

    if (batch->count == 0) {
        batch->scratch_used = 0;
    } else if (out->behind != NULL) {
        hr = hcsshim__ext4_behind_submit(out->behind);
        out->batch = hcsshim__ext4_behind_batch(out->behind);
    } else {
        hr = hcsshim__image_write(out->file, batch->begin, batch->queue,
                                  batch->count);
        batch->count = 0;
        batch->scratch_used = 0;
    }
    return hr;
}

int32_t hcsshim__ext4_out_drain(hcsshim__ext4_out *out)
{
    int32_t hr = hcsshim__ext4_out_flush(out), done = 0;

    if (out->behind != NULL)
        done = hcsshim__ext4_behind_drain(out->behind);
    if (out->fused)
        done = hcsshim__verity_drain(out->verity);
    return hr < 0 ? hr : done;
}

/* Queue bytes that were claimed and hashed. */
static int32_t queue(hcsshim__ext4_out *out, const uint8_t *data, size_t length)
{
    hcsshim__ext4_batch *batch = out->batch;
    hcsshim__piece *next = &batch->queue[batch->count];
    int32_t hr = 0;

    if (batch->count > 0 && next[-1].data + next[-1].length == data) {
        next[-1].length += length;
        out->position += length;
        return 0;
    }
    if (batch->count == EXT4_QUEUE) {
        hr = hcsshim__ext4_out_flush(out);
        batch = out->batch;
    }
    if (batch->count == 0)
        batch->begin = out->position;
    batch->queue[batch->count].data = data;
    batch->queue[batch->count++].length = length;
    out->position += length;
    return hr;
}

/* Whether hashing is all, be it that it includes writing. */
static int only_hashed(const hcsshim__ext4_out *out)
{
    return out->file < 0 || out->fused;
}

int32_t hcsshim__ext4_out_data(hcsshim__ext4_out *out, const uint8_t *data,
                               size_t length)
{
    int32_t hr = claim(out, length);

    if (hr == 0 && out->verity != NULL)
        hr = hcsshim_verity_update(out->verity, data, length);
    if (hr < 0 || length == 0)
        return hr;
    if (!only_hashed(out))
        return queue(out, data, length);
    out->position += length;
    return 0;
}

/*
 * Some of the scratch, 'length' bytes or less. Queueing what is put there must
 * not flush by itself: the scratch would be the next batch's.
 */
static int32_t scratch(hcsshim__ext4_out *out, uint8_t **place, size_t *length)
{
    hcsshim__ext4_batch *batch = out->batch;
    int32_t hr = 0;

    if (out->file < 0 ||
        out->fused) { /* nothing refers to it after it is hashed */
        batch->scratch_used = 0;
    } else if (batch->count == EXT4_QUEUE ||
               batch->scratch_used == EXT4_SCRATCH) {
        hr = hcsshim__ext4_out_flush(out);
        batch = out->batch;
    }
    if (*length > EXT4_SCRATCH - batch->scratch_used)
        *length = EXT4_SCRATCH - batch->scratch_used;
    *place = batch->scratch + batch->scratch_used;
    batch->scratch_used += *length;
    return hr;
}

int32_t hcsshim__ext4_out_copy(hcsshim__ext4_out *out, const uint8_t *data,
                               size_t length)
{
    int32_t hr = 0;

    while (hr == 0 && length > 0) {
        size_t take = length;
        uint8_t *place;

        hr = scratch(out, &place, &take);
        if (hr < 0)
            break;
        memcpy(place, data, take);
        hr = hcsshim__ext4_out_data(out, place, take);
        data += take;
        length -= take;
    }
    return hr;
}

/*
 * Zeros that need not be written: there is no file; or there will be a hole,
 * the file being made as long at the end; or it was done as they were hashed,
 * as everything is that is less than a block.
 */
static int is_done(const hcsshim__ext4_out *out, uint64_t length)
{
    return out->file < 0 || (out->sparse && length >= EXT4_BLOCK) ||
           (out->fused && length < EXT4_BLOCK);
}

int32_t hcsshim__ext4_out_zeros(hcsshim__ext4_out *out, uint64_t length)
{
    int32_t hr = claim(out, length);

    if (hr == 0 && out->verity != NULL)
        hr = hcsshim_verity_skip(out->verity, length);
    if (hr == 0 && is_done(out, length)) {
        hr = hcsshim__ext4_out_flush(out); /* what follows is elsewhere */
        out->position += length;
        return hr;
    }
    while (hr == 0 && length > 0) {
        size_t take = length < ZEROS ? (size_t)length : ZEROS;

        hr = queue(out, zeros, take);
        length -= take;
    }
    if (hr == 0 && out->fused)
        hr = hcsshim__ext4_out_flush(out);
    return hr;
}

int32_t hcsshim__ext4_out_align(hcsshim__ext4_out *out)
{
    return hcsshim__ext4_out_zeros(out, -out->position % EXT4_BLOCK);
}

int32_t hcsshim__ext4_out_again(hcsshim__ext4_out *out, uint64_t block,
                                const uint8_t *data, size_t count)
{
    hcsshim__piece piece = {data, count * EXT4_BLOCK};
    int32_t hr = hcsshim__ext4_out_drain(out);

    if (hr == 0 && out->file >= 0)
        hr = hcsshim__image_write(out->file, block * EXT4_BLOCK, &piece, 1);
    if (hr == 0 && out->verity != NULL)
        hr = hcsshim_verity_put(out->verity, block, data, count);
    return hr;
}
