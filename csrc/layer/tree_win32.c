/*
 * tree_win32.c - making files below one folder of Windows.
 *
 * Layers are real NTFS files there, which the service makes; the plain files of
 * this tree are not made yet, and say so.
 */
#include <windows.h>

#include "hcsshim.h"
#include "layer/tree.h"

int32_t hcsshim__tree_open(const char *path, hcsshim__tree **out)
{
    (void)path;
    *out = NULL;
    return HCSSHIM_E_NOTIMPL;
}

void hcsshim__tree_free(hcsshim__tree *tree) { (void)tree; }

int32_t hcsshim__tree_kind(hcsshim__tree *tree, hcsshim__tar_text path)
{
    (void)tree, (void)path;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_create(hcsshim__tree *tree, hcsshim__tar_text path,
                             uint32_t mode, int64_t *file)
{
    (void)tree, (void)path, (void)mode, (void)file;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_skip(int64_t file, uint64_t length)
{
    (void)file, (void)length;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_finish(hcsshim__tree *tree, int64_t file, int64_t size,
                             const hcsshim__tree_meta *meta)
{
    (void)tree, (void)file, (void)size, (void)meta;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_folder(hcsshim__tree *tree, hcsshim__tar_text path,
                             const hcsshim__tree_meta *meta)
{
    (void)tree, (void)path, (void)meta;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_settle(hcsshim__tree *tree)
{
    (void)tree;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_symlink(hcsshim__tree *tree, hcsshim__tar_text path,
                              hcsshim__tar_text target,
                              const hcsshim__tree_meta *meta)
{
    (void)tree, (void)path, (void)target, (void)meta;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_link(hcsshim__tree *tree, hcsshim__tar_text path,
                           hcsshim__tree *from, hcsshim__tar_text target)
{
    (void)tree, (void)path, (void)from, (void)target;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_device(hcsshim__tree *tree, hcsshim__tar_text path,
                             char type, uint32_t device_major,
                             uint32_t device_minor,
                             const hcsshim__tree_meta *meta)
{
    (void)tree, (void)path, (void)type, (void)device_major, (void)device_minor,
        (void)meta;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_whiteout(hcsshim__tree *tree, hcsshim__tar_text path)
{
    (void)tree, (void)path;
    return HCSSHIM_E_NOTIMPL;
}

int32_t hcsshim__tree_opaque(hcsshim__tree *tree, hcsshim__tar_text path)
{
    (void)tree, (void)path;
    return HCSSHIM_E_NOTIMPL;
}

uint64_t hcsshim__tree_refused(const hcsshim__tree *tree)
{
    (void)tree;
    return 0;
}

int32_t hcsshim_tree_remove(const char *path)
{
    (void)path;
    return HCSSHIM_E_NOTIMPL;
}
