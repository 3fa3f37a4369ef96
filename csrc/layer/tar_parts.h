/* tar_parts.h - what the files of the tar reader share. */
#ifndef HCSSHIM_LAYER_TAR_PARTS_H
#define HCSSHIM_LAYER_TAR_PARTS_H

#include "hcsshim.h"
#include "layer/tar_read.h"

/* The formats a header can be of. */
enum hcsshim__tar_format { TAR_V7, TAR_USTAR, TAR_STAR, TAR_GNU };

/* A run of data in a sparse file. */
typedef struct hcsshim__tar_piece {
    uint64_t offset;
    uint64_t length;
} hcsshim__tar_piece;

/* Bytes that grow up to HCSSHIM__TAR_LONGEST. */
typedef struct hcsshim__tar_bytes {
    char *data;
    size_t length;
    size_t room;
} hcsshim__tar_bytes;

/* The pax records that this reader acts on; value.data is NULL for absent. */
enum {
    TAR_PATH,
    TAR_LINKPATH,
    TAR_UNAME,
    TAR_GNAME,
    TAR_UID,
    TAR_GID,
    TAR_ATIME,
    TAR_MTIME,
    TAR_CTIME,
    TAR_SIZE,
    TAR_SPARSE_MAJOR,
    TAR_SPARSE_MINOR,
    TAR_SPARSE_NAME,
    TAR_SPARSE_SIZE,
    TAR_SPARSE_REALSIZE,
    TAR_SPARSE_BLOCKS,
    TAR_SPARSE_MAP,
    TAR_KNOWN
};

typedef struct hcsshim__tar_pax {
    hcsshim__tar_bytes bytes; /* the headers, global ones first */
    size_t global_length;     /* of bytes */
    hcsshim__tar_record *records;
    size_t count;
    size_t room;
    hcsshim__tar_text known[TAR_KNOWN];
    int scattered; /* the map came as GNU.sparse.offset and .numbytes */
} hcsshim__tar_pax;

typedef struct hcsshim__tar_map {
    hcsshim__tar_piece *pieces;
    size_t count;
    size_t room;
    int odd; /* an offset waits in pieces[count] for its length */
} hcsshim__tar_map;

/* ---- tar_header.c ------------------------------------------------------ */

/* Room for a name of prefix, '/' and name, and the other texts. */
typedef struct hcsshim__tar_texts {
    char name[256 + 2];
} hcsshim__tar_texts;

/*
 * Read a header block into 'entry'. Texts point into 'block', or for a name
 * with a prefix into 'texts'. Returns NULL, or what is wrong.
 */
const char *hcsshim__tar_header(const uint8_t *block, hcsshim__tar_texts *texts,
                                hcsshim__tar_entry *entry,
                                enum hcsshim__tar_format *format);

int hcsshim__tar_is_zero(const uint8_t *block);

/* A number of a header: octal text or base 256. Returns 0 if it is none. */
int hcsshim__tar_number(const uint8_t *field, size_t length, int64_t *out);

/* A decimal number with an optional sign. Returns 0 if it is none. */
int hcsshim__tar_decimal(const char *text, size_t length, int64_t *out);

/* ---- tar_pax.c --------------------------------------------------------- */

/* Make room for 'length' more bytes. Returns 0 or E_OUTOFMEMORY. */
int32_t hcsshim__tar_reserve(hcsshim__tar_bytes *bytes, size_t length);

/*
 * Split pax->bytes into records. 'map' gets the pieces of a scattered sparse
 * map. Returns 0, E_OUTOFMEMORY, or E_INVALID_DATA with 'problem' set.
 */
int32_t hcsshim__tar_pax_parse(hcsshim__tar_pax *pax, hcsshim__tar_map *map,
                               const char **problem);

/* Put the records into 'entry'. Returns NULL, or what is wrong. */
const char *hcsshim__tar_pax_apply(const hcsshim__tar_pax *pax,
                                   hcsshim__tar_entry *entry);

/* ---- tar_sparse.c ------------------------------------------------------ */

/* Add the next number of a map: an offset, or the length after it. */
int32_t hcsshim__tar_map_add(hcsshim__tar_map *map, int64_t number,
                             const char **problem);

/* The map in a GNU.sparse.map record. */
int32_t hcsshim__tar_map_text(hcsshim__tar_map *map, hcsshim__tar_text text,
                              const char **problem);

/*
 * The 'count' pairs of offset and length in an old GNU header or its extension.
 * Sets 'more' if an extension block follows.
 */
int32_t hcsshim__tar_map_block(hcsshim__tar_map *map, const uint8_t *pairs,
                               size_t count, int *more, const char **problem);

/*
 * Check a map against the logical size and the bytes in the tar.
 * Returns NULL, or what is wrong.
 */
const char *hcsshim__tar_map_check(const hcsshim__tar_map *map, int64_t size,
                                   uint64_t stored);

#endif
