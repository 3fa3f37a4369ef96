/*
 * system_v1_win32.c - calls of computecore told to vmcompute, which hosts
 * before Windows Server 2019 have alone.
 *
 * The arguments that a function of vmcompute takes are the first of those that
 * computecore's takes. What takes time answers "pending", and a notification
 * tells the outcome; a ticket is put in its place before the call, so that the
 * notification may come at any time.
 */
#include <objbase.h>
#include <stdlib.h>
#include <string.h>

#include "native/system_win32.h"

#define PENDING ((HRESULT)0xC0370103)
#define UNEXPECTED_EXIT ((int32_t)0x80370106)
#define PROC_NOT_FOUND ((int32_t)0x8007007F)

/* HCS_NOTIFICATIONS that end a call, and where its ticket waits for it. */
enum {
    SYSTEM_EXITED = 1,
    CREATED = 2,
    STARTED = 3,
    PAUSED = 4,
    RESUMED = 5,
    SAVED = 8,
    PROCESS_EXITED = 0x10000,
    SERVICE_DISCONNECT = 0x01000000
};

typedef void(CALLBACK *notification_callback)(DWORD, void *, HRESULT,
                                              const wchar_t *);

/* The place of a ticket in 'pending', by the notification it waits for. */
static size_t slot_of(uint32_t notification)
{
    return notification == SAVED ? 6 : notification;
}

/* The notification that ends a call; 0: none does. */
static uint32_t ends_with(const hcsshim_call_row *row)
{
    static const struct {
        const char *name;
        uint32_t notification;
    } calls[] = {
        {"HcsCreateComputeSystem", CREATED},
        {"HcsStartComputeSystem", STARTED},
        {"HcsPauseComputeSystem", PAUSED},
        {"HcsResumeComputeSystem", RESUMED},
        {"HcsSaveComputeSystem", SAVED},
        {"HcsShutdownComputeSystem", SYSTEM_EXITED},
        {"HcsTerminateComputeSystem", SYSTEM_EXITED},
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(calls[i].name, row->name) == 0)
            return calls[i].notification;
    return 0;
}

/* The row of vmcompute that does what one of computecore does, or NULL. */
static const hcsshim_call_row *row_of(const hcsshim_call_row *row)
{
    size_t count;
    const hcsshim_call_row *rows = hcsshim_calls(&count);

    for (size_t i = 0; i < count; i++) /* "ShutDown" is "Shutdown" there */
        if (strcmp(rows[i].dll, "vmcompute") == 0 &&
            _stricmp(rows[i].name, row->name) == 0)
            return &rows[i];
    return NULL;
}

/* ---- notifications
 * ----------------------------------------------------------- */

/* Take the ticket that waits for a notification; 0: there is none. */
static uint64_t take_pending(hcsshim__native_handle *handle, size_t slot)
{
    uint64_t ticket;

    hcsshim__mutex_lock(&handle->service->lock);
    ticket = handle->pending[slot];
    handle->pending[slot] = 0;
    hcsshim__mutex_unlock(&handle->service->lock);
    return ticket;
}

static void put_pending(hcsshim__native_handle *handle, size_t slot,
                        uint64_t ticket)
{
    hcsshim__mutex_lock(&handle->service->lock);
    handle->pending[slot] = ticket;
    hcsshim__mutex_unlock(&handle->service->lock);
}

static void answer(hcsshim__native_handle *handle, uint32_t notification,
                   HRESULT status, const wchar_t *data)
{
    uint64_t ticket = take_pending(handle, slot_of(notification));
    hcsshim_completion completion = {.hresult = status, .files = {-1, -1, -1}};

    if (ticket == 0)
        return;
    completion.document = hcsshim__text_narrow(data, &completion.length);
    hcsshim__ticket_answer(handle->service, ticket, &completion);
}

/* An exit is the end of every call that still waits for something else. */
static void answer_all(hcsshim__native_handle *handle)
{
    for (size_t slot = CREATED; slot <= 6; slot++) {
        uint64_t ticket = take_pending(handle, slot);

        if (ticket != 0)
            hcsshim__native_answer(handle->service, ticket, UNEXPECTED_EXIT);
    }
}

/* v1 tells no status of a process that exited: ask. */
static wchar_t *process_status(const hcsshim__native_handle *handle)
{
    union {
        FARPROC any;
        HRESULT(WINAPI *call)(void *, wchar_t **, wchar_t **);
    } function;
    wchar_t *status = NULL, *result = NULL;

    if (hcsshim__export_find("vmcompute", "HcsGetProcessProperties",
                             &function.any) >= 0)
        function.call(handle->native, &status, &result);
    CoTaskMemFree(result);
    return status;
}

/* HCS_NOTIFICATIONS that are events, as HCS_EVENT_TYPE; 0: it is none. */
static uint32_t event_of(DWORD type)
{
    switch (type) {
    case SYSTEM_EXITED:
    case PROCESS_EXITED:
        return type;
    case 0x06: /* SystemCrashReport */
        return 3;
    case 0x07: /* SystemSiloJobCreated */
        return 5;
    case 0x09: /* SystemRdpEnhancedModeStateChanged */
        return 4;
    case 0x0D: /* SystemCrashInitiated */
        return 2;
    case 0x0E: /* SystemGuestConnectionClosed */
        return 6;
    case SERVICE_DISCONNECT:
        return HCSSHIM_EVENT_SERVICE_DISCONNECT;
    default:
        return 0;
    }
}

static void CALLBACK on_notification(DWORD type, void *context, HRESULT status,
                                     const wchar_t *data)
{
    hcsshim_service *service = hcsshim__system_service();
    hcsshim__native_handle *handle =
        service == NULL ? NULL
                        : hcsshim__native_find(service, (uintptr_t)context);
    wchar_t *asked = NULL;

    if (handle == NULL)
        return;
    if (type >= CREATED && (type <= RESUMED || type == SAVED))
        answer(handle, type, status, data);
    if (type == SYSTEM_EXITED)
        answer_all(handle);
    if (type == PROCESS_EXITED && data == NULL)
        data = asked = process_status(handle);
    if (event_of(type) != 0)
        hcsshim__native_event(service, handle->id, event_of(type), status,
                              data);
    CoTaskMemFree(asked);
    hcsshim__native_leave(handle);
}

static void watch(hcsshim__native_handle *handle)
{
    const char *name = handle->kind == HCSSHIM_KIND_SYSTEM
                           ? "HcsRegisterComputeSystemCallback"
                           : "HcsRegisterProcessCallback";
    union {
        FARPROC any;
        HRESULT(WINAPI *call)(void *, notification_callback, void *, void **);
    } function;

    if (hcsshim__export_find("vmcompute", name, &function.any) >= 0)
        function.call(handle->native, on_notification,
                      (void *)(uintptr_t)handle->id, &handle->callback);
}

static void call_with(const char *name, void *argument)
{
    union {
        FARPROC any;
        HRESULT(WINAPI *call)(void *);
    } function;

    if (argument != NULL &&
        hcsshim__export_find("vmcompute", name, &function.any) >= 0)
        function.call(argument);
}

void hcsshim__v1_close(hcsshim__native_handle *handle)
{
    int is_system = handle->kind == HCSSHIM_KIND_SYSTEM;

    call_with(is_system ? "HcsUnregisterComputeSystemCallback"
                        : "HcsUnregisterProcessCallback",
              handle->callback);
    call_with(is_system ? "HcsCloseComputeSystem" : "HcsCloseProcess",
              handle->native);
}

/* ---- calls
 * --------------------------------------------------------------------- */

/* Where its notification would tell of a call: the handle it makes, or is on.
 */
static hcsshim__native_handle *told_by(hcsshim__native_call *call)
{
    return call->made != NULL ? call->made : call->on;
}

static void keep_made(hcsshim__native_call *call)
{
    hcsshim__mutex_lock(&call->service->lock);
    call->made->native = call->out;
    hcsshim__mutex_unlock(&call->service->lock);
    watch(call->made);
}

/* The call is done: answer its ticket, unless a notification did or will. */
static void finish(hcsshim__native_call *call, HRESULT hr)
{
    uint32_t notification = ends_with(call->row);
    hcsshim_completion completion;
    uint64_t ticket = call->ticket;

    if (hr == PENDING && notification == SYSTEM_EXITED) {
        hcsshim__native_wait(call->on, ticket);
        return;
    }
    if (hr == PENDING)
        return;
    if (notification > SYSTEM_EXITED && ticket != 0)
        ticket = take_pending(told_by(call), slot_of(notification));
    hcsshim__native_call_outcome(call, hr, &completion);
    if (hr >= 0) {
        completion.process_id = call->pipes.process_id;
        for (int i = 0; i < 3; i++)
            if (call->pipes.files[i] != NULL &&
                call->pipes.files[i] != INVALID_HANDLE_VALUE)
                completion.files[i] = (intptr_t)call->pipes.files[i];
    }
    if (ticket != 0)
        hcsshim__ticket_answer(call->service, ticket, &completion);
    else
        hcsshim_completion_clear(&completion);
}

static void run(hcsshim__native_call *call)
{
    uint32_t notification = ends_with(call->row);
    HRESULT hr;

    if (notification > SYSTEM_EXITED)
        put_pending(told_by(call), slot_of(notification), call->ticket);
    hr = hcsshim__native_call_run(call);
    if (call->made != NULL && (hr >= 0 || hr == PENDING))
        keep_made(call);
    finish(call, hr);
    hcsshim__native_call_leave(call);
}

static void CALLBACK run_in_pool(PTP_CALLBACK_INSTANCE instance, void *context)
{
    CallbackMayRunLong(instance);
    run(context);
}

/* Where nothing is to be said vmcompute wants an empty text. */
static void fill_empty_texts(hcsshim__native_call *call)
{
    for (size_t i = 0; call->row->kinds[i] != HCSSHIM_KIND_END; i++)
        if (call->row->kinds[i] == HCSSHIM_KIND_TEXT && call->arguments[i] == 0)
            call->arguments[i] = (uintptr_t)L"";
}

void hcsshim__v1_begin(hcsshim_service *service,
                       const struct hcsshim__submission *submission,
                       hcsshim__native_handle *made)
{
    const hcsshim_call_row *row = row_of(submission->row);
    hcsshim__native_call *call = hcsshim__native_call_new(
        service, row == NULL ? submission->row : row, submission, made);
    int32_t hr = PROC_NOT_FOUND;

    if (call == NULL)
        return;
    if (row != NULL)
        hr = hcsshim__export_find(row->dll, row->name, &call->function);
    if (hr >= 0)
        hr = hcsshim__native_call_fill(call, submission);
    if (hr < 0) {
        hcsshim__native_answer(service, submission->ticket, hr);
        hcsshim__native_call_leave(call);
        return;
    }
    fill_empty_texts(call);
    if (made != NULL || !TrySubmitThreadpoolCallback(run_in_pool, call, NULL))
        run(call);
}
