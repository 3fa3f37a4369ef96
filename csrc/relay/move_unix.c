/*
 * move_unix.c - bytes from file to file through memory.
 *
 * What was read but cannot be written yet is held by the transfer, in memory
 * of its own, so an idle transfer costs none.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "native/hresult.h"
#include "relay/relay.h"

static int is_ready(const hcsshim__transfer *transfer, int side)
{
    struct pollfd end = {.fd = (int)transfer->files[side],
                         .events = side == HCSSHIM_SOURCE ? POLLIN : POLLOUT};

    return poll(&end, 1, 0) > 0;
}

static ssize_t read_some(const hcsshim__transfer *transfer, char *buffer)
{
    int file = (int)transfer->files[HCSSHIM_SOURCE];
    ssize_t length;

    do {
        if (transfer->kinds[HCSSHIM_SOURCE] == HCSSHIM_FILE_SOCKET)
            length = recv(file, buffer, HCSSHIM_MOVE_BUFFER, MSG_DONTWAIT);
        else
            length = read(file, buffer, HCSSHIM_MOVE_BUFFER);
    } while (length < 0 && errno == EINTR);
    return length;
}

static ssize_t write_some(const hcsshim__transfer *transfer, const char *bytes,
                          size_t length)
{
    int file = (int)transfer->files[HCSSHIM_TARGET];
    ssize_t written;

    if (transfer->blocks[HCSSHIM_TARGET] && length > PIPE_BUF)
        length = PIPE_BUF; /* what fits into a pipe that is ready at all */
    do {
        if (transfer->kinds[HCSSHIM_TARGET] == HCSSHIM_FILE_SOCKET)
            written = send(file, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            written = write(file, bytes, length);
    } while (written < 0 && errno == EINTR);
    return written;
}

/* Write what is held. Returns the bytes written, or why not. */
static int64_t write_held(hcsshim__transfer *transfer)
{
    ssize_t written = -1;

    errno = EAGAIN;
    if (is_ready(transfer, HCSSHIM_TARGET))
        written = write_some(transfer, transfer->held + transfer->held_at,
                             transfer->held_end - transfer->held_at);
    if (written < 0)
        return errno == EAGAIN ? HCSSHIM_MOVE_WAIT_TARGET
                               : hcsshim__hresult_from_errno(errno);
    transfer->held_at += (size_t)written;
    if (transfer->held_at == transfer->held_end) {
        free(transfer->held);
        transfer->held = NULL;
    }
    return written;
}

/* Keep bytes until they can be written. */
static int hold(hcsshim__transfer *transfer, const char *bytes, size_t length)
{
    transfer->held = malloc(length);
    if (transfer->held == NULL)
        return 0;
    memcpy(transfer->held, bytes, length);
    transfer->held_at = 0;
    transfer->held_end = length;
    return 1;
}

int64_t hcsshim__move_copying(hcsshim__transfer *transfer, char *buffer)
{
    ssize_t length, written;

    if (transfer->held != NULL)
        return write_held(transfer);
    if (!is_ready(transfer, HCSSHIM_TARGET))
        return HCSSHIM_MOVE_WAIT_TARGET;
    if (transfer->kinds[HCSSHIM_SOURCE] != HCSSHIM_FILE_REGULAR &&
        !is_ready(transfer, HCSSHIM_SOURCE))
        return HCSSHIM_MOVE_WAIT_SOURCE;
    length = read_some(transfer, buffer);
    if (length == 0)
        return HCSSHIM_MOVE_ENDED;
    if (length < 0 && errno == EAGAIN)
        return HCSSHIM_MOVE_WAIT_SOURCE;
    if (length < 0 && errno == EIO &&
        transfer->kinds[HCSSHIM_SOURCE] == HCSSHIM_FILE_OTHER)
        return HCSSHIM_MOVE_ENDED; /* a terminal whose other end is closed */
    if (length < 0)
        return hcsshim__hresult_from_errno(errno);
    if (transfer->log != NULL)
        hcsshim__log_write(transfer->log, buffer, (size_t)length);
    written = write_some(transfer, buffer, (size_t)length);
    if (written < 0 && errno != EAGAIN)
        return hcsshim__hresult_from_errno(errno);
    if (written < 0)
        written = 0;
    if (written < length &&
        !hold(transfer, buffer + written, (size_t)(length - written)))
        return HCSSHIM_E_OUTOFMEMORY;
    return written > 0 ? written : HCSSHIM_MOVE_WAIT_TARGET;
}
