/* hns.c - HNSCall and the Hcn calls as a stranger uses them. */
#include "client.h"

#include <objbase.h>

#define NETWORK L"computenetwork.dll"

static HANDLE told;

static void CALLBACK on_notification(DWORD type, void *context, HRESULT status,
                                     const wchar_t *data)
{
    (void)data;
    EXPECT(9, (intptr_t)context);
    EXPECT(0, status);
    if (type == 2) /* NetworkCreate */
        SetEvent(told);
}

static void version_1(void)
{
    USE(L"vmcompute.dll", HRESULT, HNSCall, const wchar_t *, const wchar_t *,
        const wchar_t *, wchar_t **);
    wchar_t *response = NULL;

    EXPECT(0, HNSCall(L"GET", L"/globals/version", L"", &response));
    CHECK(response != NULL && wcsstr(response, L"\"Major\"") != NULL);
    CoTaskMemFree(response);
    response = NULL;
    EXPECT(0, HNSCall(L"GET", L"/networks/", L"", &response));
    CHECK(response != NULL && wcsstr(response, L"\"Success\"") != NULL);
    CoTaskMemFree(response);
}

static void version_2(void)
{
    USE(NETWORK, HRESULT, HcnCreateNetwork, const GUID *, const wchar_t *,
        void **, wchar_t **);
    USE(NETWORK, HRESULT, HcnOpenNetwork, const GUID *, void **, wchar_t **);
    USE(NETWORK, HRESULT, HcnQueryNetworkProperties, void *, const wchar_t *,
        wchar_t **, wchar_t **);
    USE(NETWORK, HRESULT, HcnEnumerateNetworks, const wchar_t *, wchar_t **,
        wchar_t **);
    USE(NETWORK, HRESULT, HcnDeleteNetwork, const GUID *, wchar_t **);
    USE(NETWORK, HRESULT, HcnCloseNetwork, void *);
    USE(NETWORK, HRESULT, HcnRegisterServiceCallback, void *, void *, void **);
    USE(NETWORK, HRESULT, HcnUnregisterServiceCallback, void *);
    static const GUID id = {
        0x12345678, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 8}};
    void *network = NULL, *callback = NULL;
    wchar_t *text = NULL, *record = NULL;

    EXPECT(0, HcnRegisterServiceCallback((void *)on_notification, (void *)9,
                                         &callback));
    CHECK(HcnOpenNetwork(&id, &network, &record) < 0);
    CHECK(network == NULL && record != NULL);
    CHECK(wcsstr(record, L"\"ErrorCode\"") != NULL);
    CoTaskMemFree(record);
    CHECK(HcnCreateNetwork(&id, L"{nonsense", &network, &record) < 0);
    CoTaskMemFree(record);
    EXPECT(0, HcnCreateNetwork(&id,
                               L"{\"Name\":\"client\",\"Type\":\"Internal\","
                               L"\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}",
                               &network, &record));
    CHECK(network != NULL && record == NULL);
    EXPECT(WAIT_OBJECT_0, WaitForSingleObject(told, 60000));
    EXPECT(0, HcnQueryNetworkProperties(network, L"", &text, &record));
    CHECK(wcsstr(text, L"client") != NULL);
    CoTaskMemFree(text);
    EXPECT(0, HcnEnumerateNetworks(L"", &text, &record));
    CHECK(wcsstr(text, L"12345678") != NULL);
    CoTaskMemFree(text);
    EXPECT(0, HcnCloseNetwork(network));
    CHECK(HcnCloseNetwork(network) < 0);
    EXPECT(0, HcnDeleteNetwork(&id, &record));
    CHECK(HcnDeleteNetwork(&id, &record) < 0);
    CoTaskMemFree(record);
    EXPECT(0, HcnUnregisterServiceCallback(callback));
    CHECK(HcnUnregisterServiceCallback(callback) < 0);
}

int main(void)
{
    told = CreateEventW(NULL, TRUE, FALSE, NULL);
    version_1();
    version_2();
    puts("ok");
    return 0;
}
