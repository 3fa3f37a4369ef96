/*
 * system_win32.c - the provider that asks the DLLs of Windows.
 *
 * A call with an operation is begun here and answered by the operation's own
 * callback, on a thread of the DLL's. Other calls may take their time and run
 * on a thread of the process's pool. The shim, not the caller, owns what a call
 * uses until the DLL has answered: an abandoned call crashes nothing.
 *
 * Each system and process has one callback, set by us as soon as there is a
 * handle; it posts to who listens, and its exit answers who waits. Its context
 * is the number of the handle, looked up under the lock. No call into a DLL is
 * made under the lock: closing waits for callbacks that run.
 */
#include <objbase.h>
#include <stdlib.h>
#include <string.h>

#include "native/hresult.h"
#include "native/system_win32.h"

#define EVENT_SYSTEM_EXITED 0x00000001u
#define EVENT_PROCESS_EXITED 0x00010000u
#define TYPE_CREATE_PROCESS 10
#define TYPE_GET_PROCESS_INFO 12

/* HCS_EVENT */
typedef struct hcs_event {
    DWORD type;
    const wchar_t *data;
    void *operation;
} hcs_event;

typedef void(CALLBACK *event_callback)(hcs_event *, void *);
typedef void(CALLBACK *completion_callback)(void *, void *);
typedef void(CALLBACK *network_callback)(DWORD, void *, HRESULT,
                                         const wchar_t *);

/* computecore's own functions that calls here need; filled once. */
static struct {
    void *(WINAPI *create_operation)(void *, completion_callback);
    void(WINAPI *close_operation)(void *);
    HRESULT(WINAPI *operation_result)(void *, wchar_t **);
    HRESULT(WINAPI *operation_pipes)
    (void *, hcsshim__process_pipes *, wchar_t **);
    int(WINAPI *operation_type)(void *);
    HRESULT(WINAPI *system_callback)(void *, DWORD, void *, event_callback);
    HRESULT(WINAPI *process_callback)(void *, DWORD, void *, event_callback);
} core;

/* The library handle: callbacks find the service by it. */
static hcsshim_service *volatile the_service;

hcsshim_service *hcsshim__system_service(void) { return the_service; }

/* ---- handles ----------------------------------------------------------------
 */

void hcsshim__native_answer(hcsshim_service *service, uint64_t ticket,
                            int32_t hresult)
{
    hcsshim_completion completion = {.hresult = hresult, .files = {-1, -1, -1}};

    if (ticket != 0)
        hcsshim__ticket_answer(service, ticket, &completion);
}

static void close_native(hcsshim__native_handle *handle)
{
    union {
        FARPROC any;
        HRESULT(WINAPI *call)(void *);
    } function;
    const hcsshim_call_row *row = handle->closing;

    if (handle->callback != NULL)
        hcsshim__v1_close(handle);
    else if (handle->native != NULL && row != NULL &&
             hcsshim__export_find(row->dll, row->name, &function.any) >= 0)
        function.call(handle->native);
    free(handle->exit_document);
    free(handle->waits);
    free(handle);
}

void hcsshim__native_hold(hcsshim__native_handle *handle)
{
    hcsshim__mutex_lock(&handle->service->lock);
    handle->holders++;
    hcsshim__mutex_unlock(&handle->service->lock);
}

void hcsshim__native_leave(hcsshim__native_handle *handle)
{
    unsigned left;

    hcsshim__mutex_lock(&handle->service->lock);
    left = --handle->holders;
    hcsshim__mutex_unlock(&handle->service->lock);
    if (left == 0)
        close_native(handle);
}

hcsshim__native_handle *hcsshim__native_find(hcsshim_service *service,
                                             uint64_t id)
{
    hcsshim__native_handle *own = NULL;
    struct hcsshim__handle *handle;

    hcsshim__mutex_lock(&service->lock);
    handle = hcsshim__ids_find(&service->handles, id);
    if (handle != NULL && handle->own != NULL) {
        own = handle->own;
        own->holders++;
    }
    hcsshim__mutex_unlock(&service->lock);
    return own;
}

/* What closes a handle that nobody closed: found by its kind. */
static const hcsshim_call_row *closing_row(uint8_t kind)
{
    const char *name = kind == HCSSHIM_KIND_SYSTEM    ? "HcsCloseComputeSystem"
                       : kind == HCSSHIM_KIND_PROCESS ? "HcsCloseProcess"
                                                      : "";
    size_t count;
    const hcsshim_call_row *rows = hcsshim_calls(&count);

    for (size_t i = 0; i < count; i++)
        if (rows[i].remote && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* Know a handle that a call is about to make; held once for the caller. */
static hcsshim__native_handle *know(hcsshim_service *service, uint64_t id,
                                    uint8_t kind)
{
    hcsshim__native_handle *own = calloc(1, sizeof *own);
    struct hcsshim__handle *handle;

    if (own == NULL)
        return NULL;
    own->service = service;
    own->kind = kind;
    own->id = id;
    own->holders = 2;
    own->closing = closing_row(kind);
    hcsshim__mutex_lock(&service->lock);
    handle = hcsshim__ids_find(&service->handles, id);
    if (handle != NULL)
        handle->own = own;
    else
        own->holders = 1; /* closed already, by another thread */
    hcsshim__mutex_unlock(&service->lock);
    return own;
}

/* ---- exits
 * ------------------------------------------------------------------- */

/* The outcome of waiting for an exit. Under the lock. */
static hcsshim_completion exit_outcome(const hcsshim__native_handle *handle)
{
    hcsshim_completion completion = {.hresult = 0, .files = {-1, -1, -1}};

    if (handle->exit_document != NULL &&
        (completion.document = malloc(handle->exit_length + 1)) != NULL) {
        memcpy(completion.document, handle->exit_document,
               handle->exit_length + 1);
        completion.length = handle->exit_length;
    }
    return completion;
}

void hcsshim__native_wait(hcsshim__native_handle *handle, uint64_t ticket)
{
    hcsshim_service *service = handle->service;
    hcsshim_completion completion;
    uint64_t *waits = NULL;
    int exited;

    if (ticket == 0)
        return;
    hcsshim__mutex_lock(&service->lock);
    exited = handle->exited;
    if (exited)
        completion = exit_outcome(handle);
    else
        waits =
            realloc(handle->waits, (handle->wait_count + 1) * sizeof *waits);
    if (waits != NULL) {
        handle->waits = waits;
        waits[handle->wait_count++] = ticket;
    }
    hcsshim__mutex_unlock(&service->lock);
    if (exited)
        hcsshim__ticket_answer(service, ticket, &completion);
    else if (waits == NULL)
        hcsshim__native_answer(service, ticket, HCSSHIM_E_OUTOFMEMORY);
}

/* It exited, with this document: tell who waits. Text is taken over. */
static void exited(hcsshim__native_handle *handle, char *text, size_t length)
{
    hcsshim_service *service = handle->service;
    uint64_t *waits;
    size_t count;

    hcsshim__mutex_lock(&service->lock);
    if (!handle->exited) {
        handle->exited = 1;
        handle->exit_document = text;
        handle->exit_length = length;
        text = NULL;
    }
    waits = handle->waits;
    count = handle->wait_count;
    handle->waits = NULL;
    handle->wait_count = 0;
    hcsshim__mutex_unlock(&service->lock);
    for (size_t i = 0; i < count; i++)
        hcsshim__native_wait(handle, waits[i]);
    free(waits);
    free(text);
}

void hcsshim__native_event(hcsshim_service *service, uint64_t id, uint32_t type,
                           int32_t status, const wchar_t *data)
{
    hcsshim__native_handle *own = hcsshim__native_find(service, id);
    struct hcsshim__handle *handle;
    size_t length;
    char *text;

    if (own == NULL)
        return;
    text = hcsshim__text_narrow(data, &length);
    hcsshim__mutex_lock(&service->lock);
    handle = hcsshim__ids_find(&service->handles, id);
    if (handle != NULL && handle->queue != NULL)
        hcsshim_queue_post(handle->queue, id, type, status, text, length);
    hcsshim__mutex_unlock(&service->lock);
    if (type == EVENT_SYSTEM_EXITED || type == EVENT_PROCESS_EXITED)
        exited(own, text, length);
    else
        free(text);
    hcsshim__native_leave(own);
}

static void CALLBACK on_event(hcs_event *event, void *context)
{
    hcsshim_service *service = the_service;
    int32_t status = event->type == HCSSHIM_EVENT_SERVICE_DISCONNECT
                         ? HCSSHIM_HCS_E_SERVICE_DISCONNECT
                         : 0;

    if (service != NULL)
        hcsshim__native_event(service, (uintptr_t)context, event->type, status,
                              event->data);
}

static void CALLBACK on_network(DWORD type, void *context, HRESULT status,
                                const wchar_t *data)
{
    hcsshim_service *service = the_service;

    if (service != NULL)
        hcsshim__native_event(service, (uintptr_t)context, type, status, data);
}

/* Have Windows tell what happens to a handle. */
static HRESULT watch(hcsshim__native_handle *handle, DWORD options)
{
    void *context = (void *)(uintptr_t)handle->id;

    if (handle->kind == HCSSHIM_KIND_SYSTEM)
        return core.system_callback(handle->native, options, context, on_event);
    if (handle->kind == HCSSHIM_KIND_PROCESS)
        return core.process_callback(handle->native, options, context,
                                     on_event);
    return 0;
}

/* ---- calls with an operation
 * -------------------------------------------------- */

/* What an operation brought. */
static void take_operation(void *operation, hcsshim_completion *completion)
{
    int type = core.operation_type(operation);
    hcsshim__process_pipes pipes = {0};
    wchar_t *document = NULL;

    *completion = (hcsshim_completion){.files = {-1, -1, -1}};
    if (type != TYPE_CREATE_PROCESS && type != TYPE_GET_PROCESS_INFO) {
        completion->hresult = core.operation_result(operation, &document);
    } else {
        completion->hresult =
            core.operation_pipes(operation, &pipes, &document);
        completion->process_id = pipes.process_id;
        for (int i = 0; i < 3; i++)
            if (pipes.files[i] != NULL &&
                pipes.files[i] != INVALID_HANDLE_VALUE)
                completion->files[i] = (intptr_t)pipes.files[i];
    }
    hcsshim__document_take(completion, document);
}

/* The operation of a call is done; or its call could not begin. */
static void finish(hcsshim__native_call *call, int32_t hr)
{
    hcsshim_completion completion;

    take_operation(call->operation, &completion);
    if (hr < 0)
        completion.hresult = hr;
    if (completion.hresult >= 0 && call->made != NULL)
        watch(call->made, 0);
    core.close_operation(call->operation);
    if (call->ticket != 0)
        hcsshim__ticket_answer(call->service, call->ticket, &completion);
    else
        hcsshim_completion_clear(&completion);
    hcsshim__native_call_leave(call);
}

static void CALLBACK on_completion(void *operation, void *context)
{
    (void)operation;
    finish(context, 0);
}

/*
 * The context of an operation is the call itself: Windows calls back exactly
 * once, and only then the operation is closed. That may happen on another
 * thread before the function returns.
 */
static void begin_operation(hcsshim__native_call *call,
                            const struct hcsshim__submission *submission)
{
    int32_t hr;

    call->operation = core.create_operation(call, on_completion);
    if (call->operation == NULL) {
        hcsshim__native_answer(call->service, call->ticket,
                               HCSSHIM_E_OUTOFMEMORY);
        hcsshim__native_call_leave(call);
        return;
    }
    call->users = 2;
    hr = hcsshim__native_call_fill(call, submission);
    for (size_t i = 0; call->made != NULL && i < call->count; i++)
        if (call->arguments[i] == (uintptr_t)&call->out)
            call->arguments[i] = (uintptr_t)&call->made->native;
    if (hr >= 0)
        hr = hcsshim__native_call_run(call);
    if (hr < 0)
        finish(call, hr);
    hcsshim__native_call_leave(call);
}

/* ---- other calls
 * --------------------------------------------------------------- */

static void keep_made(hcsshim__native_call *call)
{
    hcsshim__native_handle *made = call->made;

    hcsshim__mutex_lock(&call->service->lock);
    made->native = call->out;
    hcsshim__mutex_unlock(&call->service->lock);
    watch(made, 0);
}

static void run(hcsshim__native_call *call)
{
    hcsshim_completion completion;
    int32_t hr = hcsshim__native_call_run(call);

    if (hr >= 0 && call->made != NULL)
        keep_made(call);
    hcsshim__native_call_outcome(call, hr, &completion);
    if (call->ticket != 0)
        hcsshim__ticket_answer(call->service, call->ticket, &completion);
    else
        hcsshim_completion_clear(&completion);
    hcsshim__native_call_leave(call);
}

static void CALLBACK run_in_pool(PTP_CALLBACK_INSTANCE instance, void *context)
{
    CallbackMayRunLong(instance);
    run(context);
}

/* Notifications of networks: the callback is an argument of the call. */
static void set_network_callback(hcsshim__native_call *call)
{
    size_t at = 0;

    for (const uint8_t *kind = call->row->kinds; *kind != HCSSHIM_KIND_END;
         kind++, at++) {
        if (*kind == HCSSHIM_KIND_NOTIFICATION_CALLBACK)
            call->arguments[at] = (uintptr_t)(network_callback)on_network;
        if (*kind == HCSSHIM_KIND_CONTEXT)
            call->arguments[at] = (uintptr_t)call->handle;
    }
}

static void begin_other(hcsshim__native_call *call,
                        const struct hcsshim__submission *submission)
{
    int32_t hr = hcsshim__native_call_fill(call, submission);

    if (hr < 0) {
        hcsshim__native_answer(call->service, call->ticket, hr);
        hcsshim__native_call_leave(call);
        return;
    }
    set_network_callback(call);
    /* What later calls need must be there when this returns. */
    if (call->made != NULL ||
        !TrySubmitThreadpoolCallback(run_in_pool, call, NULL))
        run(call);
}

/* ---- the provider
 * ---------------------------------------------------------------- */

static uint8_t made_kind(const hcsshim_call_row *row)
{
    if (hcsshim__row_has(row, HCSSHIM_KIND_OUT_SYSTEM))
        return HCSSHIM_KIND_SYSTEM;
    if (hcsshim__row_has(row, HCSSHIM_KIND_OUT_PROCESS))
        return HCSSHIM_KIND_PROCESS;
    return hcsshim__row_has(row, HCSSHIM_KIND_OUT_OBJECT) ? HCSSHIM_KIND_OBJECT
                                                          : 0;
}

/* HcsWaitFor...Exit without end costs no thread: the exit answers it. */
static int is_endless_wait(const struct hcsshim__submission *submission)
{
    return strncmp(submission->row->name, "HcsWaitFor", 10) == 0 &&
           submission->count == 2 && submission->values[1].number == INFINITE;
}

static int sets_callback(const hcsshim_call_row *row)
{
    return strcmp(row->name, "HcsSetComputeSystemCallback") == 0 ||
           strcmp(row->name, "HcsSetProcessCallback") == 0;
}

/* What is no call of Windows, or not one like the others. 1: it is done. */
static int begin_special(hcsshim_service *service,
                         const struct hcsshim__submission *submission)
{
    hcsshim__native_handle *on = submission->own;
    HRESULT hr;

    if (hcsshim__call_closes(submission->row)) {
        if (on != NULL) {
            on->closing = submission->row;
            hcsshim__native_leave(on);
        }
        hcsshim__native_answer(service, submission->ticket, 0);
        return 1;
    }
    if (on != NULL && is_endless_wait(submission)) {
        hcsshim__native_wait(on, submission->ticket);
        return 1;
    }
    if (on == NULL || !sets_callback(submission->row))
        return 0;
    hr = on->native == NULL || core.create_operation == NULL
             ? 0
             : watch(on, (DWORD)submission->values[1].number);
    hcsshim__native_answer(service, submission->ticket, hr);
    return 1;
}

static void begin(hcsshim_service *service,
                  const struct hcsshim__submission *submission)
{
    const hcsshim_call_row *row = submission->row;
    hcsshim__native_handle *made = NULL;
    hcsshim__native_call *call;
    int32_t hr;

    if (submission->handle != 0) {
        made = know(service, submission->handle, made_kind(row));
        if (made == NULL) {
            hcsshim__native_answer(service, submission->ticket,
                                   HCSSHIM_E_OUTOFMEMORY);
            return;
        }
    }
    if (begin_special(service, submission))
        return;
    if (core.create_operation == NULL && strcmp(row->dll, "computecore") == 0) {
        hcsshim__v1_begin(service, submission, made);
        return;
    }
    call = hcsshim__native_call_new(service, row, submission, made);
    if (call == NULL)
        return;
    hr = hcsshim__export_find(row->dll, row->name, &call->function);
    if (hr < 0) {
        hcsshim__native_answer(service, submission->ticket, hr);
        hcsshim__native_call_leave(call);
    } else if (hcsshim__row_has(row, HCSSHIM_KIND_OPERATION)) {
        begin_operation(call, submission);
    } else {
        begin_other(call, submission);
    }
}

static void cancel(hcsshim_service *service, uint64_t ticket)
{
    /* HcsCancelOperation answers E_NOTIMPL on every build: nothing to ask. */
    (void)service;
    (void)ticket;
}

static void drop(hcsshim_service *service, void *own)
{
    (void)service;
    hcsshim__native_leave(own);
}

static void stop(hcsshim_service *service)
{
    if (the_service == service)
        the_service = NULL;
    hcsshim__service_lost(service);
}

static void end(hcsshim_service *service) { (void)service; }

static const struct hcsshim__provider provider = {
    .begin = begin, .cancel = cancel, .drop = drop, .stop = stop, .end = end};

/* ---- loading
 * ---------------------------------------------------------------------- */

/* Find what every call with an operation needs. */
static int32_t load_core(void)
{
    static const struct {
        const char *name;
        void *place;
    } functions[] = {
        {"HcsCloseOperation", &core.close_operation},
        {"HcsGetOperationResult", &core.operation_result},
        {"HcsGetOperationResultAndProcessInfo", &core.operation_pipes},
        {"HcsGetOperationType", &core.operation_type},
        {"HcsSetComputeSystemCallback", &core.system_callback},
        {"HcsSetProcessCallback", &core.process_callback},
        {"HcsCreateOperation", &core.create_operation}, /* last: it is asked */
    };

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        FARPROC function;
        int32_t hr =
            hcsshim__export_find("computecore", functions[i].name, &function);

        if (hr < 0)
            return hr;
        memcpy(functions[i].place, &function, sizeof function);
    }
    return 0;
}

int32_t hcsshim_service_load(uint32_t generation, hcsshim_service **out)
{
    FARPROC function;
    int32_t hr;

    *out = NULL;
    if (the_service != NULL)
        return HCSSHIM_E_UNEXPECTED;
    hr = generation == 1 ? HCSSHIM_E_HANDLE : load_core();
    if (hr < 0 && generation != 2) {
        core.create_operation = NULL;
        hr = hcsshim__export_find("vmcompute", "HcsOpenComputeSystem",
                                  &function);
    }
    if (hr < 0)
        return hr;
    hr = hcsshim__service_new(&provider, out);
    if (hr >= 0)
        the_service = *out;
    return hr;
}
