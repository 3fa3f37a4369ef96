/*
 * What a command may do: the capabilities that OCI runtimes grant to root,
 * or those that it asks for, and none to anybody else; its limits.
 *
 * Runs in a process that shares its memory with init: only system calls.
 */
#include "silo.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(capability) (1ULL << (capability))

static const uint64_t usual =
    BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
    BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
    BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_RAW) | BIT(CAP_SYS_CHROOT) |
    BIT(CAP_MKNOD) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_SETFCAP);

uint64_t silo_privileges_of(const struct silo_command *command)
{
    return command->flags & SILO_HAS_CAPABILITIES ? command->capabilities
                                                  : usual;
}

int silo_privileges_reduce(uint64_t granted)
{
    for (unsigned long i = 0; i < 64; i++) {
        if (granted & BIT(i))
            continue;
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) {
            if (errno == EINVAL)
                break; /* the kernel knows no more */
            return -1;
        }
    }
    return 0;
}

static int set_capabilities(uint64_t wanted)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        uint32_t kept = data[i].permitted & (uint32_t)(wanted >> (32 * i));
        data[i].permitted = kept;
        data[i].effective = kept;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) != 0 ? -1 : 0;
}

int silo_limits_set(const struct silo_command *command)
{
    for (uint32_t i = 0; i < command->limit_count; i++) {
        const struct silo_limit *limit = &command->limits[i];
        struct rlimit values = {.rlim_cur = limit->soft,
                                .rlim_max = limit->hard};
        if (syscall(SYS_prlimit64, 0, limit->resource, &values, NULL) != 0)
            return -1;
    }
    return 0;
}

int silo_user_switch(const struct silo_account *account, bool with_groups,
                     const uint64_t *granted)
{
    if (with_groups &&
        syscall(SYS_setgroups, account->group_count, account->groups) != 0)
        return -1;
    if (syscall(SYS_setresgid, account->gid, account->gid, account->gid) != 0 ||
        syscall(SYS_setresuid, account->uid, account->uid, account->uid) != 0)
        return -1;
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (granted == NULL)
        return 0;
    return set_capabilities(account->uid == 0 ? *granted : 0);
}
