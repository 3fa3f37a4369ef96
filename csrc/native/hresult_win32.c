/* hresult_win32.c - codes of Windows and of its C library as HRESULTs. */
#include <errno.h>
#include <stddef.h>
#include <windows.h>

#include "hcsshim.h"
#include "native/hresult.h"

static const struct {
    int error;
    uint32_t code;
} table[] = {
    {EACCES, ERROR_ACCESS_DENIED},       {EPERM, ERROR_ACCESS_DENIED},
    {ENOENT, ERROR_FILE_NOT_FOUND},      {ENOTDIR, ERROR_PATH_NOT_FOUND},
    {EBADF, ERROR_INVALID_HANDLE},       {ENOMEM, ERROR_OUTOFMEMORY},
    {EMFILE, ERROR_TOO_MANY_OPEN_FILES}, {EEXIST, ERROR_FILE_EXISTS},
    {EINVAL, ERROR_INVALID_PARAMETER},   {EPIPE, ERROR_BROKEN_PIPE},
    {ENOSPC, ERROR_DISK_FULL},           {EIO, ERROR_IO_DEVICE},
};

int32_t hcsshim__hresult_from_win32(uint32_t code)
{
    return HRESULT_FROM_WIN32(code);
}

int32_t hcsshim__hresult_from_errno(int error)
{
    if (error == 0)
        return 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].error == error)
            return hcsshim__hresult_from_win32(table[i].code);
    return HCSSHIM_E_FAIL;
}
