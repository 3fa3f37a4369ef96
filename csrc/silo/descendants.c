/*
 * Killing without a pid namespace: every descendant is ours, because orphans
 * come to the nearest subreaper, which we are. Each round kills the tree as
 * it is seen; what escaped a round shows up as our child in a later one.
 */
#include "silo.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

static void kill_children(pid_t parent, int depth)
{
    char path[64];
    int child;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent,
                   (int)parent);
    FILE *list = fopen(path, "re");
    if (list == NULL)
        return;
    while (fscanf(list, "%d", &child) == 1) {
        /* Stopped first, it cannot leave more children behind its back. */
        (void)kill(child, SIGSTOP);
        if (depth < DEPTH_MAX)
            kill_children(child, depth + 1);
        (void)kill(child, SIGKILL);
    }
    (void)fclose(list);
}

void silo_descendants_kill(void (*ended)(void *context, pid_t pid, int status),
                           void *context)
{
    int status;
    pid_t pid;

    for (;;) {
        kill_children(getpid(), 0);
        pid = waitpid(-1, &status, 0);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return;
        if (ended != NULL)
            ended(context, pid, status);
    }
}
