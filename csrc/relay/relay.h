/*
 * relay.h - the inside of the stdio relay.
 *
 * relay.c knows transfers and the thread that drives them. What differs by
 * platform is behind three small parts: the poller (poller_linux.c,
 * poller_posix.c, poller_win32.c) tells which transfers can go on; move
 * (move_linux.c, move_posix.c, move_win32.c) moves bytes without ever blocking;
 * file (file_unix.c, file_win32.c) makes descriptors fit for that.
 */
#ifndef HCSSHIM_RELAY_RELAY_H
#define HCSSHIM_RELAY_RELAY_H

#include "events/platform.h"
#include "hcsshim.h"
#include "native/ids.h"
#include "relay/log.h"

/* What a descriptor is, as far as moving bytes differs. */
enum hcsshim__file_kind {
    HCSSHIM_FILE_OTHER, /* terminals, devices */
    HCSSHIM_FILE_PIPE,
    HCSSHIM_FILE_SOCKET,
    HCSSHIM_FILE_REGULAR /* never blocks, cannot be polled */
};

/* Which end a transfer waits for. */
enum hcsshim__side { HCSSHIM_SOURCE = 0, HCSSHIM_TARGET = 1 };

/* What hcsshim__move() says beside a count of bytes and HRESULTs. */
enum {
    HCSSHIM_MOVE_ENDED = 0,
    HCSSHIM_MOVE_WAIT_SOURCE = -1,
    HCSSHIM_MOVE_WAIT_TARGET = -2
};

typedef struct hcsshim__transfer {
    int64_t files[2];     /* by side; the transfer's own */
    uint8_t kinds[2];     /* enum hcsshim__file_kind */
    uint8_t watched[2];   /* the poller knows this end */
    uint8_t blocks[2];    /* it could not be kept from blocking */
    uint8_t close_target; /* tell the target's reader that it was all */
    uint8_t copies;       /* splice does not work here: go through memory */
    uint8_t enlarged;
    uint64_t bytes;
    char *held; /* read, but not yet written; NULL: nothing */
    size_t held_at, held_end;
    struct hcsshim__log *log;   /* gets what passes, too; or NULL */
    struct hcsshim__pump *pump; /* Windows: its reads and writes; or NULL */

    /* Under the relay's lock. */
    uint64_t id;
    hcsshim__gate gate; /* 0: runs, 1: done */
    int done, cancelled, forgotten;
    uint32_t waiters;
    int32_t hresult;
    hcsshim_queue *queue;

    struct hcsshim__transfer *next; /* in a list of the relay's thread */
} hcsshim__transfer;

typedef struct hcsshim__poller hcsshim__poller;

int32_t hcsshim__poller_new(hcsshim__poller **out);
void hcsshim__poller_free(hcsshim__poller *poller);

/*
 * Have it told once when that end of the transfer is ready.
 * Returns 0; 1 for a file that is always ready, and is not told; an HRESULT.
 */
int32_t hcsshim__poller_want(hcsshim__poller *poller,
                             hcsshim__transfer *transfer, int side);
void hcsshim__poller_forget(hcsshim__poller *poller,
                            hcsshim__transfer *transfer);

/*
 * Wait until transfers are ready, or the poller is woken.
 * ready: room for 'most'. wait: 0 looks only. Returns how many.
 */
size_t hcsshim__poller_wait(hcsshim__poller *poller, int wait,
                            hcsshim__transfer **ready, size_t most);

/* Let _wait() return. Any thread. */
void hcsshim__poller_wake(hcsshim__poller *poller);

/*
 * hcsshim__move() - move some bytes, as many as one call of the kernel's does.
 *
 * buffer: HCSSHIM_MOVE_BUFFER bytes for passing through.
 *
 * Returns the bytes moved, HCSSHIM_MOVE_*, or an HRESULT. Never blocks.
 */
#define HCSSHIM_MOVE_BUFFER (256u * 1024)
int64_t hcsshim__move(hcsshim__transfer *transfer, char *buffer);

/* The part of hcsshim__move() that goes through memory: move_unix.c. */
int64_t hcsshim__move_copying(hcsshim__transfer *transfer, char *buffer);

/* Find out what a descriptor is. */
int32_t hcsshim__file_examine(int64_t file, uint8_t *kind);

/* Another descriptor of the same file, closed on exec; -1 and errno. */
int64_t hcsshim__file_duplicate(int64_t file);

/*
 * Make an end fit for moving without blocking, and give its descriptor, which
 * takes the place of 'file'. A file that others use as well (a terminal, say)
 * must not change for them, so it is opened anew if it is not 'owned'.
 * blocks: set if all that failed; then little is written at a time.
 */
int64_t hcsshim__file_prepare(int64_t file, uint8_t kind, int side, int owned,
                              uint8_t *blocks);

/* Write all of it at the end of a regular file. Returns 0 or an HRESULT. */
int32_t hcsshim__file_append(int64_t file, const char *bytes, size_t length);

/* The time: seconds since 1970, in UTC, and nanoseconds. */
void hcsshim__clock_read(int64_t *seconds, int32_t *nanoseconds);

/* Give a pipe more room, where that can be had. */
void hcsshim__file_enlarge(int64_t file);

/* Tell the reader of a target that nothing more comes, and close it. */
void hcsshim__file_end(int64_t file, uint8_t kind);

#endif
