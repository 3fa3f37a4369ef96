/* service.c - calls, and the handles that they make, whoever answers below. */
#include <stdlib.h>
#include <string.h>

#include "events/queue.h"
#include "native/frame.h"
#include "native/service.h"

#define SMALL_FRAME 1024u

int32_t hcsshim__service_new(const struct hcsshim__provider *provider,
                             hcsshim_service **out)
{
    hcsshim_service *service = calloc(1, sizeof *service);
    int32_t hr;

    *out = NULL;
    if (service == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    service->provider = provider;
    atomic_init(&service->alive, 1);
    hr = hcsshim__mutex_init(&service->lock);
    if (hr < 0)
        goto no_lock;
    hr = hcsshim__mutex_init(&service->send_lock);
    if (hr < 0)
        goto no_send_lock;
    *out = service;
    return 0;
no_send_lock:
    hcsshim__mutex_destroy(&service->lock);
no_lock:
    free(service);
    return hr;
}

void hcsshim__service_discard(hcsshim_service *service)
{
    hcsshim__mutex_destroy(&service->send_lock);
    hcsshim__mutex_destroy(&service->lock);
    free(service);
}

/* Tell every listener that the service is gone. */
static void tell_listeners(hcsshim_service *service)
{
    hcsshim__mutex_lock(&service->lock);
    for (uint32_t i = 0; i < service->handles.size; i++) {
        struct hcsshim__handle *handle = service->handles.objects[i];

        if (handle != NULL && handle->queue != NULL)
            hcsshim_queue_post(handle->queue,
                               (uint64_t)service->handles.generations[i] << 32 |
                                   i,
                               HCSSHIM_EVENT_SERVICE_DISCONNECT,
                               HCSSHIM_HCS_E_SERVICE_DISCONNECT, NULL, 0);
    }
    hcsshim__mutex_unlock(&service->lock);
}

void hcsshim__service_lost(hcsshim_service *service)
{
    hcsshim__mutex_lock(&service->lock);
    atomic_store(&service->alive, 0); /* no ticket comes after this */
    hcsshim__mutex_unlock(&service->lock);
    hcsshim__tickets_fail(service, HCSSHIM_HCS_E_SERVICE_DISCONNECT);
    tell_listeners(service);
}

static void free_handles(hcsshim_service *service)
{
    struct hcsshim__handle *handle;
    uint64_t id;

    while ((handle = hcsshim__ids_any(&service->handles, &id)) != NULL) {
        hcsshim__ids_remove(&service->handles, id);
        if (handle->own != NULL)
            service->provider->drop(service, handle->own);
        hcsshim__queue_release(handle->queue);
        free(handle);
    }
    hcsshim__ids_clear(&service->handles);
}

static void wait_until_idle(hcsshim_service *service)
{
    uint32_t waiting;

    do {
        atomic_store(&service->idle.word, 0);
        hcsshim__mutex_lock(&service->lock);
        waiting = service->waiting;
        hcsshim__mutex_unlock(&service->lock);
        if (waiting != 0)
            hcsshim__gate_wait(&service->idle, 0, HCSSHIM_FOREVER);
    } while (waiting != 0);
}

void hcsshim_service_free(hcsshim_service *service)
{
    if (service == NULL)
        return;
    service->provider->stop(service);
    wait_until_idle(service);
    hcsshim__tickets_free(service);
    free_handles(service);
    service->provider->end(service);
    hcsshim__service_discard(service);
}

uint32_t hcsshim_service_host(const hcsshim_service *service)
{
    return service->host;
}

int hcsshim_service_alive(const hcsshim_service *service)
{
    return atomic_load(&service->alive);
}

/* Check that the handles among the values live; under the lock. */
static int32_t check_handles(const hcsshim_service *service,
                             const hcsshim_call_row *row,
                             const hcsshim_value *value)
{
    for (const uint8_t *kind = row->kinds; *kind != HCSSHIM_KIND_END; kind++) {
        struct hcsshim__handle *handle;

        if (hcsshim__kind_is_text(*kind) || hcsshim__kind_is_number(*kind))
            value++;
        if (!hcsshim__kind_is_handle(*kind))
            continue;
        handle = hcsshim__ids_find(&service->handles, value->number);
        if (handle == NULL || handle->kind != *kind)
            return HCSSHIM_E_HANDLE;
        value++;
    }
    return 0;
}

/* Make the handle that the call creates, if any; under the lock. */
static int32_t add_handle(hcsshim_service *service, const hcsshim_call_row *row,
                          uint64_t *id)
{
    struct hcsshim__handle *handle;
    uint8_t made = 0;

    for (const uint8_t *kind = row->kinds; *kind != HCSSHIM_KIND_END; kind++) {
        if (*kind == HCSSHIM_KIND_OUT_SYSTEM)
            made = HCSSHIM_KIND_SYSTEM;
        if (*kind == HCSSHIM_KIND_OUT_PROCESS)
            made = HCSSHIM_KIND_PROCESS;
        if (*kind == HCSSHIM_KIND_OUT_OBJECT)
            made = HCSSHIM_KIND_OBJECT;
    }
    if (made == 0)
        return 0;
    handle = calloc(1, sizeof *handle);
    if (handle == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    handle->kind = made;
    *id = hcsshim__ids_add(&service->handles, handle);
    if (*id == 0) {
        free(handle);
        return HCSSHIM_E_OUTOFMEMORY;
    }
    return 0;
}

/* Make a handle stale; under the lock. */
static void remove_handle(hcsshim_service *service, uint64_t id)
{
    struct hcsshim__handle *handle = hcsshim__ids_remove(&service->handles, id);

    if (handle == NULL)
        return;
    hcsshim__queue_release(handle->queue);
    free(handle);
}

/* What the provider knows of the handle that a call is about, or NULL. */
static void *own_of(const hcsshim_service *service, const hcsshim_call_row *row,
                    const hcsshim_value *values)
{
    const struct hcsshim__handle *handle =
        hcsshim__kind_is_handle(row->kinds[0])
            ? hcsshim__ids_find(&service->handles, values[0].number)
            : NULL;

    return handle == NULL ? NULL : handle->own;
}

/* Enter a call into the tables. */
static int32_t enter(hcsshim_service *service, const hcsshim_call_row *row,
                     const hcsshim_value *values, uint64_t *ticket,
                     uint64_t *handle, void **own)
{
    int32_t hr = HCSSHIM_HCS_E_SERVICE_DISCONNECT;

    hcsshim__mutex_lock(&service->lock);
    if (!atomic_load(&service->alive))
        goto out;
    hr = check_handles(service, row, values);
    if (hr < 0)
        goto out;
    hr = add_handle(service, row, handle);
    if (hr < 0)
        goto out;
    if (ticket != NULL) {
        *ticket = hcsshim__ticket_add(service);
        if (*ticket == 0) {
            remove_handle(service, *handle);
            *handle = 0;
            hr = HCSSHIM_E_OUTOFMEMORY;
            goto out;
        }
    }
    *own = own_of(service, row, values);
    if (hcsshim__call_closes(row))
        remove_handle(service, values[0].number);
out:
    hcsshim__mutex_unlock(&service->lock);
    return hr;
}

int32_t hcsshim_service_submit(hcsshim_service *service, uint32_t call,
                               const hcsshim_value *values, size_t count,
                               uint64_t *ticket, uint64_t *handle)
{
    unsigned char small[SMALL_FRAME];
    struct hcsshim__submission submission = {.row = hcsshim__call_find(call),
                                             .values = values,
                                             .count = count,
                                             .frame = small};
    int32_t hr;

    *handle = 0;
    if (ticket != NULL)
        *ticket = 0;
    if (submission.row == NULL || !submission.row->remote)
        return HCSSHIM_E_INVALIDARG;
    submission.length = hcsshim__frame_measure(submission.row, values, count);
    if (submission.length == 0)
        return HCSSHIM_E_INVALIDARG;
    if (submission.length > sizeof small)
        submission.frame = malloc(submission.length);
    if (submission.frame == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr =
        enter(service, submission.row, values, ticket, handle, &submission.own);
    if (hr >= 0) {
        submission.ticket = ticket == NULL ? 0 : *ticket;
        submission.handle = *handle;
        service->provider->begin(service, &submission);
    }
    if (submission.frame != small)
        free(submission.frame);
    return hr;
}

int32_t hcsshim_handle_listen(hcsshim_service *service, uint64_t id,
                              hcsshim_queue *queue)
{
    struct hcsshim__handle *handle;

    hcsshim__mutex_lock(&service->lock);
    handle = hcsshim__ids_find(&service->handles, id);
    if (handle != NULL) {
        if (queue != NULL)
            hcsshim__queue_hold(queue);
        hcsshim__queue_release(handle->queue);
        handle->queue = queue;
    }
    hcsshim__mutex_unlock(&service->lock);
    return handle == NULL ? HCSSHIM_E_HANDLE : 0;
}
