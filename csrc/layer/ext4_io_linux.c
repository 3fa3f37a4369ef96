/* ext4_io_linux.c - writes of many pieces, and copies inside the kernel. */
#include <errno.h>
#include <limits.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/ext4_io.h"
#include "native/hresult.h"

#define BATCH 256

/* Write a batch, whatever part of it a call takes. */
static int32_t write_batch(int64_t file, uint64_t offset, struct iovec *batch,
                           int count)
{
    while (count > 0) {
        ssize_t put = pwritev((int)file, batch, count, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return hcsshim__hresult_from_errno(errno);
        offset += (uint64_t)put;
        for (; count > 0 && (size_t)put >= batch->iov_len; batch++, count--)
            put -= (ssize_t)batch->iov_len;
        if (count > 0) {
            batch->iov_base = (char *)batch->iov_base + put;
            batch->iov_len -= (size_t)put;
        }
    }
    return 0;
}

int32_t hcsshim__image_write(int64_t file, uint64_t offset,
                             const hcsshim__piece *pieces, size_t count)
{
    struct iovec batch[BATCH];
    int32_t hr = 0;

    while (hr == 0 && count > 0) {
        uint64_t length = 0;
        size_t many = count < BATCH ? count : BATCH;

        for (size_t i = 0; i < many; i++) {
            /* The kernel only reads; iovec is for both directions. */
            batch[i].iov_base = (void *)(uintptr_t)pieces[i].data;
            batch[i].iov_len = pieces[i].length;
            length += pieces[i].length;
        }
        hr = write_batch(file, offset, batch, (int)many);
        offset += length;
        pieces += many;
        count -= many;
    }
    return hr;
}

int32_t hcsshim__image_copy(int64_t source, int64_t target, uint64_t offset,
                            uint64_t length, uint64_t *done)
{
    off_t at = (off_t)offset;
    size_t take = length > SSIZE_MAX / 2 ? SSIZE_MAX / 2 : (size_t)length;
    ssize_t got;

    *done = 0;
    do {
        got = copy_file_range((int)source, NULL, (int)target, &at, take, 0);
    } while (got < 0 && errno == EINTR);
    if (got >= 0) {
        *done = (uint64_t)got;
        return 0;
    }
    switch (errno) {
    case EINVAL:
    case EXDEV:
    case ENOSYS:
    case EOPNOTSUPP:
    case EBADF:
    case EPERM:
        return HCSSHIM_E_NOTIMPL;
    default:
        return hcsshim__hresult_from_errno(errno);
    }
}
