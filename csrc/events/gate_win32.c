/* gate_win32.c - gates are addresses that the kernel waits on. */
#include <windows.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "native/hresult.h"

int32_t hcsshim__gate_wait(hcsshim__gate *gate, uint32_t expected,
                           uint32_t timeout_ms)
{
    if (atomic_load(&gate->word) != expected)
        return 0;
    if (timeout_ms == 0)
        return HCSSHIM_E_WAIT_TIMEOUT;
    if (WaitOnAddress((volatile void *)&gate->word, &expected, sizeof expected,
                      timeout_ms))
        return 0;
    return GetLastError() == ERROR_TIMEOUT
               ? HCSSHIM_E_WAIT_TIMEOUT
               : hcsshim__hresult_from_win32(GetLastError());
}

void hcsshim__gate_open(hcsshim__gate *gate, uint32_t word)
{
    atomic_store(&gate->word, word);
    WakeByAddressAll((void *)&gate->word);
}
