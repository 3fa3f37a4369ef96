/* Packets on the socket to the host, and descriptors beside them. */
#include "silo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(sizeof(int) * SILO_FILES_MAX)];
    struct cmsghdr align;
};

static size_t take_files(struct msghdr *message, int files[SILO_FILES_MAX])
{
    size_t count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
         c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here && count < SILO_FILES_MAX; i++)
            memcpy(&files[count++], CMSG_DATA(c) + i * sizeof(int),
                   sizeof(int));
    }
    return count;
}

static int read_memory(int file, struct silo_packet *packet)
{
    size_t size = packet->request.size;
    size_t done = 0;
    char *data = malloc(size + 1);

    if (data == NULL)
        return -1;
    while (done < size) {
        ssize_t n = pread(file, data + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            free(data);
            errno = n == 0 ? EPROTO : errno;
            return -1;
        }
        done += (size_t)n;
    }
    data[size] = '\0';
    packet->payload = data;
    return 0;
}

/* Hand the received descriptors to the places that the flags name. */
static int place_files(struct silo_packet *packet, int *files, size_t count,
                       size_t inline_size)
{
    uint32_t flags = packet->request.flags;
    size_t next = 0;
    int result = 0;

    if (flags & SILO_IN_MEMORY) {
        if (count == 0 || packet->request.size > SILO_PAYLOAD_MAX)
            goto bad;
        if (read_memory(files[0], packet) != 0)
            result = -1;
        close(files[next++]);
    } else if (packet->request.size != inline_size) {
        goto bad;
    }
    for (int i = 0; i < 3; i++)
        if (flags & (uint32_t)(SILO_STDIN << i)) {
            if (next == count)
                goto bad;
            packet->files[i] = files[next++];
        }
    if (next == count)
        return result;
bad:
    while (next < count)
        close(files[next++]);
    errno = EPROTO;
    return -1;
}

int silo_packet_receive(int socket, struct silo_packet *packet)
{
    union control control;
    int files[SILO_FILES_MAX];
    struct iovec parts[2] = {
        {&packet->request, sizeof(packet->request)},
        {packet->inline_payload, SILO_INLINE_MAX},
    };
    struct msghdr message = {.msg_iov = parts,
                             .msg_iovlen = 2,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t n;

    packet->payload = packet->inline_payload;
    for (int i = 0; i < 3; i++)
        packet->files[i] = -1;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n == 0 ? 0 : -1;
    size_t count = take_files(&message, files);
    if ((size_t)n < sizeof(packet->request) ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        while (count > 0)
            close(files[--count]);
        errno = EPROTO;
        return -1;
    }
    size_t size = (size_t)n - sizeof(packet->request);
    packet->inline_payload[size] = '\0';
    if (place_files(packet, files, count, size) != 0) {
        silo_packet_clear(packet);
        return -1;
    }
    return 1;
}

void silo_packet_clear(struct silo_packet *packet)
{
    if (packet->payload != packet->inline_payload)
        free(packet->payload);
    packet->payload = packet->inline_payload;
    for (int i = 0; i < 3; i++) {
        if (packet->files[i] >= 0)
            close(packet->files[i]);
        packet->files[i] = -1;
    }
}

int silo_reply_send(int socket, const struct silo_reply *reply,
                    const struct silo_failure *failure, int file)
{
    struct silo_reply head = *reply;
    union control control;
    struct iovec parts[3] = {{&head, sizeof(head)}, {NULL, 0}, {NULL, 0}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    ssize_t n;

    if (failure != NULL) {
        head.status = failure->error;
        head.stage_size = (uint32_t)strlen(failure->stage);
        head.path_size = (uint32_t)strlen(failure->path);
        parts[1] =
            (struct iovec){(void *)(uintptr_t)failure->stage, head.stage_size};
        parts[2] =
            (struct iovec){(void *)(uintptr_t)failure->path, head.path_size};
    }
    if (file >= 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &file, sizeof(int));
    }
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}
