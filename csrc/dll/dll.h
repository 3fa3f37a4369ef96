/*
 * dll.h - the inside of the DLLs that stand in for those of Windows.
 *
 * vmcompute.dll, computecore.dll, computenetwork.dll and computestorage.dll are
 * clients of the embedded host with the exports of the real ones. exports.py
 * writes a function for every remote call of calls.def, which ends in
 * hcsshim__dll_invoke(); what is local stands in computecore.c and vmcompute.c.
 *
 * What callers hold (HCS_SYSTEM, HCS_OPERATION, ...) are not pointers but ids
 * with a generation: one that is stale is answered with E_HANDLE, not a crash.
 *
 * Threads: every function may be called on any thread. Callbacks run on threads
 * of the process's pool. One lock guards all tables; it is never held across a
 * callback or anything that waits. A process that loaded one of these DLLs
 * keeps it: threads of its own may be inside at any time.
 */
#ifndef HCSSHIM_DLL_DLL_H
#define HCSSHIM_DLL_DLL_H

#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#include "hcsshim.h"
#include "native/ids.h"
#include "native/text_win32.h"

#define HCSSHIM_DLL_MOST_ARGUMENTS 9

/* ---- codes that the shim itself has no use for ------------------------- */

#define HCSSHIM_V1_PENDING ((HRESULT)0xC0370103)
#define HCSSHIM_NOT_STARTED ((HRESULT)0x80370115)
#define HCSSHIM_ALREADY_STARTED ((HRESULT)0x80370116)
#define HCSSHIM_OPERATION_TIMEOUT ((HRESULT)0x80370118)
#define HCSSHIM_CALLBACK_ALREADY_SET ((HRESULT)0x80370119)
#define HCSSHIM_STALE_HANDLE ((HRESULT)0x800706EF)
#define HCSSHIM_SERVICE_NOT_ACTIVE ((HRESULT)0x80070426)

/* ---- layers -----------------------------------------------------------------
 */

#define HCSSHIM_LONGEST_FINAL_PATH 1024

/* DriverInfo */
typedef struct hcsshim__layer_driver {
    int flavour;
    const wchar_t *home;
} hcsshim__layer_driver;

/* WC_LAYER_DESCRIPTOR */
typedef struct hcsshim__layer_descriptor {
    GUID id;
    ULONG flags;
    const wchar_t *path;
} hcsshim__layer_descriptor;

_Static_assert(sizeof(hcsshim__layer_descriptor) == 32,
               "WC_LAYER_DESCRIPTOR has 32 bytes");

/* The JSON of an array of descriptors, from malloc(). */
HRESULT hcsshim__layers_write(const hcsshim__layer_descriptor *layers,
                              size_t count, char **text, size_t *length);

/* ---- links: connections to a host --------------------------------------- */

/* Who waits for a ticket without a thread. */
typedef struct hcsshim__answerable hcsshim__answerable;
struct hcsshim__answerable {
    /* The answer is there. Called once, on the link's thread, without a lock.
     */
    void (*answered)(hcsshim__answerable *self, hcsshim_completion *completion);
};

/* What belongs to ids whose indexes are used again: an old id finds nothing. */
typedef struct hcsshim__slots {
    struct hcsshim__slot {
        uint64_t id;
        void *item;
    } * items;
    size_t size;
} hcsshim__slots;

typedef struct hcsshim__link {
    hcsshim_service *service;
    hcsshim_queue *queue;
    HANDLE dispatcher;
    hcsshim__slots tickets; /* hcsshim__answerable, by the index of a ticket */
    hcsshim__slots handles; /* hcsshim__handle_object, by that of a handle */
    struct hcsshim__link *older; /* its host ended; threads may be inside */
} hcsshim__link;

/* The one lock. */
void hcsshim__dll_lock(void);
void hcsshim__dll_unlock(void);

/*
 * Have a host started that listens where this process looks for one.
 * Returns 0 once it does, or HCSSHIM_SERVICE_NOT_ACTIVE: the DLL lies where
 * nobody said how, or it did not start. May block.
 */
HRESULT hcsshim__host_start(void);

/*
 * The link to the host, made, and a host started, on first use and after one
 * ended.
 * Returns 0 or why there is none. May block. The link is never freed.
 */
HRESULT hcsshim__link_get(hcsshim__link **out);

/* Submit, wait, take. completion: clear it. handle: NULL if none is made. */
HRESULT hcsshim__link_call(hcsshim__link *link, uint32_t call,
                           const hcsshim_value *values, size_t count,
                           hcsshim_completion *completion, uint64_t *handle);

/* Have 'who' told of the answer; it may be told before this returns. */
HRESULT hcsshim__link_await(hcsshim__link *link, uint64_t ticket,
                            hcsshim__answerable *who);

/* Put an item at the index of an id; 0 without memory. Under the lock. */
int hcsshim__slots_put(hcsshim__slots *slots, uint64_t id, void *item);
void *hcsshim__slots_get(const hcsshim__slots *slots, uint64_t id);

/* ---- listeners: callbacks of programs ----------------------------------- */

enum hcsshim__generation {
    HCSSHIM_EVENT_CALLBACK,       /* HCS_EVENT_CALLBACK of computecore */
    HCSSHIM_NOTIFICATION_CALLBACK /* those of vmcompute and computenetwork */
};

typedef struct hcsshim__listener hcsshim__listener;

/* Make one; free it with _end(). NULL without memory. */
hcsshim__listener *hcsshim__listener_new(enum hcsshim__generation generation,
                                         void *callback, void *context);

/*
 * Tell it something, on a thread of the pool.
 * text: copied. operation: what HCS_EVENT names; 0 for none. Never blocks.
 */
void hcsshim__listener_tell(hcsshim__listener *listener, uint32_t type,
                            HRESULT status, const char *text, size_t length,
                            uint64_t operation);

/* Let no callback begin any more, wait for those that run, and free it. */
void hcsshim__listener_end(hcsshim__listener *listener);

/* ---- handles of systems, processes and networks ------------------------- */

/* Something that was told while nobody listened: v1 latches it. */
typedef struct hcsshim__notice {
    struct hcsshim__notice *next;
    uint32_t type;
    HRESULT status;
    char *text;
    size_t length;
} hcsshim__notice;

typedef struct hcsshim__handle_object {
    uint64_t id;
    uint8_t kind; /* HCSSHIM_KIND_SYSTEM, _PROCESS or _OBJECT */
    hcsshim__link *link;
    uint64_t handle; /* the service's */
    hcsshim__listener *listener;
    uint32_t options;         /* HCS_EVENT_OPTIONS */
    int latches;              /* v1: keep what is told while nobody listens */
    hcsshim__notice *latched; /* oldest first */
} hcsshim__handle_object;

/* Add a handle that a call made. Returns its id, or 0 without memory. */
uint64_t hcsshim__handle_add(hcsshim__link *link, uint8_t kind, uint64_t handle,
                             int latches);

/* What an id stands for, copied; HCSSHIM_STALE_HANDLE if for nothing. */
HRESULT hcsshim__handle_find(uint64_t id, uint8_t kind,
                             hcsshim__handle_object *out);

/* Take it out of the table, wait for its callbacks, and forget it. */
HRESULT hcsshim__handle_remove(uint64_t id, uint8_t kind,
                               hcsshim__handle_object *out);

/*
 * Let its events come: to 'listener', now the handle's (NULL: only latched).
 * set_callback: the call that tells the host, 0 for none.
 */
HRESULT hcsshim__handle_listen(uint64_t id, uint8_t kind,
                               hcsshim__listener *listener, uint32_t options,
                               uint32_t set_callback);

/* Take the listener of a handle away and end it. */
void hcsshim__handle_unlisten(uint64_t id, hcsshim__listener *listener);

/* HCS_E_... as ERROR_VMCOMPUTE_..., where the first generation has it. */
HRESULT hcsshim__v1_code(HRESULT hr);

/* An event of the host's for a handle, in the terms of its generation. */
void hcsshim__handle_event(hcsshim__link *link, uint64_t handle, uint32_t type,
                           HRESULT status, const char *text, size_t length);

/* Tell whoever listens to a handle, or latch it. Takes the lock. */
void hcsshim__handle_tell(hcsshim__link *link, uint64_t handle, uint32_t type,
                          HRESULT status, const char *text, size_t length);

/* ---- operations --------------------------------------------------------- */

/* What computecore's HCS_PROCESS_INFORMATION is. */
typedef struct hcsshim__process_information {
    DWORD process_id;
    DWORD reserved;
    HANDLE input, output, error;
} hcsshim__process_information;

/* Move what a completion says of a process out. */
void hcsshim__process_information_take(hcsshim_completion *completion,
                                       hcsshim__process_information *out);

/*
 * Begin a call whose answer an operation takes.
 *
 * on: the handle that it is about, 0 for none. made: its kind in 'handle', or
 * 0. Returns what the exported function returns.
 */
HRESULT hcsshim__operation_begin(uint64_t operation,
                                 const hcsshim_call_row *row,
                                 hcsshim__link *link,
                                 const hcsshim_value *values, size_t count,
                                 const hcsshim__handle_object *on,
                                 uint64_t *handle);

/* The handle that its call made, for HcsGet...FromOperation. */
void hcsshim__operation_made(uint64_t operation, uint8_t kind, uint64_t id);

/* ---- calls -------------------------------------------------------------- */

/* Carry out the remote call of that number; arguments: as its row says. */
HRESULT hcsshim__dll_invoke(uint32_t number, const uintptr_t *arguments);

#endif
