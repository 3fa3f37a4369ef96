/*
 * absent.c - the DLLs where no host listens, and none can be started: as on a
 * machine whose service was stopped. They lie in a folder without
 * hcsshim-host.py.
 */
#include "client.h"

#define NOT_ACTIVE CODE(0x80070426)

static wchar_t folder[MAX_PATH];

static void copy_dll(const wchar_t *name, wchar_t target[MAX_PATH * 2])
{
    wchar_t source[MAX_PATH * 2];

    GetSystemDirectoryW(source, MAX_PATH);
    wcscat(source, L"\\");
    wcscat(source, name);
    wcscpy(target, folder);
    wcscat(target, L"\\");
    wcscat(target, name);
    CHECK(CopyFileW(source, target, FALSE));
}

static FARPROC find(const wchar_t *dll, const char *name)
{
    wchar_t path[MAX_PATH * 2];
    HMODULE module;

    copy_dll(dll, path);
    module = LoadLibraryW(path);
    CHECK(module != NULL);
    return GetProcAddress(module, name);
}

int main(void)
{
    HRESULT(WINAPI * enumerate)
    (const wchar_t *, wchar_t **, wchar_t **);
    HRESULT(WINAPI * get_properties)(const wchar_t *, wchar_t **);
    wchar_t *systems = (wchar_t *)1, *result = (wchar_t *)1;

    SetEnvironmentVariableW(L"HCSSHIM_HOST", L"\\\\.\\pipe\\hcsshim-nobody");
    GetTempPathW(MAX_PATH - 32, folder);
    wcscat(folder, L"hcsshim-absent");
    CHECK(CreateDirectoryW(folder, NULL) ||
          GetLastError() == ERROR_ALREADY_EXISTS);
    *(FARPROC *)&enumerate =
        find(L"vmcompute.dll", "HcsEnumerateComputeSystems");
    EXPECT(NOT_ACTIVE, enumerate(L"{}", &systems, &result));
    CHECK(systems == NULL && result == NULL);
    *(FARPROC *)&get_properties =
        find(L"computecore.dll", "HcsGetServiceProperties");
    EXPECT(NOT_ACTIVE, get_properties(L"{}", &result));
    CHECK(result == NULL);
    puts("ok");
    return 0;
}
