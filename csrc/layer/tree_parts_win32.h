/* tree_parts_win32.h - what the files of the tree share on Windows. */
#ifndef HCSSHIM_LAYER_TREE_PARTS_WIN32_H
#define HCSSHIM_LAYER_TREE_PARTS_WIN32_H

#include <windows.h>

#include "layer/names.h"
#include "layer/tree.h"

/* ---- meta_win32.c ------------------------------------------------------ */

/* What is known of the system's backup calls and of this user's rights. */
typedef struct hcsshim__backup_state {
    _Atomic int missing;      /* the system has none, as Wine */
    int unprivileged;         /* may not touch audit entries */
    _Atomic uint64_t refused; /* files that did not take all of their meta */
} hcsshim__backup_state;

/* Ask for the privileges of those who back up and restore, once. */
void hcsshim__meta_privileges(hcsshim__backup_state *state);

/* What a file that is made has to be opened with, to be given all its meta. */
ACCESS_MASK hcsshim__meta_access(const hcsshim__backup_state *state);

/* Give an open file its streams, then its times and attributes. */
int32_t hcsshim__meta_apply(hcsshim__backup_state *state, HANDLE file,
                            const hcsshim__tree_meta *meta);

/*
 * Make an open, empty file or folder the reparse point of its meta.
 *
 * Returns 0, or an error where the system or this user cannot.
 */
int32_t hcsshim__meta_reparse(HANDLE file, const hcsshim__tree_meta *meta);

/* ---- remove_win32.c ---------------------------------------------------- */

/* Remove a name in an open folder with all that is below, however deep. */
int32_t hcsshim__remove_at(HANDLE folder, const char *name, size_t length);

/*
 * The same at once, so that the name is free: what is in use goes under another
 * one, until nobody uses it.
 */
int32_t hcsshim__remove_now(HANDLE folder, const char *name, size_t length);

#endif
