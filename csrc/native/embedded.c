/* embedded.c - the provider that asks the embedded host, by frames. */
#include <string.h>

#include "native/frame.h"
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

static void begin(hcsshim_service *service,
                  const struct hcsshim__submission *submission)
{
    hcsshim__frame_write(submission->frame, submission->length, submission->row,
                         submission->values, submission->ticket,
                         submission->handle);
    send_frame(service, submission->frame, submission->length);
}

static void cancel(hcsshim_service *service, uint64_t ticket)
{
    hcsshim__frame frame = {.length = HCSSHIM_WIRE_HEADER,
                            .kind = HCSSHIM_FRAME_CANCEL,
                            .id = ticket};
    unsigned char room[HCSSHIM_WIRE_HEADER];

    hcsshim__frame_put_header(room, &frame);
    send_frame(service, room, sizeof room);
}

static void stop(hcsshim_service *service)
{
    hcsshim__connection_shutdown(&service->connection);
    hcsshim__thread_join(service->reader);
}

static void end(hcsshim_service *service)
{
    hcsshim__lead_destroy(&service->lead);
    hcsshim__inbox_free(service->inbox);
    hcsshim__connection_close(&service->connection);
}

static const struct hcsshim__provider embedded = {.begin = begin,
                                                  .wait = hcsshim__service_wait,
                                                  .wake = hcsshim__service_wake,
                                                  .cancel = cancel,
                                                  .stop = stop,
                                                  .end = end};

/* Let a thread read from now on. */
static int32_t start_reading(hcsshim_service *service)
{
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    service->inbox = hcsshim__inbox_new();
    if (service->inbox == NULL)
        return hr;
    hr = hcsshim__lead_init(&service->lead, &service->connection);
    if (hr < 0)
        goto no_lead;
    hr =
        hcsshim__thread_start(&service->reader, hcsshim__service_read, service);
    if (hr >= 0)
        return hr;
    hcsshim__lead_destroy(&service->lead);
no_lead:
    hcsshim__inbox_free(service->inbox);
    return hr;
}

int32_t hcsshim_service_connect(const char *path, size_t length,
                                const char *name, size_t name_length,
                                hcsshim_service **out)
{
    hcsshim_service *service;
    int32_t hr = hcsshim__service_new(&embedded, &service);

    *out = NULL;
    if (hr < 0)
        return hr;
    hr = hcsshim__connection_open(&service->connection, path, length);
    if (hr < 0) {
        hcsshim__service_discard(service);
        return hr;
    }
    hr = shake_hands(service, name, name_length);
    if (hr >= 0)
        hr = start_reading(service);
    if (hr < 0) {
        hcsshim__connection_close(&service->connection);
        hcsshim__service_discard(service);
        return hr;
    }
    *out = service;
    return 0;
}
