/*
 * worker_win32.c - a thread that blocks in the place of the relay's.
 *
 * It uses a buffer and a handle of its own, so that one which cannot be stopped
 * (a read of a console, say) does no harm when everybody else has gone.
 */
#include <stdlib.h>
#include <string.h>

#include "native/hresult.h"
#include "relay/pump_win32.h"

#define STOP_STEP_MS 5
#define STOP_STEPS 100

/* GIVEN_UP: the thread is not to tell anybody when it comes back. */
enum { IDLE, ORDERED, BUSY, CLOSING, GIVEN_UP };

struct hcsshim__worker {
    _Atomic uint32_t references; /* the relay's, and the thread's */
    hcsshim__gate state;
    HANDLE thread, port, file;
    HANDLE event; /* of operations of files that are overlapped */
    int side;
    int asynchronous;
    uint64_t offset;             /* in files that are overlapped */
    hcsshim__transfer *transfer; /* the port's key; never looked into here */
    OVERLAPPED *answer;          /* the port's, as well */
    DWORD bytes, error;
    char *buffer;
    DWORD size, length; /* of the buffer; of this operation */
};

static void release(hcsshim__worker *worker)
{
    if (worker == NULL || atomic_fetch_sub(&worker->references, 1) != 1)
        return;
    if (worker->event != NULL)
        CloseHandle(worker->event);
    if (worker->file != NULL)
        CloseHandle(worker->file);
    free(worker->buffer);
    free(worker);
}

/* One read or write, whatever kind of file it is. */
static DWORD move_once(hcsshim__worker *worker, DWORD *bytes)
{
    OVERLAPPED operation = {0};
    OVERLAPPED *overlapped = worker->asynchronous ? &operation : NULL;
    BOOL good;

    /* The lowest bit keeps it from a port that the file may have. */
    operation.hEvent = (HANDLE)((uintptr_t)worker->event | 1);
    operation.Offset = (DWORD)worker->offset;
    operation.OffsetHigh = (DWORD)(worker->offset >> 32);
    *bytes = 0;
    if (worker->side == HCSSHIM_SOURCE)
        good = ReadFile(worker->file, worker->buffer, worker->length, bytes,
                        overlapped);
    else
        good = WriteFile(worker->file, worker->buffer, worker->length, bytes,
                         overlapped);
    if (!good && GetLastError() == ERROR_IO_PENDING)
        good = GetOverlappedResult(worker->file, &operation, bytes, TRUE);
    worker->offset += *bytes;
    return good ? 0 : GetLastError();
}

static int change(hcsshim__worker *worker, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong(&worker->state.word, &from, to);
}

static DWORD WINAPI work(void *context)
{
    hcsshim__worker *worker = context;
    uint32_t state;

    while ((state = atomic_load(&worker->state.word)) < CLOSING) {
        if (state == IDLE)
            hcsshim__gate_wait(&worker->state, IDLE, HCSSHIM_FOREVER);
        if (!change(worker, ORDERED, BUSY))
            continue;
        worker->error = move_once(worker, &worker->bytes);
        if (change(worker, BUSY, IDLE))
            PostQueuedCompletionStatus(
                worker->port, 0, (ULONG_PTR)worker->transfer, worker->answer);
    }
    release(worker);
    return 0;
}

int32_t hcsshim__worker_new(HANDLE port, hcsshim__transfer *transfer, int side,
                            hcsshim__worker **out)
{
    hcsshim__worker *worker = calloc(1, sizeof *worker);
    HANDLE self = GetCurrentProcess();
    int32_t hr = 0;

    *out = NULL;
    if (worker == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    atomic_init(&worker->references, 1);
    worker->port = port;
    worker->transfer = transfer;
    worker->side = side;
    worker->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (worker->event == NULL ||
        !DuplicateHandle(self, (HANDLE)(intptr_t)transfer->files[side], self,
                         &worker->file, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        hr = hcsshim__hresult_from_win32(GetLastError());
        goto out;
    }
    worker->asynchronous = hcsshim__file_is_overlapped(transfer->files[side]);
    atomic_fetch_add(&worker->references, 1); /* the thread's */
    worker->thread = CreateThread(NULL, 0, work, worker, 0, NULL);
    if (worker->thread == NULL) {
        hr = hcsshim__hresult_from_win32(GetLastError());
        release(worker);
        goto out;
    }
    *out = worker; /* now the caller's */
    worker = NULL;
out:
    release(worker);
    return hr;
}

DWORD hcsshim__worker_begin(hcsshim__worker *worker, hcsshim__io *io)
{
    DWORD length =
        worker->side == HCSSHIM_SOURCE ? io->size : io->used - io->at;

    if (worker->size < length) {
        char *buffer = realloc(worker->buffer, length);

        if (buffer == NULL)
            return ERROR_OUTOFMEMORY;
        worker->buffer = buffer;
        worker->size = length;
    }
    if (worker->side == HCSSHIM_TARGET)
        memcpy(worker->buffer, io->buffer + io->at, length);
    worker->length = length;
    worker->answer = &io->overlapped;
    hcsshim__gate_open(&worker->state, ORDERED);
    return 0;
}

void hcsshim__worker_finish(const hcsshim__worker *worker, hcsshim__io *io)
{
    io->bytes = worker->bytes;
    io->error = worker->error;
    if (worker->side == HCSSHIM_SOURCE && worker->bytes > 0)
        memcpy(io->buffer, worker->buffer, worker->bytes);
}

int hcsshim__worker_stop(hcsshim__worker *worker)
{
    for (int i = 0; i < STOP_STEPS; i++) {
        if (change(worker, ORDERED, GIVEN_UP))
            return 0;
        if (atomic_load(&worker->state.word) == IDLE)
            return 1;
        CancelSynchronousIo(worker->thread);
        CancelIoEx(worker->file, NULL);
        hcsshim__gate_wait(&worker->state, BUSY, STOP_STEP_MS);
    }
    return !change(worker, BUSY, GIVEN_UP);
}

void hcsshim__worker_free(hcsshim__worker *worker)
{
    if (worker == NULL)
        return;
    if (change(worker, IDLE, CLOSING)) {
        WakeByAddressAll((void *)&worker->state.word);
        WaitForSingleObject(worker->thread, INFINITE);
    }
    CloseHandle(worker->thread);
    release(worker);
}
