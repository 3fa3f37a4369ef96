/* overlay_unix.c - whiteouts and opaque folders. */
#include "layer/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "layer/tree_unix.h"

/* Two marks: of the file, and of the folder, that such files are in it. */
static int hide_by_attribute(int folder, const char *name)
{
    static const hcsshim__tar_text whiteout = {
        HCSSHIM__OVERLAY_WHITEOUT, sizeof HCSSHIM__OVERLAY_WHITEOUT - 1};
    static const hcsshim__tar_text opaque = {
        HCSSHIM__OVERLAY_OPAQUE, sizeof HCSSHIM__OVERLAY_OPAQUE - 1};
    int file =
        openat(folder, name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int32_t hr;

    if (file < 0)
        return -1;
    hr = hcsshim__tree_set_attribute(-1, NULL, file, whiteout,
                                     (hcsshim__tar_text){"y", 1});
    close(file);
    if (hr >= 0 && !hcsshim__overlay_is_opaque(folder))
        hr = hcsshim__tree_set_attribute(-1, NULL, folder, opaque,
                                         (hcsshim__tar_text){"x", 1});
    if (hr >= 0)
        return 0;
    (void)unlinkat(folder, name, 0);
    errno = EPERM;
    return -1;
}

int hcsshim__overlay_hide(int folder, const char *name)
{
    if (hcsshim__tree_make_node(folder, name, S_IFCHR, 0, 0) == 0)
        return 0;
    return errno == EPERM ? hide_by_attribute(folder, name) : -1;
}

int hcsshim__overlay_is_whiteout(int folder, const char *name,
                                 const struct stat *status)
{
    char value[1];

    if (S_ISCHR(status->st_mode))
        return status->st_rdev == 0;
    return S_ISREG(status->st_mode) && status->st_size == 0 &&
           hcsshim__tree_get_attribute(folder, name, HCSSHIM__OVERLAY_WHITEOUT,
                                       value, sizeof value) >= 0;
}

int hcsshim__overlay_is_opaque(int folder)
{
    char value[1] = {0};

    return hcsshim__tree_get_attribute(folder, NULL, HCSSHIM__OVERLAY_OPAQUE,
                                       value, sizeof value) == 1 &&
           value[0] == 'y';
}
