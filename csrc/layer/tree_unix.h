/* tree_unix.h - what the files of the tree share on POSIX systems. */
#ifndef HCSSHIM_LAYER_TREE_UNIX_H
#define HCSSHIM_LAYER_TREE_UNIX_H

#include <sys/stat.h>

#include "layer/tree.h"

/*
 * Open the folder at a path. make: make what is missing.
 *
 * Returns a descriptor, which for an empty path is the tree's own, or -1.
 */
int hcsshim__tree_folder_at(hcsshim__tree *tree, hcsshim__tar_text path,
                            int make);

/*
 * hcsshim__tree_enter() - open a folder below 'root' without following links.
 *
 * path: at most 4095 bytes and a terminator. Returns a descriptor, or -1 with
 * errno: ELOOP or ENOTDIR where something is no folder.
 */
int hcsshim__tree_enter(int root, const char *path);
/* The same, one part after another. */
int hcsshim__tree_enter_parts(int root, const char *path);

/* ---- tree_attributes_linux.c, tree_attributes_posix.c ------------------ */

/*
 * Set an extended attribute of an open file, or with file -1 of a name in a
 * folder, whose links are not followed.
 */
int32_t hcsshim__tree_set_attribute(int folder, const char *name, int file,
                                    hcsshim__tar_text key,
                                    hcsshim__tar_text value);

/*
 * Get one. room: of 'value', in bytes. Returns its length, or -1 with errno.
 * name: NULL for the folder itself.
 */
int64_t hcsshim__tree_get_attribute(int folder, const char *name,
                                    const char *key, void *value, size_t room);

/* List the names, each with a terminator. Returns the length, or -1. */
int64_t hcsshim__tree_list_attributes(int folder, const char *name, char *list,
                                      size_t room);

/* When a file was written last. */
hcsshim__tar_time hcsshim__tree_modified(const struct stat *status);

/* mknodat() with the numbers of a device. */
int hcsshim__tree_make_node(int folder, const char *name, mode_t mode,
                            uint32_t device_major, uint32_t device_minor);
void hcsshim__tree_device_numbers(const struct stat *status,
                                  uint32_t *device_major,
                                  uint32_t *device_minor);

#endif
