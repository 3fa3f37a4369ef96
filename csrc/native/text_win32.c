/* text_win32.c - UTF-16 and UTF-8, GUIDs and their text. */
#include <limits.h>
#include <objbase.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "native/text_win32.h"

char *hcsshim__text_narrow(const wchar_t *text, size_t *length)
{
    size_t units = text == NULL ? 0 : wcslen(text);
    char *narrow;
    int size;

    *length = 0;
    if (text == NULL || units > INT_MAX)
        return NULL;
    size =
        WideCharToMultiByte(CP_UTF8, 0, text, (int)units, NULL, 0, NULL, NULL);
    narrow = malloc((size_t)size + 1);
    if (narrow == NULL)
        return NULL;
    size = WideCharToMultiByte(CP_UTF8, 0, text, (int)units, narrow, size, NULL,
                               NULL);
    narrow[size] = '\0';
    *length = (size_t)size;
    return narrow;
}

wchar_t *hcsshim__text_wide(const char *text, size_t length)
{
    wchar_t *wide;
    int size;

    if (text == NULL || length > INT_MAX)
        return NULL;
    size = MultiByteToWideChar(CP_UTF8, 0, text, (int)length, NULL, 0);
    wide = CoTaskMemAlloc(((size_t)size + 1) * sizeof *wide);
    if (wide == NULL)
        return NULL;
    MultiByteToWideChar(CP_UTF8, 0, text, (int)length, wide, size);
    wide[size] = L'\0';
    return wide;
}

void hcsshim__guid_write(const GUID *guid, char text[HCSSHIM_GUID_TEXT])
{
    const unsigned char *end = guid->Data4;

    snprintf(text, HCSSHIM_GUID_TEXT,
             "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid->Data1,
             guid->Data2, guid->Data3, end[0], end[1], end[2], end[3], end[4],
             end[5], end[6], end[7]);
}

int hcsshim__guid_read(const char *text, GUID *guid)
{
    unsigned part[11];

    if (sscanf(text, "%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x", &part[0],
               &part[1], &part[2], &part[3], &part[4], &part[5], &part[6],
               &part[7], &part[8], &part[9], &part[10]) != 11)
        return 0;
    guid->Data1 = part[0];
    guid->Data2 = (USHORT)part[1];
    guid->Data3 = (USHORT)part[2];
    for (int i = 0; i < 8; i++)
        guid->Data4[i] = (unsigned char)part[3 + i];
    return 1;
}

HRESULT hcsshim__text_fill(const char *text, size_t length, SIZE_T *units,
                           wchar_t *buffer)
{
    wchar_t *wide = hcsshim__text_wide(text, length);
    SIZE_T room = *units, needed;

    if (wide == NULL)
        return E_OUTOFMEMORY;
    needed = wcslen(wide) + 1;
    *units = needed == 1 ? 0 : needed; /* 0: there is no such path */
    if (buffer != NULL && room >= needed)
        memcpy(buffer, wide, needed * sizeof *wide);
    CoTaskMemFree(wide);
    return buffer == NULL || room >= needed
               ? 0
               : HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER);
}
