/* node_unix.c - names in open folders, by descriptors. */
#include "layer/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/overlay.h"
#include "layer/tree_unix.h"
#include "native/hresult.h"

static int32_t last_error(void) { return hcsshim__hresult_from_errno(errno); }

static int kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return HCSSHIM__TREE_FILE;
    if (S_ISDIR(mode))
        return HCSSHIM__TREE_FOLDER;
    return S_ISLNK(mode) ? HCSSHIM__TREE_LINK : HCSSHIM__TREE_OTHER;
}

static void fill(hcsshim__node *node, const struct stat *status)
{
    *node = (hcsshim__node){
        .kind = kind_of(status->st_mode),
        .sparse = status->st_blocks * 512 < status->st_size,
        .size = status->st_size,
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .links = (uint64_t)status->st_nlink,
        .modified = hcsshim__tree_modified(status),
    };
}

int32_t hcsshim__node_look(int64_t folder, const char *name,
                           hcsshim__node *node)
{
    struct stat status;

    if (fstatat((int)folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return last_error();
    fill(node, &status);
    node->hides = hcsshim__overlay_is_whiteout((int)folder, name, &status);
    return 0;
}

int32_t hcsshim__node_open(int64_t folder, const char *name, int64_t *file,
                           hcsshim__node *node)
{
    struct stat status;
    int opened = openat((int)folder, name,
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int32_t hr;

    *file = -1;
    if (opened < 0)
        return errno == ELOOP ? HCSSHIM_E_INVALID_DATA : last_error();
    hr = fstat(opened, &status) != 0 ? last_error() : 0;
    if (hr >= 0 && !S_ISREG(status.st_mode))
        hr = HCSSHIM_E_INVALID_DATA;
    if (hr < 0) {
        close(opened);
        return hr;
    }
    fill(node, &status);
    *file = opened;
    return 0;
}

int32_t hcsshim__node_enter(int64_t folder, const char *name, int64_t *inner)
{
    int opened = openat((int)folder, name,
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    *inner = opened;
    return opened < 0 ? last_error() : 0;
}

int32_t hcsshim__node_again(int64_t folder, int64_t *again)
{
    return hcsshim__node_enter(folder, ".", again);
}

void hcsshim__node_close(int64_t file)
{
    if (file >= 0)
        close((int)file);
}

int32_t hcsshim__node_read(int64_t file, uint64_t at, uint8_t *out,
                           size_t length, size_t *got)
{
    ssize_t count;

    do
        count = pread((int)file, out, length, (off_t)at);
    while (count < 0 && errno == EINTR);
    *got = count < 0 ? 0 : (size_t)count;
    return count < 0 ? last_error() : 0;
}

uint64_t hcsshim__node_hole(int64_t file, uint64_t at, uint64_t length)
{
    off_t data = lseek((int)file, (off_t)at, SEEK_DATA);

    if (data < 0)
        return errno == ENXIO ? length : 0;
    data -= (off_t)at;
    return (uint64_t)data < length ? (uint64_t)data : length;
}

int32_t hcsshim__node_target(int64_t folder, const char *name,
                             hcsshim__path *target)
{
    char text[4097];
    ssize_t length = readlinkat((int)folder, name, text, sizeof text);

    target->length = 0;
    return length < 0 ? last_error()
                      : hcsshim__path_add(target, text, (size_t)length);
}

int hcsshim__node_is_opaque(int64_t folder)
{
    return hcsshim__overlay_is_opaque((int)folder);
}

static int is_folder(int folder, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

static int32_t visit_all(DIR *list, hcsshim__node_visit *visit, void *context)
{
    struct dirent *entry;
    int32_t hr = 0;

    errno = 0;
    while (hr >= 0 && (entry = readdir(list)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            hr = visit(context, entry->d_name, is_folder(dirfd(list), entry));
        errno = 0;
    }
    return hr >= 0 && errno != 0 ? last_error() : hr;
}

int32_t hcsshim__node_list(int64_t folder, hcsshim__node_visit *visit,
                           void *context)
{
    int64_t copy;
    int32_t hr = hcsshim__node_again(folder, &copy);
    DIR *list = hr < 0 ? NULL : fdopendir((int)copy);

    if (hr >= 0 && list == NULL)
        hr = last_error();
    if (list == NULL) {
        hcsshim__node_close(copy);
        return hr;
    }
    hr = visit_all(list, visit, context);
    closedir(list);
    return hr;
}

uint64_t hcsshim__node_hash(hcsshim__tar_text path)
{
    return hcsshim__path_hash(path);
}

/* ---- folders of a tree ------------------------------------------------- */

int32_t hcsshim__tree_open_folder(hcsshim__tree *tree, hcsshim__tar_text path,
                                  int64_t *folder)
{
    int opened = hcsshim__tree_folder_at(tree, path, 0);

    /* The tree's own descriptor stays the tree's. */
    if (opened >= 0 && path.length == 0)
        opened = dup(opened);
    *folder = opened;
    return opened < 0 ? last_error() : 0;
}
