/* file_linux.c - what Linux can do for a descriptor beyond POSIX. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "relay/file_unix.h"
#include "relay/relay.h"

#define LARGEST_PIPE (1 << 20)

int hcsshim__file_reopen(int file, int side)
{
    char path[32];
    struct stat status;

    /* Opening the terminal multiplexer anew would make another terminal. */
    if (fstat(file, &status) < 0 || status.st_rdev == makedev(5, 2))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return open(path, (side == HCSSHIM_SOURCE ? O_RDONLY : O_WRONLY) |
                          O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

void hcsshim__file_enlarge(int64_t file)
{
    /* Refused once a user's pipes are many; then it stays as it is. */
    fcntl((int)file, F_SETPIPE_SZ, LARGEST_PIPE);
}
