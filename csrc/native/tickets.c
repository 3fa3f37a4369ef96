/*
 * tickets.c - submitted calls and the threads that wait for them.
 *
 * A ticket sits in the table until it was taken, or until it was abandoned and
 * the late answer came. Threads that are inside a wait count as users, so the
 * memory stays until the last of them has left.
 */
#include <stdlib.h>

#include "events/queue.h"
#include "native/service.h"

void hcsshim_completion_clear(hcsshim_completion *completion)
{
    free(completion->document);
    for (int i = 0; i < 3; i++)
        hcsshim__file_close(completion->files[i]);
    *completion = (hcsshim_completion){.files = {-1, -1, -1}};
}

uint64_t hcsshim__ticket_add(hcsshim_service *service)
{
    struct hcsshim__ticket *ticket = calloc(1, sizeof *ticket);

    if (ticket == NULL)
        return 0;
    ticket->completion.files[0] = -1;
    ticket->completion.files[1] = -1;
    ticket->completion.files[2] = -1;
    ticket->id = hcsshim__ids_add(&service->tickets, ticket);
    if (ticket->id == 0) {
        free(ticket);
        return 0;
    }
    return ticket->id;
}

static void free_ticket(struct hcsshim__ticket *ticket)
{
    hcsshim__queue_release(ticket->queue);
    hcsshim_completion_clear(&ticket->completion);
    free(ticket);
}

/* Take it out of the table; under the lock. */
static void end_ticket(hcsshim_service *service, struct hcsshim__ticket *ticket)
{
    hcsshim__ids_remove(&service->tickets, ticket->id);
    ticket->ended = 1;
    if (ticket->waiters == 0)
        free_ticket(ticket);
}

/* Under the lock. */
static void leave_ticket(struct hcsshim__ticket *ticket)
{
    if (--ticket->waiters == 0 && ticket->ended)
        free_ticket(ticket);
}

/* A ticket that its owner has not ended; under the lock. */
static struct hcsshim__ticket *find_ticket(const hcsshim_service *service,
                                           uint64_t id)
{
    struct hcsshim__ticket *ticket = hcsshim__ids_find(&service->tickets, id);

    return ticket == NULL || ticket->abandoned ? NULL : ticket;
}

void hcsshim__ticket_answer(hcsshim_service *service, uint64_t id,
                            hcsshim_completion *completion)
{
    struct hcsshim__ticket *ticket;

    hcsshim__mutex_lock(&service->lock);
    ticket = hcsshim__ids_find(&service->tickets, id);
    if (ticket == NULL || ticket->answered) {
        hcsshim__mutex_unlock(&service->lock);
        hcsshim_completion_clear(completion);
        return;
    }
    ticket->completion = *completion; /* the ticket owns its parts now */
    ticket->answered = 1;
    if (ticket->abandoned) {
        end_ticket(service, ticket);
        hcsshim__mutex_unlock(&service->lock);
        return;
    }
    if (ticket->queue != NULL)
        hcsshim_queue_post(ticket->queue, id, HCSSHIM_EVENT_TICKET,
                           completion->hresult, NULL, 0);
    /* Woken outside the lock, or the waiter would run into it at once. */
    ticket->waiters++;
    hcsshim__mutex_unlock(&service->lock);
    hcsshim__gate_open(&ticket->gate, HCSSHIM_ANSWERED);
    hcsshim__mutex_lock(&service->lock);
    leave_ticket(ticket);
    hcsshim__mutex_unlock(&service->lock);
}

void hcsshim__tickets_fail(hcsshim_service *service, int32_t hresult)
{
    for (uint32_t i = 0; i < service->tickets.size; i++) {
        hcsshim_completion completion = {.hresult = hresult,
                                         .files = {-1, -1, -1}};
        struct hcsshim__ticket *ticket;
        uint64_t id = 0;

        hcsshim__mutex_lock(&service->lock);
        ticket = service->tickets.objects[i];
        if (ticket != NULL)
            id = ticket->id;
        hcsshim__mutex_unlock(&service->lock);
        if (id != 0)
            hcsshim__ticket_answer(service, id, &completion);
    }
}

void hcsshim__tickets_free(hcsshim_service *service)
{
    struct hcsshim__ticket *ticket;
    uint64_t id;

    while ((ticket = hcsshim__ids_any(&service->tickets, &id)) != NULL)
        end_ticket(service, ticket);
    hcsshim__ids_clear(&service->tickets);
}

int32_t hcsshim_ticket_wait(hcsshim_service *service, uint64_t id,
                            uint32_t timeout_ms)
{
    struct hcsshim__ticket *ticket;
    int32_t hr = 0;

    hcsshim__mutex_lock(&service->lock);
    ticket = find_ticket(service, id);
    if (ticket == NULL) {
        hcsshim__mutex_unlock(&service->lock);
        return HCSSHIM_E_HANDLE;
    }
    ticket->waiters++;
    service->waiting++;
    hcsshim__mutex_unlock(&service->lock);

    /* A false wake-up only shortens the wait's last part: it starts anew. */
    while (hr == 0 && atomic_load(&ticket->gate.word) == HCSSHIM_PENDING)
        hr = service->provider->wait != NULL
                 ? service->provider->wait(service, ticket, timeout_ms)
                 : hcsshim__gate_wait(&ticket->gate, HCSSHIM_PENDING,
                                      timeout_ms);

    hcsshim__mutex_lock(&service->lock);
    if (ticket->abandoned)
        hr = HCSSHIM_E_HANDLE;
    leave_ticket(ticket);
    if (--service->waiting == 0 && !atomic_load(&service->alive))
        hcsshim__gate_open(&service->idle, 1);
    hcsshim__mutex_unlock(&service->lock);
    return hr;
}

int32_t hcsshim_ticket_notify(hcsshim_service *service, uint64_t id,
                              hcsshim_queue *queue)
{
    struct hcsshim__ticket *ticket;
    int32_t hr = HCSSHIM_E_HANDLE;

    hcsshim__mutex_lock(&service->lock);
    ticket = find_ticket(service, id);
    if (ticket != NULL) {
        hr = ticket->answered;
        hcsshim__queue_release(ticket->queue);
        hcsshim__queue_hold(queue);
        ticket->queue = queue;
    }
    hcsshim__mutex_unlock(&service->lock);
    return hr;
}

int32_t hcsshim_ticket_take(hcsshim_service *service, uint64_t id,
                            hcsshim_completion *out)
{
    struct hcsshim__ticket *ticket;
    int32_t hr = HCSSHIM_E_HANDLE;

    *out = (hcsshim_completion){.files = {-1, -1, -1}};
    hcsshim__mutex_lock(&service->lock);
    ticket = find_ticket(service, id);
    if (ticket != NULL && !ticket->answered)
        hr = HCSSHIM_HCS_E_OPERATION_PENDING;
    else if (ticket != NULL) {
        *out = ticket->completion; /* the caller owns its parts now */
        ticket->completion = (hcsshim_completion){.files = {-1, -1, -1}};
        end_ticket(service, ticket);
        hr = 0;
    }
    hcsshim__mutex_unlock(&service->lock);
    return hr;
}

int32_t hcsshim_ticket_cancel(hcsshim_service *service, uint64_t id)
{
    struct hcsshim__ticket *ticket;
    int32_t hr = HCSSHIM_E_HANDLE;

    hcsshim__mutex_lock(&service->lock);
    ticket = find_ticket(service, id);
    if (ticket != NULL)
        hr = ticket->answered ? 1 : 0;
    hcsshim__mutex_unlock(&service->lock);
    if (hr == 0)
        service->provider->cancel(service, id);
    return hr;
}

int32_t hcsshim_ticket_abandon(hcsshim_service *service, uint64_t id)
{
    struct hcsshim__ticket *ticket;
    int pending = 0;

    hcsshim__mutex_lock(&service->lock);
    ticket = find_ticket(service, id);
    if (ticket != NULL) {
        pending = !ticket->answered;
        ticket->abandoned = 1;
        /* Whoever waits for it learns that it is no ticket any more. */
        if (pending && ticket->queue != NULL)
            hcsshim_queue_post(ticket->queue, id, HCSSHIM_EVENT_TICKET,
                               HCSSHIM_E_HANDLE, NULL, 0);
        hcsshim__gate_open(&ticket->gate, HCSSHIM_ANSWERED);
        if (ticket->waiters > 0 && service->provider->wake != NULL)
            service->provider->wake(service);
        if (!pending || !atomic_load(&service->alive))
            end_ticket(service, ticket);
    }
    hcsshim__mutex_unlock(&service->lock);
    if (pending)
        service->provider->cancel(service, id);
    return ticket == NULL ? HCSSHIM_E_HANDLE : 0;
}
