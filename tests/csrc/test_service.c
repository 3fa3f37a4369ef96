/*
 * test_service.c - tickets, handles and queues under many threads.
 *
 * A small host of the test's own answers every call after a moment, in random
 * order. Meant for the sanitizers: every assertion also holds without them.
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "events/platform.h"
#include "hcsshim.h"
#include "native/frame.h"
#include "native/ids.h"
#include "native/service.h"

#define CALLERS 4
#define ROUNDS 300

enum { OPEN_SYSTEM = 125, CLOSE_SYSTEM = 127, START_SYSTEM = 128 };

static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

/* ---- a host that answers ---------------------------------------------- */

static int read_all(int file, void *room, size_t length)
{
    char *next = room;

    while (length > 0) {
        ssize_t got = read(file, next, length);

        if (got <= 0)
            return 0;
        next += got;
        length -= (size_t)got;
    }
    return 1;
}

static void answer(int file, const hcsshim__frame *call)
{
    static const char text[] = "{\"Answer\":true}";
    unsigned char room[HCSSHIM_WIRE_HEADER + 4 + sizeof text - 1 + 4];
    hcsshim__frame frame = {.length = sizeof room,
                            .kind = HCSSHIM_FRAME_ANSWER,
                            .call = call->call,
                            .id = call->id,
                            .hresult = (int32_t)(call->id & 0x7FFF)};

    hcsshim__frame_put_header(room, &frame);
    hcsshim__frame_put_u32(room + HCSSHIM_WIRE_HEADER, sizeof text - 1);
    memcpy(room + HCSSHIM_WIRE_HEADER + 4, text, sizeof text - 1);
    hcsshim__frame_put_u32(room + sizeof room - 4, 7);
    if (write(file, room, sizeof room) != (ssize_t)sizeof room)
        assert(errno == EPIPE);
}

static void welcome(int file)
{
    unsigned char room[HCSSHIM_WIRE_HEADER + 4] = {0};
    hcsshim__frame frame = {
        .length = sizeof room, .kind = HCSSHIM_FRAME_WELCOME, .detail = 4711};

    hcsshim__frame_put_header(room, &frame);
    assert(write(file, room, sizeof room) == (ssize_t)sizeof room);
}

struct host {
    int listener;
    size_t most; /* calls answered before the host goes away */
    int keeps;   /* what is held back stays so, although no other call comes */
};

/* Answer what is held back, if nobody calls for a moment. */
static void answer_when_quiet(const struct host *host, int file,
                              hcsshim__frame *held)
{
    struct pollfd coming = {.fd = file, .events = POLLIN};

    if (held->id == 0 || host->keeps || poll(&coming, 1, 1) != 0)
        return;
    answer(file, held);
    held->id = 0;
}

static void *serve(void *context)
{
    struct host *host = context;
    int file = accept(host->listener, NULL, NULL);
    unsigned char header[HCSSHIM_WIRE_HEADER], *body = malloc(1 << 20);
    hcsshim__frame held = {0};
    size_t count = 0;

    assert(file >= 0 && body != NULL);
    while (count < host->most) {
        hcsshim__frame frame;

        answer_when_quiet(host, file, &held);
        if (!read_all(file, header, sizeof header))
            break;
        hcsshim__frame_get_header(header, &frame);
        assert(frame.length - sizeof header <= 1 << 20);
        if (!read_all(file, body, frame.length - sizeof header))
            break;
        if (frame.kind == HCSSHIM_FRAME_HELLO)
            welcome(file);
        if (frame.kind != HCSSHIM_FRAME_CALL || frame.id == 0)
            continue;
        count++;
        if (held.id == 0 && (frame.id & 3) == 1) {
            held = frame; /* answered after a later one, if one comes */
            continue;
        }
        answer(file, &frame);
        if (held.id != 0)
            answer(file, &held);
        held.id = 0;
    }
    close(file);
    free(body);
    return NULL;
}

static hcsshim_service *connect_to(struct host *host, pthread_t *thread)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    hcsshim_service *service;

    memcpy(address.sun_path, socket_path, strlen(socket_path));
    unlink(socket_path);
    host->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert(bind(host->listener, (struct sockaddr *)&address, sizeof address) ==
           0);
    assert(listen(host->listener, 1) == 0);
    assert(pthread_create(thread, NULL, serve, host) == 0);
    assert(hcsshim_service_connect(socket_path, strlen(socket_path), "test", 4,
                                   &service) == 0);
    assert(hcsshim_service_host(service) == 4711);
    return service;
}

static void end(struct host *host, pthread_t thread, hcsshim_service *service)
{
    hcsshim_service_free(service);
    pthread_join(thread, NULL);
    close(host->listener);
    unlink(socket_path);
}

/* ---- callers ---------------------------------------------------------- */

struct caller {
    hcsshim_service *service;
    unsigned seed;
    size_t answered, disconnected;
};

/* Open a system, then start it, wait or give up, and close it. */
static int call_once(struct caller *caller)
{
    hcsshim_service *service = caller->service;
    hcsshim_value open[2] = {{"id", 2, 0}, {NULL, 0, 1}};
    hcsshim_value start[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    uint64_t ticket, second, handle, none;
    hcsshim_completion completion;
    int32_t hr;

    hr =
        hcsshim_service_submit(service, OPEN_SYSTEM, open, 2, &ticket, &handle);
    if (hr == HCSSHIM_HCS_E_SERVICE_DISCONNECT)
        return 0;
    assert(hr == 0 && handle != 0);
    start[0].number = handle;
    hr =
        hcsshim_service_submit(service, START_SYSTEM, start, 2, &second, &none);
    assert(hr == 0 || hr == HCSSHIM_HCS_E_SERVICE_DISCONNECT);
    if (hr == 0 && rand_r(&caller->seed) % 2 == 0)
        assert(hcsshim_ticket_abandon(service, second) == 0);
    else if (hr == 0) {
        assert(hcsshim_ticket_wait(service, second, HCSSHIM_FOREVER) == 0);
        assert(hcsshim_ticket_take(service, second, &completion) == 0);
        hcsshim_completion_clear(&completion);
        assert(hcsshim_ticket_take(service, second, &completion) ==
               HCSSHIM_E_HANDLE);
    }
    assert(hcsshim_ticket_wait(service, ticket, HCSSHIM_FOREVER) == 0);
    assert(hcsshim_ticket_take(service, ticket, &completion) == 0);
    if (completion.hresult == HCSSHIM_HCS_E_SERVICE_DISCONNECT)
        caller->disconnected++;
    else {
        assert(completion.hresult == (int32_t)(ticket & 0x7FFF));
        assert(completion.process_id == 7 && completion.length == 15);
        caller->answered++;
    }
    hcsshim_completion_clear(&completion);
    start[0].number = handle;
    hr = hcsshim_service_submit(service, CLOSE_SYSTEM, start, 1, NULL, &none);
    assert(hr == 0 || hr == HCSSHIM_HCS_E_SERVICE_DISCONNECT);
    return hr == 0;
}

static void *call(void *context)
{
    struct caller *caller = context;

    for (int i = 0; i < ROUNDS && call_once(caller); i++)
        ;
    return NULL;
}

static size_t call_from_threads(hcsshim_service *service)
{
    struct caller callers[CALLERS];
    pthread_t threads[CALLERS];
    size_t answered = 0;

    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.service = service, .seed = i};
        assert(pthread_create(&threads[i], NULL, call, &callers[i]) == 0);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        answered += callers[i].answered;
    }
    return answered;
}

/* ---- the tests -------------------------------------------------------- */

static void every_caller_gets_its_own_answer(void)
{
    struct host host = {.most = SIZE_MAX};
    pthread_t thread;
    hcsshim_service *service = connect_to(&host, &thread);

    assert(call_from_threads(service) == CALLERS * ROUNDS);
    end(&host, thread, service);
}

static void a_host_that_dies_answers_everybody(void)
{
    struct host host = {.most = 200};
    pthread_t thread;
    hcsshim_service *service = connect_to(&host, &thread);

    assert(call_from_threads(service) < CALLERS * ROUNDS);
    assert(!hcsshim_service_alive(service));
    end(&host, thread, service);
}

static void *wait_forever(void *context)
{
    struct caller *caller = context;

    assert(hcsshim_ticket_wait(caller->service, caller->answered,
                               HCSSHIM_FOREVER) == 0);
    return NULL;
}

static int somebody_waits(hcsshim_service *service)
{
    uint32_t waiting;

    hcsshim__mutex_lock(&service->lock);
    waiting = service->waiting;
    hcsshim__mutex_unlock(&service->lock);
    return waiting != 0;
}

static void freeing_wakes_who_waits(void)
{
    struct host host = {.most = SIZE_MAX, .keeps = 1};
    hcsshim_value open[2] = {{"id", 2, 0}, {NULL, 0, 1}};
    pthread_t thread, waiter;
    hcsshim_service *service = connect_to(&host, &thread);
    uint64_t ticket = 0, handle;
    struct caller caller = {.service = service};

    /* Only a ticket whose id is 1 modulo 4 is held back by the host. */
    while ((ticket & 3) != 1)
        assert(hcsshim_service_submit(service, OPEN_SYSTEM, open, 2, &ticket,
                                      &handle) == 0);
    assert(hcsshim_ticket_wait(service, ticket, 20) == HCSSHIM_E_WAIT_TIMEOUT);
    caller.answered = ticket;
    assert(pthread_create(&waiter, NULL, wait_forever, &caller) == 0);
    while (!somebody_waits(service))
        sched_yield();
    end(&host, thread, service);
    pthread_join(waiter, NULL);
}

static void *wait_until_abandoned(void *context)
{
    struct caller *caller = context;

    assert(hcsshim_ticket_wait(caller->service, caller->answered,
                               HCSSHIM_FOREVER) == HCSSHIM_E_HANDLE);
    return NULL;
}

/* Also the one that reads in the reader's place, and the one that does not. */
static void abandoning_wakes_who_waits(void)
{
    struct host host = {.most = SIZE_MAX, .keeps = 1};
    hcsshim_value open[2] = {{"id", 2, 0}, {NULL, 0, 1}};
    pthread_t thread, waiters[2];
    hcsshim_service *service = connect_to(&host, &thread);
    uint64_t ticket = 0, handle;
    struct caller caller = {.service = service};
    uint32_t waiting = 0;

    while ((ticket & 3) != 1)
        assert(hcsshim_service_submit(service, OPEN_SYSTEM, open, 2, &ticket,
                                      &handle) == 0);
    caller.answered = ticket;
    for (int i = 0; i < 2; i++)
        assert(pthread_create(&waiters[i], NULL, wait_until_abandoned,
                              &caller) == 0);
    while (waiting < 2) {
        sched_yield();
        hcsshim__mutex_lock(&service->lock);
        waiting = service->waiting;
        hcsshim__mutex_unlock(&service->lock);
    }
    assert(hcsshim_ticket_abandon(service, ticket) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(waiters[i], NULL);
    /* Nobody waits, and what comes is still read. */
    do
        assert(hcsshim_service_submit(service, OPEN_SYSTEM, open, 2, &ticket,
                                      &handle) == 0);
    while ((ticket & 3) == 1);
    while (hcsshim_ticket_wait(service, ticket, 0) == HCSSHIM_E_WAIT_TIMEOUT)
        sched_yield();
    end(&host, thread, service);
}

static void stale_handles_and_bad_values_are_refused(void)
{
    struct host host = {.most = SIZE_MAX};
    hcsshim_value values[3] = {{"id", 2, 0}, {NULL, 0, 1}, {NULL, 0, 0}};
    pthread_t thread;
    hcsshim_service *service = connect_to(&host, &thread);
    uint64_t ticket, handle, none;

    assert(hcsshim_service_submit(service, OPEN_SYSTEM, values, 1, &ticket,
                                  &handle) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim_service_submit(service, OPEN_SYSTEM, values, 3, &ticket,
                                  &handle) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim_service_submit(service, 9999, values, 2, &ticket, &handle) ==
           HCSSHIM_E_INVALIDARG);
    values[1].number = UINT64_C(1) << 32;
    assert(hcsshim_service_submit(service, OPEN_SYSTEM, values, 2, &ticket,
                                  &handle) == HCSSHIM_E_INVALIDARG);
    values[1].number = 1;
    assert(hcsshim_service_submit(service, OPEN_SYSTEM, values, 2, &ticket,
                                  &handle) == 0);
    assert(hcsshim_ticket_abandon(service, ticket) == 0);
    assert(hcsshim_ticket_abandon(service, ticket) == HCSSHIM_E_HANDLE);
    values[0].number = handle;
    assert(hcsshim_service_submit(service, CLOSE_SYSTEM, values, 1, NULL,
                                  &none) == 0);
    assert(hcsshim_service_submit(service, CLOSE_SYSTEM, values, 1, NULL,
                                  &none) == HCSSHIM_E_HANDLE);
    assert(hcsshim_handle_listen(service, handle, NULL) == HCSSHIM_E_HANDLE);
    end(&host, thread, service);
}

static void *post(void *queue)
{
    char text[16];

    for (uint64_t i = 0; i < 20000; i++) {
        int length = snprintf(text, sizeof text, "%u", (unsigned)i);

        assert(hcsshim_queue_post(queue, i, 1, 0, text, (size_t)length) == 0);
    }
    return NULL;
}

static void no_event_is_lost_or_out_of_order(void)
{
    hcsshim_event events[64];
    char text[256];
    hcsshim_queue *queue;
    pthread_t posters[2];
    size_t total = 0, needed;
    uint64_t sum = 0;

    assert(hcsshim_queue_new(&queue) == 0);
    for (int i = 0; i < 2; i++)
        assert(pthread_create(&posters[i], NULL, post, queue) == 0);
    while (total < 40000) {
        size_t count;

        count = hcsshim_queue_drain(queue, HCSSHIM_FOREVER, events, 64, text,
                                    sizeof text, &needed);
        for (size_t i = 0; i < count; i++) {
            char copy[16] = {0};

            assert(events[i].length < sizeof copy);
            memcpy(copy, text + events[i].offset, events[i].length);
            assert(strtoull(copy, NULL, 10) == events[i].source);
            sum += events[i].source;
        }
        total += count;
    }
    assert(sum == UINT64_C(20000) * 19999);
    for (int i = 0; i < 2; i++)
        pthread_join(posters[i], NULL);
    hcsshim_queue_free(queue);
}

static void ids_are_never_reused(void)
{
    hcsshim__ids ids = {0};
    int object;
    uint64_t first = hcsshim__ids_add(&ids, &object), second;

    assert(hcsshim__ids_find(&ids, first) == &object);
    assert(hcsshim__ids_remove(&ids, first) == &object);
    second = hcsshim__ids_add(&ids, &object);
    assert(first != second && (uint32_t)first == (uint32_t)second);
    assert(hcsshim__ids_find(&ids, first) == NULL);
    assert(hcsshim__ids_remove(&ids, first) == NULL);
    assert(hcsshim__ids_find(&ids, 0) == NULL);
    assert(hcsshim__ids_find(&ids, UINT64_MAX) == NULL);
    hcsshim__ids_clear(&ids);
}

int main(int count, char **arguments)
{
    assert(count == 2);
    signal(SIGPIPE, SIG_IGN);
    assert(strlen(arguments[1]) < sizeof socket_path);
    strcpy(socket_path, arguments[1]);
    ids_are_never_reused();
    no_event_is_lost_or_out_of_order();
    stale_handles_and_bad_values_are_refused();
    every_caller_gets_its_own_answer();
    a_host_that_dies_answers_everybody();
    freeing_wakes_who_waits();
    abandoning_wakes_who_waits();
    puts("ok");
    return 0;
}
