/* tree_attributes_posix.c - systems whose attributes this does not know. */
#include <errno.h>

#include "layer/tree_unix.h"
#include "native/hresult.h"

int32_t hcsshim__tree_set_attribute(int folder, const char *name, int file,
                                    hcsshim__tar_text key,
                                    hcsshim__tar_text value)
{
    (void)folder, (void)name, (void)file, (void)key, (void)value;
    return hcsshim__hresult_from_errno(EOPNOTSUPP);
}

int64_t hcsshim__tree_get_attribute(int folder, const char *name,
                                    const char *key, void *value, size_t room)
{
    (void)folder, (void)name, (void)key, (void)value, (void)room;
    errno = EOPNOTSUPP;
    return -1;
}

int64_t hcsshim__tree_list_attributes(int folder, const char *name, char *list,
                                      size_t room)
{
    (void)folder, (void)name, (void)list, (void)room;
    return 0;
}

/* Whole seconds: the name of the rest differs from system to system. */
hcsshim__tar_time hcsshim__tree_modified(const struct stat *status)
{
    return (hcsshim__tar_time){status->st_mtime, 0, 1};
}

int hcsshim__tree_make_node(int folder, const char *name, mode_t mode,
                            uint32_t device_major, uint32_t device_minor)
{
    (void)folder, (void)name, (void)mode, (void)device_major,
        (void)device_minor;
    errno = EPERM;
    return -1;
}

void hcsshim__tree_device_numbers(const struct stat *status,
                                  uint32_t *device_major,
                                  uint32_t *device_minor)
{
    (void)status;
    *device_major = *device_minor = 0;
}
