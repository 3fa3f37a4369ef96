/*
 * test_relay.c - transfers that are made, waited for and cancelled by several
 * threads at once. Meant for the sanitizers.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hcsshim.h"

#define CALLERS 3
#define ROUNDS 120
#define MOST_BYTES 200000u
#define OWNS_BOTH (HCSSHIM_COPY_OWNS_SOURCE | HCSSHIM_COPY_OWNS_TARGET)

static hcsshim_relay *relay;
static int log_file;

struct writer {
    int file;
    size_t length;
    unsigned char first;
};

/* Write bytes that count up, then close. A reader may go away. */
static void *write_bytes(void *context)
{
    struct writer *writer = context;
    unsigned char bytes[1000];

    for (size_t done = 0; done < writer->length;) {
        size_t length = writer->length - done;

        if (length > sizeof bytes)
            length = sizeof bytes;
        for (size_t i = 0; i < length; i++)
            bytes[i] = (unsigned char)(writer->first + done + i);
        if (write(writer->file, bytes, length) != (ssize_t)length)
            break;
        done += length;
    }
    close(writer->file);
    return NULL;
}

/* Read to the end; check that the bytes count up. */
static size_t read_bytes(int file, unsigned char first)
{
    unsigned char bytes[4096];
    size_t total = 0;
    ssize_t length;

    while ((length = read(file, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < length; i++)
            assert(bytes[i] == (unsigned char)(first + total++));
    close(file);
    return total;
}

static void copy_once(unsigned *seed)
{
    int source[2], target[2], cancel = rand_r(seed) % 4 == 0;
    int logs = rand_r(seed) % 3 == 0;
    struct writer writer = {.length = (size_t)rand_r(seed) % MOST_BYTES,
                            .first = (unsigned char)rand_r(seed)};
    hcsshim_outcome outcome;
    pthread_t thread;
    uint64_t transfer;
    size_t received;

    assert(pipe(source) == 0 && pipe(target) == 0);
    assert(hcsshim_relay_copy_logged(relay, source[0], target[1],
                                     logs ? log_file : -1, 1, OWNS_BOTH,
                                     &transfer) == 0);
    writer.file = source[1];
    assert(pthread_create(&thread, NULL, write_bytes, &writer) == 0);
    if (cancel)
        assert(hcsshim_transfer_cancel(relay, transfer) == 0);
    received = read_bytes(target[0], writer.first);
    pthread_join(thread, NULL);
    assert(hcsshim_transfer_wait(relay, transfer, 0xFFFFFFFF, &outcome) == 0);
    assert(outcome.bytes == received);
    if (!cancel)
        assert(outcome.hresult == 0 && received == writer.length);
    assert(hcsshim_transfer_end(relay, transfer) == 0);
    assert(hcsshim_transfer_end(relay, transfer) == HCSSHIM_E_HANDLE);
}

static void *copy_often(void *context)
{
    unsigned seed = *(unsigned *)context;

    for (int i = 0; i < ROUNDS; i++)
        copy_once(&seed);
    return NULL;
}

static int open_files(void)
{
    int count = 0;

    for (int file = 0; file < 200; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

/* Every line of the log begins with a time and says where it is from. */
static void check_log(FILE *log)
{
    char *line = NULL;
    size_t room = 0, lines = 0;
    ssize_t length;

    rewind(log);
    while ((length = getline(&line, &room, log)) > 0) {
        assert(length > 40 && line[10] == 'T' && line[29] == 'Z');
        assert(memcmp(line + 30, " stdout F ", 10) == 0 ||
               memcmp(line + 30, " stdout P ", 10) == 0);
        assert(line[length - 1] == '\n');
        lines++;
    }
    free(line);
    assert(lines > 0);
}

int main(void)
{
    FILE *log = tmpfile();
    pthread_t threads[CALLERS];
    unsigned seeds[CALLERS];
    int before, pipes[2][2];
    uint64_t transfer;

    signal(SIGPIPE, SIG_IGN);
    assert(log != NULL);
    log_file = fileno(log);
    before = open_files();
    assert(hcsshim_relay_new(&relay) == 0);
    for (unsigned i = 0; i < CALLERS; i++) {
        seeds[i] = i;
        assert(pthread_create(&threads[i], NULL, copy_often, &seeds[i]) == 0);
    }
    for (unsigned i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    /* One that is still waiting when the relay is freed. */
    assert(pipe(pipes[0]) == 0 && pipe(pipes[1]) == 0);
    assert(hcsshim_relay_copy(relay, pipes[0][0], pipes[1][1], OWNS_BOTH,
                              &transfer) == 0);
    hcsshim_relay_free(relay);
    close(pipes[0][1]);
    assert(read_bytes(pipes[1][0], 0) == 0);
    assert(open_files() == before);
    check_log(log);
    fclose(log);
    puts("ok");
    return 0;
}
