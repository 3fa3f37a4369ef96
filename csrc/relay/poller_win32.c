/* poller_win32.c - a completion port tells what ended. */
#include <stdlib.h>

#include "native/hresult.h"
#include "relay/pump_win32.h"

#define MOST_ENTRIES 64

int32_t hcsshim__poller_new(hcsshim__poller **out)
{
    hcsshim__poller *poller = calloc(1, sizeof *poller);

    *out = NULL;
    if (poller == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    poller->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (poller->port == NULL) {
        int32_t hr = hcsshim__hresult_from_win32(GetLastError());

        free(poller);
        return hr;
    }
    *out = poller;
    return 0;
}

void hcsshim__poller_free(hcsshim__poller *poller)
{
    CloseHandle(poller->port);
    free(poller);
}

int32_t hcsshim__poller_want(hcsshim__poller *poller,
                             hcsshim__transfer *transfer, int side)
{
    (void)side; /* whichever end goes on first */
    if (transfer->pump == NULL) {
        int32_t hr = hcsshim__pump_new(poller, transfer);

        return hr < 0 ? hr : 1;
    }
    transfer->pump->parked = 1;
    return 0;
}

/* Note what an entry of the port tells. */
static void note(hcsshim__poller *poller, const OVERLAPPED_ENTRY *entry)
{
    hcsshim__transfer *transfer = (hcsshim__transfer *)entry->lpCompletionKey;
    hcsshim__io *io = (hcsshim__io *)entry->lpOverlapped;

    if (transfer == NULL)
        return; /* somebody woke the poller */
    io->pending = 0;
    io->done = 1;
    if (io->worker != NULL)
        hcsshim__worker_finish(io->worker, io);
    else
        hcsshim__io_finish(transfer, io);
    if (!transfer->pump->parked)
        return;
    transfer->pump->parked = 0;
    transfer->next = poller->ready;
    poller->ready = transfer;
}

static void wait_for_entries(hcsshim__poller *poller, DWORD timeout_ms)
{
    OVERLAPPED_ENTRY entries[MOST_ENTRIES];
    ULONG count = 0;

    if (!GetQueuedCompletionStatusEx(poller->port, entries, MOST_ENTRIES,
                                     &count, timeout_ms, FALSE))
        return;
    for (ULONG i = 0; i < count; i++)
        note(poller, &entries[i]);
}

/* Take a transfer out of the ready ones, if it is one. */
static void unlist(hcsshim__poller *poller, const hcsshim__transfer *transfer)
{
    hcsshim__transfer **at = &poller->ready;

    while (*at != NULL && *at != transfer)
        at = &(*at)->next;
    if (*at != NULL)
        *at = transfer->next;
}

/* Nothing of the transfer may be left to the kernel: it is freed next. */
void hcsshim__poller_forget(hcsshim__poller *poller,
                            hcsshim__transfer *transfer)
{
    struct hcsshim__pump *pump = transfer->pump;

    if (pump == NULL)
        return;
    pump->parked = 0;
    unlist(poller, transfer);
    for (int side = 0; side < 2; side++) {
        hcsshim__io *io = &pump->ios[side];

        if (io->pending && io->worker != NULL)
            io->pending = hcsshim__worker_stop(io->worker);
        else if (io->pending)
            CancelIoEx((HANDLE)(intptr_t)transfer->files[side],
                       &io->overlapped);
    }
    while (pump->ios[0].pending || pump->ios[1].pending)
        wait_for_entries(poller, INFINITE);
    /* What was written before somebody cancelled it was moved. */
    if (pump->ios[HCSSHIM_TARGET].done && pump->ios[HCSSHIM_TARGET].error == 0)
        transfer->bytes += pump->ios[HCSSHIM_TARGET].bytes;
    for (int side = 0; side < 2; side++) {
        hcsshim__worker_free(pump->ios[side].worker);
        free(pump->ios[side].buffer);
    }
    free(pump);
    transfer->pump = NULL;
}

size_t hcsshim__poller_wait(hcsshim__poller *poller, int wait,
                            hcsshim__transfer **ready, size_t most)
{
    size_t found = 0;

    wait_for_entries(poller, wait && poller->ready == NULL ? INFINITE : 0);
    while (poller->ready != NULL && found < most) {
        ready[found++] = poller->ready;
        poller->ready = poller->ready->next;
    }
    return found;
}

void hcsshim__poller_wake(hcsshim__poller *poller)
{
    PostQueuedCompletionStatus(poller->port, 0, 0, NULL);
}
