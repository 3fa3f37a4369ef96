/* service.c - a connection to the embedded host, and calls through it. */
#include <stdlib.h>
#include <string.h>

#include "events/queue.h"
#include "native/frame.h"
#include "native/hresult.h"
#include "native/service.h"

#define SMALL_FRAME 1024u

/* Receive exactly 'length' bytes; no descriptors are expected. */
static int32_t receive_exactly(const hcsshim__connection *connection,
                               unsigned char *room, size_t length)
{
    while (length > 0) {
        int64_t files[HCSSHIM_CONNECTION_FILES];
        size_t received, count;
        int32_t hr = hcsshim__connection_receive(connection, room, length,
                                                 &received, files, &count);

        for (size_t i = 0; i < count; i++)
            hcsshim__file_close(files[i]);
        if (hr < 0)
            return hr;
        if (received == 0)
            return HCSSHIM_HCS_E_SERVICE_DISCONNECT;
        room += received;
        length -= received;
    }
    return 0;
}

/* Introduce ourselves, and learn who the host is. */
static int32_t shake_hands(hcsshim_service *service, const char *name,
                           size_t length)
{
    unsigned char room[SMALL_FRAME];
    hcsshim__frame frame = {.kind = HCSSHIM_FRAME_HELLO,
                            .id = HCSSHIM_WIRE_MAGIC,
                            .detail = HCSSHIM_WIRE_VERSION};
    int32_t hr;

    if (length > SMALL_FRAME - HCSSHIM_WIRE_HEADER - 4)
        return HCSSHIM_E_INVALIDARG;
    frame.length = (uint32_t)(HCSSHIM_WIRE_HEADER + 4 + length);
    hcsshim__frame_put_header(room, &frame);
    hcsshim__frame_put_u32(room + HCSSHIM_WIRE_HEADER, (uint32_t)length);
    memcpy(room + HCSSHIM_WIRE_HEADER + 4, name, length);
    hr = hcsshim__connection_send(&service->connection, room, frame.length);
    if (hr < 0)
        return hr;
    hr = receive_exactly(&service->connection, room, HCSSHIM_WIRE_HEADER);
    if (hr < 0)
        return hr;
    hcsshim__frame_get_header(room, &frame);
    if (frame.kind != HCSSHIM_FRAME_WELCOME ||
        frame.length < HCSSHIM_WIRE_HEADER || frame.length > sizeof room)
        return HCSSHIM_HCS_E_UNSUPPORTED_PROTOCOL_VERSION;
    service->host = frame.detail;
    hr = receive_exactly(&service->connection, room,
                         frame.length - HCSSHIM_WIRE_HEADER);
    return hr < 0 ? hr : frame.hresult;
}

int32_t hcsshim_service_connect(const char *path, size_t length,
                                const char *name, size_t name_length,
                                hcsshim_service **out)
{
    hcsshim_service *service = calloc(1, sizeof *service);
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    *out = NULL;
    if (service == NULL)
        return hr;
    atomic_init(&service->alive, 1);
    hr = hcsshim__mutex_init(&service->lock);
    if (hr < 0)
        goto no_lock;
    hr = hcsshim__mutex_init(&service->send_lock);
    if (hr < 0)
        goto no_send_lock;
    hr = hcsshim__connection_open(&service->connection, path, length);
    if (hr < 0)
        goto no_connection;
    hr = shake_hands(service, name, name_length);
    if (hr >= 0)
        hr = hcsshim__thread_start(&service->reader, hcsshim__service_read,
                                   service);
    if (hr < 0)
        goto no_thread;
    *out = service;
    return 0;
no_thread:
    hcsshim__connection_close(&service->connection);
no_connection:
    hcsshim__mutex_destroy(&service->send_lock);
no_send_lock:
    hcsshim__mutex_destroy(&service->lock);
no_lock:
    free(service);
    return hr;
}

static void free_handles(hcsshim_service *service)
{
    struct hcsshim__handle *handle;
    uint64_t id;

    while ((handle = hcsshim__ids_any(&service->handles, &id)) != NULL) {
        hcsshim__ids_remove(&service->handles, id);
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
    hcsshim__connection_shutdown(&service->connection);
    hcsshim__thread_join(service->reader);
    wait_until_idle(service);
    hcsshim__tickets_free(service);
    free_handles(service);
    hcsshim__connection_close(&service->connection);
    hcsshim__mutex_destroy(&service->send_lock);
    hcsshim__mutex_destroy(&service->lock);
    free(service);
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

/* Enter a call into the tables. */
static int32_t enter(hcsshim_service *service, const hcsshim_call_row *row,
                     const hcsshim_value *values, uint64_t *ticket,
                     uint64_t *handle)
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
    if (hcsshim__call_closes(row))
        remove_handle(service, values[0].number);
out:
    hcsshim__mutex_unlock(&service->lock);
    return hr;
}

/*
 * Send one frame. A failure needs no report: it ends the connection, and the
 * reader then answers every ticket.
 */
static void send_frame(hcsshim_service *service, const unsigned char *bytes,
                       size_t length)
{
    int32_t hr;

    hcsshim__mutex_lock(&service->send_lock);
    hr = hcsshim__connection_send(&service->connection, bytes, length);
    hcsshim__mutex_unlock(&service->send_lock);
    if (hr < 0)
        hcsshim__connection_shutdown(&service->connection);
}

int32_t hcsshim_service_submit(hcsshim_service *service, uint32_t call,
                               const hcsshim_value *values, size_t count,
                               uint64_t *ticket, uint64_t *handle)
{
    const hcsshim_call_row *row = hcsshim__call_find(call);
    unsigned char small[SMALL_FRAME], *room = small;
    size_t length;
    int32_t hr;

    *handle = 0;
    if (ticket != NULL)
        *ticket = 0;
    if (row == NULL || !row->remote)
        return HCSSHIM_E_INVALIDARG;
    length = hcsshim__frame_measure(row, values, count);
    if (length == 0)
        return HCSSHIM_E_INVALIDARG;
    if (length > sizeof small && (room = malloc(length)) == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr = enter(service, row, values, ticket, handle);
    if (hr >= 0) {
        hcsshim__frame_write(room, length, row, values,
                             ticket == NULL ? 0 : *ticket, *handle);
        send_frame(service, room, length);
    }
    if (room != small)
        free(room);
    return hr;
}

void hcsshim__service_cancel(hcsshim_service *service, uint64_t ticket)
{
    hcsshim__frame frame = {.length = HCSSHIM_WIRE_HEADER,
                            .kind = HCSSHIM_FRAME_CANCEL,
                            .id = ticket};
    unsigned char room[HCSSHIM_WIRE_HEADER];

    hcsshim__frame_put_header(room, &frame);
    send_frame(service, room, sizeof room);
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
