/*
 * lead_alone.h - lead.h where the reader alone reads: it sleeps in reading.
 *
 * The body of lead_posix.c and of lead_win32.c.
 */
#ifndef HCSSHIM_NATIVE_LEAD_ALONE_H
#define HCSSHIM_NATIVE_LEAD_ALONE_H

#include "hcsshim.h"
#include "native/lead.h"

int32_t hcsshim__lead_init(hcsshim__lead *lead,
                           const hcsshim__connection *connection)
{
    lead->file = connection->file;
    return 0;
}

void hcsshim__lead_destroy(hcsshim__lead *lead) { (void)lead; }

void hcsshim__lead_await(hcsshim__lead *lead) { (void)lead; }

void hcsshim__lead_pass(hcsshim__lead *lead) { (void)lead; }

int hcsshim__lead_take(hcsshim__lead *lead)
{
    (void)lead;
    return 0;
}

void hcsshim__lead_return(hcsshim__lead *lead) { (void)lead; }

int32_t hcsshim__lead_wait(hcsshim__lead *lead, uint32_t timeout_ms)
{
    (void)lead;
    (void)timeout_ms;
    return HCSSHIM_E_WAIT_TIMEOUT;
}

void hcsshim__lead_wake(hcsshim__lead *lead) { (void)lead; }

#endif
