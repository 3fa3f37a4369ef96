/*
 * ext4_out.c - where an image goes: into a file, and through dm-verity.
 *
 * Nothing is copied: data are queued where they lie, in the reader's buffer or
 * in a table, and written together. Small things are gathered in 'scratch'.
 */
#include <stdlib.h>
#include <string.h>

#include "layer/ext4_parts.h"

#define SCRATCH ((size_t)256 * 1024)
#define ZEROS ((size_t)64 * 1024)

static const uint8_t zeros[ZEROS];

int32_t hcsshim__ext4_out_init(hcsshim__ext4_out *out)
{
    out->scratch = malloc(SCRATCH);
    return out->scratch == NULL ? HCSSHIM_E_OUTOFMEMORY : 0;
}

void hcsshim__ext4_out_clear(hcsshim__ext4_out *out) { free(out->scratch); }

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
    int32_t hr = 0;

    if (out->count > 0)
        hr =
            hcsshim__image_write(out->file, out->begin, out->queue, out->count);
    out->count = 0;
    out->begin = out->position;
    return hr;
}

/* Queue bytes that were claimed and hashed. */
static int32_t queue(hcsshim__ext4_out *out, const uint8_t *data, size_t length)
{
    hcsshim__piece *last = &out->queue[out->count == 0 ? 0 : out->count - 1];
    int32_t hr = 0;

    if (out->file >= 0 && out->count > 0 && last->data + last->length == data) {
        last->length += length;
    } else if (out->file >= 0) {
        if (out->count == EXT4_QUEUE)
            hr = hcsshim__ext4_out_flush(out);
        out->queue[out->count].data = data;
        out->queue[out->count++].length = length;
    }
    out->position += length;
    return hr;
}

int32_t hcsshim__ext4_out_data(hcsshim__ext4_out *out, const uint8_t *data,
                               size_t length)
{
    int32_t hr = claim(out, length);

    if (hr == 0 && out->verity != NULL)
        hr = hcsshim_verity_update(out->verity, data, length);
    return hr < 0 || length == 0 ? hr : queue(out, data, length);
}

int32_t hcsshim__ext4_out_copy(hcsshim__ext4_out *out, const uint8_t *data,
                               size_t length)
{
    int32_t hr = 0;

    while (hr == 0 && length > 0) {
        size_t take;
        uint8_t *place;

        if (out->count == 0) /* whatever was there is written */
            out->scratch_used = 0;
        take = SCRATCH - out->scratch_used;
        if (take == 0) {
            hr = hcsshim__ext4_out_flush(out);
            continue;
        }
        if (take > length)
            take = length;
        place = out->scratch + out->scratch_used;
        memcpy(place, data, take);
        out->scratch_used += take;
        hr = hcsshim__ext4_out_data(out, place, take);
        data += take;
        length -= take;
    }
    return hr;
}

/* Leave out what is a hole anyway: the file is made as long at the end. */
static int32_t skip(hcsshim__ext4_out *out, uint64_t length)
{
    int32_t hr = hcsshim__ext4_out_flush(out);

    out->position += length;
    out->begin = out->position;
    return hr;
}

int32_t hcsshim__ext4_out_zeros(hcsshim__ext4_out *out, uint64_t length)
{
    int32_t hr = claim(out, length);

    if (hr == 0 && out->verity != NULL)
        hr = hcsshim_verity_skip(out->verity, length);
    if (hr == 0 && (out->file < 0 || (out->sparse && length >= EXT4_BLOCK)))
        return skip(out, length);
    while (hr == 0 && length > 0) {
        size_t take = length < ZEROS ? (size_t)length : ZEROS;

        hr = queue(out, zeros, take);
        length -= take;
    }
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
    int32_t hr = hcsshim__ext4_out_flush(out);

    if (hr == 0 && out->file >= 0)
        hr = hcsshim__image_write(out->file, block * EXT4_BLOCK, &piece, 1);
    if (hr == 0 && out->verity != NULL)
        hr = hcsshim_verity_put(out->verity, block, data, count);
    return hr;
}
