/* pack.h - the inside of packing a layer's folder into a tar. */
#ifndef HCSSHIM_LAYER_PACK_H
#define HCSSHIM_LAYER_PACK_H

#include "hcsshim.h"
#include "layer/inherited.h"
#include "layer/members.h"
#include "layer/names.h"
#include "layer/node.h"
#include "layer/replay.h"
#include "layer/tar_write.h"
#include "layer/tree.h"
#include "layer/unpack.h"
#include "layer/walk.h"

/* Where a file that has several names was written first. */
typedef struct hcsshim__seen_file {
    uint64_t device;
    uint64_t inode;
    size_t path; /* in names */
    size_t length;
} hcsshim__seen_file;

/* Open addressing; a length of 0 is free. */
typedef struct hcsshim__seen_files {
    hcsshim__seen_file *table;
    size_t count;
    size_t room; /* a power of two, or 0 */
    hcsshim__bytes names;
} hcsshim__seen_files;

struct hcsshim_pack {
    hcsshim__tree *tree;
    uint32_t flags;
    int32_t error;
    char problem[HCSSHIM__PROBLEM];
    hcsshim__sink sink;
    hcsshim_pack_result result;
    int state;

    hcsshim__walk *walk;
    hcsshim__seen_files seen;

    /* the body under way */
    int64_t body;  /* its file, or -1 */
    uint64_t left; /* of it */
    uint64_t at;
    uint64_t size;
    int sparse;
    int pads; /* the last block is to be filled up */

    /* scratch of one member */
    hcsshim__path path;
    hcsshim__path name;
    hcsshim__bytes texts; /* of records and links */
    hcsshim__tar_record *records;
    size_t record_room;
    size_t record_count;
    /* Windows */
    hcsshim__replay *replay;
    hcsshim__replayed rest;  /* the end of the tar, until it is written */
    hcsshim__path_set known; /* paths that the members told */
    hcsshim__inherited *inherited;
    int before_due; /* padding of the body before is in the next record */
    int main_gone;  /* streams that follow belong to nothing */
    hcsshim__tree **parents;
    uint32_t parent_count;
};

int32_t hcsshim__pack_fail(hcsshim_pack *pack, int32_t hr,
                           hcsshim__tar_text name, const char *reason);

/* ---- pack.c: what every kind of layer needs --------------------------- */

/* Add a record of a key and a value, which are copied. */
int32_t hcsshim__pack_record(hcsshim_pack *pack, const char *key,
                             size_t key_length, const char *value,
                             size_t length);
/* Forget the records and texts of the member before. */
void hcsshim__pack_clear(hcsshim_pack *pack);
/* Sort the records and let 'member' have them. */
void hcsshim__pack_take_records(hcsshim_pack *pack,
                                hcsshim__tar_member *member);
/* Read a symbolic link into pack->name. */
int32_t hcsshim__pack_read_link(hcsshim_pack *pack, int64_t folder,
                                const char *name);
/* Write a header. */
int32_t hcsshim__pack_write(hcsshim_pack *pack,
                            const hcsshim__tar_member *member);
/*
 * Begin a body whose file is taken over. pads: fill its last block up
 * with zeros.
 */
void hcsshim__pack_begin_body(hcsshim_pack *pack, int64_t file, uint64_t size,
                              int sparse, int pads);
/* Open a file, give its member a size, write the header and begin the body. */
int32_t hcsshim__pack_write_file(hcsshim_pack *pack,
                                 const hcsshim__walk_item *item,
                                 hcsshim__tar_member *member);
/*
 * Whether a file was written under another name before: then the name is in
 * 'target'. Otherwise it is remembered.
 */
int32_t hcsshim__pack_seen(hcsshim_pack *pack, const hcsshim__node *node,
                           hcsshim__tar_text path, hcsshim__tar_text *target);

/* ---- pack_new.c ------------------------------------------------------- */

/* Write the next new file of a Windows layer; after the last: PACK_REST. */
int32_t hcsshim__pack_new_next(hcsshim_pack *pack);
/* When a file was written last, as exactly as Windows tells. */
hcsshim__tar_time hcsshim__pack_modified(const hcsshim__node *node);

/* ---- pack_linux_unix.c, pack_windows.c -------------------------------- */

/* Write the next member. Sets 'state' to PACK_END after the last. */
int32_t hcsshim__pack_linux_next(hcsshim_pack *pack);
int32_t hcsshim__pack_windows_next(hcsshim_pack *pack);
int32_t hcsshim__pack_windows_open(hcsshim_pack *pack,
                                   const char *const *parents, uint32_t count);
void hcsshim__pack_windows_close(hcsshim_pack *pack);

/* An empty file at 'folder', whose name of two halves removes something. */
int32_t hcsshim__pack_mark(hcsshim_pack *pack, hcsshim__tar_text folder,
                           const char *prefix, const char *name);

enum { PACK_REPLAY = 0, PACK_WALK, PACK_REST, PACK_END };

#endif
