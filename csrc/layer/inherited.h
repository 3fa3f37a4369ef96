/*
 * inherited.h - what the layers below know of files that a layer changed.
 *
 * A file that was copied up into a writable layer keeps its name; its security
 * descriptor and the rest are found by that in the nearest layer below.
 */
#ifndef HCSSHIM_LAYER_INHERITED_H
#define HCSSHIM_LAYER_INHERITED_H

#include "layer/names.h"
#include "layer/tree.h"
#include "layer/unpack.h"

typedef struct hcsshim__inherited hcsshim__inherited;

/*
 * hcsshim__inherited_new() - look the files of a tree up in the layers below.
 *
 * parents: nearest first; borrowed for the call.
 */
int32_t hcsshim__inherited_new(hcsshim__tree *tree, hcsshim__tree **parents,
                               uint32_t parent_count, hcsshim__inherited **out);
/* NULL does nothing. */
void hcsshim__inherited_free(hcsshim__inherited *inherited);

/*
 * hcsshim__inherited_find() - the records of a path, in pax form.
 *
 * Each is u32 key length, u32 value length, key, value. Returns their bytes
 * and sets 'length', or NULL. 'inherited' may be NULL.
 */
const uint8_t *hcsshim__inherited_find(const hcsshim__inherited *inherited,
                                       hcsshim__tar_text path, size_t *length);

/* Whether a pax record is of Windows, or of nobody who writes tars. */
int hcsshim__is_kept_record(const hcsshim__tar_record *record);

#endif
