/* tar_sparse.c - where the data of a sparse file belong. */
#include <stdlib.h>
#include <string.h>

#include "layer/tar_parts.h"

static int32_t grow(hcsshim__tar_map *map, const char **problem)
{
    size_t room = map->room == 0 ? 64 : map->room * 2;
    hcsshim__tar_piece *pieces;

    if (map->count >= HCSSHIM__TAR_PIECES) {
        *problem = "a sparse file has too many pieces";
        return HCSSHIM_E_INVALID_DATA;
    }
    pieces = realloc(map->pieces, room * sizeof *pieces);
    if (pieces == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    map->pieces = pieces;
    map->room = room;
    return 0;
}

int32_t hcsshim__tar_map_add(hcsshim__tar_map *map, int64_t number,
                             const char **problem)
{
    int32_t hr;

    if (number < 0) {
        *problem = "a sparse map holds a negative number";
        return HCSSHIM_E_INVALID_DATA;
    }
    if (map->odd) {
        map->pieces[map->count++].length = (uint64_t)number;
        map->odd = 0;
        return 0;
    }
    hr = map->count < map->room ? 0 : grow(map, problem);
    if (hr < 0)
        return hr;
    map->pieces[map->count].offset = (uint64_t)number;
    map->odd = 1;
    return 0;
}

int32_t hcsshim__tar_map_text(hcsshim__tar_map *map, hcsshim__tar_text text,
                              const char **problem)
{
    int32_t hr = 0;

    while (hr == 0 && text.length > 0) {
        const char *comma = memchr(text.data, ',', text.length);
        size_t length =
            comma == NULL ? text.length : (size_t)(comma - text.data);
        size_t used = comma == NULL ? length : length + 1;
        int64_t number;

        if (!hcsshim__tar_decimal(text.data, length, &number) ||
            (comma != NULL && used == text.length)) {
            *problem = "a sparse map in a pax header is malformed";
            return HCSSHIM_E_INVALID_DATA;
        }
        hr = hcsshim__tar_map_add(map, number, problem);
        text.data += used;
        text.length -= used;
    }
    return hr;
}

int32_t hcsshim__tar_map_block(hcsshim__tar_map *map, const uint8_t *pairs,
                               size_t count, int *more, const char **problem)
{
    int32_t hr = 0;

    *more = pairs[count * 24] != 0;
    for (size_t i = 0; hr == 0 && i < count && pairs[i * 24] != 0; i++) {
        int64_t offset, length;

        if (!hcsshim__tar_number(pairs + i * 24, 12, &offset) ||
            !hcsshim__tar_number(pairs + i * 24 + 12, 12, &length)) {
            *problem = "a sparse map holds a number that is none";
            return HCSSHIM_E_INVALID_DATA;
        }
        hr = hcsshim__tar_map_add(map, offset, problem);
        if (hr == 0)
            hr = hcsshim__tar_map_add(map, length, problem);
    }
    return hr;
}

const char *hcsshim__tar_map_check(const hcsshim__tar_map *map, int64_t size,
                                   uint64_t stored)
{
    uint64_t end = 0, total = 0;

    if (size < 0 || map->odd)
        return "a sparse map is incomplete";
    for (size_t i = 0; i < map->count; i++) {
        const hcsshim__tar_piece *piece = &map->pieces[i];

        if (piece->offset < end || piece->offset > (uint64_t)size ||
            piece->length > (uint64_t)size - piece->offset)
            return "a sparse map is out of order or beyond the file's size";
        end = piece->offset + piece->length;
        total += piece->length; /* at most 'size': the pieces are apart */
    }
    return total == stored ? NULL
                           : "a sparse map and the stored bytes do not agree";
}
