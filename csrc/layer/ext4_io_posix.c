/* ext4_io_posix.c - the same with what every POSIX system has. */
#include <errno.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/ext4_io.h"
#include "native/hresult.h"

int32_t hcsshim__image_write(int64_t file, uint64_t offset,
                             const hcsshim__piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t done = 0;

        while (done < pieces[i].length) {
            ssize_t put = pwrite((int)file, pieces[i].data + done,
                                 pieces[i].length - done, (off_t)offset);

            if (put < 0 && errno == EINTR)
                continue;
            if (put < 0)
                return hcsshim__hresult_from_errno(errno);
            done += (size_t)put;
            offset += (uint64_t)put;
        }
    }
    return 0;
}

int32_t hcsshim__image_copy(int64_t source, int64_t target, uint64_t offset,
                            uint64_t length, uint64_t *done)
{
    (void)source;
    (void)target;
    (void)offset;
    (void)length;
    *done = 0;
    return HCSSHIM_E_NOTIMPL;
}
