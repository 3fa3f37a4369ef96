/* windows_meta.c - records of a tar to streams of a file. */
#include "layer/windows_meta.h"

#include <stdlib.h>
#include <string.h>

#include "layer/backup.h"
#include "layer/tar_write.h"
#include "layer/text.h"

#define TICKS INT64_C(10000000) /* in a second */
/* Seconds from 1601 to 1970. */
#define EPOCH INT64_C(11644473600)
/* Whole seconds that 64 bits of ticks hold. */
#define LATEST INT64_C(1844674407369)

/* ---- times and attributes --------------------------------------------- */

int hcsshim__filetime_load(hcsshim__tar_time time, uint64_t *out)
{
    int64_t seconds = time.seconds;
    int64_t nanoseconds = time.nanoseconds;

    *out = 0;
    if (!time.present)
        return 1;
    if (nanoseconds < 0) {
        seconds--;
        nanoseconds += 1000000000;
    }
    if (seconds < -EPOCH || seconds > LATEST - EPOCH)
        return 0;
    *out = (uint64_t)(seconds + EPOCH) * (uint64_t)TICKS +
           (uint64_t)nanoseconds / 100;
    return 1;
}

hcsshim__tar_time hcsshim__filetime_store(uint64_t ticks)
{
    return (hcsshim__tar_time){(int64_t)(ticks / (uint64_t)TICKS) - EPOCH,
                               (int32_t)(ticks % (uint64_t)TICKS) * 100, 1};
}

/* The last record with a key; NULL if there is none. */
static const hcsshim__tar_record *find(const hcsshim__tar_entry *entry,
                                       const char *key)
{
    for (size_t i = entry->record_count; i-- > 0;)
        if (hcsshim__text_is(entry->records[i].key, key))
            return &entry->records[i];
    return NULL;
}

static int load_attributes(hcsshim__tar_text text, uint32_t *out)
{
    uint64_t number = 0;

    if (text.length == 0 || text.length > 10)
        return 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = (uint32_t)number;
    return number <= UINT32_MAX;
}

const char *hcsshim__windows_info(const hcsshim__tar_entry *entry,
                                  hcsshim_file_info *info)
{
    const hcsshim__tar_record *creation = find(entry, HCSSHIM__RECORD_CREATION);
    const hcsshim__tar_record *attributes =
        find(entry, HCSSHIM__RECORD_ATTRIBUTES);
    hcsshim__tar_time created = entry->modified;

    memset(info, 0, sizeof *info);
    if (attributes != NULL &&
        !load_attributes(attributes->value, &info->attributes))
        return "its MSWINDOWS.fileattr is no 32-bit number";
    if (attributes == NULL && entry->type == HCSSHIM__TAR_FOLDER)
        info->attributes = HCSSHIM__WINDOWS_FOLDER;
    if (creation != NULL && creation->value.length > 0 &&
        !hcsshim__tar_parse_time(creation->value, &created))
        return "its LIBARCHIVE.creationtime is no time";
    if (!hcsshim__filetime_load(created, &info->creation_time) ||
        !hcsshim__filetime_load(entry->accessed, &info->access_time) ||
        !hcsshim__filetime_load(entry->modified, &info->write_time) ||
        !hcsshim__filetime_load(entry->changed, &info->change_time))
        return "it has a time that Windows cannot hold";
    return NULL;
}

/* ---- streams ---------------------------------------------------------- */

static int32_t refuse(const char **reason, const char *text)
{
    *reason = text;
    return HCSSHIM_E_INVALID_DATA;
}

static int32_t write_stream(hcsshim__sink *sink, uint32_t id,
                            const uint8_t *data, size_t length)
{
    hcsshim__backup_head head = {.id = id, .size = length};
    int32_t hr;
    uint8_t *out =
        hcsshim__sink_reserve(sink, HCSSHIM__BACKUP_HEAD + length, &hr);

    if (out == NULL)
        return hr;
    hcsshim__backup_store(out, head);
    memcpy(out + HCSSHIM__BACKUP_HEAD, data, length);
    hcsshim__sink_commit(sink, HCSSHIM__BACKUP_HEAD + length);
    return 0;
}

static int32_t write_security(const hcsshim__tar_entry *entry,
                              hcsshim__sink *sink, hcsshim__bytes *scratch,
                              const char **reason)
{
    const hcsshim__tar_record *record = find(entry, HCSSHIM__RECORD_SECURITY);
    int64_t length;
    int32_t hr;

    if (record == NULL && find(entry, HCSSHIM__RECORD_SECURITY_TEXT) != NULL)
        return refuse(reason, "its security is text (MSWINDOWS.sd), which only "
                              "old tars have and only Windows reads");
    if (record == NULL || record->value.length == 0)
        return 0;
    hr = hcsshim__bytes_reserve(scratch, record->value.length);
    if (hr < 0)
        return hr;
    length = hcsshim__base64_load(record->value.data, record->value.length,
                                  scratch->data);
    if (length < 0 || (uint64_t)length > HCSSHIM__BACKUP_KEPT)
        return refuse(reason, "its MSWINDOWS.rawsd is no base64 of a security "
                              "descriptor");
    return length == 0 ? 0
                       : write_stream(sink, HCSSHIM__BACKUP_SECURITY,
                                      scratch->data, (size_t)length);
}

/* Of two with one name the later one comes last. */
static int compare_places(const void *one, const void *other)
{
    const hcsshim__tar_record *a = *(const hcsshim__tar_record *const *)one;
    const hcsshim__tar_record *b = *(const hcsshim__tar_record *const *)other;
    int order = hcsshim__tar_compare_records(a, b);

    return order != 0 ? order : a < b ? -1 : a > b;
}

/* Records of attributes, in the order of their names, without doubles. */
static size_t sort_attributes(const hcsshim__tar_entry *entry,
                              const hcsshim__tar_record **out)
{
    size_t count = 0;
    size_t kept = 0;

    for (size_t i = 0; i < entry->record_count; i++)
        if (hcsshim__text_starts(entry->records[i].key, HCSSHIM__RECORD_EA))
            out[count++] = &entry->records[i];
    qsort(out, count, sizeof *out, compare_places);
    for (size_t i = 0; i < count; i++) {
        int last = i + 1 == count ||
                   out[i]->key.length != out[i + 1]->key.length ||
                   memcmp(out[i]->key.data, out[i + 1]->key.data,
                          out[i]->key.length) != 0;

        if (last)
            out[kept++] = out[i];
    }
    return kept;
}

static int32_t store_attribute(const hcsshim__tar_record *record, uint8_t *out,
                               int last, size_t *used)
{
    size_t prefix = sizeof HCSSHIM__RECORD_EA - 1;
    hcsshim__ea ea = {.name = record->key.data + prefix,
                      .name_length = record->key.length - prefix};
    /* The value may lie where it is decoded to: behind its own head. */
    uint8_t *value = out + HCSSHIM__EA_HEAD + ea.name_length + 1;
    int64_t length =
        hcsshim__base64_load(record->value.data, record->value.length, value);

    if (length < 0 || length > 0xFFFF || ea.name_length > 0xFF ||
        ea.name_length == 0)
        return HCSSHIM_E_INVALID_DATA;
    ea.value = value;
    ea.value_length = (size_t)length;
    *used += hcsshim__ea_store(out, &ea, last);
    return 0;
}

static int32_t write_attributes(const hcsshim__tar_entry *entry,
                                hcsshim__sink *sink, hcsshim__bytes *scratch,
                                const char **reason)
{
    const hcsshim__tar_record **sorted;
    size_t pointers = entry->record_count * sizeof *sorted;
    size_t room = pointers;
    size_t used = 0;
    size_t count = 0;
    int32_t hr;

    for (size_t i = 0; i < entry->record_count; i++)
        if (hcsshim__text_starts(entry->records[i].key, HCSSHIM__RECORD_EA)) {
            room += 16 + entry->records[i].key.length +
                    entry->records[i].value.length;
            count++;
        }
    if (count == 0)
        return 0;
    hr = hcsshim__bytes_reserve(scratch, room);
    if (hr < 0)
        return hr;
    sorted = (const hcsshim__tar_record **)(void *)scratch->data;
    count = sort_attributes(entry, sorted);
    for (size_t i = 0; i < count; i++) {
        hr = store_attribute(sorted[i], scratch->data + pointers + used,
                             i + 1 == count, &used);
        if (hr < 0 || used > HCSSHIM__BACKUP_KEPT)
            return refuse(reason, "it has an MSWINDOWS.xattr record that is no "
                                  "extended attribute");
    }
    return write_stream(sink, HCSSHIM__BACKUP_EA, scratch->data + pointers,
                        used);
}

static int32_t write_reparse(const hcsshim__tar_entry *entry,
                             hcsshim__sink *sink, hcsshim__bytes *scratch,
                             const char **reason)
{
    size_t length = entry->link.length;
    size_t text = (length + 1) & ~(size_t)1;
    uint8_t *target;
    int64_t units;
    size_t size;
    int32_t hr;

    if (entry->type != HCSSHIM__TAR_SYMLINK)
        return 0;
    hr = hcsshim__bytes_reserve(scratch, text + length * 2 +
                                             HCSSHIM__REPARSE_ROOM(length * 2));
    if (hr < 0)
        return hr;
    for (size_t i = 0; i < length; i++)
        scratch->data[i] =
            (uint8_t)(entry->link.data[i] == '/' ? '\\' : entry->link.data[i]);
    target = scratch->data + text;
    units = hcsshim__utf16_store((const char *)scratch->data, length, target);
    if (units < 0)
        return refuse(reason, "its link is no UTF-8");
    size = hcsshim__reparse_store(
        target, (size_t)units, find(entry, HCSSHIM__RECORD_MOUNT_POINT) != NULL,
        target + length * 2);
    if (size == 0)
        return refuse(reason, "its link is too long");
    return write_stream(sink, HCSSHIM__BACKUP_REPARSE, target + length * 2,
                        size);
}

int32_t hcsshim__windows_streams(const hcsshim__tar_entry *entry,
                                 hcsshim__sink *sink, hcsshim__bytes *scratch,
                                 const char **reason)
{
    int32_t hr = write_security(entry, sink, scratch, reason);

    if (hr >= 0)
        hr = write_attributes(entry, sink, scratch, reason);
    if (hr >= 0)
        hr = write_reparse(entry, sink, scratch, reason);
    return hr;
}
