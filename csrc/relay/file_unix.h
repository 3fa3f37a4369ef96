/* file_unix.h - the part of descriptors that Linux does differently. */
#ifndef HCSSHIM_RELAY_FILE_UNIX_H
#define HCSSHIM_RELAY_FILE_UNIX_H

/*
 * Open the file of a descriptor anew, not blocking, so that whoever shares the
 * descriptor keeps it as it is. -1 where that cannot be done.
 */
int hcsshim__file_reopen(int file, int side);

#endif
