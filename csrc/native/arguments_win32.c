/* arguments_win32.c - a call's values as the arguments of an exported function.
 */
#include <objbase.h>
#include <stdlib.h>
#include <string.h>

#include "native/hresult.h"
#include "native/system_win32.h"

#define FILTER_DRIVER 1 /* the flavour of DriverInfo that every host has */

/* As virtdisk.dll wants to be told that a file is a VHDX. */
typedef struct storage_type {
    ULONG device;
    GUID vendor;
} storage_type;

static const storage_type vhdx = {
    3,
    {0xEC984AEC,
     0xA0F9,
     0x47E9,
     {0x90, 0x1F, 0x71, 0x41, 0x5A, 0x66, 0x34, 0x5B}}};

int hcsshim__row_has(const hcsshim_call_row *row, uint8_t kind)
{
    for (const uint8_t *at = row->kinds; *at != HCSSHIM_KIND_END; at++)
        if (*at == kind)
            return 1;
    return 0;
}

int32_t hcsshim__export_find(const char *dll, const char *name,
                             FARPROC *function)
{
    char file[32];
    HMODULE module;

    *function = NULL;
    if (strlen(dll) > sizeof file - 5)
        return HCSSHIM_E_INVALIDARG;
    strcpy(file, dll);
    strcat(file, ".dll");
    /* Loading it again only counts; it is never let go of. */
    module = LoadLibraryExA(file, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (module == NULL)
        return hcsshim__hresult_from_win32(ERROR_MOD_NOT_FOUND);
    *function = GetProcAddress(module, name);
    return *function == NULL ? hcsshim__hresult_from_win32(ERROR_PROC_NOT_FOUND)
                             : 0;
}

/* ---- in -------------------------------------------------------------------
 */

static void add(hcsshim__native_call *call, uintptr_t argument)
{
    if (call->count < HCSSHIM_MOST_ARGUMENTS)
        call->arguments[call->count++] = argument;
}

static int32_t add_text(hcsshim__native_call *call, const hcsshim_value *value)
{
    wchar_t *text = hcsshim__text_wide(value->text, value->length);

    if (value->text != NULL && text == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    call->texts[call->text_count++] = text;
    add(call, (uintptr_t)text);
    return 0;
}

static int32_t add_guid(hcsshim__native_call *call, const hcsshim_value *value)
{
    char text[HCSSHIM_GUID_TEXT] = "";

    add(call, (uintptr_t)&call->guid);
    if (value->text == NULL)
        return 0; /* zeros */
    if (value->length != HCSSHIM_GUID_TEXT - 1)
        return HCSSHIM_E_INVALIDARG;
    memcpy(text, value->text, value->length);
    return hcsshim__guid_read(text, &call->guid) ? 0 : HCSSHIM_E_INVALIDARG;
}

static int32_t add_layers(hcsshim__native_call *call,
                          const hcsshim_value *value)
{
    int32_t hr = hcsshim__layers_read(value->text, value->length, &call->layers,
                                      &call->layer_count);

    add(call, (uintptr_t)call->layers);
    add(call, call->layer_count);
    return hr;
}

/* Open a disk's file: as a virtual disk, or as builds before 19041 want it. */
static int32_t open_disk(const wchar_t *path, HANDLE *out)
{
    union {
        FARPROC any;
        DWORD(WINAPI *call)
        (const storage_type *, const wchar_t *, DWORD, DWORD, void *, HANDLE *);
    } function;
    DWORD code = ERROR_NOT_SUPPORTED;

    if (hcsshim__export_find("virtdisk", "OpenVirtualDisk", &function.any) >= 0)
        code = function.call(&vhdx, path, 0x003F0000, 0, NULL, out);
    if (code == ERROR_SUCCESS)
        return 0;
    *out = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ,
                       NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (*out != INVALID_HANDLE_VALUE)
        return 0;
    *out = NULL;
    return hcsshim__hresult_from_win32(GetLastError());
}

static int32_t add_disk(hcsshim__native_call *call, const hcsshim_value *value)
{
    wchar_t *path = hcsshim__text_wide(value->text, value->length);
    int32_t hr = 0;

    if (path != NULL)
        hr = open_disk(path, &call->disk);
    else if (value->text != NULL)
        hr = HCSSHIM_E_OUTOFMEMORY;
    CoTaskMemFree(path);
    add(call, (uintptr_t)call->disk);
    return hr;
}

static void add_buffer(hcsshim__native_call *call)
{
    add(call, (uintptr_t)&call->length);
    add(call, 0); /* first only the length is asked for */
}

/* A handle among the values: what Windows knows it by. */
static int32_t add_handle(hcsshim__native_call *call,
                          const hcsshim_value *value)
{
    hcsshim__native_handle *handle = call->on;
    void *native;

    if (handle == NULL || handle->id != value->number)
        return HCSSHIM_E_HANDLE;
    hcsshim__mutex_lock(&call->service->lock);
    native = handle->native;
    hcsshim__mutex_unlock(&call->service->lock);
    add(call, (uintptr_t)native);
    return native == NULL ? HCSSHIM_E_HANDLE : 0;
}

static const hcsshim__driver driver = {FILTER_DRIVER, L""};

/* What takes a value: returns 1, or 0 for other kinds. */
static int add_value(hcsshim__native_call *call, uint8_t kind,
                     const hcsshim_value *value, int32_t *hr)
{
    switch (kind) {
    case HCSSHIM_KIND_TEXT:
        *hr = add_text(call, value);
        return 1;
    case HCSSHIM_KIND_GUID:
        *hr = add_guid(call, value);
        return 1;
    case HCSSHIM_KIND_LAYERS:
        *hr = add_layers(call, value);
        return 1;
    case HCSSHIM_KIND_DISK:
        *hr = add_disk(call, value);
        return 1;
    case HCSSHIM_KIND_U16:
    case HCSSHIM_KIND_U32:
    case HCSSHIM_KIND_U64:
        add(call, (uintptr_t)value->number);
        return 1;
    case HCSSHIM_KIND_SYSTEM:
    case HCSSHIM_KIND_PROCESS:
    case HCSSHIM_KIND_OBJECT:
        *hr = add_handle(call, value);
        return 1;
    default:
        return 0;
    }
}

static void add_other(hcsshim__native_call *call, uint8_t kind)
{
    switch (kind) {
    case HCSSHIM_KIND_OUT_SYSTEM:
    case HCSSHIM_KIND_OUT_PROCESS:
    case HCSSHIM_KIND_OUT_OBJECT:
        add(call, (uintptr_t)&call->out);
        break;
    case HCSSHIM_KIND_OPERATION:
        add(call, (uintptr_t)call->operation);
        break;
    case HCSSHIM_KIND_OUT_TEXT:
        add(call, (uintptr_t)&call->answer);
        break;
    case HCSSHIM_KIND_RESULT:
        add(call, (uintptr_t)&call->result);
        break;
    case HCSSHIM_KIND_ERROR_RECORD:
        add(call, (uintptr_t)&call->record);
        break;
    case HCSSHIM_KIND_LAYER_DRIVER:
        add(call, (uintptr_t)&driver);
        break;
    case HCSSHIM_KIND_OUT_U32:
        add(call, (uintptr_t)&call->number);
        break;
    case HCSSHIM_KIND_OUT_GUID:
        add(call, (uintptr_t)&call->guid_out);
        break;
    case HCSSHIM_KIND_OUT_BUFFER:
        add_buffer(call);
        break;
    case HCSSHIM_KIND_OUT_PROCESS_INFORMATION:
        add(call, (uintptr_t)&call->pipes);
        break;
    default: /* callbacks are set elsewhere; the rest is NULL */
        add(call, 0);
        break;
    }
}

int32_t hcsshim__native_call_fill(hcsshim__native_call *call,
                                  const struct hcsshim__submission *submission)
{
    const hcsshim_value *value = submission->values;
    int32_t hr = 0;

    for (const uint8_t *kind = call->row->kinds;
         *kind != HCSSHIM_KIND_END && hr >= 0; kind++) {
        if (add_value(call, *kind, value, &hr))
            value++;
        else
            add_other(call, *kind);
    }
    return hr;
}

/* ---- the call ---------------------------------------------------------------
 */

/* Arguments that a function does not have do no harm in this convention. */
static int32_t call_function(hcsshim__native_call *call)
{
    const uintptr_t *a = call->arguments;
    union {
        FARPROC any;
        HRESULT(WINAPI *call)
        (uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
         uintptr_t, uintptr_t, uintptr_t, uintptr_t);
    } function = {call->function};

    return function.call(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8],
                         a[9]);
}

int32_t hcsshim__native_call_run(hcsshim__native_call *call)
{
    int32_t hr = call_function(call);

    if (hr < 0 || !hcsshim__row_has(call->row, HCSSHIM_KIND_OUT_BUFFER) ||
        call->length == 0)
        return hr;
    call->buffer = CoTaskMemAlloc((call->length + 1) * sizeof *call->buffer);
    if (call->buffer == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    call->buffer[0] = L'\0';
    call->arguments[call->count - 1] = (uintptr_t)call->buffer;
    hr = call_function(call);
    call->buffer[call->length] = L'\0';
    return hr;
}

/* ---- out
 * --------------------------------------------------------------------- */

void hcsshim__document_take(hcsshim_completion *completion, wchar_t *text)
{
    if (text == NULL)
        return;
    free(completion->document);
    completion->document = hcsshim__text_narrow(text, &completion->length);
    CoTaskMemFree(text);
}

static void take_number(hcsshim_completion *completion, UINT32 number)
{
    char text[16];

    _ultoa(number, text, 10);
    completion->document = _strdup(text);
    completion->length = completion->document == NULL ? 0 : strlen(text);
}

static void take_guid(hcsshim_completion *completion, const GUID *guid)
{
    completion->document = malloc(HCSSHIM_GUID_TEXT);
    if (completion->document == NULL)
        return;
    hcsshim__guid_write(guid, completion->document);
    completion->length = HCSSHIM_GUID_TEXT - 1;
}

void hcsshim__native_call_outcome(hcsshim__native_call *call, int32_t hr,
                                  hcsshim_completion *completion)
{
    wchar_t **text = &call->answer;

    *completion = (hcsshim_completion){.hresult = hr, .files = {-1, -1, -1}};
    if (hr < 0)
        text = call->record != NULL ? &call->record : &call->result;
    else if (call->answer == NULL)
        text = call->buffer != NULL ? &call->buffer : &call->result;
    hcsshim__document_take(completion, *text);
    *text = NULL;
    if (hr >= 0 && hcsshim__row_has(call->row, HCSSHIM_KIND_OUT_U32))
        take_number(completion, call->number);
    if (hr >= 0 && hcsshim__row_has(call->row, HCSSHIM_KIND_OUT_GUID))
        take_guid(completion, &call->guid_out);
}

hcsshim__native_call *
hcsshim__native_call_new(hcsshim_service *service, const hcsshim_call_row *row,
                         const struct hcsshim__submission *submission,
                         hcsshim__native_handle *made)
{
    hcsshim__native_call *call = calloc(1, sizeof *call);

    if (call == NULL) {
        if (made != NULL)
            hcsshim__native_leave(made);
        hcsshim__native_answer(service, submission->ticket,
                               HCSSHIM_E_OUTOFMEMORY);
        return NULL;
    }
    call->users = 1;
    call->service = service;
    call->row = row;
    call->ticket = submission->ticket;
    call->handle = submission->handle;
    call->made = made;
    call->on = submission->own;
    if (call->on != NULL)
        hcsshim__native_hold(call->on);
    return call;
}

void hcsshim__native_call_leave(hcsshim__native_call *call)
{
    if (InterlockedDecrement(&call->users) != 0)
        return;
    for (size_t i = 0; i < call->text_count; i++)
        CoTaskMemFree(call->texts[i]);
    hcsshim__layers_free(call->layers, call->layer_count);
    if (call->disk != NULL)
        CloseHandle(call->disk);
    CoTaskMemFree(call->answer);
    CoTaskMemFree(call->result);
    CoTaskMemFree(call->record);
    CoTaskMemFree(call->buffer);
    if (call->on != NULL)
        hcsshim__native_leave(call->on);
    if (call->made != NULL)
        hcsshim__native_leave(call->made);
    free(call);
}
