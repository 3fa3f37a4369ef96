/* sink.c - buffered, hashed output. */
#include "layer/sink.h"

#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"
#include "layer/file.h"
#include "layer/sink_beside.h"

/* A buffer's address within its page; see hcsshim__file_buffer(). */
#define PAGE 4096
#define BEYOND_PAGE 256

uint8_t *hcsshim__file_buffer(size_t length, void **memory)
{
    *memory = length > SIZE_MAX - 2 * PAGE ? NULL : malloc(length + 2 * PAGE);
    if (*memory == NULL)
        return NULL;
    return (uint8_t *)*memory + (PAGE - (uintptr_t)*memory % PAGE) +
           BEYOND_PAGE;
}

int32_t hcsshim__sink_init(hcsshim__sink *sink, int64_t file, int kind)
{
    memset(sink, 0, sizeof *sink);
    sink->file = file;
    sink->kind = kind;
    if (kind == HCSSHIM__SINK_HASHED)
        hcsshim__sha256_init(&sink->digest);
    sink->room = HCSSHIM__FILE_PIECE;
    sink->buffer = hcsshim__file_buffer(sink->room, &sink->memory);
    return sink->buffer == NULL ? HCSSHIM_E_OUTOFMEMORY : 0;
}

void hcsshim__sink_destroy(hcsshim__sink *sink)
{
    hcsshim__sink_beside_free(sink->beside);
    free(sink->memory);
}

static void hash(hcsshim__sink *sink)
{
    if (sink->kind == HCSSHIM__SINK_HASHED)
        hcsshim__sha256_update(&sink->digest, sink->buffer + sink->hashed,
                               sink->used - sink->hashed);
    sink->hashed = sink->used;
}

/* Begin the other thread, unless there is one or can be none. */
static int has_other(hcsshim__sink *sink, hcsshim__sha256 *digest)
{
    if (sink->beside == NULL)
        (void)hcsshim__sink_beside_new(digest, sink->file, &sink->beside);
    return sink->beside != NULL;
}

/* Write the buffer, or let it be written. */
static int32_t pass_on(hcsshim__sink *sink)
{
    int32_t hr;

    if (sink->used == 0)
        return 0;
    if (sink->kind == HCSSHIM__SINK_BESIDE && has_other(sink, NULL))
        return hcsshim__sink_beside_give(sink->beside, sink);
    hr = hcsshim__file_write(sink->file, sink->buffer, sink->used);
    if (hr >= 0 && sink->kind == HCSSHIM__SINK_HASHED) {
        if (has_other(sink, &sink->digest))
            hr = hcsshim__sink_beside_give(sink->beside, sink);
        else
            hash(sink);
    }
    sink->used = sink->hashed = 0;
    return hr;
}

int32_t hcsshim__sink_flush(hcsshim__sink *sink)
{
    int32_t hr = 0;

    if (sink->file == HCSSHIM__SINK_MEMORY) {
        hash(sink);
        return 0;
    }
    if (sink->kind != HCSSHIM__SINK_BESIDE)
        return pass_on(sink);
    if (sink->beside != NULL)
        hr = hcsshim__sink_beside_drain(sink->beside);
    if (hr >= 0 && sink->used > 0)
        hr = hcsshim__file_write(sink->file, sink->buffer, sink->used);
    sink->used = 0;
    return hr;
}

void hcsshim__sink_digest(hcsshim__sink *sink,
                          uint8_t digest[HCSSHIM_SHA256_SIZE])
{
    hcsshim__sink_beside_free(sink->beside);
    sink->beside = NULL;
    hash(sink);
    hcsshim__sha256_final(&sink->digest, digest);
}

void hcsshim__sink_clear(hcsshim__sink *sink)
{
    hash(sink);
    sink->used = sink->hashed = 0;
}

static int32_t grow(hcsshim__sink *sink, size_t length)
{
    size_t room = sink->room;
    void *memory;
    uint8_t *buffer;

    if (length > SIZE_MAX / 4 || sink->used > SIZE_MAX / 4)
        return HCSSHIM_E_OUTOFMEMORY;
    while (room < sink->used + length)
        room *= 2;
    buffer = hcsshim__file_buffer(room, &memory);
    if (buffer == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    memcpy(buffer, sink->buffer, sink->used);
    free(sink->memory);
    sink->memory = memory;
    sink->buffer = buffer;
    sink->room = room;
    return 0;
}

/* Make room: by writing what is there, or by more memory. */
static int32_t make_room(hcsshim__sink *sink, size_t length)
{
    int32_t hr = 0;

    if (sink->room - sink->used >= length)
        return 0;
    if (sink->file != HCSSHIM__SINK_MEMORY)
        hr = pass_on(sink);
    if (hr >= 0 && sink->room - sink->used < length)
        hr = grow(sink, length);
    return hr;
}

uint8_t *hcsshim__sink_reserve(hcsshim__sink *sink, size_t length, int32_t *hr)
{
    *hr = make_room(sink, length);
    return *hr < 0 ? NULL : sink->buffer + sink->used;
}

void hcsshim__sink_commit(hcsshim__sink *sink, size_t length)
{
    sink->used += length;
    sink->total += length;
}

int32_t hcsshim__sink_write(hcsshim__sink *sink, const void *data,
                            size_t length)
{
    const uint8_t *from = data;
    int32_t hr = 0;

    while (length > 0 && hr >= 0) {
        size_t take = length;

        if (sink->file == HCSSHIM__SINK_MEMORY)
            hr = make_room(sink, length);
        else if (sink->used == sink->room)
            hr = pass_on(sink);
        if (hr < 0)
            return hr;
        if (take > sink->room - sink->used)
            take = sink->room - sink->used;
        memcpy(sink->buffer + sink->used, from, take);
        hcsshim__sink_commit(sink, take);
        from += take;
        length -= take;
    }
    return hr;
}

int32_t hcsshim__sink_zeros(hcsshim__sink *sink, uint64_t length)
{
    int32_t hr = 0;

    while (length > 0 && hr >= 0) {
        size_t take =
            length < HCSSHIM__FILE_PIECE ? (size_t)length : HCSSHIM__FILE_PIECE;
        uint8_t *at = hcsshim__sink_reserve(sink, take, &hr);

        if (at == NULL)
            return hr;
        memset(at, 0, take);
        hcsshim__sink_commit(sink, take);
        length -= take;
    }
    return hr;
}
