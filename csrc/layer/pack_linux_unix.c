/* pack_linux_unix.c - members of a Linux layer, out of an overlay's folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layer/overlay.h"
#include "layer/pack.h"
#include "layer/tree_unix.h"
#include "native/hresult.h"

#define ATTRIBUTE "SCHILY.xattr."
#define LIST_ROOM 65536

static int32_t last_error(void) { return hcsshim__hresult_from_errno(errno); }

/* Overlayfs's own marks are said by whiteouts, or mean this machine only. */
static int is_told(const char *key)
{
    return strncmp(key, HCSSHIM__OVERLAY_PREFIX,
                   sizeof HCSSHIM__OVERLAY_PREFIX - 1) != 0 &&
           strncmp(key, "trusted.overlay.", 16) != 0 &&
           strcmp(key, "security.selinux") != 0;
}

static int32_t add_attribute(hcsshim_pack *pack, int folder, const char *name,
                             const char *key, char *value)
{
    char full[sizeof ATTRIBUTE + 256];
    int64_t length =
        hcsshim__tree_get_attribute(folder, name, key, value, LIST_ROOM);
    int written;

    if (length < 0)
        return errno == ENODATA ? 0 : last_error();
    written = snprintf(full, sizeof full, ATTRIBUTE "%s", key);
    return hcsshim__pack_record(pack, full, (size_t)written, value,
                                (size_t)length);
}

static int32_t add_attributes(hcsshim_pack *pack, int folder, const char *name)
{
    char *list = malloc((size_t)2 * LIST_ROOM);
    int64_t length;
    int32_t hr = 0;

    if (list == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    length = hcsshim__tree_list_attributes(folder, name, list, LIST_ROOM);
    if (length < 0 && errno != EOPNOTSUPP)
        hr = last_error();
    for (int64_t at = 0; at < length && hr >= 0;
         at += (int64_t)strlen(list + at) + 1)
        if (is_told(list + at))
            hr = add_attribute(pack, folder, name, list + at, list + LIST_ROOM);
    free(list);
    return hr;
}

/* ---- kinds of members ------------------------------------------------- */

static void fill_owner(const hcsshim_pack *pack, const struct stat *status,
                       hcsshim__tar_member *member)
{
    int root = (pack->flags & HCSSHIM_PACK_ROOT) != 0;

    member->mode = (uint32_t)status->st_mode & 07777;
    member->uid = root ? 0 : status->st_uid;
    member->gid = root ? 0 : status->st_gid;
    member->modified = hcsshim__tree_modified(status);
}

static int32_t write_folder(hcsshim_pack *pack, const hcsshim__walk_item *item,
                            hcsshim__tar_member *member)
{
    int inner = openat((int)item->folder, item->name,
                       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int opaque;
    int32_t hr = 0;

    if (inner < 0)
        return last_error();
    opaque = hcsshim__overlay_is_opaque(inner);
    close(inner);
    member->type = HCSSHIM__TAR_FOLDER;
    pack->path.length = 0;
    hr = hcsshim__path_add(&pack->path, item->path.data, item->path.length);
    if (hr >= 0)
        hr = hcsshim__path_extend(&pack->path, "/", 1);
    if (hr < 0)
        return hr;
    member->name = hcsshim__path_text(&pack->path);
    hr = hcsshim__pack_write(pack, member);
    if (hr >= 0 && opaque)
        hr = hcsshim__pack_mark(pack, item->path, ".wh..wh..opq", "");
    return hr;
}

static int32_t write_device(hcsshim_pack *pack, const struct stat *status,
                            hcsshim__tar_member *member)
{
    if (S_ISFIFO(status->st_mode)) {
        member->type = HCSSHIM__TAR_FIFO;
    } else {
        member->type = S_ISCHR(status->st_mode) ? HCSSHIM__TAR_CHARACTER
                                                : HCSSHIM__TAR_DEVICE;
        hcsshim__tree_device_numbers(status, &member->device_major,
                                     &member->device_minor);
    }
    return hcsshim__pack_write(pack, member);
}

static int32_t write_one(hcsshim_pack *pack, const hcsshim__walk_item *item,
                         const struct stat *status)
{
    hcsshim__tar_member member = {.name = item->path, .link = {"", 0}};
    int32_t hr = 0;

    if (!S_ISDIR(status->st_mode) && status->st_nlink > 1) {
        hr = hcsshim__pack_seen(
            pack,
            &(hcsshim__node){.device = status->st_dev, .inode = status->st_ino},
            item->path, &member.link);
        if (hr < 0)
            return hr;
    }
    fill_owner(pack, status, &member);
    if (hr > 0) {
        member.type = HCSSHIM__TAR_LINK;
        return hcsshim__pack_write(pack, &member);
    }
    hcsshim__pack_clear(pack);
    hr = add_attributes(pack, (int)item->folder, item->name);
    if (hr < 0)
        return hr;
    hcsshim__pack_take_records(pack, &member);
    if (S_ISDIR(status->st_mode))
        return write_folder(pack, item, &member);
    if (S_ISREG(status->st_mode))
        return hcsshim__pack_write_file(pack, item, &member);
    if (!S_ISLNK(status->st_mode))
        return write_device(pack, status, &member);
    hr = hcsshim__pack_read_link(pack, item->folder, item->name);
    if (hr < 0)
        return hr;
    member.type = HCSSHIM__TAR_SYMLINK;
    member.link = hcsshim__path_text(&pack->name);
    return hcsshim__pack_write(pack, &member);
}

int32_t hcsshim__pack_linux_next(hcsshim_pack *pack)
{
    hcsshim__walk_item item;
    struct stat status;
    int32_t hr = hcsshim__walk_next(pack->walk, &item);

    if (hr < 0)
        return hr;
    if (hr == 0) {
        pack->state = PACK_END;
        return hcsshim__tar_write_end(&pack->sink);
    }
    if (fstatat((int)item.folder, item.name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return hcsshim__pack_fail(pack, last_error(), item.path, NULL);
    if (S_ISSOCK(status.st_mode))
        return 0; /* of no use to anybody else */
    if (hcsshim__overlay_is_whiteout((int)item.folder, item.name, &status)) {
        hcsshim__tar_text folder = item.path;

        folder.length = hcsshim__path_last(item.path);
        folder.length -= folder.length > 0;
        return hcsshim__pack_mark(pack, folder, ".wh.", item.name);
    }
    hr = write_one(pack, &item, &status);
    if (hr < 0 && pack->problem[0] == 0)
        return hcsshim__pack_fail(pack, hr, item.path, NULL);
    return hr;
}
