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
    int remote;            /* 1: the embedded host answers it */
    const char *library;   /* "computecore" */
    const char *name;      /* "HcsCreateComputeSystem" */
    uint8_t kinds[8];      /* enum hcsshim_argument_kind, then END */
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
