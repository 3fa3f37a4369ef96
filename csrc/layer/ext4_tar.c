/* ext4_tar.c - members of a tar become files of an image. */
#include <string.h>

#include "layer/ext4_parts.h"

#define XATTR "SCHILY.xattr."
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define OVERLAY "trusted.overlay.opaque"
#define LENGTH(text) (sizeof(text) - 1)

/* Go's zero time, which a tar can spell, means that there is none. */
#define NO_TIME INT64_C(-62135596800)
#define EARLIEST (-INT64_C(0x80000000))
#define LATEST INT64_C(0x37FFFFFFF)

static int has(const hcsshim_ext4 *ext4, uint32_t flag)
{
    return (ext4->flags & flag) != 0;
}

static int starts(hcsshim__tar_text text, const char *with, size_t length)
{
    return text.length >= length && memcmp(text.data, with, length) == 0;
}

/* ---- times ------------------------------------------------------------- */

/*
 * A time as it stands on disk: seconds in the low half; what is beyond 32 bits,
 * and nanoseconds, in the high one. The reference shifts them together without
 * care for negative or large seconds; its bytes are the same between 1970 and
 * 2038.
 */
static uint64_t pack_time(int64_t seconds, int64_t nanoseconds, int strict)
{
    uint64_t beyond;

    if (seconds < EARLIEST)
        return UINT32_C(0x80000000);
    if (seconds > LATEST)
        return (uint64_t)LATEST;
    if (!strict)
        return (uint64_t)seconds | (uint64_t)nanoseconds << 34;
    beyond = (uint64_t)(seconds - (int32_t)(uint32_t)seconds) >> 32 & 3;
    return (uint32_t)seconds | beyond << 32 | (uint64_t)nanoseconds << 34;
}

static uint64_t disk_time(const hcsshim_ext4 *ext4, hcsshim__tar_time time)
{
    int64_t seconds = time.seconds, nanoseconds = time.nanoseconds;

    if (!time.present || (seconds == NO_TIME && nanoseconds == 0))
        return 0;
    if (nanoseconds < 0 && seconds > INT64_MIN) {
        seconds--;
        nanoseconds += 1000000000;
    }
    return pack_time(seconds, nanoseconds, has(ext4, HCSSHIM_EXT4_STRICT));
}

/* A folder's time read back and packed again, as the reference does it. */
static uint64_t inherit_time(const hcsshim_ext4 *ext4, uint64_t time)
{
    int64_t seconds = (int64_t)(time & 0x3FFFFFFFF);
    int64_t nanoseconds = (int64_t)(time >> 34);

    if (time == 0 || has(ext4, HCSSHIM_EXT4_STRICT))
        return time;
    if (seconds > INT32_MAX && seconds <= UINT32_MAX)
        seconds -= INT64_C(1) << 32;
    return pack_time(seconds + nanoseconds / 1000000000,
                     nanoseconds % 1000000000, 0);
}

/* ---- paths ------------------------------------------------------------- */

/* Give 'text' with slashes for backslashes. */
static int32_t convert(hcsshim_ext4 *ext4, size_t which,
                       hcsshim__tar_text *text)
{
    hcsshim__ext4_text *to = &ext4->slashed[which];
    int32_t hr;

    if (!has(ext4, HCSSHIM_EXT4_BACKSLASH) ||
        memchr(text->data, '\\', text->length) == NULL)
        return 0;
    hr = hcsshim__ext4_grow((void **)&to->data, &to->room, text->length, 1);
    if (hr < 0)
        return hr;
    for (size_t i = 0; i < text->length; i++)
        to->data[i] = text->data[i] == '\\' ? '/' : (uint8_t)text->data[i];
    text->data = (const char *)to->data;
    return 0;
}

/* What a folder on the way is, that the tar has not told about (yet). */
static void inherit(const hcsshim_ext4 *ext4, uint32_t parent,
                    hcsshim__ext4_meta *meta)
{
    const hcsshim__ext4_inode *inode = &ext4->inodes[parent];

    memset(meta, 0, sizeof *meta);
    meta->mode = inode->mode;
    meta->uid = inode->uid;
    meta->gid = inode->gid;
    meta->accessed = inherit_time(ext4, inode->accessed);
    meta->changed = inherit_time(ext4, inode->changed);
    meta->modified = inherit_time(ext4, inode->modified);
}

static uint32_t child_of(const hcsshim_ext4 *ext4, uint32_t parent,
                         const uint8_t *text, size_t length)
{
    uint32_t entry = hcsshim__ext4_find(ext4, parent, text, length);

    return entry == 0 ? 0 : ext4->names[entry].inode;
}

/* Go down one component, making the folder if it is not there. */
static int32_t descend(hcsshim_ext4 *ext4, const uint8_t *text, size_t length,
                       uint32_t *folder)
{
    uint32_t child = child_of(ext4, *folder, text, length);
    hcsshim__ext4_meta meta;
    int32_t hr = 0;

    if (child == 0) {
        inherit(ext4, *folder, &meta);
        ext4->attributes.count = 0;
        ext4->attributes.names_used = 0;
        hr = hcsshim__ext4_create(ext4, *folder, text, length, &meta);
        child = hr < 0 ? 0 : child_of(ext4, *folder, text, length);
    }
    *folder = child;
    return hr;
}

/* Where a member goes: its folder, and its name there, empty for the root. */
struct place {
    uint32_t folder;
    const uint8_t *name;
    size_t length;
};

static int32_t walk(hcsshim_ext4 *ext4, const uint8_t *path, size_t length,
                    struct place *place)
{
    const uint8_t *at, *end;
    int32_t hr = hcsshim__ext4_clean(&ext4->clean[0], path, length);

    at = ext4->clean[0].data;
    end = at + ext4->clean[0].length;
    place->folder = EXT4_ROOT;
    while (hr == 0) {
        const uint8_t *slash = memchr(at, '/', (size_t)(end - at));

        if (slash == NULL)
            break;
        hr = descend(ext4, at, (size_t)(slash - at), &place->folder);
        at = slash + 1;
    }
    place->name = at;
    place->length = (size_t)(end - at);
    return hr;
}

/* Remember the folder of a member, as the tar spells it. */
static int32_t remember(hcsshim_ext4 *ext4, const uint8_t *path, size_t length,
                        uint32_t folder)
{
    hcsshim__ext4_text *cached = &ext4->cached;
    int32_t hr = hcsshim__ext4_grow((void **)&cached->data, &cached->room,
                                    length + 1, 1);

    ext4->cached_inode = hr < 0 ? 0 : folder;
    cached->length = length;
    if (hr == 0)
        memcpy(cached->data, path, length);
    return hr;
}

static int is_dots(const uint8_t *name, size_t length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

/*
 * Find where a member goes, and make the folders on the way. Most members lie
 * where the one before did, which is seen without looking at the way.
 */
static int32_t locate(hcsshim_ext4 *ext4, const uint8_t *path, size_t length,
                      struct place *place)
{
    size_t stripped = length, head;
    int32_t hr;

    while (stripped > 0 && path[stripped - 1] == '/')
        stripped--;
    head = stripped;
    while (head > 0 && path[head - 1] != '/')
        head--;
    place->name = path + head;
    place->length = stripped - head;
    if (head == 0 || place->length == 0 || is_dots(place->name, place->length))
        return walk(ext4, path, length, place);
    if (ext4->cached_inode != 0 && ext4->cached.length == head &&
        memcmp(ext4->cached.data, path, head) == 0) {
        place->folder = ext4->cached_inode;
        return 0;
    }
    hr = walk(ext4, path, length, place);
    return hr < 0 ? hr : remember(ext4, path, head, place->folder);
}

/* The target of a hard link; 0 if there is none. */
static int32_t resolve(hcsshim_ext4 *ext4, hcsshim__tar_text path,
                       uint32_t *number)
{
    const uint8_t *at, *end;
    int32_t hr = hcsshim__ext4_clean(&ext4->clean[1],
                                     (const uint8_t *)path.data, path.length);

    *number = EXT4_ROOT;
    at = ext4->clean[1].data;
    end = at + ext4->clean[1].length;
    while (hr == 0 && *number != 0 && at < end) {
        const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
        const uint8_t *stop = slash == NULL ? end : slash;

        *number = child_of(ext4, *number, at, (size_t)(stop - at));
        at = slash == NULL ? end : slash + 1;
    }
    return hr;
}

/* ---- members ----------------------------------------------------------- */

static uint16_t kind_of(char type)
{
    switch (type) {
    case HCSSHIM__TAR_SYMLINK:
        return EXT4_SYMLINK;
    case HCSSHIM__TAR_CHARACTER:
        return EXT4_CHARACTER;
    case HCSSHIM__TAR_DEVICE:
        return EXT4_DEVICE;
    case HCSSHIM__TAR_FOLDER:
        return EXT4_FOLDER;
    case HCSSHIM__TAR_FIFO:
        return EXT4_FIFO;
    default:
        return EXT4_FILE;
    }
}

static uint32_t device_of(int64_t major, int64_t minor)
{
    uint32_t low = (uint32_t)minor;

    return (low & 0xFF) | (uint32_t)major << 8 | (low & 0xFFFFFF00) << 12;
}

static int32_t gather(hcsshim_ext4 *ext4, const hcsshim__tar_entry *entry)
{
    int32_t hr = 0;

    ext4->attributes.count = 0;
    ext4->attributes.names_used = 0;
    for (size_t i = 0; hr == 0 && i < entry->record_count; i++) {
        const hcsshim__tar_record *record = &entry->records[i];

        if (!starts(record->key, XATTR, LENGTH(XATTR)))
            continue;
        hr = hcsshim__ext4_attribute_add(
            ext4, (const uint8_t *)record->key.data + LENGTH(XATTR),
            record->key.length - LENGTH(XATTR),
            (const uint8_t *)record->value.data, record->value.length);
    }
    return hr;
}

static void describe(const hcsshim_ext4 *ext4, const hcsshim__tar_entry *entry,
                     hcsshim__tar_text target, hcsshim__ext4_meta *meta)
{
    uint16_t kind = kind_of(entry->type);

    meta->mode = (uint16_t)((uint16_t)(entry->mode & 0xFFF) | kind);
    meta->size = kind == EXT4_FILE ? (uint64_t)entry->size : 0;
    meta->uid = (uint32_t)entry->uid;
    meta->gid = (uint32_t)entry->gid;
    meta->accessed = disk_time(ext4, entry->accessed);
    meta->changed = disk_time(ext4, entry->changed);
    meta->modified = disk_time(ext4, entry->modified);
    meta->target = (const uint8_t *)target.data;
    meta->target_length = target.length;
    meta->device = device_of(entry->device_major, entry->device_minor);
}

/* A folder that hides what layers below have in it. */
static int32_t make_opaque(hcsshim_ext4 *ext4, uint32_t folder)
{
    static const char name[] = OVERLAY, value[] = "y";
    const hcsshim__ext4_inode *inode = &ext4->inodes[folder];
    hcsshim__ext4_meta meta;
    int32_t hr = 0;

    if (!ext4_is(inode, EXT4_FOLDER))
        return hcsshim__ext4_fail(ext4, HCSSHIM_E_INVALID_DATA,
                                  (const uint8_t *)OPAQUE, LENGTH(OPAQUE),
                                  "it lies in something that is no folder");
    inherit(ext4, folder, &meta);
    ext4->attributes.count = 0;
    ext4->attributes.names_used = 0;
    if (inode->attribute_copy != NULL)
        hr = hcsshim__ext4_attribute_read(ext4, inode->attribute_copy + 32,
                                          EXT4_BLOCK - 32, 32);
    if (hr == 0 && inode->attributes != NULL)
        hr = hcsshim__ext4_attribute_read(ext4, inode->attributes + 4,
                                          EXT4_INODE_ROOM - 4, 0);
    if (hr == 0)
        hr = hcsshim__ext4_attribute_add(ext4, (const uint8_t *)name,
                                         LENGTH(name), (const uint8_t *)value,
                                         LENGTH(value));
    return hr < 0 ? hr : hcsshim__ext4_update(ext4, folder, &meta);
}

/* A name that hides what layers below have under it. */
static int32_t make_whiteout(hcsshim_ext4 *ext4, const struct place *place)
{
    hcsshim__ext4_meta meta = {.mode = EXT4_CHARACTER};
    const uint8_t *name = place->name + LENGTH(WHITEOUT);
    size_t length = place->length - LENGTH(WHITEOUT);

    ext4->attributes.count = 0;
    ext4->attributes.names_used = 0;
    if (length == 0 || is_dots(name, length))
        return hcsshim__ext4_fail(ext4, HCSSHIM_E_INVALID_DATA, place->name,
                                  place->length,
                                  "this whiteout does not tell of what");
    return hcsshim__ext4_create(ext4, place->folder, name, length, &meta);
}

static int32_t make_link(hcsshim_ext4 *ext4, const struct place *place,
                         hcsshim__tar_text target)
{
    uint32_t number;
    int32_t hr = resolve(ext4, target, &number);

    if (hr < 0)
        return hr;
    if (number == 0)
        return hcsshim__ext4_fail(ext4, HCSSHIM_E_INVALID_DATA,
                                  (const uint8_t *)target.data, target.length,
                                  "the target of a hard link is not there");
    return hcsshim__ext4_link(ext4, place->folder, place->name, place->length,
                              number);
}

/* A whiteout is known by its last component, as the tar spells it. */
static int is_whiteout(hcsshim__tar_text path)
{
    hcsshim__tar_text last = path;

    while (last.length > 0 && last.data[last.length - 1] != '/')
        last.length--;
    last.data += last.length;
    last.length = path.length - last.length;
    return starts(last, WHITEOUT, LENGTH(WHITEOUT));
}

static int32_t make_root(hcsshim_ext4 *ext4, const hcsshim__tar_entry *entry,
                         const hcsshim__ext4_meta *meta)
{
    if (entry->type != HCSSHIM__TAR_FOLDER)
        return hcsshim__ext4_fail(ext4, HCSSHIM_E_INVALID_DATA,
                                  (const uint8_t *)"/", 1,
                                  "the root must stay a folder");
    return hcsshim__ext4_update(ext4, EXT4_ROOT, meta);
}

static int32_t make_member(hcsshim_ext4 *ext4, const hcsshim__tar_entry *entry,
                           const struct place *place, hcsshim__tar_text target)
{
    hcsshim__ext4_meta meta;
    int32_t hr = gather(ext4, entry);

    describe(ext4, entry, target, &meta);
    if (hr < 0)
        return hr;
    if (place->length == 0)
        return make_root(ext4, entry, &meta);
    return hcsshim__ext4_create(ext4, place->folder, place->name, place->length,
                                &meta);
}

static int32_t begin_member(hcsshim_ext4 *ext4, const hcsshim__tar_entry *entry)
{
    hcsshim__tar_text path = entry->name, target = entry->link;
    struct place place;
    int32_t hr = hcsshim__ext4_end_body(ext4);

    ext4->member = entry->name;
    if (hr == 0)
        hr = convert(ext4, 0, &path);
    if (hr == 0)
        hr = convert(ext4, 1, &target);
    if (hr == 0)
        hr = locate(ext4, (const uint8_t *)path.data, path.length, &place);
    if (hr < 0)
        return hr;
    if (has(ext4, HCSSHIM_EXT4_OVERLAY) && is_whiteout(path)) {
        if (place.length == LENGTH(OPAQUE) &&
            memcmp(place.name, OPAQUE, LENGTH(OPAQUE)) == 0)
            return make_opaque(ext4, place.folder);
        return make_whiteout(ext4, &place);
    }
    if (entry->type == HCSSHIM__TAR_LINK)
        return make_link(ext4, &place, target);
    return make_member(ext4, entry, &place, target);
}

static int32_t take_step(hcsshim_ext4 *ext4, int32_t kind,
                         const hcsshim__tar_step *step)
{
    switch (kind) {
    case HCSSHIM__TAR_ENTRY:
        return begin_member(ext4, step->entry);
    case HCSSHIM__TAR_END:
        ext4->tar_ended = 1;
        return hcsshim__ext4_end_body(ext4);
    default:
        return hcsshim__ext4_body(ext4, step->data, step->length);
    }
}

int32_t hcsshim__ext4_feed(hcsshim_ext4 *ext4, const uint8_t *data,
                           size_t length)
{
    hcsshim__tar_step step;
    int32_t kind = 0, hr = 0;

    if (ext4->tar_ended)
        return 0;
    hcsshim__tar_feed(ext4->tar, data, length);
    while (hr == 0 && !ext4->tar_ended &&
           (kind = hcsshim__tar_next(ext4->tar, &step)) > HCSSHIM__TAR_MORE)
        hr = take_step(ext4, kind, &step);
    if (hr == 0 && kind < 0)
        hr = kind;
    /* What was queued lies in the caller's buffer. */
    return hr < 0 ? hr : hcsshim__ext4_out_flush(&ext4->out);
}
