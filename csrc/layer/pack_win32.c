/* pack_win32.c - what packing layers does not do on Windows. */
#include "layer/pack.h"

/* A layer of Linux has owners, modes and devices, which no file has here. */
int32_t hcsshim__pack_linux_next(hcsshim_pack *pack)
{
    (void)pack;
    return HCSSHIM_E_NOTIMPL;
}
