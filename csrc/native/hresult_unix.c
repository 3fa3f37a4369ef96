/* hresult_unix.c - errno to the HRESULT that Windows would use for it. */
#include <errno.h>
#include <stddef.h>

#include "hcsshim.h"
#include "native/hresult.h"

/* An HRESULT of a Win32 code, without overflow of a signed shift. */
#define WIN32(code) ((int32_t)(-2147024896 + (code)))

static const struct {
    int error;
    int32_t hresult;
} table[] = {
    {EACCES, WIN32(5)},
    {EPERM, WIN32(5)},
    {ENOENT, WIN32(2)},
    {ENOTDIR, WIN32(3)},
    {EBADF, WIN32(6)},
    {ENOMEM, WIN32(14)},
    {EMFILE, WIN32(4)},
    {ENFILE, WIN32(4)},
    {ETXTBSY, WIN32(32)},
    {ENOSYS, WIN32(50)},
    {EOPNOTSUPP, WIN32(50)},
    {EEXIST, WIN32(80)},
    {EINVAL, WIN32(87)},
    {EPIPE, WIN32(109)},
    {ENOSPC, WIN32(112)},
    {EDQUOT, WIN32(112)},
    {ENOTEMPTY, WIN32(145)},
    {EBUSY, WIN32(170)},
    {EFBIG, WIN32(223)},
    {ETIMEDOUT, WIN32(1460)},
    {ECANCELED, WIN32(995)},
    {ECONNREFUSED, WIN32(10061)},
    {ECONNRESET, WIN32(10054)},
    {ECONNABORTED, WIN32(10053)},
    {ENOTCONN, WIN32(233)},
    {EISDIR, WIN32(5)},
    {EROFS, WIN32(19)},
    {ENAMETOOLONG, WIN32(206)},
    {ESRCH, WIN32(1168)},
    {EIO, WIN32(1117)},
    {EINTR, HCSSHIM_E_INTERRUPTED},
};

int32_t hcsshim__hresult_from_errno(int error)
{
    if (error == 0)
        return 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].error == error)
            return table[i].hresult;
    return HCSSHIM_E_FAIL;
}
