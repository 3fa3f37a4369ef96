/*
 * gate_posix.c - gates where the kernel offers no wait on a word.
 *
 * A sleeper looks at the word in growing steps of up to 5 ms. That is slower
 * than a futex but needs no state beside the word, and lets signals in.
 */
#include <errno.h>
#include <time.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "native/hresult.h"

#define FIRST_STEP_NS 20000L
#define LONGEST_STEP_NS 5000000L

int32_t hcsshim__gate_wait(hcsshim__gate *gate, uint32_t expected,
                           uint32_t timeout_ms)
{
    uint64_t begin = hcsshim__clock_ms();
    struct timespec step = {.tv_nsec = FIRST_STEP_NS};

    while (atomic_load(&gate->word) == expected) {
        if (timeout_ms != HCSSHIM_FOREVER &&
            hcsshim__clock_ms() - begin >= timeout_ms)
            return HCSSHIM_E_WAIT_TIMEOUT;
        if (nanosleep(&step, NULL) < 0)
            return hcsshim__hresult_from_errno(errno);
        if (step.tv_nsec < LONGEST_STEP_NS)
            step.tv_nsec *= 2;
    }
    return 0;
}

void hcsshim__gate_open(hcsshim__gate *gate, uint32_t word)
{
    atomic_store(&gate->word, word);
}
