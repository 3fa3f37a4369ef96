/* ids.c - 64-bit ids with a generation. */
#include <stdlib.h>

#include "native/ids.h"

#define FIRST_SIZE 16u
#define LARGEST_SIZE (UINT32_C(1) << 30)

static int grow(hcsshim__ids *ids)
{
    uint32_t size = ids->size == 0 ? FIRST_SIZE : ids->size * 2;
    void **objects;
    uint32_t *generations, *indexes;

    if (ids->size >= LARGEST_SIZE)
        return 0;
    objects = realloc(ids->objects, size * sizeof *objects);
    if (objects == NULL)
        return 0;
    ids->objects = objects;
    generations = realloc(ids->generations, size * sizeof *generations);
    if (generations == NULL)
        return 0;
    ids->generations = generations;
    indexes = realloc(ids->free, size * sizeof *indexes);
    if (indexes == NULL)
        return 0;
    ids->free = indexes;
    for (uint32_t i = size; i-- > ids->size;) {
        objects[i] = NULL;
        generations[i] = 1;
        indexes[ids->free_count++] = i;
    }
    ids->size = size;
    return 1;
}

uint64_t hcsshim__ids_add(hcsshim__ids *ids, void *object)
{
    uint32_t index;

    if (ids->free_count == 0 && !grow(ids))
        return 0;
    index = ids->free[--ids->free_count];
    ids->objects[index] = object;
    return (uint64_t)ids->generations[index] << 32 | index;
}

void *hcsshim__ids_find(const hcsshim__ids *ids, uint64_t id)
{
    uint32_t index = (uint32_t)id;

    if (index >= ids->size || ids->generations[index] != id >> 32)
        return NULL;
    return ids->objects[index];
}

void *hcsshim__ids_remove(hcsshim__ids *ids, uint64_t id)
{
    void *object = hcsshim__ids_find(ids, id);
    uint32_t index = (uint32_t)id;

    if (object == NULL)
        return NULL;
    ids->objects[index] = NULL;
    if (++ids->generations[index] == 0)
        ids->generations[index] = 1;
    ids->free[ids->free_count++] = index;
    return object;
}

void *hcsshim__ids_any(const hcsshim__ids *ids, uint64_t *id)
{
    for (uint32_t i = 0; i < ids->size; i++) {
        if (ids->objects[i] != NULL) {
            *id = (uint64_t)ids->generations[i] << 32 | i;
            return ids->objects[i];
        }
    }
    return NULL;
}

void hcsshim__ids_clear(hcsshim__ids *ids)
{
    free(ids->objects);
    free(ids->generations);
    free(ids->free);
    *ids = (hcsshim__ids){0};
}
