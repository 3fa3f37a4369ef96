/* backup.c - heads of backup streams, and extended attributes. */
#include "layer/backup.h"

#include <string.h>

#include "layer/bytes.h"

/* ---- heads ------------------------------------------------------------ */

const char *hcsshim__backup_load(const uint8_t data[HCSSHIM__BACKUP_HEAD],
                                 hcsshim__backup_head *head)
{
    head->id = hcsshim__load32(data);
    head->attributes = hcsshim__load32(data + 4);
    head->size = hcsshim__load64(data + 8);
    head->name_length = hcsshim__load32(data + 16);
    if (head->id == 0 || head->id > HCSSHIM__BACKUP_LAST)
        return "a stream has an id that nobody knows";
    if (head->size > INT64_MAX)
        return "a stream is longer than any file";
    if (head->name_length > HCSSHIM__BACKUP_NAME || head->name_length % 2 != 0)
        return "the name of a stream has a length that no name has";
    if (head->name_length > 0 && head->id != HCSSHIM__BACKUP_ALTERNATE)
        return "a stream has a name, and is no alternate one";
    if (head->id == HCSSHIM__BACKUP_BLOCK && head->size < 8)
        return "a sparse block does not say where it belongs";
    if ((head->id == HCSSHIM__BACKUP_EA ||
         head->id == HCSSHIM__BACKUP_SECURITY ||
         head->id == HCSSHIM__BACKUP_REPARSE) &&
        head->size > HCSSHIM__BACKUP_KEPT)
        return "attributes, security or a reparse point are too long";
    return NULL;
}

void hcsshim__backup_store(uint8_t out[HCSSHIM__BACKUP_HEAD],
                           hcsshim__backup_head head)
{
    hcsshim__store32(out, head.id);
    hcsshim__store32(out + 4, head.attributes);
    hcsshim__store64(out + 8, head.size);
    hcsshim__store32(out + 16, head.name_length);
}

/* ---- extended attributes ---------------------------------------------- */

/* next u32, flags u8, name length u8, value length u16, name, NUL, value. */
int hcsshim__ea_next(const uint8_t *list, size_t length, size_t *at,
                     hcsshim__ea *ea)
{
    const uint8_t *entry = list + *at;
    size_t left = length - *at;
    size_t next;
    size_t size;

    if (left == 0)
        return 0;
    if (left < HCSSHIM__EA_HEAD + 1)
        return -1;
    next = hcsshim__load32(entry);
    ea->flags = entry[4];
    ea->name_length = entry[5];
    ea->value_length = hcsshim__load16(entry + 6);
    size = HCSSHIM__EA_HEAD + ea->name_length + 1 + ea->value_length;
    if (ea->name_length == 0 || size > left ||
        (next != 0 && (next < size || next > left)) ||
        entry[HCSSHIM__EA_HEAD + ea->name_length] != 0)
        return -1;
    ea->name = (const char *)entry + HCSSHIM__EA_HEAD;
    ea->value = entry + HCSSHIM__EA_HEAD + ea->name_length + 1;
    *at = next != 0 ? *at + next : length;
    return 1;
}

size_t hcsshim__ea_room(const hcsshim__ea *ea)
{
    return (HCSSHIM__EA_HEAD + ea->name_length + 1 + ea->value_length + 3) &
           ~(size_t)3;
}

size_t hcsshim__ea_store(uint8_t *out, const hcsshim__ea *ea, int last)
{
    size_t room = hcsshim__ea_room(ea);
    size_t name = HCSSHIM__EA_HEAD + ea->name_length;

    hcsshim__store32(out, last ? 0 : (uint32_t)room);
    out[4] = ea->flags;
    out[5] = (uint8_t)ea->name_length;
    hcsshim__store16(out + 6, (uint16_t)ea->value_length);
    memcpy(out + HCSSHIM__EA_HEAD, ea->name, ea->name_length);
    out[name] = 0;
    if (ea->value_length > 0)
        memcpy(out + name + 1, ea->value, ea->value_length);
    memset(out + name + 1 + ea->value_length, 0,
           room - (name + 1 + ea->value_length));
    return room;
}
