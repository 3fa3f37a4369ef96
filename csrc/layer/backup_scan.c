/* backup_scan.c - the first pass over a file's streams: what is where. */
#include <stdlib.h>

#include "layer/backup_pack.h"
#include "layer/bytes.h"
#include "layer/verity.h"

/* ---- the source ------------------------------------------------------- */

const uint8_t *hcsshim__backup_pack_load(hcsshim_backup_pack *pack, uint64_t at,
                                         size_t length, int32_t *hr)
{
    const struct hcsshim__backup_source *source = &pack->source;

    *hr = 0;
    if (source->memory != NULL)
        return source->memory + at;
    *hr = hcsshim__bytes_reserve(&pack->loaded, length + 1);
    if (*hr >= 0)
        *hr = hcsshim__verity_read_at(source->file, source->offset + at,
                                      pack->loaded.data, length);
    return *hr < 0 ? NULL : pack->loaded.data;
}

/* ---- first pass: what is where ----------------------------------------- */

static int32_t add_stream(hcsshim_backup_pack *pack,
                          struct hcsshim__backup_place name, uint64_t size)
{
    struct hcsshim__backup_stream *stream;

    if (pack->stream_count == pack->stream_room) {
        size_t room = pack->stream_room * 2 + 8;
        struct hcsshim__backup_stream *more =
            realloc(pack->streams, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        pack->streams = more;
        pack->stream_room = room;
    }
    stream = &pack->streams[pack->stream_count++];
    *stream =
        (struct hcsshim__backup_stream){name, size, pack->extent_count, 0};
    return 0;
}

static int32_t add_extent(hcsshim_backup_pack *pack,
                          struct hcsshim__backup_extent extent)
{
    if (pack->extent_count == pack->extent_room) {
        size_t room = pack->extent_room * 2 + 8;
        struct hcsshim__backup_extent *more =
            realloc(pack->extents, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        pack->extents = more;
        pack->extent_room = room;
    }
    pack->extents[pack->extent_count++] = extent;
    pack->streams[pack->stream_count - 1].count++;
    return 0;
}

static int32_t take_place(hcsshim_backup_pack *pack,
                          struct hcsshim__backup_place *place, uint64_t body,
                          uint64_t size)
{
    if (place->there)
        return hcsshim__backup_pack_fail(
            pack, "it has two streams of a kind that is single");
    *place = (struct hcsshim__backup_place){body, size, 1};
    return 0;
}

/* Data, of the file or of an alternate stream. */
static int32_t take_data(hcsshim_backup_pack *pack,
                         const hcsshim__backup_head *head, uint64_t at,
                         uint64_t body, int *blocks)
{
    struct hcsshim__backup_place name = {at, head->name_length, 1};
    int32_t hr;

    if (head->id == HCSSHIM__BACKUP_DATA) {
        if (pack->has_data)
            return hcsshim__backup_pack_fail(
                pack, "it has two streams of a kind that is single");
        pack->has_data = 1;
        pack->data = pack->stream_count;
    } else if (head->name_length < 4) {
        return hcsshim__backup_pack_fail(
            pack, "it has an alternate stream without a name");
    }
    hr = add_stream(pack, name, head->size);
    if (hr >= 0 && head->size > 0)
        hr = add_extent(pack,
                        (struct hcsshim__backup_extent){0, body, head->size});
    *blocks =
        (head->attributes & HCSSHIM__BACKUP_SPARSE) != 0 && head->size == 0;
    return hr;
}

static int32_t take_block(hcsshim_backup_pack *pack, uint64_t size,
                          uint64_t body, int *blocks)
{
    struct hcsshim__backup_stream *stream;
    const uint8_t *data;
    uint64_t offset;
    int32_t hr;

    if (!*blocks)
        return hcsshim__backup_pack_fail(
            pack, "it has a sparse block that belongs to no stream");
    stream = &pack->streams[pack->stream_count - 1];
    data = hcsshim__backup_pack_load(pack, body, 8, &hr);
    if (data == NULL)
        return hr;
    offset = hcsshim__load64(data);
    size -= 8;
    if (offset < stream->size || offset > INT64_MAX ||
        size > INT64_MAX - offset)
        return hcsshim__backup_pack_fail(pack,
                                         "its sparse blocks are out of order");
    stream->size = offset + size;
    if (size == 0)
        *blocks = 0;
    return size == 0 ? 0
                     : add_extent(pack, (struct hcsshim__backup_extent){
                                            offset, body + 8, size});
}

static int32_t take_stream(hcsshim_backup_pack *pack,
                           const hcsshim__backup_head *head, uint64_t at,
                           int *blocks)
{
    uint64_t body = at + head->name_length;

    if (head->id == HCSSHIM__BACKUP_BLOCK)
        return take_block(pack, head->size, body, blocks);
    if (*blocks && pack->streams[pack->stream_count - 1].count > 0)
        return hcsshim__backup_pack_fail(pack, "its sparse blocks have no end");
    *blocks = 0;
    switch (head->id) {
    case HCSSHIM__BACKUP_DATA:
    case HCSSHIM__BACKUP_ALTERNATE:
        return take_data(pack, head, at, body, blocks);
    case HCSSHIM__BACKUP_SECURITY:
        return take_place(pack, &pack->security, body, head->size);
    case HCSSHIM__BACKUP_EA:
        return take_place(pack, &pack->attributes, body, head->size);
    case HCSSHIM__BACKUP_REPARSE:
        return take_place(pack, &pack->reparse, body, head->size);
    default:
        return 0; /* no tar has room for these */
    }
}

int32_t hcsshim__backup_pack_scan(hcsshim_backup_pack *pack)
{
    uint64_t length = pack->source.length;
    uint64_t at = 0;
    int blocks = 0;
    int32_t hr = 0;

    while (at < length && hr >= 0) {
        hcsshim__backup_head head;
        const uint8_t *data;
        const char *reason;

        if (length - at < HCSSHIM__BACKUP_HEAD)
            return hcsshim__backup_pack_fail(
                pack, "it ends inside the head of a stream");
        data = hcsshim__backup_pack_load(pack, at, HCSSHIM__BACKUP_HEAD, &hr);
        if (data == NULL)
            return hr;
        reason = hcsshim__backup_load(data, &head);
        if (reason != NULL)
            return hcsshim__backup_pack_fail(pack, reason);
        at += HCSSHIM__BACKUP_HEAD;
        if (head.name_length > length - at ||
            head.size > length - at - head.name_length)
            return hcsshim__backup_pack_fail(pack, "it ends inside a stream");
        hr = take_stream(pack, &head, at, &blocks);
        at += head.name_length + head.size;
    }
    if (hr >= 0 && blocks && pack->streams[pack->stream_count - 1].count > 0)
        return hcsshim__backup_pack_fail(pack, "its sparse blocks have no end");
    return hr;
}
