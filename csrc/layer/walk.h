/*
 * walk.h - the names below a folder, in the order of their bytes.
 *
 * A folder comes before what is in it, and what is in it before its later
 * neighbours. Depth costs memory for the names, but no stack and few
 * descriptors.
 */
#ifndef HCSSHIM_LAYER_WALK_H
#define HCSSHIM_LAYER_WALK_H

#include "layer/names.h"
#include "layer/tree.h"

typedef struct hcsshim__walk hcsshim__walk;

/* All the walk's, valid until the next step. */
typedef struct hcsshim__walk_item {
    hcsshim__tar_text path;
    const char *name; /* the last part, with a terminator */
    int64_t folder;   /* the open folder it is in */
    int is_folder;
} hcsshim__walk_item;

/* tree: borrowed. start: path of the folder whose insides are walked. */
int32_t hcsshim__walk_new(hcsshim__tree *tree, hcsshim__tar_text start,
                          hcsshim__walk **out);
/* NULL does nothing. */
void hcsshim__walk_free(hcsshim__walk *walk);

/* Do not go into the folder that was given last. */
void hcsshim__walk_skip(hcsshim__walk *walk);

/* Returns 1 with an item, 0 at the end, negative: an error. */
int32_t hcsshim__walk_next(hcsshim__walk *walk, hcsshim__walk_item *item);

#endif
