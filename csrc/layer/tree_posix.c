/* tree_posix.c - opening folders where one call cannot do it. */
#include "layer/tree_unix.h"

int hcsshim__tree_enter(int root, const char *path)
{
    return hcsshim__tree_enter_parts(root, path);
}
