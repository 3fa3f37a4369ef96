/* v1.c - vmcompute.dll as a stranger uses it: pending calls and notifications.
 */
#include "client.h"

#define COMPUTE L"vmcompute.dll"
#define PENDING CODE(0xC0370103)

static HANDLE created, started, exited, process_exited, resumed, paused;

static void CALLBACK on_notification(DWORD type, void *context, HRESULT status,
                                     const wchar_t *data)
{
    (void)data;
    EXPECT(42, (intptr_t)context);
    if (type == 1)
        SetEvent(exited);
    else if (type == 0x10000)
        SetEvent(process_exited);
    else
        EXPECT(0, status);
    if (type == 2)
        SetEvent(created);
    if (type == 3)
        SetEvent(started);
    if (type == 4)
        SetEvent(paused);
    if (type == 5)
        SetEvent(resumed);
}

static void wait_for(HANDLE event)
{
    EXPECT(WAIT_OBJECT_0, WaitForSingleObject(event, 60000));
}

static HANDLE entered, release;
static volatile LONG left;

static void CALLBACK on_slow_notification(DWORD type, void *context,
                                          HRESULT status, const wchar_t *data)
{
    (void)type, (void)context, (void)status, (void)data;
    SetEvent(entered);
    wait_for(release);
    InterlockedExchange(&left, 1);
}

static DWORD WINAPI unregister(void *callback)
{
    USE(COMPUTE, HRESULT, HcsUnregisterProcessCallback, void *);

    EXPECT(0, HcsUnregisterProcessCallback(callback));
    EXPECT(1, left);
    return 0;
}

/* Unregistering waits for a callback that runs, and none begins after it. */
static void unregister_while_told(void *system)
{
    USE(COMPUTE, HRESULT, HcsCreateProcess, void *, const wchar_t *,
        process_information *, void **, wchar_t **);
    USE(COMPUTE, HRESULT, HcsRegisterProcessCallback, void *, void *, void *,
        void **);
    USE(COMPUTE, HRESULT, HcsCloseProcess, void *);
    process_information information;
    wchar_t *result = NULL;
    void *process = NULL, *callback = NULL;
    HANDLE thread;

    entered = CreateEventW(NULL, TRUE, FALSE, NULL);
    release = CreateEventW(NULL, TRUE, FALSE, NULL);
    EXPECT(0, HcsCreateProcess(system, echo_process, &information, &process,
                               &result));
    EXPECT(0, HcsRegisterProcessCallback(process, (void *)on_slow_notification,
                                         NULL, &callback));
    wait_for(entered);
    thread = CreateThread(NULL, 0, unregister, callback, 0, NULL);
    EXPECT(WAIT_TIMEOUT, WaitForSingleObject(thread, 200));
    SetEvent(release);
    wait_for(thread);
    CloseHandle(thread);
    CloseHandle(information.output);
    EXPECT(0, HcsCloseProcess(process));
}

static void run_process(void *system)
{
    USE(COMPUTE, HRESULT, HcsCreateProcess, void *, const wchar_t *,
        process_information *, void **, wchar_t **);
    USE(COMPUTE, HRESULT, HcsRegisterProcessCallback, void *, void *, void *,
        void **);
    USE(COMPUTE, HRESULT, HcsUnregisterProcessCallback, void *);
    USE(COMPUTE, HRESULT, HcsGetProcessProperties, void *, wchar_t **,
        wchar_t **);
    USE(COMPUTE, HRESULT, HcsModifyProcess, void *, const wchar_t *,
        wchar_t **);
    USE(COMPUTE, HRESULT, HcsCloseProcess, void *);
    process_information information;
    wchar_t *document = NULL, *result = NULL;
    void *process = NULL, *callback = NULL;
    char output[64];

    EXPECT(0, HcsCreateProcess(system, sort_process, &information, &process,
                               &result));
    CHECK(information.input != NULL && information.output != NULL);
    EXPECT(0, HcsRegisterProcessCallback(process, (void *)on_notification,
                                         (void *)42, &callback));
    write_all(information.input, "hello\r\n", 7);
    CloseHandle(information.input);
    EXPECT(0, HcsModifyProcess(process,
                               L"{\"Operation\":\"CloseHandle\","
                               L"\"CloseHandle\":{\"Handle\":\"StdIn\"}}",
                               &result));
    CHECK(read_all(information.output, output, sizeof output) >= 7);
    EXPECT(0, strncmp(output, "hello\r\n", 7));
    CloseHandle(information.output);
    wait_for(process_exited);
    EXPECT(0, HcsGetProcessProperties(process, &document, &result));
    CHECK(wcsstr(document, L"\"Exited\":true") != NULL);
    CoTaskMemFree(document);
    EXPECT(0, HcsUnregisterProcessCallback(callback));
    EXPECT(CODE(E_HANDLE), HcsUnregisterProcessCallback(callback));
    EXPECT(0, HcsCloseProcess(process));
    CHECK(HcsCloseProcess(process) < 0);
}

int main(void)
{
    USE(COMPUTE, HRESULT, HcsEnumerateComputeSystems, const wchar_t *,
        wchar_t **, wchar_t **);
    USE(COMPUTE, HRESULT, HcsCreateComputeSystem, const wchar_t *,
        const wchar_t *, HANDLE, void **, wchar_t **);
    USE(COMPUTE, HRESULT, HcsOpenComputeSystem, const wchar_t *, void **,
        wchar_t **);
    USE(COMPUTE, HRESULT, HcsStartComputeSystem, void *, const wchar_t *,
        wchar_t **);
    USE(COMPUTE, HRESULT, HcsTerminateComputeSystem, void *, const wchar_t *,
        wchar_t **);
    USE(COMPUTE, HRESULT, HcsRegisterComputeSystemCallback, void *, void *,
        void *, void **);
    USE(COMPUTE, HRESULT, HcsUnregisterComputeSystemCallback, void *);
    USE(COMPUTE, HRESULT, HcsGetComputeSystemProperties, void *,
        const wchar_t *, wchar_t **, wchar_t **);
    USE(COMPUTE, HRESULT, HcsCloseComputeSystem, void *);
    wchar_t *document = NULL, *result = NULL;
    void *system = NULL, *second = NULL, *callback = NULL;

    created = CreateEventW(NULL, TRUE, FALSE, NULL);
    started = CreateEventW(NULL, TRUE, FALSE, NULL);
    exited = CreateEventW(NULL, TRUE, FALSE, NULL);
    paused = CreateEventW(NULL, TRUE, FALSE, NULL);
    resumed = CreateEventW(NULL, TRUE, FALSE, NULL);
    process_exited = CreateEventW(NULL, TRUE, FALSE, NULL);
    EXPECT(CODE(0xC037010E),
           HcsOpenComputeSystem(L"v1-client", &system, &result));
    CoTaskMemFree(result);
    CHECK(HcsCreateComputeSystem(L"v1-client", L"{nonsense", NULL, &system,
                                 &result) < 0);
    CHECK(system == NULL && result != NULL);
    CoTaskMemFree(result);
    EXPECT(PENDING, HcsCreateComputeSystem(L"v1-client", container_v1, NULL,
                                           &system, &result));
    CHECK(system != NULL);
    /* Registered late: the completion waited. */
    EXPECT(0, HcsRegisterComputeSystemCallback(system, (void *)on_notification,
                                               (void *)42, &callback));
    wait_for(created);
    EXPECT(PENDING, HcsStartComputeSystem(system, L"", &result));
    wait_for(started);
    EXPECT(0, HcsEnumerateComputeSystems(L"", &document, &result));
    CHECK(wcsstr(document, L"v1-client") != NULL);
    CoTaskMemFree(document);
    EXPECT(0, HcsGetComputeSystemProperties(system, L"", &document, &result));
    CHECK(wcsstr(document, L"Running") != NULL);
    CoTaskMemFree(document);
    run_process(system);
    unregister_while_told(system);
    EXPECT(0, HcsOpenComputeSystem(L"v1-client", &second, &result));
    EXPECT(PENDING, HcsTerminateComputeSystem(system, L"", &result));
    wait_for(exited);
    EXPECT(CODE(0xC0370110), HcsTerminateComputeSystem(second, L"", &result));
    CoTaskMemFree(result);
    EXPECT(0, HcsUnregisterComputeSystemCallback(callback));
    EXPECT(0, HcsCloseComputeSystem(second));
    EXPECT(0, HcsCloseComputeSystem(system));
    CHECK(HcsCloseComputeSystem(system) < 0);
    CHECK(HcsStartComputeSystem(system, L"", &result) < 0);
    puts("ok");
    return 0;
}
