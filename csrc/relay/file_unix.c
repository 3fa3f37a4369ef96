/* file_unix.c - descriptors, made fit for moving bytes without blocking. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "native/hresult.h"
#include "relay/file_unix.h"
#include "relay/relay.h"

int32_t hcsshim__file_examine(int64_t file, uint8_t *kind)
{
    struct stat status;

    *kind = HCSSHIM_FILE_OTHER;
    if (fstat((int)file, &status) < 0)
        return hcsshim__hresult_from_errno(errno);
    if (S_ISFIFO(status.st_mode))
        *kind = HCSSHIM_FILE_PIPE;
    else if (S_ISSOCK(status.st_mode))
        *kind = HCSSHIM_FILE_SOCKET;
    else if (S_ISREG(status.st_mode))
        *kind = HCSSHIM_FILE_REGULAR;
    return 0;
}

int64_t hcsshim__file_duplicate(int64_t file)
{
    return fcntl((int)file, F_DUPFD_CLOEXEC, 3);
}

int64_t hcsshim__file_prepare(int64_t file, uint8_t kind, int side, int owned,
                              uint8_t *blocks)
{
    int flags = fcntl((int)file, F_GETFL);
    int anew;

    *blocks = 0;
    if (kind == HCSSHIM_FILE_SOCKET || kind == HCSSHIM_FILE_REGULAR ||
        flags < 0 || (flags & O_NONBLOCK) != 0)
        return file;
    if (owned && fcntl((int)file, F_SETFL, flags | O_NONBLOCK) == 0)
        return file;
    anew = hcsshim__file_reopen((int)file, side);
    if (anew < 0) {
        *blocks = 1;
        return file;
    }
    close((int)file);
    return anew;
}

int32_t hcsshim__file_append(int64_t file, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write((int)file, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return hcsshim__hresult_from_errno(errno);
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

void hcsshim__clock_read(int64_t *seconds, int32_t *nanoseconds)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    *seconds = (int64_t)now.tv_sec;
    *nanoseconds = (int32_t)now.tv_nsec;
}

void hcsshim__file_end(int64_t file, uint8_t kind)
{
    if (kind == HCSSHIM_FILE_SOCKET)
        shutdown((int)file, SHUT_WR);
    if (file >= 0)
        close((int)file);
}
