/* tree_linux.c - opening folders in one call. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layer/tree_unix.h"

int hcsshim__tree_enter(int root, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
        .resolve =
            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long result;

    do
        result = syscall(SYS_openat2, root, path, &how, sizeof how);
    while (result < 0 && (errno == EAGAIN || errno == EINTR));
    /* Linux before 5.6, or a filter of calls that does not know this one. */
    if (result < 0 && (errno == ENOSYS || errno == EPERM))
        return hcsshim__tree_enter_parts(root, path);
    return (int)result;
}
