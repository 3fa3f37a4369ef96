/* unpack.h - the inside of unpacking a tar into a layer's folder. */
#ifndef HCSSHIM_LAYER_UNPACK_H
#define HCSSHIM_LAYER_UNPACK_H

#include "hcsshim.h"
#include "layer/members.h"
#include "layer/names.h"
#include "layer/sha256.h"
#include "layer/tar_read.h"
#include "layer/tree.h"

#define HCSSHIM__PROBLEM 512

/* A hard link whose target had not come yet. */
typedef struct hcsshim__late_link {
    hcsshim__path path;
    hcsshim__path target;
} hcsshim__late_link;

struct hcsshim_unpack {
    hcsshim__tar *tar;
    hcsshim__tree *tree;
    uint32_t flags;
    hcsshim__tree **parents; /* nearest first */
    uint32_t parent_count;
    int32_t error; /* the first one: the layer is lost */
    char problem[HCSSHIM__PROBLEM];

    /* the member under way */
    hcsshim__path path;
    hcsshim__path target;
    hcsshim__tree_meta meta;
    hcsshim__tar_record *attributes; /* what meta points to */
    size_t attribute_room;
    hcsshim__path main; /* Windows: the last file, which streams belong to */

    hcsshim__late_link *late;
    size_t late_count;
    size_t late_room;

    /* the members file, for Windows */
    hcsshim__sink members;
    int64_t members_file; /* -1: none */
    hcsshim__bytes raw;   /* header bytes not written yet */
    size_t whole;         /* how much of it is the member under way's */
    uint64_t ignored;     /* bytes of its body that are in raw, too */
    hcsshim__member_head head;

    hcsshim__sha256 digest;
    struct hcsshim__work *work;
    uint64_t fed; /* bytes of the tar before what is fed now */
    int ended;
    hcsshim_unpack_result result;
};

/* Write a sentence about a member, whose name is cut if it is long. */
void hcsshim__describe(char problem[HCSSHIM__PROBLEM], hcsshim__tar_text name,
                       const char *reason);

/* Fail with a sentence about a member. Gives 'hr' back. */
int32_t hcsshim__unpack_fail(hcsshim_unpack *unpack, int32_t hr,
                             hcsshim__tar_text name, const char *reason);

/* Take the next bytes apart. They stay where they are until they are written.
 */
int32_t hcsshim__unpack_take(hcsshim_unpack *unpack, const uint8_t *data,
                             size_t length);

/* Begin a member. */
int32_t hcsshim__unpack_entry(hcsshim_unpack *unpack,
                              const hcsshim__tar_entry *entry);
/* Make the hard links that waited. */
int32_t hcsshim__unpack_links(hcsshim_unpack *unpack);

/* ---- unpack_files.c: files, which other threads write ------------------ */

/* Begin a file with unpack's meta; path: of the tree. */
int32_t hcsshim__unpack_open(hcsshim_unpack *unpack, hcsshim__tar_text path,
                             int64_t size);
/* Whether a file is under way. */
int hcsshim__unpack_is_open(const hcsshim_unpack *unpack);
/* Its next bytes, of the piece that is taken apart; NULL: zeros. */
int32_t hcsshim__unpack_write(hcsshim_unpack *unpack, const uint8_t *data,
                              uint64_t length);
/* Its body is complete. */
void hcsshim__unpack_close(hcsshim_unpack *unpack);

#endif
