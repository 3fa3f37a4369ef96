/*
 * link.c - the process's connection to the host, and the thread that takes
 * answers and events from it.
 */
#include <stdlib.h>
#include <string.h>

#include "dll/dll.h"
#include "native/wire.h"

#define EVENTS_AT_ONCE 64
#define USUAL_TEXT 4096
#define LONGEST_PATH 300

/* All that a DLL keeps; its threads may need it until the process ends. */
static struct {
    SRWLOCK lock;
    SRWLOCK connecting;
    hcsshim__link *current;
} process;

void hcsshim__dll_lock(void) { AcquireSRWLockExclusive(&process.lock); }

void hcsshim__dll_unlock(void) { ReleaseSRWLockExclusive(&process.lock); }

/* ---- slots --------------------------------------------------------------- */

int hcsshim__slots_put(hcsshim__slots *slots, uint64_t id, void *item)
{
    size_t index = (uint32_t)id;

    if (index >= slots->size) {
        size_t size = slots->size == 0 ? 64 : slots->size;
        struct hcsshim__slot *items;

        while (size <= index)
            size *= 2;
        items = realloc(slots->items, size * sizeof *items);
        if (items == NULL)
            return 0;
        memset(items + slots->size, 0, (size - slots->size) * sizeof *items);
        slots->items = items;
        slots->size = size;
    }
    slots->items[index] = (struct hcsshim__slot){id, item};
    return 1;
}

void *hcsshim__slots_get(const hcsshim__slots *slots, uint64_t id)
{
    size_t index = (uint32_t)id;

    return index < slots->size && slots->items[index].id == id
               ? slots->items[index].item
               : NULL;
}

/* ---- the thread ---------------------------------------------------------- */

/* A call was answered: tell who waits for it. */
static void dispatch_ticket(hcsshim__link *link, uint64_t ticket)
{
    hcsshim_completion completion;
    hcsshim__answerable *who;

    hcsshim__dll_lock();
    who = hcsshim__slots_get(&link->tickets, ticket);
    if (who != NULL)
        hcsshim__slots_put(&link->tickets, ticket, NULL);
    hcsshim__dll_unlock();
    if (who == NULL)
        return; /* somebody took the answer already */
    if (hcsshim_ticket_take(link->service, ticket, &completion) < 0)
        completion.hresult = HCSSHIM_HCS_E_SERVICE_DISCONNECT;
    who->answered(who, &completion);
    hcsshim_completion_clear(&completion);
}

static void dispatch(hcsshim__link *link, const hcsshim_event *event,
                     const char *text)
{
    int none = event->length == HCSSHIM_NO_TEXT;

    if (event->type == HCSSHIM_EVENT_TICKET)
        dispatch_ticket(link, event->source);
    else
        hcsshim__handle_event(link, event->source, event->type, event->status,
                              none ? NULL : text + event->offset,
                              none ? 0 : event->length);
}

static DWORD WINAPI drain(void *context)
{
    hcsshim__link *link = context;
    hcsshim_event events[EVENTS_AT_ONCE];
    size_t size = USUAL_TEXT, needed = 0;
    char *text = malloc(size);

    while (text != NULL) {
        size_t count;

        if (needed > size) {
            char *larger = realloc(text, needed);

            if (larger == NULL)
                break;
            text = larger;
            size = needed;
        }
        count = hcsshim_queue_drain(link->queue, INFINITE, events,
                                    EVENTS_AT_ONCE, text, size, &needed);
        for (size_t i = 0; i < count; i++)
            dispatch(link, &events[i], text);
    }
    free(text);
    return 0;
}

/* ---- connecting ---------------------------------------------------------- */

/* Where the host listens: HCSSHIM_HOST, or the pipe of the user. */
static size_t host_path(char *path)
{
    wchar_t wide[LONGEST_PATH], user[LONGEST_PATH];
    DWORD length = GetEnvironmentVariableW(L"HCSSHIM_HOST", wide, LONGEST_PATH);
    char *narrow;
    size_t size;

    if (length == 0 || length >= LONGEST_PATH) {
        length = GetEnvironmentVariableW(L"USERNAME", user, LONGEST_PATH);
        if (length == 0 || length >= LONGEST_PATH - 32)
            return 0;
        wcscpy(wide, L"\\\\.\\pipe\\hcsshim-");
        wcscat(wide, user);
    }
    narrow = hcsshim__text_narrow(wide, &size);
    if (narrow == NULL || size > LONGEST_PATH)
        size = 0;
    else
        memcpy(path, narrow, size);
    free(narrow);
    return size;
}

/* Stay loaded: the threads of this DLL do not end before the process. */
static void stay(void)
{
    HMODULE self;

    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN |
                           GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       (const wchar_t *)(void *)&process, &self);
}

/* Connect to the host, which is started if there is none. */
static HRESULT connect_service(const char *path, size_t length,
                               hcsshim_service **service)
{
    static const char name[] = "dll";
    HRESULT hr =
        hcsshim_service_connect(path, length, name, sizeof name - 1, service);

    if (hr != HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND))
        return hr;
    hr = hcsshim__host_start();
    if (hr >= 0)
        hr = hcsshim_service_connect(path, length, name, sizeof name - 1,
                                     service);
    return hr == HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)
               ? HCSSHIM_SERVICE_NOT_ACTIVE
               : hr;
}

static HRESULT connect_link(hcsshim__link *link)
{
    char path[LONGEST_PATH];
    size_t length = host_path(path);
    HRESULT hr;

    if (length == 0)
        return HCSSHIM_SERVICE_NOT_ACTIVE;
    hr = hcsshim_queue_new(&link->queue);
    if (hr < 0)
        return hr;
    hr = connect_service(path, length, &link->service);
    if (hr < 0)
        return hr;
    link->dispatcher = CreateThread(NULL, 0, drain, link, 0, NULL);
    return link->dispatcher == NULL ? E_OUTOFMEMORY : 0;
}

static HRESULT make_link(hcsshim__link **out)
{
    hcsshim__link *link = calloc(1, sizeof *link);
    HRESULT hr;

    if (link == NULL)
        return E_OUTOFMEMORY;
    hr = connect_link(link);
    if (hr < 0) {
        hcsshim_service_free(link->service);
        hcsshim_queue_free(link->queue);
        free(link);
        return hr;
    }
    stay();
    *out = link;
    return 0;
}

static hcsshim__link *living(void)
{
    hcsshim__link *link;

    hcsshim__dll_lock();
    link = process.current;
    hcsshim__dll_unlock();
    return link != NULL && hcsshim_service_alive(link->service) ? link : NULL;
}

HRESULT hcsshim__link_get(hcsshim__link **out)
{
    HRESULT hr = 0;

    *out = living();
    if (*out != NULL)
        return 0;
    AcquireSRWLockExclusive(&process.connecting);
    *out = living(); /* another thread may have been quicker */
    if (*out == NULL)
        hr = make_link(out);
    if (hr >= 0) {
        hcsshim__dll_lock();
        if (process.current != *out) {
            (*out)->older = process.current;
            process.current = *out;
        }
        hcsshim__dll_unlock();
    }
    ReleaseSRWLockExclusive(&process.connecting);
    return hr;
}

/* ---- calls ----------------------------------------------------------------
 */

HRESULT hcsshim__link_call(hcsshim__link *link, uint32_t call,
                           const hcsshim_value *values, size_t count,
                           hcsshim_completion *completion, uint64_t *handle)
{
    uint64_t ticket, made;
    HRESULT hr;

    *completion = (hcsshim_completion){.files = {-1, -1, -1}};
    hr = hcsshim_service_submit(link->service, call, values, count, &ticket,
                                &made);
    if (handle != NULL)
        *handle = made;
    if (hr < 0)
        return hr;
    hr = hcsshim_ticket_wait(link->service, ticket, INFINITE);
    if (hr >= 0)
        hr = hcsshim_ticket_take(link->service, ticket, completion);
    return hr < 0 ? hr : completion->hresult;
}

HRESULT hcsshim__link_await(hcsshim__link *link, uint64_t ticket,
                            hcsshim__answerable *who)
{
    int kept;
    HRESULT hr;

    hcsshim__dll_lock();
    kept = hcsshim__slots_put(&link->tickets, ticket, who);
    hcsshim__dll_unlock();
    if (!kept)
        return E_OUTOFMEMORY;
    hr = hcsshim_ticket_notify(link->service, ticket, link->queue);
    if (hr == 1) /* answered before: the thread shall tell it all the same */
        hr = hcsshim_queue_post(link->queue, ticket, HCSSHIM_EVENT_TICKET, 0,
                                NULL, 0);
    return hr;
}
