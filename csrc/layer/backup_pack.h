/*
 * backup_pack.h - the inside of packing backup streams into a tar.
 *
 * Two passes over each file: attributes may come after the data, and a sparse
 * stream tells its size at its end, but a tar has both before.
 */
#ifndef HCSSHIM_LAYER_BACKUP_PACK_H
#define HCSSHIM_LAYER_BACKUP_PACK_H

#include "layer/backup.h"
#include "layer/names.h"
#include "layer/sink.h"
#include "layer/tar_write.h"
#include "layer/unpack.h"

/* Where the streams of a file are: in memory, or in a file. */
struct hcsshim__backup_source {
    const uint8_t *memory;
    int64_t file;
    uint64_t offset;
    uint64_t length;
};

struct hcsshim__backup_place {
    uint64_t at;
    uint64_t length;
    int there;
};

/* A run of bytes of a stream. */
struct hcsshim__backup_extent {
    uint64_t offset; /* in the stream */
    uint64_t at;     /* in the source */
    uint64_t length;
};

struct hcsshim__backup_stream {
    struct hcsshim__backup_place name; /* of an alternate one */
    uint64_t size;
    size_t first; /* of its extents */
    size_t count;
};

struct hcsshim_backup_pack {
    hcsshim__sink sink;
    hcsshim_pack_result result;
    int32_t error;
    char problem[HCSSHIM__PROBLEM];

    struct hcsshim__backup_source source;
    struct hcsshim__backup_place security, attributes, reparse;
    struct hcsshim__backup_stream *streams;
    size_t stream_count;
    size_t stream_room;
    int has_data;
    size_t data; /* which of the streams that is */
    struct hcsshim__backup_extent *extents;
    size_t extent_count;
    size_t extent_room;

    /* how far the members of the file are written */
    hcsshim__tar_member member;          /* its first one */
    size_t next;                         /* stream whose member comes next */
    struct hcsshim__backup_stream *body; /* under way, or NULL */
    size_t extent;                       /* of the body */
    uint64_t at;                         /* in the body */

    hcsshim__path name;
    hcsshim__path alternate;
    hcsshim__bytes loaded;  /* out of a file */
    hcsshim__bytes scratch; /* texts of records and of the link */
    size_t scratch_used;
    hcsshim__tar_record *records;
    size_t record_count;
    size_t record_room;
};

/* Say what is wrong with the file. Returns E_INVALID_DATA. */
int32_t hcsshim__backup_pack_fail(hcsshim_backup_pack *pack,
                                  const char *reason);

/* ---- backup_scan.c ---------------------------------------------------- */

/* Bytes of the source, valid until the next call; they are there. */
const uint8_t *hcsshim__backup_pack_load(hcsshim_backup_pack *pack, uint64_t at,
                                         size_t length, int32_t *hr);
/* The first pass: what is where. */
int32_t hcsshim__backup_pack_scan(hcsshim_backup_pack *pack);

/* ---- backup_records.c -------------------------------------------------- */

/* Fill what a tar tells of the file that was scanned, but for its name. */
int32_t hcsshim__backup_pack_fill(hcsshim_backup_pack *pack,
                                  const hcsshim_file_info *info,
                                  hcsshim__tar_member *member);
/* Fill times and attributes alone, as of a link. */
int32_t hcsshim__backup_pack_fill_info(hcsshim_backup_pack *pack,
                                       const hcsshim_file_info *info,
                                       hcsshim__tar_member *member);

#endif
