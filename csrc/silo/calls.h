/*
 * System calls that are newer than the C libraries we build with. Their
 * numbers are the same on every architecture since 424.
 */
#ifndef HCSSHIM_SILO_CALLS_H
#define HCSSHIM_SILO_CALLS_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CALL_MOVE_MOUNT = 429,
    CALL_OPEN_TREE = 428,
    CALL_FSOPEN = 430,
    CALL_FSCONFIG = 431,
    CALL_FSMOUNT = 432,
    CALL_CLOSE_RANGE = 436,
    CALL_MOUNT_SETATTR = 442
};

enum {
    TREE_CLONE = 1,
    TREE_RECURSIVE = 0x8000, /* AT_RECURSIVE */
    MOVE_FROM_EMPTY = 4,
    CONFIG_FLAG = 0,
    CONFIG_STRING = 1,
    CONFIG_CREATE = 6,
    ATTRIBUTE_RDONLY = 1,
    ATTRIBUTE_NOSUID = 2,
    ATTRIBUTE_NODEV = 4,
    ATTRIBUTE_NOEXEC = 8
};

struct mount_attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};

static inline int call_open_tree(int directory, const char *path,
                                 unsigned flags)
{
    return (int)syscall(CALL_OPEN_TREE, directory, path, flags);
}

static inline int call_move_mount(int tree, const char *path)
{
    return (int)syscall(CALL_MOVE_MOUNT, tree, "", AT_FDCWD, path,
                        MOVE_FROM_EMPTY);
}

static inline int call_fsopen(const char *type)
{
    return (int)syscall(CALL_FSOPEN, type, 1 /* close on exec */);
}

static inline int call_fsconfig(int context, unsigned command, const char *key,
                                const char *value)
{
    return (int)syscall(CALL_FSCONFIG, context, command, key, value, 0);
}

static inline int call_fsmount(int context, unsigned attributes)
{
    return (int)syscall(CALL_FSMOUNT, context, 1 /* close on exec */,
                        attributes);
}

static inline int call_mount_setattr(int directory, const char *path,
                                     unsigned flags,
                                     const struct mount_attributes *attributes)
{
    return (int)syscall(CALL_MOUNT_SETATTR, directory, path, flags, attributes,
                        sizeof(*attributes));
}

static inline int call_close_range(unsigned first, unsigned last)
{
    return (int)syscall(CALL_CLOSE_RANGE, first, last, 0);
}

#endif
