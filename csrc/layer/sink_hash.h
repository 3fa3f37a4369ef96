/*
 * sink_hash.h - a thread that hashes what a sink wrote, while it goes on.
 *
 * Buffers go round in a ring: the sink gives a full one, and gets one that is
 * hashed for it.
 */
#ifndef HCSSHIM_LAYER_SINK_HASH_H
#define HCSSHIM_LAYER_SINK_HASH_H

#include "layer/sink.h"

/* Begin. digest: the thread's until _free(). */
int32_t hcsshim__sink_hash_new(hcsshim__sha256 *digest,
                               struct hcsshim__sink_hash **out);
/* Wait for what was given, and end. NULL does nothing. */
void hcsshim__sink_hash_free(struct hcsshim__sink_hash *hash);

/*
 * hcsshim__sink_hash_give() - hash the bytes of a sink's buffer.
 *
 * The sink gets another buffer, which is empty. Waits for one if need be.
 */
int32_t hcsshim__sink_hash_give(struct hcsshim__sink_hash *hash,
                                hcsshim__sink *sink);

#endif
