/* computecore.h - the local exports of computecore.dll, which are hand-written.
 */
#ifndef HCSSHIM_DLL_COMPUTECORE_H
#define HCSSHIM_DLL_COMPUTECORE_H

#include "dll/dll.h"

enum { HCSSHIM_TYPE_CREATE_PROCESS = 10, HCSSHIM_TYPE_GET_PROCESS_INFO = 12 };

typedef void(CALLBACK *hcsshim__completion_callback)(void *operation,
                                                     void *context);

/* Tell the listener of a handle that an operation is done. Under the lock. */
void hcsshim__handle_tell_operation(uint64_t system, uint64_t process,
                                    uint32_t type, uint64_t operation);

void *WINAPI HcsCreateOperation(void *context,
                                hcsshim__completion_callback callback);
void *WINAPI HcsCreateOperationWithNotifications(DWORD event_types,
                                                 void *context, void *callback);
void WINAPI HcsCloseOperation(void *operation);
void *WINAPI HcsGetOperationContext(void *operation);
HRESULT WINAPI HcsSetOperationContext(void *operation, void *context);
HRESULT WINAPI HcsSetOperationCallback(void *operation, void *context,
                                       hcsshim__completion_callback callback);
void *WINAPI HcsGetComputeSystemFromOperation(void *operation);
void *WINAPI HcsGetProcessFromOperation(void *operation);
int WINAPI HcsGetOperationType(void *operation);
UINT64 WINAPI HcsGetOperationId(void *operation);
HRESULT WINAPI HcsGetOperationResult(void *operation, wchar_t **document);
HRESULT WINAPI HcsGetOperationResultAndProcessInfo(
    void *operation, hcsshim__process_information *information,
    wchar_t **document);
HRESULT WINAPI HcsWaitForOperationResult(void *operation, DWORD timeout_ms,
                                         wchar_t **document);
HRESULT WINAPI HcsWaitForOperationResultAndProcessInfo(
    void *operation, DWORD timeout_ms,
    hcsshim__process_information *information, wchar_t **document);
HRESULT WINAPI HcsCancelOperation(void *operation);
HRESULT WINAPI HcsGetOperationProperties(void *operation,
                                         const wchar_t *options,
                                         wchar_t **document);
HRESULT WINAPI HcsAddResourceToOperation(void *operation, DWORD type,
                                         const wchar_t *uri, HANDLE resource);

#endif
