/*
 * /proc, /sys and /dev, as container runtimes present them, in the directories
 * of these names in the current directory.
 *
 * The root user of a silo that root started is the machine's user 0 to file
 * permissions, so what /proc lets user 0 change is mounted read-only.
 */
#include "silo.h"
#include "calls.h"

#include <errno.h>
#include <stdio.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const read_only_paths[] = {
    "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

static const char *const hidden_files[] = {
    "proc/kcore",      "proc/keys",        "proc/latency_stats",
    "proc/timer_list", "proc/sched_debug",
};

static const char *const hidden_directories[] = {
    "proc/acpi",
    "proc/scsi",
    "sys/firmware",
};

static const char *const devices[] = {
    "null", "zero", "full", "random", "urandom", "tty",
};

static const char *const links[][2] = {
    {"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
    {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
    {"pts/ptmx", "dev/ptmx"},
};

/* Mount a file system, making the directory. */
static int mount_one(const char *type, const char *target, unsigned long flags,
                     const char *options)
{
    if (mkdir(target, 0755) != 0 && errno != EEXIST)
        return -1;
    return mount(type, target, type, flags, options);
}

/* Bind 'source' over 'target', unless 'target' is not on this machine. */
static int cover(const char *source, const char *target, bool read_only)
{
    int file;

    if (access(target, F_OK) != 0 && errno == ENOENT)
        return 0; /* found out by mounting, it costs a wait in the kernel */
    file = open(source, O_PATH | O_CLOEXEC);
    if (file < 0)
        return -1;
    int result = silo_bind(file, target, false, read_only,
                           ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC);
    int error = errno;
    close(file);
    errno = error;
    return result;
}

static int hide(struct silo_failure *failure)
{
    size_t i;

    for (i = 0; i < sizeof(read_only_paths) / sizeof(char *); i++)
        if (cover(read_only_paths[i], read_only_paths[i], true) != 0)
            return silo_fail(failure, "make a path read-only",
                             read_only_paths[i]);
    for (i = 0; i < sizeof(hidden_files) / sizeof(char *); i++)
        if (cover("dev/null", hidden_files[i], false) != 0)
            return silo_fail(failure, "hide a path", hidden_files[i]);
    for (i = 0; i < sizeof(hidden_directories) / sizeof(char *); i++)
        if (mount("none", hidden_directories[i], "tmpfs",
                  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  "size=0,mode=0555") != 0 &&
            errno != ENOENT)
            return silo_fail(failure, "hide a path", hidden_directories[i]);
    return 0;
}

static int bind_device(int machine, const char *name)
{
    char path[32]; /* below the machine's root, and below the stage */

    (void)snprintf(path, sizeof(path), "dev/%s", name);
    int device = openat(machine, path, O_PATH | O_CLOEXEC);
    if (device < 0)
        return -1;
    int point = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0666);
    if (point >= 0)
        close(point);
    int result = silo_bind(device, path, false, false,
                           ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC);
    int error = errno;
    close(device);
    errno = error;
    return result;
}

static int fill_devices(int machine, bool all_users,
                        struct silo_failure *failure)
{
    size_t i;

    for (i = 0; i < sizeof(devices) / sizeof(char *); i++)
        if (bind_device(machine, devices[i]) != 0)
            return silo_fail(failure, "offer a device", devices[i]);
    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlink(links[i][0], links[i][1]) != 0)
            return silo_fail(failure, "make a link", links[i][1]);
    if (mount_one("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
                  all_users ? "newinstance,ptmxmode=0666,mode=0620,gid=5"
                            : "newinstance,ptmxmode=0666,mode=0620") != 0)
        return silo_fail(failure, "mount the terminals", "dev/pts");
    if (mount_one("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  "mode=1777") != 0)
        return silo_fail(failure, "mount shared memory", "dev/shm");
    if (mount_one("mqueue", "dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  NULL) != 0 &&
        errno != ENODEV)
        return silo_fail(failure, "mount the message queues", "dev/mqueue");
    return 0;
}

/* Without the right to a new sysfs, the machine's is shown read-only. */
static int mount_sys(int machine)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;

    if (mount_one("sysfs", "sys", flags, NULL) == 0)
        return 0;
    if (errno != EPERM)
        return -1;
    int sys = openat(machine, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (sys < 0)
        return -1;
    int result = silo_bind(sys, "sys", true, true, 0);
    int error = errno;
    close(sys);
    errno = error;
    return result;
}

int silo_system_mount(int machine, bool all_users, struct silo_failure *failure)
{
    if (mount_one("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return silo_fail(failure, "mount the process files", "/proc");
    if (mount_sys(machine) != 0)
        return silo_fail(failure, "mount the system files", "/sys");
    if (mount_one("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME,
                  "mode=0755,size=64k") != 0)
        return silo_fail(failure, "mount the devices", "/dev");
    if (fill_devices(machine, all_users, failure) != 0)
        return -1;
    return hide(failure);
}
