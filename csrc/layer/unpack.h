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
/* Room for the path of a numbered file. */
#define HCSSHIM__NUMBERED 64

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

    /* Windows, where the system can hold what it knows */
    hcsshim__tree_windows windows; /* what meta points to */
    hcsshim__sink streams;         /* what 'windows' points to */
    hcsshim__bytes scratch;
    uint32_t numbered;      /* files in "streams" so far */
    hcsshim__path_set kept; /* members that have no file of their name */

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

/* ---- unpack_kept.c ----------------------------------------------------- */

/* Collect what Windows knows of a member, where files can have that. */
int32_t hcsshim__unpack_collect(hcsshim_unpack *unpack,
                                const hcsshim__tar_entry *entry);
/* Write down what the tree made of the member: see tree.h. */
int32_t hcsshim__unpack_note(hcsshim_unpack *unpack, int32_t hr);
/* The same of a member that removes something. */
int32_t hcsshim__unpack_mark(hcsshim_unpack *unpack, int32_t hr);
/* Whether a member of this path has no file of its name. */
int hcsshim__unpack_is_kept(const hcsshim_unpack *unpack,
                            const hcsshim__path *path);
/* The path of the next numbered file, for the bytes of a member. */
hcsshim__tar_text hcsshim__unpack_number(hcsshim_unpack *unpack,
                                         char name[HCSSHIM__NUMBERED]);
/* Make one for the bytes of a file that the system cannot have. */
int32_t hcsshim__unpack_aside(hcsshim_unpack *unpack, int64_t *file);

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
