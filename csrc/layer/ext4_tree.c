/* ext4_tree.c - files, folders and links, and what replaces what. */
#include <string.h>

#include "layer/ext4_parts.h"

#define LARGEST_FILE (UINT64_C(128) << 30)
/* What goes into an inode: 60 bytes, and 76 as an attribute. */
#define LARGEST_INLINE 136

static int32_t fail(hcsshim_ext4 *ext4, const uint8_t *text, size_t length,
                    const char *reason)
{
    return hcsshim__ext4_fail(ext4, HCSSHIM_E_INVALID_DATA, text, length,
                              reason);
}

/* ---- inodes ------------------------------------------------------------ */

static int32_t new_inode(hcsshim_ext4 *ext4, uint32_t *number)
{
    size_t room = ext4->inode_room;
    int32_t hr =
        hcsshim__ext4_grow((void **)&ext4->inodes, &room,
                           (size_t)ext4->inode_count + 1, sizeof *ext4->inodes);

    ext4->inode_room = room > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)room;
    if (hr == 0 && ext4->inode_count >= UINT32_MAX / 2 - 1)
        hr = HCSSHIM_E_OUTOFMEMORY;
    if (hr < 0)
        return hr;
    *number = ext4->inode_count++;
    memset(&ext4->inodes[*number], 0, sizeof *ext4->inodes);
    return 0;
}

static int32_t free_blocks(hcsshim_ext4 *ext4, uint32_t first, uint32_t count)
{
    int32_t hr;

    if (count == 0)
        return 0;
    hr = hcsshim__ext4_grow((void **)&ext4->freed, &ext4->freed_room,
                            ext4->freed_count + 1, sizeof *ext4->freed);
    if (hr < 0)
        return hr;
    ext4->freed[ext4->freed_count].first = first;
    ext4->freed[ext4->freed_count++].count = count;
    return 0;
}

/* Take the data from a file that gets others. */
static int32_t free_data(hcsshim_ext4 *ext4, hcsshim__ext4_inode *inode)
{
    uint32_t leaves = ext4_leaves_of(ext4_extents_of(inode->data_blocks));
    int32_t hr =
        free_blocks(ext4, inode->first_block, inode->data_blocks + leaves);

    inode->block_count -= inode->data_blocks + leaves;
    inode->data_blocks = 0;
    inode->first_block = 0;
    return hr;
}

static int32_t free_attributes(hcsshim_ext4 *ext4, hcsshim__ext4_inode *inode)
{
    int32_t hr = 0;

    if (inode->attribute_block != 0) {
        hr = free_blocks(ext4, inode->attribute_block, 1);
        inode->block_count--;
    }
    inode->attribute_block = 0;
    inode->attributes = NULL;
    inode->attribute_copy = NULL;
    return hr;
}

/* Nothing lives there any more; the number is not used again. */
static int32_t bury(hcsshim_ext4 *ext4, uint32_t number)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[number];
    int32_t hr = free_data(ext4, inode);

    if (hr == 0)
        hr = free_attributes(ext4, inode);
    inode->mode = 0;
    return hr;
}

/*
 * Remove a folder with all in it: depth first, without recursion. What 'next'
 * leads to was removed or is a name of the folder that is being emptied.
 */
static int32_t remove_folder(hcsshim_ext4 *ext4, uint32_t top)
{
    uint32_t folder = top;
    int32_t hr = 0;

    ext4->inodes[top].first_block = 0; /* becomes the way back up */
    while (hr == 0 && folder != 0) {
        hcsshim__ext4_inode *inode = &ext4->inodes[folder];
        uint32_t entry = inode->first_child, child, up = inode->first_block;

        if (entry == 0) {
            inode->first_block = 0;
            hr = bury(ext4, folder);
            folder = up;
            continue;
        }
        child = ext4->names[entry].inode;
        inode->first_child = ext4->names[entry].next;
        ext4->names[entry].inode = 0;
        if (child == 0)
            continue;
        if (ext4_is(&ext4->inodes[child], EXT4_FOLDER)) {
            ext4->inodes[child].first_block = folder;
            folder = child;
        } else if (--ext4->inodes[child].links == 0) {
            hr = bury(ext4, child);
        }
    }
    return hr;
}

/* Take a name from what has it. */
static int32_t unname(hcsshim_ext4 *ext4, uint32_t entry, const uint8_t *text,
                      size_t length)
{
    uint32_t number = ext4->names[entry].inode;
    hcsshim__ext4_inode *inode = &ext4->inodes[number];

    if (number == EXT4_FIRST)
        return fail(ext4, text, length, "lost+found must stay a folder");
    ext4->names[entry].inode = 0;
    if (!ext4_is(inode, EXT4_FOLDER))
        return --inode->links == 0 ? bury(ext4, number) : 0;
    ext4->inodes[ext4->names[entry].parent].links--;
    ext4->cached_inode = 0; /* it may lie in there */
    return remove_folder(ext4, number);
}

/* ---- bodies ------------------------------------------------------------ */

void hcsshim__ext4_extents(uint8_t *at, uint32_t most, uint32_t start,
                           uint32_t from, uint32_t blocks)
{
    uint32_t count = ext4_extents_of(blocks - from);

    if (count > most)
        count = most;
    ext4_put16(at, EXT4_EXTENT_MAGIC);
    ext4_put16(at + 2, count);
    ext4_put16(at + 4, most);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = from + i * EXT4_EXTENT;
        uint32_t length = blocks - first;

        at += 12;
        ext4_put32(at, first);
        ext4_put16(at + 4, length < EXT4_EXTENT ? length : EXT4_EXTENT);
        ext4_put32(at + 8, start + first);
    }
}

/* The leaf blocks of a long file, right behind its data. */
static int32_t write_leaves(hcsshim_ext4 *ext4,
                            const hcsshim__ext4_inode *inode, uint32_t leaves)
{
    int32_t hr = 0;

    for (uint32_t i = 0; hr == 0 && i < leaves; i++) {
        uint8_t block[EXT4_BLOCK] = {0};

        hcsshim__ext4_extents(block, EXT4_EXTENTS_BLOCK, inode->first_block,
                              i * EXT4_EXTENTS_BLOCK * EXT4_EXTENT,
                              inode->data_blocks);
        hr = hcsshim__ext4_out_copy(&ext4->out, block, sizeof block);
    }
    return hr;
}

static void begin_body(hcsshim_ext4 *ext4, uint32_t number)
{
    ext4->current = number;
    ext4->current_done = 0;
    ext4->inodes[number].first_block =
        (uint32_t)(ext4->out.position / EXT4_BLOCK);
}

int32_t hcsshim__ext4_body(hcsshim_ext4 *ext4, const uint8_t *data,
                           uint64_t length)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[ext4->current];
    uint64_t done = ext4->current_done;

    if (ext4->current == 0)
        return 0; /* of something that has none here, as a whiteout */
    if (length > inode->size - done)
        return HCSSHIM_E_UNEXPECTED;
    ext4->current_done += length;
    if ((inode->flags & EXT4_HAS_INLINE) != 0) {
        if (data != NULL)
            memcpy(inode->data + done, data, (size_t)length);
        return 0;
    }
    if (data == NULL)
        return hcsshim__ext4_out_zeros(&ext4->out, length);
    return hcsshim__ext4_out_data(&ext4->out, data, (size_t)length);
}

int32_t hcsshim__ext4_end_body(hcsshim_ext4 *ext4)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[ext4->current];
    uint32_t leaves;
    int32_t hr;

    if (ext4->current == 0)
        return 0;
    ext4->current = 0;
    if (inode->size == 0 || (inode->flags & EXT4_HAS_INLINE) != 0)
        return 0;
    hr = hcsshim__ext4_out_align(&ext4->out);
    inode->data_blocks =
        (uint32_t)(ext4->out.position / EXT4_BLOCK) - inode->first_block;
    inode->flags |= EXT4_HAS_EXTENTS;
    leaves = ext4_leaves_of(ext4_extents_of(inode->data_blocks));
    inode->block_count += inode->data_blocks + leaves;
    return hr < 0 ? hr : write_leaves(ext4, inode, leaves);
}

/* ---- making and changing ----------------------------------------------- */

static int32_t set_inline(hcsshim_ext4 *ext4, hcsshim__ext4_inode *inode)
{
    inode->data = hcsshim__ext4_keep(ext4, LARGEST_INLINE);
    if (inode->data == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    memset(inode->data, 0, LARGEST_INLINE);
    inode->flags |= EXT4_HAS_INLINE;
    return 0;
}

static int32_t set_short_symlink(hcsshim_ext4 *ext4, hcsshim__ext4_inode *inode,
                                 const hcsshim__ext4_meta *meta)
{
    inode->data = hcsshim__ext4_keep(ext4, EXT4_MAP);
    if (inode->data == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    memcpy(inode->data, meta->target, meta->target_length);
    return 0;
}

/* The target of a symlink that is too long for the inode, as its body. */
static int32_t write_long_symlink(hcsshim_ext4 *ext4, uint32_t number,
                                  const hcsshim__ext4_meta *meta)
{
    int32_t hr;

    begin_body(ext4, number);
    hr = hcsshim__ext4_out_copy(&ext4->out, meta->target, meta->target_length);
    return hr < 0 ? hr : hcsshim__ext4_end_body(ext4);
}

/*
 * Fill an inode, new or not. Attributes that it had in itself, not in a block,
 * stay unless given anew, as in the reference; 'strict' forgets them.
 */
static int32_t fill(hcsshim_ext4 *ext4, uint32_t number,
                    const hcsshim__ext4_meta *meta)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[number];
    int32_t hr = 0;

    inode->mode = meta->mode;
    inode->uid = meta->uid;
    inode->gid = meta->gid;
    inode->accessed = meta->accessed;
    inode->changed = meta->changed;
    inode->modified = meta->modified;
    inode->device = meta->device;
    inode->flags = EXT4_HUGE_FILE;
    inode->data = NULL;
    inode->size = 0;
    if (ext4_is(inode, EXT4_FILE))
        inode->size = meta->size;
    if (ext4_is(inode, EXT4_FILE) && meta->size <= LARGEST_INLINE &&
        (ext4->flags & HCSSHIM_EXT4_INLINE) != 0)
        hr = set_inline(ext4, inode);
    if (ext4_is(inode, EXT4_SYMLINK)) {
        inode->mode |= 0777;
        inode->size = meta->target_length;
        if (meta->target_length <= EXT4_SHORT_SYMLINK)
            hr = set_short_symlink(ext4, inode, meta);
    }
    if (hr == 0)
        hr = hcsshim__ext4_attribute_write(ext4, inode);
    if (hr == 0 && ext4_is(inode, EXT4_SYMLINK) && inode->data == NULL)
        hr = write_long_symlink(ext4, number, meta);
    return hr;
}

/* What an inode's own attributes were goes below the ones gathered. */
static int32_t merge_attributes(hcsshim_ext4 *ext4,
                                const hcsshim__ext4_inode *inode)
{
    hcsshim__ext4_attributes *all = &ext4->attributes;
    size_t given = all->count;
    int32_t hr;

    if (inode->attributes == NULL)
        return 0;
    hr = hcsshim__ext4_attribute_read(ext4, inode->attributes + 4,
                                      EXT4_INODE_ROOM - 4, 0);
    for (size_t i = 0; i < given; i++)
        all->list[i].order += (uint32_t)all->count;
    return hr;
}

int32_t hcsshim__ext4_update(hcsshim_ext4 *ext4, uint32_t number,
                             const hcsshim__ext4_meta *meta)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[number];
    int32_t hr = 0;

    if ((ext4->flags & HCSSHIM_EXT4_STRICT) == 0)
        hr = merge_attributes(ext4, inode);
    return hr < 0 ? hr : fill(ext4, number, meta);
}

/* A file in the place of one with the same name, in its inode. */
static int32_t replace(hcsshim_ext4 *ext4, uint32_t number,
                       const hcsshim__ext4_meta *meta)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[number];
    int had_data = (inode->flags & EXT4_HAS_EXTENTS) != 0;
    int32_t hr = 0;

    if (had_data)
        hr = free_data(ext4, inode);
    if (hr == 0 && (had_data || (ext4->flags & HCSSHIM_EXT4_STRICT) != 0))
        hr = free_attributes(ext4, inode);
    return hr < 0 ? hr : hcsshim__ext4_update(ext4, number, meta);
}

static int32_t make(hcsshim_ext4 *ext4, uint32_t parent, const uint8_t *text,
                    size_t length, const hcsshim__ext4_meta *meta,
                    uint32_t *number)
{
    int folder = (meta->mode & EXT4_KIND) == EXT4_FOLDER;
    int32_t hr;

    if (folder && ext4->inodes[parent].links >= EXT4_MOST_LINKS)
        return fail(ext4, text, length, "the folder holds too many folders");
    hr = new_inode(ext4, number);
    if (hr == 0)
        hr = fill(ext4, *number, meta);
    if (hr == 0)
        hr = hcsshim__ext4_name_it(ext4, parent, text, length, *number);
    ext4->inodes[*number].links = folder ? 2 : 1;
    ext4->inodes[parent].links += folder != 0;
    return hr;
}

static int32_t check(hcsshim_ext4 *ext4, uint32_t parent, const uint8_t *text,
                     size_t length, const hcsshim__ext4_meta *meta)
{
    if (length == 0 || length > EXT4_LONGEST_NAME ||
        memchr(text, 0, length) != NULL)
        return fail(ext4, text, length,
                    "a name must have 1 to 255 bytes, none of them zero");
    if (!ext4_is(&ext4->inodes[parent], EXT4_FOLDER))
        return fail(ext4, text, length,
                    "it lies in something that is no folder");
    if (meta == NULL)
        return 0;
    if (meta->size > LARGEST_FILE)
        return fail(ext4, text, length, "a file has at most 128 GiB");
    if ((meta->mode & EXT4_KIND) == EXT4_SYMLINK &&
        (meta->target_length == 0 ||
         meta->target_length > EXT4_LONGEST_SYMLINK ||
         memchr(meta->target, 0, meta->target_length) != NULL))
        return fail(ext4, text, length,
                    "a symbolic link's target must have 1 to 4095 bytes");
    return 0;
}

/* Whether a file that has the name lends its inode to the new one. */
static int lends(const hcsshim__ext4_inode *old, const hcsshim__ext4_meta *meta)
{
    int folder = (meta->mode & EXT4_KIND) == EXT4_FOLDER;

    return ext4_is(old, EXT4_FOLDER) ? folder : !folder && old->links < 2;
}

int32_t hcsshim__ext4_create(hcsshim_ext4 *ext4, uint32_t parent,
                             const uint8_t *text, size_t length,
                             const hcsshim__ext4_meta *meta)
{
    uint32_t entry, number = 0;
    int32_t hr = check(ext4, parent, text, length, meta);

    if (hr < 0)
        return hr;
    entry = hcsshim__ext4_find(ext4, parent, text, length);
    if (entry != 0)
        number = ext4->names[entry].inode;
    if (number != 0 && !lends(&ext4->inodes[number], meta)) {
        hr = unname(ext4, entry, text, length);
        number = 0;
    }
    if (hr < 0)
        return hr;
    if (number == 0)
        hr = make(ext4, parent, text, length, meta, &number);
    else
        hr = replace(ext4, number, meta);
    if (hr == 0 && ext4_is(&ext4->inodes[number], EXT4_FILE))
        begin_body(ext4, number);
    return hr;
}

int32_t hcsshim__ext4_link(hcsshim_ext4 *ext4, uint32_t parent,
                           const uint8_t *text, size_t length, uint32_t number)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[number];
    uint32_t entry;
    int32_t hr = check(ext4, parent, text, length, NULL);

    if (hr < 0)
        return hr;
    if (ext4_is(inode, EXT4_FOLDER))
        return fail(ext4, text, length, "a folder cannot have a second name");
    entry = hcsshim__ext4_find(ext4, parent, text, length);
    if (entry != 0 && ext4->names[entry].inode == number)
        return 0;
    if (inode->links >= EXT4_MOST_LINKS)
        return fail(ext4, text, length, "a file has at most 65000 names");
    if (entry != 0 && ext4->names[entry].inode != 0)
        hr = unname(ext4, entry, text, length);
    if (hr == 0 && inode->mode == 0) /* it lay in what was just removed */
        return fail(ext4, text, length, "the target of a link is not there");
    inode->links++;
    return hr < 0 ? hr
                  : hcsshim__ext4_name_it(ext4, parent, text, length, number);
}

int32_t hcsshim__ext4_begin(hcsshim_ext4 *ext4)
{
    static const uint8_t lost[] = "lost+found";
    hcsshim__ext4_meta meta = {.mode = EXT4_FOLDER | 0755};
    uint32_t number = 0;
    int32_t hr = 0;

    while (hr == 0 && ext4->inode_count < EXT4_FIRST)
        hr = new_inode(ext4, &number);
    if (hr == 0)
        hr = fill(ext4, EXT4_ROOT, &meta);
    if (hr < 0)
        return hr;
    ext4->inodes[EXT4_ROOT].links = 2;
    meta.mode = EXT4_FOLDER | 0700;
    return hcsshim__ext4_create(ext4, EXT4_ROOT, lost, sizeof lost - 1, &meta);
}
