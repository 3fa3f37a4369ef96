/* file_win32.c - reading and writing HANDLEs. */
#include <windows.h>

#include "layer/file.h"

static int32_t last_error(void) { return HRESULT_FROM_WIN32(GetLastError()); }

int32_t hcsshim__file_read(int64_t file, uint8_t *buffer, size_t length,
                           size_t *got)
{
    DWORD count = 0;
    DWORD most = length > 0x40000000 ? 0x40000000 : (DWORD)length;

    *got = 0;
    /* The other end of a pipe that is gone is an end like any other. */
    if (!ReadFile((HANDLE)(intptr_t)file, buffer, most, &count, NULL) &&
        GetLastError() != ERROR_BROKEN_PIPE &&
        GetLastError() != ERROR_HANDLE_EOF)
        return last_error();
    *got = count;
    return 0;
}

int32_t hcsshim__file_write(int64_t file, const void *data, size_t length)
{
    const uint8_t *from = data;

    while (length > 0) {
        DWORD count = 0;
        DWORD most = length > 0x40000000 ? 0x40000000 : (DWORD)length;

        if (!WriteFile((HANDLE)(intptr_t)file, from, most, &count, NULL))
            return last_error();
        from += count;
        length -= count;
    }
    return 0;
}
