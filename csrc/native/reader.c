/*
 * reader.c - reading what the host sends.
 *
 * Frames are parsed in place; outcomes go into tickets and events into queues,
 * and Python is never entered. A frame that breaks the rules of wire.h ends the
 * connection, as does the end of the stream: then every ticket and every
 * listener learns that the service is gone.
 *
 * A thread of our own reads whenever nobody else does. A thread that waits for
 * a ticket reads in its place until that is answered, so an answer wakes the
 * one thread that wants it, and not another one first that would wake it.
 * Whoever has the lead (lead.h) reads for all.
 */
#include <stdlib.h>
#include <string.h>

#include "native/frame.h"
#include "native/service.h"

#define USUAL_SIZE (64u * 1024)
#define MOST_FILES 64u

struct hcsshim__inbox {
    unsigned char *bytes;
    size_t size;               /* of 'bytes' */
    size_t used;               /* bytes that wait */
    int64_t files[MOST_FILES]; /* descriptors that wait, in order */
    size_t file_count;
    int ended; /* nothing more comes */
};

/* Make room for at least 'size' bytes. */
static int reserve(struct hcsshim__inbox *inbox, size_t size)
{
    unsigned char *bytes;

    if (inbox->size >= size)
        return 1;
    bytes = realloc(inbox->bytes, size);
    if (bytes == NULL)
        return 0;
    inbox->bytes = bytes;
    inbox->size = size;
    return 1;
}

/* Give the room of a large frame back. */
static void shrink(struct hcsshim__inbox *inbox)
{
    unsigned char *bytes;

    if (inbox->used > USUAL_SIZE || inbox->size <= USUAL_SIZE)
        return;
    bytes = realloc(inbox->bytes, USUAL_SIZE);
    if (bytes == NULL)
        return;
    inbox->bytes = bytes;
    inbox->size = USUAL_SIZE;
}

/* Keep descriptors until the frame that tells what they are. */
static void keep_files(struct hcsshim__inbox *inbox, const int64_t *files,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (inbox->file_count < MOST_FILES)
            inbox->files[inbox->file_count++] = files[i];
        else
            hcsshim__file_close(files[i]);
    }
}

static int receive(hcsshim_service *service, struct hcsshim__inbox *inbox)
{
    int64_t files[HCSSHIM_CONNECTION_FILES];
    size_t received, count;
    int32_t hr = hcsshim__connection_receive(
        &service->connection, inbox->bytes + inbox->used,
        inbox->size - inbox->used, &received, files, &count);

    keep_files(inbox, files, count);
    if (hr < 0 || received == 0)
        return 0;
    inbox->used += received;
    return 1;
}

/* The descriptors that 'detail' announces; 0 if they did not come. */
static int take_files(struct hcsshim__inbox *inbox, uint32_t detail,
                      int64_t *files)
{
    for (int i = 0; i < 3; i++) {
        if ((detail & 1u << i) == 0)
            continue;
        if (inbox->file_count == 0)
            return 0;
        files[i] = inbox->files[0];
        inbox->file_count--;
        memmove(inbox->files, inbox->files + 1,
                inbox->file_count * sizeof inbox->files[0]);
    }
    return 1;
}

static int read_answer(hcsshim_service *service, struct hcsshim__inbox *inbox,
                       const hcsshim__frame *frame, const unsigned char *body,
                       size_t size)
{
    hcsshim_completion completion = {.hresult = frame->hresult,
                                     .files = {-1, -1, -1}};
    int64_t files[HCSSHIM_CONNECTION_FILES];
    const char *text;
    size_t at = 0, length, count;

    if (!hcsshim__frame_get_text(body, size, &at, &text, &length) ||
        size - at < 4)
        goto broken;
    completion.process_id = hcsshim__frame_get_u32(body + at);
    at += 4;
    hcsshim__connection_take_files(body + at, size - at, files, &count);
    keep_files(inbox, files, count);
    if (!take_files(inbox, frame->detail, completion.files))
        goto broken;
    if (text != NULL) {
        completion.document = malloc(length + 1);
        if (completion.document == NULL)
            goto broken;
        memcpy(completion.document, text, length);
        completion.document[length] = '\0';
        completion.length = length;
    }
    hcsshim__ticket_answer(service, frame->id, &completion);
    return 1;
broken:
    hcsshim_completion_clear(&completion);
    return 0;
}

static int read_event(hcsshim_service *service, const hcsshim__frame *frame,
                      const unsigned char *body, size_t size)
{
    struct hcsshim__handle *handle;
    const char *text;
    size_t at = 0, length;

    if (!hcsshim__frame_get_text(body, size, &at, &text, &length))
        return 0;
    hcsshim__mutex_lock(&service->lock);
    handle = hcsshim__ids_find(&service->handles, frame->id);
    if (handle != NULL && handle->queue != NULL)
        hcsshim_queue_post(handle->queue, frame->id, frame->detail,
                           frame->hresult, text, length);
    hcsshim__mutex_unlock(&service->lock);
    return 1;
}

/* Take one frame off the front: 1 done, 0 more bytes needed, -1 broken. */
static int read_frame(hcsshim_service *service, struct hcsshim__inbox *inbox,
                      size_t at)
{
    const unsigned char *bytes = inbox->bytes + at;
    hcsshim__frame frame;
    size_t size;
    int good;

    if (inbox->used - at < HCSSHIM_WIRE_HEADER)
        return 0;
    hcsshim__frame_get_header(bytes, &frame);
    if (frame.length < HCSSHIM_WIRE_HEADER ||
        frame.length > HCSSHIM_WIRE_LARGEST)
        return -1;
    if (inbox->used - at < frame.length)
        return 0;
    size = frame.length - HCSSHIM_WIRE_HEADER;
    bytes += HCSSHIM_WIRE_HEADER;
    if (frame.kind == HCSSHIM_FRAME_ANSWER)
        good = read_answer(service, inbox, &frame, bytes, size);
    else if (frame.kind == HCSSHIM_FRAME_EVENT)
        good = read_event(service, &frame, bytes, size);
    else
        good = 0;
    return good ? 1 : -1;
}

/* Handle what has come; 0 if it broke the rules. */
static int read_frames(hcsshim_service *service, struct hcsshim__inbox *inbox)
{
    size_t at = 0, wanted = USUAL_SIZE;
    int taken;

    while ((taken = read_frame(service, inbox, at)) == 1)
        at += hcsshim__frame_get_u32(inbox->bytes + at);
    if (taken < 0)
        return 0;
    inbox->used -= at;
    memmove(inbox->bytes, inbox->bytes + at, inbox->used);
    if (inbox->used >= 4)
        wanted = hcsshim__frame_get_u32(inbox->bytes);
    if (wanted < USUAL_SIZE)
        wanted = USUAL_SIZE;
    if (wanted > HCSSHIM_WIRE_LARGEST)
        return 0;
    shrink(inbox);
    return reserve(inbox, wanted);
}

struct hcsshim__inbox *hcsshim__inbox_new(void)
{
    struct hcsshim__inbox *inbox = calloc(1, sizeof *inbox);

    if (inbox != NULL && !reserve(inbox, USUAL_SIZE)) {
        free(inbox);
        return NULL;
    }
    return inbox;
}

void hcsshim__inbox_free(struct hcsshim__inbox *inbox)
{
    for (size_t i = 0; i < inbox->file_count; i++)
        hcsshim__file_close(inbox->files[i]);
    free(inbox->bytes);
    free(inbox);
}

/* Handle what comes next; 0 once that is nothing. With the lead. */
static int read_more(hcsshim_service *service)
{
    struct hcsshim__inbox *inbox = service->inbox;

    if (!inbox->ended &&
        !(receive(service, inbox) && read_frames(service, inbox))) {
        inbox->ended = 1;
        hcsshim__connection_shutdown(&service->connection);
    }
    return !inbox->ended;
}

void hcsshim__service_read(void *context)
{
    hcsshim_service *service = context;
    int more;

    do {
        hcsshim__lead_await(&service->lead);
        more = read_more(service);
        hcsshim__lead_pass(&service->lead);
    } while (more);
    hcsshim__service_lost(service);
}

/* Read until the ticket is answered; results as hcsshim__gate_wait(). */
static int32_t lead_until(hcsshim_service *service,
                          const struct hcsshim__ticket *ticket,
                          uint32_t timeout_ms)
{
    uint64_t end = hcsshim__clock_ms() + timeout_ms;

    while (!service->inbox->ended &&
           atomic_load(&ticket->gate.word) == HCSSHIM_PENDING) {
        uint64_t now = hcsshim__clock_ms();
        uint32_t left = HCSSHIM_FOREVER;
        int32_t hr;

        if (timeout_ms != HCSSHIM_FOREVER)
            left = now < end ? (uint32_t)(end - now) : 0;
        hr = hcsshim__lead_wait(&service->lead, left);
        if (hr < 0)
            return hr;
        if (hr > 0)
            (void)read_more(service);
    }
    return 0;
}

int32_t hcsshim__service_wait(hcsshim_service *service,
                              struct hcsshim__ticket *ticket,
                              uint32_t timeout_ms)
{
    int32_t hr = 0;
    int ended = 1;

    if (timeout_ms != 0 && hcsshim__lead_take(&service->lead)) {
        hr = lead_until(service, ticket, timeout_ms);
        ended = service->inbox->ended;
        hcsshim__lead_return(&service->lead);
    }
    /* Else somebody reads who opens the gate. */
    return ended
               ? hcsshim__gate_wait(&ticket->gate, HCSSHIM_PENDING, timeout_ms)
               : hr;
}

void hcsshim__service_wake(hcsshim_service *service)
{
    hcsshim__lead_wake(&service->lead);
}
