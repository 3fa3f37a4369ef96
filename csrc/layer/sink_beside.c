/* sink_beside.c - a ring of buffers, of which each thread moves one end. */
#include "layer/sink_beside.h"

#include <stdlib.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "layer/file.h"

#define SLOTS 4u

struct slot {
    uint8_t *buffer; /* NULL: none yet */
    void *memory;
    size_t room;
    size_t length; /* 0: the end */
};

struct hcsshim__sink_beside {
    hcsshim__sha256 *digest; /* NULL: it writes */
    int64_t file;
    _Atomic int32_t error; /* the first one */
    hcsshim__gate filled;  /* how many buffers were, counted round */
    hcsshim__gate taken;
    struct slot slots[SLOTS];
    hcsshim__thread thread;
    uint64_t process; /* which the thread is in */
};

static void wait_while(hcsshim__gate *gate, uint32_t word)
{
    while (atomic_load(&gate->word) == word)
        (void)hcsshim__gate_wait(gate, word, HCSSHIM_FOREVER);
}

static void take(struct hcsshim__sink_beside *beside, const struct slot *slot)
{
    int32_t hr;

    if (beside->digest != NULL) {
        hcsshim__sha256_update(beside->digest, slot->buffer, slot->length);
    } else if (atomic_load(&beside->error) >= 0) {
        hr = hcsshim__file_write(beside->file, slot->buffer, slot->length);
        if (hr < 0)
            atomic_store(&beside->error, hr);
    }
}

static void run(void *context)
{
    struct hcsshim__sink_beside *beside = context;

    for (uint32_t taken = 0;; taken++) {
        const struct slot *slot = &beside->slots[taken % SLOTS];

        wait_while(&beside->filled, taken);
        if (slot->length == 0)
            return;
        take(beside, slot);
        hcsshim__gate_open(&beside->taken, taken + 1);
    }
}

/* The next slot, when nothing in it is to be hashed. */
static struct slot *next_slot(struct hcsshim__sink_beside *beside)
{
    uint32_t filled = atomic_load(&beside->filled.word);

    wait_while(&beside->taken, filled - SLOTS);
    return &beside->slots[filled % SLOTS];
}

static void push(struct hcsshim__sink_beside *beside)
{
    hcsshim__gate_open(&beside->filled, atomic_load(&beside->filled.word) + 1);
}

int32_t hcsshim__sink_beside_new(hcsshim__sha256 *digest, int64_t file,
                                 struct hcsshim__sink_beside **out)
{
    struct hcsshim__sink_beside *beside = calloc(1, sizeof *beside);
    int32_t hr;

    *out = NULL;
    if (beside == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    beside->digest = digest;
    beside->file = file;
    beside->process = hcsshim__process_id();
    hr = hcsshim__thread_start(&beside->thread, run, beside);
    if (hr < 0)
        free(beside);
    else
        *out = beside;
    return hr;
}

void hcsshim__sink_beside_free(struct hcsshim__sink_beside *beside)
{
    /* In a child that inherited it there is no thread to wait for. */
    if (beside == NULL || beside->process != hcsshim__process_id())
        return;
    next_slot(beside)->length = 0;
    push(beside);
    hcsshim__thread_join(beside->thread);
    for (size_t i = 0; i < SLOTS; i++)
        free(beside->slots[i].memory);
    free(beside);
}

int32_t hcsshim__sink_beside_give(struct hcsshim__sink_beside *beside,
                                  hcsshim__sink *sink)
{
    struct slot *slot = next_slot(beside);
    struct slot given = {sink->buffer, sink->memory, sink->room, sink->used};

    if (slot->buffer == NULL) {
        slot->room = HCSSHIM__FILE_PIECE;
        slot->buffer = hcsshim__file_buffer(slot->room, &slot->memory);
        if (slot->buffer == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
    }
    sink->buffer = slot->buffer;
    sink->memory = slot->memory;
    sink->room = slot->room;
    sink->used = sink->hashed = 0;
    *slot = given;
    push(beside);
    return atomic_load(&beside->error);
}

int32_t hcsshim__sink_beside_drain(struct hcsshim__sink_beside *beside)
{
    uint32_t filled = atomic_load(&beside->filled.word);
    uint32_t taken;

    while ((taken = atomic_load(&beside->taken.word)) != filled)
        wait_while(&beside->taken, taken);
    return atomic_load(&beside->error);
}
