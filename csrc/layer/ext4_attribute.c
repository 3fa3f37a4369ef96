/*
 * ext4_attribute.c - extended attributes, in the inode and in a block.
 *
 * An attribute goes into the 104 bytes that an inode has for them if it fits,
 * else into the file's block of them. Both are an area of entries that grows
 * upward and values that grow downward.
 */
#include <stdlib.h>
#include <string.h>

#include "layer/ext4_parts.h"

#define ENTRY 16
#define HEAD_INODE 4
#define HEAD_BLOCK 32
#define END 4 /* a zero behind the last entry */
#define LONGEST_NAME 255
/* What the names of one inode's attributes can take with their prefixes. */
#define NAMES ((size_t)16 * 1024)

const hcsshim__ext4_prefix hcsshim__ext4_prefixes[EXT4_PREFIXES] = {
    {2, 23, "system.posix_acl_access"},
    {3, 24, "system.posix_acl_default"},
    {8, 14, "system.richacl"},
    {7, 7, "system."},
    {1, 5, "user."},
    {4, 8, "trusted."},
    {6, 9, "security."}};

static uint32_t padded(uint32_t length) { return (length + 3) & ~UINT32_C(3); }

static uint32_t short_length(const hcsshim__ext4_attribute *attribute)
{
    return attribute->name_length - attribute->skip;
}

static uint32_t entry_size(const hcsshim__ext4_attribute *attribute)
{
    return ENTRY + padded(short_length(attribute));
}

static void compress(hcsshim__ext4_attribute *attribute)
{
    attribute->index = 0;
    attribute->skip = 0;
    for (size_t i = 0; i < EXT4_PREFIXES; i++) {
        const hcsshim__ext4_prefix *prefix = &hcsshim__ext4_prefixes[i];

        if (attribute->name_length < prefix->length ||
            memcmp(attribute->name, prefix->text, prefix->length) != 0)
            continue;
        attribute->index = prefix->index;
        attribute->skip = prefix->length;
        return;
    }
}

int32_t hcsshim__ext4_attribute_add(hcsshim_ext4 *ext4, const uint8_t *name,
                                    size_t name_length, const uint8_t *value,
                                    size_t value_length)
{
    hcsshim__ext4_attributes *all = &ext4->attributes;
    hcsshim__ext4_attribute *attribute;
    int32_t hr = hcsshim__ext4_grow((void **)&all->list, &all->room,
                                    all->count + 1, sizeof *all->list);

    if (hr < 0)
        return hr;
    attribute = &all->list[all->count];
    attribute->name = name;
    attribute->name_length = (uint32_t)name_length;
    attribute->value = value;
    attribute->value_length = (uint32_t)value_length;
    attribute->order = (uint32_t)all->count++;
    compress(attribute);
    return 0;
}

/* ---- reading back ------------------------------------------------------ */

/* The whole name of a stored attribute; NULL if there is no room for it. */
static const uint8_t *whole_name(hcsshim__ext4_attributes *all, uint8_t index,
                                 const uint8_t *name, size_t *length)
{
    size_t prefix_length = 0;
    uint8_t *whole = all->names + all->names_used;

    for (size_t i = 0; i < EXT4_PREFIXES; i++) {
        const hcsshim__ext4_prefix *prefix = &hcsshim__ext4_prefixes[i];

        if (prefix->index != index)
            continue;
        prefix_length = prefix->length;
        if (NAMES - all->names_used < prefix_length)
            return NULL;
        memcpy(whole, prefix->text, prefix_length);
        break;
    }
    if (NAMES - all->names_used - prefix_length < *length)
        return NULL;
    memcpy(whole + prefix_length, name, *length);
    *length += prefix_length;
    all->names_used += *length;
    return whole;
}

int32_t hcsshim__ext4_attribute_read(hcsshim_ext4 *ext4, const uint8_t *area,
                                     size_t length, size_t delta)
{
    hcsshim__ext4_attributes *all = &ext4->attributes;
    int32_t hr = 0;

    if (all->names == NULL)
        all->names = malloc(NAMES);
    if (all->names == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    for (size_t at = 0; hr == 0 && at + ENTRY <= length && area[at] != 0;) {
        size_t name_length = area[at], next = at + ENTRY + padded(area[at]);
        size_t offset = ext4_get16(area + at + 2);
        size_t size = ext4_get32(area + at + 8);
        const uint8_t *name;

        if (next > length || offset < delta || offset - delta > length ||
            size > length - (offset - delta))
            return HCSSHIM_E_UNEXPECTED; /* this very writer wrote it */
        name = whole_name(all, area[at + 1], area + at + ENTRY, &name_length);
        if (name == NULL)
            return HCSSHIM_E_UNEXPECTED;
        hr = hcsshim__ext4_attribute_add(ext4, name, name_length,
                                         area + offset - delta, size);
        at = next;
    }
    return hr;
}

/* ---- writing ----------------------------------------------------------- */

static uint32_t hash_of(const hcsshim__ext4_attribute *attribute)
{
    const uint8_t *name = attribute->name + attribute->skip;
    uint32_t hash = 0, length = attribute->value_length;

    for (uint32_t i = 0; i < short_length(attribute); i++)
        hash = hash << 5 ^ hash >> 27 ^ name[i];
    for (uint32_t i = 0; i < length; i += 4) {
        uint8_t word[4] = {0};

        memcpy(word, attribute->value + i, length - i < 4 ? length - i : 4);
        hash = hash << 16 ^ hash >> 16 ^ ext4_get32(word);
    }
    return hash;
}

/* Fill an area; offsets count from 'delta' bytes before it. */
static void put(uint8_t *area, uint32_t length, uint32_t delta,
                const hcsshim__ext4_attribute *const *list, size_t count)
{
    uint8_t *entry = area;
    uint32_t end = length;

    for (size_t i = 0; i < count; i++) {
        const hcsshim__ext4_attribute *attribute = list[i];

        end -= padded(attribute->value_length);
        entry[0] = (uint8_t)short_length(attribute);
        entry[1] = attribute->index;
        ext4_put16(entry + 2, end + delta);
        ext4_put32(entry + 4, 0);
        ext4_put32(entry + 8, attribute->value_length);
        ext4_put32(entry + 12, hash_of(attribute));
        memcpy(entry + ENTRY, attribute->name + attribute->skip,
               short_length(attribute));
        memcpy(area + end, attribute->value, attribute->value_length);
        entry += entry_size(attribute);
    }
}

static int compare(const uint8_t *a, uint32_t a_length, const uint8_t *b,
                   uint32_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* By the whole name, and by age where that is the same. */
static int by_name(const void *a, const void *b)
{
    const hcsshim__ext4_attribute *left = a, *right = b;
    int order =
        compare(left->name, left->name_length, right->name, right->name_length);

    if (order != 0)
        return order;
    return (left->order > right->order) - (left->order < right->order);
}

/* Sort, and of equal names leave the last one. */
static void settle(hcsshim__ext4_attributes *all)
{
    size_t kept = 0;

    if (all->count > 1)
        qsort(all->list, all->count, sizeof *all->list, by_name);
    for (size_t i = 0; i < all->count; i++) {
        if (i + 1 < all->count &&
            compare(all->list[i].name, all->list[i].name_length,
                    all->list[i + 1].name, all->list[i + 1].name_length) == 0)
            continue;
        all->list[kept++] = all->list[i];
    }
    all->count = kept;
}

/*
 * Whether 'a' goes before 'b' in a block. The reference asks this, which
 * contradicts itself; the kernel's order is by index, length, and name.
 */
static int goes_before(const hcsshim__ext4_attribute *a,
                       const hcsshim__ext4_attribute *b, int strict)
{
    uint32_t a_length = short_length(a), b_length = short_length(b);
    int order =
        compare(a->name + a->skip, a_length, b->name + b->skip, b_length);

    if (!strict)
        return a->index < b->index || a_length < b_length || order < 0;
    if (a->index != b->index)
        return a->index < b->index;
    return a_length != b_length ? a_length < b_length : order < 0;
}

/* Go sorts as many as fit here by insertion, which decides the outcome. */
static void order_block(const hcsshim__ext4_attribute **list, size_t count,
                        int strict)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && goes_before(list[j], list[j - 1], strict);
             j--) {
            const hcsshim__ext4_attribute *other = list[j];

            list[j] = list[j - 1];
            list[j - 1] = other;
        }
}

/* Where the attributes go, and what is made of them. */
struct placement {
    const hcsshim__ext4_attribute *inode[EXT4_INODE_ROOM / ENTRY + 1];
    const hcsshim__ext4_attribute *block[EXT4_BLOCK / ENTRY];
    size_t inode_count, block_count;
    uint32_t inode_left, block_left;
    hcsshim__ext4_attribute inline_data;
    uint8_t area[EXT4_INODE_ROOM];
    uint8_t bytes[EXT4_BLOCK];
};

/* The end of an inline file's data: always there, always first. */
static void place_inline(const hcsshim__ext4_inode *inode,
                         struct placement *placement)
{
    hcsshim__ext4_attribute *data = &placement->inline_data;

    data->name = (const uint8_t *)"system.data";
    data->name_length = 11;
    data->value_length =
        inode->size > EXT4_MAP ? (uint32_t)inode->size - EXT4_MAP : 0;
    data->value = data->value_length > 0 ? inode->data + EXT4_MAP : data->name;
    compress(data);
    placement->inode[placement->inode_count++] = data;
    placement->inode_left -= entry_size(data) + padded(data->value_length);
}

/* Whether there is nothing behind "user." and the like; Linux refuses that. */
static int is_unnamed(const hcsshim__ext4_attribute *attribute)
{
    uint32_t length = attribute->name_length;

    return short_length(attribute) == 0 &&
           (length == 0 || attribute->name[length - 1] == '.');
}

static int32_t place(hcsshim_ext4 *ext4, const hcsshim__ext4_attribute *each,
                     struct placement *placement)
{
    uint32_t size = EXT4_BLOCK;

    if (short_length(each) > LONGEST_NAME ||
        (is_unnamed(each) && (ext4->flags & HCSSHIM_EXT4_STRICT) != 0))
        return hcsshim__ext4_fail(
            ext4, HCSSHIM_E_INVALID_DATA, each->name, each->name_length,
            "the name of an extended attribute is empty or too long");
    if (each->value_length < EXT4_BLOCK)
        size = entry_size(each) + padded(each->value_length);
    if (size <= placement->inode_left) {
        placement->inode[placement->inode_count++] = each;
        placement->inode_left -= size;
    } else if (size <= placement->block_left) {
        placement->block[placement->block_count++] = each;
        placement->block_left -= size;
    } else {
        return hcsshim__ext4_fail(
            ext4, HCSSHIM_E_INVALID_DATA, each->name, each->name_length,
            "there is no room for this extended attribute");
    }
    return 0;
}

/* Both areas are made before one is changed: old values may lie in them. */
static void fill(struct placement *placement)
{
    memset(placement->area, 0, sizeof placement->area);
    ext4_put32(placement->area, EXT4_ATTRIBUTE_MAGIC);
    put(placement->area + HEAD_INODE, EXT4_INODE_ROOM - HEAD_INODE, 0,
        placement->inode, placement->inode_count);
    memset(placement->bytes, 0, sizeof placement->bytes);
    ext4_put32(placement->bytes, EXT4_ATTRIBUTE_MAGIC);
    ext4_put32(placement->bytes + 4, 1);
    ext4_put32(placement->bytes + 8, 1);
    put(placement->bytes + HEAD_BLOCK, EXT4_BLOCK - HEAD_BLOCK, HEAD_BLOCK,
        placement->block, placement->block_count);
}

static int32_t write_inode(hcsshim_ext4 *ext4, hcsshim__ext4_inode *inode,
                           const struct placement *placement)
{
    if (placement->inode_count == 0) {
        inode->attributes = NULL;
        return 0;
    }
    if (inode->attributes == NULL)
        inode->attributes = hcsshim__ext4_keep(ext4, EXT4_INODE_ROOM);
    if (inode->attributes == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    memcpy(inode->attributes, placement->area, EXT4_INODE_ROOM);
    return 0;
}

/* A folder's block is kept: it may be asked for by an opaque marker. */
static int32_t keep_block(hcsshim_ext4 *ext4, hcsshim__ext4_inode *inode,
                          const struct placement *placement)
{
    if (!ext4_is(inode, EXT4_FOLDER))
        return 0;
    if (inode->attribute_copy == NULL)
        inode->attribute_copy = hcsshim__ext4_keep(ext4, EXT4_BLOCK);
    if (inode->attribute_copy == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    memcpy(inode->attribute_copy, placement->bytes, EXT4_BLOCK);
    return 0;
}

static int32_t write_block(hcsshim_ext4 *ext4, hcsshim__ext4_inode *inode,
                           const struct placement *placement)
{
    int32_t hr;

    if (placement->block_count == 0 && inode->attribute_block == 0)
        return 0;
    hr = keep_block(ext4, inode, placement);
    if (hr < 0)
        return hr;
    if (inode->attribute_block != 0)
        return hcsshim__ext4_out_again(&ext4->out, inode->attribute_block,
                                       placement->bytes, 1);
    inode->attribute_block = (uint32_t)(ext4->out.position / EXT4_BLOCK);
    inode->block_count++;
    return hcsshim__ext4_out_copy(&ext4->out, placement->bytes, EXT4_BLOCK);
}

int32_t hcsshim__ext4_attribute_write(hcsshim_ext4 *ext4,
                                      hcsshim__ext4_inode *inode)
{
    hcsshim__ext4_attributes *all = &ext4->attributes;
    int is_inline = (inode->flags & EXT4_HAS_INLINE) != 0;
    struct placement placement;
    int32_t hr = 0;

    inode->attributes = all->count == 0 ? NULL : inode->attributes;
    if (all->count == 0 && inode->attribute_block == 0 && !is_inline)
        return 0;
    settle(all);
    placement.inode_count = placement.block_count = 0;
    placement.inode_left = EXT4_INODE_ROOM - HEAD_INODE - END;
    placement.block_left = EXT4_BLOCK - HEAD_BLOCK - END;
    if (is_inline)
        place_inline(inode, &placement);
    for (size_t i = 0; hr == 0 && i < all->count; i++)
        hr = place(ext4, &all->list[i], &placement);
    if (hr < 0)
        return hr;
    order_block(placement.block, placement.block_count,
                (ext4->flags & HCSSHIM_EXT4_STRICT) != 0);
    fill(&placement);
    hr = write_block(ext4, inode, &placement);
    return hr < 0 ? hr : write_inode(ext4, inode, &placement);
}

void hcsshim__ext4_attribute_inline(hcsshim__ext4_inode *inode)
{
    hcsshim__ext4_attribute data = {.name = (const uint8_t *)"system.data",
                                    .name_length = 11,
                                    .value = inode->data + EXT4_MAP,
                                    .value_length =
                                        (uint32_t)inode->size - EXT4_MAP};
    const hcsshim__ext4_attribute *list = &data;

    compress(&data);
    put(inode->attributes + HEAD_INODE, EXT4_INODE_ROOM - HEAD_INODE, 0, &list,
        1);
}
