/*
 * The machine's own root as the base of a silo.
 *
 * One overlay of "/" is what we want, but the kernel refuses to take a tree
 * apart that it locked for a new user namespace: a directory with mounts below
 * it cannot be a layer without them (EINVAL). Such a directory is made anew in
 * the folder of the writes, and its entries are grafted there one by one, so
 * that only the way down to each mount is special.
 */
#include "silo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16 };

/* Mounted by us afterwards, or not a machine's to share. */
static const char *const left_out[] = {"/dev", "/proc", "/sys", "/lost+found"};

struct graft {
    const char *upper; /* the folder of the writes */
    const char *work;
    const char *root; /* where the new root is being mounted */
    unsigned count;   /* of overlays, to name their work folders */
};

/* Overlay one directory, whose path below the root is 'path'. */
static int overlay(struct graft *graft, int source, const char *path,
                   struct silo_failure *failure)
{
    char upper[PATH_MAX];
    char work[PATH_MAX];
    char target[PATH_MAX];
    int layers[2] = {source, -1};
    int result;

    if (snprintf(upper, PATH_MAX, "%s%s", graft->upper, path) >= PATH_MAX ||
        snprintf(work, PATH_MAX, "%s/%u", graft->work, graft->count) >=
            PATH_MAX ||
        snprintf(target, PATH_MAX, "%s%s", graft->root, path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return silo_fail(failure, "mount the layers", path);
    }
    if (mkdir(work, 0755) != 0 && errno != EEXIST)
        return silo_fail(failure, "mount the layers", work);
    graft->count++;
    result = silo_overlay_mount(layers, 1, upper, work, target, failure);
    if (result == 0 || failure->error != ELOOP)
        return result;
    /*
     * The folder of the writes lies in what it is to be the upper of. A
     * read-only overlay in between is a file system of its own.
     */
    layers[1] = open("empty", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (layers[1] < 0)
        return silo_fail(failure, "mount the layers", path);
    result = silo_overlay_mount(layers, 2, NULL, NULL, "base", failure);
    close(layers[1]);
    if (result != 0)
        return result;
    layers[0] = open("base", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (layers[0] < 0)
        return silo_fail(failure, "mount the layers", path);
    result = silo_overlay_mount(layers, 1, upper, work, target, failure);
    close(layers[0]);
    return result;
}

static bool is_left_out(const char *path)
{
    for (size_t i = 0; i < sizeof(left_out) / sizeof(char *); i++)
        if (strcmp(left_out[i], path) == 0)
            return true;
    return false;
}

static int graft_directory(struct graft *graft, int source, const char *path,
                           int depth, struct silo_failure *failure);

/* Make a directory like the source; owners that are not mapped stay ours. */
static int graft_child(struct graft *graft, int parent, const char *name,
                       const char *path, int depth,
                       struct silo_failure *failure)
{
    char target[PATH_MAX];
    struct stat status;
    int result;
    int source =
        openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (source < 0)
        return errno == ENOENT || errno == EACCES
                   ? 0
                   : silo_fail(failure, "open a directory", path);
    if (fstat(source, &status) != 0 ||
        snprintf(target, PATH_MAX, "%s%s", graft->root, path) >= PATH_MAX ||
        (mkdir(target, 0755) != 0 && errno != EEXIST)) {
        result = silo_fail(failure, "make a directory", path);
    } else {
        (void)!chown(target, status.st_uid, status.st_gid);
        (void)chmod(target, status.st_mode & 07777);
        result = is_left_out(path)
                     ? 0
                     : graft_directory(graft, source, path, depth + 1, failure);
    }
    close(source);
    return result;
}

static int graft_link(const struct graft *graft, int parent, const char *name,
                      const char *path, struct silo_failure *failure)
{
    char target[PATH_MAX];
    char value[PATH_MAX];
    ssize_t size = readlinkat(parent, name, value, sizeof(value) - 1);

    if (size < 0)
        return 0; /* gone meanwhile */
    value[size] = '\0';
    if (snprintf(target, PATH_MAX, "%s%s", graft->root, path) >= PATH_MAX ||
        (symlink(value, target) != 0 && errno != EEXIST))
        return silo_fail(failure, "make a link", path);
    return 0;
}

/* A single file beside a mount point is shown, but cannot be written. */
static int graft_file(const struct graft *graft, int parent, const char *name,
                      const char *path, struct silo_failure *failure)
{
    char target[PATH_MAX];
    int result;
    int source = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (source < 0)
        return 0;
    if (snprintf(target, PATH_MAX, "%s%s", graft->root, path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        result = silo_fail(failure, "show a file", path);
    } else if (silo_target_make(source, target) != 0 ||
               silo_bind(source, target, false, true, 0) != 0) {
        result = silo_fail(failure, "show a file", path);
    } else {
        result = 0;
    }
    close(source);
    return result;
}

static int graft_entry(struct graft *graft, int parent, const char *name,
                       const char *path, int depth,
                       struct silo_failure *failure)
{
    struct stat status;

    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return 0; /* gone meanwhile */
    if (S_ISDIR(status.st_mode))
        return graft_child(graft, parent, name, path, depth, failure);
    if (S_ISLNK(status.st_mode))
        return graft_link(graft, parent, name, path, failure);
    if (S_ISREG(status.st_mode))
        return graft_file(graft, parent, name, path, failure);
    return 0;
}

static int graft_entries(struct graft *graft, int source, const char *path,
                         int depth, struct silo_failure *failure)
{
    char below[PATH_MAX];
    const struct dirent *entry;
    int result = 0;
    int file = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = file < 0 ? NULL : fdopendir(file);

    if (list == NULL) {
        int error = errno;
        if (file >= 0)
            close(file);
        errno = error;
        return error == EACCES ? 0
                               : silo_fail(failure, "read a directory", path);
    }
    while (result == 0 && (entry = readdir(list)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(below, PATH_MAX, "%s/%s", path, entry->d_name) < PATH_MAX)
            result = graft_entry(graft, source, entry->d_name, below, depth,
                                 failure);
    }
    (void)closedir(list);
    return result;
}

static int graft_directory(struct graft *graft, int source, const char *path,
                           int depth, struct silo_failure *failure)
{
    if (overlay(graft, source, path, failure) == 0)
        return 0;
    if (failure->error != EINVAL || depth >= DEPTH_MAX)
        return -1;
    return graft_entries(graft, source, path, depth, failure);
}

int silo_machine_graft(int machine, const char *upper, const char *work,
                       const char *root, struct silo_failure *failure)
{
    struct graft graft = {upper, work, root, 0};
    int writes;

    if (overlay(&graft, machine, "", failure) == 0)
        return 0;
    if (failure->error != EINVAL)
        return -1;
    writes = open(upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (writes < 0)
        return silo_fail(failure, "open the folder of the writes", upper);
    int result = silo_bind(writes, root, false, false, 0);
    if (result != 0)
        (void)silo_fail(failure, "mount the folder of the writes", root);
    close(writes);
    if (result != 0)
        return -1;
    return graft_entries(&graft, machine, "", 0, failure);
}
