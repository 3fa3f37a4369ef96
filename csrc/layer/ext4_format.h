/* ext4_format.h - numbers and places of ext4 that reader and writer share. */
#ifndef HCSSHIM_LAYER_EXT4_FORMAT_H
#define HCSSHIM_LAYER_EXT4_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum {
    EXT4_BLOCK = 4096,
    EXT4_GROUP = 32768, /* blocks of a group, and inodes at most */
    EXT4_INODE = 256,
    EXT4_INODE_USED = 152, /* up to the creation time's extra part */
    EXT4_INODE_ROOM = EXT4_INODE - EXT4_INODE_USED, /* for attributes */
    EXT4_INODES_STEP = EXT4_BLOCK / EXT4_INODE,
    EXT4_DESCRIPTOR = 32,
    EXT4_DESCRIPTORS = EXT4_BLOCK / EXT4_DESCRIPTOR, /* in a block */
    EXT4_ROOT = 2,
    EXT4_FIRST = 11, /* the first inode that is not reserved: lost+found */
    EXT4_MOST_LINKS = 65000,
    EXT4_LONGEST_NAME = 255,
    EXT4_MAP = 60,           /* i_block of an inode */
    EXT4_SHORT_SYMLINK = 59, /* goes there */
    EXT4_LONGEST_SYMLINK = 4095,
    EXT4_EXTENT = 0x8000, /* blocks at most */
    EXT4_EXTENTS_INODE = 4,
    EXT4_EXTENTS_BLOCK = 340,
    EXT4_EXTENT_MAGIC = 0xF30A,
    EXT4_SUPERBLOCK = 1024, /* its place and its length */
    EXT4_MAGIC = 0xEF53
};

#define EXT4_ATTRIBUTE_MAGIC UINT32_C(0xEA020000)

/* Kinds of files in a mode. */
enum {
    EXT4_KIND = 0xF000,
    EXT4_FIFO = 0x1000,
    EXT4_CHARACTER = 0x2000,
    EXT4_FOLDER = 0x4000,
    EXT4_DEVICE = 0x6000,
    EXT4_FILE = 0x8000,
    EXT4_SYMLINK = 0xA000,
    EXT4_SOCKET = 0xC000
};

/* Flags of an inode. */
enum {
    EXT4_HUGE_FILE = 0x40000, /* i_blocks counts blocks */
    EXT4_HAS_EXTENTS = 0x80000,
    EXT4_HAS_INLINE = 0x10000000
};

static inline void ext4_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void ext4_put32(uint8_t *at, uint32_t value)
{
    ext4_put16(at, value);
    ext4_put16(at + 2, value >> 16);
}

static inline uint32_t ext4_get16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t ext4_get32(const uint8_t *at)
{
    return ext4_get16(at) | ext4_get16(at + 2) << 16;
}

#endif
