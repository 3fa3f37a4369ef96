/* verity_read_win32.c - reading at an offset. */
#include <windows.h>

#include "layer/verity.h"

int32_t hcsshim__verity_read_at(int64_t file, uint64_t offset, uint8_t *buffer,
                                size_t length)
{
    while (length > 0) {
        OVERLAPPED place = {0};
        DWORD part = length > 0x10000000 ? 0x10000000 : (DWORD)length;
        DWORD got = 0;

        place.Offset = (DWORD)offset;
        place.OffsetHigh = (DWORD)(offset >> 32);
        if (!ReadFile((HANDLE)(intptr_t)file, buffer, part, &got, &place))
            return GetLastError() == ERROR_HANDLE_EOF
                       ? HCSSHIM_E_INVALID_DATA
                       : HRESULT_FROM_WIN32(GetLastError());
        if (got == 0)
            return HCSSHIM_E_INVALID_DATA;
        buffer += got;
        length -= got;
        offset += got;
    }
    return 0;
}
