/*
 * listener.c - callbacks of programs, run on the threads of the process's pool.
 *
 * Windows promises no order and no particular thread. What it does promise is
 * kept: text and event live until the callback returns, and once a listener was
 * ended none of its callbacks runs any more.
 */
#include <objbase.h>
#include <stdlib.h>

#include "dll/dll.h"

struct hcsshim__listener {
    SRWLOCK lock; /* the rest */
    CONDITION_VARIABLE quiet;
    size_t running; /* deliveries that were begun or will be */
    int ended;
    enum hcsshim__generation generation;
    void *callback, *context;
};

/* One call of a callback. */
struct delivery {
    hcsshim__listener *listener;
    uint32_t type;
    HRESULT status;
    wchar_t *text;
    uint64_t operation;
};

typedef struct {
    uint32_t type;
    const wchar_t *data;
    void *operation;
} hcs_event;

typedef void(CALLBACK *event_callback)(hcs_event *, void *);
typedef void(CALLBACK *notification_callback)(DWORD, void *, HRESULT,
                                              const wchar_t *);

_Static_assert(sizeof(hcs_event) == 24, "HCS_EVENT has 24 bytes");

hcsshim__listener *hcsshim__listener_new(enum hcsshim__generation generation,
                                         void *callback, void *context)
{
    hcsshim__listener *listener = calloc(1, sizeof *listener);

    if (listener == NULL)
        return NULL;
    InitializeSRWLock(&listener->lock);
    InitializeConditionVariable(&listener->quiet);
    listener->generation = generation;
    listener->callback = callback;
    listener->context = context;
    return listener;
}

static void call(const struct delivery *delivery)
{
    const hcsshim__listener *listener = delivery->listener;
    union {
        void *pointer;
        notification_callback notification;
        event_callback event;
    } callback = {listener->callback};

    if (listener->generation == HCSSHIM_EVENT_CALLBACK) {
        hcs_event event = {delivery->type, delivery->text,
                           (void *)(uintptr_t)delivery->operation};

        callback.event(&event, listener->context);
    } else {
        callback.notification(delivery->type, listener->context,
                              delivery->status, delivery->text);
    }
}

static void forget(struct delivery *delivery)
{
    hcsshim__listener *listener = delivery->listener;

    AcquireSRWLockExclusive(&listener->lock);
    if (--listener->running == 0)
        WakeAllConditionVariable(&listener->quiet);
    ReleaseSRWLockExclusive(&listener->lock);
    CoTaskMemFree(delivery->text);
    free(delivery);
}

static void CALLBACK deliver(PTP_CALLBACK_INSTANCE instance, void *context)
{
    struct delivery *delivery = context;
    int ended;

    (void)instance;
    AcquireSRWLockShared(&delivery->listener->lock);
    ended = delivery->listener->ended;
    ReleaseSRWLockShared(&delivery->listener->lock);
    if (!ended)
        call(delivery);
    forget(delivery);
}

void hcsshim__listener_tell(hcsshim__listener *listener, uint32_t type,
                            HRESULT status, const char *text, size_t length,
                            uint64_t operation)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);

    if (delivery == NULL)
        return; /* as a pool without memory would */
    delivery->listener = listener;
    delivery->type = type;
    delivery->status = status;
    delivery->text = hcsshim__text_wide(text, length);
    delivery->operation = operation;
    AcquireSRWLockExclusive(&listener->lock);
    listener->running++;
    ReleaseSRWLockExclusive(&listener->lock);
    if (!TrySubmitThreadpoolCallback(deliver, delivery, NULL))
        deliver(NULL, delivery); /* rather late than never */
}

void hcsshim__listener_end(hcsshim__listener *listener)
{
    if (listener == NULL)
        return;
    AcquireSRWLockExclusive(&listener->lock);
    listener->ended = 1;
    while (listener->running != 0)
        SleepConditionVariableSRW(&listener->quiet, &listener->lock, INFINITE,
                                  0);
    ReleaseSRWLockExclusive(&listener->lock);
    free(listener);
}
