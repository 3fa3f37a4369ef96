/*
 * /proc, /sys and /dev, as container runtimes present them.
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
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const char *const hidden_files[] = {
    "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
    "/proc/timer_list", "/proc/sched_debug",
};

static const char *const hidden_directories[] = {
    "/proc/acpi",
    "/proc/scsi",
    "/sys/firmware",
};

static const char *const devices[] = {
    "null", "zero", "full", "random", "urandom", "tty",
};

static const char *const links[][2] = {
    {"/proc/self/fd", "/dev/fd"},       {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
    {"pts/ptmx", "/dev/ptmx"},
};

/* A mount point must be a directory: a link would lead somewhere else. */
static int make_point(const char *path)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? mkdir(path, 0755) : -1;
    if (S_ISDIR(status.st_mode))
        return 0;
    errno = ENOTDIR;
    return -1;
}

static int mount_one(const char *type, const char *target, unsigned long flags,
                     const char *options)
{
    if (make_point(target) != 0)
        return -1;
    return mount(type, target, type, flags, options);
}

/* Bind 'source' over 'target', unless 'target' is not on this machine. */
static int cover(const char *source, const char *target, bool read_only)
{
    int file = open(source, O_PATH | O_CLOEXEC);

    if (file < 0)
        return errno == ENOENT ? 0 : -1;
    int result = silo_bind(file, target, false, read_only,
                           ATTRIBUTE_NOSUID | ATTRIBUTE_NOEXEC);
    int error = errno;
    close(file);
    if (result != 0 && error == ENOENT)
        return 0;
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
        if (cover("/dev/null", hidden_files[i], false) != 0)
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
    char source[32];
    char target[32];

    (void)snprintf(source, sizeof(source), "dev/%s", name);
    (void)snprintf(target, sizeof(target), "/dev/%s", name);
    int device = openat(machine, source, O_PATH | O_CLOEXEC);
    if (device < 0)
        return -1;
    int point = open(target, O_CREAT | O_RDONLY | O_CLOEXEC, 0666);
    if (point >= 0)
        close(point);
    int result = silo_bind(device, target, false, false,
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
    if (mount_one("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
                  all_users ? "newinstance,ptmxmode=0666,mode=0620,gid=5"
                            : "newinstance,ptmxmode=0666,mode=0620") != 0)
        return silo_fail(failure, "mount the terminals", "/dev/pts");
    if (mount_one("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  "mode=1777") != 0)
        return silo_fail(failure, "mount shared memory", "/dev/shm");
    if (mount_one("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  NULL) != 0 &&
        errno != ENODEV)
        return silo_fail(failure, "mount the message queues", "/dev/mqueue");
    return 0;
}

/* Without the right to a new sysfs, the machine's is shown read-only. */
static int mount_sys(int machine_sys)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;

    if (mount_one("sysfs", "/sys", flags, NULL) == 0)
        return 0;
    if (errno != EPERM || machine_sys < 0)
        return -1;
    return silo_bind(machine_sys, "/sys", true, true, 0);
}

int silo_system_mount(int machine, int machine_sys, bool all_users,
                      struct silo_failure *failure)
{
    if (mount_one("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return silo_fail(failure, "mount the process files", "/proc");
    if (mount_sys(machine_sys) != 0)
        return silo_fail(failure, "mount the system files", "/sys");
    if (mount_one("tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME,
                  "mode=0755,size=64k") != 0)
        return silo_fail(failure, "mount the devices", "/dev");
    if (fill_devices(machine, all_users, failure) != 0)
        return -1;
    return hide(failure);
}
