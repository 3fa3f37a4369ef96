/*
 * The overlay file system of the layers.
 *
 * Layers are named by /proc/self/fd/N: short, so that neither the 256 bytes
 * of fsconfig() nor the page of mount() is an end, and free of the colons
 * and commas that would need escaping.
 */
#include "silo.h"
#include "calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum { NAME_SIZE = 32 };

static void name_layer(char name[NAME_SIZE], int layer)
{
    (void)snprintf(name, NAME_SIZE, "/proc/self/fd/%d", layer);
}

static int add_layers(int context, const int *layers, uint32_t count)
{
    char name[NAME_SIZE];

    for (uint32_t i = 0; i < count; i++) {
        name_layer(name, layers[i]);
        if (call_fsconfig(context, CONFIG_STRING, "lowerdir+", name) != 0)
            return -1;
    }
    return 0;
}

/* Linux 6.8 and newer. EINVAL and ENOSYS mean: not this kernel. */
static int mount_by_context(const int *layers, uint32_t count,
                            const char *upper, const char *work,
                            const char *target)
{
    int result = -1;
    int context = call_fsopen("overlay");

    if (context < 0)
        return -1;
    if (add_layers(context, layers, count) != 0 ||
        (upper != NULL &&
         (call_fsconfig(context, CONFIG_STRING, "upperdir", upper) != 0 ||
          call_fsconfig(context, CONFIG_STRING, "workdir", work) != 0)) ||
        call_fsconfig(context, CONFIG_FLAG, "userxattr", NULL) != 0 ||
        call_fsconfig(context, CONFIG_STRING, "source", "layers") != 0 ||
        call_fsconfig(context, CONFIG_CREATE, NULL, NULL) != 0)
        goto out;
    int tree = call_fsmount(context, 0);
    if (tree < 0)
        goto out;
    result = call_move_mount(tree, target);
    int error = errno;
    close(tree);
    errno = error;
out:;
    int kept = errno;
    close(context);
    errno = kept;
    return result;
}

static int mount_by_options(const int *layers, uint32_t count,
                            const char *upper, const char *work,
                            const char *target)
{
    size_t size = (size_t)count * NAME_SIZE + 256;
    char *options = malloc(size);
    size_t used;
    int result = -1;

    if (options == NULL)
        return -1;
    used = (size_t)snprintf(options, size, "userxattr,lowerdir=");
    for (uint32_t i = 0; i < count; i++)
        used +=
            (size_t)snprintf(options + used, size - used, "%s/proc/self/fd/%d",
                             i > 0 ? ":" : "", layers[i]);
    if (upper != NULL)
        used += (size_t)snprintf(options + used, size - used,
                                 ",upperdir=%s,workdir=%s", upper, work);
    if (used >= 4096)
        errno = E2BIG;
    else
        result = mount("layers", target, "overlay", 0, options);
    int error = errno;
    free(options);
    errno = error;
    return result;
}

int silo_overlay_mount(const int *layers, uint32_t count, const char *upper,
                       const char *work, const char *target,
                       struct silo_failure *failure)
{
    if (mount_by_context(layers, count, upper, work, target) == 0)
        return 0;
    if ((errno == EINVAL || errno == ENOSYS) &&
        mount_by_options(layers, count, upper, work, target) == 0)
        return 0;
    return silo_fail(failure, "mount the layers", NULL);
}
