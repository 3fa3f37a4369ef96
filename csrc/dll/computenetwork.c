/* computenetwork.c - the local export of computenetwork.dll. */
#include <objbase.h>

#include "dll/dll.h"

void WINAPI HcnFreeGuestNetworkPortReservations(void *entries);

void WINAPI HcnFreeGuestNetworkPortReservations(void *entries)
{
    CoTaskMemFree(entries);
}
