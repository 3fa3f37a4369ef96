/*
 * node.h - names in open folders: what POSIX and Windows do each in its way.
 *
 * Names are one part of a path with a terminator. No link is ever followed.
 * Folders and files are descriptors, or HANDLEs on Windows; -1 is none.
 */
#ifndef HCSSHIM_LAYER_NODE_H
#define HCSSHIM_LAYER_NODE_H

#include "layer/names.h"
#include "layer/tree.h"

/* What a name stands for. */
typedef struct hcsshim__node {
    int kind;   /* HCSSHIM__TREE_FILE and so on */
    int hides;  /* it is a whiteout of overlayfs */
    int sparse; /* it takes less room than its size */
    int64_t size;
    uint64_t device;
    uint64_t inode;
    uint64_t links;
    hcsshim__tar_time modified;
} hcsshim__node;

/* Returns 0, or ERROR_FILE_NOT_FOUND. */
int32_t hcsshim__node_look(int64_t folder, const char *name,
                           hcsshim__node *node);

/* Of an open file or folder; on Windows only. */
int32_t hcsshim__node_status(int64_t opened, hcsshim__node *node);

/* Open a file for reading, or a folder. Returns E_INVALID_DATA for others. */
int32_t hcsshim__node_open(int64_t folder, const char *name, int64_t *file,
                           hcsshim__node *node);
int32_t hcsshim__node_enter(int64_t folder, const char *name, int64_t *inner);
/* Another handle of the same folder. */
int32_t hcsshim__node_again(int64_t folder, int64_t *again);
/* Of either; -1 does nothing. */
void hcsshim__node_close(int64_t file);

/* Read where it is said, wherever the file's position is. */
int32_t hcsshim__node_read(int64_t file, uint64_t at, uint8_t *out,
                           size_t length, size_t *got);
/* How many of 'length' bytes are in a hole from 'at' on. */
uint64_t hcsshim__node_hole(int64_t file, uint64_t at, uint64_t length);

/* Where a symbolic link leads. */
int32_t hcsshim__node_target(int64_t folder, const char *name,
                             hcsshim__path *target);

/* Whether an open folder hides those of the layers below. */
int hcsshim__node_is_opaque(int64_t folder);

/*
 * hcsshim__node_list() - give each name in an open folder to 'visit'.
 *
 * visit: ends it by returning a negative HRESULT.
 */
typedef int32_t hcsshim__node_visit(void *context, const char *name,
                                    int is_folder);
int32_t hcsshim__node_list(int64_t folder, hcsshim__node_visit *visit,
                           void *context);

/* The hash of a path: the same for paths that the system takes for one. */
uint64_t hcsshim__node_hash(hcsshim__tar_text path);

/* ---- folders of a tree ------------------------------------------------- */

/*
 * Use the folder at a path, which stays the tree's until the next call for
 * this tree.
 */
int32_t hcsshim__tree_use(hcsshim__tree *tree, hcsshim__tar_text path,
                          int64_t *folder);

/* Open the folder at a path. The caller closes it. */
int32_t hcsshim__tree_open_folder(hcsshim__tree *tree, hcsshim__tar_text path,
                                  int64_t *folder);

/* Seconds since 1970 that every usual file system holds: 1902 to 2446. */
#define HCSSHIM__TREE_EARLIEST INT64_C(-2145916800)
#define HCSSHIM__TREE_LATEST INT64_C(15000000000)

/* The time that a file gets for one of a tar, with its fraction positive. */
hcsshim__tar_time hcsshim__tree_held_time(hcsshim__tar_time time);

#endif
