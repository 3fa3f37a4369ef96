/*
 * tar_read.h - a streaming reader of tar, for whoever converts layers.
 *
 * ustar, pax (local and global), GNU and STAR, with long names, base-256
 * numbers and every kind of GNU sparse file; what is accepted is what Go's
 * archive/tar accepts, since that decides what the reference's images hold.
 *
 * It reads no file: the caller feeds pieces of any size and takes steps.
 *
 *     hcsshim__tar_feed(tar, buffer, length);       borrowed until TAR_MORE
 *     while ((hr = hcsshim__tar_next(tar, &step)) > HCSSHIM__TAR_MORE)
 *         switch (hr) {
 *         case HCSSHIM__TAR_ENTRY: begin(step.entry);
 *         case HCSSHIM__TAR_DATA:  body(step.data, step.length);
 *         case HCSSHIM__TAR_HOLE:  zeros(step.length);
 *         case HCSSHIM__TAR_END:   done, the rest is not looked at
 *         }
 *
 * After the last piece call hcsshim__tar_finish(): a tar may end without its
 * trailer, but not inside a header or a body. An entry's body is complete when
 * the next ENTRY or END comes. Bodies nobody wants are simply not looked at,
 * and hcsshim__tar_passed() tells that the caller moved a part of one by other
 * means (lseek, copy_file_range).
 *
 * Memory is bounded whatever the input says: HCSSHIM__TAR_LONGEST bytes for
 * each of pax records and long names, HCSSHIM__TAR_PIECES for a sparse map.
 * Not thread-safe; one reader per thread.
 */
#ifndef HCSSHIM_LAYER_TAR_READ_H
#define HCSSHIM_LAYER_TAR_READ_H

#include <stddef.h>
#include <stdint.h>

#define HCSSHIM__TAR_BLOCK 512
/* The longest pax header, long name or long link, in bytes. */
#define HCSSHIM__TAR_LONGEST ((size_t)1024 * 1024)
/* The most pax records of one entry, and data pieces of one sparse file. */
#define HCSSHIM__TAR_RECORDS ((size_t)65536)
#define HCSSHIM__TAR_PIECES ((size_t)1024 * 1024)

/* Kinds of entries, as they stand in the header. */
#define HCSSHIM__TAR_FILE '0' /* also for NUL, 'S' */
#define HCSSHIM__TAR_LINK '1'
#define HCSSHIM__TAR_SYMLINK '2'
#define HCSSHIM__TAR_CHARACTER '3'
#define HCSSHIM__TAR_DEVICE '4' /* a block device */
#define HCSSHIM__TAR_FOLDER '5'
#define HCSSHIM__TAR_FIFO '6'
#define HCSSHIM__TAR_GLOBAL 'g' /* records for all that follows */

typedef struct hcsshim__tar hcsshim__tar;

/* Bytes with their length; never NULL, and not terminated. */
typedef struct hcsshim__tar_text {
    const char *data;
    size_t length;
} hcsshim__tar_text;

typedef struct hcsshim__tar_time {
    int64_t seconds;     /* since 1970 */
    int32_t nanoseconds; /* negative for a time such as -1.5 */
    int present;         /* 0: the tar does not tell */
} hcsshim__tar_time;

/* A pax record. Of two with one key the later one holds. */
typedef struct hcsshim__tar_record {
    hcsshim__tar_text key;   /* "SCHILY.xattr.user.colour" */
    hcsshim__tar_text value; /* raw bytes; empty: as if it were not there */
} hcsshim__tar_record;

/*
 * One member. Everything is the reader's, valid until hcsshim__tar_next() gives
 * the ENTRY or END after it.
 */
typedef struct hcsshim__tar_entry {
    char type; /* HCSSHIM__TAR_FILE ..., or a letter that nobody here knows */
    int sparse;
    hcsshim__tar_text name, link, user, group;
    int64_t size; /* of the body with its holes; kept, but without a body, for
                     links, folders, devices and FIFOs */
    int64_t mode, uid, gid, device_major, device_minor;
    hcsshim__tar_time modified, accessed, changed;
    const hcsshim__tar_record *records; /* in the order of the tar */
    size_t record_count;
    uint64_t offset; /* of its header in the tar */
} hcsshim__tar_entry;

/* What hcsshim__tar_next() found; negative: an error. */
enum {
    HCSSHIM__TAR_MORE = 0, /* feed again */
    HCSSHIM__TAR_ENTRY,
    HCSSHIM__TAR_DATA, /* bytes of the body, in the caller's buffer */
    HCSSHIM__TAR_HOLE, /* zeros of a sparse body; data is NULL */
    HCSSHIM__TAR_END
};

typedef struct hcsshim__tar_step {
    const hcsshim__tar_entry *entry; /* at ENTRY, and while its body comes */
    const uint8_t *data;
    uint64_t length;
} hcsshim__tar_step;

/* What a reader is asked for besides the entries. */
enum {
    /*
     * Apply the records of global headers to the entries after them, as POSIX
     * says. Without it a global header is an entry of type 'g' with a name and
     * records and nothing else, as in Go.
     */
    HCSSHIM__TAR_APPLY_GLOBAL = 1
};

/* Returns 0, E_INVALIDARG for unknown flags, or E_OUTOFMEMORY. */
int32_t hcsshim__tar_new(uint32_t flags, hcsshim__tar **out);

/* NULL does nothing. */
void hcsshim__tar_free(hcsshim__tar *tar);

/*
 * hcsshim__tar_feed() - give the next bytes.
 *
 * data: borrowed until hcsshim__tar_next() returns MORE. What was fed before
 *       must have been used up.
 */
void hcsshim__tar_feed(hcsshim__tar *tar, const uint8_t *data, size_t length);

/*
 * hcsshim__tar_next() - take the next step.
 *
 * Returns HCSSHIM__TAR_MORE ... END; E_INVALID_DATA where the tar is damaged
 * or beyond the limits above (hcsshim__tar_problem() tells); E_OUTOFMEMORY.
 * After an error every call gives it again. Never blocks.
 */
int32_t hcsshim__tar_next(hcsshim__tar *tar, hcsshim__tar_step *step);

/*
 * hcsshim__tar_finish() - there is no more input.
 *
 * Returns 0, or E_INVALID_DATA if it ended inside a header or a body.
 */
int32_t hcsshim__tar_finish(hcsshim__tar *tar);

/*
 * hcsshim__tar_following() - bytes of the present run of data that were not
 * fed.
 *
 * Nonzero only after a DATA step that used the fed buffer up: the bytes that
 * come next in the input all are body, without a hole between them.
 */
uint64_t hcsshim__tar_following(const hcsshim__tar *tar);

/* The caller moved 'length' of the following bytes by other means. */
void hcsshim__tar_passed(hcsshim__tar *tar, uint64_t length);

/* A time as pax writes it: -1.5. Returns 0 if it is none. */
int hcsshim__tar_parse_time(hcsshim__tar_text text, hcsshim__tar_time *time);

/* Where in the tar the reader is, in bytes from the start. */
uint64_t hcsshim__tar_offset(const hcsshim__tar *tar);

/*
 * hcsshim__tar_problem() - what is wrong, as a part of a sentence.
 *
 * offset: set to where. Static text; NULL if nothing was wrong.
 */
const char *hcsshim__tar_problem(const hcsshim__tar *tar, uint64_t *offset);

#endif
