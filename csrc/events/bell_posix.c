/* bell_posix.c - where there is no eventfd, a bell is a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "events/platform.h"
#include "native/hresult.h"

int32_t hcsshim__bell_init(hcsshim__bell *bell)
{
    int files[2];

    bell->read_file = -1;
    bell->ring_file = -1;
    if (pipe(files) < 0)
        return hcsshim__hresult_from_errno(errno);
    for (int i = 0; i < 2; i++) {
        fcntl(files[i], F_SETFD, FD_CLOEXEC);
        fcntl(files[i], F_SETFL, O_NONBLOCK);
    }
    bell->read_file = files[0];
    bell->ring_file = files[1];
    return 0;
}

void hcsshim__bell_destroy(hcsshim__bell *bell)
{
    if (bell->read_file >= 0) {
        close((int)bell->read_file);
        close((int)bell->ring_file);
    }
    bell->read_file = -1;
    bell->ring_file = -1;
}

void hcsshim__bell_ring(const hcsshim__bell *bell)
{
    /* A full pipe is readable, which is all that a ring has to bring about. */
    (void)!write((int)bell->ring_file, "!", 1);
}

void hcsshim__bell_silence(const hcsshim__bell *bell)
{
    char rings[512];

    while (read((int)bell->read_file, rings, sizeof rings) > 0)
        ;
}
