/*
 * invoke.c - from the arguments of an exported function to a call of the host.
 *
 * The row of calls.def tells what each argument is. A call with an operation
 * only begins here; any other is waited for.
 */
#include <objbase.h>
#include <stdlib.h>
#include <string.h>

#include "dll/dll.h"
#include "native/frame.h"

#define CREATE_OPTIONS_1 0x00010000u

/* A call on its way, taken apart. */
struct invocation {
    const hcsshim_call_row *row;
    hcsshim__link *link;
    hcsshim_value values[HCSSHIM_DLL_MOST_ARGUMENTS];
    char *texts[HCSSHIM_DLL_MOST_ARGUMENTS]; /* of the values; to be freed */
    char guids[HCSSHIM_DLL_MOST_ARGUMENTS][HCSSHIM_GUID_TEXT];
    size_t count;
    hcsshim__handle_object on; /* the first handle; id 0: none */
    uint8_t made;              /* kind of the handle that it makes, or 0 */
    void **made_out;
    uint64_t operation;
    int has_operation;
    void *callback, *context;
    uint32_t callback_options;
    wchar_t **answer, **result, **record;
    const wchar_t *home; /* HomeDir of the layer driver, or NULL */
    UINT32 *number_out;
    GUID *guid_out;
    SIZE_T *length_out; /* in units of text, the NUL too */
    wchar_t *buffer_out;
    hcsshim__process_information *information;
};

/* ---- arguments --------------------------------------------------------------
 */

static HRESULT add_text(struct invocation *it, const wchar_t *text)
{
    hcsshim_value *value = &it->values[it->count];

    it->texts[it->count] = hcsshim__text_narrow(text, &value->length);
    value->text = it->texts[it->count];
    it->count++;
    return text != NULL && value->text == NULL ? E_OUTOFMEMORY : 0;
}

static HRESULT add_guid(struct invocation *it, const GUID *guid)
{
    static const GUID zeros;
    hcsshim_value *value = &it->values[it->count];

    if (guid != NULL && memcmp(guid, &zeros, sizeof zeros) != 0) {
        hcsshim__guid_write(guid, it->guids[it->count]);
        value->text = it->guids[it->count];
        value->length = HCSSHIM_GUID_TEXT - 1;
    }
    it->count++;
    return 0;
}

static HRESULT add_handle(struct invocation *it, uint64_t id, uint8_t kind)
{
    hcsshim__handle_object object;
    HRESULT hr = hcsshim__handle_find(id, kind, &object);

    if (hr < 0)
        return hr;
    it->values[it->count++].number = object.handle;
    it->link = object.link;
    if (it->on.id == 0)
        it->on = object;
    return 0;
}

static HRESULT set_made(struct invocation *it, void **out, uint8_t kind)
{
    if (out == NULL)
        return E_POINTER;
    *out = NULL;
    it->made = kind;
    it->made_out = out;
    return 0;
}

static void set_text(wchar_t ***place, uintptr_t argument)
{
    *place = (wchar_t **)argument;
    if (*place != NULL)
        **place = NULL;
}

/* A layer's id is a path below the HomeDir of its driver, if that is not "". */
static HRESULT add_layer(struct invocation *it, const wchar_t *id)
{
    size_t home = it->home == NULL ? 0 : wcslen(it->home);
    wchar_t *path;
    HRESULT hr;

    if (home == 0 || id == NULL)
        return add_text(it, id);
    path = malloc((home + wcslen(id) + 2) * sizeof *path);
    if (path == NULL)
        return E_OUTOFMEMORY;
    wcscpy(path, it->home);
    if (path[home - 1] != L'\\')
        wcscat(path, L"\\");
    wcscat(path, id);
    hr = add_text(it, path);
    free(path);
    return hr;
}

static HRESULT add_layers(struct invocation *it, const void *layers,
                          size_t count)
{
    hcsshim_value *value = &it->values[it->count];
    HRESULT hr = hcsshim__layers_write(layers, count, &it->texts[it->count],
                                       &value->length);

    value->text = it->texts[it->count];
    it->count++;
    return hr;
}

static HRESULT add_disk(struct invocation *it, HANDLE disk)
{
    wchar_t path[HCSSHIM_LONGEST_FINAL_PATH];
    DWORD length;

    if (disk == NULL)
        return add_text(it, NULL);
    length = GetFinalPathNameByHandleW(disk, path, HCSSHIM_LONGEST_FINAL_PATH,
                                       FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
    if (length == 0 || length >= HCSSHIM_LONGEST_FINAL_PATH) {
        it->count++;
        return E_HANDLE;
    }
    return add_text(it, path);
}

/* HCS_CREATE_OPTIONS_1: all that is used of it is the callback. */
static void take_create_options(struct invocation *it, const void *options)
{
    static const struct {
        size_t version, options, context, callback;
    } offsets = {0, 24, 32, 40};
    const char *bytes = options;
    uint32_t version;

    if (options == NULL)
        return;
    memcpy(&version, bytes + offsets.version, sizeof version);
    if (version != CREATE_OPTIONS_1)
        return;
    memcpy(&it->callback_options, bytes + offsets.options,
           sizeof it->callback_options);
    memcpy(&it->context, bytes + offsets.context, sizeof it->context);
    memcpy(&it->callback, bytes + offsets.callback, sizeof it->callback);
}

/* What an argument is; arguments: it, and those that come after it. */
static HRESULT take_argument(struct invocation *it, uint8_t kind,
                             const uintptr_t *arguments)
{
    uintptr_t argument = arguments[0];

    switch (kind) {
    case HCSSHIM_KIND_TEXT:
        return it->home != NULL && it->count == 0
                   ? add_layer(it, (const wchar_t *)argument)
                   : add_text(it, (const wchar_t *)argument);
    case HCSSHIM_KIND_LAYER_DRIVER:
        it->home = argument == 0
                       ? NULL
                       : ((const hcsshim__layer_driver *)argument)->home;
        return 0;
    case HCSSHIM_KIND_LAYERS:
        return add_layers(it, (const void *)argument, arguments[1]);
    case HCSSHIM_KIND_DISK:
        return add_disk(it, (HANDLE)argument);
    case HCSSHIM_KIND_OUT_U32:
        it->number_out = (UINT32 *)argument;
        return argument == 0 ? E_POINTER : 0;
    case HCSSHIM_KIND_OUT_GUID:
        it->guid_out = (GUID *)argument;
        return argument == 0 ? E_POINTER : 0;
    case HCSSHIM_KIND_OUT_BUFFER:
        it->length_out = (SIZE_T *)argument;
        it->buffer_out = (wchar_t *)arguments[1];
        return argument == 0 ? E_POINTER : 0;
    case HCSSHIM_KIND_GUID:
        return add_guid(it, (const GUID *)argument);
    case HCSSHIM_KIND_U16:
    case HCSSHIM_KIND_U32:
    case HCSSHIM_KIND_U64:
        it->values[it->count++].number = argument;
        return 0;
    case HCSSHIM_KIND_SYSTEM:
    case HCSSHIM_KIND_PROCESS:
    case HCSSHIM_KIND_OBJECT:
        return add_handle(it, argument, kind);
    case HCSSHIM_KIND_OUT_SYSTEM:
        return set_made(it, (void **)argument, HCSSHIM_KIND_SYSTEM);
    case HCSSHIM_KIND_OUT_PROCESS:
        return set_made(it, (void **)argument, HCSSHIM_KIND_PROCESS);
    case HCSSHIM_KIND_OUT_OBJECT:
        return set_made(it, (void **)argument, HCSSHIM_KIND_OBJECT);
    case HCSSHIM_KIND_OPERATION:
        it->operation = argument;
        it->has_operation = 1;
        return 0;
    case HCSSHIM_KIND_EVENT_CALLBACK:
    case HCSSHIM_KIND_NOTIFICATION_CALLBACK:
        it->callback = (void *)argument;
        return 0;
    case HCSSHIM_KIND_CONTEXT:
        it->context = (void *)argument;
        return 0;
    case HCSSHIM_KIND_OUT_TEXT:
        set_text(&it->answer, argument);
        return 0;
    case HCSSHIM_KIND_RESULT:
        set_text(&it->result, argument);
        return 0;
    case HCSSHIM_KIND_ERROR_RECORD:
        set_text(&it->record, argument);
        return 0;
    case HCSSHIM_KIND_OUT_PROCESS_INFORMATION:
        it->information = (hcsshim__process_information *)argument;
        return 0;
    case HCSSHIM_KIND_CREATE_OPTIONS:
        take_create_options(it, (const void *)argument);
        return 0;
    default: /* reserved, or of no meaning here */
        return 0;
    }
}

static HRESULT take_arguments(struct invocation *it, const uintptr_t *arguments)
{
    HRESULT hr = 0, failed = 0;

    /* All of them, so that every out parameter is cleared. */
    for (const uint8_t *kind = it->row->kinds; *kind != HCSSHIM_KIND_END;
         kind++) {
        hr = take_argument(it, *kind, arguments);
        if (hr < 0 && failed >= 0)
            failed = hr;
        arguments +=
            *kind == HCSSHIM_KIND_LAYERS || *kind == HCSSHIM_KIND_OUT_BUFFER
                ? 2
                : 1;
    }
    if (failed >= 0 && it->link == NULL)
        failed = hcsshim__link_get(&it->link);
    return failed;
}

static void free_texts(struct invocation *it)
{
    for (size_t i = 0; i < HCSSHIM_DLL_MOST_ARGUMENTS; i++)
        free(it->texts[i]);
}

/* ---- handles ----------------------------------------------------------------
 */

/* The call that closes what a call makes; NULL if there is none. */
static const hcsshim_call_row *closing_row(const hcsshim_call_row *row,
                                           uint8_t made)
{
    static const char *const pairs[][2] = {{"HcnCreate", "HcnClose"},
                                           {"HcnOpen", "HcnClose"},
                                           {"HcnRegister", "HcnUnregister"}};
    char name[64] = "";
    const hcsshim_call_row *rows;
    size_t count;

    if (made == HCSSHIM_KIND_SYSTEM)
        strcpy(name, "HcsCloseComputeSystem");
    else if (made == HCSSHIM_KIND_PROCESS)
        strcpy(name, "HcsCloseProcess");
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(pairs[i][0]);

        if (strncmp(row->name, pairs[i][0], length) == 0 &&
            strlen(row->name) < sizeof name) {
            strcpy(name, pairs[i][1]);
            strcat(name, row->name + length);
        }
    }
    rows = hcsshim_calls(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].remote && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static void close_handle(hcsshim__link *link, const hcsshim_call_row *row,
                         uint64_t handle)
{
    hcsshim_value value = {.number = handle};
    uint64_t none;

    if (row != NULL)
        hcsshim_service_submit(link->service, row->number, &value, 1, NULL,
                               &none);
}

/* The call that sets the callback of a kind of handle. */
static uint32_t callback_call(uint8_t kind)
{
    const char *name = kind == HCSSHIM_KIND_SYSTEM
                           ? "HcsSetComputeSystemCallback"
                           : "HcsSetProcessCallback";
    const hcsshim_call_row *rows;
    size_t count;

    if (kind == HCSSHIM_KIND_OBJECT)
        return 0;
    rows = hcsshim_calls(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].remote && strcmp(rows[i].name, name) == 0)
            return rows[i].number;
    return 0;
}

/* Have a callback told of the events of a handle. */
static HRESULT listen(const struct invocation *it, uint64_t id, uint8_t kind,
                      uint32_t options)
{
    enum hcsshim__generation generation = kind == HCSSHIM_KIND_OBJECT
                                              ? HCSSHIM_NOTIFICATION_CALLBACK
                                              : HCSSHIM_EVENT_CALLBACK;
    hcsshim__listener *listener = NULL;
    HRESULT hr;

    if (it->callback != NULL) {
        listener = hcsshim__listener_new(generation, it->callback, it->context);
        if (listener == NULL)
            return E_OUTOFMEMORY;
    }
    hr = hcsshim__handle_listen(id, kind, listener, options,
                                callback_call(kind));
    if (hr < 0)
        hcsshim__listener_end(listener);
    return hr;
}

/* Give the caller the handle that was made, under an id of our own. */
static HRESULT keep_made(const struct invocation *it, uint64_t handle)
{
    uint64_t id = hcsshim__handle_add(it->link, it->made, handle, 0);

    if (id == 0) {
        close_handle(it->link, closing_row(it->row, it->made), handle);
        return E_OUTOFMEMORY;
    }
    *it->made_out = (void *)(uintptr_t)id;
    if (it->has_operation)
        hcsshim__operation_made(it->operation, it->made, id);
    return it->callback == NULL
               ? 0
               : listen(it, id, it->made, it->callback_options);
}

/* ---- calls ------------------------------------------------------------------
 */

static HRESULT begin(struct invocation *it)
{
    uint64_t handle = 0;
    HRESULT hr = hcsshim__operation_begin(
        it->operation, it->row, it->link, it->values, it->count,
        it->on.id == 0 ? NULL : &it->on, &handle);

    if (hr < 0 || it->made == 0)
        return hr;
    return keep_made(it, handle);
}

static void give_documents(struct invocation *it,
                           const hcsshim_completion *completion, HRESULT hr)
{
    wchar_t **place = it->answer;

    /* Which of them: the answer of a query, or why there is none. */
    if (it->record != NULL && hr < 0)
        place = it->record;
    else if (it->result != NULL && (hr < 0 || it->answer == NULL))
        place = it->result;
    else if (hr < 0)
        place = NULL;
    if (place != NULL)
        *place = hcsshim__text_wide(completion->document, completion->length);
}

/* Answers that are texts on the wire and something else here. */
static HRESULT give_others(const struct invocation *it,
                           const hcsshim_completion *completion)
{
    const char *text = completion->document == NULL ? "" : completion->document;
    size_t length = completion->document == NULL ? 0 : completion->length;

    if (it->number_out != NULL)
        *it->number_out = (UINT32)strtoul(text, NULL, 10);
    if (it->guid_out != NULL && !hcsshim__guid_read(text, it->guid_out))
        return HCSSHIM_E_INVALID_DATA;
    if (it->length_out != NULL)
        return hcsshim__text_fill(text, length, it->length_out, it->buffer_out);
    return 0;
}

static HRESULT call(struct invocation *it)
{
    hcsshim_completion completion;
    uint64_t handle = 0;
    HRESULT hr = hcsshim__link_call(it->link, it->row->number, it->values,
                                    it->count, &completion, &handle);

    give_documents(it, &completion, hr);
    if (hr >= 0 && it->information != NULL)
        hcsshim__process_information_take(&completion, it->information);
    if (hr >= 0)
        hr = give_others(it, &completion);
    if (it->made != 0 && hr >= 0)
        hr = keep_made(it, handle);
    else if (it->made != 0 && handle != 0)
        close_handle(it->link, closing_row(it->row, it->made), handle);
    hcsshim_completion_clear(&completion);
    return hr;
}

static HRESULT close_one(const struct invocation *it, uint64_t id)
{
    hcsshim__handle_object object;
    HRESULT hr = hcsshim__handle_remove(id, it->row->kinds[0], &object);

    if (hr >= 0)
        close_handle(object.link, it->row, object.handle);
    return hr;
}

static int sets_callback(const hcsshim_call_row *row)
{
    return strcmp(row->name, "HcsSetComputeSystemCallback") == 0 ||
           strcmp(row->name, "HcsSetProcessCallback") == 0;
}

HRESULT hcsshim__dll_invoke(uint32_t number, const uintptr_t *arguments)
{
    struct invocation it = {.row = hcsshim__call_find(number)};
    HRESULT hr;

    if (it.row == NULL)
        return E_NOTIMPL;
    if (hcsshim__call_closes(it.row))
        return close_one(&it, arguments[0]);
    hr = take_arguments(&it, arguments);
    if (hr >= 0 && sets_callback(it.row))
        hr = listen(&it, it.on.id, it.on.kind, (uint32_t)it.values[1].number);
    else if (hr >= 0 && it.has_operation)
        hr = begin(&it);
    else if (hr >= 0)
        hr = call(&it);
    free_texts(&it);
    return hr;
}
