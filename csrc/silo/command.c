/*
 * Start a command: vfork with a stack of its own, then exec.
 *
 * The child shares our memory until it execs, so starting costs the same
 * however large we are and a failure is simply left in the shared structure.
 * The child makes system calls only and touches nothing but its 'struct start'.
 */
#include "silo.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024 };

static const char usual_path[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct start {
    const struct silo_command *command;
    const struct silo_config *config;
    const struct silo_account *account;
    const char *path; /* value of PATH */
    int files[3];
    int terminal; /* -1 without one */
    volatile int error;
    const char *volatile stage;
    const char *volatile at;
    char candidate[PATH_MAX];
};

static int fail(struct start *start, const char *stage, const char *at)
{
    start->error = errno != 0 ? errno : EIO;
    start->stage = stage;
    start->at = at;
    return 127;
}

/* Try one directory of PATH; its bytes are [begin, end). */
static void try_directory(struct start *start, const char *begin,
                          const char *end)
{
    const char *name = start->command->arguments[0];
    size_t size = (size_t)(end - begin);
    size_t name_size = strlen(name);

    if (size + name_size + 2 > sizeof(start->candidate)) {
        errno = ENAMETOOLONG;
        return;
    }
    memcpy(start->candidate, begin, size);
    if (size > 0)
        start->candidate[size++] = '/';
    memcpy(start->candidate + size, name, name_size + 1);
    (void)execve(start->candidate, start->command->arguments,
                 start->command->environment);
}

/* Returns only on failure, with errno. */
static void search_and_exec(struct start *start)
{
    const struct silo_command *command = start->command;
    const char *at = start->path;
    bool denied = false;

    if (strchr(command->arguments[0], '/') != NULL) {
        (void)execve(command->arguments[0], command->arguments,
                     command->environment);
        return;
    }
    if (command->arguments[0][0] == '\0') {
        errno = ENOENT;
        return;
    }
    for (;;) {
        const char *end = strchr(at, ':');
        if (end == NULL)
            end = at + strlen(at);
        try_directory(start, at, end);
        if (errno == EACCES)
            denied = true;
        else if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
            return;
        if (*end == '\0')
            break;
        at = end + 1;
    }
    errno = denied ? EACCES : ENOENT;
}

static int place_files(const struct start *start)
{
    for (int i = 0; i < 3; i++) {
        int file = start->terminal >= 0 ? start->terminal : start->files[i];
        if (file >= 0 && dup2(file, i) < 0)
            return -1;
    }
    if (start->terminal >= 0 && ioctl(0, TIOCSCTTY, 0) != 0)
        return -1;
    return 0;
}

static int run_child(void *argument)
{
    struct start *start = argument;
    const struct silo_config *config = start->config;
    uint64_t granted = silo_privileges_of(start->command);
    sigset_t none;

    if (setsid() < 0)
        return fail(start, "start a session", "");
    if (place_files(start) != 0)
        return fail(start, "connect the standard streams", "");
    if (silo_limits_set(start->command) != 0)
        return fail(start, "set the limits of the process", "");
    if (config->isolated && silo_privileges_reduce(granted) != 0)
        return fail(start, "give up privileges", "");
    /* Without namespaces only this ties the command to its supervisor. */
    if (!config->isolated && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return fail(start, "tie the process to its supervisor", "");
    if ((config->isolated || start->command->user[0] != '\0') &&
        silo_user_switch(start->account, config->all_users,
                         config->isolated ? &granted : NULL) != 0)
        return fail(start, "switch to the user", start->command->user);
    if (chdir(start->command->directory) != 0)
        return fail(start, "enter the working directory",
                    start->command->directory);
    if (start->command->flags & SILO_HAS_UMASK)
        (void)umask(start->command->umask & 0777);
    if (start->command->flags & SILO_NO_NEW_PRIVILEGES &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(start, "give up new privileges", "");
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    search_and_exec(start);
    return fail(start, "run the program", start->command->arguments[0]);
}

char *silo_command_stack(void)
{
    const int protection = PROT_READ | PROT_WRITE;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_POPULATE;
    char *stack = mmap(NULL, STACK_SIZE, protection, flags, -1, 0);

    return stack == MAP_FAILED ? NULL : stack + STACK_SIZE;
}

static int open_console(const struct silo_command *command,
                        const struct silo_account *account, bool isolated,
                        int *master, int *terminal)
{
    const int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    struct winsize size = {.ws_row = (unsigned short)command->rows,
                           .ws_col = (unsigned short)command->columns};
    int locked = 0;

    *master = open(isolated ? "/dev/pts/ptmx" : "/dev/ptmx", flags);
    if (*master < 0)
        return -1;
    if (ioctl(*master, TIOCSPTLCK, &locked) != 0)
        return -1;
    *terminal = ioctl(*master, TIOCGPTPEER, flags);
    if (*terminal < 0 || ioctl(*terminal, TIOCSWINSZ, &size) != 0)
        return -1;
    if ((isolated || command->user[0] != '\0') && account->uid != geteuid())
        return fchown(*terminal, account->uid, (gid_t)-1);
    return 0;
}

static const char *find_path(const struct silo_command *command)
{
    for (char **entry = command->environment; *entry != NULL; entry++)
        if (strncmp(*entry, "PATH=", 5) == 0)
            return *entry + 5;
    return usual_path;
}

/* Let the account have the groups that the command asks for, too. */
static int add_groups(const struct silo_command *command,
                      const struct silo_config *config,
                      struct silo_account *account)
{
    if (command->group_count == 0)
        return 0;
    if (config->isolated && !config->all_users) {
        errno = EPERM; /* one user only, in one group */
        return -1;
    }
    size_t count = account->group_count + command->group_count;
    gid_t *groups = realloc(account->groups, count * sizeof(*groups));
    if (groups == NULL)
        return -1;
    memcpy(groups + account->group_count, command->groups,
           command->group_count * sizeof(*groups));
    account->groups = groups;
    account->group_count = count;
    return 0;
}

pid_t silo_command_start(const struct silo_command *command,
                         const struct silo_config *config, char *stack,
                         const int files[3], int *console,
                         struct silo_failure *failure)
{
    struct silo_account account = {0};
    struct start start = {.command = command,
                          .config = config,
                          .account = &account,
                          .path = find_path(command),
                          .files = {files[0], files[1], files[2]},
                          .terminal = -1};
    pid_t pid = -1;

    *console = -1;
    if (silo_account_load(command->user, &account) != 0) {
        (void)silo_fail(failure, "look up the user", command->user);
        goto out;
    }
    if (add_groups(command, config, &account) != 0) {
        (void)silo_fail(failure, "join the groups", command->user);
        goto out;
    }
    if (command->console && open_console(command, &account, config->isolated,
                                         console, &start.terminal) != 0) {
        (void)silo_fail(failure, "open a console", "/dev/ptmx");
        goto out;
    }
    pid = clone(run_child, stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
    if (pid < 0) {
        (void)silo_fail(failure, "create a process", NULL);
    } else if (start.error != 0) {
        errno = start.error;
        (void)silo_fail(failure, start.stage, start.at);
        pid = -1; /* it is a zombie that the caller's loop reaps */
    }
out:
    if (start.terminal >= 0)
        close(start.terminal);
    if (pid < 0 && *console >= 0) {
        close(*console);
        *console = -1;
    }
    free(account.groups);
    return pid;
}
