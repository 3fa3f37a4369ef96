/*
 * log.h - what passes through a transfer, kept line by line in a file.
 *
 * The format is that of the container runtime interface: time, stream, a tag
 * and the content, which is split where a line is longer than 16 KiB:
 *
 *     2016-10-06T00:17:09.669794202Z stdout F the whole of a line
 */
#ifndef HCSSHIM_RELAY_LOG_H
#define HCSSHIM_RELAY_LOG_H

#include <stddef.h>
#include <stdint.h>

enum { HCSSHIM_LOG_LINE = 16 * 1024 };

typedef struct hcsshim__log hcsshim__log;

/*
 * file: a regular file, written to at its end; becomes the log's on success.
 * stream: its name, a literal: "stdout", "stderr". NULL without memory.
 */
hcsshim__log *hcsshim__log_new(int64_t file, const char *stream);

/*
 * Write the lines that these bytes complete; the rest waits for more. The first
 * failure of the file ends the writing, and is told by _end().
 */
void hcsshim__log_write(hcsshim__log *log, const char *bytes, size_t length);

/* Write what waits, close the file, free all. Returns 0 or an HRESULT. */
int32_t hcsshim__log_end(hcsshim__log *log);

#endif
