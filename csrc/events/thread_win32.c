/* thread_win32.c - threads, mutexes and the clock. */
#include <stdlib.h>
#include <windows.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "native/hresult.h"

_Static_assert(sizeof(hcsshim__mutex) == sizeof(SRWLOCK), "a mutex is one");

struct start {
    void (*body)(void *);
    void *context;
};

static SRWLOCK *srw(hcsshim__mutex *mutex) { return (SRWLOCK *)mutex; }

int32_t hcsshim__mutex_init(hcsshim__mutex *mutex)
{
    InitializeSRWLock(srw(mutex));
    return 0;
}

void hcsshim__mutex_destroy(hcsshim__mutex *mutex) { (void)mutex; }

void hcsshim__mutex_lock(hcsshim__mutex *mutex)
{
    AcquireSRWLockExclusive(srw(mutex));
}

void hcsshim__mutex_unlock(hcsshim__mutex *mutex)
{
    ReleaseSRWLockExclusive(srw(mutex));
}

static DWORD WINAPI enter(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.body(start.context);
    return 0;
}

int32_t hcsshim__thread_start(hcsshim__thread *thread, void (*body)(void *),
                              void *context)
{
    struct start *start = malloc(sizeof *start);

    if (start == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    start->body = body;
    start->context = context;
    *thread = CreateThread(NULL, 0, enter, start, 0, NULL);
    if (*thread == NULL) {
        int32_t hr = hcsshim__hresult_from_win32(GetLastError());

        free(start);
        return hr;
    }
    return 0;
}

void hcsshim__thread_join(hcsshim__thread thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

uint64_t hcsshim__process_id(void) { return GetCurrentProcessId(); }

uint64_t hcsshim__clock_ms(void) { return GetTickCount64(); }
