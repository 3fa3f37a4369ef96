/* tar_pax.c - the records "LENGTH KEY=VALUE\n" of pax headers. */
#include <stdlib.h>
#include <string.h>

#include "layer/tar_parts.h"

#define KEY(text)                                                              \
    {                                                                          \
        text, sizeof text - 1                                                  \
    }

static const hcsshim__tar_text names[TAR_KNOWN] = {
    [TAR_PATH] = KEY("path"),
    [TAR_LINKPATH] = KEY("linkpath"),
    [TAR_UNAME] = KEY("uname"),
    [TAR_GNAME] = KEY("gname"),
    [TAR_UID] = KEY("uid"),
    [TAR_GID] = KEY("gid"),
    [TAR_ATIME] = KEY("atime"),
    [TAR_MTIME] = KEY("mtime"),
    [TAR_CTIME] = KEY("ctime"),
    [TAR_SIZE] = KEY("size"),
    [TAR_SPARSE_MAJOR] = KEY("GNU.sparse.major"),
    [TAR_SPARSE_MINOR] = KEY("GNU.sparse.minor"),
    [TAR_SPARSE_NAME] = KEY("GNU.sparse.name"),
    [TAR_SPARSE_SIZE] = KEY("GNU.sparse.size"),
    [TAR_SPARSE_REALSIZE] = KEY("GNU.sparse.realsize"),
    [TAR_SPARSE_BLOCKS] = KEY("GNU.sparse.numblocks"),
    [TAR_SPARSE_MAP] = KEY("GNU.sparse.map"),
};

static int equals(hcsshim__tar_text text, const char *word, size_t length)
{
    return text.length == length && memcmp(text.data, word, length) == 0;
}

#define EQUALS(text, word) equals(text, word, sizeof word - 1)

int32_t hcsshim__tar_reserve(hcsshim__tar_bytes *bytes, size_t length)
{
    size_t wanted = bytes->length + length, room = bytes->room;
    char *data;

    if (wanted <= room)
        return 0;
    room = room * 2 < wanted ? wanted : room * 2;
    data = realloc(bytes->data, room);
    if (data == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    bytes->data = data;
    bytes->room = room;
    return 0;
}

/* Cut the first record off 'text'. Returns 0 if it is none. */
static int cut(hcsshim__tar_text *text, hcsshim__tar_record *record)
{
    const char *space = memchr(text->data, ' ', text->length), *equal;
    size_t digits, length;
    int64_t number;

    if (space == NULL)
        return 0;
    digits = (size_t)(space - text->data);
    if (!hcsshim__tar_decimal(text->data, digits, &number) || number < 5 ||
        (uint64_t)number > text->length || (uint64_t)number <= digits + 1)
        return 0;
    length = (size_t)number - digits - 2; /* without space and newline */
    equal = memchr(space + 1, '=', length);
    if (text->data[number - 1] != '\n' || equal == NULL || equal == space + 1)
        return 0;
    record->key.data = space + 1;
    record->key.length = (size_t)(equal - space - 1);
    record->value.data = equal + 1;
    record->value.length = length - record->key.length - 1;
    text->data += number;
    text->length -= (size_t)number;
    return 1;
}

static int add(hcsshim__tar_pax *pax, const hcsshim__tar_record *record)
{
    if (pax->count == pax->room) {
        size_t room = pax->room == 0 ? 32 : pax->room * 2;
        hcsshim__tar_record *records =
            realloc(pax->records, room * sizeof *records);

        if (records == NULL)
            return 0;
        pax->records = records;
        pax->room = room;
    }
    pax->records[pax->count++] = *record;
    return 1;
}

/* Remember a record that this reader acts on. Returns 0 if it cannot be. */
static int know(hcsshim__tar_pax *pax, const hcsshim__tar_record *record)
{
    for (size_t i = 0; i < TAR_KNOWN; i++)
        if (equals(record->key, names[i].data, names[i].length)) {
            pax->known[i] = record->value;
            return i > TAR_GNAME ||
                   memchr(record->value.data, 0, record->value.length) == NULL;
        }
    return memchr(record->key.data, 0, record->key.length) == NULL;
}

/* GNU's first sparse format: a record for every number of the map. */
static int32_t scatter(hcsshim__tar_pax *pax, hcsshim__tar_map *map,
                       const hcsshim__tar_record *record, const char **problem)
{
    int is_length = EQUALS(record->key, "GNU.sparse.numbytes");
    int64_t number;

    pax->scattered = 1;
    if (is_length != map->odd ||
        !hcsshim__tar_decimal(record->value.data, record->value.length,
                              &number)) {
        *problem = "a sparse map in pax records is out of order";
        return HCSSHIM_E_INVALID_DATA;
    }
    return hcsshim__tar_map_add(map, number, problem);
}

int32_t hcsshim__tar_pax_parse(hcsshim__tar_pax *pax, hcsshim__tar_map *map,
                               const char **problem)
{
    hcsshim__tar_text text = {pax->bytes.data, pax->bytes.length};
    hcsshim__tar_record record;
    int32_t hr = 0;

    while (hr == 0 && text.length > 0) {
        *problem = "a pax header is malformed";
        if (!cut(&text, &record))
            return HCSSHIM_E_INVALID_DATA;
        if (EQUALS(record.key, "GNU.sparse.offset") ||
            EQUALS(record.key, "GNU.sparse.numbytes")) {
            hr = scatter(pax, map, &record, problem);
            continue;
        }
        if (!know(pax, &record))
            return HCSSHIM_E_INVALID_DATA;
        *problem = "a pax header has too many records";
        if (pax->count >= HCSSHIM__TAR_RECORDS)
            return HCSSHIM_E_INVALID_DATA;
        if (!add(pax, &record))
            return HCSSHIM_E_OUTOFMEMORY;
    }
    if (hr == 0)
        *problem = NULL;
    return hr;
}

/* Seconds with a fraction, of which nine digits count. */
int hcsshim__tar_parse_time(hcsshim__tar_text text, hcsshim__tar_time *time)
{
    const char *dot = memchr(text.data, '.', text.length);
    size_t whole = dot == NULL ? text.length : (size_t)(dot - text.data);
    int32_t scale = 100000000;

    time->present = 1;
    time->nanoseconds = 0;
    if (!hcsshim__tar_decimal(text.data, whole, &time->seconds))
        return 0;
    for (size_t i = whole + 1; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        time->nanoseconds += (text.data[i] - '0') * scale;
        scale /= 10;
    }
    if (text.data[0] == '-')
        time->nanoseconds = -time->nanoseconds;
    return 1;
}

static int set_number(hcsshim__tar_text text, int64_t *out)
{
    return text.length == 0 ||
           hcsshim__tar_decimal(text.data, text.length, out);
}

static int set_time(hcsshim__tar_text text, hcsshim__tar_time *time)
{
    return text.length == 0 || hcsshim__tar_parse_time(text, time);
}

static void set_text(hcsshim__tar_text text, hcsshim__tar_text *out)
{
    if (text.length > 0)
        *out = text;
}

const char *hcsshim__tar_pax_apply(const hcsshim__tar_pax *pax,
                                   hcsshim__tar_entry *entry)
{
    const hcsshim__tar_text *known = pax->known;

    set_text(known[TAR_PATH], &entry->name);
    set_text(known[TAR_LINKPATH], &entry->link);
    set_text(known[TAR_UNAME], &entry->user);
    set_text(known[TAR_GNAME], &entry->group);
    entry->records = pax->records;
    entry->record_count = pax->count;
    if (!set_number(known[TAR_UID], &entry->uid) ||
        !set_number(known[TAR_GID], &entry->gid) ||
        !set_number(known[TAR_SIZE], &entry->size))
        return "a number in a pax header is none";
    if (!set_time(known[TAR_ATIME], &entry->accessed) ||
        !set_time(known[TAR_MTIME], &entry->modified) ||
        !set_time(known[TAR_CTIME], &entry->changed))
        return "a time in a pax header is none";
    return NULL;
}
