/* connection_unix.c - a Unix stream socket; descriptors by SCM_RIGHTS. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hcsshim.h"
#include "native/connection.h"
#include "native/hresult.h"
#include "native/unix_flags.h"

int32_t hcsshim__connection_open(hcsshim__connection *connection,
                                 const char *path, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int file, result;

    connection->file = -1;
    if (length == 0 || length >= sizeof address.sun_path)
        return HCSSHIM_E_INVALIDARG;
    memcpy(address.sun_path, path, length);
    file = hcsshim__socket_new();
    if (file < 0)
        return hcsshim__hresult_from_errno(errno);
    do
        result = connect(file, (struct sockaddr *)&address, sizeof address);
    while (result < 0 && errno == EINTR);
    if (result < 0) {
        int32_t hr = hcsshim__hresult_from_errno(errno);

        close(file);
        return hr;
    }
    connection->file = file;
    return 0;
}

int32_t hcsshim__connection_send(const hcsshim__connection *connection,
                                 const void *data, size_t length)
{
    const char *next = data;

    while (length > 0) {
        ssize_t sent = send((int)connection->file, next, length, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue; /* half a frame must not stay behind */
        if (sent < 0)
            return hcsshim__hresult_from_errno(errno);
        next += sent;
        length -= (size_t)sent;
    }
    return 0;
}

static void take_files(struct msghdr *message, int64_t *files, size_t *count)
{
    struct cmsghdr *control;

    for (control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        size_t length;

        if (control->cmsg_level != SOL_SOCKET ||
            control->cmsg_type != SCM_RIGHTS)
            continue;
        length = (size_t)control->cmsg_len - CMSG_LEN(0);
        for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
            int file;

            memcpy(&file, CMSG_DATA(control) + at, sizeof file);
            if (*count < HCSSHIM_CONNECTION_FILES)
                files[(*count)++] = file;
            else
                close(file);
        }
    }
}

int32_t hcsshim__connection_receive(const hcsshim__connection *connection,
                                    void *data, size_t size, size_t *received,
                                    int64_t *files, size_t *file_count)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(HCSSHIM_CONNECTION_FILES * sizeof(int))];
    } control;
    struct iovec piece = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    ssize_t length;

    *received = 0;
    *file_count = 0;
    do
        length =
            recvmsg((int)connection->file, &message, hcsshim__receive_flags);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return hcsshim__hresult_from_errno(errno);
    take_files(&message, files, file_count);
    *received = (size_t)length;
    return 0;
}

void hcsshim__connection_take_files(const unsigned char *tail, size_t size,
                                    int64_t *files, size_t *file_count)
{
    (void)tail;
    (void)size;
    (void)files;
    *file_count = 0;
}

void hcsshim__connection_shutdown(const hcsshim__connection *connection)
{
    shutdown((int)connection->file, SHUT_RDWR);
}

void hcsshim__connection_close(hcsshim__connection *connection)
{
    if (connection->file >= 0)
        close((int)connection->file);
    connection->file = -1;
}

void hcsshim__file_close(int64_t file)
{
    if (file >= 0)
        close((int)file);
}
