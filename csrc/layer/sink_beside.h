/*
 * sink_beside.h - a thread that hashes or writes what a sink has, while it goes
 * on.
 *
 * Buffers go round in a ring: the sink gives a full one, and gets one that is
 * done with for it.
 */
#ifndef HCSSHIM_LAYER_SINK_BESIDE_H
#define HCSSHIM_LAYER_SINK_BESIDE_H

#include "layer/sink.h"

/*
 * Begin. digest: the thread's until _free(); NULL: it writes 'file' instead,
 * which is borrowed until then.
 */
int32_t hcsshim__sink_beside_new(hcsshim__sha256 *digest, int64_t file,
                                 struct hcsshim__sink_beside **out);
/* Wait for what was given, and end. NULL does nothing. */
void hcsshim__sink_beside_free(struct hcsshim__sink_beside *beside);

/*
 * hcsshim__sink_beside_give() - hash or write the bytes of a sink's buffer.
 *
 * The sink gets another buffer, which is empty. Waits for one if need be.
 * Returns the first error of what was given before, too.
 */
int32_t hcsshim__sink_beside_give(struct hcsshim__sink_beside *beside,
                                  hcsshim__sink *sink);

/* Wait for what was given. Returns its first error. */
int32_t hcsshim__sink_beside_drain(struct hcsshim__sink_beside *beside);

#endif
