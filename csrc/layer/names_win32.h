/*
 * names_win32.h - names of tars as names of Windows, and opening by them.
 *
 * A tar's names are any bytes, and mostly UTF-8. What is no UTF-8, and what
 * Windows has no use for in a name (a quote, a star), becomes half a surrogate
 * pair, 0xDC00 and the byte: such names come back, and none is another's.
 */
#ifndef HCSSHIM_LAYER_NAMES_WIN32_H
#define HCSSHIM_LAYER_NAMES_WIN32_H

#include <windows.h>

#include "layer/names.h"

/* What NTFS holds of a name, in units. */
#define HCSSHIM__NAME_UNITS 255

/*
 * hcsshim__name_store() - the units of one part of a path.
 *
 * Returns how many, or -1: it is too long for Windows.
 */
int hcsshim__name_store(const char *name, size_t length,
                        wchar_t out[HCSSHIM__NAME_UNITS]);

/* The bytes of a name; out: room for 3 bytes each unit. Returns how many. */
size_t hcsshim__name_load(const wchar_t *units, size_t count, char *out);

/*
 * hcsshim__name_open() - open one part of a path in an open folder.
 *
 * Never follows a reparse point. disposition, options: of NtCreateFile.
 *
 * Returns 0, or an error: ERROR_INVALID_NAME for a name that the file system
 * cannot hold.
 */
int32_t hcsshim__name_open(HANDLE folder, const char *name, size_t length,
                           ACCESS_MASK access, ULONG disposition, ULONG options,
                           HANDLE *out);

/*
 * hcsshim__path_open() - open a folder by a path of the user's, in UTF-8.
 *
 * The path may be of any length, and relative to the current folder.
 */
int32_t hcsshim__path_open(const char *path, HANDLE *out);
/* The same for the folder that a path is in; name: set to its last part. */
int32_t hcsshim__path_open_parent(const char *path, HANDLE *out,
                                  const char **name);

/* Whether an error says that a name, or the folder before it, is not there. */
int hcsshim__is_missing(int32_t hr);

#define HCSSHIM__INVALID_NAME ((int32_t)HRESULT_FROM_WIN32(ERROR_INVALID_NAME))
#define HCSSHIM__TAKEN ((int32_t)HRESULT_FROM_WIN32(ERROR_ALREADY_EXISTS))

/* An error of ntdll as an HRESULT. */
int32_t hcsshim__hresult_from_status(LONG status);

#endif
