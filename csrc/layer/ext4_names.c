/* ext4_names.c - the names of an image, and the table that finds them. */
#include <stdlib.h>
#include <string.h>

#include "layer/ext4_parts.h"

#define CHUNK ((size_t)64 * 1024)
#define FIRST_TABLE ((uint32_t)1 << 12)

/* ---- memory that stays ------------------------------------------------- */

uint8_t *hcsshim__ext4_keep(hcsshim_ext4 *ext4, size_t length)
{
    hcsshim__ext4_arena *arena = &ext4->arena;
    uint8_t *place;

    if (arena->chunk == NULL || length > arena->room - arena->used) {
        size_t room = sizeof(uint8_t *) + (length > CHUNK ? length : CHUNK);
        uint8_t *chunk = malloc(room);

        if (chunk == NULL)
            return NULL;
        memcpy(chunk, &arena->chunk, sizeof arena->chunk);
        arena->chunk = chunk;
        arena->room = room;
        arena->used = sizeof(uint8_t *);
    }
    place = arena->chunk + arena->used;
    arena->used += length;
    return place;
}

void hcsshim__ext4_names_clear(hcsshim_ext4 *ext4)
{
    while (ext4->arena.chunk != NULL) {
        uint8_t *chunk = ext4->arena.chunk;

        memcpy(&ext4->arena.chunk, chunk, sizeof(uint8_t *));
        free(chunk);
    }
    free(ext4->names);
    free(ext4->table);
}

int32_t hcsshim__ext4_grow(void **array, size_t *room, size_t count,
                           size_t size)
{
    size_t wanted = *room * 2 > count ? *room * 2 : count;
    void *grown;

    if (count <= *room)
        return 0;
    if (wanted < 64)
        wanted = 64;
    if (wanted > SIZE_MAX / size)
        return HCSSHIM_E_OUTOFMEMORY;
    grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    *array = grown;
    *room = wanted;
    return 0;
}

/* ---- the table --------------------------------------------------------- */

/* Eight bytes at a time; only speed depends on how good it is. */
static uint32_t hash_of(uint32_t parent, const uint8_t *text, size_t length)
{
    const uint64_t prime = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = (parent + UINT64_C(1)) * prime ^ length, word;

    for (; length >= 8; text += 8, length -= 8) {
        memcpy(&word, text, 8);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, text, length);
    hash = (hash ^ word) * prime;
    hash ^= hash >> 32;
    return (uint32_t)(hash * prime >> 32);
}

uint32_t hcsshim__ext4_find(const hcsshim_ext4 *ext4, uint32_t parent,
                            const uint8_t *text, size_t length)
{
    uint32_t hash = hash_of(parent, text, length), at;

    if (ext4->table == NULL)
        return 0;
    for (at = hash & ext4->table_mask; ext4->table[at] != 0;
         at = (at + 1) & ext4->table_mask) {
        const hcsshim__ext4_name *name = &ext4->names[ext4->table[at]];

        if (name->hash == hash && name->parent == parent &&
            name->length == length && memcmp(name->text, text, length) == 0)
            return ext4->table[at];
    }
    return 0;
}

static void place(const hcsshim_ext4 *ext4, uint32_t number)
{
    uint32_t at = ext4->names[number].hash & ext4->table_mask;

    while (ext4->table[at] != 0)
        at = (at + 1) & ext4->table_mask;
    ext4->table[at] = number;
}

/* Keep the table at most half full. */
static int32_t widen(hcsshim_ext4 *ext4)
{
    uint32_t size = ext4->table == NULL ? 0 : ext4->table_mask + 1;
    uint32_t *table;

    if (ext4->name_count < size / 2)
        return 0;
    size = size == 0 ? FIRST_TABLE : size * 2;
    if (size == 0)
        return HCSSHIM_E_OUTOFMEMORY;
    table = calloc(size, sizeof *table);
    if (table == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    free(ext4->table);
    ext4->table = table;
    ext4->table_mask = size - 1;
    for (uint32_t i = 1; i < ext4->name_count; i++)
        place(ext4, i);
    return 0;
}

static int32_t add(hcsshim_ext4 *ext4, uint32_t parent, const uint8_t *text,
                   size_t length)
{
    size_t room = ext4->name_room;
    hcsshim__ext4_name *name;
    uint8_t *kept;
    int32_t hr;

    if (ext4->name_count == 0)
        ext4->name_count = 1; /* entry 0 means none */
    hr = hcsshim__ext4_grow((void **)&ext4->names, &room,
                            (size_t)ext4->name_count + 1, sizeof *name);
    ext4->name_room = room > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)room;
    if (hr == 0 && ext4->name_count >= UINT32_MAX / 4)
        hr = HCSSHIM_E_OUTOFMEMORY;
    if (hr == 0)
        hr = widen(ext4);
    if (hr < 0)
        return hr;
    kept = hcsshim__ext4_keep(ext4, length);
    if (kept == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    memcpy(kept, text, length);
    name = &ext4->names[ext4->name_count];
    name->text = kept;
    name->length = (uint8_t)length;
    name->parent = parent;
    name->hash = hash_of(parent, text, length);
    name->next = ext4->inodes[parent].first_child;
    ext4->inodes[parent].first_child = ext4->name_count;
    place(ext4, ext4->name_count++);
    return 0;
}

int32_t hcsshim__ext4_name_it(hcsshim_ext4 *ext4, uint32_t parent,
                              const uint8_t *text, size_t length,
                              uint32_t inode)
{
    uint32_t number = hcsshim__ext4_find(ext4, parent, text, length);
    int32_t hr = 0;

    if (number == 0) {
        hr = add(ext4, parent, text, length);
        number = ext4->name_count - 1;
    }
    if (hr == 0)
        ext4->names[number].inode = inode;
    return hr;
}

/* ---- paths ------------------------------------------------------------- */

static void append(hcsshim__ext4_text *clean, const uint8_t *part,
                   size_t length)
{
    if (clean->length > 0)
        clean->data[clean->length++] = '/';
    memcpy(clean->data + clean->length, part, length);
    clean->length += length;
}

/* Take the last component away; the root is its own parent. */
static void ascend(hcsshim__ext4_text *clean)
{
    size_t length = clean->length;

    while (length > 0 && clean->data[length - 1] != '/')
        length--;
    clean->length = length > 0 ? length - 1 : 0;
}

int32_t hcsshim__ext4_clean(hcsshim__ext4_text *clean, const uint8_t *path,
                            size_t length)
{
    const uint8_t *end = path + length;
    int32_t hr =
        hcsshim__ext4_grow((void **)&clean->data, &clean->room, length + 1, 1);

    clean->length = 0;
    while (hr == 0 && path < end) {
        const uint8_t *slash = memchr(path, '/', (size_t)(end - path));
        size_t part = (size_t)((slash == NULL ? end : slash) - path);

        if (part == 2 && path[0] == '.' && path[1] == '.')
            ascend(clean);
        else if (part > 1 || (part == 1 && path[0] != '.'))
            append(clean, path, part);
        path += part + (slash != NULL);
    }
    return hr;
}
