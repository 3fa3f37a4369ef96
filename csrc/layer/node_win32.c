/* node_win32.c - names in open folders, by HANDLEs. */
#include "layer/node.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>
#include <winternl.h>

#include "hcsshim.h"
#include "layer/backup.h"
#include "layer/names_win32.h"
#include "layer/text.h"
#include "layer/windows_meta.h"

#define LIST_ROOM 65536
/* Of a part of a path, longer than any that Windows holds. */
#define LONGEST_PART ((size_t)1024)
/* In every ntdll, but not in every header. */
NTSYSAPI WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR unit);

/* A reparse point that stands for another name: a link, a junction. */
#define IS_LINK(tag) (((tag)&0x20000000) != 0)

static int32_t last_error(void)
{
    return (int32_t)HRESULT_FROM_WIN32(GetLastError());
}

static HANDLE handle_of(int64_t file) { return (HANDLE)(intptr_t)file; }

/* ---- status ------------------------------------------------------------ */

static int kind_of(HANDLE file, DWORD attributes)
{
    FILE_ATTRIBUTE_TAG_INFO info;

    if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
        (!GetFileInformationByHandleEx(file, FileAttributeTagInfo, &info,
                                       sizeof info) ||
         IS_LINK(info.ReparseTag)))
        return HCSSHIM__TREE_LINK;
    return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? HCSSHIM__TREE_FOLDER
                                                        : HCSSHIM__TREE_FILE;
}

static uint64_t join(DWORD high, DWORD low)
{
    return (uint64_t)high << 32 | low;
}

/* Which file it is, for one that has several names. */
static void fill_identity(HANDLE file, hcsshim__node *node)
{
    BY_HANDLE_FILE_INFORMATION info;

    if (GetFileInformationByHandle(file, &info)) {
        node->device = info.dwVolumeSerialNumber;
        node->inode = join(info.nFileIndexHigh, info.nFileIndexLow);
    } else {
        node->links = 1;
    }
}

int32_t hcsshim__node_status(int64_t opened, hcsshim__node *node)
{
    HANDLE file = handle_of(opened);
    FILE_BASIC_INFO basic;
    FILE_STANDARD_INFO standard;

    if (!GetFileInformationByHandleEx(file, FileBasicInfo, &basic,
                                      sizeof basic) ||
        !GetFileInformationByHandleEx(file, FileStandardInfo, &standard,
                                      sizeof standard))
        return last_error();
    *node = (hcsshim__node){
        .kind = kind_of(file, basic.FileAttributes),
        .size = standard.EndOfFile.QuadPart,
        .sparse =
            standard.AllocationSize.QuadPart < standard.EndOfFile.QuadPart,
        .links = standard.NumberOfLinks,
        .modified =
            hcsshim__filetime_store((uint64_t)basic.LastWriteTime.QuadPart),
    };
    if (node->links > 1)
        fill_identity(file, node);
    return 0;
}

int32_t hcsshim__node_look(int64_t folder, const char *name,
                           hcsshim__node *node)
{
    HANDLE file;
    int32_t hr = hcsshim__name_open(handle_of(folder), name, strlen(name),
                                    FILE_READ_ATTRIBUTES, FILE_OPEN, 0, &file);

    if (hr < 0)
        return hr;
    hr = hcsshim__node_status((int64_t)(intptr_t)file, node);
    CloseHandle(file);
    return hr;
}

/* ---- opening and reading ----------------------------------------------- */

int32_t hcsshim__node_open(int64_t folder, const char *name, int64_t *file,
                           hcsshim__node *node)
{
    HANDLE opened;
    int32_t hr = hcsshim__name_open(
        handle_of(folder), name, strlen(name), FILE_GENERIC_READ, FILE_OPEN,
        FILE_NON_DIRECTORY_FILE | FILE_SEQUENTIAL_ONLY, &opened);

    *file = -1;
    if (hr < 0)
        return hr;
    hr = hcsshim__node_status((int64_t)(intptr_t)opened, node);
    if (hr >= 0 && node->kind != HCSSHIM__TREE_FILE)
        hr = HCSSHIM_E_INVALID_DATA;
    if (hr < 0)
        CloseHandle(opened);
    else
        *file = (int64_t)(intptr_t)opened;
    return hr;
}

int32_t hcsshim__node_enter(int64_t folder, const char *name, int64_t *inner)
{
    HANDLE opened;
    hcsshim__node node;
    int32_t hr = hcsshim__name_open(handle_of(folder), name, strlen(name),
                                    FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES,
                                    FILE_OPEN, FILE_DIRECTORY_FILE, &opened);

    *inner = -1;
    if (hr < 0)
        return hr;
    hr = hcsshim__node_status((int64_t)(intptr_t)opened, &node);
    if (hr >= 0 && node.kind != HCSSHIM__TREE_FOLDER)
        hr = HCSSHIM_E_INVALID_DATA;
    if (hr < 0)
        CloseHandle(opened);
    else
        *inner = (int64_t)(intptr_t)opened;
    return hr;
}

int32_t hcsshim__node_again(int64_t folder, int64_t *again)
{
    HANDLE self = GetCurrentProcess();
    HANDLE copy;

    *again = -1;
    if (!DuplicateHandle(self, handle_of(folder), self, &copy, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return last_error();
    *again = (int64_t)(intptr_t)copy;
    return 0;
}

void hcsshim__node_close(int64_t file)
{
    if (file != -1)
        CloseHandle(handle_of(file));
}

int32_t hcsshim__node_read(int64_t file, uint64_t at, uint8_t *out,
                           size_t length, size_t *got)
{
    OVERLAPPED place = {.Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32)};
    DWORD most = length > 0x40000000 ? 0x40000000 : (DWORD)length;
    DWORD count = 0;

    *got = 0;
    if (!ReadFile(handle_of(file), out, most, &count, &place) &&
        GetLastError() != ERROR_HANDLE_EOF)
        return last_error();
    *got = count;
    return 0;
}

uint64_t hcsshim__node_hole(int64_t file, uint64_t at, uint64_t length)
{
    FILE_ALLOCATED_RANGE_BUFFER wanted = {
        .FileOffset.QuadPart = (LONGLONG)at,
        .Length.QuadPart = (LONGLONG)length,
    };
    FILE_ALLOCATED_RANGE_BUFFER found;
    DWORD got = 0;

    /* It fails where there are more ranges than one: the first will do. */
    if (!DeviceIoControl(handle_of(file), FSCTL_QUERY_ALLOCATED_RANGES, &wanted,
                         sizeof wanted, &found, sizeof found, &got, NULL) &&
        GetLastError() != ERROR_MORE_DATA)
        return 0;
    if (got < sizeof found)
        return length;
    return (uint64_t)found.FileOffset.QuadPart > at
               ? (uint64_t)found.FileOffset.QuadPart - at
               : 0;
}

/* ---- links ------------------------------------------------------------- */

static int32_t decode_target(const uint8_t *data, size_t length,
                             hcsshim__path *target)
{
    const uint8_t *units;
    size_t size;
    uint32_t tag;
    char *text;
    int32_t hr;

    if (hcsshim__reparse_target(data, length, &tag, &units, &size) <= 0)
        return HCSSHIM_E_INVALID_DATA;
    text = malloc(size / 2 * 3 + 1);
    if (text == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    target->length = 0;
    hr =
        hcsshim__path_add(target, text, hcsshim__utf8_store(units, size, text));
    free(text);
    return hr;
}

int32_t hcsshim__node_target(int64_t folder, const char *name,
                             hcsshim__path *target)
{
    uint8_t data[MAXIMUM_REPARSE_DATA_BUFFER_SIZE];
    HANDLE file;
    DWORD length = 0;
    int32_t hr = hcsshim__name_open(handle_of(folder), name, strlen(name),
                                    FILE_READ_ATTRIBUTES, FILE_OPEN, 0, &file);

    if (hr < 0)
        return hr;
    if (!DeviceIoControl(file, FSCTL_GET_REPARSE_POINT, NULL, 0, data,
                         sizeof data, &length, NULL))
        hr = last_error();
    CloseHandle(file);
    if (hr >= 0)
        hr = decode_target(data, length, target);
    if (hr >= 0)
        hcsshim__path_to_link(target);
    return hr;
}

/* Overlayfs is not of Windows. */
int hcsshim__node_is_opaque(int64_t folder)
{
    (void)folder;
    return 0;
}

/* ---- lists ------------------------------------------------------------- */

static int32_t visit_one(const FILE_FULL_DIR_INFO *entry,
                         hcsshim__node_visit *visit, void *context)
{
    char name[HCSSHIM__NAME_UNITS * 3 + 1];
    size_t count = entry->FileNameLength / sizeof(wchar_t);
    /*
     * What lists keep of a reparse point where sizes of attributes are; Wine
     * keeps nothing there of the links that it shows as such.
     */
    int link = (entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
               (entry->EaSize == 0 || IS_LINK(entry->EaSize));

    if (count > HCSSHIM__NAME_UNITS)
        return HCSSHIM__INVALID_NAME;
    name[hcsshim__name_load(entry->FileName, count, name)] = 0;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    return visit(context, name,
                 (entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 &&
                     !link);
}

static int32_t visit_some(const uint8_t *list, hcsshim__node_visit *visit,
                          void *context)
{
    const FILE_FULL_DIR_INFO *entry;
    int32_t hr;

    do {
        entry = (const FILE_FULL_DIR_INFO *)(const void *)list;
        hr = visit_one(entry, visit, context);
        list += entry->NextEntryOffset;
    } while (hr >= 0 && entry->NextEntryOffset != 0);
    return hr;
}

int32_t hcsshim__node_list(int64_t folder, hcsshim__node_visit *visit,
                           void *context)
{
    FILE_INFO_BY_HANDLE_CLASS how = FileFullDirectoryRestartInfo;
    uint8_t *list = malloc(LIST_ROOM);
    int32_t hr = list == NULL ? HCSSHIM_E_OUTOFMEMORY : 0;

    while (hr >= 0) {
        if (!GetFileInformationByHandleEx(handle_of(folder), how, list,
                                          LIST_ROOM)) {
            hr = last_error();
            break;
        }
        hr = visit_some(list, visit, context);
        how = FileFullDirectoryInfo;
    }
    free(list);
    return hr == (int32_t)HRESULT_FROM_WIN32(ERROR_NO_MORE_FILES) ? 0 : hr;
}

/* ---- paths ------------------------------------------------------------- */

static size_t fold_part(const char *part, size_t length, char *out)
{
    wchar_t units[HCSSHIM__NAME_UNITS];
    int count = hcsshim__name_store(part, length, units);

    if (count < 0) {
        memcpy(out, part, length);
        return length;
    }
    for (int i = 0; i < count; i++)
        units[i] = RtlUpcaseUnicodeChar(units[i]);
    memcpy(out, units, (size_t)count * sizeof *units);
    return (size_t)count * sizeof *units;
}

/* Of one part after another, as Windows compares them. */
uint64_t hcsshim__node_hash(hcsshim__tar_text path)
{
    uint64_t hash = 1;

    while (path.length > 0) {
        char folded[sizeof hash + LONGEST_PART];
        const char *end = memchr(path.data, '/', path.length);
        size_t length = end != NULL ? (size_t)(end - path.data) : path.length;
        size_t size = sizeof hash;

        memcpy(folded, &hash, size);
        size +=
            fold_part(path.data, length < LONGEST_PART ? length : LONGEST_PART,
                      folded + size);
        hash = hcsshim__path_hash((hcsshim__tar_text){folded, size});
        length += end != NULL;
        path.data += length;
        path.length -= length;
    }
    return hash;
}
