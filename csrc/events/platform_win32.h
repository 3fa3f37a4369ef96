/* platform_win32.h - locks and threads of Windows, without its headers. */
#ifndef HCSSHIM_EVENTS_PLATFORM_WIN32_H
#define HCSSHIM_EVENTS_PLATFORM_WIN32_H

typedef struct hcsshim__mutex {
    void *lock; /* an SRWLOCK */
} hcsshim__mutex;

typedef void *hcsshim__thread; /* a HANDLE */

#endif
