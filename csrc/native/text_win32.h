/*
 * text_win32.h - between the UTF-16 of Windows and the UTF-8 of the shim.
 */
#ifndef HCSSHIM_NATIVE_TEXT_WIN32_H
#define HCSSHIM_NATIVE_TEXT_WIN32_H

#include <stddef.h>
#include <windows.h>

/* UTF-8 of a text, from malloc(); NULL for NULL, and when there is no memory.
 */
char *hcsshim__text_narrow(const wchar_t *text, size_t *length);

/* UTF-16 of a text, for CoTaskMemFree(); NULL for NULL, or without memory. */
wchar_t *hcsshim__text_wide(const char *text, size_t length);

/* 8-4-4-4-12 digits and a NUL. */
#define HCSSHIM_GUID_TEXT 37
void hcsshim__guid_write(const GUID *guid, char text[HCSSHIM_GUID_TEXT]);

/* The other way; 0 if it is no GUID. */
int hcsshim__guid_read(const char *text, GUID *guid);

/*
 * Fill a caller's buffer of '*length' units, NUL included; without a buffer
 * only tell how many it takes. Returns 0 or ERROR_INSUFFICIENT_BUFFER.
 */
HRESULT hcsshim__text_fill(const char *text, size_t length, SIZE_T *units,
                           wchar_t *buffer);

#endif
