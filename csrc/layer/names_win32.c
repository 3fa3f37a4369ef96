/* names_win32.c - names of tars and of Windows. */
#include "layer/names_win32.h"

#include <objbase.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <winternl.h>

#include "hcsshim.h"
#include "layer/text.h"
#include "native/text_win32.h"

#define ESCAPE 0xDC00
#define NOT_FOUND ((LONG)0xC0000034) /* STATUS_OBJECT_NAME_NOT_FOUND */

/* ---- bytes to units ---------------------------------------------------- */

/*
 * Decode a sequence of UTF-8, halves of pairs among them. Returns its length,
 * or 0 where there is none.
 */
static size_t decode(const uint8_t *text, size_t length, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80                       ? 1
                  : text[0] >= 0xC2 && text[0] <= 0xDF ? 2
                  : text[0] >= 0xE0 && text[0] <= 0xEF ? 3
                  : text[0] >= 0xF0 && text[0] <= 0xF4 ? 4
                                                       : 0;

    if (size == 0 || size > length)
        return 0;
    *point = size == 1 ? text[0] : text[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3Fu);
    }
    return *point >= least[size] && *point <= 0x10FFFF ? size : 0;
}

static int is_half(uint32_t point) { return point >= 0xD800 && point < 0xE000; }

/* Whether what follows could be taken for the other half of a pair. */
static int is_followed(const uint8_t *text, size_t length)
{
    uint32_t point;

    return length > 0 &&
           (decode(text, length, &point) == 0 || is_half(point) ||
            (point < 0x80 && strchr("\"*<>?|", (int)point) != NULL) ||
            point < 0x20);
}

/* Whether a sequence stands for itself, and comes back as it is. */
static int is_plain(const uint8_t *text, size_t length, size_t size,
                    uint32_t point)
{
    if (size == 0 || point < 0x20)
        return 0;
    if (point < 0x80)
        return strchr("\"*<>?|", (int)point) == NULL;
    if (!is_half(point))
        return 1;
    if (point >= 0xDC00)
        return point > ESCAPE + 0xFF;
    return !is_followed(text + size, length - size);
}

static int put(wchar_t *out, int count, uint32_t point)
{
    if (count < 0 || count + (point > 0xFFFF) >= HCSSHIM__NAME_UNITS)
        return -1;
    if (point <= 0xFFFF) {
        out[count] = (wchar_t)point;
        return count + 1;
    }
    point -= 0x10000;
    out[count] = (wchar_t)(0xD800 + (point >> 10));
    out[count + 1] = (wchar_t)(0xDC00 + (point & 0x3FF));
    return count + 2;
}

int hcsshim__name_store(const char *name, size_t length,
                        wchar_t out[HCSSHIM__NAME_UNITS])
{
    const uint8_t *text = (const uint8_t *)name;
    int count = 0;

    while (length > 0 && count >= 0) {
        uint32_t point = 0;
        size_t size = decode(text, length, &point);

        if (!is_plain(text, length, size, point)) {
            size = 1;
            point = ESCAPE + text[0];
        }
        count = put(out, count, point);
        text += size;
        length -= size;
    }
    return count;
}

/* ---- units to bytes ---------------------------------------------------- */

size_t hcsshim__name_load(const wchar_t *units, size_t count, char *out)
{
    size_t used = 0;
    size_t taken;

    for (size_t i = 0; i < count; i += taken) {
        int pair = units[i] >= 0xD800 && units[i] < 0xDC00 && i + 1 < count &&
                   units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000;

        taken = pair ? 2 : 1;
        if (units[i] > ESCAPE && units[i] <= ESCAPE + 0xFF)
            out[used++] = (char)(units[i] - ESCAPE);
        else
            used += hcsshim__utf8_store((const uint8_t *)&units[i],
                                        taken * sizeof *units, out + used);
    }
    return used;
}

/* ---- opening ----------------------------------------------------------- */

int32_t hcsshim__hresult_from_status(LONG status)
{
    return status >= 0
               ? 0
               : (int32_t)HRESULT_FROM_WIN32(RtlNtStatusToDosError(status));
}

int hcsshim__is_missing(int32_t hr)
{
    return hr == (int32_t)HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND) ||
           hr == (int32_t)HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND) ||
           hr == HCSSHIM__INVALID_NAME;
}

int32_t hcsshim__name_open(HANDLE folder, const char *name, size_t length,
                           ACCESS_MASK access, ULONG disposition, ULONG options,
                           HANDLE *out)
{
    wchar_t units[HCSSHIM__NAME_UNITS];
    int count = hcsshim__name_store(name, length, units);
    UNICODE_STRING text = {.Buffer = units};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    LONG status;

    *out = INVALID_HANDLE_VALUE;
    if (count < 0)
        return HCSSHIM__INVALID_NAME;
    text.Length = text.MaximumLength = (USHORT)((size_t)count * sizeof *units);
    InitializeObjectAttributes(&attributes, &text, OBJ_CASE_INSENSITIVE, folder,
                               NULL);
    status = NtCreateFile(
        out, access | SYNCHRONIZE, &attributes, &block, NULL,
        FILE_ATTRIBUTE_NORMAL,
        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, disposition,
        options | FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT |
            FILE_SYNCHRONOUS_IO_NONALERT,
        NULL, 0);
    if (status < 0)
        *out = INVALID_HANDLE_VALUE;
    /* Wine has no place for a name that its Unix cannot spell, */
    if (status == NOT_FOUND && disposition != FILE_OPEN)
        return HCSSHIM__INVALID_NAME;
    /* and no names below a folder whose path is longer than its Unix takes. */
    if (status < 0 && RtlNtStatusToDosError(status) == ERROR_INVALID_HANDLE)
        return HCSSHIM__INVALID_NAME;
    return hcsshim__hresult_from_status(status);
}

/* ---- paths of the user's ----------------------------------------------- */

/* The prefix that lifts the limit of 260 units, in front of a full path. */
static const wchar_t *prefix_of(const wchar_t *full, size_t *cut)
{
    *cut = 0;
    if (wcsncmp(full, L"\\\\?\\", 4) == 0 || wcsncmp(full, L"\\\\.\\", 4) == 0)
        return L"";
    if (wcsncmp(full, L"\\\\", 2) != 0)
        return L"\\\\?\\";
    *cut = 2; /* \\server\share */
    return L"\\\\?\\UNC\\";
}

static wchar_t *long_path(const wchar_t *path)
{
    DWORD room = GetFullPathNameW(path, 0, NULL, NULL) + 1;
    wchar_t *full = malloc(room * sizeof *full);
    wchar_t *prefixed = NULL;
    DWORD length = full == NULL ? 0 : GetFullPathNameW(path, room, full, NULL);

    if (length > 0 && length < room) {
        size_t cut;
        const wchar_t *prefix = prefix_of(full, &cut);

        prefixed = malloc((room + 8) * sizeof *prefixed);
        if (prefixed != NULL)
            wcscat(wcscpy(prefixed, prefix), full + cut);
    }
    free(full);
    return prefixed;
}

int32_t hcsshim__path_open(const char *path, HANDLE *out)
{
    wchar_t *wide = hcsshim__text_wide(path, strlen(path));
    wchar_t *full = wide == NULL ? NULL : long_path(wide);
    int32_t hr = HCSSHIM_E_OUTOFMEMORY;

    *out = INVALID_HANDLE_VALUE;
    if (full != NULL) {
        *out =
            CreateFileW(full,
                        FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES |
                            FILE_TRAVERSE | SYNCHRONIZE,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        hr = *out == INVALID_HANDLE_VALUE
                 ? (int32_t)HRESULT_FROM_WIN32(GetLastError())
                 : 0;
    }
    free(full);
    CoTaskMemFree(wide);
    return hr;
}

static int is_separator(char letter) { return letter == '/' || letter == '\\'; }

int32_t hcsshim__path_open_parent(const char *path, HANDLE *out,
                                  const char **name)
{
    size_t at = strlen(path);
    char *parent;
    int32_t hr;

    *out = INVALID_HANDLE_VALUE;
    while (at > 0 && !is_separator(path[at - 1]) && path[at - 1] != ':')
        at--;
    *name = path + at;
    if (**name == 0)
        return HCSSHIM__INVALID_NAME; /* of no folder: of a drive, or nothing */
    parent = malloc(at + 2);
    if (parent == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    memcpy(parent, path, at);
    memcpy(parent + at, at > 0 ? "" : ".", at > 0 ? 1 : 2);
    hr = hcsshim__path_open(parent, out);
    free(parent);
    return hr;
}
