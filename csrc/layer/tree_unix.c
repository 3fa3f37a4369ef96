/* tree_unix.c - making files below one folder, by descriptors. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/node.h"
#include "layer/overlay.h"
#include "layer/tree.h"
#include "layer/tree_unix.h"
#include "native/hresult.h"

/* What the kernel takes of a path in one call, with its terminator. */
#define STEP 4096

/* A folder whose meta waits: its texts follow, the path with a terminator. */
struct waiting {
    uint32_t mode, uid, gid;
    int owned;
    hcsshim__tar_time accessed, modified;
    size_t path_length;
    size_t length; /* with all, to find the one before */
};

struct hcsshim__tree {
    int root;
    int folder; /* the one that was used last, or -1 */
    char *at;   /* its path */
    size_t at_length;
    size_t at_room;
    uint8_t *waiting;
    size_t waiting_length;
    size_t waiting_room;
    _Atomic uint64_t refused; /* attributes that the system did not take */
    int probed;  /* 1: the next three are known; -1: nobody can tell */
    mode_t kept; /* bits of a mode that open() lets through */
    uid_t uid;   /* who owns what is made here */
    gid_t gid;
};

static int32_t last_error(void) { return hcsshim__hresult_from_errno(errno); }

int32_t hcsshim__tree_open(const char *path, hcsshim__tree **out)
{
    hcsshim__tree *tree = calloc(1, sizeof *tree);

    *out = NULL;
    if (tree == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    tree->folder = -1;
    tree->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree->root < 0) {
        int32_t hr = last_error();

        free(tree);
        return hr;
    }
    *out = tree;
    return 0;
}

int hcsshim__tree_is_windows(const hcsshim__tree *tree)
{
    (void)tree;
    return 0;
}

static void leave_folder(hcsshim__tree *tree)
{
    if (tree->folder >= 0 && tree->folder != tree->root)
        close(tree->folder);
    tree->folder = -1;
}

void hcsshim__tree_free(hcsshim__tree *tree)
{
    if (tree == NULL)
        return;
    leave_folder(tree);
    close(tree->root);
    free(tree->at);
    free(tree->waiting);
    free(tree);
}

/* ---- folders ---------------------------------------------------------- */

int hcsshim__tree_enter_parts(int root, const char *path)
{
    char part[NAME_MAX + 2];
    int folder = dup(root);

    while (folder >= 0 && *path != 0) {
        size_t length = strcspn(path, "/");
        int next;

        if (length > NAME_MAX) {
            close(folder);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, length);
        part[length] = 0;
        next = openat(folder, part,
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        int error = errno;
        close(folder);
        errno = error;
        folder = next;
        path += length + (path[length] == '/');
    }
    return folder;
}

/* Make what is missing of a path that is short enough for one call. */
static int make_parts(int root, char *path)
{
    int folder = dup(root);

    while (folder >= 0 && *path != 0) {
        size_t length = strcspn(path, "/");
        char end = path[length];
        int next = -1;

        path[length] = 0;
        if (mkdirat(folder, path, 0755) == 0 || errno == EEXIST)
            next = openat(folder, path,
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        int error = errno;
        path[length] = end;
        close(folder);
        errno = error;
        folder = next;
        path += length + (end == '/');
    }
    return folder;
}

/* How much of a path one call takes: whole parts. */
static size_t step_length(hcsshim__tar_text path)
{
    size_t length = path.length;

    if (length < STEP)
        return length;
    for (length = STEP - 1; length > 0 && path.data[length] != '/';)
        length--;
    return length;
}

int hcsshim__tree_folder_at(hcsshim__tree *tree, hcsshim__tar_text path,
                            int make)
{
    char step[STEP];
    int folder = tree->root;

    while (path.length > 0) {
        size_t length = step_length(path);
        int next;

        if (length == 0) {
            errno = ENAMETOOLONG;
            next = -1;
        } else {
            memcpy(step, path.data, length);
            step[length] = 0;
            next = hcsshim__tree_enter(folder, step);
            if (next < 0 && errno == ENOENT && make)
                next = make_parts(folder, step);
        }
        int error = errno;
        if (folder != tree->root)
            close(folder);
        errno = error;
        if (next < 0)
            return -1;
        folder = next;
        length += length < path.length;
        path.data += length;
        path.length -= length;
    }
    return folder;
}

/* A path that leads through a file or a link is the input's fault. */
static int32_t enter_error(void)
{
    if (errno == ELOOP || errno == ENOTDIR || errno == EXDEV)
        return HCSSHIM_E_INVALID_DATA;
    return last_error();
}

static int32_t remember(hcsshim__tree *tree, hcsshim__tar_text path)
{
    if (path.length > tree->at_room) {
        char *at = realloc(tree->at, path.length * 2);

        if (at == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        tree->at = at;
        tree->at_room = path.length * 2;
    }
    if (path.length > 0)
        memcpy(tree->at, path.data, path.length);
    tree->at_length = path.length;
    return 0;
}

static int32_t use_folder(hcsshim__tree *tree, hcsshim__tar_text path, int make)
{
    int folder;
    int32_t hr;

    if (tree->folder >= 0 && tree->at_length == path.length &&
        (path.length == 0 || memcmp(tree->at, path.data, path.length) == 0))
        return 0;
    leave_folder(tree);
    hr = remember(tree, path);
    if (hr < 0)
        return hr;
    folder = hcsshim__tree_folder_at(tree, path, make);
    if (folder < 0)
        return enter_error();
    tree->folder = folder;
    return 0;
}

int32_t hcsshim__tree_use(hcsshim__tree *tree, hcsshim__tar_text path,
                          int64_t *folder)
{
    int32_t hr = use_folder(tree, path, 0);

    *folder = hr < 0 ? -1 : tree->folder;
    return hr;
}

/* Go to the folder of a path, and give its last part with a terminator. */
static int32_t go_to(hcsshim__tree *tree, hcsshim__tar_text path,
                     char name[NAME_MAX + 2], int make)
{
    size_t slash = path.length;
    size_t length;

    while (slash > 0 && path.data[slash - 1] != '/')
        slash--;
    length = path.length - slash;
    if (length == 0 || length > NAME_MAX)
        return hcsshim__hresult_from_errno(ENAMETOOLONG);
    memcpy(name, path.data + slash, length);
    name[length] = 0;
    return use_folder(
        tree, (hcsshim__tar_text){path.data, slash > 0 ? slash - 1 : 0}, make);
}

/* ---- removing --------------------------------------------------------- */

/* Open a folder that is about to go, whatever its mode says. */
static DIR *open_doomed(int folder, const char *name)
{
    static const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    int inner = openat(folder, name, flags);
    DIR *list;

    if (inner < 0 && errno == EACCES && fchmodat(folder, name, 0700, 0) == 0)
        inner = openat(folder, name, flags);
    if (inner < 0)
        return NULL;
    (void)fchmod(inner, 0700);
    list = fdopendir(inner);
    if (list == NULL)
        close(inner);
    return list;
}

static int is_self(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder moves only if one may write in it, too. */
static int hoist(int from, const char *name, int to, uint64_t *number)
{
    char other[40];

    do
        (void)snprintf(other, sizeof other, ".doomed-%llu",
                       (unsigned long long)(*number)++);
    while (faccessat(to, other, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    if (renameat(from, name, to, other) == 0)
        return 0;
    if (errno != EACCES || fchmodat(from, name, 0700, 0) != 0)
        return -1;
    return renameat(from, name, to, other);
}

static int unlink_file(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0)
        return 0;
    return errno == EISDIR || errno == EPERM ? 1 : -1;
}

/* Remove 'name' of 'folder'; folders in it move up into 'folder'. */
static int flatten(int folder, const char *name, uint64_t *number)
{
    DIR *list = open_doomed(folder, name);
    struct dirent *entry;
    int result = 0;

    if (list == NULL)
        return -1;
    while (result == 0 && (entry = readdir(list)) != NULL) {
        if (is_self(entry->d_name))
            continue;
        result = unlink_file(dirfd(list), entry->d_name);
        if (result > 0)
            result = hoist(dirfd(list), entry->d_name, folder, number);
    }
    int error = errno;
    closedir(list);
    errno = error;
    return result < 0 ? -1 : unlinkat(folder, name, AT_REMOVEDIR);
}

/* One pass over a folder. Returns how many names it found, or -1. */
static int empty_once(DIR *list, uint64_t *number)
{
    struct dirent *entry;
    int found = 0;

    rewinddir(list);
    while ((entry = readdir(list)) != NULL) {
        int result;

        if (is_self(entry->d_name))
            continue;
        found = 1;
        result = unlink_file(dirfd(list), entry->d_name);
        if (result > 0)
            result = flatten(dirfd(list), entry->d_name, number);
        if (result < 0)
            return -1;
    }
    return found;
}

/*
 * Depth must cost neither stack nor descriptors: a tree may be 16000 folders
 * deep. So each folder's folders move up before it is removed.
 */
static int remove_at(int folder, const char *name)
{
    uint64_t number = 0;
    int result = unlink_file(folder, name);
    DIR *list;

    if (result <= 0)
        return result;
    list = open_doomed(folder, name);
    if (list == NULL)
        return -1;
    do
        result = empty_once(list, &number);
    while (result > 0);
    int error = errno;
    closedir(list);
    errno = error;
    return result < 0 ? -1 : unlinkat(folder, name, AT_REMOVEDIR);
}

int32_t hcsshim_tree_remove(const char *path)
{
    if (remove_at(AT_FDCWD, path) != 0 && errno != ENOENT)
        return last_error();
    return 0;
}

/* ---- meta ------------------------------------------------------------- */

/*
 * Some file systems hold no times before 1901 or after 2446, and say nothing:
 * the nearest they all hold is set.
 */
static struct timespec time_of(hcsshim__tar_time time)
{
    struct timespec spec = {.tv_nsec = UTIME_OMIT};

    if (time.present) {
        hcsshim__tar_time held = hcsshim__tree_held_time(time);

        spec.tv_sec = (time_t)held.seconds;
        spec.tv_nsec = held.nanoseconds;
    }
    return spec;
}

hcsshim__tar_time hcsshim__tree_held_time(hcsshim__tar_time time)
{
    if (time.nanoseconds < 0) {
        time.seconds -= 1;
        time.nanoseconds += 1000000000;
    }
    if (time.seconds < HCSSHIM__TREE_EARLIEST ||
        time.seconds > HCSSHIM__TREE_LATEST) {
        time.seconds =
            time.seconds < 0 ? HCSSHIM__TREE_EARLIEST : HCSSHIM__TREE_LATEST;
        time.nanoseconds = 0;
    }
    return time;
}

/*
 * See what files here get by themselves: umask, default ACLs, folders that hand
 * their group down. Nobody can ask for the umask without changing it.
 */
static void probe(hcsshim__tree *tree)
{
    static const char name[] = ".probe";
    struct stat status;
    int file =
        openat(tree->root, name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0777);

    tree->probed = -1;
    if (file < 0)
        return;
    if (fstat(file, &status) == 0) {
        tree->kept = status.st_mode & 0777;
        tree->uid = status.st_uid;
        tree->gid = status.st_gid;
        tree->probed = 1;
    }
    close(file);
    (void)unlinkat(tree->root, name, 0);
}

/* Whether an open file, made with this mode, is as it should be already. */
static int is_owned(hcsshim__tree *tree, const hcsshim__tree_meta *meta)
{
    return tree->probed > 0 &&
           (meta->mode & 07777 & ~(uint32_t)tree->kept) == 0 &&
           (geteuid() != 0 ||
            (meta->uid == tree->uid && meta->gid == tree->gid));
}

static int set_owner(hcsshim__tree *tree, int folder, const char *name,
                     int file, const hcsshim__tree_meta *meta, int link)
{
    if (file >= 0 && is_owned(tree, meta))
        return 0;
    if (geteuid() == 0 &&
        (file >= 0 ? fchown(file, meta->uid, meta->gid)
                   : fchownat(folder, name, meta->uid, meta->gid,
                              AT_SYMLINK_NOFOLLOW)) != 0)
        return -1;
    if (link)
        return 0;
    return file >= 0 ? fchmod(file, (mode_t)(meta->mode & 07777))
                     : fchmodat(folder, name, (mode_t)(meta->mode & 07777), 0);
}

/* What this user or file system does not hold is counted, and left out. */
static int32_t set_attributes(hcsshim__tree *tree, int folder, const char *name,
                              int file, const hcsshim__tree_meta *meta)
{
    for (size_t i = 0; i < meta->attribute_count; i++) {
        int32_t hr = hcsshim__tree_set_attribute(folder, name, file,
                                                 meta->attributes[i].key,
                                                 meta->attributes[i].value);

        if (hr == hcsshim__hresult_from_errno(EPERM) ||
            hr == hcsshim__hresult_from_errno(EOPNOTSUPP))
            tree->refused++;
        else if (hr < 0)
            return hr;
    }
    return 0;
}

uint64_t hcsshim__tree_refused(const hcsshim__tree *tree)
{
    return tree->refused;
}

/* Of an open file, or of a name in a folder (file: -1). */
static int32_t set_meta(hcsshim__tree *tree, int folder, const char *name,
                        int file, const hcsshim__tree_meta *meta, int link)
{
    struct timespec times[2] = {time_of(meta->accessed),
                                time_of(meta->modified)};

    if (meta->owned && set_owner(tree, folder, name, file, meta, link) != 0)
        return last_error();
    /* After the owner: changing that takes capabilities away. */
    int32_t hr = set_attributes(tree, folder, name, file, meta);
    if (hr < 0)
        return hr;
    if (meta->modified.present || meta->accessed.present) {
        int failed = file >= 0
                         ? futimens(file, times)
                         : utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW);

        if (failed)
            return last_error();
    }
    return 0;
}

/* ---- files ------------------------------------------------------------ */

int32_t hcsshim__tree_create(hcsshim__tree *tree, hcsshim__tar_text path,
                             uint32_t mode, int64_t *file)
{
    static const int flags =
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char name[NAME_MAX + 2];
    int32_t hr = go_to(tree, path, name, 1);
    int made;

    *file = -1;
    if (hr < 0)
        return hr;
    if (!tree->probed)
        probe(tree);
    made = openat(tree->folder, name, flags, mode & 0777);
    if (made < 0 && errno == EEXIST && remove_at(tree->folder, name) == 0)
        made = openat(tree->folder, name, flags, mode & 0777);
    if (made < 0)
        return last_error();
    *file = made;
    return 0;
}

int32_t hcsshim__tree_skip(int64_t file, uint64_t length)
{
    if (length > INT64_MAX || lseek((int)file, (off_t)length, SEEK_CUR) < 0)
        return last_error();
    return 0;
}

int32_t hcsshim__tree_finish(hcsshim__tree *tree, int64_t file, int64_t size,
                             const hcsshim__tree_meta *meta)
{
    int32_t hr = 0;

    if (meta != NULL && size >= 0 && ftruncate((int)file, (off_t)size) != 0)
        hr = last_error();
    if (hr >= 0 && meta != NULL)
        hr = set_meta(tree, -1, NULL, (int)file, meta, 0);
    if (close((int)file) != 0 && hr >= 0 && errno != EINTR)
        hr = last_error();
    return hr;
}

int32_t hcsshim__tree_kind(hcsshim__tree *tree, hcsshim__tar_text path)
{
    char name[NAME_MAX + 2];
    struct stat status;
    int32_t hr;

    if (path.length == 0)
        return HCSSHIM__TREE_FOLDER;
    hr = go_to(tree, path, name, 0);
    if (hr == hcsshim__hresult_from_errno(ENOENT))
        return HCSSHIM__TREE_NONE;
    if (hr < 0)
        return hr;
    if (fstatat(tree->folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? HCSSHIM__TREE_NONE : last_error();
    if (S_ISREG(status.st_mode))
        return HCSSHIM__TREE_FILE;
    if (S_ISDIR(status.st_mode))
        return HCSSHIM__TREE_FOLDER;
    return S_ISLNK(status.st_mode) ? HCSSHIM__TREE_LINK : HCSSHIM__TREE_OTHER;
}

int32_t hcsshim__tree_symlink(hcsshim__tree *tree, hcsshim__tar_text path,
                              hcsshim__tar_text target,
                              const hcsshim__tree_meta *meta)
{
    char name[NAME_MAX + 2];
    char to[STEP];
    int32_t hr = go_to(tree, path, name, 1);
    int failed;

    if (hr < 0)
        return hr;
    if (target.length >= sizeof to)
        return hcsshim__hresult_from_errno(ENAMETOOLONG);
    memcpy(to, target.data, target.length);
    to[target.length] = 0;
    failed = symlinkat(to, tree->folder, name);
    if (failed && errno == EEXIST && remove_at(tree->folder, name) == 0)
        failed = symlinkat(to, tree->folder, name);
    return failed ? last_error()
                  : set_meta(tree, tree->folder, name, -1, meta, 1);
}

int32_t hcsshim__tree_link(hcsshim__tree *tree, hcsshim__tar_text path,
                           hcsshim__tree *from, hcsshim__tar_text target)
{
    char name[NAME_MAX + 2], other[NAME_MAX + 2];
    int32_t hr = go_to(from, target, other, 0);
    int source;
    int failed;

    if (hr < 0)
        return hr;
    source = dup(from->folder);
    if (source < 0)
        return last_error();
    hr = go_to(tree, path, name, 1);
    if (hr < 0)
        goto out;
    failed = linkat(source, other, tree->folder, name, 0);
    if (failed && errno == EEXIST && remove_at(tree->folder, name) == 0)
        failed = linkat(source, other, tree->folder, name, 0);
    if (failed)
        hr = last_error();
out:
    close(source);
    return hr;
}

int32_t hcsshim__tree_device(hcsshim__tree *tree, hcsshim__tar_text path,
                             char type, uint32_t device_major,
                             uint32_t device_minor,
                             const hcsshim__tree_meta *meta)
{
    char name[NAME_MAX + 2];
    mode_t kind = type == HCSSHIM__TAR_FIFO        ? S_IFIFO
                  : type == HCSSHIM__TAR_CHARACTER ? S_IFCHR
                                                   : S_IFBLK;
    int32_t hr = go_to(tree, path, name, 1);
    int failed;

    if (hr < 0)
        return hr;
    failed = hcsshim__tree_make_node(tree->folder, name, kind | 0600,
                                     device_major, device_minor);
    if (failed && errno == EEXIST && remove_at(tree->folder, name) == 0)
        failed = hcsshim__tree_make_node(tree->folder, name, kind | 0600,
                                         device_major, device_minor);
    if (failed)
        return errno == EPERM ? HCSSHIM_E_NOTIMPL : last_error();
    return set_meta(tree, tree->folder, name, -1, meta, 0);
}

/* ---- folders and overlays --------------------------------------------- */

/* Put off what later members would undo. */
static int32_t put_off(hcsshim__tree *tree, hcsshim__tar_text path,
                       const hcsshim__tree_meta *meta)
{
    struct waiting record = {.mode = meta->mode,
                             .uid = meta->uid,
                             .gid = meta->gid,
                             .owned = meta->owned,
                             .accessed = meta->accessed,
                             .modified = meta->modified,
                             .path_length = path.length};
    size_t length = sizeof record + path.length;

    length = (length + 7) & ~(size_t)7;
    record.length = length;
    if (tree->waiting_room - tree->waiting_length < length + sizeof(size_t)) {
        size_t room = (tree->waiting_room + length) * 2 + 4096;
        uint8_t *waiting = realloc(tree->waiting, room);

        if (waiting == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        tree->waiting = waiting;
        tree->waiting_room = room;
    }
    memcpy(tree->waiting + tree->waiting_length, &record, sizeof record);
    if (path.length > 0)
        memcpy(tree->waiting + tree->waiting_length + sizeof record, path.data,
               path.length);
    tree->waiting_length += length;
    memcpy(tree->waiting + tree->waiting_length, &length, sizeof length);
    tree->waiting_length += sizeof length;
    return 0;
}

static int32_t make_folder(hcsshim__tree *tree, hcsshim__tar_text path)
{
    char name[NAME_MAX + 2];
    struct stat status;
    int32_t hr = go_to(tree, path, name, 1);
    int hidden;

    if (hr < 0 || mkdirat(tree->folder, name, 0755) == 0)
        return hr;
    if (errno != EEXIST ||
        fstatat(tree->folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return last_error();
    if (S_ISDIR(status.st_mode))
        return 0;
    hidden = hcsshim__overlay_is_whiteout(tree->folder, name, &status);
    if (remove_at(tree->folder, name) != 0 ||
        mkdirat(tree->folder, name, 0755) != 0)
        return last_error();
    return hidden ? hcsshim__tree_opaque(tree, path) : 0;
}

int32_t hcsshim__tree_folder(hcsshim__tree *tree, hcsshim__tar_text path,
                             const hcsshim__tree_meta *meta)
{
    int32_t hr = path.length > 0 ? make_folder(tree, path) : 0;

    if (hr >= 0 && meta->attribute_count > 0) {
        hr = use_folder(tree, path, 1);
        if (hr >= 0)
            hr = set_attributes(tree, -1, NULL, tree->folder, meta);
    }
    return hr < 0 ? hr : put_off(tree, path, meta);
}

static int32_t settle_one(hcsshim__tree *tree, const struct waiting *record,
                          const char *path)
{
    hcsshim__tree_meta meta = {.owned = record->owned,
                               .mode = record->mode,
                               .uid = record->uid,
                               .gid = record->gid,
                               .accessed = record->accessed,
                               .modified = record->modified};
    hcsshim__tar_text text = {path, record->path_length};
    char name[NAME_MAX + 2] = ".";
    struct stat status;
    int32_t hr = text.length > 0 ? go_to(tree, text, name, 0)
                                 : use_folder(tree, text, 0);

    if (hr < 0)
        return 0; /* a later member took its place */
    if (fstatat(tree->folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISDIR(status.st_mode))
        return 0;
    return set_meta(tree, tree->folder, name, -1, &meta, 0);
}

/* From the last to the first: children before what may close itself to us. */
int32_t hcsshim__tree_settle(hcsshim__tree *tree)
{
    size_t end = tree->waiting_length;
    int32_t hr = 0;

    while (end > 0 && hr >= 0) {
        struct waiting record;
        size_t length;
        const uint8_t *at;

        memcpy(&length, tree->waiting + end - sizeof length, sizeof length);
        end -= length + sizeof length;
        at = tree->waiting + end;
        memcpy(&record, at, sizeof record);
        hr = settle_one(tree, &record, (const char *)at + sizeof record);
    }
    leave_folder(tree);
    tree->waiting_length = 0;
    return hr;
}

int32_t hcsshim__tree_whiteout(hcsshim__tree *tree, hcsshim__tar_text path)
{
    char name[NAME_MAX + 2];
    struct stat status;
    int32_t hr = go_to(tree, path, name, 1);

    if (hr < 0)
        return hr;
    if (fstatat(tree->folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISDIR(status.st_mode) ? hcsshim__tree_opaque(tree, path) : 0;
    if (hcsshim__overlay_hide(tree->folder, name) != 0)
        return last_error();
    return 0;
}

int32_t hcsshim__tree_opaque(hcsshim__tree *tree, hcsshim__tar_text path)
{
    static const hcsshim__tar_text key = {HCSSHIM__OVERLAY_OPAQUE,
                                          sizeof HCSSHIM__OVERLAY_OPAQUE - 1};
    int32_t hr = use_folder(tree, path, 1);

    if (hr < 0)
        return hr;
    return hcsshim__tree_set_attribute(-1, NULL, tree->folder, key,
                                       (hcsshim__tar_text){"y", 1});
}
