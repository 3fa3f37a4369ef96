/*
 * From the program that the host spawned to the init process of a silo.
 *
 * Init is made a sibling by CLONE_PARENT, so that it is the host's own child:
 * the host waits for it, and this process ends at once. This process remains
 * in the machine's user namespace and writes the id maps of init.
 */
#include "silo.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAP_SIZE = 32 * 1024 };

/* What init is told once its maps are written; 0 means nobody wrote any. */
enum { MAPS_ALL = 'a', MAPS_SINGLE = 's' };

static int write_file(pid_t pid, const char *name, const char *text,
                      size_t size)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t n = write(file, text, size);
    int error = errno;
    close(file);
    errno = error;
    return n == (ssize_t)size ? 0 : -1;
}

/*
 * Copy what this process may map onto itself: "inside inside count" lines. With
 * one user only there is nothing to copy, and no groups to be set.
 */
static int write_identity(pid_t pid, const char *name)
{
    char path[32];
    char *map = malloc(MAP_SIZE);
    size_t used = 0;
    unsigned long inside;
    unsigned long outside;
    unsigned long count;
    unsigned long total = 0;
    int result = -1;

    (void)snprintf(path, sizeof(path), "/proc/self/%s", name);
    FILE *own = fopen(path, "re");
    if (own == NULL || map == NULL)
        goto out;
    while (fscanf(own, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
           used < MAP_SIZE - 64) {
        used += (size_t)snprintf(map + used, MAP_SIZE - used, "%lu %lu %lu\n",
                                 inside, inside, count);
        total += count;
    }
    if (total > 1)
        result = write_file(pid, name, map, used);
out:
    if (own != NULL)
        (void)fclose(own);
    free(map);
    return result;
}

static int write_single(pid_t pid, const char *name, unsigned id)
{
    char map[32];
    int size = snprintf(map, sizeof(map), "0 %u 1\n", id);

    return write_file(pid, name, map, (size_t)size);
}

static int write_maps(pid_t pid, char *kind, struct silo_failure *failure)
{
    *kind = MAPS_ALL;
    if (geteuid() == 0 && write_identity(pid, "uid_map") == 0 &&
        write_identity(pid, "gid_map") == 0)
        return 0;
    *kind = MAPS_SINGLE;
    if (write_file(pid, "setgroups", "deny", 4) != 0 && errno != ENOENT)
        return silo_fail(failure, "map the groups of the silo", "setgroups");
    if (write_single(pid, "uid_map", geteuid()) != 0)
        return silo_fail(failure, "map the users of the silo", "uid_map");
    if (write_single(pid, "gid_map", getegid()) != 0)
        return silo_fail(failure, "map the groups of the silo", "gid_map");
    return 0;
}

static _Noreturn void fail(const struct silo_failure *failure)
{
    struct silo_reply reply = {.kind = SILO_FAILED};

    (void)silo_reply_send(SILO_SOCKET, &reply, failure, -1);
    _exit(1);
}

static _Noreturn void run_init(int told, bool shares_network)
{
    struct silo_failure failure;
    struct silo_reply reply = {.kind = SILO_READY};
    struct silo_config config;
    char kind = 0;
    char *stack;
    int machine;
    ssize_t n;

    do
        n = read(told, &kind, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        _exit(1); /* the launcher failed and said so */
    close(told);
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) {
        (void)silo_fail(&failure, "become root of the silo", NULL);
        fail(&failure);
    }
    (void)prctl(PR_SET_NAME, "silo-spare", 0, 0, 0);
    if (silo_stage_build(kind == MAPS_ALL, shares_network, &machine,
                         &failure) != 0)
        fail(&failure);
    stack = silo_command_stack();
    if (stack == NULL) {
        (void)silo_fail(&failure, "get memory for commands", NULL);
        fail(&failure);
    }
    /* So far nothing depends on the configuration, which may take its time. */
    silo_configure(&config);
    (void)prctl(PR_SET_NAME, "silo", 0, 0, 0);
    config.all_users = kind == MAPS_ALL;
    if (silo_root_build(&config, machine, &failure) != 0)
        fail(&failure);
    if (silo_reply_send(SILO_SOCKET, &reply, NULL, -1) != 0)
        _exit(1);
    silo_serve(&config, stack);
}

/* Which namespace is refused? Ask for each in turn, in this process. */
static const char *refused_stage(void)
{
    static const struct {
        int flag;
        const char *stage;
    } asked[] = {
        {CLONE_NEWUSER, "create a user namespace"},
        {CLONE_NEWNS, "create a mount namespace"},
        {CLONE_NEWPID, "create a process namespace"},
        {CLONE_NEWIPC, "create an IPC namespace"},
        {CLONE_NEWUTS, "create a host name namespace"},
        {CLONE_NEWNET, "create a network namespace"},
        {CLONE_NEWCGROUP, "create a cgroup namespace"},
    };

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        if (unshare(asked[i].flag) != 0)
            return asked[i].stage;
    return "create the namespaces";
}

void silo_launch(bool shares_network)
{
    const int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
                      CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                      CLONE_PARENT | (shares_network ? 0 : CLONE_NEWNET);
    struct silo_failure failure;
    struct silo_reply reply = {.kind = SILO_LAUNCHED};
    int told[2];
    char kind;

    if (pipe2(told, O_CLOEXEC) != 0) {
        (void)silo_fail(&failure, "make a pipe", NULL);
        fail(&failure);
    }
    /* Like fork(): no stack is given, the exit signal is the parent's. */
    long pid = syscall(SYS_clone, (unsigned long)flags, 0, 0, 0, 0);
    if (pid < 0) {
        int error = errno;
        const char *stage = refused_stage();
        errno = error;
        (void)silo_fail(&failure, stage, NULL);
        fail(&failure);
    }
    if (pid == 0) {
        close(told[1]);
        run_init(told[0], shares_network);
    }
    reply.pid = (int32_t)pid;
    (void)silo_reply_send(SILO_SOCKET, &reply, NULL, -1);
    if (write_maps((pid_t)pid, &kind, &failure) != 0)
        fail(&failure);
    (void)!write(told[1], &kind, 1);
    _exit(0);
}
