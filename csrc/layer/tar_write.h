/*
 * tar_write.h - a writer of tar: ustar, with pax headers where that is too
 * small.
 *
 * The bytes are those that Go's archive/tar makes of the same members, because
 * digests of layers are taken over them: records sorted by key, numbers in
 * octal with a NUL, the path in a record when it is longer than 100 bytes or
 * not ASCII, two blocks of zeros at the end.
 */
#ifndef HCSSHIM_LAYER_TAR_WRITE_H
#define HCSSHIM_LAYER_TAR_WRITE_H

#include "layer/sink.h"
#include "layer/tar_read.h"

/* The most a header takes besides texts: two blocks and pax's own bytes. */
#define HCSSHIM__TAR_HEADER_ROOM ((size_t)4096)

/* What stands in a header. All texts are borrowed for the call. */
typedef struct hcsshim__tar_member {
    char type; /* HCSSHIM__TAR_FILE ... */
    hcsshim__tar_text name, link;
    uint64_t size; /* of the body that follows */
    uint32_t mode, uid, gid, device_major, device_minor;
    hcsshim__tar_time modified, accessed, changed; /* the latter two as pax */
    /* Further records, sorted by key, all before "atime". */
    const hcsshim__tar_record *records;
    size_t record_count;
} hcsshim__tar_member;

/*
 * hcsshim__tar_write_header() - write all that stands before a body.
 *
 * Returns 0, E_INVALID_DATA for a name with a NUL or a record too long for a
 * reader, or why the sink failed.
 */
int32_t hcsshim__tar_write_header(hcsshim__sink *sink,
                                  const hcsshim__tar_member *member);

/* Fill the last block of a body of 'size' bytes up. */
int32_t hcsshim__tar_write_padding(hcsshim__sink *sink, uint64_t size);

/* Two blocks of zeros. */
int32_t hcsshim__tar_write_end(hcsshim__sink *sink);

/*
 * hcsshim__tar_format_time() - write a time as pax does: -1.5.
 *
 * out: room for HCSSHIM__TAR_TIME bytes. Returns how many it took.
 */
#define HCSSHIM__TAR_TIME ((size_t)32)
size_t hcsshim__tar_format_time(hcsshim__tar_time time, char *out);

/* The order of two hcsshim__tar_record by their keys' bytes, for qsort(). */
int hcsshim__tar_compare_records(const void *one, const void *other);

#endif
