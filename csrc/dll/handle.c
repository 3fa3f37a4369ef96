/* handle.c - what HCS_SYSTEM, HCS_PROCESS and HCN_NETWORK stand for. */
#include <stdlib.h>
#include <string.h>

#include "dll/computecore.h"
#include "dll/dll.h"

/* computecore alone numbers the loss of the service differently. */
#define OLD_SERVICE_DISCONNECT 0x01000000u

static hcsshim__ids handles; /* under the one lock */

/* Under the lock. */
static hcsshim__handle_object *find(uint64_t id, uint8_t kind)
{
    hcsshim__handle_object *object = hcsshim__ids_find(&handles, id);

    return object == NULL || (kind != 0 && object->kind != kind) ? NULL
                                                                 : object;
}

uint64_t hcsshim__handle_add(hcsshim__link *link, uint8_t kind, uint64_t handle,
                             int latches)
{
    hcsshim__handle_object *object = calloc(1, sizeof *object);
    uint64_t id = 0;

    if (object == NULL)
        return 0;
    object->kind = kind;
    object->link = link;
    object->handle = handle;
    object->latches = latches;
    hcsshim__dll_lock();
    if (hcsshim__slots_put(&link->handles, handle, object))
        id = hcsshim__ids_add(&handles, object);
    object->id = id;
    if (id == 0)
        hcsshim__slots_put(&link->handles, handle, NULL);
    hcsshim__dll_unlock();
    if (id == 0)
        free(object);
    return id;
}

HRESULT hcsshim__handle_find(uint64_t id, uint8_t kind,
                             hcsshim__handle_object *out)
{
    const hcsshim__handle_object *object;

    hcsshim__dll_lock();
    object = find(id, kind);
    if (object != NULL)
        *out = *object;
    hcsshim__dll_unlock();
    return object == NULL ? HCSSHIM_STALE_HANDLE : 0;
}

static void free_notices(hcsshim__notice *notice)
{
    while (notice != NULL) {
        hcsshim__notice *next = notice->next;

        free(notice->text);
        free(notice);
        notice = next;
    }
}

HRESULT hcsshim__handle_remove(uint64_t id, uint8_t kind,
                               hcsshim__handle_object *out)
{
    hcsshim__handle_object *object;

    hcsshim__dll_lock();
    object = find(id, kind);
    if (object != NULL) {
        hcsshim__ids_remove(&handles, id);
        hcsshim__slots_put(&object->link->handles, object->handle, NULL);
    }
    hcsshim__dll_unlock();
    if (object == NULL)
        return HCSSHIM_STALE_HANDLE;
    hcsshim_handle_listen(object->link->service, object->handle, NULL);
    hcsshim__listener_end(object->listener);
    free_notices(object->latched);
    *out = *object;
    free(object);
    return 0;
}

/* Give a new listener what came before it. Under the lock. */
static void tell_latched(hcsshim__handle_object *object)
{
    for (const hcsshim__notice *notice = object->latched; notice != NULL;
         notice = notice->next)
        hcsshim__listener_tell(object->listener, notice->type, notice->status,
                               notice->text, notice->length, 0);
    free_notices(object->latched);
    object->latched = NULL;
}

HRESULT hcsshim__handle_listen(uint64_t id, uint8_t kind,
                               hcsshim__listener *listener, uint32_t options,
                               uint32_t set_callback)
{
    hcsshim__handle_object copy;
    hcsshim__listener *before = NULL;
    hcsshim__handle_object *object;
    hcsshim_value values[2] = {{0}};
    uint64_t none;
    HRESULT hr = 0;

    hcsshim__dll_lock();
    object = find(id, kind);
    if (object == NULL)
        hr = HCSSHIM_STALE_HANDLE;
    else if (listener != NULL && object->latches && object->listener != NULL)
        hr = HCSSHIM_CALLBACK_ALREADY_SET;
    if (hr >= 0) {
        if (!object->latches || listener != NULL) {
            before = object->listener;
            object->listener = listener;
            object->options = options;
        }
        if (listener != NULL)
            tell_latched(object);
        copy = *object;
    }
    hcsshim__dll_unlock();
    if (hr < 0)
        return hr;
    hcsshim__listener_end(before);
    hr = hcsshim_handle_listen(copy.link->service, copy.handle,
                               copy.link->queue);
    if (hr < 0 || set_callback == 0)
        return hr;
    values[0].number = copy.handle;
    values[1].number = options;
    return hcsshim_service_submit(copy.link->service, set_callback, values, 2,
                                  NULL, &none);
}

void hcsshim__handle_unlisten(uint64_t id, hcsshim__listener *listener)
{
    hcsshim__handle_object *object;

    hcsshim__dll_lock();
    object = find(id, 0);
    if (object != NULL && object->listener == listener)
        object->listener = NULL;
    else
        listener = NULL; /* who closed the handle ended it */
    hcsshim__dll_unlock();
    hcsshim__listener_end(listener);
}

/* HCS_EVENT_TYPE as HCS_NOTIFICATIONS; what v1 knows not stays as it is. */
static uint32_t v1_type(uint32_t type)
{
    switch (type) {
    case 0x02: /* SystemCrashInitiated */
        return 0x0D;
    case 0x03: /* SystemCrashReport */
        return 0x06;
    case 0x04: /* SystemRdpEnhancedModeStateChanged */
        return 0x09;
    case 0x05: /* SystemSiloJobCreated */
        return 0x07;
    case 0x06: /* SystemGuestConnectionClosed */
        return 0x0E;
    case HCSSHIM_EVENT_SERVICE_DISCONNECT:
        return OLD_SERVICE_DISCONNECT;
    default:
        return type;
    }
}

HRESULT hcsshim__v1_code(HRESULT hr)
{
    uint32_t code = (uint32_t)hr;

    if (code >= 0x80370100u && code <= 0x80370113u)
        return (HRESULT)(code ^ 0x40000000u);
    return hr;
}

/* Keep what nobody listens to yet. Under the lock. */
static void latch(hcsshim__handle_object *object, uint32_t type, HRESULT status,
                  const char *text, size_t length)
{
    hcsshim__notice *notice = calloc(1, sizeof *notice), **end;

    if (notice == NULL)
        return;
    notice->type = type;
    notice->status = status;
    if (text != NULL && (notice->text = malloc(length + 1)) != NULL) {
        memcpy(notice->text, text, length);
        notice->length = length;
    }
    for (end = &object->latched; *end != NULL; end = &(*end)->next)
        ;
    *end = notice;
}

/* Under the lock. */
static void tell(hcsshim__handle_object *object, uint32_t type, HRESULT status,
                 const char *text, size_t length)
{
    if (object->listener != NULL)
        hcsshim__listener_tell(object->listener, type, status, text, length, 0);
    else if (object->latches)
        latch(object, type, status, text, length);
}

/* Under the lock; NULL if the handle was closed. */
static hcsshim__handle_object *object_of(hcsshim__link *link, uint64_t handle)
{
    hcsshim__handle_object *object = hcsshim__slots_get(&link->handles, handle);

    return object == NULL || object->handle != handle ? NULL : object;
}

void hcsshim__handle_tell(hcsshim__link *link, uint64_t handle, uint32_t type,
                          HRESULT status, const char *text, size_t length)
{
    hcsshim__handle_object *object;

    hcsshim__dll_lock();
    object = object_of(link, handle);
    if (object != NULL)
        tell(object, type, status, text, length);
    hcsshim__dll_unlock();
}

void hcsshim__handle_event(hcsshim__link *link, uint64_t handle, uint32_t type,
                           HRESULT status, const char *text, size_t length)
{
    hcsshim__handle_object *object;

    hcsshim__dll_lock();
    object = object_of(link, handle);
    if (object != NULL && object->latches) {
        type = v1_type(type);
        status = hcsshim__v1_code(status);
    } else if (object != NULL && object->kind == HCSSHIM_KIND_OBJECT &&
               type == HCSSHIM_EVENT_SERVICE_DISCONNECT) {
        type = OLD_SERVICE_DISCONNECT;
    }
    if (object != NULL)
        tell(object, type, status, text, length);
    hcsshim__dll_unlock();
}

void hcsshim__handle_tell_operation(uint64_t system, uint64_t process,
                                    uint32_t type, uint64_t operation)
{
    hcsshim__handle_object *object = find(process != 0 ? process : system, 0);

    if (object != NULL && object->listener != NULL)
        hcsshim__listener_tell(object->listener, type, 0, NULL, 0, operation);
}
