/*
 * remove_win32.c - removing trees of Windows.
 *
 * Depth costs neither stack nor handles: each folder's folders move up before
 * it is removed. Reparse points are removed, never what they lead to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

#include "hcsshim.h"
#include "layer/names_win32.h"
#include "layer/node.h"
#include "layer/tree_parts_win32.h"

static int32_t last_error(void)
{
    return (int32_t)HRESULT_FROM_WIN32(GetLastError());
}

/* A folder on its way out, and one of its folders that goes first. */
struct doomed {
    HANDLE folder;
    HANDLE inside;
    uint64_t number; /* of the folder that moved up last */
    int found;
};

/* Delete what an open handle stands for. */
static int32_t dispose(HANDLE file)
{
    FILE_BASIC_INFO basic = {.FileAttributes = FILE_ATTRIBUTE_NORMAL};
    FILE_DISPOSITION_INFO gone = {.DeleteFile = TRUE};

    if (SetFileInformationByHandle(file, FileDispositionInfo, &gone,
                                   sizeof gone))
        return 0;
    /* It is read only. */
    (void)SetFileInformationByHandle(file, FileBasicInfo, &basic, sizeof basic);
    if (SetFileInformationByHandle(file, FileDispositionInfo, &gone,
                                   sizeof gone))
        return 0;
    return last_error();
}

static int32_t remove_name(HANDLE folder, const char *name, size_t length)
{
    HANDLE file;
    int32_t hr = hcsshim__name_open(folder, name, length,
                                    DELETE | FILE_READ_ATTRIBUTES |
                                        FILE_WRITE_ATTRIBUTES,
                                    FILE_OPEN, 0, &file);

    if (hr < 0)
        return hr;
    hr = dispose(file);
    CloseHandle(file);
    return hr;
}

static int32_t rename_into(HANDLE file, HANDLE folder, const wchar_t *name,
                           size_t units)
{
    union {
        FILE_RENAME_INFORMATION info;
        uint8_t room[sizeof(FILE_RENAME_INFORMATION) + 64];
    } rename = {0};
    size_t length = units * sizeof *name;
    IO_STATUS_BLOCK block;

    rename.info.RootDirectory = folder;
    rename.info.FileNameLength = (ULONG)length;
    memcpy(rename.info.FileName, name, length);
    return hcsshim__hresult_from_status(NtSetInformationFile(
        file, &block, &rename, (ULONG)(sizeof rename.info + length),
        FileRenameInformation));
}

/* Move a name of one folder into another, under a number nobody has. */
static int32_t move(HANDLE from, const char *name, size_t length, HANDLE to,
                    uint64_t *number)
{
    HANDLE file;
    int32_t hr =
        hcsshim__name_open(from, name, length, DELETE, FILE_OPEN, 0, &file);

    if (hr < 0)
        return hr;
    do {
        wchar_t other[32];
        int units = _snwprintf(other, 32, L".doomed-%llu",
                               (unsigned long long)(*number)++);

        hr = rename_into(file, to, other, (size_t)units);
    } while (hr == HCSSHIM__TAKEN);
    CloseHandle(file);
    return hr;
}

static int32_t take_inner(void *context, const char *name, int is_folder)
{
    struct doomed *doomed = context;

    return is_folder ? move(doomed->inside, name, strlen(name), doomed->folder,
                            &doomed->number)
                     : remove_name(doomed->inside, name, strlen(name));
}

/* Remove a folder; its folders move up. */
static int32_t flatten(struct doomed *doomed, const char *name)
{
    int64_t inside;
    int32_t hr =
        hcsshim__node_enter((int64_t)(intptr_t)doomed->folder, name, &inside);

    if (hr < 0)
        return hr;
    doomed->inside = (HANDLE)(intptr_t)inside;
    hr = hcsshim__node_list(inside, take_inner, doomed);
    hcsshim__node_close(inside);
    return hr < 0 ? hr : remove_name(doomed->folder, name, strlen(name));
}

static int32_t take_outer(void *context, const char *name, int is_folder)
{
    struct doomed *doomed = context;

    doomed->found = 1;
    return is_folder ? flatten(doomed, name)
                     : remove_name(doomed->folder, name, strlen(name));
}

/* One pass over a folder, through a handle of its own: lists are kept in it. */
static int32_t empty_once(HANDLE folder, const char *name, size_t length,
                          struct doomed *doomed)
{
    hcsshim__node node;
    int64_t list;
    int32_t hr = hcsshim__name_open(folder, name, length,
                                    FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES,
                                    FILE_OPEN, 0, &doomed->folder);

    doomed->found = 0;
    if (hr < 0)
        return hr;
    list = (int64_t)(intptr_t)doomed->folder;
    hr = hcsshim__node_status(list, &node);
    if (hr >= 0 && node.kind == HCSSHIM__TREE_FOLDER)
        hr = hcsshim__node_list(list, take_outer, doomed);
    hcsshim__node_close(list);
    return hr;
}

int32_t hcsshim__remove_at(HANDLE folder, const char *name, size_t length)
{
    struct doomed doomed = {0};
    int32_t hr;

    /* Until a list finds nothing more: folders come while it is read. */
    do
        hr = empty_once(folder, name, length, &doomed);
    while (hr >= 0 && doomed.found);
    return hr < 0 ? hr : remove_name(folder, name, length);
}

int32_t hcsshim__remove_now(HANDLE folder, const char *name, size_t length)
{
    char other[32];
    uint64_t number = 0;
    int32_t hr = move(folder, name, length, folder, &number);

    if (hr < 0)
        return hr;
    (void)snprintf(other, sizeof other, ".doomed-%llu",
                   (unsigned long long)number - 1);
    return hcsshim__remove_at(folder, other, strlen(other));
}

int32_t hcsshim_tree_remove(const char *path)
{
    HANDLE folder;
    const char *name;
    int32_t hr = hcsshim__path_open_parent(path, &folder, &name);

    if (hr >= 0) {
        hr = hcsshim__remove_at(folder, name, strlen(name));
        CloseHandle(folder);
    }
    return hcsshim__is_missing(hr) ? 0 : hr;
}
