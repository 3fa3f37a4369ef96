/*
 * tree.h - making files below one folder that nobody gets out of.
 *
 * Paths are relative, clean (no empty parts, no "." or ".."), '/' between the
 * parts, of any length. No symbolic link is ever followed: a path that leads
 * through one is refused. The folder that was used last is kept open, since the
 * members of a tar come folder by folder.
 *
 * A tree is one thread's at a time, but for files that _create() gave: each of
 * them may be written, skipped in and finished by another thread meanwhile.
 */
#ifndef HCSSHIM_LAYER_TREE_H
#define HCSSHIM_LAYER_TREE_H

#include "hcsshim.h"
#include "layer/tar_read.h"

typedef struct hcsshim__tree hcsshim__tree;

/* What Windows knows of a file, where the system can hold it. */
typedef struct hcsshim__tree_windows {
    hcsshim_file_info info;
    const uint8_t *streams; /* of a backup: security, attributes, reparse */
    size_t length;
} hcsshim__tree_windows;

/* What a file is given beside its bytes. Texts are borrowed for the call. */
typedef struct hcsshim__tree_meta {
    int owned; /* mode, uid and gid hold; otherwise they are as made */
    uint32_t mode, uid, gid;
    hcsshim__tar_time accessed, modified;
    const hcsshim__tar_record *attributes; /* extended; keys without prefix */
    size_t attribute_count;
    const hcsshim__tree_windows *windows; /* or NULL */
} hcsshim__tree_meta;

/*
 * What the members file has to keep, because the system holds no such file:
 * all of it, or of a link that there is one, whose file has its text.
 */
enum { HCSSHIM__TREE_KEPT = 1, HCSSHIM__TREE_TEXT };

/* Kinds of files, as hcsshim__tree_kind() tells. */
enum {
    HCSSHIM__TREE_NONE = 0,
    HCSSHIM__TREE_FILE,
    HCSSHIM__TREE_FOLDER,
    HCSSHIM__TREE_LINK,
    HCSSHIM__TREE_OTHER
};

/*
 * hcsshim__tree_open() - work below a folder.
 *
 * path: of the folder, which exists; bytes as the system takes them (UTF-8 on
 *       Windows), with a terminator.
 */
int32_t hcsshim__tree_open(const char *path, hcsshim__tree **out);

/* NULL does nothing. */
void hcsshim__tree_free(hcsshim__tree *tree);

/* Whether files can have what Windows knows of them. */
int hcsshim__tree_is_windows(const hcsshim__tree *tree);

/* The same for several; those before one that fails stay open. */
int32_t hcsshim__tree_open_all(const char *const *paths, uint32_t count,
                               hcsshim__tree ***trees, uint32_t *opened);
void hcsshim__tree_free_all(hcsshim__tree **trees, uint32_t opened);

/* What stands at a path, or HCSSHIM__TREE_NONE; negative: an error. */
int32_t hcsshim__tree_kind(hcsshim__tree *tree, hcsshim__tar_text path);

/*
 * hcsshim__tree_create() - begin a file, in place of whatever was there.
 *
 * mode: what it is wanted to have, as far as the umask lets it.
 * file: set to what hcsshim__file_write() takes; end it with _finish().
 *
 * Missing folders above it are made. Returns E_INVALID_DATA where the path
 * leads through a file or a link, HCSSHIM__TREE_KEPT where the system cannot
 * have a file of that name: it takes it for another's, or for none.
 */
int32_t hcsshim__tree_create(hcsshim__tree *tree, hcsshim__tar_text path,
                             uint32_t mode, int64_t *file);
/* Leave 'length' bytes of zeros out. */
int32_t hcsshim__tree_skip(int64_t file, uint64_t length);
/*
 * Close a file after its last byte. 'size' is its length where its end was
 * skipped, otherwise -1. meta: NULL when the file is given up.
 */
int32_t hcsshim__tree_finish(hcsshim__tree *tree, int64_t file, int64_t size,
                             const hcsshim__tree_meta *meta);

/*
 * hcsshim__tree_folder() - make a folder, or keep the one that is there.
 *
 * Its meta is set by hcsshim__tree_settle(), when nothing touches it any more.
 * path: empty for the tree itself. May return HCSSHIM__TREE_KEPT, as the next
 * ones may.
 */
int32_t hcsshim__tree_folder(hcsshim__tree *tree, hcsshim__tar_text path,
                             const hcsshim__tree_meta *meta);
int32_t hcsshim__tree_settle(hcsshim__tree *tree);

/* The others, in place of whatever was there. Links may be TREE_TEXT. */
int32_t hcsshim__tree_symlink(hcsshim__tree *tree, hcsshim__tar_text path,
                              hcsshim__tar_text target,
                              const hcsshim__tree_meta *meta);
/* from: the tree of the target, which may be another one. */
int32_t hcsshim__tree_link(hcsshim__tree *tree, hcsshim__tar_text path,
                           hcsshim__tree *from, hcsshim__tar_text target);
/* type: of tar. Returns E_NOTIMPL where the system makes no such file. */
int32_t hcsshim__tree_device(hcsshim__tree *tree, hcsshim__tar_text path,
                             char type, uint32_t device_major,
                             uint32_t device_minor,
                             const hcsshim__tree_meta *meta);

/*
 * hcsshim__tree_whiteout() - hide a name of the layers below, for overlayfs.
 *
 * What this layer itself has under the name stays; a folder becomes opaque.
 */
int32_t hcsshim__tree_whiteout(hcsshim__tree *tree, hcsshim__tar_text path);
/* Hide all that the layers below have in this folder. */
int32_t hcsshim__tree_opaque(hcsshim__tree *tree, hcsshim__tar_text path);

/* How many extended attributes the system did not take. */
uint64_t hcsshim__tree_refused(const hcsshim__tree *tree);

#endif
