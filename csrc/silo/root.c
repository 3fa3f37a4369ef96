/*
 * The root of a silo, in two steps.
 *
 * The stage comes first: a tmpfs of our own with what is the same in every
 * silo, /proc, /sys and /dev among it. It is most of the work, and needs no
 * configuration, so a spare silo has it done. It is the current directory from
 * then on.
 *
 * Then the configuration says what the root is made of. Everything of the
 * machine that is needed is opened first, as O_PATH, because a descriptor still
 * leads there when mounts have covered the path, and the silo's own symbolic
 * links cannot redirect it. Mounts within the new root happen after pivot_root,
 * when "/" cannot lead out of it. The machine's root goes last, and the stage
 * with it.
 */
#include "silo.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Any directory that exists: only this mount namespace sees it covered. They
 * are never part of a base, and nobody maps what is in them.
 */
static const char *const stages[] = {"/proc/tty", "/proc/bus", "/proc/irq",
                                     "/proc/fs"};

struct sources {
    int *layers;
    uint32_t layer_count;
    int *mappings;
    uint32_t mapping_count;
    int scratch;
};

static void close_all(int *files, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        close(files[i]);
    free(files);
}

static void close_sources(struct sources *sources)
{
    close_all(sources->layers, sources->layer_count);
    close_all(sources->mappings, sources->mapping_count);
    if (sources->scratch >= 0)
        close(sources->scratch);
}

static int open_layers(const struct silo_config *config,
                       struct sources *sources, struct silo_failure *failure)
{
    const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    uint32_t count = config->layer_count;

    sources->layers = calloc((size_t)count + 1, sizeof(int));
    if (sources->layers == NULL)
        return silo_fail(failure, "open the layers", NULL);
    for (; sources->layer_count < count; sources->layer_count++) {
        const char *path = config->layers[sources->layer_count];
        int layer = open(path, flags);
        if (layer < 0)
            return silo_fail(failure, "open a layer", path);
        sources->layers[sources->layer_count] = layer;
    }
    return 0;
}

static int open_mappings(const struct silo_config *config,
                         struct sources *sources, struct silo_failure *failure)
{
    sources->mappings = calloc((size_t)config->mapping_count + 1, sizeof(int));
    if (sources->mappings == NULL)
        return silo_fail(failure, "open the mapped directories", NULL);
    for (; sources->mapping_count < config->mapping_count;
         sources->mapping_count++) {
        const char *path = config->mappings[sources->mapping_count].source;
        int source = open(path, O_PATH | O_CLOEXEC);
        if (source < 0)
            return silo_fail(failure, "open a mapped directory", path);
        sources->mappings[sources->mapping_count] = source;
    }
    return 0;
}

static int open_scratch(const struct silo_config *config,
                        struct sources *sources, struct silo_failure *failure)
{
    if (!config->has_scratch)
        return 0;
    sources->scratch = open(config->scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (sources->scratch < 0 ||
        (mkdirat(sources->scratch, "upper", 0755) != 0 && errno != EEXIST) ||
        (mkdirat(sources->scratch, "work", 0755) != 0 && errno != EEXIST))
        return silo_fail(failure, "open the scratch folder", config->scratch);
    return 0;
}

static int open_sources(const struct silo_config *config,
                        struct sources *sources, struct silo_failure *failure)
{
    if (open_layers(config, sources, failure) != 0 ||
        open_mappings(config, sources, failure) != 0)
        return -1;
    return open_scratch(config, sources, failure);
}

/* Enter a tmpfs of our own, with the directories that mounting takes. */
static int enter_stage(struct silo_failure *failure)
{
    static const char *const folders[] = {"upper", "work", "root", "base",
                                          "empty", "proc", "sys",  "dev"};
    size_t i = 0;

    while (mount("silo", stages[i], "tmpfs", MS_NOSUID | MS_NODEV,
                 "mode=0755") != 0)
        if (errno != ENOENT || ++i == sizeof(stages) / sizeof(stages[0]))
            return silo_fail(failure, "mount memory for the writes", stages[0]);
    if (chdir(stages[i]) != 0)
        return silo_fail(failure, "prepare the mounts", stages[i]);
    for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (mkdir(folders[i], 0755) != 0)
            return silo_fail(failure, "prepare the mounts", folders[i]);
    return 0;
}

enum { WRITABLE_NAME = 64 };

static void name_writable(int scratch, char upper[WRITABLE_NAME],
                          char work[WRITABLE_NAME])
{
    (void)snprintf(upper, WRITABLE_NAME, "/proc/self/fd/%d/upper", scratch);
    (void)snprintf(work, WRITABLE_NAME, "/proc/self/fd/%d/work", scratch);
}

static int mount_layers(const struct silo_config *config, int machine,
                        const struct sources *sources,
                        struct silo_failure *failure)
{
    char upper[WRITABLE_NAME] = "upper";
    char work[WRITABLE_NAME] = "work";

    if (sources->scratch >= 0)
        name_writable(sources->scratch, upper, work);
    if (config->root == SILO_ROOT_IN_PLACE) {
        if (config->layer_count == 1 &&
            silo_bind(sources->layers[0], "root", true, false, 0) == 0)
            return 0;
        return silo_fail(failure, "mount the root", NULL);
    }
    if (config->layer_count == 0)
        return silo_machine_graft(machine, upper, work, "root", failure);
    return silo_overlay_mount(sources->layers, sources->layer_count, upper,
                              work, "root", failure);
}

static int bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int result = -1;
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (file < 0)
        return -1;
    if (ioctl(file, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
        result = ioctl(file, SIOCSIFFLAGS, &request);
    }
    close(file);
    return result;
}

/* Writes to the root fail from here on; those to what is mounted in it do not.
 */
static int seal_root(void)
{
    struct mount_attributes attributes = {.set = ATTRIBUTE_RDONLY};
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return -1;
    int result = call_mount_setattr(root, "", AT_EMPTY_PATH, &attributes);
    int error = errno;
    close(root);
    if (result != 0 && error == ENOSYS) /* kernels before 5.12 */
        return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
    errno = error;
    return result;
}

/*
 * Take a mount from the stage, the current directory, to the same place in the
 * new root. A mount point must be a directory: a link would lead somewhere
 * else.
 */
static int move_from_stage(const char *target)
{
    struct stat status;

    if (lstat(target, &status) != 0) {
        if (errno != ENOENT || mkdir(target, 0755) != 0)
            return -1;
    } else if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    return mount(target + 1, target, NULL, MS_MOVE, NULL);
}

/* The new root is "/" from here on; the machine's lies over it for a while. */
static int fill_root(const struct silo_config *config, int machine,
                     const struct sources *sources,
                     struct silo_failure *failure)
{
    if (syscall(SYS_pivot_root, "root", "root") != 0)
        return silo_fail(failure, "enter the new root", NULL);
    if (move_from_stage("/proc") != 0)
        return silo_fail(failure, "mount the process files", "/proc");
    if (move_from_stage("/sys") != 0)
        return silo_fail(failure, "mount the system files", "/sys");
    if (move_from_stage("/dev") != 0)
        return silo_fail(failure, "mount the devices", "/dev");
    for (uint32_t i = 0; i < config->mapping_count; i++)
        if (silo_mapping_mount(sources->mappings[i], &config->mappings[i],
                               failure) != 0)
            return -1;
    if (config->root == SILO_ROOT_READ_ONLY && seal_root() != 0)
        return silo_fail(failure, "make the root read-only", "/");
    if (fchdir(machine) != 0 || umount2(".", MNT_DETACH) != 0 ||
        chdir("/") != 0)
        return silo_fail(failure, "leave the machine's root", NULL);
    return 0;
}

int silo_stage_build(bool all_users, bool shares_network, int *machine,
                     struct silo_failure *failure)
{
    (void)umask(022);
    *machine = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*machine < 0)
        return silo_fail(failure, "open the machine's root", "/");
    if (!shares_network && bring_loopback_up() != 0)
        return silo_fail(failure, "bring up the loopback interface", "lo");
    if (enter_stage(failure) != 0 ||
        silo_system_mount(*machine, all_users, failure) != 0)
        return -1;
    if (mount("", ".", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return silo_fail(failure, "separate the mounts", NULL);
    return 0;
}

/*
 * What the machine mounts or unmounts from now on shall not come through to
 * what of it stays in view. Nothing does if there are layers only: an overlay
 * has copies of its own. Until now it has come through, where the machine
 * shares its mounts, so that a spare silo sees what was mounted since it was
 * made.
 */
static int separate(const struct silo_config *config)
{
    if (config->root != SILO_ROOT_IN_PLACE && config->layer_count > 0 &&
        config->mapping_count == 0)
        return 0;
    return mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int silo_root_build(const struct silo_config *config, int machine,
                    struct silo_failure *failure)
{
    struct sources sources = {.scratch = -1};
    int result = -1;

    if (separate(config) != 0)
        return silo_fail(failure, "separate the mounts", "/");
    if (sethostname(config->hostname, strlen(config->hostname)) != 0)
        return silo_fail(failure, "set the host name", config->hostname);
    if (open_sources(config, &sources, failure) == 0 &&
        mount_layers(config, machine, &sources, failure) == 0)
        result = fill_root(config, machine, &sources, failure);
    close_sources(&sources);
    close(machine);
    return result;
}

int silo_layers_mount(const struct silo_config *config, const char *target,
                      struct silo_failure *failure)
{
    struct sources sources = {.scratch = -1};
    char upper[WRITABLE_NAME];
    char work[WRITABLE_NAME];
    bool writable = config->has_scratch;
    int result = -1;

    if (open_layers(config, &sources, failure) == 0 &&
        open_scratch(config, &sources, failure) == 0) {
        if (writable)
            name_writable(sources.scratch, upper, work);
        result = silo_overlay_mount(sources.layers, sources.layer_count,
                                    writable ? upper : NULL,
                                    writable ? work : NULL, target, failure);
    }
    close_sources(&sources);
    return result;
}
