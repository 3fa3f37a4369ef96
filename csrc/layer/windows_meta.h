/*
 * windows_meta.h - what Windows knows of a file, in the records of a tar.
 *
 * MSWINDOWS.fileattr, .rawsd, .mountpoint and .xattr.NAME, and
 * LIBARCHIVE.creationtime: the mapping of "backuptar".
 */
#ifndef HCSSHIM_LAYER_WINDOWS_META_H
#define HCSSHIM_LAYER_WINDOWS_META_H

#include "hcsshim.h"
#include "layer/sink.h"
#include "layer/tar_write.h"
#include "layer/unpack.h"

#define HCSSHIM__WINDOWS_FOLDER 0x10
#define HCSSHIM__WINDOWS_REPARSE 0x400

#define HCSSHIM__RECORD_CREATION "LIBARCHIVE.creationtime"
#define HCSSHIM__RECORD_ATTRIBUTES "MSWINDOWS.fileattr"
#define HCSSHIM__RECORD_MOUNT_POINT "MSWINDOWS.mountpoint"
#define HCSSHIM__RECORD_SECURITY "MSWINDOWS.rawsd"
#define HCSSHIM__RECORD_SECURITY_TEXT "MSWINDOWS.sd"
#define HCSSHIM__RECORD_EA "MSWINDOWS.xattr."

/* 100 ns since 1601. Returns 0 for a time before that. */
int hcsshim__filetime_load(hcsshim__tar_time time, uint64_t *out);
hcsshim__tar_time hcsshim__filetime_store(uint64_t ticks);

/*
 * hcsshim__windows_info() - times and attributes out of an entry.
 *
 * Returns NULL, or what is wrong.
 */
const char *hcsshim__windows_info(const hcsshim__tar_entry *entry,
                                  hcsshim_file_info *info);

/*
 * hcsshim__windows_streams() - write the streams before an entry's data:
 * security, attributes, reparse point.
 *
 * scratch: room that is kept from call to call.
 *
 * Returns 0, E_INVALID_DATA with a reason, E_OUTOFMEMORY.
 */
int32_t hcsshim__windows_streams(const hcsshim__tar_entry *entry,
                                 hcsshim__sink *sink, hcsshim__bytes *scratch,
                                 const char **reason);

#endif
