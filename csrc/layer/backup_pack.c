/* backup_pack.c - backup streams become members of a tar. */
#include <stdlib.h>
#include <string.h>

#include "layer/backup_pack.h"
#include "layer/file.h"
#include "layer/text.h"
#include "layer/verity.h"

/* As much is made in memory before the caller takes it. */
#define FULL ((size_t)1024 * 1024)

int32_t hcsshim__backup_pack_fail(hcsshim_backup_pack *pack, const char *reason)
{
    hcsshim__describe(pack->problem, hcsshim__path_text(&pack->name), reason);
    return HCSSHIM_E_INVALID_DATA;
}

/* ---- second pass: members ---------------------------------------------- */

/* A part of an extent, from where the body stands. */
static int32_t copy_data(hcsshim_backup_pack *pack,
                         const struct hcsshim__backup_extent *extent)
{
    uint64_t from = pack->at - extent->offset;
    uint64_t left = extent->length - from;
    size_t part =
        left < HCSSHIM__FILE_PIECE ? (size_t)left : HCSSHIM__FILE_PIECE;
    uint8_t *out;
    int32_t hr;

    pack->at += part;
    if (pack->source.memory != NULL)
        return hcsshim__sink_write(
            &pack->sink, pack->source.memory + extent->at + from, part);
    out = hcsshim__sink_reserve(&pack->sink, part, &hr);
    if (out == NULL)
        return hr;
    hr = hcsshim__verity_read_at(
        pack->source.file, pack->source.offset + extent->at + from, out, part);
    if (hr >= 0)
        hcsshim__sink_commit(&pack->sink, part);
    return hr;
}

/* A part of the body under way: data, or the zeros before it. */
static int32_t copy_part(hcsshim_backup_pack *pack)
{
    const struct hcsshim__backup_stream *body = pack->body;
    const struct hcsshim__backup_extent *extent =
        pack->extent < body->count ? &pack->extents[body->first + pack->extent]
                                   : NULL;
    uint64_t zeros = (extent != NULL ? extent->offset : body->size) - pack->at;

    if (extent != NULL && pack->at >= extent->offset) {
        int32_t hr = copy_data(pack, extent);

        pack->extent += pack->at == extent->offset + extent->length;
        return hr;
    }
    if (zeros > HCSSHIM__FILE_PIECE)
        zeros = HCSSHIM__FILE_PIECE;
    pack->at += zeros;
    if (extent != NULL || zeros > 0)
        return hcsshim__sink_zeros(&pack->sink, zeros);
    pack->body = NULL;
    return hcsshim__tar_write_padding(&pack->sink, body->size);
}

static void begin_body(hcsshim_backup_pack *pack,
                       struct hcsshim__backup_stream *stream)
{
    pack->body = stream;
    pack->extent = 0;
    pack->at = 0;
}

static int32_t write_member(hcsshim_backup_pack *pack,
                            const hcsshim__tar_member *member)
{
    int32_t hr = hcsshim__tar_write_header(&pack->sink, member);

    if (hr == HCSSHIM_E_INVALID_DATA)
        return hcsshim__backup_pack_fail(
            pack, "no tar can hold its name or attributes");
    pack->result.members += hr >= 0;
    return hr;
}

static int32_t write_alternate(hcsshim_backup_pack *pack,
                               struct hcsshim__backup_stream *stream)
{
    static const char type[] = ":$DATA";
    hcsshim__tar_member member = pack->member;
    size_t length = (size_t)stream->name.length;
    hcsshim__path *name = &pack->alternate;
    const uint8_t *units;
    char text[HCSSHIM__BACKUP_NAME / 2 * 3];
    int32_t hr;

    units = hcsshim__backup_pack_load(pack, stream->name.at, length, &hr);
    if (units == NULL)
        return hr;
    length = hcsshim__utf8_store(units, length, text);
    if (length > sizeof type - 1 &&
        memcmp(text + length - (sizeof type - 1), type, sizeof type - 1) == 0)
        length -= sizeof type - 1;
    if (length < 2 || text[0] != ':' ||
        memchr(text + 1, ':', length - 1) != NULL ||
        memchr(text, '/', length) != NULL || memchr(text, 0, length) != NULL)
        return hcsshim__backup_pack_fail(
            pack, "it has an alternate stream with no possible name");
    name->length = 0;
    hr = hcsshim__path_add(name, pack->name.data, pack->name.length);
    if (hr >= 0)
        hr = hcsshim__path_extend(name, text, length);
    if (hr < 0)
        return hr;
    member.type = HCSSHIM__TAR_FILE;
    member.name = hcsshim__path_text(name);
    member.link = (hcsshim__tar_text){"", 0};
    member.records = NULL;
    member.record_count = 0;
    member.size = stream->size;
    begin_body(pack, stream);
    return write_member(pack, &member);
}

static int32_t begin_file(hcsshim_backup_pack *pack,
                          const hcsshim_file_info *info)
{
    hcsshim__tar_member *member = &pack->member;
    int32_t hr;

    *member = (hcsshim__tar_member){.type = HCSSHIM__TAR_FILE, .link = {"", 0}};
    hr = hcsshim__backup_pack_fill(pack, info, member);
    member->name = hcsshim__path_text(&pack->name);
    if (hr >= 0)
        hr = write_member(pack, member);
    if (member->type == HCSSHIM__TAR_FILE && pack->has_data) {
        pack->result.bytes += member->size;
        begin_body(pack, &pack->streams[pack->data]);
    }
    return hr;
}

/* Whether there is more to write of the file. */
static int is_unfinished(hcsshim_backup_pack *pack)
{
    if (pack->body == NULL && pack->has_data && pack->next == pack->data)
        pack->next++;
    return pack->body != NULL || pack->next < pack->stream_count;
}

/* Returns 1 when the memory is full, and the file is not complete. */
static int32_t write_more(hcsshim_backup_pack *pack)
{
    int32_t hr = 0;

    while (hr >= 0 && is_unfinished(pack)) {
        if (pack->sink.file == HCSSHIM__SINK_MEMORY && pack->sink.used >= FULL)
            return 1;
        if (pack->body != NULL)
            hr = copy_part(pack);
        else
            hr = write_alternate(pack, &pack->streams[pack->next++]);
    }
    return hr;
}

/* ---- what callers see -------------------------------------------------- */

int32_t hcsshim_backup_pack_new(int64_t file, int32_t hashed,
                                hcsshim_backup_pack **out)
{
    hcsshim_backup_pack *pack = calloc(1, sizeof *pack);
    int32_t hr;

    *out = NULL;
    if (pack == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr = hcsshim__sink_init(&pack->sink, file,
                            hashed != 0 ? HCSSHIM__SINK_HASHED
                                        : HCSSHIM__SINK_PLAIN);
    if (hr < 0)
        hcsshim_backup_pack_free(pack);
    else
        *out = pack;
    return hr;
}

void hcsshim_backup_pack_free(hcsshim_backup_pack *pack)
{
    if (pack == NULL)
        return;
    hcsshim__sink_destroy(&pack->sink);
    free(pack->streams);
    free(pack->extents);
    free(pack->name.data);
    free(pack->alternate.data);
    free(pack->loaded.data);
    free(pack->scratch.data);
    free(pack->records);
    free(pack);
}

const char *hcsshim_backup_pack_problem(const hcsshim_backup_pack *pack)
{
    return pack->problem;
}

/* Windows' separators become those of tars. */
static int32_t set_name(hcsshim__path *path, const char *name, size_t length)
{
    int32_t hr;

    path->length = 0;
    hr = hcsshim__path_extend(path, name, length);
    for (size_t i = 0; hr >= 0 && i < length; i++)
        if (path->data[i] == '\\')
            path->data[i] = '/';
    return hr;
}

static int32_t begin(hcsshim_backup_pack *pack, const char *name, size_t length)
{
    int32_t hr = pack->error;

    if (hr >= 0 && is_unfinished(pack))
        return HCSSHIM_E_UNEXPECTED;
    if (hr >= 0)
        hr = set_name(&pack->name, name, length);
    if (hr >= 0 && length == 0)
        hr = hcsshim__backup_pack_fail(pack, "the name is empty");
    pack->stream_count = pack->extent_count = 0;
    pack->has_data = 0;
    pack->next = 0;
    pack->body = NULL;
    pack->security = pack->attributes = pack->reparse =
        (struct hcsshim__backup_place){0, 0, 0};
    return hr;
}

static int32_t end(hcsshim_backup_pack *pack, int32_t hr)
{
    pack->error = hr < 0 ? hr : 0;
    return hr;
}

static int32_t add(hcsshim_backup_pack *pack, const char *name, size_t length,
                   const hcsshim_file_info *info,
                   struct hcsshim__backup_source source)
{
    int32_t hr = begin(pack, name, length);

    pack->source = source;
    if (hr >= 0)
        hr = hcsshim__backup_pack_scan(pack);
    if (hr >= 0)
        hr = begin_file(pack, info);
    if (hr >= 0)
        hr = write_more(pack);
    return end(pack, hr);
}

int32_t hcsshim_backup_pack_more(hcsshim_backup_pack *pack)
{
    return end(pack, pack->error < 0 ? pack->error : write_more(pack));
}

int32_t hcsshim_backup_pack_add(hcsshim_backup_pack *pack, const char *name,
                                size_t name_length,
                                const hcsshim_file_info *info,
                                const void *stream, size_t length)
{
    struct hcsshim__backup_source source = {
        stream != NULL ? stream : (const uint8_t *)"", -1, 0, length};

    return add(pack, name, name_length, info, source);
}

int32_t hcsshim_backup_pack_add_file(hcsshim_backup_pack *pack,
                                     const char *name, size_t name_length,
                                     const hcsshim_file_info *info,
                                     int64_t file, uint64_t offset,
                                     uint64_t length)
{
    struct hcsshim__backup_source source = {NULL, file, offset, length};

    if (length > INT64_MAX || offset > INT64_MAX - length)
        return end(pack, HCSSHIM_E_INVALIDARG);
    return add(pack, name, name_length, info, source);
}

int32_t hcsshim_backup_pack_link(hcsshim_backup_pack *pack, const char *name,
                                 size_t name_length, const char *target,
                                 size_t target_length,
                                 const hcsshim_file_info *info)
{
    hcsshim__tar_member member = {.type = HCSSHIM__TAR_LINK, .mode = 0644};
    int32_t hr = begin(pack, name, name_length);

    if (hr >= 0)
        hr = hcsshim__backup_pack_fill_info(pack, info, &member);
    if (hr >= 0)
        hr = set_name(&pack->alternate, target, target_length);
    if (hr < 0)
        return end(pack, hr);
    member.name = hcsshim__path_text(&pack->name);
    member.link = hcsshim__path_text(&pack->alternate);
    return end(pack, write_member(pack, &member));
}

int32_t hcsshim_backup_pack_remove(hcsshim_backup_pack *pack, const char *name,
                                   size_t name_length)
{
    hcsshim__tar_member member = {.type = HCSSHIM__TAR_FILE, .link = {"", 0}};
    int32_t hr = begin(pack, name, name_length);
    size_t last;

    if (hr < 0)
        return end(pack, hr);
    last = hcsshim__path_last(hcsshim__path_text(&pack->name));
    pack->alternate.length = 0;
    hr = hcsshim__path_extend(&pack->alternate, pack->name.data, last);
    if (hr >= 0)
        hr = hcsshim__path_extend(&pack->alternate, ".wh.", 4);
    if (hr >= 0)
        hr = hcsshim__path_extend(&pack->alternate, pack->name.data + last,
                                  pack->name.length - last);
    member.name = hcsshim__path_text(&pack->alternate);
    return end(pack, hr < 0 ? hr : write_member(pack, &member));
}

const uint8_t *hcsshim_backup_pack_data(hcsshim_backup_pack *pack,
                                        size_t *length)
{
    *length = pack->sink.used;
    return pack->sink.buffer;
}

void hcsshim_backup_pack_clear(hcsshim_backup_pack *pack)
{
    if (pack->sink.file == HCSSHIM__SINK_MEMORY)
        hcsshim__sink_clear(&pack->sink);
}

int32_t hcsshim_backup_pack_finish(hcsshim_backup_pack *pack,
                                   hcsshim_pack_result *result)
{
    int32_t hr = pack->error;

    memset(result, 0, sizeof *result);
    if (hr >= 0)
        hr = hcsshim__tar_write_end(&pack->sink);
    if (hr >= 0)
        hr = hcsshim__sink_flush(&pack->sink);
    pack->error = hr < 0 ? hr : HCSSHIM_E_UNEXPECTED;
    if (hr < 0)
        return hr;
    *result = pack->result;
    result->tar_bytes = pack->sink.total;
    if (pack->sink.kind == HCSSHIM__SINK_HASHED)
        hcsshim__sink_digest(&pack->sink, result->diff_id);
    return 0;
}
