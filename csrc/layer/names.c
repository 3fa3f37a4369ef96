/* names.c - clean paths. */
#include "layer/names.h"

#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"

/* What symlink() takes. */
#define LONGEST_LINK 4095

int hcsshim__text_is(hcsshim__tar_text text, const char *literal)
{
    return text.length == strlen(literal) &&
           memcmp(text.data, literal, text.length) == 0;
}

int hcsshim__text_starts(hcsshim__tar_text text, const char *literal)
{
    size_t length = strlen(literal);

    return text.length >= length && memcmp(text.data, literal, length) == 0;
}

int32_t hcsshim__bytes_reserve(hcsshim__bytes *bytes, size_t length)
{
    uint8_t *more;

    if (length <= bytes->room)
        return 0;
    if (length > SIZE_MAX / 2)
        return HCSSHIM_E_OUTOFMEMORY;
    more = realloc(bytes->data, length * 2);
    if (more == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    bytes->data = more;
    bytes->room = length * 2;
    return 0;
}

static int32_t reserve(hcsshim__path *path, size_t length)
{
    char *data;

    if (length <= path->room)
        return 0;
    if (length > SIZE_MAX / 2)
        return HCSSHIM_E_OUTOFMEMORY;
    data = realloc(path->data, length * 2);
    if (data == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    path->data = data;
    path->room = length * 2;
    return 0;
}

int32_t hcsshim__path_add(hcsshim__path *path, const char *part, size_t length)
{
    int32_t hr = reserve(path, path->length + length + 1);

    if (hr < 0)
        return hr;
    if (path->length > 0)
        path->data[path->length++] = '/';
    memcpy(path->data + path->length, part, length);
    path->length += length;
    return 0;
}

int32_t hcsshim__path_extend(hcsshim__path *path, const char *text,
                             size_t length)
{
    int32_t hr = reserve(path, path->length + length + 1);

    if (hr < 0)
        return hr;
    if (length > 0)
        memcpy(path->data + path->length, text, length);
    path->length += length;
    return 0;
}

/* FNV-1a with a last mix, 8 bytes at a time. */
uint64_t hcsshim__path_hash(hcsshim__tar_text path)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ path.length;
    size_t at = 0;

    for (; path.length - at >= 8; at += 8) {
        uint64_t part;

        memcpy(&part, path.data + at, 8);
        hash = (hash ^ part) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    for (; at < path.length; at++)
        hash = (hash ^ (uint8_t)path.data[at]) * UINT64_C(0x100000001B3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 29;
    return hash != 0 ? hash : 1;
}

void hcsshim__path_to_link(hcsshim__path *path)
{
    for (size_t i = 0; i < path->length; i++)
        if (path->data[i] == '\\')
            path->data[i] = '/';
    if (path->length > LONGEST_LINK)
        path->length = LONGEST_LINK;
}

size_t hcsshim__path_last(hcsshim__tar_text path)
{
    size_t at = path.length;

    while (at > 0 && path.data[at - 1] != '/')
        at--;
    return at;
}

static int32_t refuse(const char **reason, const char *text)
{
    *reason = text;
    return HCSSHIM_E_INVALID_DATA;
}

int32_t hcsshim__path_clean(hcsshim__path *path, hcsshim__tar_text name,
                            const char **reason)
{
    int32_t hr = 0;

    path->length = 0;
    if (name.length == 0)
        return refuse(reason, "the name is empty");
    if (name.data[0] == '/')
        return refuse(reason, "the path is absolute");
    if (memchr(name.data, 0, name.length) != NULL)
        return refuse(reason, "the name contains a NUL");
    for (size_t at = 0; at < name.length && hr >= 0;) {
        const char *part = name.data + at;
        const char *end = memchr(part, '/', name.length - at);
        size_t length = end != NULL ? (size_t)(end - part) : name.length - at;

        if (length == 2 && part[0] == '.' && part[1] == '.')
            return refuse(reason, "the path leads out of the layer by '..'");
        if (length > 1 || (length == 1 && part[0] != '.'))
            hr = hcsshim__path_add(path, part, length);
        at += length + 1;
    }
    return hr;
}

static char upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

static int is_name(hcsshim__tar_text text, const char *name)
{
    if (text.length != strlen(name))
        return 0;
    for (size_t i = 0; i < text.length; i++)
        if (upper(text.data[i]) != name[i])
            return 0;
    return 1;
}

/* COM1 to COM9 and LPT1 to LPT9; the digits may be superscripts. */
static int is_port(hcsshim__tar_text text)
{
    hcsshim__tar_text kind = {text.data, 3};

    if (text.length < 4 || (!is_name(kind, "COM") && !is_name(kind, "LPT")))
        return 0;
    if (text.length == 4)
        return text.data[3] >= '1' && text.data[3] <= '9';
    return text.length == 5 && text.data[3] == '\xc2' &&
           (text.data[4] == '\xb9' || text.data[4] == '\xb2' ||
            text.data[4] == '\xb3');
}

/* With any extension, and spaces before it, these are devices everywhere. */
static int is_device(hcsshim__tar_text part)
{
    static const char *const devices[] = {"CON", "PRN",    "AUX",
                                          "NUL", "CONIN$", "CONOUT$"};

    for (size_t i = 0; i < part.length; i++)
        if (part.data[i] == '.' || part.data[i] == ':')
            part.length = i;
    while (part.length > 0 && part.data[part.length - 1] == ' ')
        part.length--;
    if (part.length < 3 || part.length > 7)
        return 0;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (is_name(part, devices[i]))
            return 1;
    return is_port(part);
}

int hcsshim__path_is_layers(hcsshim__tar_text path)
{
    return hcsshim__text_is(path, "Files") ||
           hcsshim__text_starts(path, "Files/") ||
           hcsshim__text_is(path, "Hives") ||
           hcsshim__text_starts(path, "Hives/") ||
           hcsshim__text_is(path, "UtilityVM") ||
           hcsshim__text_is(path, "UtilityVM/Files") ||
           hcsshim__text_starts(path, "UtilityVM/Files/");
}

/* ":name" or ":name:$DATA", and nothing else. */
static int is_stream(hcsshim__tar_text text)
{
    static const char type[] = ":$DATA";
    size_t end = sizeof type - 1;

    if (text.length > end + 1 &&
        memcmp(text.data + text.length - end, type, end) == 0)
        text.length -= end;
    return text.length > 1 &&
           memchr(text.data + 1, ':', text.length - 1) == NULL;
}

int32_t hcsshim__path_check_windows(hcsshim__tar_text path, size_t *stream,
                                    const char **reason)
{
    size_t last = hcsshim__path_last(path);
    const char *colon =
        path.length > 0 ? memchr(path.data, ':', path.length) : NULL;

    *stream = colon != NULL ? (size_t)(colon - path.data) : path.length;
    if (path.length == 0)
        return refuse(reason, "the name is empty");
    if (memchr(path.data, '\\', path.length) != NULL)
        return refuse(reason, "the name contains a backslash");
    if (*stream < last || *stream == last ||
        (colon != NULL &&
         !is_stream((hcsshim__tar_text){colon, path.length - *stream})))
        return refuse(reason, "the name has a ':' where no stream can be");
    for (size_t at = 0; at < path.length;) {
        const char *end = memchr(path.data + at, '/', path.length - at);
        size_t length =
            end != NULL ? (size_t)(end - path.data) - at : path.length - at;

        if (is_device((hcsshim__tar_text){path.data + at, length}))
            return refuse(reason, "the name is that of a device of Windows");
        at += length + 1;
    }
    if (!hcsshim__path_is_layers(path))
        return refuse(reason, "a Windows layer has only Files, Hives and "
                              "UtilityVM/Files");
    return 0;
}

/* ---- sets of paths ---------------------------------------------------- */

static uint64_t *slot_in(uint64_t *table, size_t room, uint64_t hash)
{
    size_t at = (size_t)hash & (room - 1);

    while (table[at] != 0 && table[at] != hash)
        at = (at + 1) & (room - 1);
    return &table[at];
}

int hcsshim__path_set_has(const hcsshim__path_set *set, uint64_t hash)
{
    return set->room > 0 && *slot_in(set->table, set->room, hash) == hash;
}

int32_t hcsshim__path_set_add(hcsshim__path_set *set, uint64_t hash)
{
    uint64_t *slot;

    if (set->count * 2 >= set->room) {
        size_t room = set->room > 0 ? set->room * 2 : 1024;
        uint64_t *table = calloc(room, sizeof *table);

        if (table == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        for (size_t i = 0; i < set->room; i++)
            if (set->table[i] != 0)
                *slot_in(table, room, set->table[i]) = set->table[i];
        free(set->table);
        set->table = table;
        set->room = room;
    }
    slot = slot_in(set->table, set->room, hash);
    set->count += *slot == 0;
    *slot = hash;
    return 0;
}
