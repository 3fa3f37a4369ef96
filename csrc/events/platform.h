/*
 * platform.h - what the shim needs of threads, in as few words as possible.
 *
 * Each function is written once per platform: thread_unix.c, thread_win32.c,
 * gate_linux.c, gate_posix.c, gate_win32.c, bell_linux.c, bell_posix.c,
 * bell_win32.c.
 */
#ifndef HCSSHIM_EVENTS_PLATFORM_H
#define HCSSHIM_EVENTS_PLATFORM_H

#include <stdatomic.h>
#include <stdint.h>

#ifdef _WIN32
#include "events/platform_win32.h"
#else
#include <pthread.h>
typedef pthread_mutex_t hcsshim__mutex;
typedef pthread_t hcsshim__thread;
#endif

#define HCSSHIM_FOREVER UINT32_C(0xFFFFFFFF)

/* ---- mutexes and threads ---------------------------------------------- */

int32_t hcsshim__mutex_init(hcsshim__mutex *mutex);
void hcsshim__mutex_destroy(hcsshim__mutex *mutex);
void hcsshim__mutex_lock(hcsshim__mutex *mutex);
void hcsshim__mutex_unlock(hcsshim__mutex *mutex);

/*
 * hcsshim__thread_start() - run body(context) on a thread of its own.
 *
 * The thread takes no signals: handlers must run in the program's threads,
 * where they interrupt a wait.
 */
int32_t hcsshim__thread_start(hcsshim__thread *thread, void (*body)(void *),
                              void *context);
void hcsshim__thread_join(hcsshim__thread thread);

/* Of this process: another one in a child, where no thread but one is left. */
uint64_t hcsshim__process_id(void);

/* Milliseconds of a clock that only goes forward. */
uint64_t hcsshim__clock_ms(void);

/* ---- gates: threads that wait until a word changes -------------------- */

typedef struct hcsshim__gate {
    _Atomic uint32_t word;
} hcsshim__gate;

/*
 * hcsshim__gate_wait() - sleep while gate->word is 'expected'.
 *
 * Returns 0 when the word may have changed (look again), WAIT_TIMEOUT as an
 * HRESULT, or HCSSHIM_E_INTERRUPTED. May block. Any thread.
 */
int32_t hcsshim__gate_wait(hcsshim__gate *gate, uint32_t expected,
                           uint32_t timeout_ms);

/* Store 'word' and wake every thread that sleeps on it. Never blocks. */
void hcsshim__gate_open(hcsshim__gate *gate, uint32_t word);

/* ---- bells: a file that is readable once somebody rang; on Windows an
 * event that is set then ------------------------------------------------- */

typedef struct hcsshim__bell {
    int64_t read_file; /* for poll, epoll, or an event loop */
    int64_t ring_file;
} hcsshim__bell;

int32_t hcsshim__bell_init(hcsshim__bell *bell);
void hcsshim__bell_destroy(hcsshim__bell *bell);
/* Never blocks; safe on any thread. Ringing twice is as ringing once. */
void hcsshim__bell_ring(const hcsshim__bell *bell);
/* Make it unreadable again. Never blocks. */
void hcsshim__bell_silence(const hcsshim__bell *bell);
/* Results as hcsshim__gate_wait(). */
int32_t hcsshim__bell_wait(const hcsshim__bell *bell, uint32_t timeout_ms);

#endif
