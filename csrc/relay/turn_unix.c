/* turn_unix.c - descriptors are read and written without more ado. */
#include <stddef.h>

#include "hcsshim.h"

int32_t hcsshim_turn_new(hcsshim_turn **out)
{
    *out = NULL;
    return HCSSHIM_E_NOTIMPL;
}

void hcsshim_turn_free(hcsshim_turn *turn) { (void)turn; }

int32_t hcsshim_turn_begin(hcsshim_turn *turn, int64_t pipe, int writes,
                           void *data, size_t size, uint64_t *done)
{
    (void)turn, (void)pipe, (void)writes, (void)data, (void)size;
    *done = 0;
    return HCSSHIM_E_NOTIMPL;
}

int64_t hcsshim_turn_event(const hcsshim_turn *turn)
{
    (void)turn;
    return -1;
}

int32_t hcsshim_turn_finish(hcsshim_turn *turn, uint64_t *done)
{
    (void)turn;
    *done = 0;
    return HCSSHIM_E_NOTIMPL;
}

void hcsshim_turn_cancel(hcsshim_turn *turn) { (void)turn; }
