/*
 * reparse.c - symbolic links and junctions.
 *
 * u32 tag, u16 length of what follows these 8 bytes, u16 zero; then u16 offset
 * and length of the system's name, the same of the shown name, for symbolic
 * links u32 flags (1: relative), and the buffer that both are in.
 */
#include <string.h>

#include "layer/backup.h"
#include "layer/bytes.h"

#define HEAD ((size_t)8)
#define NAMES ((size_t)8)

/* A name of the system is one that begins so: \??\ */
static const uint8_t native[] = {'\\', 0, '?', 0, '?', 0, '\\', 0};
static const uint8_t native_share[] = {'U', 0, 'N', 0, 'C', 0, '\\', 0};
static const uint8_t long_path[] = {'\\', 0, '\\', 0, '?', 0, '\\', 0};

static int begins(const uint8_t *data, size_t length, const uint8_t *with,
                  size_t with_length)
{
    return length >= with_length && memcmp(data, with, with_length) == 0;
}

int hcsshim__reparse_target(const uint8_t *data, size_t length, uint32_t *tag,
                            const uint8_t **out, size_t *out_length)
{
    size_t buffer = HEAD + NAMES;
    size_t offset, size;

    *tag = 0;
    if (length < HEAD)
        return -1;
    *tag = hcsshim__load32(data);
    if (*tag != HCSSHIM__REPARSE_SYMLINK &&
        *tag != HCSSHIM__REPARSE_MOUNT_POINT)
        return 0;
    if (*tag == HCSSHIM__REPARSE_SYMLINK)
        buffer += 4;
    if (length < buffer || hcsshim__load16(data + 4) > length - HEAD)
        return -1;
    offset = hcsshim__load16(data + 12);
    size = hcsshim__load16(data + 14);
    if (size == 0) { /* volumes have no name to be shown */
        offset = hcsshim__load16(data + 8);
        size = hcsshim__load16(data + 10);
    }
    if (size % 2 != 0 || offset > length - buffer ||
        size > length - buffer - offset)
        return -1;
    *out = data + buffer + offset;
    *out_length = size;
    return 1;
}

/* What stands before a target to make it a name of the system. */
static size_t store_prefix(uint8_t *out, const uint8_t *target, size_t length,
                           size_t *skip, uint32_t *relative)
{
    *skip = 0;
    *relative = 0;
    if (begins(target, length, long_path, sizeof long_path)) {
        *skip = sizeof long_path;
    } else if (begins(target, length, long_path, 4)) {
        memcpy(out, native, sizeof native);
        memcpy(out + sizeof native, native_share, sizeof native_share);
        *skip = 4;
        return sizeof native + sizeof native_share;
    } else if (length < 4 || target[2] != ':' || target[3] != 0) {
        *relative = 1;
        return 0;
    }
    memcpy(out, native, sizeof native);
    return sizeof native;
}

size_t hcsshim__reparse_store(const uint8_t *target, size_t length,
                              int is_mount_point, uint8_t *out)
{
    size_t buffer = HEAD + NAMES + (is_mount_point ? 0 : 4);
    uint32_t relative;
    size_t skip;
    size_t size;
    size_t total;

    if (length > 0xFF00)
        return 0;
    size = store_prefix(out + buffer, target, length, &skip, &relative);
    memcpy(out + buffer + size, target + skip, length - skip);
    size += length - skip;
    total = buffer - HEAD + size + 2 + length + 2;
    if (total > 0xFFFF)
        return 0;
    memset(out + buffer + size, 0, 2);
    memcpy(out + buffer + size + 2, target, length);
    memset(out + buffer + size + 2 + length, 0, 2);
    hcsshim__store32(out, is_mount_point ? HCSSHIM__REPARSE_MOUNT_POINT
                                         : HCSSHIM__REPARSE_SYMLINK);
    hcsshim__store16(out + 4, (uint16_t)total);
    hcsshim__store16(out + 6, 0);
    hcsshim__store16(out + 8, 0);
    hcsshim__store16(out + 10, (uint16_t)size);
    hcsshim__store16(out + 12, (uint16_t)(size + 2));
    hcsshim__store16(out + 14, (uint16_t)length);
    if (!is_mount_point)
        hcsshim__store32(out + 16, relative);
    return HEAD + total;
}
