/*
 * vmcompute.c - the first generation of HCS, told in calls of the second.
 *
 * What takes time answers "pending" and is told by a notification, which waits
 * for whoever registers later: programs register only after create and open.
 * A call that fails within a moment says so itself, with its document.
 */
#include <objbase.h>
#include <stdlib.h>
#include <string.h>

#include "dll/dll.h"

/* The numbers of calls.def by name. */
enum call_number {
#define HCSSHIM_CALL(number, library, name, reach, arguments)                  \
    call_##library##_##name = (number),
#include "native/calls.def"
#undef HCSSHIM_CALL
};
#define CALL(name) ((uint32_t)call_computecore_##name)

/* HCS_NOTIFICATIONS: what tells that a call is done. */
enum {
    NOTIFY_NOTHING = 0,
    NOTIFY_EXITED = 1,
    NOTIFY_CREATED = 2,
    NOTIFY_STARTED = 3,
    NOTIFY_PAUSED = 4,
    NOTIFY_RESUMED = 5,
    NOTIFY_SAVED = 8
};

/* How long a call may take to fail by itself. */
#define MOMENT_MS 200

/* ---- documents --------------------------------------------------------------
 */

static HRESULT give(wchar_t **place, const hcsshim_completion *completion,
                    HRESULT hr)
{
    if (place != NULL)
        *place = hcsshim__text_wide(completion->document, completion->length);
    return hcsshim__v1_code(hr);
}

static void clear(wchar_t **place)
{
    if (place != NULL)
        *place = NULL;
}

/* ---- calls that are waited for
 * ------------------------------------------------ */

/* One text argument of a call, or none. */
struct text {
    char *bytes;
    hcsshim_value value;
};

static HRESULT narrow(struct text *text, const wchar_t *wide)
{
    *text = (struct text){0};
    text->bytes = hcsshim__text_narrow(wide, &text->value.length);
    text->value.text = text->bytes;
    return wide != NULL && text->bytes == NULL ? E_OUTOFMEMORY : 0;
}

/* A call of the service: a text, and an answer of which one is wanted. */
static HRESULT ask_service(uint32_t number, const wchar_t *query,
                           wchar_t **answer, wchar_t **result)
{
    hcsshim_completion completion = {.files = {-1, -1, -1}};
    hcsshim__link *link;
    struct text text;
    HRESULT hr;

    clear(answer);
    clear(result);
    hr = narrow(&text, query);
    if (hr >= 0)
        hr = hcsshim__link_get(&link);
    if (hr >= 0)
        hr =
            hcsshim__link_call(link, number, &text.value, 1, &completion, NULL);
    hr = give(hr < 0 ? result : answer, &completion, hr);
    hcsshim_completion_clear(&completion);
    free(text.bytes);
    return hr;
}

/* A call of a handle with 'texts' text arguments of which 'wide' is the first.
 */
static HRESULT ask_handle(uint32_t number, void *handle, uint8_t kind,
                          const wchar_t *wide, size_t texts, wchar_t **answer,
                          wchar_t **result,
                          hcsshim__process_information *information)
{
    hcsshim_completion completion = {.files = {-1, -1, -1}};
    hcsshim__handle_object object;
    hcsshim_value values[2] = {{0}};
    struct text text;
    HRESULT hr;

    clear(answer);
    clear(result);
    hr = narrow(&text, wide);
    if (hr >= 0)
        hr = hcsshim__handle_find((uintptr_t)handle, kind, &object);
    if (hr >= 0) {
        values[0].number = object.handle;
        values[1] = text.value;
        hr = hcsshim__link_call(object.link, number, values, 1 + texts,
                                &completion, NULL);
    }
    if (hr >= 0 && information != NULL)
        hcsshim__process_information_take(&completion, information);
    hr = give(hr < 0 || answer == NULL ? result : answer, &completion, hr);
    hcsshim_completion_clear(&completion);
    free(text.bytes);
    return hr;
}

/* ---- calls that pend
 * ---------------------------------------------------------- */

/* A call that was not answered in a moment. */
struct pending {
    hcsshim__answerable answerable; /* first: the link knows it by this */
    hcsshim__link *link;
    uint64_t handle;
    uint32_t notification;
};

static void answered(hcsshim__answerable *self, hcsshim_completion *completion)
{
    struct pending *pending = (struct pending *)self;

    if (pending->notification != NOTIFY_NOTHING)
        hcsshim__handle_tell(pending->link, pending->handle,
                             pending->notification,
                             hcsshim__v1_code(completion->hresult),
                             completion->document, completion->length);
    free(pending);
}

/* Have the answer told later. */
static HRESULT pend(hcsshim__link *link, uint64_t ticket, uint64_t handle,
                    uint32_t notification)
{
    struct pending *pending = calloc(1, sizeof *pending);

    if (pending == NULL)
        return E_OUTOFMEMORY;
    pending->answerable.answered = answered;
    pending->link = link;
    pending->handle = handle;
    pending->notification = notification;
    hcsshim__link_await(link, ticket, &pending->answerable);
    return HCSSHIM_V1_PENDING;
}

/* The end of every call that pends: a failure at once, or "pending". */
static HRESULT begun(hcsshim__link *link, uint64_t ticket, uint64_t handle,
                     uint32_t notification, wchar_t **result)
{
    hcsshim_completion completion;
    HRESULT hr;

    if (hcsshim_ticket_wait(link->service, ticket, MOMENT_MS) < 0)
        return pend(link, ticket, handle, notification);
    hr = hcsshim_ticket_take(link->service, ticket, &completion);
    if (hr >= 0)
        hr = completion.hresult;
    if (hr < 0)
        hr = give(result, &completion, hr);
    else {
        if (notification != NOTIFY_NOTHING)
            hcsshim__handle_tell(link, handle, notification, 0,
                                 completion.document, completion.length);
        hr = HCSSHIM_V1_PENDING;
    }
    hcsshim_completion_clear(&completion);
    return hr;
}

static HRESULT begin(uint32_t number, void *system, const wchar_t *options,
                     uint32_t notification, wchar_t **result)
{
    hcsshim__handle_object object;
    hcsshim_value values[2] = {{0}};
    struct text text;
    uint64_t ticket, none;
    HRESULT hr;

    clear(result);
    hr = narrow(&text, options);
    if (hr >= 0)
        hr = hcsshim__handle_find((uintptr_t)system, HCSSHIM_KIND_SYSTEM,
                                  &object);
    if (hr >= 0) {
        values[0].number = object.handle;
        values[1] = text.value;
        hr = hcsshim_service_submit(object.link->service, number, values, 2,
                                    &ticket, &none);
    }
    if (hr >= 0)
        hr = begun(object.link, ticket, object.handle, notification, result);
    free(text.bytes);
    return hr;
}

/* ---- handles
 * ------------------------------------------------------------------ */

static void close_at_host(hcsshim__link *link, uint8_t kind, uint64_t handle)
{
    hcsshim_value value = {.number = handle};
    uint64_t none;

    hcsshim_service_submit(link->service,
                           kind == HCSSHIM_KIND_SYSTEM
                               ? CALL(HcsCloseComputeSystem)
                               : CALL(HcsCloseProcess),
                           &value, 1, NULL, &none);
}

/* Keep a handle; its exit is latched from now on. */
static HRESULT keep(hcsshim__link *link, uint8_t kind, uint64_t handle,
                    void **out)
{
    uint64_t id = hcsshim__handle_add(link, kind, handle, 1);
    HRESULT hr = E_OUTOFMEMORY;

    if (id != 0)
        hr = hcsshim__handle_listen(id, kind, NULL, 0,
                                    kind == HCSSHIM_KIND_SYSTEM
                                        ? CALL(HcsSetComputeSystemCallback)
                                        : CALL(HcsSetProcessCallback));
    if (hr < 0) {
        close_at_host(link, kind, handle);
        return hr;
    }
    *out = (void *)(uintptr_t)id;
    return 0;
}

static HRESULT close_handle(void *handle, uint8_t kind)
{
    hcsshim__handle_object object;
    HRESULT hr = hcsshim__handle_remove((uintptr_t)handle, kind, &object);

    if (hr >= 0)
        close_at_host(object.link, kind, object.handle);
    return hr;
}

/* ---- registrations
 * -------------------------------------------------------------- */

struct registration {
    uint64_t handle; /* the id of the system or process */
    hcsshim__listener *listener;
};

static hcsshim__ids registrations; /* under the one lock */

static HRESULT register_callback(void *handle, uint8_t kind, void *callback,
                                 void *context, void **out)
{
    struct registration *made = calloc(1, sizeof *made);
    uint64_t id;
    HRESULT hr = E_OUTOFMEMORY;

    if (out == NULL || callback == NULL) {
        free(made);
        return E_POINTER;
    }
    *out = NULL;
    if (made != NULL)
        made->listener = hcsshim__listener_new(HCSSHIM_NOTIFICATION_CALLBACK,
                                               callback, context);
    if (made == NULL || made->listener == NULL)
        goto failed;
    made->handle = (uintptr_t)handle;
    hr = hcsshim__handle_listen(made->handle, kind, made->listener, 0, 0);
    if (hr < 0)
        goto failed;
    hcsshim__dll_lock();
    id = hcsshim__ids_add(&registrations, made);
    hcsshim__dll_unlock();
    if (id == 0) {
        hcsshim__handle_unlisten(made->handle, made->listener);
        free(made);
        return E_OUTOFMEMORY;
    }
    *out = (void *)(uintptr_t)id;
    return 0;
failed:
    if (made != NULL)
        hcsshim__listener_end(made->listener);
    free(made);
    return hr;
}

static HRESULT unregister_callback(void *callback)
{
    struct registration *found;

    hcsshim__dll_lock();
    found = hcsshim__ids_remove(&registrations, (uintptr_t)callback);
    hcsshim__dll_unlock();
    if (found == NULL)
        return E_HANDLE;
    hcsshim__handle_unlisten(found->handle, found->listener);
    free(found);
    return 0;
}

/* ---- the exports: systems
 * -------------------------------------------------------- */

#define EXPORT(name, ...)                                                      \
    HRESULT WINAPI name(__VA_ARGS__);                                          \
    HRESULT WINAPI name(__VA_ARGS__)

EXPORT(HcsEnumerateComputeSystems, const wchar_t *query, wchar_t **systems,
       wchar_t **result)
{
    /* An empty query, too, is one for everything. */
    if (query != NULL && *query == L'\0')
        query = NULL;
    return ask_service(CALL(HcsEnumerateComputeSystems), query, systems,
                       result);
}

EXPORT(HcsCreateComputeSystem, const wchar_t *id, const wchar_t *configuration,
       HANDLE identity, void **system, wchar_t **result)
{
    hcsshim__link *link = NULL;
    struct text texts[2] = {{0}};
    hcsshim_value values[2];
    uint64_t ticket, handle;
    HRESULT hr;

    (void)identity;
    clear(result);
    if (system == NULL)
        return E_POINTER;
    *system = NULL;
    hr = narrow(&texts[0], id);
    if (hr >= 0)
        hr = narrow(&texts[1], configuration);
    if (hr >= 0)
        hr = hcsshim__link_get(&link);
    if (hr >= 0) {
        values[0] = texts[0].value;
        values[1] = texts[1].value;
        hr = hcsshim_service_submit(link->service, CALL(HcsCreateComputeSystem),
                                    values, 2, &ticket, &handle);
    }
    if (hr >= 0)
        hr = keep(link, HCSSHIM_KIND_SYSTEM, handle, system);
    if (hr >= 0)
        hr = begun(link, ticket, handle, NOTIFY_CREATED, result);
    if (hr < 0 && hr != HCSSHIM_V1_PENDING && *system != NULL) {
        close_handle(*system, HCSSHIM_KIND_SYSTEM);
        *system = NULL;
    }
    free(texts[0].bytes);
    free(texts[1].bytes);
    return hr;
}

EXPORT(HcsOpenComputeSystem, const wchar_t *id, void **system, wchar_t **result)
{
    hcsshim_completion completion = {.files = {-1, -1, -1}};
    hcsshim__link *link = NULL;
    hcsshim_value values[2];
    struct text text;
    uint64_t handle = 0;
    HRESULT hr;

    clear(result);
    if (system == NULL)
        return E_POINTER;
    *system = NULL;
    hr = narrow(&text, id);
    if (hr >= 0)
        hr = hcsshim__link_get(&link);
    if (hr >= 0) {
        values[0] = text.value;
        values[1] = (hcsshim_value){.number = GENERIC_ALL};
        hr = hcsshim__link_call(link, CALL(HcsOpenComputeSystem), values, 2,
                                &completion, &handle);
        if (hr >= 0)
            hr = keep(link, HCSSHIM_KIND_SYSTEM, handle, system);
        else if (handle != 0)
            close_at_host(link, HCSSHIM_KIND_SYSTEM, handle);
    }
    if (hr < 0)
        hr = give(result, &completion, hr);
    hcsshim_completion_clear(&completion);
    free(text.bytes);
    return hr;
}

EXPORT(HcsCloseComputeSystem, void *system)
{
    return close_handle(system, HCSSHIM_KIND_SYSTEM);
}

EXPORT(HcsStartComputeSystem, void *system, const wchar_t *options,
       wchar_t **result)
{
    return begin(CALL(HcsStartComputeSystem), system, options, NOTIFY_STARTED,
                 result);
}

EXPORT(HcsShutdownComputeSystem, void *system, const wchar_t *options,
       wchar_t **result)
{
    return begin(CALL(HcsShutDownComputeSystem), system, options,
                 NOTIFY_NOTHING, result);
}

EXPORT(HcsTerminateComputeSystem, void *system, const wchar_t *options,
       wchar_t **result)
{
    return begin(CALL(HcsTerminateComputeSystem), system, options,
                 NOTIFY_NOTHING, result);
}

EXPORT(HcsPauseComputeSystem, void *system, const wchar_t *options,
       wchar_t **result)
{
    return begin(CALL(HcsPauseComputeSystem), system, options, NOTIFY_PAUSED,
                 result);
}

EXPORT(HcsResumeComputeSystem, void *system, const wchar_t *options,
       wchar_t **result)
{
    return begin(CALL(HcsResumeComputeSystem), system, options, NOTIFY_RESUMED,
                 result);
}

EXPORT(HcsSaveComputeSystem, void *system, const wchar_t *options,
       wchar_t **result)
{
    return begin(CALL(HcsSaveComputeSystem), system, options, NOTIFY_SAVED,
                 result);
}

EXPORT(HcsGetComputeSystemProperties, void *system, const wchar_t *query,
       wchar_t **properties, wchar_t **result)
{
    if (query != NULL && *query == L'\0')
        query = NULL;
    return ask_handle(CALL(HcsGetComputeSystemProperties), system,
                      HCSSHIM_KIND_SYSTEM, query, 1, properties, result, NULL);
}

EXPORT(HcsModifyComputeSystem, void *system, const wchar_t *configuration,
       wchar_t **result)
{
    return ask_handle(CALL(HcsModifyComputeSystem), system, HCSSHIM_KIND_SYSTEM,
                      configuration, 1, NULL, result, NULL);
}

EXPORT(HcsModifyServiceSettings, const wchar_t *settings, wchar_t **result)
{
    return ask_service(CALL(HcsModifyServiceSettings), settings, NULL, result);
}

EXPORT(HcsGetServiceProperties, const wchar_t *query, wchar_t **properties,
       wchar_t **result)
{
    if (query != NULL && *query == L'\0')
        query = NULL;
    return ask_service(CALL(HcsGetServiceProperties), query, properties,
                       result);
}

EXPORT(HcsRegisterComputeSystemCallback, void *system, void *callback,
       void *context, void **registration)
{
    return register_callback(system, HCSSHIM_KIND_SYSTEM, callback, context,
                             registration);
}

EXPORT(HcsUnregisterComputeSystemCallback, void *registration)
{
    return unregister_callback(registration);
}

/* ---- the exports: processes
 * ------------------------------------------------------ */

/* Create and open: a call of a system that makes a process. */
static HRESULT make_process(uint32_t number, void *system,
                            const hcsshim_value *values, size_t count,
                            hcsshim__process_information *information,
                            void **process, wchar_t **result)
{
    hcsshim_completion completion = {.files = {-1, -1, -1}};
    hcsshim__handle_object object;
    hcsshim_value all[3];
    uint64_t handle = 0;
    HRESULT hr;

    clear(result);
    if (process == NULL)
        return E_POINTER;
    *process = NULL;
    hr = hcsshim__handle_find((uintptr_t)system, HCSSHIM_KIND_SYSTEM, &object);
    if (hr < 0)
        return hr;
    all[0] = (hcsshim_value){.number = object.handle};
    memcpy(all + 1, values, count * sizeof *values);
    hr = hcsshim__link_call(object.link, number, all, 1 + count, &completion,
                            &handle);
    if (hr >= 0)
        hr = keep(object.link, HCSSHIM_KIND_PROCESS, handle, process);
    else if (handle != 0)
        close_at_host(object.link, HCSSHIM_KIND_PROCESS, handle);
    if (hr >= 0 && information != NULL)
        hcsshim__process_information_take(&completion, information);
    if (hr < 0)
        hr = give(result, &completion, hr);
    hcsshim_completion_clear(&completion);
    return hr;
}

EXPORT(HcsCreateProcess, void *system, const wchar_t *parameters,
       hcsshim__process_information *information, void **process,
       wchar_t **result)
{
    struct text text;
    HRESULT hr = narrow(&text, parameters);

    if (hr >= 0)
        hr = make_process(CALL(HcsCreateProcess), system, &text.value, 1,
                          information, process, result);
    free(text.bytes);
    return hr;
}

EXPORT(HcsOpenProcess, void *system, DWORD process_id, void **process,
       wchar_t **result)
{
    const hcsshim_value values[2] = {{.number = process_id},
                                     {.number = GENERIC_ALL}};

    return make_process(CALL(HcsOpenProcess), system, values, 2, NULL, process,
                        result);
}

EXPORT(HcsCloseProcess, void *process)
{
    return close_handle(process, HCSSHIM_KIND_PROCESS);
}

EXPORT(HcsTerminateProcess, void *process, wchar_t **result)
{
    return ask_handle(CALL(HcsTerminateProcess), process, HCSSHIM_KIND_PROCESS,
                      NULL, 1, NULL, result, NULL);
}

EXPORT(HcsSignalProcess, void *process, const wchar_t *options,
       wchar_t **result)
{
    return ask_handle(CALL(HcsSignalProcess), process, HCSSHIM_KIND_PROCESS,
                      options, 1, NULL, result, NULL);
}

EXPORT(HcsGetProcessInfo, void *process,
       hcsshim__process_information *information, wchar_t **result)
{
    return ask_handle(CALL(HcsGetProcessInfo), process, HCSSHIM_KIND_PROCESS,
                      NULL, 0, NULL, result, information);
}

EXPORT(HcsGetProcessProperties, void *process, wchar_t **properties,
       wchar_t **result)
{
    return ask_handle(CALL(HcsGetProcessProperties), process,
                      HCSSHIM_KIND_PROCESS, NULL, 1, properties, result, NULL);
}

EXPORT(HcsModifyProcess, void *process, const wchar_t *settings,
       wchar_t **result)
{
    return ask_handle(CALL(HcsModifyProcess), process, HCSSHIM_KIND_PROCESS,
                      settings, 1, NULL, result, NULL);
}

EXPORT(HcsRegisterProcessCallback, void *process, void *callback, void *context,
       void **registration)
{
    return register_callback(process, HCSSHIM_KIND_PROCESS, callback, context,
                             registration);
}

EXPORT(HcsUnregisterProcessCallback, void *registration)
{
    return unregister_callback(registration);
}
