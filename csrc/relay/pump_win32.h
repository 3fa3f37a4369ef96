/*
 * pump_win32.h - how the relay moves bytes on Windows.
 *
 * A transfer has a pump: one read and one write, which pend side by side, each
 * with a buffer of its own; when the read has ended and the write too, the
 * buffers change places. Where a file can be used with a completion port, the
 * port tells the relay's thread; any other file gets a worker, a thread that
 * blocks in its place and tells the port.
 */
#ifndef HCSSHIM_RELAY_PUMP_WIN32_H
#define HCSSHIM_RELAY_PUMP_WIN32_H

#include <windows.h>

#include "relay/relay.h"

typedef struct hcsshim__worker hcsshim__worker;

/* A read or a write. */
typedef struct hcsshim__io {
    OVERLAPPED overlapped; /* first, so that the port's entry leads here */
    hcsshim__worker *worker;
    int pending;
    int done; /* ended, but not looked at yet */
    DWORD bytes;
    DWORD error;
    char *buffer;
    DWORD size; /* of the buffer, in bytes */
    DWORD used; /* bytes that wait in it */
    DWORD at;   /* of these, written already */
} hcsshim__io;

struct hcsshim__pump {
    hcsshim__io
        ios[2];    /* by side: the read of the source, the target's write */
    int parked;    /* waits for its read or write to end */
    int ended;     /* the source ended */
    DWORD failure; /* why it ended, or 0 */
};

struct hcsshim__poller {
    HANDLE port;
    hcsshim__transfer *ready; /* parked ones whose read or write ended */
};

/* Make the pump of a transfer. */
int32_t hcsshim__pump_new(hcsshim__poller *poller, hcsshim__transfer *transfer);

/* Ask how an operation without a worker ended. */
void hcsshim__io_finish(const hcsshim__transfer *transfer, hcsshim__io *io);

/* file_win32.c: whether operations of a file must be overlapped ones. */
int hcsshim__file_is_overlapped(int64_t file);

/* worker_win32.c: a thread for one end of a transfer. */
int32_t hcsshim__worker_new(HANDLE port, hcsshim__transfer *transfer, int side,
                            hcsshim__worker **out);
/* Have it begin the read or write of its side's io. Returns 0 or a code. */
DWORD hcsshim__worker_begin(hcsshim__worker *worker, hcsshim__io *io);
/* Move what it did into the io: when the port told that it ended. */
void hcsshim__worker_finish(const hcsshim__worker *worker, hcsshim__io *io);
/*
 * Stop what it does: then the port tells its end, too. Returns 0 if it cannot
 * be stopped, and will say nothing any more.
 */
int hcsshim__worker_stop(hcsshim__worker *worker);
/* Let go of it; what could not be stopped frees itself when it comes back. */
void hcsshim__worker_free(hcsshim__worker *worker);

#endif
