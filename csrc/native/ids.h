/*
 * ids.h - 64-bit ids with a generation, for tables of live objects.
 *
 * An id is the generation in the upper and the slot's index in the lower half.
 * A slot that is given back gets the next generation, so an id that is stale,
 * or given back twice, is found out. Ids are never 0. Not thread-safe: the
 * table belongs to whoever holds its owner's lock.
 */
#ifndef HCSSHIM_NATIVE_IDS_H
#define HCSSHIM_NATIVE_IDS_H

#include <stddef.h>
#include <stdint.h>

typedef struct hcsshim__ids {
    void **objects;        /* by index; NULL: free */
    uint32_t *generations; /* by index */
    uint32_t *free;        /* a stack of free indexes */
    uint32_t size;
    uint32_t free_count;
} hcsshim__ids;

/* Enter an object, not NULL; 0 if there is no memory for it. */
uint64_t hcsshim__ids_add(hcsshim__ids *ids, void *object);

/* The object of an id; NULL if it is stale. */
void *hcsshim__ids_find(const hcsshim__ids *ids, uint64_t id);

/* Take an object out, and return it; NULL if the id is stale. */
void *hcsshim__ids_remove(hcsshim__ids *ids, uint64_t id);

/* Any object that is in the table, or NULL: to empty it. */
void *hcsshim__ids_any(const hcsshim__ids *ids, uint64_t *id);

/* Free the table itself; the objects are the owner's. */
void hcsshim__ids_clear(hcsshim__ids *ids);

#endif
