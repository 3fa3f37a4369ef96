/*
 * meta_win32.c - what NTFS knows of a file beside its bytes.
 *
 * Security descriptors and extended attributes go through BackupWrite(), whose
 * streams are those of the layer. Where the system has no such call, as Wine,
 * or the user no right, the file goes without: the members file has it all.
 */
#include <windows.h>
#include <winioctl.h>

#include "hcsshim.h"
#include "layer/backup.h"
#include "layer/tree_parts_win32.h"
#include "layer/windows_meta.h"

/* Attributes that come with what a file is, and are not set. */
#define SETTABLE                                                               \
    (FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM | \
     FILE_ATTRIBUTE_ARCHIVE | FILE_ATTRIBUTE_TEMPORARY |                       \
     FILE_ATTRIBUTE_OFFLINE | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED)

static int32_t last_error(void)
{
    return (int32_t)HRESULT_FROM_WIN32(GetLastError());
}

/* ---- privileges -------------------------------------------------------- */

static int enable(HANDLE token, const wchar_t *name)
{
    TOKEN_PRIVILEGES wanted = {.PrivilegeCount = 1};

    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    return LookupPrivilegeValueW(NULL, name, &wanted.Privileges[0].Luid) &&
           AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL) &&
           GetLastError() == ERROR_SUCCESS;
}

void hcsshim__meta_privileges(hcsshim__backup_state *state)
{
    HANDLE token;

    state->unprivileged = 1;
    if (!OpenProcessToken(GetCurrentProcess(),
                          TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token))
        return;
    if (enable(token, L"SeBackupPrivilege") &&
        enable(token, L"SeRestorePrivilege") &&
        enable(token, L"SeSecurityPrivilege"))
        state->unprivileged = 0;
    CloseHandle(token);
}

ACCESS_MASK hcsshim__meta_access(const hcsshim__backup_state *state)
{
    return state->unprivileged
               ? 0
               : WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY;
}

/* ---- streams ----------------------------------------------------------- */

static int is_unknown_call(DWORD error)
{
    return error == ERROR_NOT_SUPPORTED ||
           error == ERROR_CALL_NOT_IMPLEMENTED ||
           error == ERROR_INVALID_FUNCTION;
}

static int write_streams(HANDLE file, const uint8_t *data, size_t length)
{
    void *context = NULL;
    DWORD written = 0;
    /* What is written has to be const only since BackupWrite forgot it. */
    BYTE *bytes = (BYTE *)(uintptr_t)data;
    int done = BackupWrite(file, bytes, (DWORD)length, &written, FALSE, TRUE,
                           &context) &&
               written == length;
    DWORD error = GetLastError();

    if (context != NULL)
        (void)BackupWrite(file, NULL, 0, &written, TRUE, FALSE, &context);
    SetLastError(error);
    return done;
}

static void apply_streams(hcsshim__backup_state *state, HANDLE file,
                          const hcsshim__tree_windows *windows)
{
    if (windows->length == 0)
        return;
    if (!state->missing && !state->unprivileged &&
        write_streams(file, windows->streams, windows->length))
        return;
    if (!state->missing && !state->unprivileged)
        state->missing = is_unknown_call(GetLastError());
    state->refused++;
}

/* ---- times and attributes ---------------------------------------------- */

static LONGLONG ticks_of(hcsshim__tar_time time)
{
    uint64_t ticks;

    return hcsshim__filetime_load(time, &ticks) && ticks <= INT64_MAX
               ? (LONGLONG)ticks
               : 0;
}

/* 0 leaves a time as it is, and so do those beyond what Windows takes. */
static LONGLONG time_of(uint64_t ticks)
{
    return ticks <= INT64_MAX ? (LONGLONG)ticks : 0;
}

static void fill_basic(const hcsshim__tree_meta *meta, FILE_BASIC_INFO *basic)
{
    const hcsshim__tree_windows *windows = meta->windows;

    basic->LastWriteTime.QuadPart = ticks_of(meta->modified);
    basic->LastAccessTime.QuadPart = ticks_of(meta->accessed);
    if (windows == NULL)
        return;
    basic->CreationTime.QuadPart = time_of(windows->info.creation_time);
    basic->LastAccessTime.QuadPart = time_of(windows->info.access_time);
    basic->LastWriteTime.QuadPart = time_of(windows->info.write_time);
    basic->ChangeTime.QuadPart = time_of(windows->info.change_time);
    basic->FileAttributes = windows->info.attributes & SETTABLE;
    if (basic->FileAttributes == 0)
        basic->FileAttributes = FILE_ATTRIBUTE_NORMAL;
}

int32_t hcsshim__meta_apply(hcsshim__backup_state *state, HANDLE file,
                            const hcsshim__tree_meta *meta)
{
    FILE_BASIC_INFO basic = {0};

    if (meta->windows != NULL)
        apply_streams(state, file, meta->windows);
    fill_basic(meta, &basic);
    if (!SetFileInformationByHandle(file, FileBasicInfo, &basic, sizeof basic))
        return last_error();
    return 0;
}

/* ---- reparse points ---------------------------------------------------- */

static const uint8_t *find_reparse(const hcsshim__tree_windows *windows,
                                   DWORD *length)
{
    size_t at = 0;

    while (windows->length - at >= HCSSHIM__BACKUP_HEAD) {
        hcsshim__backup_head head;

        if (hcsshim__backup_load(windows->streams + at, &head) != NULL)
            return NULL;
        at += HCSSHIM__BACKUP_HEAD;
        if (head.size > windows->length - at)
            return NULL;
        if (head.id == HCSSHIM__BACKUP_REPARSE) {
            *length = (DWORD)head.size;
            return windows->streams + at;
        }
        at += (size_t)head.size;
    }
    return NULL;
}

int32_t hcsshim__meta_reparse(HANDLE file, const hcsshim__tree_meta *meta)
{
    DWORD length = 0, got = 0;
    const uint8_t *data =
        meta->windows != NULL ? find_reparse(meta->windows, &length) : NULL;

    if (data == NULL)
        return HCSSHIM_E_NOTIMPL;
    if (!DeviceIoControl(file, FSCTL_SET_REPARSE_POINT, (void *)(uintptr_t)data,
                         length, NULL, 0, &got, NULL))
        return last_error();
    return 0;
}
