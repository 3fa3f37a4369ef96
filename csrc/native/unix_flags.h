/* unix_flags.h - where Linux and other POSIX systems make sockets apart. */
#ifndef HCSSHIM_NATIVE_UNIX_FLAGS_H
#define HCSSHIM_NATIVE_UNIX_FLAGS_H

/* A new Unix stream socket, closed on exec; -1 and errno on failure. */
int hcsshim__socket_new(void);

/* Flags of recvmsg() that make received descriptors close on exec. */
extern const int hcsshim__receive_flags;

#endif
