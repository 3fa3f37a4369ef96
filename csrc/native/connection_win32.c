/*
 * connection_win32.c - a named pipe, overlapped so that one thread reads while
 * another writes. The reader and the writer wait for an event each; a third
 * event ends both.
 */
#include <stdlib.h>
#include <windows.h>

#include <aclapi.h>

#include "hcsshim.h"
#include "native/connection.h"
#include "native/hresult.h"

#define LONGEST_NAME 256
#define BUSY_STEP_MS 2000
#define BUSY_STEPS 5

enum { READING, WRITING, ENDED };

static HANDLE handle_of(int64_t file) { return (HANDLE)(intptr_t)file; }

static int32_t last_error(void)
{
    return hcsshim__hresult_from_win32(GetLastError());
}

static int32_t make_events(hcsshim__connection *connection)
{
    for (int i = 0; i < 3; i++)
        connection->events[i] = -1;
    for (int i = 0; i < 3; i++) {
        HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

        if (event == NULL)
            return last_error();
        connection->events[i] = (intptr_t)event;
    }
    return 0;
}

/* Open the pipe; its host may be busy with other clients for a moment. */
static HANDLE open_pipe(const wchar_t *name)
{
    HANDLE pipe = INVALID_HANDLE_VALUE;

    for (int i = 0; i < BUSY_STEPS; i++) {
        pipe = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                           OPEN_EXISTING,
                           FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT |
                               SECURITY_IDENTIFICATION,
                           NULL);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY)
            return pipe;
        WaitNamedPipeW(name, BUSY_STEP_MS);
    }
    return pipe;
}

/* Give the user that this process runs as; 0 on failure. */
static int get_user(TOKEN_USER *user, DWORD size)
{
    HANDLE token;
    BOOL good;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return 0;
    good = GetTokenInformation(token, TokenUser, user, size, &size);
    CloseHandle(token);
    return good;
}

/*
 * The pipe must be of our own user: anybody may have made one of its name while
 * our host did not run.
 */
static int32_t check_owner(HANDLE pipe)
{
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } own;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    DWORD error =
        GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION,
                        &owner, NULL, NULL, NULL, &descriptor);
    int32_t hr = 0;

    if (error != ERROR_SUCCESS)
        return hcsshim__hresult_from_win32(error);
    if (!get_user(&own.user, sizeof own))
        hr = last_error();
    else if (owner == NULL || !EqualSid(owner, own.user.User.Sid))
        hr = hcsshim__hresult_from_win32(ERROR_ACCESS_DENIED);
    LocalFree(descriptor);
    return hr;
}

int32_t hcsshim__connection_open(hcsshim__connection *connection,
                                 const char *path, size_t length)
{
    wchar_t name[LONGEST_NAME + 1];
    HANDLE pipe;
    int32_t hr;
    int count;

    connection->file = -1;
    if (length == 0 || length > LONGEST_NAME)
        return HCSSHIM_E_INVALIDARG;
    count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path,
                                (int)length, name, LONGEST_NAME);
    if (count <= 0)
        return HCSSHIM_E_INVALIDARG;
    name[count] = L'\0';
    hr = make_events(connection);
    if (hr >= 0) {
        pipe = open_pipe(name);
        if (pipe == INVALID_HANDLE_VALUE)
            hr = last_error();
        else
            connection->file = (intptr_t)pipe;
    }
    if (hr >= 0)
        hr = check_owner(handle_of(connection->file));
    if (hr < 0)
        hcsshim__connection_close(connection);
    return hr;
}

/* Wait for an operation, or stop it because the connection was ended. */
static int32_t finish(const hcsshim__connection *connection, int which,
                      OVERLAPPED *operation, DWORD *moved)
{
    HANDLE events[2] = {handle_of(connection->events[which]),
                        handle_of(connection->events[ENDED])};
    HANDLE pipe = handle_of(connection->file);

    if (WaitForMultipleObjects(2, events, FALSE, INFINITE) != WAIT_OBJECT_0)
        CancelIoEx(pipe, operation);
    return GetOverlappedResult(pipe, operation, moved, TRUE) ? 0 : last_error();
}

static int is_ended(const hcsshim__connection *connection)
{
    HANDLE event = handle_of(connection->events[ENDED]);

    return WaitForSingleObject(event, 0) == WAIT_OBJECT_0;
}

int32_t hcsshim__connection_send(const hcsshim__connection *connection,
                                 const void *data, size_t length)
{
    const char *next = data;

    while (length > 0) {
        OVERLAPPED operation = {.hEvent =
                                    handle_of(connection->events[WRITING])};
        DWORD part = length > 0x1000000 ? 0x1000000 : (DWORD)length, sent = 0;
        int32_t hr = 0;

        if (is_ended(connection))
            return HCSSHIM_HCS_E_SERVICE_DISCONNECT;
        if (!WriteFile(handle_of(connection->file), next, part, NULL,
                       &operation) &&
            GetLastError() != ERROR_IO_PENDING)
            return last_error();
        hr = finish(connection, WRITING, &operation, &sent);
        if (hr < 0)
            return hr;
        next += sent;
        length -= sent;
    }
    return 0;
}

int32_t hcsshim__connection_receive(const hcsshim__connection *connection,
                                    void *data, size_t size, size_t *received,
                                    int64_t *files, size_t *file_count)
{
    OVERLAPPED operation = {.hEvent = handle_of(connection->events[READING])};
    DWORD part = size > 0x1000000 ? 0x1000000 : (DWORD)size, got = 0;
    int32_t hr = 0;

    (void)files;
    *received = 0;
    *file_count = 0;
    if (is_ended(connection))
        return 0;
    if (!ReadFile(handle_of(connection->file), data, part, NULL, &operation) &&
        GetLastError() != ERROR_IO_PENDING)
        hr = last_error();
    else
        hr = finish(connection, READING, &operation, &got);
    *received = got;
    if (hr == HRESULT_FROM_WIN32(ERROR_BROKEN_PIPE) ||
        hr == HRESULT_FROM_WIN32(ERROR_PIPE_NOT_CONNECTED) ||
        hr == HRESULT_FROM_WIN32(ERROR_OPERATION_ABORTED))
        return 0; /* the end of the stream */
    return hr;
}

void hcsshim__connection_take_files(const unsigned char *tail, size_t size,
                                    int64_t *files, size_t *file_count)
{
    *file_count = 0;
    for (; size >= 8 && *file_count < HCSSHIM_CONNECTION_FILES; size -= 8) {
        uint64_t file = 0;

        for (int i = 7; i >= 0; i--)
            file = file << 8 | tail[i];
        files[(*file_count)++] = (int64_t)file;
        tail += 8;
    }
}

void hcsshim__connection_shutdown(const hcsshim__connection *connection)
{
    SetEvent(handle_of(connection->events[ENDED]));
}

void hcsshim__connection_close(hcsshim__connection *connection)
{
    hcsshim__file_close(connection->file);
    connection->file = -1;
    for (int i = 0; i < 3; i++) {
        hcsshim__file_close(connection->events[i]);
        connection->events[i] = -1;
    }
}

void hcsshim__file_close(int64_t file)
{
    if (file >= 0)
        CloseHandle(handle_of(file));
}
