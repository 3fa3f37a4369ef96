/*
 * members.h - the members of a layer, kept beside its files.
 *
 * What a file system cannot hold of a Windows layer - security descriptors,
 * creation times, attributes, reparse points, streams, even the order - is all
 * in the headers of its tar. So those are kept: the tar without the bodies, its
 * zeros squeezed. A tar made of that and the files is the same byte for byte.
 *
 * The file begins with 8 bytes of magic. Records follow, numbers little-endian:
 *
 *     u32  length of the header bytes
 *     u32  length of these when squeezed
 *     u64  length of the body in the tar, which is in a file
 *     u32  number of the file in "streams", or 0 when the path has it
 *     u32  flags
 *     u32  how many of the header bytes belong to the body before: its padding
 *     u32  zero
 *     squeezed bytes: { u16 literals, u16 zeros, literals } ...
 *
 * The last records have the end of the tar, and no member.
 */
#ifndef HCSSHIM_LAYER_MEMBERS_H
#define HCSSHIM_LAYER_MEMBERS_H

#include "layer/sink.h"

#define HCSSHIM__MEMBERS_FOLDER ".hcsshim"
#define HCSSHIM__MEMBERS_FILE HCSSHIM__MEMBERS_FOLDER "/members"
#define HCSSHIM__MEMBERS_STREAMS HCSSHIM__MEMBERS_FOLDER "/streams"
#define HCSSHIM__MEMBERS_MAGIC "HCSLAYR1"
#define HCSSHIM__MEMBERS_HEAD ((size_t)32)
/* The longest header bytes of one member: pax, long names, sparse maps. */
#define HCSSHIM__MEMBERS_LONGEST ((size_t)64 * 1024 * 1024)

enum {
    HCSSHIM__MEMBER_END = 1,    /* no member: the rest of the tar */
    HCSSHIM__MEMBER_SPARSE = 2, /* the body's holes are not in the tar */
    /* What the system has no file for, as unpack_kept.c says. */
    HCSSHIM__MEMBER_KEPT = 4,  /* nothing stands for it */
    HCSSHIM__MEMBER_TEXT = 8,  /* a link; a file has its text */
    HCSSHIM__MEMBER_ASIDE = 16 /* a file; its bytes are in "streams" */
};

typedef struct hcsshim__member_head {
    uint32_t length;
    uint32_t squeezed;
    uint64_t body;
    uint32_t stream;
    uint32_t flags;
    uint32_t before;
} hcsshim__member_head;

/* Write a record. 'squeezed' of the head is filled in. */
int32_t hcsshim__members_write(hcsshim__sink *sink, hcsshim__member_head head,
                               const uint8_t *data);

/* Read a head. Returns 0 or E_INVALID_DATA. */
int32_t hcsshim__members_head(const uint8_t *data, hcsshim__member_head *head);

/* Restore header bytes; 'out' has room for head->length. */
int32_t hcsshim__members_restore(const hcsshim__member_head *head,
                                 const uint8_t *squeezed, uint8_t *out);

#endif
