/*
 * foreign.c - a thread that Python knows nothing of, for test_events.py.
 *
 * It calls a function at an interval and notes the time before each call and
 * how long the call took.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

typedef int32_t post_function(void *queue, uint64_t source, uint32_t type,
                              int32_t status, const char *text, size_t length);

static struct {
    post_function *post;
    void *queue;
    int file; /* rung instead of posting, if not -1 */
    unsigned count, interval_us;
    uint64_t *begun, *took;
    pthread_t thread;
} job;

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void pause_for(unsigned microseconds)
{
    struct timespec time = {.tv_nsec = (long)microseconds * 1000};

    if (microseconds > 0)
        nanosleep(&time, NULL);
}

static void *run(void *unused)
{
    static const char text[] = "{\"ProcessId\":4711,\"Exited\":true}";
    const uint64_t one = 1;

    (void)unused;
    for (unsigned i = 0; i < job.count; i++) {
        pause_for(job.interval_us);
        job.begun[i] = now();
        if (job.file >= 0)
            (void)!write(job.file, &one, sizeof one);
        else
            job.post(job.queue, i, 0x10000, 0, text, sizeof text - 1);
        job.took[i] = now() - job.begun[i];
    }
    return NULL;
}

int begin(post_function *post, void *queue, int file, unsigned count,
          unsigned interval_us, uint64_t *begun, uint64_t *took)
{
    job.post = post;
    job.queue = queue;
    job.file = file;
    job.count = count;
    job.interval_us = interval_us;
    job.begun = begun;
    job.took = took;
    return pthread_create(&job.thread, NULL, run, NULL);
}

void finish(void)
{
    pthread_join(job.thread, NULL);
}
