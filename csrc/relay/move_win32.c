/*
 * move_win32.c - bytes through two buffers: one is read into while the other is
 * written out.
 *
 * Both are small while little comes, so that an idle transfer costs little, and
 * large as soon as a read fills its buffer.
 */
#include <stdlib.h>

#include "native/hresult.h"
#include "relay/pump_win32.h"

#define SMALL_BUFFER 4096u

int32_t hcsshim__pump_new(hcsshim__poller *poller, hcsshim__transfer *transfer)
{
    struct hcsshim__pump *pump = calloc(1, sizeof *pump);

    if (pump == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    for (int side = 0; side < 2; side++) {
        HANDLE file = (HANDLE)(intptr_t)transfer->files[side];
        int32_t hr;

        if (!transfer->blocks[side] &&
            CreateIoCompletionPort(file, poller->port, (ULONG_PTR)transfer,
                                   0) != NULL)
            continue;
        hr = hcsshim__worker_new(poller->port, transfer, side,
                                 &pump->ios[side].worker);
        if (hr < 0) {
            hcsshim__worker_free(pump->ios[HCSSHIM_SOURCE].worker);
            free(pump);
            return hr;
        }
    }
    transfer->pump = pump;
    return 0;
}

void hcsshim__io_finish(const hcsshim__transfer *transfer, hcsshim__io *io)
{
    int side = io == &transfer->pump->ios[HCSSHIM_TARGET];
    HANDLE file = (HANDLE)(intptr_t)transfer->files[side];

    io->error = 0;
    if (!GetOverlappedResult(file, &io->overlapped, &io->bytes, FALSE))
        io->error = GetLastError();
}

/* Begin a read or a write. Its end always comes through the port. */
static DWORD begin(hcsshim__transfer *transfer, int side)
{
    hcsshim__io *io = &transfer->pump->ios[side];
    HANDLE file = (HANDLE)(intptr_t)transfer->files[side];
    DWORD error = 0;
    BOOL good;

    io->overlapped = (OVERLAPPED){0};
    if (io->worker != NULL) {
        error = hcsshim__worker_begin(io->worker, io);
        io->pending = error == 0;
        return error;
    }
    if (side == HCSSHIM_SOURCE)
        good = ReadFile(file, io->buffer, io->size, NULL, &io->overlapped);
    else
        good = WriteFile(file, io->buffer + io->at, io->used - io->at, NULL,
                         &io->overlapped);
    if (!good && GetLastError() != ERROR_IO_PENDING)
        return GetLastError();
    io->pending = 1;
    return 0;
}

static int is_end(DWORD error)
{
    return error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF ||
           error == ERROR_PIPE_NOT_CONNECTED;
}

static void end_source(struct hcsshim__pump *pump, DWORD error)
{
    pump->ended = 1;
    pump->failure = is_end(error) ? 0 : error;
}

/* Begin to read unless that is done or there is something to write first. */
static void read_more(hcsshim__transfer *transfer)
{
    hcsshim__io *io = &transfer->pump->ios[HCSSHIM_SOURCE];
    DWORD error = 0;

    if (transfer->pump->ended || io->pending || io->used > 0)
        return;
    if (io->buffer == NULL) {
        if (io->size == 0)
            io->size = SMALL_BUFFER;
        io->buffer = malloc(io->size);
        error = io->buffer == NULL ? ERROR_OUTOFMEMORY : 0;
    }
    if (error == 0)
        error = begin(transfer, HCSSHIM_SOURCE);
    if (error != 0)
        end_source(transfer->pump, error);
}

/* The size of the next buffer follows from how much came into this one. */
static void take_read(struct hcsshim__pump *pump)
{
    hcsshim__io *io = &pump->ios[HCSSHIM_SOURCE];

    if (!io->done)
        return;
    io->done = 0;
    if (io->error != 0 && io->error != ERROR_MORE_DATA) {
        end_source(pump, io->error);
        return;
    }
    if (io->bytes == 0)
        end_source(pump, 0);
    io->used = io->bytes;
    io->at = 0;
}

/* What was read becomes what is written. */
static void pass_on(struct hcsshim__pump *pump)
{
    hcsshim__io *from = &pump->ios[HCSSHIM_SOURCE];
    hcsshim__io *to = &pump->ios[HCSSHIM_TARGET];
    DWORD next = from->used == from->size ? HCSSHIM_MOVE_BUFFER : from->size;
    char *emptied = to->buffer;

    if (from->used < SMALL_BUFFER)
        next = SMALL_BUFFER;
    if (emptied != NULL && to->size != next) {
        free(emptied);
        emptied = NULL;
    }
    to->buffer = from->buffer;
    to->size = from->size;
    to->used = from->used;
    to->at = 0;
    from->buffer = emptied;
    from->size = next;
    from->used = 0;
}

/* Count what was written. Returns the bytes, or an HRESULT. */
static int64_t take_write(struct hcsshim__pump *pump)
{
    hcsshim__io *io = &pump->ios[HCSSHIM_TARGET];

    if (!io->done)
        return 0;
    io->done = 0;
    if (io->error != 0)
        return hcsshim__hresult_from_win32(
            is_end(io->error) || io->error == ERROR_NO_DATA ? ERROR_BROKEN_PIPE
                                                            : io->error);
    io->at += io->bytes;
    if (io->at >= io->used)
        io->used = 0;
    return io->bytes;
}

static int32_t write_more(hcsshim__transfer *transfer)
{
    hcsshim__io *io = &transfer->pump->ios[HCSSHIM_TARGET];

    if (io->pending || io->used == 0)
        return 0;
    io->done = 0;
    io->error = begin(transfer, HCSSHIM_TARGET);
    if (io->error == 0)
        return 0;
    io->done = 1;
    return (int32_t)take_write(transfer->pump);
}

int64_t hcsshim__move(hcsshim__transfer *transfer, char *buffer)
{
    struct hcsshim__pump *pump = transfer->pump;
    hcsshim__io *source, *target;
    int64_t moved;
    int32_t hr;

    (void)buffer;
    if (pump == NULL)
        return HCSSHIM_MOVE_WAIT_SOURCE; /* the poller makes it */
    source = &pump->ios[HCSSHIM_SOURCE];
    target = &pump->ios[HCSSHIM_TARGET];
    moved = take_write(pump);
    if (moved < 0)
        return moved;
    take_read(pump);
    if (source->used > 0 && target->used == 0 && !target->pending) {
        if (transfer->log != NULL)
            hcsshim__log_write(transfer->log, source->buffer, source->used);
        pass_on(pump);
    }
    hr = write_more(transfer);
    if (hr < 0)
        return hr;
    read_more(transfer);
    if (moved > 0)
        return moved;
    if (!pump->ended || source->used > 0 || target->used > 0)
        return HCSSHIM_MOVE_WAIT_SOURCE;
    return pump->failure != 0 ? hcsshim__hresult_from_win32(pump->failure)
                              : HCSSHIM_MOVE_ENDED;
}
