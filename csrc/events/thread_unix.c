/* thread_unix.c - threads, mutexes, the clock, and waiting on a bell. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "native/hresult.h"

struct start {
    void (*body)(void *);
    void *context;
};

int32_t hcsshim__mutex_init(hcsshim__mutex *mutex)
{
    return hcsshim__hresult_from_errno(pthread_mutex_init(mutex, NULL));
}

void hcsshim__mutex_destroy(hcsshim__mutex *mutex)
{
    pthread_mutex_destroy(mutex);
}

void hcsshim__mutex_lock(hcsshim__mutex *mutex) { pthread_mutex_lock(mutex); }

void hcsshim__mutex_unlock(hcsshim__mutex *mutex)
{
    pthread_mutex_unlock(mutex);
}

static void *enter(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.body(start.context);
    return NULL;
}

int32_t hcsshim__thread_start(hcsshim__thread *thread, void (*body)(void *),
                              void *context)
{
    struct start *start = malloc(sizeof *start);
    sigset_t all, before;
    int error;

    if (start == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    start->body = body;
    start->context = context;
    /* A new thread inherits the mask, so it never has a signal open. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, enter, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(start);
        return hcsshim__hresult_from_errno(error);
    }
    return 0;
}

void hcsshim__thread_join(hcsshim__thread thread)
{
    pthread_join(thread, NULL);
}

uint64_t hcsshim__process_id(void) { return (uint64_t)getpid(); }

uint64_t hcsshim__clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int32_t hcsshim__bell_wait(const hcsshim__bell *bell, uint32_t timeout_ms)
{
    struct pollfd file = {.fd = (int)bell->read_file, .events = POLLIN};
    int limit = timeout_ms > 0x7FFFFFFF ? 0x7FFFFFFF : (int)timeout_ms;
    int ready;

    if (timeout_ms == HCSSHIM_FOREVER)
        limit = -1;
    ready = poll(&file, 1, limit);
    if (ready < 0)
        return hcsshim__hresult_from_errno(errno);
    return ready == 0 ? HCSSHIM_E_WAIT_TIMEOUT : 0;
}
