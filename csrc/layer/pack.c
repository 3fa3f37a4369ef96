/* pack.c - a layer's folder becomes a tar, a piece at a time. */
#include "layer/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/file.h"

int32_t hcsshim__pack_fail(hcsshim_pack *pack, int32_t hr,
                           hcsshim__tar_text name, const char *reason)
{
    hcsshim__describe(pack->problem, name, reason);
    return hr;
}

/* ---- begin and end ---------------------------------------------------- */

int32_t hcsshim_pack_new(const char *root, uint32_t flags,
                         const char *const *parents, uint32_t parent_count,
                         int64_t file, hcsshim_pack **out)
{
    hcsshim_pack *pack = calloc(1, sizeof *pack);
    int32_t hr;

    *out = NULL;
    if (pack == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    pack->flags = flags;
    pack->body = -1;
    hr = hcsshim__sink_init(&pack->sink, file,
                            (flags & HCSSHIM_PACK_UNHASHED) != 0
                                ? HCSSHIM__SINK_BESIDE
                                : HCSSHIM__SINK_HASHED);
    if (hr >= 0)
        hr = hcsshim__tree_open(root, &pack->tree);
    if (hr >= 0 && (flags & HCSSHIM_PACK_WINDOWS) != 0)
        hr = hcsshim__pack_windows_open(pack, parents, parent_count);
    else if (hr >= 0)
        hr = hcsshim__walk_new(pack->tree, (hcsshim__tar_text){"", 0},
                               &pack->walk);
    if (hr < 0)
        hcsshim_pack_free(pack);
    else
        *out = pack;
    return hr;
}

void hcsshim_pack_free(hcsshim_pack *pack)
{
    if (pack == NULL)
        return;
    hcsshim__node_close(pack->body);
    hcsshim__pack_windows_close(pack);
    hcsshim__walk_free(pack->walk);
    hcsshim__tree_free(pack->tree);
    hcsshim__sink_destroy(&pack->sink);
    free(pack->seen.table);
    free(pack->seen.names.data);
    free(pack->path.data);
    free(pack->name.data);
    free(pack->texts.data);
    free(pack->records);
    free(pack);
}

const char *hcsshim_pack_problem(const hcsshim_pack *pack)
{
    return pack->problem;
}

const uint8_t *hcsshim_pack_data(const hcsshim_pack *pack, size_t *length)
{
    *length = pack->sink.used;
    return pack->sink.buffer;
}

/* ---- bodies ----------------------------------------------------------- */

void hcsshim__pack_begin_body(hcsshim_pack *pack, int64_t file, uint64_t size,
                              int sparse, int pads)
{
    pack->pads = pads;
    pack->body = file;
    pack->size = pack->left = size;
    pack->at = 0;
    pack->sparse = sparse;
}

int32_t hcsshim__pack_write_file(hcsshim_pack *pack,
                                 const hcsshim__walk_item *item,
                                 hcsshim__tar_member *member)
{
    hcsshim__node node;
    int64_t file;
    int32_t hr = hcsshim__node_open(item->folder, item->name, &file, &node);

    if (hr < 0)
        return hr;
    pack->path.length = 0;
    hr = hcsshim__path_add(&pack->path, item->path.data, item->path.length);
    member->type = HCSSHIM__TAR_FILE;
    member->size = (uint64_t)node.size;
    if (hr >= 0)
        hr = hcsshim__pack_write(pack, member);
    if (hr < 0) {
        hcsshim__node_close(file);
        return hr;
    }
    pack->result.bytes += member->size;
    hcsshim__pack_begin_body(pack, file, member->size, node.sparse, 1);
    return 0;
}

/* How many zeros come next, without reading them. */
static uint64_t hole_length(hcsshim_pack *pack)
{
    return pack->sparse ? hcsshim__node_hole(pack->body, pack->at, pack->left)
                        : 0;
}

static int32_t copy_data(hcsshim_pack *pack)
{
    size_t length = pack->left < HCSSHIM__FILE_PIECE ? (size_t)pack->left
                                                     : HCSSHIM__FILE_PIECE;
    int32_t hr;
    uint8_t *out = hcsshim__sink_reserve(&pack->sink, length, &hr);
    size_t got;

    if (out == NULL)
        return hr;
    hr = hcsshim__node_read(pack->body, pack->at, out, length, &got);
    if (hr < 0)
        return hr;
    if (got == 0)
        return hcsshim__pack_fail(pack, HCSSHIM_E_INVALID_DATA,
                                  hcsshim__path_text(&pack->path),
                                  "it became shorter while it was read");
    hcsshim__sink_commit(&pack->sink, got);
    pack->at += got;
    pack->left -= got;
    return 0;
}

static int32_t copy_piece(hcsshim_pack *pack)
{
    uint64_t hole = hole_length(pack);

    if (hole == 0)
        return copy_data(pack);
    if (hole > HCSSHIM__FILE_PIECE)
        hole = HCSSHIM__FILE_PIECE;
    pack->at += hole;
    pack->left -= hole;
    return hcsshim__sink_zeros(&pack->sink, hole);
}

static int32_t end_body(hcsshim_pack *pack)
{
    hcsshim__node_close(pack->body);
    pack->body = -1;
    return pack->pads ? hcsshim__tar_write_padding(&pack->sink, pack->size) : 0;
}

static int32_t step(hcsshim_pack *pack)
{
    if (pack->body >= 0)
        return pack->left > 0 ? copy_piece(pack) : end_body(pack);
    if ((pack->flags & HCSSHIM_PACK_WINDOWS) != 0)
        return hcsshim__pack_windows_next(pack);
    return hcsshim__pack_linux_next(pack);
}

int32_t hcsshim_pack_run(hcsshim_pack *pack, uint64_t limit, uint64_t *made)
{
    uint64_t before = pack->sink.total;
    int32_t hr = pack->error;

    *made = 0;
    if (pack->sink.file == HCSSHIM__SINK_MEMORY)
        hcsshim__sink_clear(&pack->sink);
    while (hr >= 0 && pack->state != PACK_END &&
           pack->sink.total - before < limit)
        hr = step(pack);
    if (hr >= 0 && pack->state == PACK_END)
        hr = hcsshim__sink_flush(&pack->sink);
    *made = pack->sink.total - before;
    pack->error = hr < 0 ? hr : 0;
    return pack->error;
}

int32_t hcsshim_pack_finish(hcsshim_pack *pack, hcsshim_pack_result *result)
{
    memset(result, 0, sizeof *result);
    if (pack->error < 0)
        return pack->error;
    if (pack->state != PACK_END)
        return HCSSHIM_E_UNEXPECTED;
    pack->error = HCSSHIM_E_UNEXPECTED;
    hcsshim__sink_clear(&pack->sink);
    *result = pack->result;
    result->tar_bytes = pack->sink.total;
    if ((pack->flags & HCSSHIM_PACK_UNHASHED) == 0)
        hcsshim__sink_digest(&pack->sink, result->diff_id);
    return 0;
}

/* ---- members ---------------------------------------------------------- */

int32_t hcsshim__pack_write(hcsshim_pack *pack,
                            const hcsshim__tar_member *member)
{
    int32_t hr = hcsshim__tar_write_header(&pack->sink, member);

    if (hr == HCSSHIM_E_INVALID_DATA)
        return hcsshim__pack_fail(pack, hr, member->name,
                                  "no tar can hold its name or attributes");
    if (hr >= 0)
        pack->result.members++;
    return hr;
}

void hcsshim__pack_clear(hcsshim_pack *pack)
{
    pack->record_count = 0;
    pack->texts.length = 0;
}

/* Offsets at first, because texts may move; _take_records() makes pointers. */
static int32_t add_text(hcsshim_pack *pack, const char *data, size_t length,
                        hcsshim__tar_text *out)
{
    hcsshim__bytes *texts = &pack->texts;

    if (texts->room - texts->length < length) {
        size_t room = (texts->length + length) * 2 + 4096;
        uint8_t *more;

        if (length > HCSSHIM__TAR_LONGEST)
            return HCSSHIM_E_INVALID_DATA;
        more = realloc(texts->data, room);
        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        texts->data = more;
        texts->room = room;
    }
    out->data = (const char *)(uintptr_t)texts->length;
    out->length = length;
    if (length > 0)
        memcpy(texts->data + texts->length, data, length);
    texts->length += length;
    return 0;
}

int32_t hcsshim__pack_record(hcsshim_pack *pack, const char *key,
                             size_t key_length, const char *value,
                             size_t length)
{
    hcsshim__tar_record *record;
    int32_t hr;

    if (pack->record_count == pack->record_room) {
        size_t room = pack->record_room * 2 + 16;
        hcsshim__tar_record *more = realloc(pack->records, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        pack->records = more;
        pack->record_room = room;
    }
    record = &pack->records[pack->record_count];
    hr = add_text(pack, key, key_length, &record->key);
    if (hr >= 0)
        hr = add_text(pack, value, length, &record->value);
    if (hr >= 0)
        pack->record_count++;
    return hr;
}

void hcsshim__pack_take_records(hcsshim_pack *pack, hcsshim__tar_member *member)
{
    for (size_t i = 0; i < pack->record_count; i++) {
        hcsshim__tar_record *record = &pack->records[i];

        record->key.data =
            (const char *)pack->texts.data + (uintptr_t)record->key.data;
        record->value.data =
            (const char *)pack->texts.data + (uintptr_t)record->value.data;
    }
    if (pack->record_count > 1)
        qsort(pack->records, pack->record_count, sizeof *pack->records,
              hcsshim__tar_compare_records);
    member->records = pack->records;
    member->record_count = pack->record_count;
}

int32_t hcsshim__pack_read_link(hcsshim_pack *pack, int64_t folder,
                                const char *name)
{
    return hcsshim__node_target(folder, name, &pack->name);
}

int32_t hcsshim__pack_mark(hcsshim_pack *pack, hcsshim__tar_text folder,
                           const char *prefix, const char *name)
{
    hcsshim__tar_member member = {.type = HCSSHIM__TAR_FILE, .link = {"", 0}};
    int32_t hr = 0;

    pack->name.length = 0;
    if (folder.length > 0)
        hr = hcsshim__path_add(&pack->name, folder.data, folder.length);
    if (hr >= 0)
        hr = hcsshim__path_add(&pack->name, prefix, strlen(prefix));
    if (hr >= 0)
        hr = hcsshim__path_extend(&pack->name, name, strlen(name));
    if (hr < 0)
        return hr;
    member.name = hcsshim__path_text(&pack->name);
    return hcsshim__pack_write(pack, &member);
}

/* ---- files with several names ----------------------------------------- */

static uint64_t mix(uint64_t number)
{
    number ^= number >> 31;
    number *= UINT64_C(0x9E3779B97F4A7C15);
    return number ^ number >> 29;
}

static hcsshim__seen_file *slot_of(hcsshim__seen_files *seen, uint64_t device,
                                   uint64_t inode)
{
    size_t at = (size_t)mix(inode + device * 31) & (seen->room - 1);

    while (seen->table[at].length != 0 &&
           (seen->table[at].inode != inode || seen->table[at].device != device))
        at = (at + 1) & (seen->room - 1);
    return &seen->table[at];
}

static int32_t grow_seen(hcsshim__seen_files *seen)
{
    hcsshim__seen_files bigger = *seen;

    bigger.room = seen->room > 0 ? seen->room * 2 : 256;
    bigger.table = calloc(bigger.room, sizeof *bigger.table);
    if (bigger.table == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    for (size_t i = 0; i < seen->room; i++)
        if (seen->table[i].length != 0)
            *slot_of(&bigger, seen->table[i].device, seen->table[i].inode) =
                seen->table[i];
    free(seen->table);
    *seen = bigger;
    return 0;
}

static int32_t keep_name(hcsshim__bytes *names, hcsshim__tar_text path)
{
    if (names->room - names->length < path.length) {
        size_t room = (names->length + path.length) * 2 + 4096;
        uint8_t *more = realloc(names->data, room);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        names->data = more;
        names->room = room;
    }
    memcpy(names->data + names->length, path.data, path.length);
    names->length += path.length;
    return 0;
}

int32_t hcsshim__pack_seen(hcsshim_pack *pack, const hcsshim__node *node,
                           hcsshim__tar_text path, hcsshim__tar_text *target)
{
    hcsshim__seen_files *seen = &pack->seen;
    hcsshim__seen_file *slot;
    int32_t hr = 0;

    if (seen->count * 2 >= seen->room)
        hr = grow_seen(seen);
    if (hr < 0)
        return hr;
    slot = slot_of(seen, node->device, node->inode);
    if (slot->length != 0) {
        *target = (hcsshim__tar_text){
            (const char *)seen->names.data + slot->path, slot->length};
        return 1;
    }
    hr = keep_name(&seen->names, path);
    if (hr < 0)
        return hr;
    *slot = (hcsshim__seen_file){node->device, node->inode,
                                 seen->names.length - path.length, path.length};
    seen->count++;
    return 0;
}
