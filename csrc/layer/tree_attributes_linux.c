/* tree_attributes_linux.c - extended attributes and devices of Linux. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "layer/tree_unix.h"
#include "native/hresult.h"

/* There are no calls for a name in a folder; /proc gives the folder a path. */
#define PATH_ROOM (NAME_MAX + 40)
#define KEY_ROOM 256 /* XATTR_NAME_MAX and a terminator */

static void name_path(char path[PATH_ROOM], int folder, const char *name)
{
    (void)snprintf(path, PATH_ROOM, "/proc/self/fd/%d/%s", folder, name);
}

int32_t hcsshim__tree_set_attribute(int folder, const char *name, int file,
                                    hcsshim__tar_text key,
                                    hcsshim__tar_text value)
{
    char terminated[KEY_ROOM];
    char path[PATH_ROOM];
    int failed;

    if (key.length >= sizeof terminated)
        return hcsshim__hresult_from_errno(ENAMETOOLONG);
    memcpy(terminated, key.data, key.length);
    terminated[key.length] = 0;
    if (file >= 0) {
        failed = fsetxattr(file, terminated, value.data, value.length, 0);
    } else {
        name_path(path, folder, name);
        failed = lsetxattr(path, terminated, value.data, value.length, 0);
    }
    return failed ? hcsshim__hresult_from_errno(errno) : 0;
}

int64_t hcsshim__tree_get_attribute(int folder, const char *name,
                                    const char *key, void *value, size_t room)
{
    char path[PATH_ROOM];

    if (name == NULL)
        return fgetxattr(folder, key, value, room);
    name_path(path, folder, name);
    return lgetxattr(path, key, value, room);
}

int64_t hcsshim__tree_list_attributes(int folder, const char *name, char *list,
                                      size_t room)
{
    char path[PATH_ROOM];

    if (name == NULL)
        return flistxattr(folder, list, room);
    name_path(path, folder, name);
    return llistxattr(path, list, room);
}

hcsshim__tar_time hcsshim__tree_modified(const struct stat *status)
{
    return (hcsshim__tar_time){status->st_mtim.tv_sec,
                               (int32_t)status->st_mtim.tv_nsec, 1};
}

int hcsshim__tree_make_node(int folder, const char *name, mode_t mode,
                            uint32_t device_major, uint32_t device_minor)
{
    return mknodat(folder, name, mode, makedev(device_major, device_minor));
}

void hcsshim__tree_device_numbers(const struct stat *status,
                                  uint32_t *device_major,
                                  uint32_t *device_minor)
{
    *device_major = major(status->st_rdev);
    *device_minor = minor(status->st_rdev);
}
