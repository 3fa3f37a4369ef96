/* bell_linux.c - a bell is an eventfd. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "events/platform.h"
#include "native/hresult.h"

int32_t hcsshim__bell_init(hcsshim__bell *bell)
{
    int file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    bell->read_file = file;
    bell->ring_file = file;
    return file < 0 ? hcsshim__hresult_from_errno(errno) : 0;
}

void hcsshim__bell_destroy(hcsshim__bell *bell)
{
    if (bell->read_file >= 0)
        close((int)bell->read_file);
    bell->read_file = -1;
    bell->ring_file = -1;
}

void hcsshim__bell_ring(const hcsshim__bell *bell)
{
    /* EAGAIN means that it rang 2^64-2 times already: it is readable. */
    (void)!eventfd_write((int)bell->ring_file, 1);
}

void hcsshim__bell_silence(const hcsshim__bell *bell)
{
    eventfd_t count;

    (void)!eventfd_read((int)bell->read_file, &count);
}
