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
    HCSSHIM_E_NOTIMPL = -2147467263,                          /* 0x80004001 */
    HCSSHIM_E_FAIL = -2147467259,                             /* 0x80004005 */
    HCSSHIM_E_ABORT = -2147467260,                            /* 0x80004004 */
    HCSSHIM_E_UNEXPECTED = -2147418113,                       /* 0x8000FFFF */
    HCSSHIM_E_HANDLE = -2147024890,                           /* 0x80070006 */
    HCSSHIM_E_OUTOFMEMORY = -2147024882,                      /* 0x8007000E */
    HCSSHIM_E_INVALIDARG = -2147024809,                       /* 0x80070057 */
    HCSSHIM_E_FILE_TOO_LARGE = -2147024673,                   /* 0x800700DF */
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
    HCSSHIM_KIND_CREATE_OPTIONS,
    HCSSHIM_KIND_U64,
    HCSSHIM_KIND_LAYER_DRIVER,
    HCSSHIM_KIND_LAYERS,
    HCSSHIM_KIND_DISK,
    HCSSHIM_KIND_OUT_U32,
    HCSSHIM_KIND_OUT_GUID,
    HCSSHIM_KIND_OUT_BUFFER,
    HCSSHIM_KIND_GUID,
    HCSSHIM_KIND_U16,
    HCSSHIM_KIND_OBJECT,
    HCSSHIM_KIND_OUT_OBJECT,
    HCSSHIM_KIND_NOTIFICATION_CALLBACK,
    HCSSHIM_KIND_ERROR_RECORD,
    HCSSHIM_KIND_OUT_DATA,
    HCSSHIM_KIND_REGISTRATION,
    HCSSHIM_KIND_OUT_REGISTRATION
};

/* One row of calls.def. Everything is static: never freed. */
typedef struct hcsshim_call_row {
    uint32_t number;
    int remote;       /* 1: the embedded host answers it */
    const char *dll;  /* "computecore" */
    const char *name; /* "HcsCreateComputeSystem" */
    uint8_t kinds[8]; /* enum hcsshim_argument_kind, then END */
} hcsshim_call_row;

/*
 * hcsshim_calls() - the rows of calls.def, by rising number.
 *
 * count: set to the number of rows.
 *
 * Returns the first row. Any thread.
 */
HCSSHIM_API const hcsshim_call_row *hcsshim_calls(size_t *count);

/* ---- events (csrc/events) --------------------------------------------- */

/* The length of a text that is absent, not empty. */
enum { HCSSHIM_NO_TEXT = 0xFFFFFFFF };

/*
 * One event of a queue. Its text is 'length' bytes at 'offset' in the buffer
 * that it was drained with.
 */
typedef struct hcsshim_event {
    uint64_t source; /* what posted it: a handle, or a ticket that is done */
    uint32_t type;   /* HCS_EVENT_TYPE, or HCSSHIM_EVENT_TICKET */
    int32_t status;  /* an HRESULT */
    uint32_t offset;
    uint32_t length; /* HCSSHIM_NO_TEXT: none */
} hcsshim_event;

/* The type of the event that tells that the call of a ticket was answered. */
enum { HCSSHIM_EVENT_TICKET = 0 };

/* The type of the last event of every handle when the service goes away. */
enum { HCSSHIM_EVENT_SERVICE_DISCONNECT = 0x02000000 };

typedef struct hcsshim_queue hcsshim_queue;

/* hcsshim_queue_new() - make an empty queue; free it with _free(). */
HCSSHIM_API int32_t hcsshim_queue_new(hcsshim_queue **out);

/*
 * hcsshim_queue_free() - let go of a queue, which may be NULL.
 *
 * What still posts into it (subscriptions, tickets) keeps it until it is done.
 * No thread may be inside _drain().
 */
HCSSHIM_API void hcsshim_queue_free(hcsshim_queue *queue);

/*
 * hcsshim_queue_file() - a file that is readable while events wait, for an
 * event loop. It stays the queue's: poll it, never read or close it.
 */
HCSSHIM_API int32_t hcsshim_queue_file(hcsshim_queue *queue, int64_t *file);

/*
 * hcsshim_queue_post() - add an event: the inside of every native callback.
 *
 * text: borrowed and copied; NULL for none. length: below HCSSHIM_NO_TEXT.
 *
 * Returns 0, E_INVALIDARG, or E_OUTOFMEMORY. Any thread, also one that Python
 * knows nothing of. Never blocks, never enters Python.
 */
HCSSHIM_API int32_t hcsshim_queue_post(hcsshim_queue *queue, uint64_t source,
                                       uint32_t type, int32_t status,
                                       const char *text, size_t length);

/* hcsshim_queue_wake() - end a wait of _drain() although nothing was posted. */
HCSSHIM_API void hcsshim_queue_wake(hcsshim_queue *queue);

/*
 * hcsshim_queue_drain() - take events out, oldest first.
 *
 * timeout_ms: how long to block while there is none: 0 looks only, 0xFFFFFFFF
 *             waits. A signal handler or hcsshim_queue_wake() ends it, too.
 * events: room for 'most'; text: room for 'size' bytes, both the caller's.
 * needed: set to the text length of the next event if one is left, else 0; the
 *         queue's file stays readable then.
 *
 * Returns the number of events. One thread at a time may block.
 */
HCSSHIM_API size_t hcsshim_queue_drain(hcsshim_queue *queue,
                                       uint32_t timeout_ms,
                                       hcsshim_event *events, size_t most,
                                       char *text, size_t size, size_t *needed);

/* ---- the service: calls and tickets (csrc/native) --------------------- */

/* A connection to the Host Compute Service. */
typedef struct hcsshim_service hcsshim_service;

/* One argument of a call; which half counts follows from its kind. */
typedef struct hcsshim_value {
    const char *text; /* borrowed for the call; NULL is NULL */
    size_t length;    /* of text, in bytes */
    uint64_t number;  /* of kinds that are no text */
} hcsshim_value;

/* How a call ended. Clear it with hcsshim_completion_clear(). */
typedef struct hcsshim_completion {
    int32_t hresult;
    uint32_t process_id;
    char *document;   /* owned; NULL for none */
    size_t length;    /* of document, in bytes */
    int64_t files[3]; /* owned: stdin, stdout, stderr of a process, or -1 */
} hcsshim_completion;

/*
 * hcsshim_service_connect() - connect to the embedded host at 'path'.
 *
 * path: of its socket, 'length' bytes.
 * name: what the host shall call this client in its log.
 *
 * Returns 0, or why not: ERROR_FILE_NOT_FOUND or ERROR_CONNECTION_REFUSED as
 * HRESULTs when no host runs there, HCS_E_UNSUPPORTED_PROTOCOL_VERSION when it
 * is of another version. May block for a moment. Starts one thread, which
 * reads the answers and goes when the service is freed.
 */
HCSSHIM_API int32_t hcsshim_service_connect(const char *path, size_t length,
                                            const char *name,
                                            size_t name_length,
                                            hcsshim_service **out);

/*
 * hcsshim_service_load() - use the DLLs of Windows; one service a process.
 *
 * generation: 2 asks computecore.dll, 1 vmcompute.dll, 0 the newer that is
 *             there. Other DLLs are loaded when a call first needs them; a
 *             missing one, or a missing export, is the outcome of that call:
 *             ERROR_MOD_NOT_FOUND or ERROR_PROC_NOT_FOUND.
 *
 * Returns 0; ERROR_MOD_NOT_FOUND, or ERROR_FILE_NOT_FOUND where no DLLs are;
 * E_UNEXPECTED while there is another such service.
 */
HCSSHIM_API int32_t hcsshim_service_load(uint32_t generation,
                                         hcsshim_service **out);

/*
 * hcsshim_service_free() - disconnect, answer every open ticket with
 * HCS_E_SERVICE_DISCONNECT, and free everything. NULL does nothing.
 *
 * No thread may be inside another function of the service, except in
 * hcsshim_ticket_wait(): that one is woken and waited for.
 */
HCSSHIM_API void hcsshim_service_free(hcsshim_service *service);

/* hcsshim_service_host() - the process id of the host at the other end. */
HCSSHIM_API uint32_t hcsshim_service_host(const hcsshim_service *service);

/* hcsshim_service_alive() - 0 once the host went away. Any thread. */
HCSSHIM_API int hcsshim_service_alive(const hcsshim_service *service);

/*
 * hcsshim_service_submit() - begin a call.
 *
 * call:    its number in calls.def.
 * values:  borrowed; one for each argument that is on the wire and not out, in
 *          order.
 * count:   of values.
 * ticket:  where to put the ticket, to be ended by _take() or _abandon(); NULL
 *          if nobody wants the answer.
 * handle:  set to the handle that the call creates, or 0.
 *
 * Calls that close a handle make it stale here and now.
 *
 * Returns 0; E_INVALIDARG if the values do not fit the call; E_HANDLE if one
 * is no live handle of the right kind; HCS_E_SERVICE_DISCONNECT. Any thread.
 * May block while the host does not read.
 */
HCSSHIM_API int32_t hcsshim_service_submit(hcsshim_service *service,
                                           uint32_t call,
                                           const hcsshim_value *values,
                                           size_t count, uint64_t *ticket,
                                           uint64_t *handle);

/*
 * hcsshim_ticket_wait() - block until the call was answered.
 *
 * timeout_ms: 0 polls, 0xFFFFFFFF waits.
 *
 * Returns 0, HRESULT of WAIT_TIMEOUT, HCSSHIM_E_INTERRUPTED, or E_HANDLE if the
 * ticket was ended already. Any number of threads.
 */
HCSSHIM_API int32_t hcsshim_ticket_wait(hcsshim_service *service,
                                        uint64_t ticket, uint32_t timeout_ms);

/*
 * hcsshim_ticket_notify() - post an event of type HCSSHIM_EVENT_TICKET when
 * the call was answered.
 *
 * Returns 0; 1 if it was answered already, then nothing is posted; E_HANDLE.
 */
HCSSHIM_API int32_t hcsshim_ticket_notify(hcsshim_service *service,
                                          uint64_t ticket,
                                          hcsshim_queue *queue);

/*
 * hcsshim_ticket_take() - end an answered ticket and move its outcome out.
 *
 * Returns 0, HCS_E_OPERATION_PENDING if it is not answered yet, or E_HANDLE.
 */
HCSSHIM_API int32_t hcsshim_ticket_take(hcsshim_service *service,
                                        uint64_t ticket,
                                        hcsshim_completion *out);

/*
 * hcsshim_ticket_cancel() - ask the host to cancel a call, and keep the ticket.
 *
 * The answer still comes, and is waited for and taken as ever.
 * Returns 0; 1 if it was answered already; E_HANDLE. Any thread.
 */
HCSSHIM_API int32_t hcsshim_ticket_cancel(hcsshim_service *service,
                                          uint64_t ticket);

/*
 * hcsshim_ticket_abandon() - end a ticket whose answer nobody wants any more.
 *
 * Asks the host to cancel; files that come with the late answer are closed.
 * Whoever waits for it gets E_HANDLE at once.
 * Returns 0 or E_HANDLE. Does not wait for the answer.
 */
HCSSHIM_API int32_t hcsshim_ticket_abandon(hcsshim_service *service,
                                           uint64_t ticket);

/* Free what a completion owns, files too, and clear it. */
HCSSHIM_API void hcsshim_completion_clear(hcsshim_completion *completion);

/*
 * hcsshim_handle_listen() - send the events of a handle into a queue.
 *
 * queue: kept until the handle is closed or the service freed; NULL stops, and
 *        nothing is posted after the return.
 *
 * Tell the host with HcsSetComputeSystemCallback or HcsSetProcessCallback
 * afterwards. Returns 0 or E_HANDLE.
 */
HCSSHIM_API int32_t hcsshim_handle_listen(hcsshim_service *service,
                                          uint64_t handle,
                                          hcsshim_queue *queue);

/* ---- the stdio relay (csrc/relay) ------------------------------------- */

/* One thread that moves the bytes of any number of transfers. */
typedef struct hcsshim_relay hcsshim_relay;

enum hcsshim_copy_flags {
    HCSSHIM_COPY_OWNS_SOURCE = 1, /* the transfer closes it at its end */
    HCSSHIM_COPY_OWNS_TARGET = 2  /* the same; its reader then sees the end */
};

/* How a transfer ended. */
typedef struct hcsshim_outcome {
    int32_t hresult; /* 0: the source ended and all of it was written */
    uint64_t bytes;  /* that were moved */
} hcsshim_outcome;

/* hcsshim_relay_new() - start a relay; it costs one thread. */
HCSSHIM_API int32_t hcsshim_relay_new(hcsshim_relay **out);

/*
 * hcsshim_relay_free() - cancel every transfer, end the thread, free all.
 *
 * No thread may be inside another function of the relay. NULL does nothing.
 */
HCSSHIM_API void hcsshim_relay_free(hcsshim_relay *relay);

/*
 * hcsshim_relay_copy() - move everything from one file into another.
 *
 * source, target: pipes, terminals, sockets, devices, or regular files in any
 *                 combination. Without the flag that hands it over, a file
 *                 stays the caller's, who may close it at once, and is not
 *                 changed for others who use it.
 * flags:          enum hcsshim_copy_flags. On failure nothing is handed over.
 * transfer:       its id, to be ended with hcsshim_transfer_end().
 *
 * Ends with the source, or when nobody reads the target any more: then the
 * outcome is ERROR_BROKEN_PIPE. Never blocks. Any thread.
 */
HCSSHIM_API int32_t hcsshim_relay_copy(hcsshim_relay *relay, int64_t source,
                                       int64_t target, uint32_t flags,
                                       uint64_t *transfer);

/*
 * hcsshim_relay_copy_logged() - the same, and keep what passes in a log.
 *
 * log:    a regular file opened for appending, borrowed; it gets the lines in
 *         the log format of the container runtime interface, with their times,
 *         and a last line although it has no end.
 * stream: 1 for stdout, 2 for stderr: what the lines say they are from.
 *
 * As hcsshim_relay_copy(), and E_INVALIDARG for another kind of log or stream.
 * If the log cannot be written, the bytes still reach the target, and the
 * outcome tells the reason at the end.
 */
HCSSHIM_API int32_t hcsshim_relay_copy_logged(hcsshim_relay *relay,
                                              int64_t source, int64_t target,
                                              int64_t log, uint32_t stream,
                                              uint32_t flags,
                                              uint64_t *transfer);

/*
 * hcsshim_transfer_wait() - block until a transfer has ended.
 *
 * timeout_ms: 0 looks only, 0xFFFFFFFF waits.
 *
 * Returns 0 with the outcome; HRESULT of WAIT_TIMEOUT; HCSSHIM_E_INTERRUPTED;
 * E_HANDLE. Any number of threads.
 */
HCSSHIM_API int32_t hcsshim_transfer_wait(hcsshim_relay *relay,
                                          uint64_t transfer,
                                          uint32_t timeout_ms,
                                          hcsshim_outcome *out);

/*
 * hcsshim_transfer_notify() - post an event of type HCSSHIM_EVENT_TICKET when
 * a transfer has ended. Returns 0; 1 if it has already; E_HANDLE.
 */
HCSSHIM_API int32_t hcsshim_transfer_notify(hcsshim_relay *relay,
                                            uint64_t transfer,
                                            hcsshim_queue *queue);

/*
 * hcsshim_transfer_cancel() - stop a transfer where it is; its outcome is then
 * ERROR_OPERATION_ABORTED. Returns 0 or E_HANDLE. Does not wait.
 */
HCSSHIM_API int32_t hcsshim_transfer_cancel(hcsshim_relay *relay,
                                            uint64_t transfer);

/* hcsshim_transfer_end() - cancel a transfer that runs, and forget it. */
HCSSHIM_API int32_t hcsshim_transfer_end(hcsshim_relay *relay,
                                         uint64_t transfer);

/* ---- pipes of Windows, for streams that block (csrc/relay) ------------- */

/*
 * A turn is one read or write, of a pipe that is open for overlapped I/O. It is
 * made once and used for any number of them, one after another. Descriptors of
 * other systems need none.
 */
typedef struct hcsshim_turn hcsshim_turn;

/* hcsshim_turn_new() - make one. Returns 0, E_OUTOFMEMORY, or E_NOTIMPL. */
HCSSHIM_API int32_t hcsshim_turn_new(hcsshim_turn **out);

/* hcsshim_turn_free() - forget one that has ended. NULL does nothing. */
HCSSHIM_API void hcsshim_turn_free(hcsshim_turn *turn);

/*
 * hcsshim_turn_begin() - read, or write.
 *
 * pipe: its HANDLE.
 * data: of 'size' bytes; must stay until the turn has ended.
 * done: the bytes moved, set if the turn ended at once.
 *
 * Returns 0 if it has; 1 if it goes on: wait for the turn's event, and finish
 * it; or why it failed. Does not wait. One thread at a time.
 */
HCSSHIM_API int32_t hcsshim_turn_begin(hcsshim_turn *turn, int64_t pipe,
                                       int writes, void *data, size_t size,
                                       uint64_t *done);

/* hcsshim_turn_event() - the event that is set when a turn has ended. */
HCSSHIM_API int64_t hcsshim_turn_event(const hcsshim_turn *turn);

/*
 * hcsshim_turn_finish() - give the bytes that a turn moved which went on.
 * Returns 0 or why it failed. Blocks until it has ended.
 */
HCSSHIM_API int32_t hcsshim_turn_finish(hcsshim_turn *turn, uint64_t *done);

/*
 * hcsshim_turn_cancel() - ask a turn to end now, with what it has moved or
 * ERROR_OPERATION_ABORTED. Does nothing if it has ended. Any thread, while the
 * pipe is open.
 */
HCSSHIM_API void hcsshim_turn_cancel(hcsshim_turn *turn);

/* ---- disk formats: tar, ext4, VHD, dm-verity (csrc/layer) ------------- */

/* The block of data and of the tree; the longest salt; the digest. */
enum {
    HCSSHIM_VERITY_BLOCK = 4096,
    HCSSHIM_VERITY_SALT = 256,
    HCSSHIM_VERITY_DIGEST = 32
};

/*
 * The dm-verity tree of an image that is being written: SHA-256 of salt and
 * block, 4 KiB blocks, hash type 1. One thread at a time.
 */
typedef struct hcsshim_verity hcsshim_verity;

/*
 * hcsshim_verity_new() - begin a tree at block 0.
 *
 * salt:    borrowed and copied; 'salt_length' bytes, at most 256.
 * workers: threads that hash beside the caller, at most 64; with 0, _update()
 *          hashes before it returns.
 *
 * Returns 0, E_INVALIDARG, E_OUTOFMEMORY, or why no thread could be started.
 */
HCSSHIM_API int32_t hcsshim_verity_new(const uint8_t *salt, size_t salt_length,
                                       uint32_t workers, hcsshim_verity **out);

/* hcsshim_verity_free() - stop the workers and free all. NULL does nothing. */
HCSSHIM_API void hcsshim_verity_free(hcsshim_verity *verity);

/*
 * hcsshim_verity_update() - hash the next bytes of the image.
 *
 * data: borrowed for the call; any length, copied only in parts of blocks or
 *       when there are workers.
 *
 * Returns 0, E_OUTOFMEMORY, or E_UNEXPECTED after _finish().
 */
HCSSHIM_API int32_t hcsshim_verity_update(hcsshim_verity *verity,
                                          const void *data, size_t length);

/* hcsshim_verity_skip() - the same for 'length' bytes of zeros, for nothing. */
HCSSHIM_API int32_t hcsshim_verity_skip(hcsshim_verity *verity,
                                        uint64_t length);

/*
 * hcsshim_verity_read() - the same for bytes of a file, on several threads.
 *
 * file, offset, threads: as for hcsshim_verity_hash_file().
 * length: a multiple of 4096; so must be what came before.
 */
HCSSHIM_API int32_t hcsshim_verity_read(hcsshim_verity *verity, int64_t file,
                                        uint64_t offset, uint64_t length,
                                        uint32_t threads);

/*
 * hcsshim_verity_put() - hash blocks again that were written over.
 *
 * block: the first of 'count' whole blocks at 'data', all of them before the
 *        place where _update() stands.
 *
 * Returns 0, E_INVALIDARG if they are not, or E_UNEXPECTED after _finish().
 */
HCSSHIM_API int32_t hcsshim_verity_put(hcsshim_verity *verity, uint64_t block,
                                       const void *data, size_t count);

/*
 * hcsshim_verity_finish() - complete the tree.
 *
 * root: set to the root hash, 32 bytes.
 *
 * Returns 0, E_INVALIDARG if the image is empty or ends inside a block,
 * E_OUTOFMEMORY, or E_UNEXPECTED when called again.
 */
HCSSHIM_API int32_t hcsshim_verity_finish(hcsshim_verity *verity,
                                          uint8_t *root);

/* hcsshim_verity_blocks() - the number of data blocks so far. */
HCSSHIM_API uint64_t hcsshim_verity_blocks(const hcsshim_verity *verity);

/*
 * hcsshim_verity_tree() - the finished tree, the top level first.
 *
 * length: set to its bytes, a multiple of 4096; 0 before _finish().
 *
 * Returns the tree, which is the verity's; NULL before _finish().
 */
HCSSHIM_API const uint8_t *hcsshim_verity_tree(const hcsshim_verity *verity,
                                               size_t *length);

/*
 * hcsshim_verity_hash() - the digests of blocks in memory.
 *
 * data:    borrowed; 'count' blocks of 4096 bytes.
 * digests: the caller's room for 32 bytes each.
 *
 * Returns 0 or E_INVALIDARG. Any thread.
 */
HCSSHIM_API int32_t hcsshim_verity_hash(const uint8_t *salt, size_t salt_length,
                                        const void *data, size_t count,
                                        uint8_t *digests);

/*
 * hcsshim_verity_hash_file() - the digests of blocks of a file.
 *
 * file:    a descriptor, or a HANDLE on Windows; borrowed. Its position is not
 *          used; on POSIX it is not moved either.
 * offset:  in bytes, of the first of 'count' blocks.
 * threads: how many hash and read, the caller's among them; 1 to 64.
 * digests: the caller's room for 32 bytes each.
 *
 * Returns 0, E_INVALIDARG, E_INVALID_DATA if the file ends before, or the
 * error of a read. May block on the file. Any thread.
 */
HCSSHIM_API int32_t hcsshim_verity_hash_file(const uint8_t *salt,
                                             size_t salt_length, int64_t file,
                                             uint64_t offset, uint64_t count,
                                             uint32_t threads,
                                             uint8_t *digests);

/* What an image of ext4 is made like. */
enum hcsshim_ext4_flags {
    HCSSHIM_EXT4_OVERLAY = 1,   /* whiteouts of OCI become those of overlayfs */
    HCSSHIM_EXT4_BACKSLASH = 2, /* in names and targets means a slash */
    HCSSHIM_EXT4_INLINE = 4,    /* files up to 136 bytes go into inodes */
    HCSSHIM_EXT4_STRICT = 8,    /* mend the faults of the reference */
    HCSSHIM_EXT4_SPARSE = 16,   /* leave holes in the file */
    HCSSHIM_EXT4_BEHIND = 32    /* write on another thread than _copy()'s */
};

/*
 * The writer of an ext4 image out of a tar, in one pass and without state
 * outside: the same bytes as the reference's program. One thread at a time.
 */
typedef struct hcsshim_ext4 hcsshim_ext4;

/*
 * hcsshim_ext4_new() - begin an image.
 *
 * file:     an empty file open for writing: a descriptor, or a HANDLE on
 *           Windows; borrowed until _finish() or, if that is not reached,
 *           _free(): threads may write to it between the calls. -1: write
 * nothing, only hash. Its position is not used; on POSIX it is not moved
 * either. flags:    of hcsshim_ext4_flags. max_size: of the image in bytes; 0
 * for 16 GiB. It decides where data begin. verity:   borrowed until _free(), or
 * NULL. Is given the whole image, so that hcsshim_verity_finish() may follow
 * hcsshim_ext4_finish(). Its workers write what they hash.
 *
 * Returns 0, E_INVALIDARG or E_OUTOFMEMORY. An image that cannot be written is
 * told of by the next call.
 */
HCSSHIM_API int32_t hcsshim_ext4_new(int64_t file, uint32_t flags,
                                     uint64_t max_size, hcsshim_verity *verity,
                                     hcsshim_ext4 **out);

/* hcsshim_ext4_free() - free all; the file stays open. NULL does nothing. */
HCSSHIM_API void hcsshim_ext4_free(hcsshim_ext4 *ext4);

/*
 * hcsshim_ext4_feed() - take the next bytes of the tar.
 *
 * data: borrowed for the call; any length. What follows the tar's end is
 *       not looked at.
 *
 * Returns 0; E_INVALID_DATA for a tar that is damaged or cannot become an
 * image; E_FILE_TOO_LARGE if the image would exceed its limit; E_OUTOFMEMORY;
 * the error of a write. After an error every call gives it again. May block on
 * the file.
 */
HCSSHIM_API int32_t hcsshim_ext4_feed(hcsshim_ext4 *ext4, const void *data,
                                      size_t length);

/*
 * hcsshim_ext4_copy() - read the next bytes of the tar from a file or pipe.
 *
 * source: as 'file'; read from its position on.
 * limit:  how much at most, in bytes.
 * copied: set to how much was read; 0 only at its end, or with an error.
 *
 * Returns as _feed(), the error of a read, or HCSSHIM_E_INTERRUPTED if a signal
 * came before anything was read: call again. May block.
 */
HCSSHIM_API int32_t hcsshim_ext4_copy(hcsshim_ext4 *ext4, int64_t source,
                                      uint64_t limit, uint64_t *copied);

/*
 * hcsshim_ext4_finish() - complete the image.
 *
 * size: set to its length in bytes, a multiple of 4096.
 *
 * Returns as _feed(), also E_INVALID_DATA if the tar ends inside a member.
 */
HCSSHIM_API int32_t hcsshim_ext4_finish(hcsshim_ext4 *ext4, uint64_t *size);

/*
 * hcsshim_ext4_problem() - what was wrong with the tar, in words.
 *
 * Returns the ext4's text, not terminated, perhaps empty; names in it stand as
 * in the tar, in whatever encoding.
 */
HCSSHIM_API const char *hcsshim_ext4_problem(const hcsshim_ext4 *ext4,
                                             size_t *length);

/* hcsshim_sha256_name() - which SHA-256 this machine runs: "x86 SHA", ... */
HCSSHIM_API const char *hcsshim_sha256_name(void);

/*
 * hcsshim_crc32c() - CRC-32C of some bytes, for VHDX.
 *
 * crc: of the bytes before them; 0 at the start. data: borrowed.
 */
HCSSHIM_API uint32_t hcsshim_crc32c(uint32_t crc, const void *data,
                                    size_t length);

/* ---- layers (csrc/layer) ----------------------------------------------- */

enum hcsshim_unpack_flags {
    /* A Windows layer: its rules for names, and its members file beside it. */
    HCSSHIM_UNPACK_WINDOWS = 1,
    /* Nothing is below this layer, so that it removes nothing. */
    HCSSHIM_UNPACK_BASE = 2,
    /* Nobody asks for the digest. */
    HCSSHIM_UNPACK_UNHASHED = 4
};

typedef struct hcsshim_unpack_result {
    uint64_t tar_bytes;
    uint64_t bytes; /* of the files, their holes with them */
    uint64_t members;
    uint64_t streams;             /* of these, alternate data streams */
    uint64_t devices_left_out;    /* which this user may not make */
    uint64_t attributes_left_out; /* extended ones, likewise */
    uint8_t diff_id[32];          /* SHA-256 of the tar; zeros: unhashed */
} hcsshim_unpack_result;

/*
 * hcsshim_tree_remove() - remove a file, or a folder with all that is below.
 *
 * path: terminated. No link is followed, and neither depth nor the modes of
 *       folders stand in the way. Nothing there is success.
 *
 * Returns 0 or the error of the first file that stays. Blocks. Any thread.
 */
HCSSHIM_API int32_t hcsshim_tree_remove(const char *path);

/*
 * A tar that becomes the folder of a layer, in one pass. One thread at a time.
 * Whatever the tar says, nothing is written outside of the folder, and memory
 * is bounded but for the folders' names. After a failure the folder holds a
 * part of the layer: remove it.
 */
typedef struct hcsshim_unpack hcsshim_unpack;

/*
 * hcsshim_unpack_new() - begin.
 *
 * root:    the folder, which is empty; a terminated path.
 * parents: terminated paths of the layers below, nearest first; where hard
 *          links of a Windows layer may lead. Borrowed for the call, as root.
 *
 * Returns 0, E_OUTOFMEMORY, or why a folder cannot be used.
 */
HCSSHIM_API int32_t hcsshim_unpack_new(const char *root, uint32_t flags,
                                       const char *const *parents,
                                       uint32_t parent_count,
                                       hcsshim_unpack **out);

/* hcsshim_unpack_free() - close all. NULL does nothing. */
HCSSHIM_API void hcsshim_unpack_free(hcsshim_unpack *unpack);

/*
 * hcsshim_unpack_feed() - take the next bytes of the tar.
 *
 * data: borrowed for the call.
 *
 * Returns 0; E_INVALID_DATA for a tar that is damaged or refused; the error of
 * a file. After a failure every call gives it again. May block on files.
 */
HCSSHIM_API int32_t hcsshim_unpack_feed(hcsshim_unpack *unpack,
                                        const void *data, size_t length);

/*
 * hcsshim_unpack_room() - where the next bytes of the tar may be put.
 *
 * data: set to memory of the unpack's, valid until the next call.
 * room: set to how many bytes fit there, at least one.
 *
 * Returns as _feed(). May block until there is some.
 */
HCSSHIM_API int32_t hcsshim_unpack_room(hcsshim_unpack *unpack, void **data,
                                        size_t *room);

/* hcsshim_unpack_fill() - take what was put into _room(); as _feed(). */
HCSSHIM_API int32_t hcsshim_unpack_fill(hcsshim_unpack *unpack, size_t length);

/*
 * hcsshim_unpack_read() - the same for bytes of a file.
 *
 * file:  a descriptor, or a HANDLE on Windows; read from where it stands.
 * limit: return when this many bytes were taken, or a few more.
 * got:   set to how many were; less than 'limit' at the end of the file.
 */
HCSSHIM_API int32_t hcsshim_unpack_read(hcsshim_unpack *unpack, int64_t file,
                                        uint64_t limit, uint64_t *got);

/*
 * hcsshim_unpack_finish() - there is no more.
 *
 * Returns as _feed(); E_UNEXPECTED when called again.
 */
HCSSHIM_API int32_t hcsshim_unpack_finish(hcsshim_unpack *unpack,
                                          hcsshim_unpack_result *result);

/*
 * hcsshim_unpack_problem() - what went wrong, as a part of a sentence.
 *
 * Returns terminated bytes, which are the unpack's; empty when the code says
 * it all. Names in it are as they are in the tar.
 */
HCSSHIM_API const char *hcsshim_unpack_problem(const hcsshim_unpack *unpack);

enum hcsshim_pack_flags {
    /* A Windows layer: its members file, and the metadata of layers below. */
    HCSSHIM_PACK_WINDOWS = 1,
    /* All files are root's, whoever owns them here; for Linux layers. */
    HCSSHIM_PACK_ROOT = 2,
    /* Nobody asks for the digest. */
    HCSSHIM_PACK_UNHASHED = 4
};

typedef struct hcsshim_pack_result {
    uint64_t tar_bytes;
    uint64_t bytes; /* of the files, their holes with them */
    uint64_t members;
    uint8_t diff_id[32]; /* SHA-256 of the tar; zeros: unhashed */
} hcsshim_pack_result;

/* A layer's folder that becomes a tar. One thread at a time. */
typedef struct hcsshim_pack hcsshim_pack;

/*
 * hcsshim_pack_new() - begin.
 *
 * root:    the layer's folder; a terminated path.
 * parents: terminated paths of the layers below, nearest first; where a Windows
 *          layer's changed files had their metadata. Borrowed, as root.
 * file:    where the tar goes: a descriptor, or a HANDLE on Windows; borrowed
 *          until _free(). -1: into memory, for hcsshim_pack_data().
 *
 * Returns 0, E_OUTOFMEMORY, or why a folder cannot be used.
 */
HCSSHIM_API int32_t hcsshim_pack_new(const char *root, uint32_t flags,
                                     const char *const *parents,
                                     uint32_t parent_count, int64_t file,
                                     hcsshim_pack **out);

/* hcsshim_pack_free() - close all. NULL does nothing. */
HCSSHIM_API void hcsshim_pack_free(hcsshim_pack *pack);

/*
 * hcsshim_pack_run() - write more of the tar.
 *
 * limit: return when this many bytes were written, or a few more.
 * made:  set to how many were; 0 when the tar is complete.
 *
 * Returns 0, E_INVALID_DATA for a layer whose own records are damaged, or the
 * error of a file. After a failure every call gives it again. May block.
 */
HCSSHIM_API int32_t hcsshim_pack_run(hcsshim_pack *pack, uint64_t limit,
                                     uint64_t *made);

/* hcsshim_pack_data() - what the last _run() made in memory; the pack's. */
HCSSHIM_API const uint8_t *hcsshim_pack_data(const hcsshim_pack *pack,
                                             size_t *length);

/*
 * hcsshim_pack_finish() - tell what was written.
 *
 * Returns as _run(); E_UNEXPECTED before its end, or when called again.
 */
HCSSHIM_API int32_t hcsshim_pack_finish(hcsshim_pack *pack,
                                        hcsshim_pack_result *result);

/* hcsshim_pack_problem() - as hcsshim_unpack_problem(). */
HCSSHIM_API const char *hcsshim_pack_problem(const hcsshim_pack *pack);

/* ---- Win32 backup streams and tar (csrc/layer) -------------------------- */

/* What a file has besides its streams. Times: 100 ns since 1601; 0: unknown. */
typedef struct hcsshim_file_info {
    uint64_t creation_time;
    uint64_t access_time;
    uint64_t write_time;
    uint64_t change_time;
    uint32_t attributes;
    uint32_t reserved;
} hcsshim_file_info;

/* A tar made of files as BackupRead gives them. One thread at a time. */
typedef struct hcsshim_backup_pack hcsshim_backup_pack;

/*
 * hcsshim_backup_pack_new() - begin.
 *
 * file:   as for hcsshim_pack_new().
 * hashed: not 0: compute the digest that _finish() tells; otherwise it is
 * zeros.
 */
HCSSHIM_API int32_t hcsshim_backup_pack_new(int64_t file, int32_t hashed,
                                            hcsshim_backup_pack **out);

/* hcsshim_backup_pack_free() - NULL does nothing. */
HCSSHIM_API void hcsshim_backup_pack_free(hcsshim_backup_pack *pack);

/*
 * hcsshim_backup_pack_add() - add a file.
 *
 * name:   UTF-8, with either separator; 'name_length' bytes. Borrowed, as all.
 * stream: the whole of its backup stream; borrowed until the file is complete.
 *
 * Returns 0; 1 when there is much in memory and more to come: take it, clear
 * it, and call hcsshim_backup_pack_more(). E_INVALID_DATA for a damaged stream,
 * or one that no tar can hold; the error of a file. After a failure every call
 * gives it again.
 */
HCSSHIM_API int32_t hcsshim_backup_pack_add(hcsshim_backup_pack *pack,
                                            const char *name,
                                            size_t name_length,
                                            const hcsshim_file_info *info,
                                            const void *stream, size_t length);

/* hcsshim_backup_pack_add_file() - the same for bytes of a file. */
HCSSHIM_API int32_t hcsshim_backup_pack_add_file(hcsshim_backup_pack *pack,
                                                 const char *name,
                                                 size_t name_length,
                                                 const hcsshim_file_info *info,
                                                 int64_t file, uint64_t offset,
                                                 uint64_t length);

/* hcsshim_backup_pack_more() - go on with a file; returns as _add(). */
HCSSHIM_API int32_t hcsshim_backup_pack_more(hcsshim_backup_pack *pack);

/* hcsshim_backup_pack_link() - add another name of a file that is there. */
HCSSHIM_API int32_t hcsshim_backup_pack_link(
    hcsshim_backup_pack *pack, const char *name, size_t name_length,
    const char *target, size_t target_length, const hcsshim_file_info *info);

/* hcsshim_backup_pack_remove() - say that a name of a layer below is gone. */
HCSSHIM_API int32_t hcsshim_backup_pack_remove(hcsshim_backup_pack *pack,
                                               const char *name,
                                               size_t name_length);

/* hcsshim_backup_pack_data() - what is in memory; the pack's, until _clear().
 */
HCSSHIM_API const uint8_t *hcsshim_backup_pack_data(hcsshim_backup_pack *pack,
                                                    size_t *length);
HCSSHIM_API void hcsshim_backup_pack_clear(hcsshim_backup_pack *pack);

/* hcsshim_backup_pack_finish() - end the tar, as hcsshim_pack_finish(). */
HCSSHIM_API int32_t hcsshim_backup_pack_finish(hcsshim_backup_pack *pack,
                                               hcsshim_pack_result *result);

/* hcsshim_backup_pack_problem() - as hcsshim_unpack_problem(). */
HCSSHIM_API const char *
hcsshim_backup_pack_problem(const hcsshim_backup_pack *pack);

/* A tar taken apart into files as BackupWrite takes them. One thread. */
typedef struct hcsshim_backup_unpack hcsshim_backup_unpack;

enum hcsshim_backup_kind {
    HCSSHIM_BACKUP_FILE = 1, /* or a folder, or a link: the attributes tell */
    HCSSHIM_BACKUP_LINK,     /* another name of a file before it */
    HCSSHIM_BACKUP_REMOVED   /* a name of a layer below that is gone */
};

/* All the unpack's, valid until the next step. */
typedef struct hcsshim_backup_item {
    uint32_t kind;
    uint32_t more; /* not 0: the next step has more of the same file's stream */
    const char *name;
    size_t name_length;
    const char *target; /* of a link */
    size_t target_length;
    hcsshim_file_info info;
    uint64_t size;      /* of the file's data */
    const char *stream; /* bytes, not terminated */
    size_t stream_length;
} hcsshim_backup_item;

/* hcsshim_backup_unpack_new() - begin. Returns 0 or E_OUTOFMEMORY. */
HCSSHIM_API int32_t hcsshim_backup_unpack_new(hcsshim_backup_unpack **out);

/* hcsshim_backup_unpack_free() - NULL does nothing. */
HCSSHIM_API void hcsshim_backup_unpack_free(hcsshim_backup_unpack *unpack);

/*
 * hcsshim_backup_unpack_feed() - give the next bytes of the tar.
 *
 * data: borrowed until _next() returns 0. With length 0 the tar ends.
 */
HCSSHIM_API void hcsshim_backup_unpack_feed(hcsshim_backup_unpack *unpack,
                                            const void *data, size_t length);

/*
 * hcsshim_backup_unpack_next() - take the next file, or a part of one.
 *
 * Returns 1 with an item; 0 when more must be fed, or after the end was; or
 * E_INVALID_DATA, E_OUTOFMEMORY. After a failure every call gives it again.
 */
HCSSHIM_API int32_t hcsshim_backup_unpack_next(hcsshim_backup_unpack *unpack,
                                               hcsshim_backup_item *item);

/* hcsshim_backup_unpack_problem() - as hcsshim_unpack_problem(). */
HCSSHIM_API const char *
hcsshim_backup_unpack_problem(const hcsshim_backup_unpack *unpack);

/* cdef: end */

#endif
