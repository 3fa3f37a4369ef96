/* ext4_io.h - files, as the ext4 writer uses them; one file per platform. */
#ifndef HCSSHIM_LAYER_EXT4_IO_H
#define HCSSHIM_LAYER_EXT4_IO_H

#include <stddef.h>
#include <stdint.h>

typedef struct hcsshim__piece {
    const uint8_t *data;
    size_t length;
} hcsshim__piece;

/* Write pieces one after another at 'offset'; all of them, or an error. */
int32_t hcsshim__image_write(int64_t file, uint64_t offset,
                             const hcsshim__piece *pieces, size_t count);

/* Read up to 'length' bytes from where the file stands; 'got' is 0 at its end.
 */
int32_t hcsshim__image_read(int64_t file, uint8_t *buffer, size_t length,
                            size_t *got);

/* Make a file 'length' bytes long; what is new are zeros. */
int32_t hcsshim__image_resize(int64_t file, uint64_t length);

/*
 * hcsshim__image_copy() - let the system copy from where 'source' stands.
 *
 * done: how much was copied, at most 'length'; 0 at the source's end.
 *
 * Returns 0, E_NOTIMPL where the system cannot, or an error.
 */
int32_t hcsshim__image_copy(int64_t source, int64_t target, uint64_t offset,
                            uint64_t length, uint64_t *done);

#endif
