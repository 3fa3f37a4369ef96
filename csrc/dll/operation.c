/*
 * operation.c - HCS_OPERATION: a place where the answer of a call arrives.
 *
 * An operation is unused, running, or done; when done it can serve again. Who
 * closes it while it runs drops the answer, not the work.
 */
#include <stdlib.h>
#include <string.h>

#include "dll/computecore.h"

enum { UNUSED, RUNNING, DONE };

#define TYPE_NONE (-1)
#define INVALID_ID UINT64_MAX
#define EVENT_OPERATION_CALLBACK 0x01000000u

typedef struct operation {
    hcsshim__answerable answerable; /* first: the link knows it by this */
    uint64_t id;
    size_t users; /* the table is one, its answer and whoever waits others */
    int state, closed, noticed;
    hcsshim__link *link;
    uint64_t ticket;
    int type; /* HCS_OPERATION_TYPE */
    uint64_t system, process, sequence;
    hcsshim_completion completion;
    hcsshim__listener *told; /* of the system's callback */
    void *context;
    hcsshim__completion_callback callback;
} operation;

static hcsshim__ids operations; /* under the one lock, like all of them */
static uint64_t sequences;

/* ---- life -----------------------------------------------------------------
 */

static void free_operation(operation *it)
{
    hcsshim_completion_clear(&it->completion);
    free(it);
}

/* Under the lock. */
static void leave(operation *it)
{
    if (--it->users == 0)
        free_operation(it);
}

/* Under the lock; NULL if it is no operation. */
static operation *find(void *handle)
{
    return hcsshim__ids_find(&operations, (uintptr_t)handle);
}

/* The answer came. Under the lock. */
static void store(operation *it, hcsshim_completion *completion)
{
    if (it->state != RUNNING)
        return;
    it->completion = *completion; /* its parts are the operation's now */
    *completion = (hcsshim_completion){.files = {-1, -1, -1}};
    it->state = DONE;
}

static void CALLBACK complete(PTP_CALLBACK_INSTANCE instance, void *context)
{
    operation *it = context;

    (void)instance;
    it->callback((void *)(uintptr_t)it->id, it->context);
    hcsshim__dll_lock();
    leave(it);
    hcsshim__dll_unlock();
}

static void answered(hcsshim__answerable *self, hcsshim_completion *completion)
{
    operation *it = (operation *)self;
    int calls;

    hcsshim__dll_lock();
    store(it, completion);
    calls = it->callback != NULL && !it->closed;
    if (calls)
        it->users++;
    hcsshim__dll_unlock();
    if (calls && !TrySubmitThreadpoolCallback(complete, it, NULL))
        complete(NULL, it);
    hcsshim__dll_lock();
    if (it->noticed && !it->closed)
        hcsshim__handle_tell_operation(it->system, it->process,
                                       EVENT_OPERATION_CALLBACK, it->id);
    leave(it);
    hcsshim__dll_unlock();
}

void *WINAPI HcsCreateOperation(void *context,
                                hcsshim__completion_callback callback)
{
    operation *it = calloc(1, sizeof *it);

    if (it == NULL)
        return NULL;
    it->answerable.answered = answered;
    it->completion.files[0] = it->completion.files[1] =
        it->completion.files[2] = -1;
    it->users = 1;
    it->type = TYPE_NONE;
    it->sequence = INVALID_ID;
    it->context = context;
    it->callback = callback;
    hcsshim__dll_lock();
    it->id = hcsshim__ids_add(&operations, it);
    hcsshim__dll_unlock();
    if (it->id == 0) {
        free(it);
        return NULL;
    }
    return (void *)(uintptr_t)it->id;
}

void *WINAPI HcsCreateOperationWithNotifications(DWORD event_types,
                                                 void *context, void *callback)
{
    /* The host reports no progress, so nothing would ever be told. */
    (void)event_types;
    (void)callback;
    return HcsCreateOperation(context, NULL);
}

void WINAPI HcsCloseOperation(void *handle)
{
    operation *it;

    hcsshim__dll_lock();
    it = find(handle);
    if (it != NULL) {
        hcsshim__ids_remove(&operations, it->id);
        it->closed = 1;
        leave(it);
    }
    hcsshim__dll_unlock();
}

/* ---- running --------------------------------------------------------------
 */

/* HCS_OPERATION_TYPE by the name of the call. */
static int type_of(const hcsshim_call_row *row)
{
    static const struct {
        const char *name;
        int type;
    } types[] = {
        {"HcsEnumerateComputeSystems", 0},
        {"HcsEnumerateComputeSystemsInNamespace", 0},
        {"HcsCreateComputeSystem", 1},
        {"HcsCreateComputeSystemInNamespace", 1},
        {"HcsStartComputeSystem", 2},
        {"HcsShutDownComputeSystem", 3},
        {"HcsPauseComputeSystem", 4},
        {"HcsResumeComputeSystem", 5},
        {"HcsSaveComputeSystem", 6},
        {"HcsTerminateComputeSystem", 7},
        {"HcsModifyComputeSystem", 8},
        {"HcsGetComputeSystemProperties", 9},
        {"HcsCreateProcess", HCSSHIM_TYPE_CREATE_PROCESS},
        {"HcsSignalProcess", 11},
        {"HcsTerminateProcess", 11}, /* there is no type of its own */
        {"HcsGetProcessInfo", HCSSHIM_TYPE_GET_PROCESS_INFO},
        {"HcsGetProcessProperties", 13},
        {"HcsModifyProcess", 14},
        {"HcsCrashComputeSystem", 15},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, row->name) == 0)
            return types[i].type;
    return 19; /* LiveMigration */
}

/* Make it ready for a call. Under the lock. */
static HRESULT claim(operation *it, const hcsshim_call_row *row,
                     const hcsshim__handle_object *on)
{
    int noticed = on != NULL && (on->options & 1) != 0;

    if (it == NULL)
        return E_HANDLE;
    if (it->state == RUNNING)
        return HCSSHIM_ALREADY_STARTED;
    if (noticed && it->callback != NULL)
        return HCSSHIM_CALLBACK_ALREADY_SET;
    hcsshim_completion_clear(&it->completion);
    it->state = RUNNING;
    it->noticed = noticed;
    it->type = type_of(row);
    it->sequence = sequences++;
    it->system = on != NULL && on->kind == HCSSHIM_KIND_SYSTEM ? on->id : 0;
    it->process = on != NULL && on->kind == HCSSHIM_KIND_PROCESS ? on->id : 0;
    it->users += 2; /* until its answer came, and until it was submitted */
    return 0;
}

/* The call did not begin. Under the lock. */
static void unclaim(operation *it)
{
    it->state = UNUSED;
    it->ticket = 0;
    leave(it);
}

HRESULT hcsshim__operation_begin(uint64_t id, const hcsshim_call_row *row,
                                 hcsshim__link *link,
                                 const hcsshim_value *values, size_t count,
                                 const hcsshim__handle_object *on,
                                 uint64_t *handle)
{
    uint64_t ticket;
    operation *it;
    HRESULT hr;

    *handle = 0;
    hcsshim__dll_lock();
    it = find((void *)(uintptr_t)id);
    hr = claim(it, row, on);
    hcsshim__dll_unlock();
    if (hr < 0)
        return hr;
    hr = hcsshim_service_submit(link->service, row->number, values, count,
                                &ticket, handle);
    hcsshim__dll_lock();
    if (hr < 0) {
        unclaim(it);
    } else {
        it->link = link;
        it->ticket = ticket;
    }
    hcsshim__dll_unlock();
    if (hr >= 0)
        hr = hcsshim__link_await(link, ticket, &it->answerable);
    hcsshim__dll_lock();
    leave(it);
    hcsshim__dll_unlock();
    return hr;
}

void hcsshim__operation_made(uint64_t id, uint8_t kind, uint64_t made)
{
    operation *it;

    hcsshim__dll_lock();
    it = find((void *)(uintptr_t)id);
    if (it != NULL && kind == HCSSHIM_KIND_SYSTEM)
        it->system = made;
    else if (it != NULL && kind == HCSSHIM_KIND_PROCESS)
        it->process = made;
    hcsshim__dll_unlock();
}

/* ---- results ---------------------------------------------------------------
 */

void hcsshim__process_information_take(hcsshim_completion *completion,
                                       hcsshim__process_information *out)
{
    HANDLE files[3];

    for (int i = 0; i < 3; i++) {
        files[i] = completion->files[i] < 0
                       ? NULL
                       : (HANDLE)(intptr_t)completion->files[i];
        completion->files[i] = -1; /* the caller's now */
    }
    *out = (hcsshim__process_information){.process_id = completion->process_id,
                                          .input = files[0],
                                          .output = files[1],
                                          .error = files[2]};
}

/* Wait until it does not run. Called with the lock, which it lets go of. */
static HRESULT wait_done(operation *it, DWORD timeout_ms)
{
    hcsshim__link *link = it->link;
    uint64_t ticket = it->ticket;
    HRESULT hr;

    it->users++;
    hcsshim__dll_unlock();
    hr = hcsshim_ticket_wait(link->service, ticket, timeout_ms);
    hcsshim__dll_lock();
    if (hr >= 0 && it->state == RUNNING) {
        hcsshim_completion completion;

        /* The link's thread may be about to take it: then it tells us. */
        if (hcsshim__slots_get(&link->tickets, ticket) == it) {
            hcsshim__slots_put(&link->tickets, ticket, NULL);
            hcsshim_ticket_take(link->service, ticket, &completion);
            hcsshim__dll_unlock();
            it->answerable.answered(&it->answerable, &completion);
            hcsshim_completion_clear(&completion);
            hcsshim__dll_lock();
        }
    }
    while (it->state == RUNNING && hr != HCSSHIM_E_WAIT_TIMEOUT) {
        hcsshim__dll_unlock(); /* it is being stored at this moment */
        SwitchToThread();
        hcsshim__dll_lock();
    }
    hr = it->state == RUNNING ? HCSSHIM_E_WAIT_TIMEOUT : 0;
    return hr;
}

/* Under the lock, when done. */
static HRESULT give(operation *it, hcsshim__process_information *information,
                    wchar_t **document)
{
    if (information != NULL)
        hcsshim__process_information_take(&it->completion, information);
    if (document != NULL)
        *document =
            hcsshim__text_wide(it->completion.document, it->completion.length);
    return it->completion.hresult;
}

static HRESULT fetch(void *handle, DWORD timeout_ms, HRESULT late,
                     hcsshim__process_information *information,
                     wchar_t **document)
{
    operation *it;
    HRESULT hr = 0;

    if (document != NULL)
        *document = NULL;
    hcsshim__dll_lock();
    it = find(handle);
    if (it == NULL)
        hr = E_HANDLE;
    else if (it->state == UNUSED)
        hr = HCSSHIM_NOT_STARTED;
    else if (information != NULL && it->type != HCSSHIM_TYPE_CREATE_PROCESS &&
             it->type != HCSSHIM_TYPE_GET_PROCESS_INFO)
        hr = E_INVALIDARG;
    if (hr >= 0) {
        it->users++;
        if (it->state == RUNNING && it->link != NULL)
            hr = wait_done(it, timeout_ms);
        hr = it->state == DONE ? give(it, information, document) : late;
        leave(it);
    }
    hcsshim__dll_unlock();
    return hr;
}

HRESULT WINAPI HcsGetOperationResult(void *handle, wchar_t **document)
{
    return fetch(handle, 0, HCSSHIM_HCS_E_OPERATION_PENDING, NULL, document);
}

HRESULT WINAPI HcsGetOperationResultAndProcessInfo(
    void *handle, hcsshim__process_information *information, wchar_t **document)
{
    return fetch(handle, 0, HCSSHIM_HCS_E_OPERATION_PENDING, information,
                 document);
}

HRESULT WINAPI HcsWaitForOperationResult(void *handle, DWORD timeout_ms,
                                         wchar_t **document)
{
    return fetch(handle, timeout_ms, HCSSHIM_OPERATION_TIMEOUT, NULL, document);
}

HRESULT WINAPI HcsWaitForOperationResultAndProcessInfo(
    void *handle, DWORD timeout_ms, hcsshim__process_information *information,
    wchar_t **document)
{
    return fetch(handle, timeout_ms, HCSSHIM_OPERATION_TIMEOUT, information,
                 document);
}

/* ---- what can be asked of it ------------------------------------------------
 */

/* A member of an operation, read under the lock; 'none' if there is no such. */
#define READ(handle, member, none)                                             \
    operation *it;                                                             \
    uint64_t value = (uint64_t)(none);                                         \
    hcsshim__dll_lock();                                                       \
    it = find(handle);                                                         \
    if (it != NULL)                                                            \
        value = (uint64_t)it->member;                                          \
    hcsshim__dll_unlock()

void *WINAPI HcsGetOperationContext(void *handle)
{
    operation *it;
    void *context = NULL;

    hcsshim__dll_lock();
    it = find(handle);
    if (it != NULL)
        context = it->context;
    hcsshim__dll_unlock();
    return context;
}

HRESULT WINAPI HcsSetOperationContext(void *handle, void *context)
{
    operation *it;

    hcsshim__dll_lock();
    it = find(handle);
    if (it != NULL)
        it->context = context;
    hcsshim__dll_unlock();
    return it == NULL ? E_HANDLE : 0;
}

HRESULT WINAPI HcsSetOperationCallback(void *handle, void *context,
                                       hcsshim__completion_callback callback)
{
    operation *it;
    HRESULT hr = 0;

    hcsshim__dll_lock();
    it = find(handle);
    if (it == NULL)
        hr = E_HANDLE;
    else if (it->state == RUNNING)
        hr = HCSSHIM_ALREADY_STARTED;
    else {
        it->context = context;
        it->callback = callback;
    }
    hcsshim__dll_unlock();
    return hr;
}

void *WINAPI HcsGetComputeSystemFromOperation(void *handle)
{
    READ(handle, system, 0);
    return (void *)(uintptr_t)value;
}

void *WINAPI HcsGetProcessFromOperation(void *handle)
{
    READ(handle, process, 0);
    return (void *)(uintptr_t)value;
}

int WINAPI HcsGetOperationType(void *handle)
{
    READ(handle, type, TYPE_NONE);
    return (int)value;
}

UINT64 WINAPI HcsGetOperationId(void *handle)
{
    READ(handle, sequence, INVALID_ID);
    return value;
}

HRESULT WINAPI HcsCancelOperation(void *handle)
{
    operation *it;

    hcsshim__dll_lock();
    it = find(handle);
    hcsshim__dll_unlock();
    return it == NULL ? E_HANDLE : E_NOTIMPL; /* as on Windows */
}

HRESULT WINAPI HcsGetOperationProperties(void *handle, const wchar_t *options,
                                         wchar_t **document)
{
    (void)options;
    if (document != NULL)
        *document = NULL;
    return HcsCancelOperation(handle);
}

HRESULT WINAPI HcsAddResourceToOperation(void *handle, DWORD type,
                                         const wchar_t *uri, HANDLE resource)
{
    (void)type;
    (void)uri;
    (void)resource;
    return HcsCancelOperation(handle);
}
