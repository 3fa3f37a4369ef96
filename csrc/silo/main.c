/*
 * The silo program. The host spawns it with a socket at descriptor 3 and, at
 * 4, a descriptor of the host's own process ("silo": isolated, "join": but for
 * the network, which stays the one it was spawned in, "supervise": not;
 * "volume": layers only), or of the init process of a running silo ("enter").
 */
#include "silo.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Start clean: what the host ignores, blocks or leaves open is its own. */
static void clean_up(void)
{
    sigset_t all;

    for (int i = 1; i < NSIG; i++)
        (void)signal(i, SIG_DFL);
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    if (call_close_range(SILO_HOST + 1, ~0U) != 0) {
        long most = sysconf(_SC_OPEN_MAX);
        for (int i = SILO_HOST + 1; i < most; i++)
            close(i);
    }
    (void)fcntl(SILO_SOCKET, F_SETFD, FD_CLOEXEC);
    (void)fcntl(SILO_HOST, F_SETFD, FD_CLOEXEC);
}

void silo_configure(struct silo_config *config)
{
    struct silo_packet *packet = malloc(sizeof(*packet));
    struct silo_reply reply = {.kind = SILO_FAILED};
    struct silo_failure failure;

    if (packet == NULL || silo_packet_receive(SILO_SOCKET, packet) != 1 ||
        packet->request.kind != SILO_CONFIGURE)
        _exit(1);
    if (silo_config_read(packet->payload, packet->request.size, config) == 0)
        return; /* the configuration points into the packet, which stays */
    (void)silo_fail(&failure, "understand the configuration", NULL);
    (void)silo_reply_send(SILO_SOCKET, &reply, &failure, -1);
    _exit(1);
}

static _Noreturn void supervise(void)
{
    struct silo_reply reply = {.kind = SILO_LAUNCHED, .pid = getpid()};
    struct silo_failure failure;
    struct silo_config config;

    silo_configure(&config);
    config.all_users = geteuid() == 0;
    if (config.mapping_count > 0 || config.layer_count > 0) {
        errno = ENOTSUP;
        (void)silo_fail(&failure, "mount without isolation", NULL);
        reply.kind = SILO_FAILED;
        (void)silo_reply_send(SILO_SOCKET, &reply, &failure, -1);
        _exit(1);
    }
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    (void)silo_reply_send(SILO_SOCKET, &reply, NULL, -1);
    reply.kind = SILO_READY;
    (void)silo_reply_send(SILO_SOCKET, &reply, NULL, -1);
    silo_serve(&config, silo_command_stack());
}

int main(int argc, char **argv)
{
    clean_up();
    if (argc == 2 && strcmp(argv[1], "enter") == 0)
        silo_enter();
    if (argc == 2 && strcmp(argv[1], "supervise") == 0)
        supervise();
    if (argc == 2 && strcmp(argv[1], "volume") == 0)
        silo_volume();
    silo_launch(argc == 2 && strcmp(argv[1], "join") == 0);
}
