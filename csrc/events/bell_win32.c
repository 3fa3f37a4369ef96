/* bell_win32.c - a bell is an event that stays set until it is silenced. */
#include <windows.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "native/hresult.h"

static HANDLE event_of(const hcsshim__bell *bell)
{
    return (HANDLE)(intptr_t)bell->read_file;
}

int32_t hcsshim__bell_init(hcsshim__bell *bell)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    bell->read_file = event == NULL ? -1 : (intptr_t)event;
    bell->ring_file = bell->read_file;
    return event == NULL ? hcsshim__hresult_from_win32(GetLastError()) : 0;
}

void hcsshim__bell_destroy(hcsshim__bell *bell)
{
    if (bell->read_file >= 0)
        CloseHandle(event_of(bell));
    bell->read_file = -1;
    bell->ring_file = -1;
}

void hcsshim__bell_ring(const hcsshim__bell *bell) { SetEvent(event_of(bell)); }

void hcsshim__bell_silence(const hcsshim__bell *bell)
{
    ResetEvent(event_of(bell));
}

int32_t hcsshim__bell_wait(const hcsshim__bell *bell, uint32_t timeout_ms)
{
    DWORD result = WaitForSingleObject(event_of(bell), timeout_ms);

    if (result == WAIT_FAILED)
        return hcsshim__hresult_from_win32(GetLastError());
    return result == WAIT_TIMEOUT ? HCSSHIM_E_WAIT_TIMEOUT : 0;
}
