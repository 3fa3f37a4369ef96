/*
 * backup.h - Win32 backup streams: what BackupRead gives and BackupWrite takes.
 *
 * A file is a run of streams, each a head of 20 bytes, a name if it is an
 * alternate one, and its bytes. There is no padding, and nothing ends it but
 * its end. All numbers are little-endian:
 *
 *      0  u32  id
 *      4  u32  attributes
 *      8  u64  size: of the bytes after the name
 *     16  u32  bytes of the name, which is UTF-16
 */
#ifndef HCSSHIM_LAYER_BACKUP_H
#define HCSSHIM_LAYER_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#define HCSSHIM__BACKUP_HEAD ((size_t)20)
/* ":" and 255 units and ":$DATA", and then some. */
#define HCSSHIM__BACKUP_NAME ((uint32_t)1024)
/* The longest of what is kept in memory; each is below 64 KiB in practice. */
#define HCSSHIM__BACKUP_KEPT ((uint64_t)256 * 1024)
#define HCSSHIM__BACKUP_SPARSE 8 /* attribute: blocks may follow */

enum {
    HCSSHIM__BACKUP_DATA = 1,
    HCSSHIM__BACKUP_EA,
    HCSSHIM__BACKUP_SECURITY,
    HCSSHIM__BACKUP_ALTERNATE,
    HCSSHIM__BACKUP_LINK,
    HCSSHIM__BACKUP_PROPERTY,
    HCSSHIM__BACKUP_OBJECT_ID,
    HCSSHIM__BACKUP_REPARSE,
    HCSSHIM__BACKUP_BLOCK,
    HCSSHIM__BACKUP_TXFS,
    HCSSHIM__BACKUP_GHOSTED,
    HCSSHIM__BACKUP_LAST = HCSSHIM__BACKUP_GHOSTED
};

typedef struct hcsshim__backup_head {
    uint32_t id;
    uint32_t attributes;
    uint64_t size;
    uint32_t name_length; /* bytes */
} hcsshim__backup_head;

/*
 * hcsshim__backup_load() - read a head.
 *
 * Returns NULL, or what is wrong with it.
 */
const char *hcsshim__backup_load(const uint8_t data[HCSSHIM__BACKUP_HEAD],
                                 hcsshim__backup_head *head);
void hcsshim__backup_store(uint8_t out[HCSSHIM__BACKUP_HEAD],
                           hcsshim__backup_head head);

/* ---- extended attributes: FILE_FULL_EA_INFORMATION --------------------- */

#define HCSSHIM__EA_HEAD ((size_t)8)

typedef struct hcsshim__ea {
    uint8_t flags;
    const char *name; /* without a terminator */
    size_t name_length;
    const uint8_t *value;
    size_t value_length;
} hcsshim__ea;

/*
 * hcsshim__ea_next() - take an attribute out of a list.
 *
 * at: where the next one begins, 0 for the first; moved on.
 *
 * Returns 1 with an attribute, 0 after the last, -1 for a damaged list.
 */
int hcsshim__ea_next(const uint8_t *list, size_t length, size_t *at,
                     hcsshim__ea *ea);

/* The bytes that an attribute takes in a list, its padding with them. */
size_t hcsshim__ea_room(const hcsshim__ea *ea);
/* Write one; returns its room. last: no other follows. */
size_t hcsshim__ea_store(uint8_t *out, const hcsshim__ea *ea, int last);

/* ---- reparse points: REPARSE_DATA_BUFFER ------------------------------- */

#define HCSSHIM__REPARSE_MOUNT_POINT UINT32_C(0xA0000003)
#define HCSSHIM__REPARSE_SYMLINK UINT32_C(0xA000000C)

/*
 * hcsshim__reparse_target() - where a symbolic link or a junction leads.
 *
 * out: set to units in 'data': the name that people see, or without one the
 *      name that the system uses.
 * tag: set to its tag.
 *
 * Returns 1; 0 for another kind of reparse point; -1 if it is damaged.
 */
int hcsshim__reparse_target(const uint8_t *data, size_t length, uint32_t *tag,
                            const uint8_t **out, size_t *out_length);

/*
 * hcsshim__reparse_store() - make a link of its target.
 *
 * target: units. out: room for HCSSHIM__REPARSE_ROOM(length) bytes.
 *
 * Returns the bytes, or 0 for a target that is too long.
 */
#define HCSSHIM__REPARSE_ROOM(length) (48 + 2 * (length))
size_t hcsshim__reparse_store(const uint8_t *target, size_t length,
                              int is_mount_point, uint8_t *out);

#endif
