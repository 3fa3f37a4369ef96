/* replay.h - reading the members file of a layer. */
#ifndef HCSSHIM_LAYER_REPLAY_H
#define HCSSHIM_LAYER_REPLAY_H

#include "layer/members.h"
#include "layer/names.h"
#include "layer/tree.h"
#include "layer/unpack.h"

typedef struct hcsshim__replay hcsshim__replay;

/* One record, valid until the next. */
typedef struct hcsshim__replayed {
    hcsshim__member_head head;
    const uint8_t *raw;              /* head.length bytes */
    const hcsshim__tar_entry *entry; /* NULL at the end of the tar */
} hcsshim__replayed;

/* Returns 0, or ERROR_FILE_NOT_FOUND when the layer has no members file. */
int32_t hcsshim__replay_open(hcsshim__tree *tree, hcsshim__replay **out);
/* NULL does nothing. */
void hcsshim__replay_free(hcsshim__replay *replay);

/* Returns 1 with a record, 0 at the end, negative: an error. */
int32_t hcsshim__replay_next(hcsshim__replay *replay, hcsshim__replayed *out);

#endif
