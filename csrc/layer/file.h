/* file.h - reading and writing files where their position stands. */
#ifndef HCSSHIM_LAYER_FILE_H
#define HCSSHIM_LAYER_FILE_H

#include <stddef.h>
#include <stdint.h>

/* What is read or written in one go. */
#define HCSSHIM__FILE_PIECE ((size_t)256 * 1024)

/*
 * hcsshim__file_buffer() - memory for pieces, where the kernel copies fast.
 *
 * Some processors copy several times slower to an address that lies 16 bytes
 * after the source's place in its page, which is where malloc() puts large
 * buffers: the page cache's pages are aligned. So this is a page and 256 bytes.
 *
 * memory: set to what free() takes. Returns NULL when there is none.
 */
uint8_t *hcsshim__file_buffer(size_t length, void **memory);

/*
 * hcsshim__file_read() - read up to 'length' bytes.
 *
 * file: a descriptor, or a HANDLE on Windows.
 * got:  set to how many; 0 at the end.
 */
int32_t hcsshim__file_read(int64_t file, uint8_t *buffer, size_t length,
                           size_t *got);

/* Write all of it. */
int32_t hcsshim__file_write(int64_t file, const void *data, size_t length);

#endif
