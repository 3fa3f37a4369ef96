/*
 * backup_pack.c - backup streams become members of a tar.
 *
 * Two passes over each file: attributes may come after the data, and a sparse
 * stream tells its size at its end, but a tar has both before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/backup.h"
#include "layer/bytes.h"
#include "layer/file.h"
#include "layer/text.h"
#include "layer/verity.h"
#include "layer/windows_meta.h"

/* As much is made in memory before the caller takes it. */
#define FULL ((size_t)1024 * 1024)

/* Modes have the bits of the type and nothing else. */
enum { MODE_FOLDER = 0040000, MODE_FILE = 0100000, MODE_LINK = 0120000 };

/* Where the streams of a file are: in memory, or in a file. */
struct source {
    const uint8_t *memory;
    int64_t file;
    uint64_t offset;
    uint64_t length;
};

struct place {
    uint64_t at;
    uint64_t length;
    int there;
};

/* A run of bytes of a stream. */
struct extent {
    uint64_t offset; /* in the stream */
    uint64_t at;     /* in the source */
    uint64_t length;
};

struct stream {
    struct place name; /* of an alternate one */
    uint64_t size;
    size_t first; /* of its extents */
    size_t count;
};

struct hcsshim_backup_pack {
    hcsshim__sink sink;
    hcsshim_pack_result result;
    int32_t error;
    char problem[HCSSHIM__PROBLEM];

    struct source source;
    struct place security, attributes, reparse;
    struct stream *streams;
    size_t stream_count;
    size_t stream_room;
    int has_data;
    size_t data; /* which of the streams that is */
    struct extent *extents;
    size_t extent_count;
    size_t extent_room;

    /* how far the members of the file are written */
    hcsshim__tar_member member; /* its first one */
    size_t next;                /* stream whose member comes next */
    struct stream *body;        /* under way, or NULL */
    size_t extent;              /* of the body */
    uint64_t at;                /* in the body */

    hcsshim__path name;
    hcsshim__path alternate;
    hcsshim__bytes loaded;  /* out of a file */
    hcsshim__bytes scratch; /* texts of records and of the link */
    size_t scratch_used;
    hcsshim__tar_record *records;
    size_t record_count;
    size_t record_room;
};

static int32_t fail(hcsshim_backup_pack *pack, const char *reason)
{
    hcsshim__describe(pack->problem, hcsshim__path_text(&pack->name), reason);
    return HCSSHIM_E_INVALID_DATA;
}

/* ---- the source ------------------------------------------------------- */

/* Bytes of the source, valid until the next call; they are there. */
static const uint8_t *load(hcsshim_backup_pack *pack, uint64_t at,
                           size_t length, int32_t *hr)
{
    const struct source *source = &pack->source;

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

static int32_t add_stream(hcsshim_backup_pack *pack, struct place name,
                          uint64_t size)
{
    struct stream *stream;

    if (pack->stream_count == pack->stream_room) {
        size_t room = pack->stream_room * 2 + 8;
        struct stream *more = realloc(pack->streams, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        pack->streams = more;
        pack->stream_room = room;
    }
    stream = &pack->streams[pack->stream_count++];
    *stream = (struct stream){name, size, pack->extent_count, 0};
    return 0;
}

static int32_t add_extent(hcsshim_backup_pack *pack, struct extent extent)
{
    if (pack->extent_count == pack->extent_room) {
        size_t room = pack->extent_room * 2 + 8;
        struct extent *more = realloc(pack->extents, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        pack->extents = more;
        pack->extent_room = room;
    }
    pack->extents[pack->extent_count++] = extent;
    pack->streams[pack->stream_count - 1].count++;
    return 0;
}

static int32_t take_place(hcsshim_backup_pack *pack, struct place *place,
                          uint64_t body, uint64_t size)
{
    if (place->there)
        return fail(pack, "it has two streams of a kind that is single");
    *place = (struct place){body, size, 1};
    return 0;
}

/* Data, of the file or of an alternate stream. */
static int32_t take_data(hcsshim_backup_pack *pack,
                         const hcsshim__backup_head *head, uint64_t at,
                         uint64_t body, int *blocks)
{
    struct place name = {at, head->name_length, 1};
    int32_t hr;

    if (head->id == HCSSHIM__BACKUP_DATA) {
        if (pack->has_data)
            return fail(pack, "it has two streams of a kind that is single");
        pack->has_data = 1;
        pack->data = pack->stream_count;
    } else if (head->name_length < 4) {
        return fail(pack, "it has an alternate stream without a name");
    }
    hr = add_stream(pack, name, head->size);
    if (hr >= 0 && head->size > 0)
        hr = add_extent(pack, (struct extent){0, body, head->size});
    *blocks =
        (head->attributes & HCSSHIM__BACKUP_SPARSE) != 0 && head->size == 0;
    return hr;
}

static int32_t take_block(hcsshim_backup_pack *pack, uint64_t size,
                          uint64_t body, int *blocks)
{
    struct stream *stream;
    const uint8_t *data;
    uint64_t offset;
    int32_t hr;

    if (!*blocks)
        return fail(pack, "it has a sparse block that belongs to no stream");
    stream = &pack->streams[pack->stream_count - 1];
    data = load(pack, body, 8, &hr);
    if (data == NULL)
        return hr;
    offset = hcsshim__load64(data);
    size -= 8;
    if (offset < stream->size || offset > INT64_MAX ||
        size > INT64_MAX - offset)
        return fail(pack, "its sparse blocks are out of order");
    stream->size = offset + size;
    if (size == 0)
        *blocks = 0;
    return size == 0
               ? 0
               : add_extent(pack, (struct extent){offset, body + 8, size});
}

static int32_t take_stream(hcsshim_backup_pack *pack,
                           const hcsshim__backup_head *head, uint64_t at,
                           int *blocks)
{
    uint64_t body = at + head->name_length;

    if (head->id == HCSSHIM__BACKUP_BLOCK)
        return take_block(pack, head->size, body, blocks);
    if (*blocks && pack->streams[pack->stream_count - 1].count > 0)
        return fail(pack, "its sparse blocks have no end");
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

static int32_t scan(hcsshim_backup_pack *pack)
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
            return fail(pack, "it ends inside the head of a stream");
        data = load(pack, at, HCSSHIM__BACKUP_HEAD, &hr);
        if (data == NULL)
            return hr;
        reason = hcsshim__backup_load(data, &head);
        if (reason != NULL)
            return fail(pack, reason);
        at += HCSSHIM__BACKUP_HEAD;
        if (head.name_length > length - at ||
            head.size > length - at - head.name_length)
            return fail(pack, "it ends inside a stream");
        hr = take_stream(pack, &head, at, &blocks);
        at += head.name_length + head.size;
    }
    if (hr >= 0 && blocks && pack->streams[pack->stream_count - 1].count > 0)
        return fail(pack, "its sparse blocks have no end");
    return hr;
}

/* ---- records ---------------------------------------------------------- */

static int32_t add_record(hcsshim_backup_pack *pack, hcsshim__tar_text key,
                          hcsshim__tar_text value)
{
    if (pack->record_count == pack->record_room) {
        size_t room = pack->record_room * 2 + 16;
        hcsshim__tar_record *more = realloc(pack->records, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        pack->records = more;
        pack->record_room = room;
    }
    pack->records[pack->record_count++] = (hcsshim__tar_record){key, value};
    return 0;
}

static hcsshim__tar_text text_of(const char *literal)
{
    return (hcsshim__tar_text){literal, strlen(literal)};
}

/* Room in the scratch, which was reserved for all of a member before. */
static char *take_scratch(hcsshim_backup_pack *pack, size_t length)
{
    char *at = (char *)pack->scratch.data + pack->scratch_used;

    pack->scratch_used += length;
    return at;
}

static int32_t add_info(hcsshim_backup_pack *pack,
                        const hcsshim_file_info *info)
{
    char *time = take_scratch(pack, HCSSHIM__TAR_TIME);
    char *number = take_scratch(pack, 16);
    size_t length = hcsshim__tar_format_time(
        hcsshim__filetime_store(info->creation_time), time);
    int32_t hr = add_record(pack, text_of(HCSSHIM__RECORD_CREATION),
                            (hcsshim__tar_text){time, length});

    length = (size_t)snprintf(number, 16, "%u", (unsigned)info->attributes);
    return hr < 0 ? hr
                  : add_record(pack, text_of(HCSSHIM__RECORD_ATTRIBUTES),
                               (hcsshim__tar_text){number, length});
}

static int32_t add_security(hcsshim_backup_pack *pack)
{
    int32_t hr;
    const uint8_t *data;
    char *text;

    if (!pack->security.there || pack->security.length == 0)
        return 0;
    data = load(pack, pack->security.at, (size_t)pack->security.length, &hr);
    if (data == NULL)
        return hr;
    text =
        take_scratch(pack, HCSSHIM__BASE64_ROOM((size_t)pack->security.length));
    return add_record(
        pack, text_of(HCSSHIM__RECORD_SECURITY),
        (hcsshim__tar_text){
            text,
            hcsshim__base64_store(data, (size_t)pack->security.length, text)});
}

static int compare_keys(const void *one, const void *other)
{
    const hcsshim__tar_record *a = one, *b = other;
    size_t length =
        a->key.length < b->key.length ? a->key.length : b->key.length;
    int order = memcmp(a->key.data, b->key.data, length);

    return order != 0 ? order
                      : (a->key.length > b->key.length) -
                            (a->key.length < b->key.length);
}

static int32_t add_attribute(hcsshim_backup_pack *pack, const hcsshim__ea *ea)
{
    size_t prefix = sizeof HCSSHIM__RECORD_EA - 1;
    char *key = take_scratch(pack, prefix + ea->name_length);
    char *value = take_scratch(pack, HCSSHIM__BASE64_ROOM(ea->value_length));

    memcpy(key, HCSSHIM__RECORD_EA, prefix);
    memcpy(key + prefix, ea->name, ea->name_length);
    return add_record(
        pack, (hcsshim__tar_text){key, prefix + ea->name_length},
        (hcsshim__tar_text){
            value, hcsshim__base64_store(ea->value, ea->value_length, value)});
}

static int32_t add_attributes(hcsshim_backup_pack *pack)
{
    size_t length = (size_t)pack->attributes.length;
    size_t first = pack->record_count;
    const uint8_t *list;
    hcsshim__ea ea;
    size_t at = 0;
    int32_t hr = 0;
    int more;

    if (!pack->attributes.there)
        return 0;
    list = load(pack, pack->attributes.at, length, &hr);
    if (list == NULL)
        return hr;
    while ((more = hcsshim__ea_next(list, length, &at, &ea)) > 0 && hr >= 0)
        hr = add_attribute(pack, &ea);
    if (more < 0)
        return fail(pack, "its extended attributes are damaged");
    if (pack->record_count - first > 1)
        qsort(pack->records + first, pack->record_count - first,
              sizeof *pack->records, compare_keys);
    return hr;
}

/* The link's target, and whether it is a junction. */
static int32_t take_reparse(hcsshim_backup_pack *pack,
                            hcsshim__tar_member *member, int *is_mount_point)
{
    size_t length = (size_t)pack->reparse.length;
    const uint8_t *data, *target;
    size_t units;
    uint32_t tag;
    char *text;
    int32_t hr;
    int found;

    data = load(pack, pack->reparse.at, length, &hr);
    if (data == NULL)
        return hr;
    found = hcsshim__reparse_target(data, length, &tag, &target, &units);
    if (found < 0)
        return fail(pack, "its reparse point is damaged");
    if (found == 0) {
        char reason[80];

        (void)snprintf(reason, sizeof reason,
                       "no tar can hold a reparse point of kind 0x%08X",
                       (unsigned)tag);
        return fail(pack, reason);
    }
    text = take_scratch(pack, units / 2 * 3);
    units = hcsshim__utf8_store(target, units, text);
    /* What the system's name begins with, where that is all there is. */
    if (units >= 8 && memcmp(text, "\\??\\UNC\\", 8) == 0) {
        text += 6;
        units -= 6;
        text[0] = '\\';
    } else if (units >= 4 && memcmp(text, "\\??\\", 4) == 0) {
        text += 4;
        units -= 4;
    }
    member->type = HCSSHIM__TAR_SYMLINK;
    member->link = (hcsshim__tar_text){text, units};
    *is_mount_point = tag == HCSSHIM__REPARSE_MOUNT_POINT;
    return 0;
}

/* ---- second pass: members ---------------------------------------------- */

/* A part of an extent, from where the body stands. */
static int32_t copy_data(hcsshim_backup_pack *pack, const struct extent *extent)
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
    const struct stream *body = pack->body;
    const struct extent *extent =
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

static void begin_body(hcsshim_backup_pack *pack, struct stream *stream)
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
        return fail(pack, "no tar can hold its name or attributes");
    pack->result.members += hr >= 0;
    return hr;
}

static int32_t write_alternate(hcsshim_backup_pack *pack, struct stream *stream)
{
    static const char type[] = ":$DATA";
    hcsshim__tar_member member = pack->member;
    size_t length = (size_t)stream->name.length;
    hcsshim__path *name = &pack->alternate;
    const uint8_t *units;
    char text[HCSSHIM__BACKUP_NAME / 2 * 3];
    int32_t hr;

    units = load(pack, stream->name.at, length, &hr);
    if (units == NULL)
        return hr;
    length = hcsshim__utf8_store(units, length, text);
    if (length > sizeof type - 1 &&
        memcmp(text + length - (sizeof type - 1), type, sizeof type - 1) == 0)
        length -= sizeof type - 1;
    if (length < 2 || text[0] != ':' ||
        memchr(text + 1, ':', length - 1) != NULL ||
        memchr(text, '/', length) != NULL || memchr(text, 0, length) != NULL)
        return fail(pack, "it has an alternate stream with no possible name");
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

/* Room for all that take_scratch() is asked for. */
static int32_t reserve_scratch(hcsshim_backup_pack *pack)
{
    size_t room = 256;

    room += HCSSHIM__BASE64_ROOM((size_t)pack->security.length);
    /* An attribute of one byte's name and none of value is the worst. */
    room += (size_t)pack->attributes.length * 4 + 64;
    room += (size_t)pack->reparse.length * 3;
    pack->scratch_used = 0;
    return hcsshim__bytes_reserve(&pack->scratch, room);
}

static void fill_times(hcsshim__tar_member *member,
                       const hcsshim_file_info *info)
{
    member->modified = hcsshim__filetime_store(info->write_time);
    member->accessed = hcsshim__filetime_store(info->access_time);
    member->changed = hcsshim__filetime_store(info->change_time);
}

static int32_t fill_member(hcsshim_backup_pack *pack,
                           const hcsshim_file_info *info,
                           hcsshim__tar_member *member)
{
    int is_mount_point = 0;
    int32_t hr = reserve_scratch(pack);

    fill_times(member, info);
    pack->record_count = 0;
    if (hr >= 0)
        hr = add_info(pack, info);
    if ((info->attributes & HCSSHIM__WINDOWS_FOLDER) != 0) {
        member->type = HCSSHIM__TAR_FOLDER;
        member->mode |= MODE_FOLDER;
    }
    member->mode |= pack->has_data ? MODE_FILE : 0;
    if (hr >= 0 && pack->reparse.there) {
        member->mode |= MODE_LINK;
        hr = take_reparse(pack, member, &is_mount_point);
    }
    if (hr >= 0 && is_mount_point)
        hr = add_record(pack, text_of(HCSSHIM__RECORD_MOUNT_POINT),
                        text_of("1"));
    if (hr >= 0)
        hr = add_security(pack);
    if (hr >= 0)
        hr = add_attributes(pack);
    member->records = pack->records;
    member->record_count = pack->record_count;
    if (member->type == HCSSHIM__TAR_FILE && pack->has_data)
        member->size = pack->streams[pack->data].size;
    return hr;
}

static int32_t begin_file(hcsshim_backup_pack *pack,
                          const hcsshim_file_info *info)
{
    hcsshim__tar_member *member = &pack->member;
    int32_t hr;

    *member = (hcsshim__tar_member){.type = HCSSHIM__TAR_FILE, .link = {"", 0}};
    hr = fill_member(pack, info, member);
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
    hr = hcsshim__sink_init(&pack->sink, file, hashed != 0);
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
        hr = fail(pack, "the name is empty");
    pack->stream_count = pack->extent_count = 0;
    pack->has_data = 0;
    pack->next = 0;
    pack->body = NULL;
    pack->security = pack->attributes = pack->reparse = (struct place){0, 0, 0};
    return hr;
}

static int32_t end(hcsshim_backup_pack *pack, int32_t hr)
{
    pack->error = hr < 0 ? hr : 0;
    return hr;
}

static int32_t add(hcsshim_backup_pack *pack, const char *name, size_t length,
                   const hcsshim_file_info *info, struct source source)
{
    int32_t hr = begin(pack, name, length);

    pack->source = source;
    if (hr >= 0)
        hr = scan(pack);
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
    struct source source = {stream != NULL ? stream : (const uint8_t *)"", -1,
                            0, length};

    return add(pack, name, name_length, info, source);
}

int32_t hcsshim_backup_pack_add_file(hcsshim_backup_pack *pack,
                                     const char *name, size_t name_length,
                                     const hcsshim_file_info *info,
                                     int64_t file, uint64_t offset,
                                     uint64_t length)
{
    struct source source = {NULL, file, offset, length};

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

    fill_times(&member, info);
    pack->record_count = 0;
    if (hr >= 0)
        hr = reserve_scratch(pack);
    if (hr >= 0)
        hr = add_info(pack, info);
    if (hr >= 0)
        hr = set_name(&pack->alternate, target, target_length);
    if (hr < 0)
        return end(pack, hr);
    member.name = hcsshim__path_text(&pack->name);
    member.link = hcsshim__path_text(&pack->alternate);
    member.records = pack->records;
    member.record_count = pack->record_count;
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
    if (pack->sink.hashing)
        hcsshim__sink_digest(&pack->sink, result->diff_id);
    return 0;
}
