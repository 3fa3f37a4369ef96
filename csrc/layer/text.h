/*
 * text.h - text of Windows as text of tars, and bytes as base64.
 *
 * Windows' names are any 16-bit units, little-endian here; those of tars are
 * UTF-8. A unit that is half of a pair takes three bytes there ("WTF-8"), so
 * that every name of Windows comes back.
 */
#ifndef HCSSHIM_LAYER_TEXT_H
#define HCSSHIM_LAYER_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * hcsshim__utf16_store() - UTF-8 to units.
 *
 * out: room for twice as many bytes as 'length'.
 *
 * Returns the bytes it took, or -1 if the text is no UTF-8.
 */
int64_t hcsshim__utf16_store(const char *text, size_t length, uint8_t *out);

/*
 * hcsshim__utf8_store() - units to UTF-8.
 *
 * length: in bytes; an odd one is cut. out: room for 3 bytes each unit.
 *
 * Returns the bytes it took.
 */
size_t hcsshim__utf8_store(const uint8_t *units, size_t length, char *out);

#define HCSSHIM__BASE64_ROOM(length) (((length) + 2) / 3 * 4)

/* Returns HCSSHIM__BASE64_ROOM(length). */
size_t hcsshim__base64_store(const uint8_t *data, size_t length, char *out);

/*
 * hcsshim__base64_load() - the bytes of padded base64 without anything else.
 *
 * out: room for length / 4 * 3 bytes. Returns how many, or -1.
 */
int64_t hcsshim__base64_load(const char *text, size_t length, uint8_t *out);

#endif
