/* hresult.h - errors of the machine as HRESULTs, lifted where they occur. */
#ifndef HCSSHIM_NATIVE_HRESULT_H
#define HCSSHIM_NATIVE_HRESULT_H

#include <stdint.h>

/* The HRESULT that Windows would use for an errno; 0 for 0. */
int32_t hcsshim__hresult_from_errno(int error);

/* The same for a code of GetLastError(); on Windows only. */
int32_t hcsshim__hresult_from_win32(uint32_t code);

#endif
