/* queue.h - the inside of event queues, for our own files. */
#ifndef HCSSHIM_EVENTS_QUEUE_H
#define HCSSHIM_EVENTS_QUEUE_H

#include "hcsshim.h"

/* Who keeps a queue for later posts holds a reference until it lets go. */
void hcsshim__queue_hold(hcsshim_queue *queue);
void hcsshim__queue_release(hcsshim_queue *queue);

#endif
