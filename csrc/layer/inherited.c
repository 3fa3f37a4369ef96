/* inherited.c - metadata from the layers below. */
#include "layer/inherited.h"

#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"
#include "layer/bytes.h"
#include "layer/node.h"
#include "layer/replay.h"
#include "layer/walk.h"

/* ---- records ---------------------------------------------------------- */

struct found {
    uint64_t hash; /* 0: free */
    size_t offset;
    size_t length;
};

struct hcsshim__inherited {
    struct found *table;
    size_t room; /* twice what is wanted, a power of two */
    hcsshim__bytes bytes;
};

int hcsshim__is_kept_record(const hcsshim__tar_record *record)
{
    return record->value.length > 0 && record->key.length > 0 &&
           record->key.data[0] >= 'A' && record->key.data[0] <= 'Z' &&
           !hcsshim__text_starts(record->key, "GNU.");
}

static struct found *find(const hcsshim__inherited *inherited, uint64_t hash)
{
    size_t at = (size_t)hash & (inherited->room - 1);

    while (inherited->table[at].hash != 0 && inherited->table[at].hash != hash)
        at = (at + 1) & (inherited->room - 1);
    return &inherited->table[at];
}

static int32_t put(hcsshim__bytes *bytes, const void *data, size_t length)
{
    if (bytes->room - bytes->length < length) {
        size_t room = (bytes->length + length) * 2 + 4096;
        uint8_t *more = realloc(bytes->data, room);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        bytes->data = more;
        bytes->room = room;
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return 0;
}

static int32_t put_record(hcsshim__bytes *bytes,
                          const hcsshim__tar_record *record)
{
    uint8_t head[8];
    int32_t hr;

    hcsshim__store32(head, (uint32_t)record->key.length);
    hcsshim__store32(head + 4, (uint32_t)record->value.length);
    hr = put(bytes, head, sizeof head);
    if (hr >= 0)
        hr = put(bytes, record->key.data, record->key.length);
    if (hr >= 0)
        hr = put(bytes, record->value.data, record->value.length);
    return hr;
}

static int32_t take_entry(hcsshim__inherited *inherited,
                          const hcsshim__path_set *wanted,
                          const hcsshim__tar_entry *entry, uint64_t hash)
{
    struct found *slot;
    int32_t hr = 0;

    if (!hcsshim__path_set_has(wanted, hash))
        return 0;
    slot = find(inherited, hash);
    if (slot->hash != 0)
        return 0; /* a nearer layer knows it */
    slot->offset = inherited->bytes.length;
    for (size_t i = 0; i < entry->record_count && hr >= 0; i++)
        if (hcsshim__is_kept_record(&entry->records[i]))
            hr = put_record(&inherited->bytes, &entry->records[i]);
    slot->length = inherited->bytes.length - slot->offset;
    slot->hash = hash;
    return hr;
}

static int32_t scan_parent(hcsshim__inherited *inherited,
                           const hcsshim__path_set *wanted,
                           hcsshim__tree *parent)
{
    hcsshim__replay *replay;
    hcsshim__replayed record;
    hcsshim__path path = {0};
    const char *reason;
    int32_t hr = hcsshim__replay_open(parent, &replay);

    /* Made by hand, not imported: it knows nothing. */
    if (hr < 0)
        return hr == HCSSHIM_E_OUTOFMEMORY ? hr : 0;
    while ((hr = hcsshim__replay_next(replay, &record)) > 0) {
        if (record.entry == NULL || record.entry->type == HCSSHIM__TAR_LINK)
            continue;
        hr = hcsshim__path_clean(&path, record.entry->name, &reason);
        if (hr >= 0)
            hr = take_entry(inherited, wanted, record.entry,
                            hcsshim__node_hash(hcsshim__path_text(&path)));
        if (hr < 0)
            break;
    }
    free(path.data);
    hcsshim__replay_free(replay);
    return hr;
}

static int32_t collect_paths(hcsshim__tree *tree, hcsshim__path_set *wanted)
{
    hcsshim__walk *walk;
    hcsshim__walk_item item;
    int32_t hr = hcsshim__walk_new(tree, (hcsshim__tar_text){"", 0}, &walk);

    while (hr >= 0 && (hr = hcsshim__walk_next(walk, &item)) > 0)
        if (hcsshim__path_is_layers(item.path))
            hr = hcsshim__path_set_add(wanted, hcsshim__node_hash(item.path));
        else if (item.is_folder)
            hcsshim__walk_skip(walk);
    hcsshim__walk_free(walk);
    return hr;
}

int32_t hcsshim__inherited_new(hcsshim__tree *tree, hcsshim__tree **parents,
                               uint32_t parent_count, hcsshim__inherited **out)
{
    hcsshim__inherited *inherited = calloc(1, sizeof *inherited);
    hcsshim__path_set wanted = {0};
    int32_t hr;

    *out = NULL;
    if (inherited == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr = collect_paths(tree, &wanted);
    for (inherited->room = 16; inherited->room < wanted.count * 2;)
        inherited->room *= 2;
    inherited->table = calloc(inherited->room, sizeof *inherited->table);
    if (inherited->table == NULL)
        hr = HCSSHIM_E_OUTOFMEMORY;
    for (uint32_t i = 0; i < parent_count && hr >= 0; i++)
        hr = scan_parent(inherited, &wanted, parents[i]);
    free(wanted.table);
    if (hr < 0)
        hcsshim__inherited_free(inherited);
    else
        *out = inherited;
    return hr < 0 ? hr : 0;
}

void hcsshim__inherited_free(hcsshim__inherited *inherited)
{
    if (inherited == NULL)
        return;
    free(inherited->table);
    free(inherited->bytes.data);
    free(inherited);
}

const uint8_t *hcsshim__inherited_find(const hcsshim__inherited *inherited,
                                       hcsshim__tar_text path, size_t *length)
{
    const struct found *slot;

    *length = 0;
    if (inherited == NULL)
        return NULL;
    slot = find(inherited, hcsshim__node_hash(path));
    if (slot->hash == 0)
        return NULL;
    *length = slot->length;
    /* Not NULL even when it is known to have no records. */
    return inherited->bytes.data != NULL ? inherited->bytes.data + slot->offset
                                         : (const uint8_t *)"";
}
