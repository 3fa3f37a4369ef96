/* gate_linux.c - gates are futexes: a wake-up costs one switch. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "native/hresult.h"

int32_t hcsshim__gate_wait(hcsshim__gate *gate, uint32_t expected,
                           uint32_t timeout_ms)
{
    struct timespec limit = {.tv_sec = timeout_ms / 1000,
                             .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    long result;

    if (atomic_load(&gate->word) != expected)
        return 0;
    if (timeout_ms == 0)
        return HCSSHIM_E_WAIT_TIMEOUT;
    result = syscall(SYS_futex, &gate->word, FUTEX_WAIT_PRIVATE, expected,
                     timeout_ms == HCSSHIM_FOREVER ? NULL : &limit, NULL, 0);
    if (result == 0 || errno == EAGAIN)
        return 0;
    return errno == ETIMEDOUT ? HCSSHIM_E_WAIT_TIMEOUT
                              : hcsshim__hresult_from_errno(errno);
}

void hcsshim__gate_open(hcsshim__gate *gate, uint32_t word)
{
    atomic_store(&gate->word, word);
    syscall(SYS_futex, &gate->word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
