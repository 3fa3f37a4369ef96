/* unpack_entry.c - what each kind of member becomes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/unpack.h"

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define ATTRIBUTE "SCHILY.xattr."
/* Rounds over links whose targets are links themselves. */
#define ROUNDS 16

static int is_windows(const hcsshim_unpack *unpack)
{
    return (unpack->flags & HCSSHIM_UNPACK_WINDOWS) != 0;
}

static int32_t refuse(hcsshim_unpack *unpack, const hcsshim__tar_entry *entry,
                      const char *reason)
{
    return hcsshim__unpack_fail(unpack, HCSSHIM_E_INVALID_DATA, entry->name,
                                reason);
}

/* Say which member failed, when nobody said so yet. */
static int32_t blame(hcsshim_unpack *unpack, int32_t hr, hcsshim__tar_text name)
{
    if (hr == HCSSHIM_E_INVALID_DATA && unpack->problem[0] == 0)
        return hcsshim__unpack_fail(unpack, hr, name,
                                    "its path leads through a link or a file");
    if (hr < 0 && unpack->problem[0] == 0)
        return hcsshim__unpack_fail(unpack, hr, name, NULL);
    return hr;
}

/* ---- meta ------------------------------------------------------------- */

/* Attributes that make overlayfs do something are nobody's to bring. */
static int is_wanted(hcsshim__tar_text key)
{
    return hcsshim__text_starts(key, ATTRIBUTE) &&
           !hcsshim__text_starts(key, ATTRIBUTE "trusted.overlay.") &&
           !hcsshim__text_starts(key, ATTRIBUTE "user.overlay.");
}

static int32_t collect_attributes(hcsshim_unpack *unpack,
                                  const hcsshim__tar_entry *entry)
{
    size_t count = 0;

    if (entry->record_count > unpack->attribute_room) {
        hcsshim__tar_record *more =
            realloc(unpack->attributes, entry->record_count * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        unpack->attributes = more;
        unpack->attribute_room = entry->record_count;
    }
    for (size_t i = 0; i < entry->record_count; i++) {
        hcsshim__tar_record record = entry->records[i];

        if (record.value.length == 0 || !is_wanted(record.key))
            continue;
        record.key.data += sizeof ATTRIBUTE - 1;
        record.key.length -= sizeof ATTRIBUTE - 1;
        unpack->attributes[count++] = record;
    }
    unpack->meta.attributes = unpack->attributes;
    unpack->meta.attribute_count = count;
    return 0;
}

static int32_t collect_meta(hcsshim_unpack *unpack,
                            const hcsshim__tar_entry *entry)
{
    memset(&unpack->meta, 0, sizeof unpack->meta);
    unpack->meta.modified = entry->modified;
    if (is_windows(unpack))
        return hcsshim__unpack_collect(unpack, entry);
    if (entry->uid < 0 || entry->gid < 0 || entry->uid > UINT32_MAX ||
        entry->gid > UINT32_MAX || entry->mode < 0)
        return refuse(unpack, entry, "its owner or mode is no such number");
    unpack->meta.owned = 1;
    unpack->meta.mode = (uint32_t)entry->mode & 07777;
    unpack->meta.uid = (uint32_t)entry->uid;
    unpack->meta.gid = (uint32_t)entry->gid;
    unpack->meta.accessed = entry->accessed;
    return collect_attributes(unpack, entry);
}

/* ---- whiteouts -------------------------------------------------------- */

static int32_t whiteout(hcsshim_unpack *unpack, const hcsshim__tar_entry *entry)
{
    hcsshim__path *path = &unpack->path;
    size_t last = hcsshim__path_last(hcsshim__path_text(path));
    size_t length = path->length - last;
    hcsshim__tar_text name = {path->data + last, length};
    hcsshim__tar_text folder = {path->data, last > 0 ? last - 1 : 0};

    if (is_windows(unpack)) {
        if ((unpack->flags & HCSSHIM_UNPACK_BASE) != 0)
            return refuse(unpack, entry,
                          "it removes a file of a layer below, and this is the "
                          "lowest");
        if (!hcsshim__text_starts(hcsshim__path_text(path), "Files/") &&
            !hcsshim__text_starts(hcsshim__path_text(path), "UtilityVM/Files/"))
            return refuse(unpack, entry,
                          "only files below Files and "
                          "UtilityVM/Files can be removed");
    }
    if (hcsshim__text_is(name, OPAQUE))
        return hcsshim__unpack_mark(unpack,
                                    hcsshim__tree_opaque(unpack->tree, folder));
    /* Other names of this kind are aufs's own, and mean nothing here. */
    if (hcsshim__text_starts(name, WHITEOUT WHITEOUT))
        return 0;
    length -= sizeof WHITEOUT - 1;
    if (length == 0 ||
        (length <= 2 && memcmp("..", path->data + last + 4, length) == 0))
        return refuse(unpack, entry, "it removes nothing that has a name");
    memmove(path->data + last, path->data + last + sizeof WHITEOUT - 1, length);
    path->length = last + length;
    return hcsshim__unpack_mark(
        unpack, hcsshim__tree_whiteout(unpack->tree, hcsshim__path_text(path)));
}

static int is_whiteout(const hcsshim__path *path)
{
    hcsshim__tar_text text = hcsshim__path_text(path);
    size_t last = hcsshim__path_last(text);

    text.data += last;
    text.length -= last;
    return hcsshim__text_starts(text, WHITEOUT);
}

/* ---- links ------------------------------------------------------------ */

static int is_missing(int32_t hr)
{
    return hr == (int32_t)(-2147024896 + 2); /* ERROR_FILE_NOT_FOUND */
}

static int32_t put_off(hcsshim_unpack *unpack)
{
    hcsshim__late_link *link;

    if (unpack->late_count == unpack->late_room) {
        size_t room = unpack->late_room * 2 + 16;
        hcsshim__late_link *more = realloc(unpack->late, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        unpack->late = more;
        unpack->late_room = room;
    }
    link = &unpack->late[unpack->late_count++];
    link->path = unpack->path; /* moved */
    link->target = unpack->target;
    memset(&unpack->path, 0, sizeof unpack->path);
    memset(&unpack->target, 0, sizeof unpack->target);
    return 0;
}

static int32_t clean_target(hcsshim_unpack *unpack,
                            const hcsshim__tar_entry *entry)
{
    const char *reason = "";
    size_t stream = 0;
    int32_t hr = hcsshim__path_clean(&unpack->target, entry->link, &reason);

    if (hr >= 0 && is_windows(unpack)) {
        hr = hcsshim__path_check_windows(hcsshim__path_text(&unpack->target),
                                         &stream, &reason);
        if (hr >= 0 && stream != unpack->target.length) {
            reason = "it is a stream of a file";
            hr = HCSSHIM_E_INVALID_DATA;
        }
    }
    if (hr == HCSSHIM_E_INVALID_DATA)
        return hcsshim__unpack_fail(unpack, hr, entry->link, reason);
    return hr;
}

static int32_t hard_link(hcsshim_unpack *unpack,
                         const hcsshim__tar_entry *entry)
{
    int32_t hr = clean_target(unpack, entry);

    if (hr < 0)
        return hr;
    if (unpack->target.length == unpack->path.length &&
        memcmp(unpack->target.data, unpack->path.data, unpack->path.length) ==
            0)
        return refuse(unpack, entry, "it is a link to itself");
    if (hcsshim__unpack_is_kept(unpack, &unpack->target))
        return hcsshim__unpack_note(unpack, HCSSHIM__TREE_KEPT);
    hr = hcsshim__tree_kind(unpack->tree, hcsshim__path_text(&unpack->target));
    if (hr == HCSSHIM__TREE_NONE)
        return put_off(unpack);
    if (hr == HCSSHIM__TREE_FOLDER)
        return refuse(unpack, entry, "it is a hard link to a folder");
    if (hr < 0)
        return hr;
    return hcsshim__tree_link(unpack->tree, hcsshim__path_text(&unpack->path),
                              unpack->tree,
                              hcsshim__path_text(&unpack->target));
}

/* Link what can be linked now. Returns how many are left. */
static int32_t link_round(hcsshim_unpack *unpack, size_t *left)
{
    size_t kept = 0;

    for (size_t i = 0; i < unpack->late_count; i++) {
        hcsshim__late_link link = unpack->late[i];
        int32_t hr =
            hcsshim__tree_link(unpack->tree, hcsshim__path_text(&link.path),
                               unpack->tree, hcsshim__path_text(&link.target));

        if (hr < 0 && !is_missing(hr))
            return blame(unpack, hr, hcsshim__path_text(&link.path));
        if (hr < 0) {
            unpack->late[i] = unpack->late[kept];
            unpack->late[kept++] = link;
            continue;
        }
    }
    *left = kept;
    return 0;
}

static void drop_links(hcsshim_unpack *unpack, size_t kept)
{
    for (size_t i = kept; i < unpack->late_count; i++) {
        free(unpack->late[i].path.data);
        free(unpack->late[i].target.data);
    }
    unpack->late_count = kept;
}

/* The nearest layer below that has the target gives it. */
static int32_t link_below(hcsshim_unpack *unpack,
                          const hcsshim__late_link *link)
{
    for (uint32_t i = 0; i < unpack->parent_count; i++) {
        int32_t hr = hcsshim__tree_kind(unpack->parents[i],
                                        hcsshim__path_text(&link->target));

        if (hr == HCSSHIM__TREE_FILE || hr == HCSSHIM__TREE_LINK)
            return hcsshim__tree_link(
                unpack->tree, hcsshim__path_text(&link->path),
                unpack->parents[i], hcsshim__path_text(&link->target));
    }
    return hcsshim__unpack_fail(unpack, HCSSHIM_E_INVALID_DATA,
                                hcsshim__path_text(&link->path),
                                "it is a hard link to what is not there");
}

int32_t hcsshim__unpack_links(hcsshim_unpack *unpack)
{
    int32_t hr = 0;

    for (int round = 0; round < ROUNDS && unpack->late_count > 0; round++) {
        size_t left = 0;
        size_t before = unpack->late_count;

        hr = link_round(unpack, &left);
        if (hr < 0)
            return hr;
        drop_links(unpack, left);
        if (left == before)
            break;
    }
    for (size_t i = 0; i < unpack->late_count && hr >= 0; i++)
        hr = blame(unpack, link_below(unpack, &unpack->late[i]),
                   hcsshim__path_text(&unpack->late[i].path));
    drop_links(unpack, 0);
    return hr;
}

static int32_t symbolic_link(hcsshim_unpack *unpack,
                             const hcsshim__tar_entry *entry)
{
    hcsshim__path *target = &unpack->target;
    int32_t hr = 0;

    if (entry->link.length == 0)
        return refuse(unpack, entry, "its link leads nowhere");
    if (!is_windows(unpack))
        return hcsshim__tree_symlink(unpack->tree,
                                     hcsshim__path_text(&unpack->path),
                                     entry->link, &unpack->meta);
    target->length = 0;
    hr = hcsshim__path_add(target, entry->link.data, entry->link.length);
    if (hr < 0)
        return hr;
    hcsshim__path_to_link(target);
    return hcsshim__tree_symlink(unpack->tree,
                                 hcsshim__path_text(&unpack->path),
                                 hcsshim__path_text(target), &unpack->meta);
}

/* ---- files ------------------------------------------------------------ */

/* A stream's bytes go to a numbered file beside the layer's own. */
static int32_t stream(hcsshim_unpack *unpack, const hcsshim__tar_entry *entry,
                      size_t colon)
{
    char name[HCSSHIM__NUMBERED];

    if (entry->type != HCSSHIM__TAR_FILE || unpack->main.length != colon ||
        memcmp(unpack->main.data, unpack->path.data, colon) != 0)
        return refuse(unpack, entry, "it is a stream of no member before it");
    unpack->result.streams++;
    memset(&unpack->meta, 0, sizeof unpack->meta);
    return hcsshim__unpack_open(unpack, hcsshim__unpack_number(unpack, name),
                                entry->size);
}

static int32_t device(hcsshim_unpack *unpack, const hcsshim__tar_entry *entry)
{
    int32_t hr;

    /* 0:0 would hide a name; numbers out of range name no device. */
    if (entry->type != HCSSHIM__TAR_FIFO &&
        ((entry->device_major == 0 && entry->device_minor == 0) ||
         entry->device_major < 0 || entry->device_major > UINT32_MAX ||
         entry->device_minor < 0 || entry->device_minor > UINT32_MAX))
        return refuse(unpack, entry, "its device has no such number");
    hr = hcsshim__tree_device(unpack->tree, hcsshim__path_text(&unpack->path),
                              entry->type, (uint32_t)entry->device_major,
                              (uint32_t)entry->device_minor, &unpack->meta);
    if (hr != HCSSHIM_E_NOTIMPL)
        return hr;
    unpack->result.devices_left_out++;
    return 0;
}

static int32_t make(hcsshim_unpack *unpack, const hcsshim__tar_entry *entry)
{
    hcsshim__tar_text path = hcsshim__path_text(&unpack->path);

    switch (entry->type) {
    case HCSSHIM__TAR_FOLDER:
        return hcsshim__unpack_note(
            unpack, hcsshim__tree_folder(unpack->tree, path, &unpack->meta));
    case HCSSHIM__TAR_FILE:
        if (entry->size > 0)
            unpack->result.bytes += (uint64_t)entry->size;
        return hcsshim__unpack_open(unpack, path, entry->size);
    case HCSSHIM__TAR_LINK:
        return hcsshim__unpack_note(unpack, hard_link(unpack, entry));
    case HCSSHIM__TAR_SYMLINK:
        return hcsshim__unpack_note(unpack, symbolic_link(unpack, entry));
    case HCSSHIM__TAR_CHARACTER:
    case HCSSHIM__TAR_DEVICE:
    case HCSSHIM__TAR_FIFO:
        if (!is_windows(unpack))
            return device(unpack, entry);
        return refuse(unpack, entry, "a Windows layer has no such file");
    default:
        return refuse(unpack, entry,
                      "the tar has a kind of member nobody "
                      "knows");
    }
}

static int32_t windows_entry(hcsshim_unpack *unpack,
                             const hcsshim__tar_entry *entry)
{
    const char *reason = "";
    size_t colon;
    int32_t hr = hcsshim__path_check_windows(hcsshim__path_text(&unpack->path),
                                             &colon, &reason);

    if (hr < 0)
        return refuse(unpack, entry, reason);
    if (colon != unpack->path.length)
        return stream(unpack, entry, colon);
    unpack->main.length = 0;
    hr = hcsshim__path_add(&unpack->main, unpack->path.data,
                           unpack->path.length);
    return hr < 0 ? hr : make(unpack, entry);
}

static int32_t take(hcsshim_unpack *unpack, const hcsshim__tar_entry *entry)
{
    const char *reason = "";
    int32_t hr;

    if (entry->type == HCSSHIM__TAR_GLOBAL)
        return 0;
    hr = hcsshim__path_clean(&unpack->path, entry->name, &reason);
    if (hr == HCSSHIM_E_INVALID_DATA)
        return refuse(unpack, entry, reason);
    if (hr >= 0)
        hr = collect_meta(unpack, entry);
    if (hr < 0)
        return hr;
    if (is_whiteout(&unpack->path))
        return whiteout(unpack, entry);
    if (unpack->path.length == 0 && entry->type != HCSSHIM__TAR_FOLDER)
        return refuse(unpack, entry, "it takes the place of the layer itself");
    if (is_windows(unpack) && unpack->path.length > 0)
        return windows_entry(unpack, entry);
    return make(unpack, entry);
}

int32_t hcsshim__unpack_entry(hcsshim_unpack *unpack,
                              const hcsshim__tar_entry *entry)
{
    unpack->result.members++;
    return blame(unpack, take(unpack, entry), entry->name);
}
