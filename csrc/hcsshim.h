/*
 * hcsshim.h - the C ABI of the hcsshim shim: everything that Python sees.
 *
 * Conventions:
 *   - Functions that can fail return an HRESULT: 0 or positive is success,
 *     negative is failure. void functions cannot fail.
 *   - Out parameters come last, are cleared first and set once.
 *   - Text is UTF-8 with its length in bytes; it needs no terminator.
 *   - Handles and tickets are 64-bit ids with a generation, so one that is
 *     stale or closed twice is answered with E_HANDLE.
 *   - No function here enters Python, prints, or exits.
 *   - A function that blocks returns HCSSHIM_E_INTERRUPTED when a signal
 *     handler ran in its thread, so that the caller can look at the signal.
 *
 * The marked region is the declaration that cffi reads: no preprocessor
 * conditions in it, and enum constants instead of macros.
 */
#ifndef HCSSHIM_H
#define HCSSHIM_H

#include <stddef.h>
#include <stdint.h>

#ifndef HCSSHIM_API
#if defined(__GNUC__) && !defined(_WIN32)
#define HCSSHIM_API __attribute__((visibility("default")))
#else
#define HCSSHIM_API
#endif
#endif

/* cdef: begin */

/* ---- HRESULTs that the shim itself returns ----------------------------- */

enum hcsshim_hresult {
    HCSSHIM_E_INTERRUPTED =
        -1610612732, /* 0xA0000004; a signal handler ran; look and call again */
    HCSSHIM_E_FAIL = -2147467259,                             /* 0x80004005 */
    HCSSHIM_E_ABORT = -2147467260,                            /* 0x80004004 */
    HCSSHIM_E_UNEXPECTED = -2147418113,                       /* 0x8000FFFF */
    HCSSHIM_E_HANDLE = -2147024890,                           /* 0x80070006 */
    HCSSHIM_E_OUTOFMEMORY = -2147024882,                      /* 0x8007000E */
    HCSSHIM_E_INVALIDARG = -2147024809,                       /* 0x80070057 */
    HCSSHIM_E_WAIT_TIMEOUT = -2147024638,                     /* 0x80070102 */
    HCSSHIM_E_INVALID_DATA = -2147024883,                     /* 0x8007000D */
    HCSSHIM_HCS_E_UNSUPPORTED_PROTOCOL_VERSION = -2143878900, /* 0x8037010C */
    HCSSHIM_HCS_E_OPERATION_PENDING = -2143878889,            /* 0x80370117 */
    HCSSHIM_HCS_E_OPERATION_ALREADY_CANCELLED = -2143878879,  /* 0x80370121 */
    HCSSHIM_HCS_E_SERVICE_DISCONNECT = -2143878882            /* 0x8037011E */
};

/* ---- the table of native calls (csrc/native) -------------------------- */

/* Kinds of arguments; calls.def says what each means. */
enum hcsshim_argument_kind {
    HCSSHIM_KIND_END = 0,
    HCSSHIM_KIND_TEXT,
    HCSSHIM_KIND_U32,
    HCSSHIM_KIND_SYSTEM,
    HCSSHIM_KIND_PROCESS,
    HCSSHIM_KIND_OUT_SYSTEM,
    HCSSHIM_KIND_OUT_PROCESS,
    HCSSHIM_KIND_OPERATION,
    HCSSHIM_KIND_EVENT_CALLBACK,
    HCSSHIM_KIND_COMPLETION_CALLBACK,
    HCSSHIM_KIND_CONTEXT,
    HCSSHIM_KIND_RESERVED,
    HCSSHIM_KIND_KERNEL_HANDLE,
    HCSSHIM_KIND_OUT_TEXT,
    HCSSHIM_KIND_RESULT,
    HCSSHIM_KIND_OUT_PROCESS_INFORMATION,
    HCSSHIM_KIND_CREATE_OPTIONS
};

/* One row of calls.def. Everything is static: never freed. */
typedef struct hcsshim_call_row {
    uint32_t number;
    int remote;          /* 1: the embedded host answers it */
    const char *library; /* "computecore" */
    const char *name;    /* "HcsCreateComputeSystem" */
    uint8_t kinds[8];    /* enum hcsshim_argument_kind, then END */
} hcsshim_call_row;

/*
 * hcsshim_calls() - the rows of calls.def, by rising number.
 *
 * count: set to the number of rows.
 *
 * Returns the first row. Any thread.
 */
HCSSHIM_API const hcsshim_call_row *hcsshim_calls(size_t *count);

/* ---- calls, tickets, events (csrc/native, csrc/events) ---------------- */

/* ---- streams and the stdio relay (csrc/relay) ------------------------- */

/* ---- disk formats: tar, ext4, VHD, dm-verity (csrc/layer) ------------- */

/* cdef: end */

#endif
