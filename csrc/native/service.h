/* service.h - the inside of a service, for the files that make it up. */
#ifndef HCSSHIM_NATIVE_SERVICE_H
#define HCSSHIM_NATIVE_SERVICE_H

#include "events/platform.h"
#include "hcsshim.h"
#include "native/connection.h"
#include "native/ids.h"

/* A call that was submitted. Lives until it is answered *and* ended. */
struct hcsshim__ticket {
    hcsshim__gate gate;   /* 0: pending, 1: answered */
    uint32_t waiters;     /* threads inside _wait(), and the one that answers */
    int answered;         /* under the lock; the gate opens right after */
    int abandoned;        /* ended before it was answered */
    int ended;            /* out of the table; whoever leaves last frees it */
    hcsshim_queue *queue; /* told when it is answered; NULL: nobody */
    uint64_t id;
    hcsshim_completion completion;
};

/* A handle of a compute system, a process, or an object of a network. */
struct hcsshim__handle {
    uint8_t kind;         /* HCSSHIM_KIND_SYSTEM, _PROCESS or _OBJECT */
    hcsshim_queue *queue; /* takes its events; NULL: nobody listens */
};

struct hcsshim_service {
    hcsshim__connection connection;
    hcsshim__thread reader;
    hcsshim__mutex send_lock; /* one frame at a time; never inside 'lock' */
    hcsshim__mutex lock;      /* everything below */
    hcsshim__ids tickets;
    hcsshim__ids handles;
    uint32_t waiting;   /* threads inside hcsshim_ticket_wait() */
    hcsshim__gate idle; /* opens when the last of them leaves */
    atomic_int alive;
    uint32_t host;
};

/* tickets.c */
uint64_t hcsshim__ticket_add(hcsshim_service *service);
/* Move an outcome into its ticket; one that nobody wants is cleared. */
void hcsshim__ticket_answer(hcsshim_service *service, uint64_t ticket,
                            hcsshim_completion *completion);
/* Answer every ticket with 'hresult'. */
void hcsshim__tickets_fail(hcsshim_service *service, int32_t hresult);
/* Free every ticket; no thread may be waiting any more. */
void hcsshim__tickets_free(hcsshim_service *service);

/* service.c: ask the host to stop a call. Under no lock. */
void hcsshim__service_cancel(hcsshim_service *service, uint64_t ticket);

/* reader.c: the body of the thread that reads. */
void hcsshim__service_read(void *service);

#endif
