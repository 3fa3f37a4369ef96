/*
 * ext4_close.c - what is written when all files are: folders, inode tables,
 * bitmaps, and at last what stands in front of everything.
 */
#include <stdlib.h>
#include <string.h>

#include "layer/ext4_parts.h"

/* The sizes that follow from the number of inodes and blocks. */
struct layout {
    uint32_t groups, inodes_per_group;
    uint32_t table;   /* the first block of the inode tables */
    uint32_t bitmaps; /* the first block of the bitmaps */
    uint32_t valid;   /* blocks that hold something */
    uint32_t blocks;  /* of the image */
    uint32_t used_blocks, used_inodes;
};

/* ---- folders ----------------------------------------------------------- */

/* What a folder holds, and the folders that wait for their turn. */
struct listing {
    const hcsshim__ext4_name **names;
    size_t count, room;
    uint32_t *waiting; /* pairs of folder and its parent, the next one last */
    size_t waiting_count, waiting_room;
    uint8_t block[EXT4_BLOCK];
    uint32_t used;
};

static int by_inode(const void *a, const void *b)
{
    const hcsshim__ext4_name *left = *(const hcsshim__ext4_name *const *)a;
    const hcsshim__ext4_name *right = *(const hcsshim__ext4_name *const *)b;
    size_t least = left->length < right->length ? left->length : right->length;
    int order;

    if (left->inode != right->inode)
        return left->inode < right->inode ? -1 : 1;
    order = memcmp(left->text, right->text, least);
    return order != 0 ? order : (int)left->length - (int)right->length;
}

/* Most folders are in order as they are. */
static void sort(struct listing *listing)
{
    for (size_t i = 1; i < listing->count; i++)
        if (by_inode(&listing->names[i - 1], &listing->names[i]) > 0) {
            qsort(listing->names, listing->count, sizeof *listing->names,
                  by_inode);
            return;
        }
}

static int32_t list(hcsshim_ext4 *ext4, struct listing *listing,
                    uint32_t folder)
{
    int32_t hr = 0;
    uint32_t entry = ext4->inodes[folder].first_child;

    listing->count = 0;
    for (; hr == 0 && entry != 0; entry = ext4->names[entry].next) {
        if (ext4->names[entry].inode == 0)
            continue;
        hr = hcsshim__ext4_grow((void **)&listing->names, &listing->room,
                                listing->count + 1, sizeof *listing->names);
        if (hr == 0)
            listing->names[listing->count++] = &ext4->names[entry];
    }
    /* They were found from the last one to the first. */
    for (size_t i = 0; i < listing->count / 2; i++) {
        const hcsshim__ext4_name *other = listing->names[i];

        listing->names[i] = listing->names[listing->count - 1 - i];
        listing->names[listing->count - 1 - i] = other;
    }
    sort(listing);
    return hr;
}

static uint8_t type_of(const hcsshim__ext4_inode *inode)
{
    static const uint8_t types[16] = {
        [EXT4_FILE >> 12] = 1,      [EXT4_FOLDER >> 12] = 2,
        [EXT4_CHARACTER >> 12] = 3, [EXT4_DEVICE >> 12] = 4,
        [EXT4_FIFO >> 12] = 5,      [EXT4_SOCKET >> 12] = 6,
        [EXT4_SYMLINK >> 12] = 7};

    return types[inode->mode >> 12];
}

/* Every block ends with an entry of no file that takes the rest. */
static int32_t end_block(hcsshim_ext4 *ext4, struct listing *listing)
{
    uint8_t *at = listing->block + listing->used;

    memset(at, 0, EXT4_BLOCK - listing->used);
    ext4_put16(at + 4, EXT4_BLOCK - listing->used);
    listing->used = 0;
    return hcsshim__ext4_out_copy(&ext4->out, listing->block, EXT4_BLOCK);
}

static int32_t add_entry(hcsshim_ext4 *ext4, struct listing *listing,
                         uint32_t inode, const uint8_t *text, size_t length)
{
    uint32_t size = (uint32_t)(8 + length + 3) & ~UINT32_C(3);
    uint8_t *at;
    int32_t hr = 0;

    if (EXT4_BLOCK - listing->used < size + 12)
        hr = end_block(ext4, listing);
    at = listing->block + listing->used;
    ext4_put32(at, inode);
    ext4_put16(at + 4, size);
    at[6] = (uint8_t)length;
    at[7] = type_of(&ext4->inodes[inode]);
    ext4_put32(at + size - 4, 0); /* the padding */
    memcpy(at + 8, text, length);
    listing->used += size;
    return hr;
}

static int32_t write_folder(hcsshim_ext4 *ext4, struct listing *listing,
                            uint32_t folder, uint32_t parent)
{
    hcsshim__ext4_inode *inode = &ext4->inodes[folder];
    int32_t hr = list(ext4, listing, folder);

    inode->first_block = (uint32_t)(ext4->out.position / EXT4_BLOCK);
    if (hr == 0)
        hr = add_entry(ext4, listing, folder, (const uint8_t *)".", 1);
    if (hr == 0)
        hr = add_entry(ext4, listing, parent, (const uint8_t *)"..", 2);
    for (size_t i = 0; hr == 0 && i < listing->count; i++)
        hr = add_entry(ext4, listing, listing->names[i]->inode,
                       listing->names[i]->text, listing->names[i]->length);
    if (hr == 0)
        hr = end_block(ext4, listing);
    inode->data_blocks =
        (uint32_t)(ext4->out.position / EXT4_BLOCK) - inode->first_block;
    inode->size = (uint64_t)inode->data_blocks * EXT4_BLOCK;
    inode->block_count += inode->data_blocks;
    inode->flags |= EXT4_HAS_EXTENTS;
    return hr;
}

static int32_t wait(struct listing *listing, uint32_t folder, uint32_t parent)
{
    int32_t hr = hcsshim__ext4_grow(
        (void **)&listing->waiting, &listing->waiting_room,
        listing->waiting_count + 2, sizeof *listing->waiting);

    if (hr < 0)
        return hr;
    listing->waiting[listing->waiting_count++] = folder;
    listing->waiting[listing->waiting_count++] = parent;
    return 0;
}

/* Each folder before the ones in it, without recursion. */
static int32_t write_folders(hcsshim_ext4 *ext4)
{
    struct listing listing = {0};
    int32_t hr = wait(&listing, EXT4_ROOT, EXT4_ROOT);

    while (hr == 0 && listing.waiting_count > 0) {
        uint32_t parent = listing.waiting[--listing.waiting_count];
        uint32_t folder = listing.waiting[--listing.waiting_count];

        hr = write_folder(ext4, &listing, folder, parent);
        for (size_t i = listing.count; hr == 0 && i > 0; i--) {
            uint32_t child = listing.names[i - 1]->inode;

            if (ext4_is(&ext4->inodes[child], EXT4_FOLDER))
                hr = wait(&listing, child, folder);
        }
    }
    free((void *)listing.names);
    free(listing.waiting);
    return hr;
}

/* ---- inode tables ------------------------------------------------------ */

static void put_map(uint8_t *at, hcsshim__ext4_inode *inode)
{
    uint32_t leaves = ext4_leaves_of(ext4_extents_of(inode->data_blocks));
    uint32_t span = EXT4_EXTENTS_BLOCK * (uint32_t)EXT4_EXTENT;

    if (leaves == 0) {
        hcsshim__ext4_extents(at, EXT4_EXTENTS_INODE, inode->first_block, 0,
                              inode->data_blocks);
        return;
    }
    ext4_put16(at, EXT4_EXTENT_MAGIC);
    ext4_put16(at + 2, leaves);
    ext4_put16(at + 4, EXT4_EXTENTS_INODE);
    ext4_put16(at + 6, 1);
    for (uint32_t i = 0; i < leaves; i++) {
        ext4_put32(at + 12 + 12 * i, i * span);
        ext4_put32(at + 16 + 12 * i,
                   inode->first_block + inode->data_blocks + i);
    }
}

/* What the 60 bytes of an inode hold that tell where its contents are. */
static void put_contents(uint8_t *at, hcsshim__ext4_inode *inode)
{
    if ((inode->flags & EXT4_HAS_EXTENTS) != 0)
        put_map(at, inode);
    else if (ext4_is(inode, EXT4_CHARACTER) || ext4_is(inode, EXT4_DEVICE))
        ext4_put32(at + 4, inode->device);
    else if (inode->data != NULL)
        memcpy(at, inode->data,
               inode->size < EXT4_MAP ? (size_t)inode->size : EXT4_MAP);
    if ((inode->flags & EXT4_HAS_INLINE) != 0 && inode->size > EXT4_MAP)
        hcsshim__ext4_attribute_inline(inode);
}

static void put_inode(uint8_t *at, hcsshim__ext4_inode *inode)
{
    ext4_put16(at, inode->mode);
    ext4_put16(at + 0x02, inode->uid);
    ext4_put32(at + 0x04, (uint32_t)inode->size);
    ext4_put32(at + 0x08, (uint32_t)inode->accessed);
    ext4_put32(at + 0x0C, (uint32_t)inode->changed);
    ext4_put32(at + 0x10, (uint32_t)inode->modified);
    ext4_put16(at + 0x18, inode->gid);
    ext4_put16(at + 0x1A, inode->links);
    ext4_put32(at + 0x1C, inode->block_count);
    ext4_put32(at + 0x20, inode->flags);
    put_contents(at + 0x28, inode);
    ext4_put32(at + 0x68, inode->attribute_block);
    ext4_put32(at + 0x6C, (uint32_t)(inode->size >> 32));
    ext4_put16(at + 0x78, inode->uid >> 16);
    ext4_put16(at + 0x7A, inode->gid >> 16);
    ext4_put16(at + 0x80, EXT4_INODE_USED - 128);
    ext4_put32(at + 0x84, (uint32_t)(inode->changed >> 32));
    ext4_put32(at + 0x88, (uint32_t)(inode->modified >> 32));
    ext4_put32(at + 0x8C, (uint32_t)(inode->accessed >> 32));
    ext4_put32(at + 0x90, (uint32_t)inode->modified);
    ext4_put32(at + 0x94, (uint32_t)(inode->modified >> 32));
    if (inode->attributes != NULL)
        memcpy(at + EXT4_INODE_USED, inode->attributes, EXT4_INODE_ROOM);
}

static int32_t write_tables(hcsshim_ext4 *ext4, const struct layout *layout)
{
    uint64_t size =
        (uint64_t)layout->groups * layout->inodes_per_group * EXT4_INODE;
    int32_t hr = 0;

    for (uint32_t i = 1; hr == 0 && i < ext4->inode_count; i++) {
        uint8_t inode[EXT4_INODE] = {0};

        if (ext4->inodes[i].mode != 0)
            put_inode(inode, &ext4->inodes[i]);
        hr = hcsshim__ext4_out_copy(&ext4->out, inode, sizeof inode);
    }
    if (hr < 0)
        return hr;
    return hcsshim__ext4_out_zeros(
        &ext4->out, size - (uint64_t)(ext4->inode_count - 1) * EXT4_INODE);
}

/* ---- bitmaps ----------------------------------------------------------- */

static uint32_t groups_for(uint32_t blocks, uint32_t inodes, uint32_t per_group)
{
    uint32_t data = EXT4_GROUP - per_group / EXT4_INODES_STEP - 2;
    uint64_t least = (uint64_t)((inodes - 1) / per_group) * data + 1;
    uint64_t wanted = blocks < least ? least : blocks;

    return (uint32_t)((wanted + data - 1) / data);
}

/* As few groups as possible, and of these the fewest inodes in each. */
static void plan(const hcsshim_ext4 *ext4, struct layout *layout)
{
    uint32_t last = ext4->inode_count - 1;

    layout->table = (uint32_t)(ext4->out.position / EXT4_BLOCK);
    layout->groups = UINT32_MAX;
    for (uint32_t i = EXT4_INODES_STEP; i <= EXT4_GROUP;
         i += EXT4_INODES_STEP) {
        uint32_t groups = groups_for(layout->table, last, i);

        if (groups >= layout->groups)
            continue;
        layout->groups = groups;
        layout->inodes_per_group = i;
    }
    layout->bitmaps =
        layout->table +
        layout->groups * (layout->inodes_per_group / EXT4_INODES_STEP);
    layout->valid = layout->bitmaps + 2 * layout->groups;
    layout->blocks = (layout->groups - 1) * EXT4_GROUP + 1;
    if (layout->blocks < layout->valid)
        layout->blocks = layout->valid;
}

/* Set the bits from 'first' to before 'end'; tell how many were not set. */
static uint32_t set_bits(uint8_t *map, uint32_t first, uint32_t end)
{
    uint32_t count = 0;

    for (uint32_t i = first; i < end; i++) {
        if (i % 8 == 0 && end - i >= 8 && map[i / 8] == 0) {
            map[i / 8] = 0xFF;
            count += 8;
            i += 7;
            continue;
        }
        count += (map[i / 8] >> i % 8 & 1) == 0;
        map[i / 8] |= (uint8_t)(1 << i % 8);
    }
    return count;
}

static uint32_t clear_bits(uint8_t *map, uint32_t first, uint32_t end)
{
    uint32_t count = 0;

    for (uint32_t i = first; i < end; i++) {
        count += map[i / 8] >> i % 8 & 1;
        map[i / 8] &= (uint8_t) ~(1 << i % 8);
    }
    return count;
}

static uint32_t clamp(uint32_t value, uint32_t first)
{
    if (value < first)
        return 0;
    return value - first < EXT4_GROUP ? value - first : EXT4_GROUP;
}

static uint32_t map_blocks(const hcsshim_ext4 *ext4,
                           const struct layout *layout, uint32_t group,
                           uint8_t *map)
{
    uint32_t first = group * EXT4_GROUP, descriptors;
    uint32_t used = set_bits(map, 0, clamp(layout->valid, first));

    descriptors = (layout->groups - 1) / EXT4_DESCRIPTORS + 1;
    if (group == 0) /* room for descriptors that are not needed */
        used -= clear_bits(map, 1 + descriptors, 1 + ext4->descriptor_blocks);
    for (size_t i = 0; i < ext4->freed_count; i++) {
        const hcsshim__ext4_range *range = &ext4->freed[i];

        used -= clear_bits(map, clamp(range->first, first),
                           clamp(range->first + range->count, first));
    }
    if (group == layout->groups - 1 && layout->blocks % EXT4_GROUP != 0)
        used += set_bits(map, layout->blocks % EXT4_GROUP, EXT4_GROUP);
    return used;
}

static uint32_t map_inodes(const hcsshim_ext4 *ext4,
                           const struct layout *layout, uint32_t group,
                           uint8_t *map, uint32_t *folders)
{
    uint32_t used = 0, first = 1 + group * layout->inodes_per_group;

    *folders = 0;
    for (uint32_t i = 0; i < layout->inodes_per_group; i++) {
        uint32_t number = first + i;
        int lives = number < ext4->inode_count && ext4->inodes[number].mode;

        if (lives && ext4_is(&ext4->inodes[number], EXT4_FOLDER))
            ++*folders;
        if (number < EXT4_FIRST || lives)
            used += set_bits(map, i, i + 1);
    }
    if ((ext4->flags & HCSSHIM_EXT4_STRICT) != 0)
        set_bits(map, layout->inodes_per_group, EXT4_GROUP);
    return used;
}

static int32_t write_group(hcsshim_ext4 *ext4, struct layout *layout,
                           uint32_t group, uint8_t *descriptor)
{
    uint8_t maps[2 * EXT4_BLOCK] = {0};
    uint32_t folders, blocks, inodes, place = layout->bitmaps + 2 * group;

    blocks = map_blocks(ext4, layout, group, maps);
    inodes = map_inodes(ext4, layout, group, maps + EXT4_BLOCK, &folders);
    ext4_put32(descriptor, place);
    ext4_put32(descriptor + 0x04, place + 1);
    ext4_put32(descriptor + 0x08,
               layout->table +
                   group * (layout->inodes_per_group / EXT4_INODES_STEP));
    ext4_put16(descriptor + 0x0C, EXT4_GROUP - blocks);
    ext4_put16(descriptor + 0x0E, layout->inodes_per_group - inodes);
    ext4_put16(descriptor + 0x10, folders);
    layout->used_blocks += blocks;
    layout->used_inodes += inodes;
    return hcsshim__ext4_out_copy(&ext4->out, maps, sizeof maps);
}

/* ---- the super block --------------------------------------------------- */

static void put_superblock(const hcsshim_ext4 *ext4,
                           const struct layout *layout, uint8_t *at)
{
    uint32_t inodes = layout->inodes_per_group * layout->groups;
    int inlined = (ext4->flags & HCSSHIM_EXT4_INLINE) != 0;

    ext4_put32(at, inodes);
    ext4_put32(at + 0x04, layout->blocks);
    ext4_put32(at + 0x0C, EXT4_GROUP * layout->groups - layout->used_blocks);
    ext4_put32(at + 0x10, inodes - layout->used_inodes);
    ext4_put32(at + 0x18, 2); /* blocks of 4096 bytes */
    ext4_put32(at + 0x1C, 2);
    ext4_put32(at + 0x20, EXT4_GROUP);
    ext4_put32(at + 0x24, EXT4_GROUP);
    ext4_put32(at + 0x28, layout->inodes_per_group);
    ext4_put16(at + 0x38, EXT4_MAGIC);
    ext4_put16(at + 0x3A, 1); /* clean */
    ext4_put16(at + 0x3C, 1); /* go on after errors */
    ext4_put32(at + 0x4C, 1); /* revision */
    ext4_put32(at + 0x54, EXT4_FIRST);
    ext4_put16(at + 0x58, EXT4_INODE);
    ext4_put32(at + 0x5C, 0x208); /* attributes, sparse_super2 */
    ext4_put32(at + 0x60, 0x242 + (inlined ? 0x8000 : 0)); /* filetype, extents,
                                                              flex_bg */
    ext4_put32(at + 0x64, 0x104A); /* large_file, huge_file, extra_isize,
                                      read-only */
    ext4_put16(at + 0x15C, EXT4_INODE_USED - 128);
    ext4_put16(at + 0x15E, EXT4_INODE_USED - 128);
    at[0x174] = 31; /* all groups are one flexible group */
    ext4_put32(at + 0x268, EXT4_FIRST);
}

static int32_t write_rest(hcsshim_ext4 *ext4, struct layout *layout,
                          uint8_t *front)
{
    int32_t hr = 0;

    for (uint32_t i = 0; hr == 0 && i < layout->groups; i++)
        hr = write_group(ext4, layout, i,
                         front + EXT4_BLOCK + (size_t)i * EXT4_DESCRIPTOR);
    if (hr == 0)
        hr = hcsshim__ext4_out_zeros(
            &ext4->out,
            (uint64_t)(layout->blocks - layout->valid) * EXT4_BLOCK);
    if (hr < 0)
        return hr;
    put_superblock(ext4, layout, front + EXT4_SUPERBLOCK);
    hr = hcsshim__ext4_out_again(&ext4->out, 0, front,
                                 1 + ext4->descriptor_blocks);
    if (hr == 0 && ext4->out.file >= 0 && ext4->out.sparse)
        hr = hcsshim__image_resize(ext4->out.file, ext4->out.position);
    return hr;
}

int32_t hcsshim__ext4_close(hcsshim_ext4 *ext4)
{
    struct layout layout = {0};
    uint8_t *front;
    int32_t hr = write_folders(ext4);

    if (hr < 0)
        return hr;
    plan(ext4, &layout);
    if ((layout.groups - 1) / EXT4_DESCRIPTORS + 1 > ext4->descriptor_blocks) {
        ext4->out.full = 1;
        return HCSSHIM_E_FILE_TOO_LARGE;
    }
    hr = write_tables(ext4, &layout);
    front = calloc((size_t)1 + ext4->descriptor_blocks, EXT4_BLOCK);
    if (hr == 0)
        hr = front == NULL ? HCSSHIM_E_OUTOFMEMORY
                           : write_rest(ext4, &layout, front);
    free(front);
    return hr;
}
