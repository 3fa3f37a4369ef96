/* backup_records.c - what a tar tells of a file beside its bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/backup_pack.h"
#include "layer/text.h"
#include "layer/windows_meta.h"

/* Modes have the bits of the type and nothing else. */
enum { MODE_FOLDER = 0040000, MODE_FILE = 0100000, MODE_LINK = 0120000 };

/* ---- records ---------------------------------------------------------- */

static int32_t add_record(hcsshim_backup_pack *pack, hcsshim__tar_text key,
                          hcsshim__tar_text value)
{
    if (pack->record_count == pack->record_room) {
        size_t room = pack->record_room * 2 + 16;
        hcsshim__tar_record *more = realloc(pack->records, room * sizeof *more);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        pack->records = more;
        pack->record_room = room;
    }
    pack->records[pack->record_count++] = (hcsshim__tar_record){key, value};
    return 0;
}

static hcsshim__tar_text text_of(const char *literal)
{
    return (hcsshim__tar_text){literal, strlen(literal)};
}

/* Room in the scratch, which was reserved for all of a member before. */
static char *take_scratch(hcsshim_backup_pack *pack, size_t length)
{
    char *at = (char *)pack->scratch.data + pack->scratch_used;

    pack->scratch_used += length;
    return at;
}

static int32_t add_info(hcsshim_backup_pack *pack,
                        const hcsshim_file_info *info)
{
    char *time = take_scratch(pack, HCSSHIM__TAR_TIME);
    char *number = take_scratch(pack, 16);
    size_t length = hcsshim__tar_format_time(
        hcsshim__filetime_store(info->creation_time), time);
    int32_t hr = add_record(pack, text_of(HCSSHIM__RECORD_CREATION),
                            (hcsshim__tar_text){time, length});

    length = (size_t)snprintf(number, 16, "%u", (unsigned)info->attributes);
    return hr < 0 ? hr
                  : add_record(pack, text_of(HCSSHIM__RECORD_ATTRIBUTES),
                               (hcsshim__tar_text){number, length});
}

static int32_t add_security(hcsshim_backup_pack *pack)
{
    int32_t hr;
    const uint8_t *data;
    char *text;

    if (!pack->security.there || pack->security.length == 0)
        return 0;
    data = hcsshim__backup_pack_load(pack, pack->security.at,
                                     (size_t)pack->security.length, &hr);
    if (data == NULL)
        return hr;
    text =
        take_scratch(pack, HCSSHIM__BASE64_ROOM((size_t)pack->security.length));
    return add_record(
        pack, text_of(HCSSHIM__RECORD_SECURITY),
        (hcsshim__tar_text){
            text,
            hcsshim__base64_store(data, (size_t)pack->security.length, text)});
}

static int32_t add_attribute(hcsshim_backup_pack *pack, const hcsshim__ea *ea)
{
    size_t prefix = sizeof HCSSHIM__RECORD_EA - 1;
    char *key = take_scratch(pack, prefix + ea->name_length);
    char *value = take_scratch(pack, HCSSHIM__BASE64_ROOM(ea->value_length));

    memcpy(key, HCSSHIM__RECORD_EA, prefix);
    memcpy(key + prefix, ea->name, ea->name_length);
    return add_record(
        pack, (hcsshim__tar_text){key, prefix + ea->name_length},
        (hcsshim__tar_text){
            value, hcsshim__base64_store(ea->value, ea->value_length, value)});
}

static int32_t add_attributes(hcsshim_backup_pack *pack)
{
    size_t length = (size_t)pack->attributes.length;
    size_t first = pack->record_count;
    const uint8_t *list;
    hcsshim__ea ea;
    size_t at = 0;
    int32_t hr = 0;
    int more;

    if (!pack->attributes.there)
        return 0;
    list = hcsshim__backup_pack_load(pack, pack->attributes.at, length, &hr);
    if (list == NULL)
        return hr;
    while ((more = hcsshim__ea_next(list, length, &at, &ea)) > 0 && hr >= 0)
        hr = add_attribute(pack, &ea);
    if (more < 0)
        return hcsshim__backup_pack_fail(pack,
                                         "its extended attributes are damaged");
    if (pack->record_count - first > 1)
        qsort(pack->records + first, pack->record_count - first,
              sizeof *pack->records, hcsshim__tar_compare_records);
    return hr;
}

/* The link's target, and whether it is a junction. */
static int32_t take_reparse(hcsshim_backup_pack *pack,
                            hcsshim__tar_member *member, int *is_mount_point)
{
    size_t length = (size_t)pack->reparse.length;
    const uint8_t *data, *target;
    size_t units;
    uint32_t tag;
    char *text;
    int32_t hr;
    int found;

    data = hcsshim__backup_pack_load(pack, pack->reparse.at, length, &hr);
    if (data == NULL)
        return hr;
    found = hcsshim__reparse_target(data, length, &tag, &target, &units);
    if (found < 0)
        return hcsshim__backup_pack_fail(pack, "its reparse point is damaged");
    if (found == 0) {
        char reason[80];

        (void)snprintf(reason, sizeof reason,
                       "no tar can hold a reparse point of kind 0x%08X",
                       (unsigned)tag);
        return hcsshim__backup_pack_fail(pack, reason);
    }
    text = take_scratch(pack, units / 2 * 3);
    units = hcsshim__utf8_store(target, units, text);
    /* What the system's name begins with, where that is all there is. */
    if (units >= 8 && memcmp(text, "\\??\\UNC\\", 8) == 0) {
        text += 6;
        units -= 6;
        text[0] = '\\';
    } else if (units >= 4 && memcmp(text, "\\??\\", 4) == 0) {
        text += 4;
        units -= 4;
    }
    member->type = HCSSHIM__TAR_SYMLINK;
    member->link = (hcsshim__tar_text){text, units};
    *is_mount_point = tag == HCSSHIM__REPARSE_MOUNT_POINT;
    return 0;
}

/* Room for all that take_scratch() is asked for. */
static int32_t reserve_scratch(hcsshim_backup_pack *pack)
{
    size_t room = 256;

    room += HCSSHIM__BASE64_ROOM((size_t)pack->security.length);
    /* An attribute of one byte's name and none of value is the worst. */
    room += (size_t)pack->attributes.length * 4 + 64;
    room += (size_t)pack->reparse.length * 3;
    pack->scratch_used = 0;
    return hcsshim__bytes_reserve(&pack->scratch, room);
}

int32_t hcsshim__backup_pack_fill_info(hcsshim_backup_pack *pack,
                                       const hcsshim_file_info *info,
                                       hcsshim__tar_member *member)
{
    int32_t hr = reserve_scratch(pack);

    member->modified = hcsshim__filetime_store(info->write_time);
    member->accessed = hcsshim__filetime_store(info->access_time);
    member->changed = hcsshim__filetime_store(info->change_time);
    pack->record_count = 0;
    if (hr >= 0)
        hr = add_info(pack, info);
    member->records = pack->records;
    member->record_count = pack->record_count;
    return hr;
}

int32_t hcsshim__backup_pack_fill(hcsshim_backup_pack *pack,
                                  const hcsshim_file_info *info,
                                  hcsshim__tar_member *member)
{
    int is_mount_point = 0;
    int32_t hr = hcsshim__backup_pack_fill_info(pack, info, member);

    if ((info->attributes & HCSSHIM__WINDOWS_FOLDER) != 0) {
        member->type = HCSSHIM__TAR_FOLDER;
        member->mode |= MODE_FOLDER;
    }
    member->mode |= pack->has_data ? MODE_FILE : 0;
    if (hr >= 0 && pack->reparse.there) {
        member->mode |= MODE_LINK;
        hr = take_reparse(pack, member, &is_mount_point);
    }
    if (hr >= 0 && is_mount_point)
        hr = add_record(pack, text_of(HCSSHIM__RECORD_MOUNT_POINT),
                        text_of("1"));
    if (hr >= 0)
        hr = add_security(pack);
    if (hr >= 0)
        hr = add_attributes(pack);
    member->records = pack->records;
    member->record_count = pack->record_count;
    if (member->type == HCSSHIM__TAR_FILE && pack->has_data)
        member->size = pack->streams[pack->data].size;
    return hr;
}
