/*
 * system_win32.h - the inside of the provider that asks the DLLs of Windows.
 *
 * system_win32.c     the provider: which calls go where, handles, exits
 * arguments_win32.c  a call's values as the arguments of an exported function
 * layers_win32.c     the descriptors of layers
 * system_v1_win32.c  the calls of computecore told to vmcompute, where there is
 *                    no computecore
 */
#ifndef HCSSHIM_NATIVE_SYSTEM_WIN32_H
#define HCSSHIM_NATIVE_SYSTEM_WIN32_H

#include <windows.h>

#include "native/frame.h"
#include "native/service.h"
#include "native/text_win32.h"

#define HCSSHIM_MOST_ARGUMENTS 10

/* HCS_PROCESS_INFORMATION */
typedef struct hcsshim__process_pipes {
    DWORD process_id;
    DWORD reserved;
    HANDLE files[3];
} hcsshim__process_pipes;

/* WC_LAYER_DESCRIPTOR */
typedef struct hcsshim__layer {
    GUID id;
    ULONG flags;
    wchar_t *path; /* for CoTaskMemFree() */
} hcsshim__layer;

/* DriverInfo */
typedef struct hcsshim__driver {
    int flavour;
    const wchar_t *home;
} hcsshim__driver;

/* What the provider knows of a handle. */
typedef struct hcsshim__native_handle {
    hcsshim_service *service;
    uint8_t kind;
    uint64_t id;    /* the service's handle; also the context of callbacks */
    void *native;   /* HCS_SYSTEM, HCS_PROCESS or HCN_...; NULL: not yet */
    void *callback; /* v1: HCS_CALLBACK */

    /* Under the service's lock. */
    unsigned holders; /* its place in the table, and calls on their way */
    int exited;
    int32_t exit_status;
    char *exit_document; /* owned */
    size_t exit_length;
    uint64_t *waits; /* tickets that its exit answers */
    size_t wait_count;
    uint64_t pending[8]; /* v1: tickets that a notification answers, by kind */
    const hcsshim_call_row *closing; /* the call that closes it */
} hcsshim__native_handle;

/* A call of an exported function. */
typedef struct hcsshim__native_call {
    LONG users; /* who submitted it, and who is told of its end */
    hcsshim_service *service;
    const hcsshim_call_row *row;
    FARPROC function;
    uint64_t ticket, handle;
    hcsshim__native_handle *on;   /* held */
    hcsshim__native_handle *made; /* held; what it makes */
    uintptr_t arguments[HCSSHIM_MOST_ARGUMENTS];
    size_t count;
    wchar_t *texts[HCSSHIM_MOST_ARGUMENTS]; /* for CoTaskMemFree() */
    size_t text_count;
    GUID guid;
    hcsshim__layer *layers;
    size_t layer_count;
    HANDLE disk;
    void *operation;
    void *out; /* the handle that it made */
    wchar_t *answer, *result, *record;
    UINT32 number;
    GUID guid_out;
    SIZE_T length;
    wchar_t *buffer;
    hcsshim__process_pipes pipes;
} hcsshim__native_call;

/* Which kinds of outcomes it has. */
int hcsshim__row_has(const hcsshim_call_row *row, uint8_t kind);

/*
 * The export of a DLL in the system directory.
 * Returns 0, ERROR_MOD_NOT_FOUND or ERROR_PROC_NOT_FOUND as HRESULTs.
 */
int32_t hcsshim__export_find(const char *dll, const char *name,
                             FARPROC *function);

/* Fill the arguments of a call. On failure, too, leave it. */
int32_t hcsshim__native_call_fill(hcsshim__native_call *call,
                                  const struct hcsshim__submission *submission);

/* Call the function. */
int32_t hcsshim__native_call_run(hcsshim__native_call *call);

/* The outcome of a call that took no operation; its parts are moved out. */
void hcsshim__native_call_outcome(hcsshim__native_call *call, int32_t hr,
                                  hcsshim_completion *completion);

/* A call of a row that has one user; NULL without memory. */
hcsshim__native_call *
hcsshim__native_call_new(hcsshim_service *service, const hcsshim_call_row *row,
                         const struct hcsshim__submission *submission,
                         hcsshim__native_handle *made);

/* One user leaves; the last frees it. */
void hcsshim__native_call_leave(hcsshim__native_call *call);

/* The layers of a JSON array of {"Id", "Path"}; from calloc(). */
int32_t hcsshim__layers_read(const char *text, size_t length,
                             hcsshim__layer **layers, size_t *count);
void hcsshim__layers_free(hcsshim__layer *layers, size_t count);

/* UTF-16 text as the document of a completion; the text is freed. */
void hcsshim__document_take(hcsshim_completion *completion, wchar_t *text);

/* Hold and let go of what is known of a handle; the last closes it. */
void hcsshim__native_hold(hcsshim__native_handle *handle);
void hcsshim__native_leave(hcsshim__native_handle *handle);

/* An event of a handle: to who listens; an exit also to who waits. */
void hcsshim__native_event(hcsshim_service *service, uint64_t id, uint32_t type,
                           int32_t status, const wchar_t *data);

/* The handle of an id, held; NULL if it was closed. */
hcsshim__native_handle *hcsshim__native_find(hcsshim_service *service,
                                             uint64_t id);

/* Let the exit of a handle answer a ticket. */
void hcsshim__native_wait(hcsshim__native_handle *handle, uint64_t ticket);

/* Answer a ticket with an HRESULT alone. */
void hcsshim__native_answer(hcsshim_service *service, uint64_t ticket,
                            int32_t hresult);

/* The one service of this provider; callbacks of Windows have no other way. */
hcsshim_service *hcsshim__system_service(void);

/* v1: begin a call of computecore's through vmcompute; 'made' is taken over. */
void hcsshim__v1_begin(hcsshim_service *service,
                       const struct hcsshim__submission *submission,
                       hcsshim__native_handle *made);
/* v1: end what Windows has of a handle. */
void hcsshim__v1_close(hcsshim__native_handle *handle);

#endif
