/*
 * queue.c - many threads post events, one drains them in batches.
 *
 * Posting allocates a node and pushes it onto a lock-free stack, so it never
 * blocks, never drops, and never waits for Python. The drainer takes the whole
 * stack with one exchange and turns it round. Only the first post after a
 * drain wakes anybody (the gate's word goes from EMPTY to POSTED): one wake-up
 * for a burst. A blocked thread sleeps on the gate; an event loop watches the
 * bell, which is made when it is first asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "events/platform.h"
#include "events/queue.h"
#include "native/hresult.h"

struct node {
    struct node *next;
    hcsshim_event event;
    char text[];
};

enum { EMPTY = 0, POSTED = 1 };

struct hcsshim_queue {
    _Atomic(struct node *) newest;
    _Atomic uint32_t references;
    hcsshim__gate gate;
    hcsshim__mutex drain_lock;
    struct node *oldest; /* taken but not yet drained; under drain_lock */
    atomic_int watched;  /* the bell was made */
    hcsshim__bell bell;
};

int32_t hcsshim_queue_new(hcsshim_queue **out)
{
    hcsshim_queue *queue = calloc(1, sizeof *queue);
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    *out = NULL;
    if (queue == NULL)
        return hr;
    atomic_init(&queue->references, 1);
    hr = hcsshim__mutex_init(&queue->drain_lock);
    if (hr < 0) {
        free(queue);
        return hr;
    }
    *out = queue;
    return 0;
}

static void free_nodes(struct node *node)
{
    while (node != NULL) {
        struct node *next = node->next;

        free(node);
        node = next;
    }
}

void hcsshim__queue_hold(hcsshim_queue *queue)
{
    atomic_fetch_add(&queue->references, 1);
}

void hcsshim__queue_release(hcsshim_queue *queue)
{
    if (queue == NULL || atomic_fetch_sub(&queue->references, 1) != 1)
        return;
    free_nodes(atomic_load(&queue->newest));
    free_nodes(queue->oldest);
    hcsshim__mutex_destroy(&queue->drain_lock);
    if (atomic_load(&queue->watched))
        hcsshim__bell_destroy(&queue->bell);
    free(queue);
}

void hcsshim_queue_free(hcsshim_queue *queue) { hcsshim__queue_release(queue); }

int32_t hcsshim_queue_file(hcsshim_queue *queue, int64_t *file)
{
    int32_t hr = 0;

    *file = -1;
    hcsshim__mutex_lock(&queue->drain_lock);
    if (!atomic_load(&queue->watched)) {
        hr = hcsshim__bell_init(&queue->bell);
        if (hr >= 0) {
            atomic_store(&queue->watched, 1);
            /* Who posted before saw no bell to ring. */
            hcsshim__bell_ring(&queue->bell);
        }
    }
    if (hr >= 0)
        *file = queue->bell.read_file;
    hcsshim__mutex_unlock(&queue->drain_lock);
    return hr;
}

void hcsshim_queue_wake(hcsshim_queue *queue)
{
    hcsshim__gate_open(&queue->gate, POSTED);
    if (atomic_load(&queue->watched))
        hcsshim__bell_ring(&queue->bell);
}

int32_t hcsshim_queue_post(hcsshim_queue *queue, uint64_t source, uint32_t type,
                           int32_t status, const char *text, size_t length)
{
    struct node *node;

    if (length >= HCSSHIM_NO_TEXT)
        return HCSSHIM_E_INVALIDARG;
    node = malloc(sizeof *node + length);
    if (node == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    node->event = (hcsshim_event){.source = source,
                                  .type = type,
                                  .status = status,
                                  .length = (uint32_t)length};
    if (text == NULL)
        node->event.length = HCSSHIM_NO_TEXT;
    else if (length > 0)
        memcpy(node->text, text, length);
    node->next = atomic_load(&queue->newest);
    while (!atomic_compare_exchange_weak(&queue->newest, &node->next, node))
        ;
    if (atomic_load(&queue->gate.word) == EMPTY)
        hcsshim_queue_wake(queue);
    return 0;
}

/* Take what was posted, oldest first. Under drain_lock. */
static void collect(hcsshim_queue *queue)
{
    struct node *node, *turned = NULL;

    if (atomic_load(&queue->watched))
        hcsshim__bell_silence(&queue->bell);
    atomic_store(&queue->gate.word, EMPTY);
    node = atomic_exchange(&queue->newest, NULL);
    while (node != NULL) {
        struct node *next = node->next;

        node->next = turned;
        turned = node;
        node = next;
    }
    queue->oldest = turned;
}

size_t hcsshim_queue_drain(hcsshim_queue *queue, uint32_t timeout_ms,
                           hcsshim_event *events, size_t most, char *text,
                           size_t size, size_t *needed)
{
    size_t count = 0, used = 0;
    struct node *node;

    *needed = 0;
    if (timeout_ms != 0)
        hcsshim__gate_wait(&queue->gate, EMPTY, timeout_ms);
    hcsshim__mutex_lock(&queue->drain_lock);
    if (queue->oldest == NULL)
        collect(queue);
    while ((node = queue->oldest) != NULL && count < most) {
        size_t length = node->event.length;

        if (length == HCSSHIM_NO_TEXT)
            length = 0;
        if (length > size - used)
            break;
        events[count] = node->event;
        events[count].offset = (uint32_t)used;
        if (length > 0)
            memcpy(text + used, node->text, length);
        used += length;
        count++;
        queue->oldest = node->next;
        free(node);
    }
    if (node != NULL) {
        *needed =
            node->event.length == HCSSHIM_NO_TEXT ? 0 : node->event.length;
        hcsshim_queue_wake(queue); /* come again for the rest */
    }
    hcsshim__mutex_unlock(&queue->drain_lock);
    return count;
}
