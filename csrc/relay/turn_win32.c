/* turn_win32.c - a read or write of a pipe, for a thread that waits for it. */
#include <stdlib.h>
#include <windows.h>

#include "hcsshim.h"
#include "native/hresult.h"

#define MOST_AT_ONCE 0x1000000

struct hcsshim_turn {
    OVERLAPPED overlapped;
    HANDLE pipe; /* of the last read or write */
};

int32_t hcsshim_turn_new(hcsshim_turn **out)
{
    hcsshim_turn *turn = calloc(1, sizeof *turn);

    *out = NULL;
    if (turn == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    turn->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (turn->overlapped.hEvent == NULL) {
        free(turn);
        return HCSSHIM_E_OUTOFMEMORY;
    }
    *out = turn;
    return 0;
}

void hcsshim_turn_free(hcsshim_turn *turn)
{
    if (turn == NULL)
        return;
    CloseHandle(turn->overlapped.hEvent);
    free(turn);
}

int32_t hcsshim_turn_begin(hcsshim_turn *turn, int64_t pipe, int writes,
                           void *data, size_t size, uint64_t *done)
{
    DWORD part = size > MOST_AT_ONCE ? MOST_AT_ONCE : (DWORD)size, moved = 0;
    HANDLE event = turn->overlapped.hEvent;
    BOOL ended;

    *done = 0;
    turn->overlapped = (OVERLAPPED){.hEvent = event};
    turn->pipe = (HANDLE)(intptr_t)pipe;
    ended = writes
                ? WriteFile(turn->pipe, data, part, &moved, &turn->overlapped)
                : ReadFile(turn->pipe, data, part, &moved, &turn->overlapped);
    if (!ended && GetLastError() == ERROR_IO_PENDING)
        return 1;
    if (!ended)
        return hcsshim__hresult_from_win32(GetLastError());
    *done = moved;
    return 0;
}

int64_t hcsshim_turn_event(const hcsshim_turn *turn)
{
    return (intptr_t)turn->overlapped.hEvent;
}

int32_t hcsshim_turn_finish(hcsshim_turn *turn, uint64_t *done)
{
    DWORD moved = 0;
    BOOL ended =
        GetOverlappedResult(turn->pipe, &turn->overlapped, &moved, TRUE);

    *done = moved;
    return ended ? 0 : hcsshim__hresult_from_win32(GetLastError());
}

void hcsshim_turn_cancel(hcsshim_turn *turn)
{
    CancelIoEx(turn->pipe, &turn->overlapped);
}
