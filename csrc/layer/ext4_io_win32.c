/* ext4_io_win32.c - files by handles. */
#include <windows.h>

#include "hcsshim.h"
#include "layer/ext4_io.h"

static int32_t last_error(void)
{
    return (int32_t)HRESULT_FROM_WIN32(GetLastError());
}

static int32_t write_at(HANDLE file, uint64_t offset, const uint8_t *data,
                        size_t length)
{
    while (length > 0) {
        DWORD take = length > 0x40000000 ? 0x40000000 : (DWORD)length, put;
        OVERLAPPED place = {0};

        place.Offset = (DWORD)offset;
        place.OffsetHigh = (DWORD)(offset >> 32);
        if (!WriteFile(file, data, take, &put, &place))
            return last_error();
        data += put;
        length -= put;
        offset += put;
    }
    return 0;
}

int32_t hcsshim__image_write(int64_t file, uint64_t offset,
                             const hcsshim__piece *pieces, size_t count)
{
    int32_t hr = 0;

    for (size_t i = 0; hr == 0 && i < count; i++) {
        hr = write_at((HANDLE)(intptr_t)file, offset, pieces[i].data,
                      pieces[i].length);
        offset += pieces[i].length;
    }
    return hr;
}

int32_t hcsshim__image_read(int64_t file, uint8_t *buffer, size_t length,
                            size_t *got)
{
    DWORD take = length > 0x40000000 ? 0x40000000 : (DWORD)length, count = 0;

    *got = 0;
    if (!ReadFile((HANDLE)(intptr_t)file, buffer, take, &count, NULL)) {
        DWORD error = GetLastError();

        if (error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF)
            return 0; /* the end of a pipe */
        return (int32_t)HRESULT_FROM_WIN32(error);
    }
    *got = count;
    return 0;
}

int32_t hcsshim__image_resize(int64_t file, uint64_t length)
{
    FILE_END_OF_FILE_INFO end;

    end.EndOfFile.QuadPart = (LONGLONG)length;
    if (!SetFileInformationByHandle((HANDLE)(intptr_t)file, FileEndOfFileInfo,
                                    &end, sizeof end))
        return last_error();
    return 0;
}

int32_t hcsshim__image_copy(int64_t source, int64_t target, uint64_t offset,
                            uint64_t length, uint64_t *done)
{
    (void)source;
    (void)target;
    (void)offset;
    (void)length;
    *done = 0;
    return HCSSHIM_E_NOTIMPL;
}
