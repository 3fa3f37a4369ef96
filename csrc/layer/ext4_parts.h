/*
 * ext4_parts.h - what the files of the ext4 writer share.
 *
 *     ext4_write.c      the exported functions
 *     ext4_tar.c        members of a tar become calls of ext4_tree.c
 *     ext4_tree.c       files, folders and links, and what replaces what
 *     ext4_names.c      names, and the table that finds them
 *     ext4_attribute.c  extended attributes
 *     ext4_close.c      folders, inode tables, bitmaps, super block
 *     ext4_out.c        where the bytes go: file, dm-verity
 *     ext4_behind.c     the thread that writes them
 */
#ifndef HCSSHIM_LAYER_EXT4_PARTS_H
#define HCSSHIM_LAYER_EXT4_PARTS_H

#include "hcsshim.h"
#include "layer/ext4_behind.h"
#include "layer/ext4_format.h"
#include "layer/ext4_io.h"
#include "layer/tar_read.h"

/* ---- ext4_out.c -------------------------------------------------------- */

/*
 * The image in the order of its blocks. Without a hash tree its pieces are
 * written from where they lie, never copied.
 */
typedef struct hcsshim__ext4_out {
    int64_t file;                 /* below 0: none, only hashed */
    uint64_t position;            /* where the next byte goes */
    uint64_t limit;               /* the image must not be longer */
    hcsshim__ext4_batch *batch;   /* what is not written yet */
    hcsshim__ext4_batch own;      /* that, where no thread writes */
    hcsshim__ext4_behind *behind; /* the thread, or NULL */
    hcsshim_verity *verity;       /* borrowed; may be NULL */
    int fused;                    /* what the tree hashes it also writes */
    int sparse;
    int full; /* the limit was met */
} hcsshim__ext4_out;

int32_t hcsshim__ext4_out_init(hcsshim__ext4_out *out);
void hcsshim__ext4_out_clear(hcsshim__ext4_out *out);

/* Let a thread write from now on, if one can be had. */
void hcsshim__ext4_out_hand_over(hcsshim__ext4_out *out);

/* Bytes that stay where they are until the next flush. */
int32_t hcsshim__ext4_out_data(hcsshim__ext4_out *out, const uint8_t *data,
                               size_t length);

/* Bytes that are copied. */
int32_t hcsshim__ext4_out_copy(hcsshim__ext4_out *out, const uint8_t *data,
                               size_t length);

int32_t hcsshim__ext4_out_zeros(hcsshim__ext4_out *out, uint64_t length);

/* Zeros up to the next block. */
int32_t hcsshim__ext4_out_align(hcsshim__ext4_out *out);

/* Write what is queued, or give it to the thread that does. */
int32_t hcsshim__ext4_out_flush(hcsshim__ext4_out *out);

/* The same, and wait until everything is written. */
int32_t hcsshim__ext4_out_drain(hcsshim__ext4_out *out);

/* Write blocks again that were passed before. */
int32_t hcsshim__ext4_out_again(hcsshim__ext4_out *out, uint64_t block,
                                const uint8_t *data, size_t count);

/* ---- the tree ---------------------------------------------------------- */

typedef struct hcsshim__ext4_inode {
    uint64_t size;
    uint64_t accessed, changed, modified; /* as they stand on disk */
    uint8_t *data;       /* of a short symlink or an inline file; else NULL */
    uint8_t *attributes; /* EXT4_INODE_ROOM bytes, or NULL */
    uint8_t *attribute_copy; /* a folder's block of them, or NULL */
    uint32_t uid, gid;
    uint32_t links;
    uint32_t attribute_block;
    uint32_t block_count;
    uint32_t device;
    uint32_t first_block, data_blocks;
    uint32_t first_child; /* of a folder: an entry, the last one made */
    uint32_t flags;
    uint16_t mode; /* 0: nothing lives here */
} hcsshim__ext4_inode;

/* A name in a folder. */
typedef struct hcsshim__ext4_name {
    const uint8_t *text;
    uint32_t parent;
    uint32_t inode; /* 0: removed */
    uint32_t next;  /* the folder's entry made before; 0 for none */
    uint32_t hash;
    uint8_t length;
} hcsshim__ext4_name;

/* Blocks that hold nothing any more. */
typedef struct hcsshim__ext4_range {
    uint32_t first;
    uint32_t count;
} hcsshim__ext4_range;

typedef struct hcsshim__ext4_arena {
    uint8_t *chunk; /* which begins with a pointer to the one before */
    size_t used, room;
} hcsshim__ext4_arena;

typedef struct hcsshim__ext4_text {
    uint8_t *data;
    size_t length, room;
} hcsshim__ext4_text;

typedef struct hcsshim__ext4_attribute {
    const uint8_t *name;
    const uint8_t *value;
    uint32_t name_length, value_length; /* of the whole name */
    uint32_t order;                     /* of two with a name the later holds */
    uint8_t index;                      /* of the prefix */
    uint8_t skip;                       /* its length */
} hcsshim__ext4_attribute;

/* A prefix that is stored as its number. */
typedef struct hcsshim__ext4_prefix {
    uint8_t index;
    uint8_t length;
    const char *text;
} hcsshim__ext4_prefix;

enum { EXT4_PREFIXES = 7 };
extern const hcsshim__ext4_prefix hcsshim__ext4_prefixes[EXT4_PREFIXES];

typedef struct hcsshim__ext4_attributes {
    hcsshim__ext4_attribute *list;
    size_t count, room;
    uint8_t *names; /* of attributes read back, with their prefixes */
    size_t names_used;
} hcsshim__ext4_attributes;

/* What a file is to be. */
typedef struct hcsshim__ext4_meta {
    uint64_t size;
    uint64_t accessed, changed, modified;
    const uint8_t *target; /* of a symlink */
    size_t target_length;
    uint32_t uid, gid;
    uint32_t device;
    uint16_t mode;
} hcsshim__ext4_meta;

struct hcsshim_ext4 {
    uint32_t flags;
    int32_t error;
    int finished;
    char problem[768];
    size_t problem_length;

    hcsshim__ext4_out out;
    uint32_t descriptor_blocks;

    hcsshim__tar *tar;
    int tar_ended;
    uint8_t *buffer; /* for reading the source */
    void *buffer_memory;
    int no_copying; /* the system cannot copy between these files */

    hcsshim__ext4_arena arena;
    hcsshim__ext4_inode *inodes; /* [0] is not used */
    uint32_t inode_count, inode_room;
    hcsshim__ext4_name *names; /* [0] is not used */
    uint32_t name_count, name_room;
    uint32_t *table; /* of names by hash; 0 is free */
    uint32_t table_mask;

    hcsshim__ext4_range *freed;
    size_t freed_count, freed_room;

    hcsshim__tar_text member;      /* the name of the present one */
    hcsshim__ext4_text clean[2];   /* name and target in their shortest form */
    hcsshim__ext4_text slashed[2]; /* and without backslashes */
    hcsshim__ext4_text cached;     /* the folder of the last name, as written */
    uint32_t cached_inode;         /* 0: none */

    hcsshim__ext4_attributes attributes;
    uint32_t current; /* the file whose body comes; 0 for none */
    uint64_t current_done;
};

/* Say what is wrong: "MEMBER: NAME: REASON". Returns 'hr'. */
int32_t hcsshim__ext4_fail(hcsshim_ext4 *ext4, int32_t hr, const uint8_t *name,
                           size_t length, const char *reason);

/* Make room for 'count' elements in all. Returns 0 or E_OUTOFMEMORY. */
int32_t hcsshim__ext4_grow(void **array, size_t *room, size_t count,
                           size_t size);

static inline int ext4_is(const hcsshim__ext4_inode *inode, uint16_t kind)
{
    return (inode->mode & EXT4_KIND) == kind;
}

/* ---- ext4_names.c ------------------------------------------------------ */

/* Room that stays until the end; NULL if there is none. */
uint8_t *hcsshim__ext4_keep(hcsshim_ext4 *ext4, size_t length);
void hcsshim__ext4_names_clear(hcsshim_ext4 *ext4);

/* The entry of a name, perhaps a removed one; 0 for none. */
uint32_t hcsshim__ext4_find(const hcsshim_ext4 *ext4, uint32_t parent,
                            const uint8_t *text, size_t length);

/* Give 'inode' a name, which must not be taken. */
int32_t hcsshim__ext4_name_it(hcsshim_ext4 *ext4, uint32_t parent,
                              const uint8_t *text, size_t length,
                              uint32_t inode);

/* Bring a path into its shortest form, without the slash in front. */
int32_t hcsshim__ext4_clean(hcsshim__ext4_text *clean, const uint8_t *path,
                            size_t length);

/* ---- ext4_attribute.c -------------------------------------------------- */

int32_t hcsshim__ext4_attribute_add(hcsshim_ext4 *ext4, const uint8_t *name,
                                    size_t name_length, const uint8_t *value,
                                    size_t value_length);

/*
 * Add those of an area of 'length' bytes at 'area', whose offsets count from
 * 'delta' bytes before it.
 */
int32_t hcsshim__ext4_attribute_read(hcsshim_ext4 *ext4, const uint8_t *area,
                                     size_t length, size_t delta);

/* Write the gathered attributes to an inode, and a block of them if need be. */
int32_t hcsshim__ext4_attribute_write(hcsshim_ext4 *ext4,
                                      hcsshim__ext4_inode *inode);

/* Put the rest of an inline file's data into its first attribute. */
void hcsshim__ext4_attribute_inline(hcsshim__ext4_inode *inode);

/* ---- ext4_tree.c ------------------------------------------------------- */

int32_t hcsshim__ext4_begin(hcsshim_ext4 *ext4);

/*
 * Make a file, with the attributes gathered. It replaces what has the name.
 * A regular file's body must follow.
 */
int32_t hcsshim__ext4_create(hcsshim_ext4 *ext4, uint32_t parent,
                             const uint8_t *text, size_t length,
                             const hcsshim__ext4_meta *meta);

/* Change a folder that is there. */
int32_t hcsshim__ext4_update(hcsshim_ext4 *ext4, uint32_t number,
                             const hcsshim__ext4_meta *meta);

int32_t hcsshim__ext4_link(hcsshim_ext4 *ext4, uint32_t parent,
                           const uint8_t *text, size_t length, uint32_t number);

/* Bytes of the body of the present file; NULL for zeros. */
int32_t hcsshim__ext4_body(hcsshim_ext4 *ext4, const uint8_t *data,
                           uint64_t length);

/* End the body of the present file, if there is one. */
int32_t hcsshim__ext4_end_body(hcsshim_ext4 *ext4);

/* The extents of a run: in an inode (60 bytes) or in a leaf block. */
void hcsshim__ext4_extents(uint8_t *at, uint32_t most, uint32_t start,
                           uint32_t from, uint32_t blocks);

static inline uint32_t ext4_extents_of(uint32_t blocks)
{
    return blocks / EXT4_EXTENT + (blocks % EXT4_EXTENT != 0);
}

/* The leaf blocks that so many extents need. */
static inline uint32_t ext4_leaves_of(uint32_t extents)
{
    return extents <= EXT4_EXTENTS_INODE
               ? 0
               : (extents + EXT4_EXTENTS_BLOCK - 1) / EXT4_EXTENTS_BLOCK;
}

/* ---- ext4_tar.c -------------------------------------------------------- */

/* Take bytes of the tar. */
int32_t hcsshim__ext4_feed(hcsshim_ext4 *ext4, const uint8_t *data,
                           size_t length);

/* ---- ext4_close.c ------------------------------------------------------ */

int32_t hcsshim__ext4_close(hcsshim_ext4 *ext4);

#endif
