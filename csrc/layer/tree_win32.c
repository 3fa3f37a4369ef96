/*
 * tree_win32.c - making files below one folder of Windows, by handles.
 *
 * Each part of a path is opened in the folder before it, so that no path is too
 * long, and nothing that a reparse point leads to is reached. Names differ as
 * Windows lets them: what it takes for another file's name is kept in the
 * members file, and so is what the file system cannot hold.
 */
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>
#include <winternl.h>

#include "hcsshim.h"
#include "layer/file.h"
#include "layer/names_win32.h"
#include "layer/node.h"
#include "layer/tree_parts_win32.h"
#include "layer/windows_meta.h"

/* A folder whose times wait: its path, and its streams, follow. */
struct waiting {
    hcsshim_file_info info;
    hcsshim__tar_time accessed, modified;
    int windows;
    size_t path_length;
    size_t stream_length;
    size_t length; /* with all, to find the one before */
};

struct hcsshim__tree {
    HANDLE root;
    HANDLE folder; /* the one that was used last, or NULL */
    char *at;      /* its path */
    size_t at_length;
    size_t at_room;
    hcsshim__bytes waiting;
    hcsshim__backup_state state;
};

static int32_t last_error(void)
{
    return (int32_t)HRESULT_FROM_WIN32(GetLastError());
}

int32_t hcsshim__tree_open(const char *path, hcsshim__tree **out)
{
    hcsshim__tree *tree = calloc(1, sizeof *tree);
    int32_t hr;

    *out = NULL;
    if (tree == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr = hcsshim__path_open(path, &tree->root);
    if (hr < 0) {
        free(tree);
        return hr;
    }
    hcsshim__meta_privileges(&tree->state);
    *out = tree;
    return 0;
}

int hcsshim__tree_is_windows(const hcsshim__tree *tree)
{
    (void)tree;
    return 1;
}

static void leave_folder(hcsshim__tree *tree)
{
    if (tree->folder != NULL)
        CloseHandle(tree->folder);
    tree->folder = NULL;
}

void hcsshim__tree_free(hcsshim__tree *tree)
{
    if (tree == NULL)
        return;
    leave_folder(tree);
    CloseHandle(tree->root);
    free(tree->at);
    free(tree->waiting.data);
    free(tree);
}

uint64_t hcsshim__tree_refused(const hcsshim__tree *tree)
{
    return tree->state.refused;
}

/* As exactly as Windows holds it, and within what usual file systems hold. */
hcsshim__tar_time hcsshim__tree_held_time(hcsshim__tar_time time)
{
    if (time.nanoseconds < 0) {
        time.seconds -= 1;
        time.nanoseconds += 1000000000;
    }
    time.nanoseconds -= time.nanoseconds % 100;
    if (time.seconds < HCSSHIM__TREE_EARLIEST ||
        time.seconds > HCSSHIM__TREE_LATEST) {
        time.seconds =
            time.seconds < 0 ? HCSSHIM__TREE_EARLIEST : HCSSHIM__TREE_LATEST;
        time.nanoseconds = 0;
    }
    return time;
}

/* ---- folders ----------------------------------------------------------- */

/* A path that leads through a file or a link is the input's fault. */
static int32_t enter_error(int32_t hr)
{
    if (hr == (int32_t)HRESULT_FROM_WIN32(ERROR_DIRECTORY) ||
        hr == HCSSHIM__TAKEN ||
        hr == (int32_t)HRESULT_FROM_WIN32(ERROR_FILE_EXISTS))
        return HCSSHIM_E_INVALID_DATA;
    return hr;
}

/* Open a folder in another one; make: if it is missing. */
static int32_t enter(HANDLE folder, const char *name, size_t length, int make,
                     HANDLE *out)
{
    static const ACCESS_MASK access =
        FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES | FILE_TRAVERSE;
    hcsshim__node node;
    int32_t hr = hcsshim__name_open(folder, name, length, access,
                                    make ? FILE_OPEN_IF : FILE_OPEN,
                                    FILE_DIRECTORY_FILE, out);

    if (hr < 0)
        return enter_error(hr);
    hr = hcsshim__node_status((int64_t)(intptr_t)*out, &node);
    if (hr >= 0 && node.kind != HCSSHIM__TREE_FOLDER)
        hr = HCSSHIM_E_INVALID_DATA;
    if (hr < 0)
        CloseHandle(*out);
    return hr;
}

static int32_t folder_at(hcsshim__tree *tree, hcsshim__tar_text path, int make,
                         HANDLE *out)
{
    HANDLE folder = tree->root;
    int32_t hr = 0;

    while (path.length > 0 && hr >= 0) {
        const char *end = memchr(path.data, '/', path.length);
        size_t length = end != NULL ? (size_t)(end - path.data) : path.length;
        HANDLE next = NULL;

        hr = enter(folder, path.data, length, make, &next);
        if (folder != tree->root)
            CloseHandle(folder);
        folder = next;
        length += end != NULL;
        path.data += length;
        path.length -= length;
    }
    *out = folder;
    return hr;
}

int32_t hcsshim__tree_open_folder(hcsshim__tree *tree, hcsshim__tar_text path,
                                  int64_t *folder)
{
    HANDLE opened;
    int32_t hr = folder_at(tree, path, 0, &opened);

    *folder = -1;
    if (hr < 0)
        return hr;
    if (path.length == 0)
        return hcsshim__node_again((int64_t)(intptr_t)opened, folder);
    *folder = (int64_t)(intptr_t)opened;
    return 0;
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

static int32_t use_folder(hcsshim__tree *tree, hcsshim__tar_text path, int make,
                          HANDLE *out)
{
    int32_t hr;

    if (path.length == 0) {
        *out = tree->root;
        return 0;
    }
    if (tree->folder == NULL || tree->at_length != path.length ||
        memcmp(tree->at, path.data, path.length) != 0) {
        leave_folder(tree);
        hr = remember(tree, path);
        if (hr >= 0)
            hr = folder_at(tree, path, make, &tree->folder);
        if (hr < 0) {
            tree->folder = NULL;
            return hr;
        }
    }
    *out = tree->folder;
    return 0;
}

int32_t hcsshim__tree_use(hcsshim__tree *tree, hcsshim__tar_text path,
                          int64_t *folder)
{
    HANDLE used;
    int32_t hr = use_folder(tree, path, 0, &used);

    *folder = hr < 0 ? -1 : (int64_t)(intptr_t)used;
    return hr;
}

/* Go to the folder of a path, and tell its last part. */
static int32_t go_to(hcsshim__tree *tree, hcsshim__tar_text path, int make,
                     HANDLE *folder, hcsshim__tar_text *name)
{
    size_t last = hcsshim__path_last(path);

    *name = (hcsshim__tar_text){path.data + last, path.length - last};
    path.length = last > 0 ? last - 1 : 0;
    return use_folder(tree, path, make, folder);
}

/* ---- names that are taken ---------------------------------------------- */

/* Whether an existing file has exactly this name, not one like it. */
static int32_t has_name(HANDLE folder, hcsshim__tar_text name, int *same)
{
    union {
        FILE_NAME_INFO info;
        uint8_t room[sizeof(FILE_NAME_INFO) + 65536];
    } *found = malloc(sizeof *found);
    wchar_t units[HCSSHIM__NAME_UNITS];
    int count = hcsshim__name_store(name.data, name.length, units);
    HANDLE file;
    int32_t hr = found == NULL ? HCSSHIM_E_OUTOFMEMORY : 0;

    *same = 0;
    if (hr >= 0)
        hr = hcsshim__name_open(folder, name.data, name.length,
                                FILE_READ_ATTRIBUTES, FILE_OPEN, 0, &file);
    if (hr >= 0) {
        if (!GetFileInformationByHandleEx(file, FileNameInfo, found,
                                          sizeof *found))
            hr = last_error();
        CloseHandle(file);
    }
    if (hr >= 0) {
        size_t length = found->info.FileNameLength / sizeof *units;

        *same = length >= (size_t)count &&
                memcmp(found->info.FileName + length - (size_t)count, units,
                       (size_t)count * sizeof *units) == 0;
    }
    free(found);
    return hr;
}

/*
 * Make way for a new file of this name. Returns KEPT where the one that is
 * there is another: Windows takes both names for one.
 */
static int32_t make_way(HANDLE folder, hcsshim__tar_text name)
{
    int same;
    int32_t hr = has_name(folder, name, &same);

    if (hr < 0)
        return hr;
    return same ? hcsshim__remove_now(folder, name.data, name.length)
                : HCSSHIM__TREE_KEPT;
}

static int is_taken(int32_t hr)
{
    return hr == HCSSHIM__TAKEN ||
           hr == (int32_t)HRESULT_FROM_WIN32(ERROR_FILE_EXISTS);
}

/* Make a file, or with options a folder, in place of whatever was there. */
static int32_t create(hcsshim__tree *tree, HANDLE folder,
                      hcsshim__tar_text name, ULONG options, HANDLE *file)
{
    ACCESS_MASK access = FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE;
    int32_t hr = hcsshim__name_open(folder, name.data, name.length,
                                    access | hcsshim__meta_access(&tree->state),
                                    FILE_CREATE, options, file);

    if (is_taken(hr)) {
        hr = make_way(folder, name);
        if (hr == 0)
            hr = hcsshim__name_open(folder, name.data, name.length,
                                    access | hcsshim__meta_access(&tree->state),
                                    FILE_CREATE, options, file);
    }
    return hr == HCSSHIM__INVALID_NAME ? HCSSHIM__TREE_KEPT : hr;
}

/* ---- files ------------------------------------------------------------- */

int32_t hcsshim__tree_create(hcsshim__tree *tree, hcsshim__tar_text path,
                             uint32_t mode, int64_t *file)
{
    hcsshim__tar_text name;
    HANDLE folder, made;
    int32_t hr = go_to(tree, path, 1, &folder, &name);

    (void)mode;
    *file = -1;
    if (hr == HCSSHIM__INVALID_NAME)
        return HCSSHIM__TREE_KEPT;
    if (hr >= 0)
        hr = create(tree, folder, name, FILE_NON_DIRECTORY_FILE, &made);
    if (hr == 0)
        *file = (int64_t)(intptr_t)made;
    return hr;
}

int32_t hcsshim__tree_skip(int64_t file, uint64_t length)
{
    HANDLE handle = (HANDLE)(intptr_t)file;
    LARGE_INTEGER distance = {.QuadPart = (LONGLONG)length};
    DWORD got;

    if (length > INT64_MAX)
        return HCSSHIM_E_INVALID_DATA;
    /* Where the file system has no holes, zeros do. */
    (void)DeviceIoControl(handle, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &got,
                          NULL);
    return SetFilePointerEx(handle, distance, NULL, FILE_CURRENT)
               ? 0
               : last_error();
}

int32_t hcsshim__tree_finish(hcsshim__tree *tree, int64_t file, int64_t size,
                             const hcsshim__tree_meta *meta)
{
    HANDLE handle = (HANDLE)(intptr_t)file;
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = size};
    int32_t hr = 0;

    if (meta != NULL && size >= 0 &&
        !SetFileInformationByHandle(handle, FileEndOfFileInfo, &end,
                                    sizeof end))
        hr = last_error();
    if (hr >= 0 && meta != NULL)
        hr = hcsshim__meta_apply(&tree->state, handle, meta);
    if (!CloseHandle(handle) && hr >= 0)
        hr = last_error();
    return hr;
}

int32_t hcsshim__tree_kind(hcsshim__tree *tree, hcsshim__tar_text path)
{
    hcsshim__tar_text name;
    hcsshim__node node;
    HANDLE folder, file;
    int32_t hr;

    if (path.length == 0)
        return HCSSHIM__TREE_FOLDER;
    hr = go_to(tree, path, 0, &folder, &name);
    if (hr >= 0)
        hr = hcsshim__name_open(folder, name.data, name.length,
                                FILE_READ_ATTRIBUTES, FILE_OPEN, 0, &file);
    if (hr < 0)
        return hcsshim__is_missing(hr) ? HCSSHIM__TREE_NONE : hr;
    hr = hcsshim__node_status((int64_t)(intptr_t)file, &node);
    CloseHandle(file);
    return hr < 0 ? hr : node.kind;
}

/* ---- links ------------------------------------------------------------- */

static int is_folder_link(const hcsshim__tree_meta *meta)
{
    return meta->windows != NULL &&
           (meta->windows->info.attributes & HCSSHIM__WINDOWS_FOLDER) != 0;
}

/* A file with the link's text, where no reparse point can be made. */
static int32_t write_text(hcsshim__tree *tree, HANDLE folder,
                          hcsshim__tar_text name, hcsshim__tar_text target,
                          const hcsshim__tree_meta *meta)
{
    HANDLE file;
    int32_t hr = create(tree, folder, name, FILE_NON_DIRECTORY_FILE, &file);

    if (hr != 0)
        return hr;
    hr = hcsshim__file_write((int64_t)(intptr_t)file, target.data,
                             target.length);
    if (hr >= 0)
        hr = hcsshim__meta_apply(&tree->state, file, meta);
    CloseHandle(file);
    return hr < 0 ? hr : HCSSHIM__TREE_TEXT;
}

int32_t hcsshim__tree_symlink(hcsshim__tree *tree, hcsshim__tar_text path,
                              hcsshim__tar_text target,
                              const hcsshim__tree_meta *meta)
{
    hcsshim__tar_text name;
    HANDLE folder, file;
    int made;
    int32_t hr = go_to(tree, path, 1, &folder, &name);

    if (hr >= 0)
        hr = create(tree, folder, name,
                    is_folder_link(meta) ? FILE_DIRECTORY_FILE
                                         : FILE_NON_DIRECTORY_FILE,
                    &file);
    if (hr != 0)
        return hr == HCSSHIM__INVALID_NAME ? HCSSHIM__TREE_KEPT : hr;
    made = hcsshim__meta_reparse(file, meta) >= 0;
    if (made)
        hr = hcsshim__meta_apply(&tree->state, file, meta);
    CloseHandle(file);
    return made ? hr : write_text(tree, folder, name, target, meta);
}

static int32_t link_into(HANDLE source, HANDLE folder, hcsshim__tar_text name)
{
    union {
        FILE_LINK_INFORMATION info;
        uint8_t room[sizeof(FILE_LINK_INFORMATION) +
                     HCSSHIM__NAME_UNITS * sizeof(wchar_t)];
    } link = {0};
    IO_STATUS_BLOCK block;
    int count = hcsshim__name_store(name.data, name.length, link.info.FileName);
    size_t length = (size_t)count * sizeof(wchar_t);
    int32_t hr;

    if (count < 0)
        return HCSSHIM__INVALID_NAME;
    link.info.RootDirectory = folder;
    link.info.FileNameLength = (ULONG)length;
    hr = hcsshim__hresult_from_status(NtSetInformationFile(
        source, &block, &link, (ULONG)(sizeof link.info + length),
        FileLinkInformation));
    /* The folder is there: it is the name that cannot be, under Wine. */
    return hcsshim__is_missing(hr) ? HCSSHIM__INVALID_NAME : hr;
}

int32_t hcsshim__tree_link(hcsshim__tree *tree, hcsshim__tar_text path,
                           hcsshim__tree *from, hcsshim__tar_text target)
{
    hcsshim__tar_text name, other;
    HANDLE folder, source;
    int32_t hr = go_to(from, target, 0, &folder, &other);

    if (hr >= 0)
        hr = hcsshim__name_open(folder, other.data, other.length,
                                FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES,
                                FILE_OPEN, FILE_NON_DIRECTORY_FILE, &source);
    if (hr < 0)
        return hcsshim__is_missing(hr)
                   ? (int32_t)HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)
                   : hr;
    hr = go_to(tree, path, 1, &folder, &name);
    if (hr >= 0)
        hr = link_into(source, folder, name);
    if (is_taken(hr)) {
        hr = make_way(folder, name);
        if (hr == 0)
            hr = link_into(source, folder, name);
    }
    CloseHandle(source);
    return hr == HCSSHIM__INVALID_NAME ? HCSSHIM__TREE_KEPT : hr;
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

/* ---- folders ----------------------------------------------------------- */

static int32_t put_off(hcsshim__tree *tree, hcsshim__tar_text path,
                       const hcsshim__tree_meta *meta)
{
    const hcsshim__tree_windows *windows = meta->windows;
    struct waiting record = {.accessed = meta->accessed,
                             .modified = meta->modified,
                             .windows = windows != NULL,
                             .path_length = path.length,
                             .stream_length =
                                 windows != NULL ? windows->length : 0};
    uint8_t *out;
    int32_t hr;

    record.length = sizeof record + path.length + record.stream_length;
    hr = hcsshim__bytes_reserve(&tree->waiting, tree->waiting.length +
                                                    record.length +
                                                    sizeof record.length);
    if (hr < 0)
        return hr;
    if (windows != NULL)
        record.info = windows->info;
    out = tree->waiting.data + tree->waiting.length;
    memcpy(out, &record, sizeof record);
    out += sizeof record;
    if (path.length > 0)
        memcpy(out, path.data, path.length);
    out += path.length;
    if (record.stream_length > 0)
        memcpy(out, windows->streams, record.stream_length);
    memcpy(out + record.stream_length, &record.length, sizeof record.length);
    tree->waiting.length += record.length + sizeof record.length;
    return 0;
}

/* Make a folder, or keep the one that is there. */
static int32_t make_folder(hcsshim__tree *tree, hcsshim__tar_text path)
{
    hcsshim__tar_text name;
    HANDLE folder, made;
    int32_t hr = go_to(tree, path, 1, &folder, &name);

    if (hr >= 0) {
        hr = enter(folder, name.data, name.length, 1, &made);
        if (hr == HCSSHIM_E_INVALID_DATA) {
            hr = make_way(folder, name);
            if (hr == 0)
                hr = enter(folder, name.data, name.length, 1, &made);
        }
    }
    if (hr == HCSSHIM__INVALID_NAME)
        return HCSSHIM__TREE_KEPT;
    if (hr == 0)
        CloseHandle(made);
    return hr;
}

int32_t hcsshim__tree_folder(hcsshim__tree *tree, hcsshim__tar_text path,
                             const hcsshim__tree_meta *meta)
{
    int32_t hr = path.length > 0 ? make_folder(tree, path) : 0;

    return hr != 0 ? hr : put_off(tree, path, meta);
}

static int32_t settle_one(hcsshim__tree *tree, const struct waiting *record,
                          const uint8_t *data)
{
    hcsshim__tree_windows windows = {.info = record->info,
                                     .streams = data + record->path_length,
                                     .length = record->stream_length};
    hcsshim__tree_meta meta = {.accessed = record->accessed,
                               .modified = record->modified,
                               .windows = record->windows ? &windows : NULL};
    hcsshim__tar_text path = {(const char *)data, record->path_length};
    hcsshim__tar_text name;
    HANDLE folder, made;
    int32_t hr = go_to(tree, path, 0, &folder, &name);

    if (hr < 0 || path.length == 0)
        return 0; /* a later member took its place */
    hr = hcsshim__name_open(folder, name.data, name.length,
                            FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES |
                                FILE_WRITE_EA |
                                hcsshim__meta_access(&tree->state),
                            FILE_OPEN, FILE_DIRECTORY_FILE, &made);
    if (hr < 0)
        return 0;
    hr = hcsshim__meta_apply(&tree->state, made, &meta);
    CloseHandle(made);
    return hr;
}

/* From the last to the first: children before what may close itself to us. */
int32_t hcsshim__tree_settle(hcsshim__tree *tree)
{
    size_t end = tree->waiting.length;
    int32_t hr = 0;

    while (end > 0 && hr >= 0) {
        struct waiting record;
        size_t length;
        const uint8_t *at;

        memcpy(&length, tree->waiting.data + end - sizeof length,
               sizeof length);
        end -= length + sizeof length;
        at = tree->waiting.data + end;
        memcpy(&record, at, sizeof record);
        hr = settle_one(tree, &record, at + sizeof record);
    }
    leave_folder(tree);
    tree->waiting.length = 0;
    return hr;
}

/* ---- what hides names of the layers below ------------------------------ */

/* Whiteouts are overlayfs's: here the members file alone knows of them. */
int32_t hcsshim__tree_whiteout(hcsshim__tree *tree, hcsshim__tar_text path)
{
    hcsshim__tar_text name;
    HANDLE folder;
    int32_t hr = go_to(tree, path, 1, &folder, &name);

    return hr < 0 && hr != HCSSHIM__INVALID_NAME ? hr : HCSSHIM__TREE_KEPT;
}

int32_t hcsshim__tree_opaque(hcsshim__tree *tree, hcsshim__tar_text path)
{
    HANDLE folder;
    int32_t hr = use_folder(tree, path, 1, &folder);

    return hr < 0 && hr != HCSSHIM__INVALID_NAME ? hr : HCSSHIM__TREE_KEPT;
}
