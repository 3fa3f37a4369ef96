/*
 * pack_windows.c - members of a Windows layer.
 *
 * First those that the layer was imported with, byte for byte where the files
 * are as they were; then the files that are new. A writable layer, which was
 * never imported, has only new ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/bytes.h"
#include "layer/inherited.h"
#include "layer/pack.h"
#include "layer/replay.h"
#include "native/hresult.h"

#define WHITEOUT ".wh."

/* What becomes of a member that the layer was imported with. */
enum { GONE = 0, SAME, CHANGED };

/* ---- begin and end ---------------------------------------------------- */

int32_t hcsshim__pack_windows_open(hcsshim_pack *pack,
                                   const char *const *parents, uint32_t count)
{
    int32_t hr = hcsshim__tree_open_all(parents, count, &pack->parents,
                                        &pack->parent_count);

    if (hr < 0)
        return hr;
    hr = hcsshim__replay_open(pack->tree, &pack->replay);
    pack->state = PACK_REPLAY;
    if (hr != hcsshim__hresult_from_errno(ENOENT))
        return hr;
    pack->state = PACK_WALK;
    return pack->parent_count > 0
               ? hcsshim__inherited_new(pack->tree, pack->parents,
                                        pack->parent_count, &pack->inherited)
               : 0;
}

void hcsshim__pack_windows_close(hcsshim_pack *pack)
{
    hcsshim__replay_free(pack->replay);
    hcsshim__inherited_free(pack->inherited);
    hcsshim__tree_free_all(pack->parents, pack->parent_count);
    free(pack->known.table);
}

/* ---- records ---------------------------------------------------------- */

/* Of two records with one key the later one holds. */
static int is_last(const hcsshim__tar_entry *entry, size_t index)
{
    hcsshim__tar_text key = entry->records[index].key;

    for (size_t i = index + 1; i < entry->record_count; i++)
        if (entry->records[i].key.length == key.length &&
            memcmp(entry->records[i].key.data, key.data, key.length) == 0)
            return 0;
    return 1;
}

static int32_t add_entry_records(hcsshim_pack *pack,
                                 const hcsshim__tar_entry *entry)
{
    int32_t hr = 0;

    for (size_t i = 0; i < entry->record_count && hr >= 0; i++) {
        const hcsshim__tar_record *record = &entry->records[i];

        if (hcsshim__is_kept_record(record) && is_last(entry, i))
            hr =
                hcsshim__pack_record(pack, record->key.data, record->key.length,
                                     record->value.data, record->value.length);
    }
    return hr;
}

/* ---- files on disk ---------------------------------------------------- */

/* The open folder of pack->path, and its last part. */
static int32_t folder_of(hcsshim_pack *pack, int64_t *folder, const char **name)
{
    hcsshim__tar_text path = hcsshim__path_text(&pack->path);
    size_t last = hcsshim__path_last(path);
    /* A terminator, which is not counted. */
    int32_t hr = hcsshim__path_extend(&pack->path, "", 1);

    if (hr < 0)
        return hr;
    pack->path.length--;
    path.length = last > 0 ? last - 1 : 0;
    path.data = pack->path.data;
    *name = pack->path.data + last;
    return hcsshim__tree_use(pack->tree, path, folder);
}

static int is_same_time(hcsshim__tar_time one, hcsshim__tar_time other)
{
    hcsshim__tar_time a = hcsshim__tree_held_time(one);
    hcsshim__tar_time b = hcsshim__tree_held_time(other);

    return a.seconds == b.seconds && a.nanoseconds == b.nanoseconds;
}

/* Whether the link that is there is the one that was made of the entry's. */
static int is_same_link(hcsshim_pack *pack, int64_t folder, const char *name,
                        const hcsshim__tar_entry *entry)
{
    hcsshim__path expected = {0};
    int same = 0;

    if (hcsshim__path_add(&expected, entry->link.data, entry->link.length) >=
            0 &&
        hcsshim__pack_read_link(pack, folder, name) >= 0) {
        hcsshim__path_to_link(&expected);
        same = expected.length == pack->name.length &&
               memcmp(expected.data, pack->name.data, expected.length) == 0;
    }
    free(expected.data);
    return same;
}

/* The same where a file has the text of the link, which could not be made. */
static int is_same_text(int64_t folder, const char *name,
                        const hcsshim__tar_entry *entry)
{
    hcsshim__path expected = {0};
    char text[4096];
    hcsshim__node node;
    int64_t file;
    size_t got = 0;
    int same = 0;

    if (hcsshim__node_open(folder, name, &file, &node) < 0)
        return 0;
    if (hcsshim__path_add(&expected, entry->link.data, entry->link.length) >=
            0 &&
        hcsshim__node_read(file, 0, (uint8_t *)text, sizeof text, &got) >= 0) {
        hcsshim__path_to_link(&expected);
        same = expected.length == got && memcmp(expected.data, text, got) == 0;
    }
    free(expected.data);
    hcsshim__node_close(file);
    return same;
}

/* Whether a hard link still is one to its target, if that is in this layer. */
static int is_still_linked(hcsshim_pack *pack, const hcsshim__node *node,
                           const hcsshim__tar_entry *entry)
{
    hcsshim__path target = {0};
    hcsshim__tar_text path;
    hcsshim__node other;
    const char *reason;
    size_t last;
    int64_t folder;
    int same = node->links > 1;

    if (hcsshim__path_clean(&target, entry->link, &reason) >= 0 &&
        hcsshim__path_extend(&target, "", 1) >= 0) {
        target.length--;
        path = hcsshim__path_text(&target);
        last = hcsshim__path_last(path);
        path.length = last > 0 ? last - 1 : 0;
        if (hcsshim__tree_use(pack->tree, path, &folder) >= 0 &&
            hcsshim__node_look(folder, target.data + last, &other) >= 0)
            same = node->links > 1 && other.inode == node->inode &&
                   other.device == node->device;
    }
    free(target.data);
    return same;
}

/* ---- members that the layer was imported with ------------------------- */

/* Remember a path and the folders above it: none of them is new. */
static int32_t know(hcsshim_pack *pack, hcsshim__tar_text path)
{
    int32_t hr = 0;

    while (path.length > 0 && hr >= 0) {
        uint64_t hash = hcsshim__node_hash(path);

        if (hcsshim__path_set_has(&pack->known, hash))
            return 0;
        hr = hcsshim__path_set_add(&pack->known, hash);
        path.length = hcsshim__path_last(path);
        path.length -= path.length > 0;
    }
    return hr;
}

static int is_mark(hcsshim__tar_text path, size_t *last)
{
    *last = hcsshim__path_last(path);
    path.data += *last;
    path.length -= *last;
    return hcsshim__text_starts(path, WHITEOUT);
}

/*
 * A whiteout stays as long as it is one; or as something has its name, which
 * came after it in the tar, or is new and is told as such.
 */
static int32_t judge_mark(hcsshim_pack *pack, size_t last, int *verdict)
{
    hcsshim__path *path = &pack->path;
    size_t prefix = sizeof WHITEOUT - 1;
    hcsshim__node node;
    const char *name;
    int64_t folder;

    *verdict = SAME;
    if (hcsshim__text_starts(
            (hcsshim__tar_text){path->data + last, path->length - last},
            WHITEOUT WHITEOUT))
        return know(pack,
                    (hcsshim__tar_text){path->data, last > 0 ? last - 1 : 0});
    memmove(path->data + last, path->data + last + prefix,
            path->length - last - prefix);
    path->length -= prefix;
    if (folder_of(pack, &folder, &name) < 0 ||
        hcsshim__node_look(folder, name, &node) < 0)
        *verdict = GONE;
    else if (node.hides)
        return know(pack, hcsshim__path_text(path));
    return 0;
}

static void judge_file(int64_t folder, const char *name,
                       const hcsshim__replayed *record, int64_t *file,
                       hcsshim__node *node, int *verdict)
{
    if (hcsshim__node_open(folder, name, file, node) < 0) {
        *verdict = GONE;
        return;
    }
    *verdict = node->size == record->entry->size &&
                       (record->head.flags & HCSSHIM__MEMBER_SPARSE) == 0 &&
                       is_same_time(record->entry->modified, node->modified)
                   ? SAME
                   : CHANGED;
}

/* See what became of a member; 'file' is opened for the body it has now. */
static void judge(hcsshim_pack *pack, const hcsshim__replayed *record,
                  int64_t *file, hcsshim__node *node, int *verdict)
{
    const hcsshim__tar_entry *entry = record->entry;
    const char *name;
    int64_t folder;

    *verdict = GONE;
    if (folder_of(pack, &folder, &name) < 0)
        return;
    if (entry->type == HCSSHIM__TAR_FILE) {
        judge_file(folder, name, record, file, node, verdict);
        return;
    }
    if (hcsshim__node_look(folder, name, node) < 0)
        return;
    if ((record->head.flags & HCSSHIM__MEMBER_TEXT) != 0)
        *verdict = is_same_text(folder, name, entry) ? SAME : GONE;
    else if (entry->type == HCSSHIM__TAR_FOLDER)
        *verdict = node->kind == HCSSHIM__TREE_FOLDER ? SAME : GONE;
    else if (entry->type == HCSSHIM__TAR_SYMLINK)
        *verdict = is_same_link(pack, folder, name, entry) ? SAME : GONE;
    else
        *verdict = is_still_linked(pack, node, entry) ? SAME : GONE;
}

/* Padding of the body before, when that was written as it was. */
static int32_t write_before(hcsshim_pack *pack, const hcsshim__replayed *record)
{
    int due = pack->before_due;

    pack->before_due = 0;
    return due ? hcsshim__sink_write(&pack->sink, record->raw,
                                     record->head.before)
               : 0;
}

static int32_t write_same(hcsshim_pack *pack, const hcsshim__replayed *record,
                          int64_t file)
{
    int32_t hr = write_before(pack, record);

    if (hr >= 0)
        hr = hcsshim__sink_write(&pack->sink, record->raw + record->head.before,
                                 record->head.length - record->head.before);
    pack->before_due = 1;
    pack->result.members++;
    if (file < 0)
        return hr;
    pack->result.bytes += record->head.body;
    hcsshim__pack_begin_body(pack, file, record->head.body,
                             record->entry->size >= 65536, 0);
    return hr;
}

/* A file with new bytes, and all that Windows knew of the old one. */
static int32_t write_changed(hcsshim_pack *pack,
                             const hcsshim__replayed *record, int64_t file,
                             const hcsshim__node *node)
{
    const hcsshim__tar_entry *entry = record->entry;
    hcsshim__tar_member member = {
        .type = entry->type,
        .name = entry->name,
        .link = {"", 0},
        .mode = (uint32_t)entry->mode,
        .size = (uint64_t)node->size,
        .accessed = entry->accessed,
        .changed = entry->changed,
        .modified = entry->modified,
    };
    int32_t hr = write_before(pack, record);

    if (!is_same_time(entry->modified, node->modified)) {
        member.modified = hcsshim__pack_modified(node);
        member.changed = member.modified;
    }
    hcsshim__pack_clear(pack);
    if (hr >= 0)
        hr = add_entry_records(pack, entry);
    hcsshim__pack_take_records(pack, &member);
    if (hr >= 0)
        hr = hcsshim__pack_write(pack, &member);
    if (hr < 0) {
        hcsshim__node_close(file);
        return hr;
    }
    pack->result.bytes += member.size;
    hcsshim__pack_begin_body(pack, file, member.size, node->sparse, 1);
    return 0;
}

/* A stream goes with the file that it belongs to. */
static int32_t replay_stream(hcsshim_pack *pack,
                             const hcsshim__replayed *record)
{
    char name[32];
    hcsshim__node node;
    int64_t folder;
    int64_t file;
    int32_t hr;

    if (pack->main_gone)
        return write_before(pack, record);
    hr = hcsshim__tree_use(
        pack->tree,
        (hcsshim__tar_text){HCSSHIM__MEMBERS_STREAMS,
                            sizeof HCSSHIM__MEMBERS_STREAMS - 1},
        &folder);
    if (hr < 0)
        return hr;
    (void)snprintf(name, sizeof name, "%u", record->head.stream);
    hr = hcsshim__node_open(folder, name, &file, &node);
    if (hr < 0 || node.size != record->entry->size) {
        hcsshim__node_close(file);
        return hcsshim__pack_fail(pack, HCSSHIM_E_INVALID_DATA,
                                  record->entry->name,
                                  "the layer lost the bytes of this stream");
    }
    if ((record->head.flags & HCSSHIM__MEMBER_SPARSE) != 0)
        return write_changed(pack, record, file, &node);
    return write_same(pack, record, file);
}

static int32_t replay_member(hcsshim_pack *pack,
                             const hcsshim__replayed *record)
{
    hcsshim__tar_text path;
    const char *reason;
    hcsshim__node node;
    size_t last;
    int verdict = GONE;
    int64_t file = -1;
    int32_t hr = hcsshim__path_clean(&pack->path, record->entry->name, &reason);

    if (hr < 0)
        return hr;
    if ((record->head.flags & (HCSSHIM__MEMBER_KEPT | HCSSHIM__MEMBER_ASIDE)) !=
        0) {
        pack->main_gone = 0;
        hr = know(pack, hcsshim__path_text(&pack->path));
    }
    if (hr < 0)
        return hr;
    if (record->head.stream != 0)
        return replay_stream(pack, record);
    if ((record->head.flags & HCSSHIM__MEMBER_KEPT) != 0)
        return write_same(pack, record, -1);
    path = hcsshim__path_text(&pack->path);
    if (is_mark(path, &last)) {
        hr = judge_mark(pack, last, &verdict);
    } else {
        judge(pack, record, &file, &node, &verdict);
        /* What stands in the place of one that is gone is new. */
        path = hcsshim__path_text(&pack->path);
        if (verdict == GONE)
            path.length = last > 0 ? last - 1 : 0;
        hr = know(pack, path);
    }
    pack->main_gone = verdict == GONE;
    if (hr >= 0 && verdict == SAME)
        return write_same(pack, record, file);
    if (hr >= 0 && verdict == CHANGED)
        return write_changed(pack, record, file, &node);
    hcsshim__node_close(file);
    return hr < 0 ? hr : write_before(pack, record);
}

static int32_t damaged(hcsshim_pack *pack, int32_t hr)
{
    static const hcsshim__tar_text name = {HCSSHIM__MEMBERS_FILE,
                                           sizeof HCSSHIM__MEMBERS_FILE - 1};

    return hcsshim__pack_fail(
        pack, hr, name, hr == HCSSHIM_E_INVALID_DATA ? "it is damaged" : NULL);
}

static int32_t replay_next(hcsshim_pack *pack)
{
    hcsshim__replayed record;
    int32_t hr = hcsshim__replay_next(pack->replay, &record);

    if (hr <= 0)
        return damaged(pack, hr < 0 ? hr : HCSSHIM_E_INVALID_DATA);
    if (record.entry != NULL)
        return replay_member(pack, &record);
    /* The end waits until the new files are written. */
    pack->state = PACK_WALK;
    hr = write_before(pack, &record);
    pack->rest = record;
    return hr;
}

/* The zeros at the end of the tar, and what was behind them. */
static int32_t write_rest(hcsshim_pack *pack)
{
    hcsshim__replayed *rest = &pack->rest;
    int32_t hr;

    if (pack->replay == NULL) {
        pack->state = PACK_END;
        return hcsshim__tar_write_end(&pack->sink);
    }
    hr = 0;
    if (rest->head.length > rest->head.before)
        hr = hcsshim__sink_write(&pack->sink, rest->raw + rest->head.before,
                                 rest->head.length - rest->head.before);
    if (hr < 0)
        return hr;
    hr = hcsshim__replay_next(pack->replay, rest);
    if (hr < 0 || (hr > 0 && rest->entry != NULL))
        return damaged(pack, hr < 0 ? hr : HCSSHIM_E_INVALID_DATA);
    if (hr == 0)
        pack->state = PACK_END;
    return 0;
}

int32_t hcsshim__pack_windows_next(hcsshim_pack *pack)
{
    switch (pack->state) {
    case PACK_REPLAY:
        return replay_next(pack);
    case PACK_WALK:
        return hcsshim__pack_new_next(pack);
    default:
        return write_rest(pack);
    }
}
