/*
 * unpack_work.h - several threads unpack one tar.
 *
 * Its bytes go through a ring of pieces. Each is fed or read, hashed, and taken
 * apart: each of the three in the tar's order, by one thread at a time, but by
 * whichever has nothing else to do, and beside the others. Taking apart makes
 * the names, one after another, so that whatever a tar says of them means what
 * it means in its order; but bytes and meta of files go to files that are open
 * already, whatever becomes of their names, and that any thread does.
 *
 * The caller's thread works along, so that no thread hands its work to one that
 * sleeps and waits; without helpers it does all. Helpers live as long as the
 * work.
 */
#ifndef HCSSHIM_LAYER_UNPACK_WORK_H
#define HCSSHIM_LAYER_UNPACK_WORK_H

#include "events/platform.h"
#include "layer/unpack.h"

#define HCSSHIM__WORK_PIECES 8u
/* With the caller's two threads: hashing takes about half of all time, and on
 * two processors a third thread is only in the way. */
#define HCSSHIM__WORK_HELPERS 1u
/* Files that are open at a time, and parts of one that wait for a thread. */
#define HCSSHIM__WORK_FILES 32u
#define HCSSHIM__WORK_PARTS 64u

/* A part of a file's body. */
typedef struct hcsshim__part {
    const uint8_t *data; /* NULL: zeros */
    uint64_t length;
    uint32_t piece; /* where the data is */
} hcsshim__part;

typedef struct hcsshim__parts {
    hcsshim__part list[HCSSHIM__WORK_PARTS];
    size_t count;
} hcsshim__parts;

/* A file from its opening to its closing. */
typedef struct hcsshim__making {
    struct hcsshim__making *next; /* that is free, or waits for a thread */
    int64_t file;                 /* -1: free */
    int64_t size;
    uint64_t skipped; /* zeros left out that no byte followed yet */
    hcsshim__path path;
    hcsshim__tree_meta meta;
    hcsshim__tar_record *attributes; /* what meta points to */
    size_t attribute_room;
    hcsshim__tree_windows windows; /* what meta points to */
    hcsshim__bytes texts;          /* of the attributes, or the streams */
    hcsshim__parts coming;
    hcsshim__parts going; /* of the thread that has the file */
    int closed;           /* nothing follows */
    int queued, busy;     /* it waits for a thread, a thread has it */
} hcsshim__making;

typedef struct hcsshim__work_piece {
    uint8_t *data;
    void *memory;
    size_t length;
    size_t users; /* who still needs the bytes */
} hcsshim__work_piece;

/* All under the lock but what is said to be somebody's. */
struct hcsshim__work {
    hcsshim_unpack *unpack; /* of the thread that takes apart */
    hcsshim__mutex lock;
    hcsshim__gate due;     /* told to helpers that sleep */
    hcsshim__gate reached; /* told to threads that wait for something */
    unsigned sleeping;
    unsigned waiting;
    unsigned active; /* threads in the middle of something */
    int stopping;
    int32_t error; /* the first one */
    char problem[HCSSHIM__PROBLEM];

    /* Pieces: the counts go up for ever, and each is ahead of the next. */
    hcsshim__work_piece pieces[HCSSHIM__WORK_PIECES];
    uint32_t filled, hashed, parsed, freed;
    int digests;                   /* hashing is asked for */
    int hashing, parsing, reading; /* a thread does it */
    size_t fed;                    /* bytes in the piece that feeding fills */

    /* what is read */
    int64_t source;
    uint64_t left;
    uint64_t got;
    int ended;

    hcsshim__making files[HCSSHIM__WORK_FILES];
    hcsshim__making *spare;  /* those that are free */
    hcsshim__making *first;  /* those that wait for a thread, and the last */
    hcsshim__making *last;   /* undefined without a first */
    unsigned queued;         /* how many wait */
    hcsshim__making *making; /* the one that is taken apart, or NULL */

    hcsshim__thread helpers[HCSSHIM__WORK_HELPERS];
    unsigned helper_count;
    uint64_t process; /* which the helpers are in */
};

int32_t hcsshim__work_new(hcsshim_unpack *unpack, struct hcsshim__work **out);

/*
 * Stop, whatever is due. Files stay as they are. NULL does nothing. Nothing is
 * freed in a process that inherited the work: its threads are not there.
 */
void hcsshim__work_free(struct hcsshim__work *work);

/* Take bytes, which are copied. Blocks while all pieces are in use. */
int32_t hcsshim__work_feed(struct hcsshim__work *work, const uint8_t *data,
                           size_t length);

/* Where the next ones may be put, and that they were: hcsshim_unpack_room(). */
int32_t hcsshim__work_room(struct hcsshim__work *work, uint8_t **data,
                           size_t *room);
int32_t hcsshim__work_fill(struct hcsshim__work *work, size_t length);

/* Take bytes of a file, as hcsshim_unpack_read(). */
int32_t hcsshim__work_read(struct hcsshim__work *work, int64_t file,
                           uint64_t limit, uint64_t *got);

/* Do all that is due. After it no thread but the caller's does anything. */
int32_t hcsshim__work_drain(struct hcsshim__work *work);

/* ---- with the lock ---------------------------------------------------- */

/* Keep the first error, and a sentence about it. */
void hcsshim__work_fail(struct hcsshim__work *work, int32_t hr,
                        const char *problem);
/* Wait until another thread has done something. */
void hcsshim__work_await(struct hcsshim__work *work);
/* Tell helpers that something is due. */
void hcsshim__work_publish(struct hcsshim__work *work);
/* Somebody needs the bytes of a piece no more. */
void hcsshim__work_release(struct hcsshim__work *work, uint32_t piece);

/* ---- unpack_files.c ---------------------------------------------------- */

/* Write what the first file that waits has, and close it after its last. */
void hcsshim__making_run(struct hcsshim__work *work);
/* Let other threads have the file under way, as far as it came. */
void hcsshim__making_share(struct hcsshim__work *work);
/* Without the lock: close and free all, when no thread is left. */
void hcsshim__making_free_all(struct hcsshim__work *work);

#endif
