/* verity_read_unix.c - reading at an offset. */
#include <errno.h>
#include <unistd.h>

#include "layer/verity.h"
#include "native/hresult.h"

int32_t hcsshim__verity_read_at(int64_t file, uint64_t offset, uint8_t *buffer,
                                size_t length)
{
    while (length > 0) {
        ssize_t got = pread((int)file, buffer, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return hcsshim__hresult_from_errno(errno);
        if (got == 0)
            return HCSSHIM_E_INVALID_DATA;
        buffer += got;
        length -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}
