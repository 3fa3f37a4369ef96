/* connection_posix.c - where sockets cannot be made close-on-exec at once. */
#include <fcntl.h>
#include <sys/socket.h>

#include "native/unix_flags.h"

const int hcsshim__receive_flags = 0;

int hcsshim__socket_new(void)
{
    int file = socket(AF_UNIX, SOCK_STREAM, 0);

    if (file >= 0)
        fcntl(file, F_SETFD, FD_CLOEXEC);
    return file;
}
