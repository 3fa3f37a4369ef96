/*
 * connection.h - the byte stream to the embedded host.
 *
 * Written once per platform: a Unix socket in connection_unix.c, a named pipe
 * in connection_win32.c.
 */
#ifndef HCSSHIM_NATIVE_CONNECTION_H
#define HCSSHIM_NATIVE_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

/* Descriptors that can come with one piece of the stream. */
#define HCSSHIM_CONNECTION_FILES 16

typedef struct hcsshim__connection {
    int64_t file;
    int64_t events[3]; /* Windows: a read pends, a write pends, it is ended */
} hcsshim__connection;

int32_t hcsshim__connection_open(hcsshim__connection *connection,
                                 const char *path, size_t length);

/* Send all of it, in order. One thread at a time. May block. */
int32_t hcsshim__connection_send(const hcsshim__connection *connection,
                                 const void *data, size_t length);

/*
 * Wait for bytes. files: room for HCSSHIM_CONNECTION_FILES, now the caller's;
 * file_count: how many came. received: 0 at the end of the stream.
 */
int32_t hcsshim__connection_receive(const hcsshim__connection *connection,
                                    void *data, size_t size, size_t *received,
                                    int64_t *files, size_t *file_count);

/*
 * Take the descriptors out of the end of an answer's frame: there, not beside
 * the stream, Windows has them. files, file_count: as above.
 */
void hcsshim__connection_take_files(const unsigned char *tail, size_t size,
                                    int64_t *files, size_t *file_count);

/* End both directions; a thread inside _receive() sees the end. */
void hcsshim__connection_shutdown(const hcsshim__connection *connection);

void hcsshim__connection_close(hcsshim__connection *connection);

/* Close a descriptor that came through a connection. */
void hcsshim__file_close(int64_t file);

#endif
