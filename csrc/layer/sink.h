/*
 * sink.h - where converted bytes go: a file, or memory that grows; hashed on
 * the way when asked for.
 */
#ifndef HCSSHIM_LAYER_SINK_H
#define HCSSHIM_LAYER_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "layer/sha256.h"

#define HCSSHIM__SINK_MEMORY INT64_C(-1)

/* What another thread does for a file meanwhile, if there can be one. */
enum {
    HCSSHIM__SINK_PLAIN = 0, /* nothing */
    HCSSHIM__SINK_HASHED,    /* it hashes */
    HCSSHIM__SINK_BESIDE     /* it writes, until _flush() */
};

/* One thread at a time. */
typedef struct hcsshim__sink {
    int64_t file; /* borrowed; or HCSSHIM__SINK_MEMORY */
    void *memory;
    uint8_t *buffer;
    size_t used;
    size_t room;
    uint64_t total; /* bytes so far */
    size_t hashed;  /* of buffer */
    int kind;
    hcsshim__sha256 digest;              /* another thread's, if there is one */
    struct hcsshim__sink_beside *beside; /* that one */
} hcsshim__sink;

/* Returns 0 or E_OUTOFMEMORY. */
int32_t hcsshim__sink_init(hcsshim__sink *sink, int64_t file, int kind);
void hcsshim__sink_destroy(hcsshim__sink *sink);

int32_t hcsshim__sink_write(hcsshim__sink *sink, const void *data,
                            size_t length);
int32_t hcsshim__sink_zeros(hcsshim__sink *sink, uint64_t length);

/*
 * hcsshim__sink_reserve() - room for 'length' bytes to be written in place.
 *
 * Valid until the next call; hcsshim__sink_commit() says how many came.
 * Returns NULL when memory runs out or the file cannot be written ('hr' set).
 */
uint8_t *hcsshim__sink_reserve(hcsshim__sink *sink, size_t length, int32_t *hr);
void hcsshim__sink_commit(hcsshim__sink *sink, size_t length);

/* Bring what is buffered to the file; for memory only hash it. */
int32_t hcsshim__sink_flush(hcsshim__sink *sink);

/* Hashed ones only: the digest of all the bytes, which end with it. */
void hcsshim__sink_digest(hcsshim__sink *sink,
                          uint8_t digest[HCSSHIM_SHA256_SIZE]);

/* Memory only: forget the bytes so far, which the caller took. */
void hcsshim__sink_clear(hcsshim__sink *sink);

#endif
