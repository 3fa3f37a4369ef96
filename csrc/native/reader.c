/*
 * reader.c - the thread that reads what the host sends.
 *
 * It parses frames in place, moves outcomes into tickets and events into
 * queues, and never enters Python. A frame that breaks the rules of wire.h
 * ends the connection, as does the end of the stream: then every ticket and
 * every listener learns that the service is gone.
 */
#include <stdlib.h>
#include <string.h>

#include "native/frame.h"
#include "native/service.h"

#define USUAL_SIZE (64u * 1024)
#define MOST_FILES 64u

struct inbox {
    unsigned char *bytes;
    size_t size;               /* of 'bytes' */
    size_t used;               /* bytes that wait */
    int64_t files[MOST_FILES]; /* descriptors that wait, in order */
    size_t file_count;
};

/* Make room for at least 'size' bytes. */
static int reserve(struct inbox *inbox, size_t size)
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
static void shrink(struct inbox *inbox)
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
static void keep_files(struct inbox *inbox, const int64_t *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (inbox->file_count < MOST_FILES)
            inbox->files[inbox->file_count++] = files[i];
        else
            hcsshim__file_close(files[i]);
    }
}

static int receive(hcsshim_service *service, struct inbox *inbox)
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
static int take_files(struct inbox *inbox, uint32_t detail, int64_t *files)
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

static int read_answer(hcsshim_service *service, struct inbox *inbox,
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
static int read_frame(hcsshim_service *service, struct inbox *inbox, size_t at)
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
static int read_frames(hcsshim_service *service, struct inbox *inbox)
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

void hcsshim__service_read(void *context)
{
    hcsshim_service *service = context;
    struct inbox inbox = {0};

    if (reserve(&inbox, USUAL_SIZE))
        while (receive(service, &inbox) && read_frames(service, &inbox))
            ;
    hcsshim__connection_shutdown(&service->connection);
    hcsshim__service_lost(service);
    for (size_t i = 0; i < inbox.file_count; i++)
        hcsshim__file_close(inbox.files[i]);
    free(inbox.bytes);
}
