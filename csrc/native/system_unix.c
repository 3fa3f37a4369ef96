/* system_unix.c - there are no DLLs of Windows here. */
#include <stddef.h>

#include "hcsshim.h"
#include "native/hresult.h"

#include <errno.h>

int32_t hcsshim_service_load(uint32_t generation, hcsshim_service **out)
{
    (void)generation;
    *out = NULL;
    return hcsshim__hresult_from_errno(ENOENT);
}
