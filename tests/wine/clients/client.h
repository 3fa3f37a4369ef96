/*
 * client.h - what the test clients share: a stranger's view of the DLLs.
 *
 * Everything is found by name in DLLs loaded at run time, as other programs do;
 * nothing of the shim's own headers is used.
 */
#ifndef CLIENT_H
#define CLIENT_H

#undef NDEBUG
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* Fail with the place and the value. */
#define EXPECT(expected, value)                                                \
    do {                                                                       \
        long long expect_ = (long long)(expected),                             \
                  value_ = (long long)(value);                                 \
        if (expect_ != value_) {                                               \
            printf("%s:%d: %s is 0x%llx, not 0x%llx\n", __FILE__, __LINE__,    \
                   #value, (unsigned long long)value_,                         \
                   (unsigned long long)expect_);                               \
            fflush(stdout);                                                    \
            ExitProcess(1);                                                    \
        }                                                                      \
    } while (0)
#define CHECK(condition) EXPECT(1, (condition) ? 1 : 0)

#define CODE(value) ((HRESULT)(value))

/* Declare and find an export: USE(type, name) defines 'name'. */
#define USE(dll, result, name, ...)                                            \
    result(WINAPI *name)(__VA_ARGS__) =                                        \
        (result(WINAPI *)(__VA_ARGS__))(void *)find_export(dll, #name)

typedef struct {
    DWORD process_id, reserved;
    HANDLE input, output, error;
} process_information;

typedef struct {
    DWORD type;
    const wchar_t *data;
    void *operation;
} hcs_event;

static inline FARPROC find_export(const wchar_t *dll, const char *name)
{
    HMODULE module = LoadLibraryExW(dll, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    FARPROC found = module == NULL ? NULL : GetProcAddress(module, name);

    if (found == NULL) {
        printf("%ls has no %s\n", dll, name);
        ExitProcess(1);
    }
    return found;
}

/* Read a pipe to its end, overlapped; gives the length, at most size - 1. */
static inline size_t read_all(HANDLE pipe, char *room, size_t size)
{
    size_t length = 0;

    while (length < size - 1) {
        OVERLAPPED overlapped = {0};
        DWORD got = 0;

        overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (!ReadFile(pipe, room + length, (DWORD)(size - 1 - length), NULL,
                      &overlapped) &&
            GetLastError() != ERROR_IO_PENDING) {
            EXPECT(ERROR_BROKEN_PIPE, GetLastError());
            CloseHandle(overlapped.hEvent);
            break;
        }
        if (!GetOverlappedResult(pipe, &overlapped, &got, TRUE)) {
            EXPECT(ERROR_BROKEN_PIPE, GetLastError());
            CloseHandle(overlapped.hEvent);
            break;
        }
        CloseHandle(overlapped.hEvent);
        length += got;
    }
    room[length] = '\0';
    return length;
}

static inline void write_all(HANDLE pipe, const char *text, size_t length)
{
    while (length > 0) {
        OVERLAPPED overlapped = {0};
        DWORD done = 0;

        overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
        CHECK(WriteFile(pipe, text, (DWORD)length, NULL, &overlapped) ||
              GetLastError() == ERROR_IO_PENDING);
        CHECK(GetOverlappedResult(pipe, &overlapped, &done, TRUE));
        CloseHandle(overlapped.hEvent);
        text += done;
        length -= done;
    }
}

/* A container of the machine itself; what a v2 client sends. */
static const wchar_t container_v2[] =
    L"{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"Owner\":\"client\","
    L"\"ShouldTerminateOnLastHandleClosed\":true,\"Container\":{}}";

static const wchar_t container_v1[] =
    L"{\"SystemType\":\"Container\",\"Name\":\"client\",\"Owner\":\"client\","
    L"\"TerminateOnLastHandleClosed\":true}";

static const wchar_t echo_process[] =
    L"{\"CommandLine\":\"cmd /c echo hello\",\"CreateStdOutPipe\":true}";

static const wchar_t sort_process[] =
    L"{\"CommandLine\":\"cmd /c more\",\"CreateStdInPipe\":true,"
    L"\"CreateStdOutPipe\":true}";

#endif
