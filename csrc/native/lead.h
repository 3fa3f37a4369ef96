/*
 * lead.h - who reads a connection: its own thread, or one that waits.
 *
 * Written once per platform, in lead_linux.c, lead_posix.c and lead_win32.c.
 * Where the reader cannot be made to sleep while another thread reads, nobody
 * else ever gets the lead.
 */
#ifndef HCSSHIM_NATIVE_LEAD_H
#define HCSSHIM_NATIVE_LEAD_H

#include "events/platform.h"
#include "native/connection.h"

typedef struct hcsshim__lead {
    hcsshim__mutex held; /* by whoever has the lead */
    int64_t file;        /* what is read */
    int64_t watch;       /* the epoll that the reader sleeps on */
    hcsshim__bell bell;  /* wakes who leads in the reader's place */
    atomic_int taken;    /* somebody does */
} hcsshim__lead;

/* The connection is open until hcsshim__lead_destroy(). */
int32_t hcsshim__lead_init(hcsshim__lead *lead,
                           const hcsshim__connection *connection);
void hcsshim__lead_destroy(hcsshim__lead *lead);

/*
 * The reader: sleep until it may read, and take the lead; give it up with
 * hcsshim__lead_pass(). May block, as may reading then where nobody else reads.
 */
void hcsshim__lead_await(hcsshim__lead *lead);
void hcsshim__lead_pass(hcsshim__lead *lead);

/*
 * Anybody else: take the lead, so that the reader sleeps on; 0 if somebody has
 * it. Give it back with hcsshim__lead_return(). Never blocks.
 */
int hcsshim__lead_take(hcsshim__lead *lead);
void hcsshim__lead_return(hcsshim__lead *lead);

/*
 * Having taken it: wait until there is something to read, or somebody wakes us.
 * Returns 1 if something is there, 0 if not, WAIT_TIMEOUT as an HRESULT, or
 * HCSSHIM_E_INTERRUPTED.
 */
int32_t hcsshim__lead_wait(hcsshim__lead *lead, uint32_t timeout_ms);

/* Wake who took the lead, if somebody did. Never blocks. */
void hcsshim__lead_wake(hcsshim__lead *lead);

#endif
