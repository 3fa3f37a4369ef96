/* ext4_io_unix.c - reading, and the length of files. */
#include <errno.h>
#include <unistd.h>

#include "layer/ext4_io.h"
#include "native/hresult.h"

int32_t hcsshim__image_read(int64_t file, uint8_t *buffer, size_t length,
                            size_t *got)
{
    ssize_t count = read((int)file, buffer, length);

    *got = count > 0 ? (size_t)count : 0;
    /* A signal may have been meant to end this: the caller looks. */
    return count < 0 ? hcsshim__hresult_from_errno(errno) : 0;
}

int32_t hcsshim__image_resize(int64_t file, uint64_t length)
{
    if (ftruncate((int)file, (off_t)length) != 0)
        return hcsshim__hresult_from_errno(errno);
    return 0;
}
