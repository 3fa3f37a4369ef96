/*
 * relay.c - one thread that moves the bytes of all stdio.
 *
 * Callers hand transfers over through a list and wake the thread; from then on
 * only the thread touches a transfer's descriptors. It moves bytes for each
 * transfer that is ready, a limited amount at a time so that nobody starves,
 * and waits in the poller when none is. Nothing here enters Python.
 */
#include <stdlib.h>
#include <string.h>

#include "events/queue.h"
#include "native/connection.h"
#include "native/hresult.h"
#include "relay/relay.h"

#define ABORTED (-2147023901) /* ERROR_OPERATION_ABORTED: 0x800703E3 */
#define READY_AT_ONCE 64
#define MOVES_IN_A_TURN 16
#define ENLARGE_AFTER (UINT64_C(1) << 20)

enum { RUNNING = 0, DONE = 1 };

struct hcsshim_relay {
    hcsshim__thread thread;
    hcsshim__poller *poller;
    char *buffer;
    void *buffer_memory;
    hcsshim__transfer *runnable; /* the thread's own list */

    hcsshim__mutex lock; /* everything below */
    hcsshim__ids transfers;
    hcsshim__transfer *arrived; /* handed over, not yet seen by the thread */
    int cancels;                /* some transfer was cancelled */
    int closing;
};

/*
 * A buffer a little behind the start of a page: on some processors a copy from
 * the page cache is several times slower at other offsets.
 */
static int make_buffer(hcsshim_relay *relay)
{
    const size_t page = 4096, offset = 256;
    uintptr_t start;

    relay->buffer_memory = malloc(HCSSHIM_MOVE_BUFFER + 2 * page);
    if (relay->buffer_memory == NULL)
        return 0;
    start = ((uintptr_t)relay->buffer_memory + page - 1) & ~(page - 1);
    relay->buffer = (char *)start + offset;
    return 1;
}

static void free_transfer(hcsshim__transfer *transfer)
{
    hcsshim__queue_release(transfer->queue);
    free(transfer);
}

/* Take it out of the table if nobody will ask again. Under the lock. */
static void leave_transfer(hcsshim_relay *relay, hcsshim__transfer *transfer)
{
    if (transfer->done && transfer->forgotten && transfer->waiters == 0) {
        hcsshim__ids_remove(&relay->transfers, transfer->id);
        free_transfer(transfer);
    }
}

/* The thread's: end a transfer. It may be gone afterwards. */
static void finish(hcsshim_relay *relay, hcsshim__transfer *transfer,
                   int32_t hresult)
{
    hcsshim__poller_forget(relay->poller, transfer);
    hcsshim__file_close(transfer->files[HCSSHIM_SOURCE]);
    if (transfer->close_target)
        hcsshim__file_end(transfer->files[HCSSHIM_TARGET],
                          transfer->kinds[HCSSHIM_TARGET]);
    else
        hcsshim__file_close(transfer->files[HCSSHIM_TARGET]);
    free(transfer->held);
    if (transfer->log != NULL) {
        int32_t logged = hcsshim__log_end(transfer->log);

        transfer->log = NULL;
        if (hresult == 0)
            hresult = logged;
    }
    hcsshim__mutex_lock(&relay->lock);
    transfer->done = 1;
    transfer->hresult = hresult;
    if (transfer->queue != NULL)
        hcsshim_queue_post(transfer->queue, transfer->id, HCSSHIM_EVENT_TICKET,
                           hresult, NULL, 0);
    hcsshim__gate_open(&transfer->gate, DONE);
    leave_transfer(relay, transfer);
    hcsshim__mutex_unlock(&relay->lock);
}

/* Many bytes are on their way: let each wake-up carry more of them. */
static void enlarge(hcsshim__transfer *transfer)
{
    transfer->enlarged = 1;
    for (int side = 0; side < 2; side++)
        if (transfer->kinds[side] == HCSSHIM_FILE_PIPE)
            hcsshim__file_enlarge(transfer->files[side]);
}

/* The thread's: move bytes for a while. Keeps, parks or ends the transfer. */
static void take_turn(hcsshim_relay *relay, hcsshim__transfer *transfer)
{
    int64_t moved = 0;

    for (int i = 0; i < MOVES_IN_A_TURN; i++) {
        moved = hcsshim__move(transfer, relay->buffer);
        if (moved <= 0)
            break;
        transfer->bytes += (uint64_t)moved;
        if (!transfer->enlarged && transfer->bytes >= ENLARGE_AFTER)
            enlarge(transfer);
    }
    if (moved == HCSSHIM_MOVE_WAIT_SOURCE)
        moved = hcsshim__poller_want(relay->poller, transfer, HCSSHIM_SOURCE);
    else if (moved == HCSSHIM_MOVE_WAIT_TARGET)
        moved = hcsshim__poller_want(relay->poller, transfer, HCSSHIM_TARGET);
    else if (moved == HCSSHIM_MOVE_ENDED) {
        finish(relay, transfer, 0);
        return;
    }
    if (moved > 0) {
        transfer->next = relay->runnable;
        relay->runnable = transfer;
    } else if (moved < 0) {
        finish(relay, transfer, (int32_t)moved);
    }
}

/* The thread's: take a transfer out of its list, if it is in it. */
static void unlist(hcsshim_relay *relay, const hcsshim__transfer *transfer)
{
    hcsshim__transfer **at = &relay->runnable;

    while (*at != NULL && *at != transfer)
        at = &(*at)->next;
    if (*at != NULL)
        *at = transfer->next;
}

/* The thread's: put what was handed over into its list. Under the lock. */
static void take_arrived(hcsshim_relay *relay)
{
    while (relay->arrived != NULL) {
        hcsshim__transfer *arrived = relay->arrived;

        relay->arrived = arrived->next;
        arrived->next = relay->runnable;
        relay->runnable = arrived;
    }
}

/*
 * A cancelled transfer that still runs, or NULL. One that was handed over a
 * moment ago is in the thread's list then, so that unlist() finds it.
 */
static hcsshim__transfer *next_cancelled(hcsshim_relay *relay)
{
    hcsshim__transfer *found = NULL;

    hcsshim__mutex_lock(&relay->lock);
    take_arrived(relay);
    for (uint32_t i = 0; i < relay->transfers.size && found == NULL; i++) {
        hcsshim__transfer *transfer = relay->transfers.objects[i];

        if (transfer != NULL && transfer->cancelled && !transfer->done)
            found = transfer;
    }
    if (found == NULL)
        relay->cancels = 0;
    hcsshim__mutex_unlock(&relay->lock);
    return found;
}

/* The thread's: look what callers want. Returns 0 when it is to end. */
static int take_orders(hcsshim_relay *relay)
{
    hcsshim__transfer *cancelled;
    int cancels, closing;

    hcsshim__mutex_lock(&relay->lock);
    take_arrived(relay);
    cancels = relay->cancels;
    closing = relay->closing;
    hcsshim__mutex_unlock(&relay->lock);
    while (cancels && (cancelled = next_cancelled(relay)) != NULL) {
        unlist(relay, cancelled);
        finish(relay, cancelled, ABORTED);
    }
    return !closing;
}

static void drive(void *context)
{
    hcsshim_relay *relay = context;
    hcsshim__transfer *ready[READY_AT_ONCE];

    while (take_orders(relay)) {
        hcsshim__transfer *transfer = relay->runnable;
        size_t count;

        relay->runnable = NULL;
        while (transfer != NULL) {
            hcsshim__transfer *next = transfer->next;

            take_turn(relay, transfer);
            transfer = next;
        }
        count = hcsshim__poller_wait(relay->poller, relay->runnable == NULL,
                                     ready, READY_AT_ONCE);
        for (size_t i = 0; i < count; i++) {
            ready[i]->next = relay->runnable;
            relay->runnable = ready[i];
        }
    }
}

int32_t hcsshim_relay_new(hcsshim_relay **out)
{
    hcsshim_relay *relay = calloc(1, sizeof *relay);
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    *out = NULL;
    if (relay == NULL || !make_buffer(relay))
        goto no_memory;
    hr = hcsshim__mutex_init(&relay->lock);
    if (hr < 0)
        goto no_memory;
    hr = hcsshim__poller_new(&relay->poller);
    if (hr < 0)
        goto no_poller;
    hr = hcsshim__thread_start(&relay->thread, drive, relay);
    if (hr < 0)
        goto no_thread;
    *out = relay;
    return 0;
no_thread:
    hcsshim__poller_free(relay->poller);
no_poller:
    hcsshim__mutex_destroy(&relay->lock);
no_memory:
    if (relay != NULL)
        free(relay->buffer_memory);
    free(relay);
    return hr;
}

void hcsshim_relay_free(hcsshim_relay *relay)
{
    hcsshim__transfer *transfer;
    uint64_t id;

    if (relay == NULL)
        return;
    hcsshim__mutex_lock(&relay->lock);
    relay->closing = 1;
    relay->cancels = 1;
    for (uint32_t i = 0; i < relay->transfers.size; i++) {
        transfer = relay->transfers.objects[i];
        if (transfer != NULL)
            transfer->cancelled = 1;
    }
    hcsshim__mutex_unlock(&relay->lock);
    hcsshim__poller_wake(relay->poller);
    hcsshim__thread_join(relay->thread);
    while ((transfer = hcsshim__ids_any(&relay->transfers, &id)) != NULL) {
        hcsshim__ids_remove(&relay->transfers, id);
        free_transfer(transfer);
    }
    hcsshim__ids_clear(&relay->transfers);
    hcsshim__poller_free(relay->poller);
    hcsshim__mutex_destroy(&relay->lock);
    free(relay->buffer_memory);
    free(relay);
}

/* Get a descriptor of the transfer's own, fit for moving without blocking. */
static int32_t open_end(hcsshim__transfer *transfer, int side, int64_t file,
                        int owned)
{
    int32_t hr = hcsshim__file_examine(file, &transfer->kinds[side]);
    int64_t own;

    if (hr < 0)
        return hr;
    own = owned ? file : hcsshim__file_duplicate(file);
    if (own < 0)
        return HCSSHIM_E_HANDLE;
    transfer->files[side] = hcsshim__file_prepare(
        own, transfer->kinds[side], side, owned, &transfer->blocks[side]);
    return 0;
}

static int32_t hand_over(hcsshim_relay *relay, hcsshim__transfer *transfer)
{
    hcsshim__mutex_lock(&relay->lock);
    transfer->id = hcsshim__ids_add(&relay->transfers, transfer);
    if (transfer->id != 0) {
        transfer->next = relay->arrived;
        relay->arrived = transfer;
    }
    hcsshim__mutex_unlock(&relay->lock);
    if (transfer->id == 0)
        return HCSSHIM_E_OUTOFMEMORY;
    hcsshim__poller_wake(relay->poller);
    return 0;
}

/* Give the transfer a log: a regular file, which can be written at any time. */
static int32_t open_log(hcsshim__transfer *transfer, int64_t file,
                        uint32_t stream)
{
    uint8_t kind;
    int64_t own;
    int32_t hr = hcsshim__file_examine(file, &kind);

    if (hr < 0)
        return hr;
    if (kind != HCSSHIM_FILE_REGULAR || (stream != 1 && stream != 2))
        return HCSSHIM_E_INVALIDARG;
    own = hcsshim__file_duplicate(file);
    if (own < 0)
        return HCSSHIM_E_HANDLE;
    transfer->log = hcsshim__log_new(own, stream == 1 ? "stdout" : "stderr");
    if (transfer->log != NULL)
        return 0;
    hcsshim__file_close(own);
    return HCSSHIM_E_OUTOFMEMORY;
}

int32_t hcsshim_relay_copy(hcsshim_relay *relay, int64_t source, int64_t target,
                           uint32_t flags, uint64_t *id)
{
    return hcsshim_relay_copy_logged(relay, source, target, -1, 0, flags, id);
}

int32_t hcsshim_relay_copy_logged(hcsshim_relay *relay, int64_t source,
                                  int64_t target, int64_t log, uint32_t stream,
                                  uint32_t flags, uint64_t *id)
{
    hcsshim__transfer *transfer = calloc(1, sizeof *transfer);
    int owns_source = (flags & HCSSHIM_COPY_OWNS_SOURCE) != 0;
    int owns_target = (flags & HCSSHIM_COPY_OWNS_TARGET) != 0;
    int32_t hr;

    *id = 0;
    if (transfer == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    transfer->files[HCSSHIM_SOURCE] = -1;
    transfer->files[HCSSHIM_TARGET] = -1;
    transfer->close_target = owns_target ? 1 : 0;
    hr = log == -1 ? 0 : open_log(transfer, log, stream);
    if (hr < 0)
        goto out;
    hr = open_end(transfer, HCSSHIM_SOURCE, source, owns_source);
    if (hr < 0)
        goto out;
    hr = open_end(transfer, HCSSHIM_TARGET, target, owns_target);
    if (hr < 0)
        goto out;
    hr = hand_over(relay, transfer);
    if (hr < 0)
        goto out;
    *id = transfer->id;
    return 0;
out:
    /* On failure the caller's descriptors are still the caller's. */
    if (!owns_source)
        hcsshim__file_close(transfer->files[HCSSHIM_SOURCE]);
    if (!owns_target)
        hcsshim__file_close(transfer->files[HCSSHIM_TARGET]);
    if (transfer->log != NULL)
        hcsshim__log_end(transfer->log);
    free(transfer);
    return hr;
}

/* Under the lock; NULL if it is no live id. */
static hcsshim__transfer *find(const hcsshim_relay *relay, uint64_t id)
{
    hcsshim__transfer *transfer = hcsshim__ids_find(&relay->transfers, id);

    return transfer == NULL || transfer->forgotten ? NULL : transfer;
}

int32_t hcsshim_transfer_wait(hcsshim_relay *relay, uint64_t id,
                              uint32_t timeout_ms, hcsshim_outcome *out)
{
    hcsshim__transfer *transfer;
    int32_t hr = 0;

    *out = (hcsshim_outcome){0};
    hcsshim__mutex_lock(&relay->lock);
    transfer = find(relay, id);
    if (transfer == NULL) {
        hcsshim__mutex_unlock(&relay->lock);
        return HCSSHIM_E_HANDLE;
    }
    transfer->waiters++;
    hcsshim__mutex_unlock(&relay->lock);

    while (hr == 0 && atomic_load(&transfer->gate.word) == RUNNING)
        hr = hcsshim__gate_wait(&transfer->gate, RUNNING, timeout_ms);

    hcsshim__mutex_lock(&relay->lock);
    if (hr == 0) {
        out->hresult = transfer->hresult;
        out->bytes = transfer->bytes;
    }
    transfer->waiters--;
    leave_transfer(relay, transfer);
    hcsshim__mutex_unlock(&relay->lock);
    return hr;
}

int32_t hcsshim_transfer_notify(hcsshim_relay *relay, uint64_t id,
                                hcsshim_queue *queue)
{
    hcsshim__transfer *transfer;
    int32_t hr = HCSSHIM_E_HANDLE;

    hcsshim__mutex_lock(&relay->lock);
    transfer = find(relay, id);
    if (transfer != NULL) {
        hr = transfer->done;
        hcsshim__queue_release(transfer->queue);
        hcsshim__queue_hold(queue);
        transfer->queue = queue;
    }
    hcsshim__mutex_unlock(&relay->lock);
    return hr;
}

/* Stop a transfer if it runs, and forget it if asked to. */
static int32_t stop(hcsshim_relay *relay, uint64_t id, int forget)
{
    hcsshim__transfer *transfer;
    int running = 0;

    hcsshim__mutex_lock(&relay->lock);
    transfer = find(relay, id);
    if (transfer != NULL) {
        running = !transfer->done;
        transfer->cancelled = 1;
        relay->cancels |= running;
        transfer->forgotten = forget;
        leave_transfer(relay, transfer);
    }
    hcsshim__mutex_unlock(&relay->lock);
    if (running)
        hcsshim__poller_wake(relay->poller);
    return transfer == NULL ? HCSSHIM_E_HANDLE : 0;
}

int32_t hcsshim_transfer_cancel(hcsshim_relay *relay, uint64_t id)
{
    return stop(relay, id, 0);
}

int32_t hcsshim_transfer_end(hcsshim_relay *relay, uint64_t id)
{
    return stop(relay, id, 1);
}
