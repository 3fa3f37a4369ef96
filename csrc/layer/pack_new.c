/* pack_new.c - files of a Windows layer that it was not imported with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/bytes.h"
#include "layer/pack.h"

#define WHITEOUT ".wh."
#define CREATION "LIBARCHIVE.creationtime"
#define ATTRIBUTES "MSWINDOWS.fileattr"
#define SECURITY "MSWINDOWS.rawsd"

/* Attributes of files, as Windows numbers them. */
enum { FOLDER_BIT = 0x10, ARCHIVE_BIT = 0x20, REPARSE_BIT = 0x400 };

/*
 * Security descriptors of files nobody gave one: administrators and the system
 * may do everything, users may read, folders hand that down, in base64.
 */
static const char file_security[] =
    "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgBMAAMAAA"
    "AAABgA/wEfAAECAAAAAAAFIAAAACACAAAAABQA/wEfAAEBAAAAAAAFEgAAAAAAGACpABIAAQIA"
    "AAAAAAUgAAAAIQIAAA==";
static const char folder_security[] =
    "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgCoAAcAAA"
    "AAAxgA/wEfAAECAAAAAAAFIAAAACACAAAAAxQA/wEfAAEBAAAAAAAFEgAAAAAAGAD/AR8AAQIA"
    "AAAAAAUgAAAAIAIAAAALFAAAAAAQAQEAAAAAAAMAAAAAAAMYAKkAEgABAgAAAAAABSAAAAAhAg"
    "AAAAIYAAQAAAABAgAAAAAABSAAAAAhAgAAAAIYAAIAAAABAgAAAAAABSAAAAAhAgAA";

/* ---- records ---------------------------------------------------------- */

static int32_t add_text(hcsshim_pack *pack, const char *key, const char *value,
                        size_t length)
{
    return hcsshim__pack_record(pack, key, strlen(key), value, length);
}

static int32_t add_number(hcsshim_pack *pack, const char *key, uint32_t number)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%u", number);

    return add_text(pack, key, text, (size_t)length);
}

/* What a file has that Windows never saw. */
static int32_t add_defaults(hcsshim_pack *pack, hcsshim__tar_time modified,
                            uint32_t attributes, int is_folder)
{
    char text[HCSSHIM__TAR_TIME];
    int32_t hr = add_text(pack, CREATION, text,
                          hcsshim__tar_format_time(modified, text));

    if (hr >= 0)
        hr = add_number(pack, ATTRIBUTES, attributes);
    if (hr >= 0)
        hr = add_text(
            pack, SECURITY, is_folder ? folder_security : file_security,
            is_folder ? sizeof folder_security - 1 : sizeof file_security - 1);
    return hr;
}

static int32_t add_packed(hcsshim_pack *pack, const uint8_t *data,
                          size_t length)
{
    int32_t hr = 0;

    while (length > 0 && hr >= 0) {
        size_t key = hcsshim__load32(data);
        size_t value = hcsshim__load32(data + 4);

        hr = hcsshim__pack_record(pack, (const char *)data + 8, key,
                                  (const char *)data + 8 + key, value);
        data += 8 + key + value;
        length -= 8 + key + value;
    }
    return hr;
}

hcsshim__tar_time hcsshim__pack_modified(const hcsshim__node *node)
{
    hcsshim__tar_time time = node->modified;

    time.nanoseconds -= time.nanoseconds % 100;
    return time;
}

/* Records of a new file: those it had below, or those of nobody's file. */
static int32_t add_new_records(hcsshim_pack *pack,
                               const hcsshim__walk_item *item,
                               const hcsshim__node *node)
{
    int is_folder = node->kind == HCSSHIM__TREE_FOLDER;
    uint32_t attributes = is_folder ? FOLDER_BIT : ARCHIVE_BIT;
    size_t length;
    const uint8_t *packed =
        hcsshim__inherited_find(pack->inherited, item->path, &length);

    hcsshim__pack_clear(pack);
    if (packed != NULL && length > 0)
        return add_packed(pack, packed, length);
    if (node->kind == HCSSHIM__TREE_LINK)
        attributes |= REPARSE_BIT;
    return add_defaults(pack, hcsshim__pack_modified(node), attributes,
                        is_folder);
}

static int32_t write_new_link(hcsshim_pack *pack,
                              const hcsshim__walk_item *item,
                              hcsshim__tar_member *member)
{
    int32_t hr = hcsshim__pack_read_link(pack, item->folder, item->name);

    for (size_t i = 0; hr >= 0 && i < pack->name.length; i++)
        if (pack->name.data[i] == '/')
            pack->name.data[i] = '\\';
    member->link = hcsshim__path_text(&pack->name);
    return hr < 0 ? hr : hcsshim__pack_write(pack, member);
}

/* The kind of a file, as POSIX numbers it, and for Windows that is all. */
static uint32_t mode_of(char type)
{
    switch (type) {
    case HCSSHIM__TAR_FOLDER:
        return 0040000;
    case HCSSHIM__TAR_FILE:
        return 0100000;
    case HCSSHIM__TAR_SYMLINK:
        return 0120000;
    default:
        return 0644;
    }
}

static int32_t write_new(hcsshim_pack *pack, const hcsshim__walk_item *item,
                         const hcsshim__node *node)
{
    hcsshim__tar_member member = {.name = item->path, .link = {"", 0}};
    int32_t hr = 0;

    if (node->kind == HCSSHIM__TREE_FILE && node->links > 1)
        hr = hcsshim__pack_seen(pack, node, item->path, &member.link);
    if (hr > 0)
        member.type = HCSSHIM__TAR_LINK;
    else if (node->kind == HCSSHIM__TREE_FOLDER)
        member.type = HCSSHIM__TAR_FOLDER;
    else if (node->kind == HCSSHIM__TREE_FILE)
        member.type = HCSSHIM__TAR_FILE;
    else if (node->kind == HCSSHIM__TREE_LINK)
        member.type = HCSSHIM__TAR_SYMLINK;
    else
        return 0; /* sockets, FIFOs and devices are nothing to Windows */
    if (hr >= 0)
        hr = add_new_records(pack, item, node);
    if (hr < 0)
        return hr;
    hcsshim__pack_take_records(pack, &member);
    member.mode = mode_of(member.type);
    member.modified = hcsshim__pack_modified(node);
    member.accessed = member.changed = member.modified;
    if (member.type == HCSSHIM__TAR_FILE)
        return hcsshim__pack_write_file(pack, item, &member);
    if (member.type == HCSSHIM__TAR_SYMLINK)
        return write_new_link(pack, item, &member);
    return hcsshim__pack_write(pack, &member);
}

static hcsshim__tar_text folder_text(hcsshim__tar_text path)
{
    path.length = hcsshim__path_last(path);
    path.length -= path.length > 0;
    return path;
}

/* Windows knows no opaque folders: each name below is removed for itself. */
static int32_t hide_names(hcsshim_pack *pack, const hcsshim__walk_item *item,
                          hcsshim__tree *parent, hcsshim__path_set *hidden)
{
    hcsshim__walk *walk;
    hcsshim__walk_item below;
    hcsshim__node node;
    int64_t inner;
    int32_t hr = hcsshim__node_enter(item->folder, item->name, &inner);

    if (hr < 0)
        return hr;
    if (hcsshim__walk_new(parent, item->path, &walk) < 0) {
        hcsshim__node_close(inner);
        return 0; /* the layer below has no such folder */
    }
    while (hr >= 0 && (hr = hcsshim__walk_next(walk, &below)) > 0) {
        uint64_t hash = hcsshim__path_hash(below.path);

        hcsshim__walk_skip(walk);
        if (hcsshim__path_set_has(hidden, hash) ||
            hcsshim__node_look(inner, below.name, &node) >= 0 ||
            (hcsshim__node_look(below.folder, below.name, &node) >= 0 &&
             node.hides))
            continue;
        hr = hcsshim__path_set_add(hidden, hash);
        if (hr >= 0)
            hr = hcsshim__pack_mark(pack, item->path, WHITEOUT, below.name);
    }
    hcsshim__walk_free(walk);
    hcsshim__node_close(inner);
    return hr;
}

static int32_t hide_below(hcsshim_pack *pack, const hcsshim__walk_item *item)
{
    hcsshim__path_set hidden = {0};
    int64_t inner;
    int opaque = hcsshim__node_enter(item->folder, item->name, &inner) >= 0 &&
                 hcsshim__node_is_opaque(inner);
    int32_t hr = 0;

    hcsshim__node_close(inner);
    for (uint32_t i = 0; opaque && i < pack->parent_count && hr >= 0; i++)
        hr = hide_names(pack, item, pack->parents[i], &hidden);
    free(hidden.table);
    return hr;
}

static int32_t take_item(hcsshim_pack *pack, const hcsshim__walk_item *item)
{
    hcsshim__node node;
    int32_t hr;

    if (hcsshim__path_set_has(&pack->known, hcsshim__node_hash(item->path)))
        return 0;
    hr = hcsshim__node_look(item->folder, item->name, &node);
    if (hr < 0)
        return hr;
    if (node.hides)
        return hcsshim__pack_mark(pack, folder_text(item->path), WHITEOUT,
                                  item->name);
    hr = write_new(pack, item, &node);
    if (hr >= 0 && node.kind == HCSSHIM__TREE_FOLDER)
        hr = hide_below(pack, item);
    return hr;
}

/* What of the layer's folder is the layer. */
static int is_outside(hcsshim__tar_text path)
{
    return !hcsshim__path_is_layers(path);
}

int32_t hcsshim__pack_new_next(hcsshim_pack *pack)
{
    hcsshim__walk_item item;
    int32_t hr = 0;

    if (pack->walk == NULL)
        hr = hcsshim__walk_new(pack->tree, (hcsshim__tar_text){"", 0},
                               &pack->walk);
    if (hr >= 0)
        hr = hcsshim__walk_next(pack->walk, &item);
    if (hr <= 0) {
        pack->state = PACK_REST;
        return hr;
    }
    if (is_outside(item.path)) {
        hcsshim__walk_skip(pack->walk);
        return 0;
    }
    hr = take_item(pack, &item);
    if (hr < 0 && pack->problem[0] == 0)
        return hcsshim__pack_fail(pack, hr, item.path, NULL);
    return hr;
}
