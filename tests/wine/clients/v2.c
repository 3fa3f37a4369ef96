/* v2.c - computecore.dll as a stranger uses it: life cycle, misuse, callbacks.
 */
#include "client.h"

#define CORE L"computecore.dll"

static HANDLE exited, completed;
static LONG events, completions;
static HRESULT exit_type_seen;

static void CALLBACK on_event(hcs_event *event, void *context)
{
    EXPECT(4711, (intptr_t)context);
    InterlockedIncrement(&events);
    if (event->type == 1) {
        CHECK(event->data != NULL && wcsstr(event->data, L"Status") != NULL);
        exit_type_seen = 1;
        SetEvent(exited);
    }
}

static void CALLBACK on_completion(void *operation, void *context)
{
    USE(CORE, void, HcsCloseOperation, void *);

    EXPECT(77, (intptr_t)context);
    InterlockedIncrement(&completions);
    HcsCloseOperation(operation); /* allowed inside its own callback */
    SetEvent(completed);
}

static void operations(void)
{
    USE(CORE, void *, HcsCreateOperation, void *, void *);
    USE(CORE, void, HcsCloseOperation, void *);
    USE(CORE, void *, HcsGetOperationContext, void *);
    USE(CORE, HRESULT, HcsSetOperationContext, void *, void *);
    USE(CORE, int, HcsGetOperationType, void *);
    USE(CORE, UINT64, HcsGetOperationId, void *);
    USE(CORE, HRESULT, HcsGetOperationResult, void *, wchar_t **);
    USE(CORE, HRESULT, HcsWaitForOperationResult, void *, DWORD, wchar_t **);
    USE(CORE, HRESULT, HcsWaitForOperationResultAndProcessInfo, void *, DWORD,
        process_information *, wchar_t **);
    USE(CORE, HRESULT, HcsCancelOperation, void *);
    USE(CORE, HRESULT, HcsEnumerateComputeSystems, const wchar_t *, void *);
    process_information information;
    wchar_t *document = NULL;
    void *operation = HcsCreateOperation((void *)5, NULL);

    CHECK(operation != NULL);
    EXPECT(5, (intptr_t)HcsGetOperationContext(operation));
    EXPECT(0, HcsSetOperationContext(operation, (void *)6));
    EXPECT(6, (intptr_t)HcsGetOperationContext(operation));
    EXPECT(-1, HcsGetOperationType(operation));
    CHECK(HcsGetOperationId(operation) == UINT64_MAX);
    EXPECT(CODE(0x80370115), HcsGetOperationResult(operation, &document));
    EXPECT(CODE(E_NOTIMPL), HcsCancelOperation(operation));
    for (int i = 0; i < 3; i++) { /* one operation serves many calls */
        EXPECT(0, HcsEnumerateComputeSystems(NULL, operation));
        EXPECT(0, HcsWaitForOperationResult(operation, INFINITE, &document));
        CHECK(document != NULL && document[0] == L'[');
        CoTaskMemFree(document);
    }
    EXPECT(0, HcsGetOperationType(operation));
    EXPECT(CODE(E_INVALIDARG), HcsWaitForOperationResultAndProcessInfo(
                                   operation, INFINITE, &information, NULL));
    HcsCloseOperation(operation);
    HcsCloseOperation(operation); /* twice: nothing happens */
    EXPECT(CODE(E_HANDLE), HcsGetOperationResult(operation, &document));
    EXPECT(CODE(E_HANDLE), HcsEnumerateComputeSystems(NULL, operation));
    CHECK(HcsGetOperationContext(operation) == NULL);
}

static HRESULT finish(void *operation, wchar_t **document)
{
    USE(CORE, HRESULT, HcsWaitForOperationResult, void *, DWORD, wchar_t **);

    return HcsWaitForOperationResult(operation, 60000, document);
}

static void run_process(void *system, void *operation)
{
    USE(CORE, HRESULT, HcsCreateProcess, void *, const wchar_t *, void *,
        void *, void **);
    USE(CORE, HRESULT, HcsWaitForOperationResultAndProcessInfo, void *, DWORD,
        process_information *, wchar_t **);
    USE(CORE, HRESULT, HcsGetProcessProperties, void *, void *,
        const wchar_t *);
    USE(CORE, HRESULT, HcsWaitForProcessExit, void *, DWORD, wchar_t **);
    USE(CORE, void, HcsCloseProcess, void *);
    USE(CORE, HRESULT, HcsOpenProcess, void *, DWORD, DWORD, void **);
    process_information information;
    wchar_t *document = NULL;
    void *process = NULL, *again = NULL;
    char output[64];

    EXPECT(0,
           HcsCreateProcess(system, echo_process, operation, NULL, &process));
    CHECK(process != NULL);
    EXPECT(0, HcsWaitForOperationResultAndProcessInfo(operation, 60000,
                                                      &information, NULL));
    CHECK(information.process_id != 0 && information.output != NULL);
    CHECK(information.input == NULL && information.error == NULL);
    EXPECT(0,
           HcsOpenProcess(system, information.process_id, GENERIC_ALL, &again));
    HcsCloseProcess(again);
    EXPECT(7, read_all(information.output, output, sizeof output));
    EXPECT(0, strcmp(output, "hello\r\n"));
    CloseHandle(information.output);
    EXPECT(0, HcsWaitForProcessExit(process, 60000, &document));
    EXPECT(0, HcsGetProcessProperties(process, operation, NULL));
    EXPECT(0, finish(operation, &document));
    CHECK(wcsstr(document, L"\"ExitCode\":0") != NULL);
    CoTaskMemFree(document);
    HcsCloseProcess(process);
    HcsCloseProcess(process); /* stale: nothing happens */
    EXPECT(CODE(0x800706EF), HcsGetProcessProperties(process, operation, NULL));
}

static void life(const wchar_t *id)
{
    USE(CORE, void *, HcsCreateOperation, void *, void *);
    USE(CORE, void, HcsCloseOperation, void *);
    USE(CORE, HRESULT, HcsCreateComputeSystem, const wchar_t *, const wchar_t *,
        void *, void *, void **);
    USE(CORE, HRESULT, HcsOpenComputeSystem, const wchar_t *, DWORD, void **);
    USE(CORE, HRESULT, HcsStartComputeSystem, void *, void *, const wchar_t *);
    USE(CORE, HRESULT, HcsTerminateComputeSystem, void *, void *,
        const wchar_t *);
    USE(CORE, HRESULT, HcsGetComputeSystemProperties, void *, void *,
        const wchar_t *);
    USE(CORE, HRESULT, HcsSetComputeSystemCallback, void *, DWORD, void *,
        void *);
    USE(CORE, HRESULT, HcsGetServiceProperties, const wchar_t *, wchar_t **);
    USE(CORE, void, HcsCloseComputeSystem, void *);
    USE(CORE, void *, HcsGetComputeSystemFromOperation, void *);
    void *operation = HcsCreateOperation(NULL, NULL);
    void *system = NULL, *second = NULL;
    wchar_t *document = NULL;

    EXPECT(CODE(0x8037010E), HcsOpenComputeSystem(id, GENERIC_ALL, &system));
    CHECK(system == NULL);
    EXPECT(0,
           HcsCreateComputeSystem(id, container_v2, operation, NULL, &system));
    CHECK(system != NULL);
    CHECK(HcsGetComputeSystemFromOperation(operation) == system);
    EXPECT(0, finish(operation, NULL));
    EXPECT(0, HcsSetComputeSystemCallback(system, 0, (void *)4711,
                                          (void *)on_event));
    EXPECT(0, HcsStartComputeSystem(system, operation, NULL));
    EXPECT(0, finish(operation, NULL));
    EXPECT(0, HcsStartComputeSystem(system, operation, L""));
    EXPECT(CODE(0x80370105), finish(operation, &document));
    CHECK(document != NULL && wcsstr(document, L"Error") != NULL);
    LocalFree(document); /* both ways of freeing are in use */
    EXPECT(0, HcsOpenComputeSystem(id, GENERIC_ALL, &second));
    EXPECT(0, HcsGetComputeSystemProperties(second, operation, NULL));
    EXPECT(0, finish(operation, &document));
    CHECK(wcsstr(document, L"Running") != NULL);
    CoTaskMemFree(document);
    HcsCloseComputeSystem(second);
    EXPECT(0, HcsGetServiceProperties(NULL, &document));
    CoTaskMemFree(document);
    run_process(system, operation);
    EXPECT(0, HcsTerminateComputeSystem(
                  system, HcsCreateOperation((void *)77, on_completion), NULL));
    EXPECT(WAIT_OBJECT_0, WaitForSingleObject(completed, 60000));
    EXPECT(WAIT_OBJECT_0, WaitForSingleObject(exited, 60000));
    HcsCloseComputeSystem(system);
    HcsCloseComputeSystem(system);
    EXPECT(CODE(0x800706EF), HcsStartComputeSystem(system, operation, NULL));
    HcsCloseOperation(operation);
    EXPECT(1, completions);
    EXPECT(1, exit_type_seen);
}

int main(void)
{
    exited = CreateEventW(NULL, TRUE, FALSE, NULL);
    completed = CreateEventW(NULL, TRUE, FALSE, NULL);
    operations();
    life(L"v2-client");
    puts("ok");
    return 0;
}
