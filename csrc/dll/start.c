/*
 * start.c - have an embedded host started, where none runs.
 *
 * "hcsshim host dlls" writes hcsshim-host.py beside the DLLs. Its first line
 * names the Python that runs it, after "#!"; it starts a host, and ends once
 * that takes connections. Without that file the service is not active, as on a
 * machine whose administrator stopped it.
 */
#include <stdlib.h>
#include <string.h>

#include "dll/dll.h"

#define SCRIPT L"hcsshim-host.py"
#define LONGEST_PATH 1024
#define LONGEST_LINE (3 * LONGEST_PATH)
#define PATIENCE_MS 120000

/* The path of the script beside this DLL; 0 if that is too long. */
static int script_path(wchar_t path[LONGEST_PATH])
{
    static const wchar_t name[] = SCRIPT;
    HMODULE self = NULL;
    wchar_t *end;
    DWORD length;

    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT |
                           GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       (const wchar_t *)(const void *)name, &self);
    length = GetModuleFileNameW(self, path, LONGEST_PATH);
    if (length == 0 || length >= LONGEST_PATH)
        return 0;
    end = wcsrchr(path, L'\\');
    if (end == NULL || (size_t)(end + 1 - path) + wcslen(name) >= LONGEST_PATH)
        return 0;
    wcscpy(end + 1, name);
    return 1;
}

/* The first bytes of a file, as text; 0 if there is no such file. */
static int read_head(const wchar_t *path, char head[LONGEST_LINE + 1])
{
    DWORD count = 0;
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    BOOL read;

    if (file == INVALID_HANDLE_VALUE)
        return 0;
    read = ReadFile(file, head, LONGEST_LINE, &count, NULL);
    CloseHandle(file);
    head[read ? count : 0] = '\0';
    return read;
}

/* The Python that the script wants; 0 if it names none. */
static int python_path(const wchar_t *script, wchar_t path[LONGEST_PATH])
{
    char head[LONGEST_LINE + 1];
    size_t length;
    int count;

    if (!read_head(script, head) || strncmp(head, "#!", 2) != 0)
        return 0;
    length = strcspn(head + 2, "\r\n");
    count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, head + 2,
                                (int)length, path, LONGEST_PATH - 1);
    if (count <= 0)
        return 0;
    path[count] = L'\0';
    return wcschr(path, L'"') == NULL;
}

/* Run the script to its end; its exit code, or 1. */
static DWORD run(const wchar_t *python, const wchar_t *script)
{
    wchar_t command[2 * LONGEST_PATH + 8] = L"\"";
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 1;

    wcscat(command, python);
    wcscat(command, L"\" \"");
    wcscat(command, script);
    wcscat(command, L"\"");
    if (!CreateProcessW(python, command, NULL, NULL, FALSE, CREATE_NO_WINDOW,
                        NULL, NULL, &startup, &process))
        return 1;
    if (WaitForSingleObject(process.hProcess, PATIENCE_MS) == WAIT_OBJECT_0)
        GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return code;
}

HRESULT hcsshim__host_start(void)
{
    wchar_t script[LONGEST_PATH], python[LONGEST_PATH];

    if (!script_path(script) || !python_path(script, python) ||
        run(python, script) != 0)
        return HCSSHIM_SERVICE_NOT_ACTIVE;
    return 0;
}
