/*
 * move_linux.c - bytes from file to file without passing through memory.
 *
 * splice() needs a pipe at one end, which stdio nearly always has. Where it
 * refuses (two files, a target that appends, some devices), the transfer
 * copies from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>

#include "native/hresult.h"
#include "relay/relay.h"

#define MOST_BYTES (1u << 20)

/* splice() would block: find out which end is the reason. */
static int64_t blame(const hcsshim__transfer *transfer)
{
    struct pollfd ends[2] = {
        {.fd = (int)transfer->files[HCSSHIM_SOURCE], .events = POLLIN},
        {.fd = (int)transfer->files[HCSSHIM_TARGET], .events = POLLOUT}};

    if (poll(ends, 2, 0) < 0 || ends[HCSSHIM_SOURCE].revents == 0)
        return HCSSHIM_MOVE_WAIT_SOURCE;
    /* Both look ready: wait on the target, which tells at once if it is. */
    return HCSSHIM_MOVE_WAIT_TARGET;
}

int64_t hcsshim__move(hcsshim__transfer *transfer, char *buffer)
{
    ssize_t moved;

    if (transfer->copies || transfer->log != NULL ||
        (transfer->kinds[0] != HCSSHIM_FILE_PIPE &&
         transfer->kinds[1] != HCSSHIM_FILE_PIPE))
        return hcsshim__move_copying(transfer, buffer);
    do
        moved = splice((int)transfer->files[HCSSHIM_SOURCE], NULL,
                       (int)transfer->files[HCSSHIM_TARGET], NULL, MOST_BYTES,
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (moved < 0 && errno == EINTR);
    if (moved >= 0)
        return moved; /* 0: the end of the source */
    if (errno == EAGAIN)
        return blame(transfer);
    if (errno == EINVAL || errno == ENOSYS || errno == EBADF) {
        transfer->copies = 1;
        return hcsshim__move_copying(transfer, buffer);
    }
    if (errno == EIO && transfer->kinds[HCSSHIM_SOURCE] == HCSSHIM_FILE_OTHER)
        return HCSSHIM_MOVE_ENDED; /* a terminal whose other end is closed */
    return hcsshim__hresult_from_errno(errno);
}
