/* file_win32.c - handles, as far as moving their bytes differs. */
#include "native/connection.h"
#include "native/hresult.h"
#include "relay/pump_win32.h"

#include <winternl.h>

#define MODE_INFORMATION 16 /* FileModeInformation */
#define SYNCHRONOUS 0x30    /* FILE_SYNCHRONOUS_IO_ALERT, ..._NONALERT */

int32_t hcsshim__file_examine(int64_t file, uint8_t *kind)
{
    DWORD type;

    *kind = HCSSHIM_FILE_OTHER;
    SetLastError(0);
    type = GetFileType((HANDLE)(intptr_t)file);
    if (type == FILE_TYPE_UNKNOWN && GetLastError() != 0)
        return hcsshim__hresult_from_win32(GetLastError());
    if (type == FILE_TYPE_PIPE)
        *kind = HCSSHIM_FILE_PIPE;
    else if (type == FILE_TYPE_DISK)
        *kind = HCSSHIM_FILE_REGULAR;
    return 0;
}

int64_t hcsshim__file_duplicate(int64_t file)
{
    HANDLE self = GetCurrentProcess(), own;

    if (!DuplicateHandle(self, (HANDLE)(intptr_t)file, self, &own, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return -1;
    return (intptr_t)own;
}

/*
 * A completion port is for pipes that are overlapped, and nobody else's: a file
 * has one port for ever, whoever else holds a handle of it.
 */
int64_t hcsshim__file_prepare(int64_t file, uint8_t kind, int side, int owned,
                              uint8_t *blocks)
{
    (void)side;
    *blocks = !owned || kind != HCSSHIM_FILE_PIPE ||
              !hcsshim__file_is_overlapped(file);
    return file;
}

int hcsshim__file_is_overlapped(int64_t file)
{
    IO_STATUS_BLOCK status;
    ULONG mode = 0;

    return NtQueryInformationFile((HANDLE)(intptr_t)file, &status, &mode,
                                  sizeof mode, MODE_INFORMATION) >= 0 &&
           (mode & SYNCHRONOUS) == 0;
}

int32_t hcsshim__file_append(int64_t file, const char *bytes, size_t length)
{
    while (length > 0) {
        /* An offset of all ones is the end of the file. */
        OVERLAPPED end = {.Offset = 0xFFFFFFFF, .OffsetHigh = 0xFFFFFFFF};
        DWORD part =
            length > HCSSHIM_MOVE_BUFFER ? HCSSHIM_MOVE_BUFFER : (DWORD)length;
        DWORD written;

        if (!WriteFile((HANDLE)(intptr_t)file, bytes, part, &written, &end))
            return hcsshim__hresult_from_win32(GetLastError());
        bytes += written;
        length -= written;
    }
    return 0;
}

void hcsshim__clock_read(int64_t *seconds, int32_t *nanoseconds)
{
    FILETIME now; /* counts 100 ns since 1601 */
    int64_t ticks;

    GetSystemTimeAsFileTime(&now);
    ticks = ((int64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) -
            INT64_C(116444736000000000);
    *seconds = ticks / 10000000;
    *nanoseconds = (int32_t)(ticks % 10000000) * 100;
}

void hcsshim__file_enlarge(int64_t file) { (void)file; }

void hcsshim__file_end(int64_t file, uint8_t kind)
{
    (void)kind;
    hcsshim__file_close(file);
}
