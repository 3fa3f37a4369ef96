/* file_unix.c - reading and writing descriptors. */
#include <errno.h>
#include <unistd.h>

#include "layer/file.h"
#include "native/hresult.h"

int32_t hcsshim__file_read(int64_t file, uint8_t *buffer, size_t length,
                           size_t *got)
{
    ssize_t count;

    *got = 0;
    do
        count = read((int)file, buffer, length);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return hcsshim__hresult_from_errno(errno);
    *got = (size_t)count;
    return 0;
}

int32_t hcsshim__file_write(int64_t file, const void *data, size_t length)
{
    const uint8_t *from = data;

    while (length > 0) {
        ssize_t count = write((int)file, from, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return hcsshim__hresult_from_errno(errno);
        from += count;
        length -= (size_t)count;
    }
    return 0;
}
