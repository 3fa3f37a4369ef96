/* service.h - the inside of a service, for the files that make it up. */
#ifndef HCSSHIM_NATIVE_SERVICE_H
#define HCSSHIM_NATIVE_SERVICE_H

#include "events/platform.h"
#include "hcsshim.h"
#include "native/connection.h"
#include "native/ids.h"
#include "native/lead.h"

enum { HCSSHIM_PENDING = 0, HCSSHIM_ANSWERED = 1 };

/* A call that was submitted. Lives until it is answered *and* ended. */
struct hcsshim__ticket {
    hcsshim__gate gate;   /* HCSSHIM_PENDING until it is answered */
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
    void *own;            /* what the provider knows of it, or NULL */
};

/* A call that was entered into the tables; everything is borrowed. */
struct hcsshim__submission {
    const hcsshim_call_row *row;
    const hcsshim_value *values;
    size_t count;
    unsigned char *frame; /* room for its frame, of 'length' bytes */
    size_t length;
    uint64_t ticket; /* 0: nobody wants the answer */
    uint64_t handle; /* that it makes, or 0 */
    void *own;       /* of the handle that it is about, or NULL */
};

/* What answers below: the embedded host, or the DLLs of Windows. */
struct hcsshim__provider {
    /* Begin a call, and answer its ticket now or later. Under no lock. */
    void (*begin)(hcsshim_service *service,
                  const struct hcsshim__submission *submission);
    /*
     * Wait for a ticket's gate in a way of its own; or NULL. Results as
     * hcsshim__gate_wait(), and it may return early. Under no lock.
     */
    int32_t (*wait)(hcsshim_service *service, struct hcsshim__ticket *ticket,
                    uint32_t timeout_ms);
    /* Wake who is in wait(), to look at the gate again; or NULL. Any lock. */
    void (*wake)(hcsshim_service *service);
    /* Ask to stop a call. Under no lock. */
    void (*cancel)(hcsshim_service *service, uint64_t ticket);
    /* Let go of what it knows of a handle that was not closed; or NULL. */
    void (*drop)(hcsshim_service *service, void *own);
    /* Stop: nothing is answered or posted after the return. */
    void (*stop)(hcsshim_service *service);
    /* Free what is its own, last of all. */
    void (*end)(hcsshim_service *service);
};

struct hcsshim_service {
    const struct hcsshim__provider *provider;
    hcsshim__connection connection;
    hcsshim__thread reader;
    hcsshim__lead lead;           /* whoever has it reads, and owns 'inbox' */
    struct hcsshim__inbox *inbox; /* what came and is not handled yet */
    hcsshim__mutex send_lock;     /* one frame at a time; never inside 'lock' */
    hcsshim__mutex lock;          /* everything below */
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

/* service.c: a service of a provider, without what is the provider's own. */
int32_t hcsshim__service_new(const struct hcsshim__provider *provider,
                             hcsshim_service **out);
/* Free it; nothing of the provider's is touched. */
void hcsshim__service_discard(hcsshim_service *service);
/* Take no more calls, answer all tickets, and tell every listener. */
void hcsshim__service_lost(hcsshim_service *service);

/* reader.c: an empty inbox, or NULL. */
struct hcsshim__inbox *hcsshim__inbox_new(void);
void hcsshim__inbox_free(struct hcsshim__inbox *inbox);
/* The body of the thread that reads. */
void hcsshim__service_read(void *service);
/* What a thread does that waits for a ticket: see struct hcsshim__provider. */
int32_t hcsshim__service_wait(hcsshim_service *service,
                              struct hcsshim__ticket *ticket,
                              uint32_t timeout_ms);
void hcsshim__service_wake(hcsshim_service *service);

#endif
