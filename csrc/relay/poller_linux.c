/* poller_linux.c - readiness by epoll, asked for once at a time. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "native/hresult.h"
#include "relay/relay.h"

#define MOST_EVENTS 64

struct hcsshim__poller {
    int file;
    hcsshim__bell bell;
};

int32_t hcsshim__poller_new(hcsshim__poller **out)
{
    hcsshim__poller *poller = calloc(1, sizeof *poller);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    int32_t hr;

    *out = NULL;
    if (poller == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    poller->file = epoll_create1(EPOLL_CLOEXEC);
    if (poller->file < 0) {
        hr = hcsshim__hresult_from_errno(errno);
        goto no_file;
    }
    hr = hcsshim__bell_init(&poller->bell);
    if (hr < 0)
        goto no_bell;
    if (epoll_ctl(poller->file, EPOLL_CTL_ADD, (int)poller->bell.read_file,
                  &event) < 0) {
        hr = hcsshim__hresult_from_errno(errno);
        goto no_watch;
    }
    *out = poller;
    return 0;
no_watch:
    hcsshim__bell_destroy(&poller->bell);
no_bell:
    close(poller->file);
no_file:
    free(poller);
    return hr;
}

void hcsshim__poller_free(hcsshim__poller *poller)
{
    hcsshim__bell_destroy(&poller->bell);
    close(poller->file);
    free(poller);
}

int32_t hcsshim__poller_want(hcsshim__poller *poller,
                             hcsshim__transfer *transfer, int side)
{
    struct epoll_event event = {.data.ptr = transfer};
    int how = transfer->watched[side] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    event.events = side == HCSSHIM_SOURCE ? EPOLLIN | EPOLLONESHOT
                                          : EPOLLOUT | EPOLLONESHOT;
    if (epoll_ctl(poller->file, how, (int)transfer->files[side], &event) < 0)
        return errno == EPERM ? 1 : hcsshim__hresult_from_errno(errno);
    transfer->watched[side] = 1;
    return 0;
}

void hcsshim__poller_forget(hcsshim__poller *poller,
                            hcsshim__transfer *transfer)
{
    for (int side = 0; side < 2; side++) {
        if (transfer->watched[side])
            epoll_ctl(poller->file, EPOLL_CTL_DEL, (int)transfer->files[side],
                      NULL);
        transfer->watched[side] = 0;
    }
}

size_t hcsshim__poller_wait(hcsshim__poller *poller, int wait,
                            hcsshim__transfer **ready, size_t most)
{
    struct epoll_event events[MOST_EVENTS];
    int limit = most < MOST_EVENTS ? (int)most : MOST_EVENTS;
    int count = epoll_wait(poller->file, events, limit, wait ? -1 : 0);
    size_t found = 0;

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL)
            hcsshim__bell_silence(&poller->bell);
        else
            ready[found++] = events[i].data.ptr;
    }
    return found;
}

void hcsshim__poller_wake(hcsshim__poller *poller)
{
    hcsshim__bell_ring(&poller->bell);
}
