/* poller_posix.c - readiness by poll(), for any POSIX system. */
#include <poll.h>
#include <stdlib.h>

#include "native/hresult.h"
#include "relay/relay.h"

struct want {
    hcsshim__transfer *transfer;
    int side;
};

struct hcsshim__poller {
    hcsshim__bell bell;
    struct want *wants;
    struct pollfd *files; /* one more than wants: the bell comes first */
    size_t count, size;
};

int32_t hcsshim__poller_new(hcsshim__poller **out)
{
    hcsshim__poller *poller = calloc(1, sizeof *poller);
    int32_t hr;

    *out = NULL;
    if (poller == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr = hcsshim__bell_init(&poller->bell);
    if (hr < 0) {
        free(poller);
        return hr;
    }
    *out = poller;
    return 0;
}

void hcsshim__poller_free(hcsshim__poller *poller)
{
    hcsshim__bell_destroy(&poller->bell);
    free(poller->wants);
    free(poller->files);
    free(poller);
}

static int grow(hcsshim__poller *poller)
{
    size_t size = poller->size == 0 ? 16 : poller->size * 2;
    struct want *wants = realloc(poller->wants, size * sizeof *wants);
    struct pollfd *files;

    if (wants == NULL)
        return 0;
    poller->wants = wants;
    files = realloc(poller->files, (size + 1) * sizeof *files);
    if (files == NULL)
        return 0;
    poller->files = files;
    poller->size = size;
    return 1;
}

int32_t hcsshim__poller_want(hcsshim__poller *poller,
                             hcsshim__transfer *transfer, int side)
{
    if (poller->count == poller->size && !grow(poller))
        return HCSSHIM_E_OUTOFMEMORY;
    poller->wants[poller->count++] = (struct want){transfer, side};
    return 0;
}

void hcsshim__poller_forget(hcsshim__poller *poller,
                            hcsshim__transfer *transfer)
{
    for (size_t i = 0; i < poller->count;) {
        if (poller->wants[i].transfer == transfer)
            poller->wants[i] = poller->wants[--poller->count];
        else
            i++;
    }
}

/* Before any want there is no array; the bell alone is waited for. */
static size_t wait_for_bell(hcsshim__poller *poller, int wait)
{
    hcsshim__bell_wait(&poller->bell, wait ? HCSSHIM_FOREVER : 0);
    hcsshim__bell_silence(&poller->bell);
    return 0;
}

size_t hcsshim__poller_wait(hcsshim__poller *poller, int wait,
                            hcsshim__transfer **ready, size_t most)
{
    size_t found = 0, kept = 0;

    if (poller->size == 0)
        return wait_for_bell(poller, wait);
    poller->files[0] =
        (struct pollfd){.fd = (int)poller->bell.read_file, .events = POLLIN};
    for (size_t i = 0; i < poller->count; i++) {
        struct want want = poller->wants[i];

        poller->files[i + 1] = (struct pollfd){
            .fd = (int)want.transfer->files[want.side],
            .events = want.side == HCSSHIM_SOURCE ? POLLIN : POLLOUT};
    }
    if (poll(poller->files, (nfds_t)poller->count + 1, wait ? -1 : 0) <= 0)
        return 0;
    if (poller->files[0].revents != 0)
        hcsshim__bell_silence(&poller->bell);
    for (size_t i = 0; i < poller->count; i++) {
        if (poller->files[i + 1].revents != 0 && found < most)
            ready[found++] = poller->wants[i].transfer;
        else
            poller->wants[kept++] = poller->wants[i];
    }
    poller->count = kept;
    return found;
}

void hcsshim__poller_wake(hcsshim__poller *poller)
{
    hcsshim__bell_ring(&poller->bell);
}
