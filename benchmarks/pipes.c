/*
 * pipes.c - the two ends of a pipe benchmark, and the floor between them.
 *
 *     pipes produce BYTES    write so many bytes to stdout, as fast as it goes
 *     pipes consume          drop stdin
 *     pipes splice           move stdin to stdout with splice()
 *     pipes echo             send back each byte of stdin
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECE (1u << 20)

static int produce(unsigned long long bytes)
{
    char *memory = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec piece;

    if (memory == MAP_FAILED)
        return 1;
    memset(memory, 'x', PIECE);
    while (bytes > 0) {
        ssize_t sent;

        piece.iov_base = memory;
        piece.iov_len = bytes < PIECE ? (size_t)bytes : PIECE;
        sent = vmsplice(1, &piece, 1, 0);
        if (sent <= 0)
            return 1;
        bytes -= (unsigned long long)sent;
    }
    return 0;
}

static int move(int target)
{
    ssize_t moved;

    do
        moved = splice(0, NULL, target, NULL, PIECE, SPLICE_F_MOVE);
    while (moved > 0);
    return moved < 0;
}

static int echo(void)
{
    char byte;

    while (read(0, &byte, 1) == 1)
        if (write(1, &byte, 1) != 1)
            return 1;
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "produce") == 0)
        return produce(strtoull(arguments[2], NULL, 10));
    if (count == 2 && strcmp(arguments[1], "consume") == 0)
        return move(open("/dev/null", O_WRONLY));
    if (count == 2 && strcmp(arguments[1], "splice") == 0)
        return move(1);
    if (count == 2 && strcmp(arguments[1], "echo") == 0)
        return echo();
    return 2;
}
