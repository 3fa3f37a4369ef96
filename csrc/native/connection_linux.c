/* connection_linux.c - close-on-exec from the first moment on. */
#include <sys/socket.h>

#include "native/unix_flags.h"

const int hcsshim__receive_flags = MSG_CMSG_CLOEXEC;

int hcsshim__socket_new(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
