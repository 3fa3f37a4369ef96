/*
 * A volume: layers mounted where the machine's own programs see them.
 *
 * SILO_UNMAP unmounts them and SILO_MAP mounts them again. No mount outlives
 * this process, which ends with the host or when
 * the host closes the socket. Who may not mount gets a user and a mount
 * namespace; the mount is then seen below /proc/PID/root only.
 */
#include "silo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

static int write_map(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);

    if (file < 0)
        return -1;
    ssize_t n = write(file, text, strlen(text));
    int error = errno;
    close(file);
    errno = error;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Become able to mount: this user alone, under the same number. */
static int enter_namespaces(struct silo_failure *failure)
{
    char users[64];
    char groups[64];

    (void)snprintf(users, sizeof(users), "%u %u 1\n", geteuid(), geteuid());
    (void)snprintf(groups, sizeof(groups), "%u %u 1\n", getegid(), getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return silo_fail(failure, "create a user and a mount namespace", NULL);
    if (write_map("/proc/self/setgroups", "deny") != 0 ||
        write_map("/proc/self/uid_map", users) != 0 ||
        write_map("/proc/self/gid_map", groups) != 0)
        return silo_fail(failure, "map the user of the volume", NULL);
    if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return silo_fail(failure, "separate the mounts", "/");
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* for /proc/PID/root */
    return 0;
}

/* Returns 0, and who holds the mount: 0 if everybody sees it. */
static int mount_volume(const struct silo_config *config, int32_t *holder,
                        struct silo_failure *failure)
{
    const char *target = config->mappings[0].target;

    *holder = 0;
    if (silo_layers_mount(config, target, failure) == 0)
        return 0;
    if (failure->error != EPERM || failure->path[0] != '\0')
        return -1;
    *holder = (int32_t)getpid();
    if (enter_namespaces(failure) != 0)
        return -1;
    return silo_layers_mount(config, target, failure);
}

/* The kind of the next request; 0 if the host is gone. */
static uint32_t next_request(struct silo_packet *packet)
{
    struct pollfd files[] = {{.fd = SILO_SOCKET, .events = POLLIN},
                             {.fd = SILO_HOST, .events = POLLIN}};

    while (poll(files, 2, -1) < 0)
        if (errno != EINTR)
            return 0;
    if (files[1].revents != 0)
        return 0;
    if (silo_packet_receive(SILO_SOCKET, packet) != 1)
        return 0;
    silo_packet_clear(packet);
    return packet->request.kind;
}

static int serve(const struct silo_config *config, uint32_t kind,
                 struct silo_failure *failure)
{
    const char *target = config->mappings[0].target;

    if (kind == SILO_MAP)
        return silo_layers_mount(config, target, failure);
    if (umount2(target, 0) != 0)
        return silo_fail(failure, "unmount the volume", target);
    return 0;
}

void silo_volume(void)
{
    struct silo_packet *packet = malloc(sizeof(*packet));
    struct silo_reply reply = {.kind = SILO_FAILED};
    struct silo_failure failure;
    struct silo_config config;
    uint32_t kind;

    silo_configure(&config);
    (void)prctl(PR_SET_NAME, "silo-volume", 0, 0, 0);
    if (packet == NULL || config.mapping_count != 1) {
        errno = packet == NULL ? ENOMEM : EINVAL;
        (void)silo_fail(&failure, "prepare the volume", NULL);
        (void)silo_reply_send(SILO_SOCKET, &reply, &failure, -1);
        _exit(1);
    }
    if (mount_volume(&config, &reply.pid, &failure) != 0) {
        (void)silo_reply_send(SILO_SOCKET, &reply, &failure, -1);
        _exit(1);
    }
    reply.kind = SILO_READY;
    (void)silo_reply_send(SILO_SOCKET, &reply, NULL, -1);
    while ((kind = next_request(packet)) != 0) {
        int failed = serve(&config, kind, &failure);
        reply.kind = failed != 0 ? SILO_FAILED : SILO_READY;
        (void)silo_reply_send(SILO_SOCKET, &reply,
                              failed != 0 ? &failure : NULL, -1);
    }
    (void)umount2(config.mappings[0].target, MNT_DETACH);
    _exit(0);
}
