/* Bind mounts, and the directories that they need. */
#include "silo.h"
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int silo_directory_make(const char *path)
{
    char part[PATH_MAX];
    size_t size = strlen(path);

    if (size >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EISDIR &&
            errno != EROFS)
            return -1;
    }
    return 0;
}

/* Kernels before 5.12: the mount on top only, its submounts stay writable. */
static int set_attributes_by_remount(const char *target, uint64_t attributes)
{
    unsigned long flags = MS_REMOUNT | MS_BIND;

    flags |= attributes & ATTRIBUTE_RDONLY ? MS_RDONLY : 0;
    flags |= attributes & ATTRIBUTE_NOSUID ? MS_NOSUID : 0;
    flags |= attributes & ATTRIBUTE_NODEV ? MS_NODEV : 0;
    flags |= attributes & ATTRIBUTE_NOEXEC ? MS_NOEXEC : 0;
    return mount(NULL, target, NULL, flags, NULL);
}

static int bind_by_mount(int source, const char *target, bool recursive,
                         uint64_t attributes)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", source);
    if (mount(path, target, NULL, MS_BIND | (recursive ? MS_REC : 0), NULL) !=
        0)
        return -1;
    return attributes != 0 ? set_attributes_by_remount(target, attributes) : 0;
}

int silo_bind(int source, const char *target, bool recursive, bool read_only,
              uint64_t more_attributes)
{
    struct mount_attributes attributes = {
        .set = more_attributes | (read_only ? ATTRIBUTE_RDONLY : 0)};
    unsigned deep = recursive ? TREE_RECURSIVE : 0;
    int result = -1;
    int tree = call_open_tree(source, "",
                              TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | deep);

    if (tree < 0 && errno == ENOSYS)
        return bind_by_mount(source, target, recursive, attributes.set);
    if (tree < 0)
        return -1;
    if (attributes.set != 0 &&
        call_mount_setattr(tree, "", AT_EMPTY_PATH | deep, &attributes) != 0) {
        if (errno == ENOSYS)
            result = bind_by_mount(source, target, recursive, attributes.set);
        goto out;
    }
    result = call_move_mount(tree, target);
out:;
    int error = errno;
    close(tree);
    errno = error;
    return result;
}

/* Make the target what the source is: a directory, or a file in one. */
int silo_target_make(int source, const char *target)
{
    struct stat status;
    char parent[PATH_MAX];

    if (fstat(source, &status) != 0)
        return -1;
    if (S_ISDIR(status.st_mode))
        return silo_directory_make(target);
    size_t size = strlen(target);
    while (size > 0 && target[size - 1] != '/')
        size--;
    if (size >= sizeof(parent)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(parent, target, size);
    parent[size] = '\0';
    if (size > 1 && silo_directory_make(parent) != 0)
        return -1;
    int file = open(target, O_CREAT | O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0644);
    if (file < 0)
        return errno == EROFS ? 0 : -1;
    close(file);
    return 0;
}

int silo_mapping_mount(int source, const struct silo_mapping *mapping,
                       struct silo_failure *failure)
{
    if (mapping->target[0] != '/') {
        errno = EINVAL;
        return silo_fail(failure, "map a directory", mapping->target);
    }
    if (silo_target_make(source, mapping->target) != 0)
        return silo_fail(failure, "make the target of a mapped directory",
                         mapping->target);
    if (silo_bind(source, mapping->target, true, mapping->read_only,
                  ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV) != 0)
        return silo_fail(failure, "map a directory", mapping->target);
    return 0;
}
