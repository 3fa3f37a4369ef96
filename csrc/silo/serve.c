/*
 * The life of init, or of the supervisor when nothing is isolated: start
 * what the host asks for, reap everything, tell how commands ended.
 */
#include "silo.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct server {
    const struct silo_config *config;
    char *stack; /* of a command until it runs */
    struct silo_packet *packet;
    pid_t *commands; /* started, not yet reaped */
    size_t count;
    size_t room;
    int signals;
};

static _Noreturn void finish(struct server *server)
{
    /* Isolated, the kernel kills all that is left when init ends. */
    if (!server->config->isolated)
        silo_descendants_kill(NULL, NULL);
    _exit(0);
}

static bool forget(struct server *server, pid_t pid)
{
    for (size_t i = 0; i < server->count; i++)
        if (server->commands[i] == pid) {
            server->commands[i] = server->commands[--server->count];
            return true;
        }
    return false;
}

/* Tell the host, if the process was a command; orphans are only reaped. */
static void tell_end(void *context, pid_t pid, int status)
{
    struct server *server = context;
    struct silo_reply reply = {
        .kind = SILO_EXITED, .pid = pid, .status = status};

    if (forget(server, pid) &&
        silo_reply_send(SILO_SOCKET, &reply, NULL, -1) != 0)
        finish(server);
}

static void reap(struct server *server)
{
    struct signalfd_siginfo ignored;
    int status;
    pid_t pid;

    (void)!read(server->signals, &ignored, sizeof(ignored));
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        tell_end(server, pid, status);
}

static void refuse(struct server *server, const struct silo_failure *failure)
{
    struct silo_reply reply = {.kind = SILO_REFUSED,
                               .token = server->packet->request.token};

    if (silo_reply_send(SILO_SOCKET, &reply, failure, -1) != 0)
        finish(server);
}

static int make_room(struct server *server)
{
    if (server->count < server->room)
        return 0;
    size_t room = server->room == 0 ? 16 : server->room * 2;
    pid_t *grown = realloc(server->commands, room * sizeof(*grown));
    if (grown == NULL)
        return -1;
    server->commands = grown;
    server->room = room;
    return 0;
}

static void start(struct server *server)
{
    struct silo_packet *packet = server->packet;
    struct silo_reply reply = {.kind = SILO_STARTED,
                               .token = packet->request.token};
    struct silo_command command;
    struct silo_failure failure;
    int console = -1;
    pid_t pid = -1;

    if (silo_command_read(packet->payload, packet->request.size, &command) !=
        0) {
        (void)silo_fail(&failure, "understand the command", NULL);
        refuse(server, &failure);
        return;
    }
    if (make_room(server) != 0)
        (void)silo_fail(&failure, "create a process", NULL);
    else
        pid = silo_command_start(&command, server->config, server->stack,
                                 packet->files, &console, &failure);
    silo_command_clear(&command);
    if (pid < 0) {
        refuse(server, &failure);
        return;
    }
    server->commands[server->count++] = pid;
    reply.pid = pid;
    if (silo_reply_send(SILO_SOCKET, &reply, NULL, console) != 0)
        finish(server);
    if (console >= 0)
        close(console);
}

static _Noreturn void terminate(struct server *server)
{
    const struct silo_reply reply = {.kind = SILO_EMPTY};
    int status;
    pid_t pid;

    if (!server->config->isolated) {
        silo_descendants_kill(tell_end, server);
        _exit(0);
    }
    /* To look for whom to kill is dear, and often nobody is left. */
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        tell_end(server, pid, status);
    if (pid == 0)
        (void)kill(-1, SIGKILL);
    while ((pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR)
        if (pid > 0)
            tell_end(server, pid, status);
    (void)silo_reply_send(SILO_SOCKET, &reply, NULL, -1);
    _exit(0);
}

/* Only to commands that are not reaped: no other process can be hit. */
static void send_signal(const struct server *server)
{
    const struct silo_request *request = &server->packet->request;

    for (size_t i = 0; i < server->count; i++)
        if (server->commands[i] == request->pid)
            (void)kill(request->pid, request->number);
}

static void answer(struct server *server)
{
    int got = silo_packet_receive(SILO_SOCKET, server->packet);

    if (got < 0 && errno != EPROTO && errno != ENOMEM)
        finish(server);
    if (got == 0)
        finish(server);
    if (got < 0) {
        struct silo_failure failure;
        (void)silo_fail(&failure, "understand the request", NULL);
        refuse(server, &failure);
        return;
    }
    switch (server->packet->request.kind) {
    case SILO_START:
        start(server);
        break;
    case SILO_SIGNAL:
        send_signal(server);
        break;
    case SILO_TERMINATE:
        terminate(server);
    default:
        break;
    }
    silo_packet_clear(server->packet);
}

void silo_serve(const struct silo_config *config, char *stack)
{
    struct server server = {.config = config, .stack = stack};
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    server.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    server.packet = malloc(sizeof(*server.packet));
    if (server.signals < 0 || server.packet == NULL || stack == NULL)
        _exit(1);
    struct pollfd watched[3] = {{SILO_SOCKET, POLLIN, 0},
                                {server.signals, POLLIN, 0},
                                {SILO_HOST, POLLIN, 0}};
    for (;;) {
        if (poll(watched, 3, -1) < 0 && errno != EINTR)
            finish(&server);
        if (watched[2].revents != 0)
            finish(&server);
        if (watched[1].revents != 0)
            reap(&server);
        if (watched[0].revents != 0)
            answer(&server);
    }
}
