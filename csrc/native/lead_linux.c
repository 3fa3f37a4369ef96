/*
 * lead_linux.c - the reader sleeps on an epoll that holds the socket alone.
 *
 * A thread that takes the lead has the epoll ask for nothing meanwhile: bytes
 * that come then wake that thread only. Waiting by poll, not in recvmsg(), also
 * spares wake-ups: the host's taking of what we sent would end a sleep in
 * recvmsg(), and only to begin it anew.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hcsshim.h"
#include "native/hresult.h"
#include "native/lead.h"

int32_t hcsshim__lead_init(hcsshim__lead *lead,
                           const hcsshim__connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN};
    int32_t hr = hcsshim__mutex_init(&lead->held);
    int watch;

    if (hr < 0)
        return hr;
    hr = hcsshim__bell_init(&lead->bell);
    if (hr < 0)
        goto no_bell;
    watch = epoll_create1(EPOLL_CLOEXEC);
    if (watch < 0 ||
        epoll_ctl(watch, EPOLL_CTL_ADD, (int)connection->file, &event) != 0) {
        hr = hcsshim__hresult_from_errno(errno);
        goto no_watch;
    }
    lead->file = connection->file;
    lead->watch = watch;
    return 0;
no_watch:
    if (watch >= 0)
        close(watch);
    hcsshim__bell_destroy(&lead->bell);
no_bell:
    hcsshim__mutex_destroy(&lead->held);
    return hr;
}

void hcsshim__lead_destroy(hcsshim__lead *lead)
{
    close((int)lead->watch);
    hcsshim__bell_destroy(&lead->bell);
    hcsshim__mutex_destroy(&lead->held);
}

static int is_readable(const hcsshim__lead *lead)
{
    struct pollfd file = {.fd = (int)lead->file, .events = POLLIN};

    return poll(&file, 1, 0) > 0;
}

void hcsshim__lead_await(hcsshim__lead *lead)
{
    struct epoll_event event;

    for (;;) {
        (void)!epoll_wait((int)lead->watch, &event, 1, -1);
        hcsshim__mutex_lock(&lead->held);
        if (is_readable(lead))
            return;
        hcsshim__mutex_unlock(&lead->held); /* somebody else has read it */
    }
}

void hcsshim__lead_pass(hcsshim__lead *lead)
{
    hcsshim__mutex_unlock(&lead->held);
}

/* Have the reader woken by 'events' from now on. */
static void watch_for(const hcsshim__lead *lead, uint32_t events)
{
    struct epoll_event event = {.events = events};

    (void)epoll_ctl((int)lead->watch, EPOLL_CTL_MOD, (int)lead->file, &event);
}

int hcsshim__lead_take(hcsshim__lead *lead)
{
    if (pthread_mutex_trylock(&lead->held) != 0)
        return 0;
    watch_for(lead, 0);
    atomic_store(&lead->taken, 1);
    return 1;
}

void hcsshim__lead_return(hcsshim__lead *lead)
{
    atomic_store(&lead->taken, 0);
    watch_for(lead, EPOLLIN); /* it wakes now, if something is there */
    hcsshim__mutex_unlock(&lead->held);
}

int32_t hcsshim__lead_wait(hcsshim__lead *lead, uint32_t timeout_ms)
{
    struct pollfd files[2] = {
        {.fd = (int)lead->file, .events = POLLIN},
        {.fd = (int)lead->bell.read_file, .events = POLLIN},
    };
    int limit = timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;
    int ready;

    if (timeout_ms == HCSSHIM_FOREVER)
        limit = -1;
    ready = poll(files, 2, limit);
    if (ready < 0)
        return hcsshim__hresult_from_errno(errno);
    if (ready == 0)
        return HCSSHIM_E_WAIT_TIMEOUT;
    if (files[1].revents != 0)
        hcsshim__bell_silence(&lead->bell);
    return files[0].revents != 0;
}

void hcsshim__lead_wake(hcsshim__lead *lead)
{
    if (atomic_load(&lead->taken))
        hcsshim__bell_ring(&lead->bell);
}
