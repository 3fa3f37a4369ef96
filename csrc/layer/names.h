/*
 * names.h - which names of members become which paths of a layer.
 *
 * A path out of here is relative and clean: no empty parts, no "." and no
 * "..", no NUL. Names that want out of the layer, or that Windows would take
 * for something else than a file, are refused with a reason.
 */
#ifndef HCSSHIM_LAYER_NAMES_H
#define HCSSHIM_LAYER_NAMES_H

#include "layer/tar_read.h"

/* A path with the room it lies in; begin with zeros, end with free(data). */
typedef struct hcsshim__path {
    char *data;
    size_t length;
    size_t room;
} hcsshim__path;

/* Bytes that grow, likewise. */
typedef struct hcsshim__bytes {
    uint8_t *data;
    size_t length;
    size_t room;
} hcsshim__bytes;

/* Have room for 'length' bytes. Returns 0 or E_OUTOFMEMORY. */
int32_t hcsshim__bytes_reserve(hcsshim__bytes *bytes, size_t length);

static inline hcsshim__tar_text hcsshim__path_text(const hcsshim__path *path)
{
    return (hcsshim__tar_text){path->length > 0 ? path->data : "",
                               path->length};
}

/*
 * hcsshim__path_clean() - make a path of a member's name.
 *
 * reason: set to what is wrong, as the rest of a sentence.
 *
 * Returns 0, E_INVALID_DATA with a reason, or E_OUTOFMEMORY. The path of "./"
 * is empty.
 */
int32_t hcsshim__path_clean(hcsshim__path *path, hcsshim__tar_text name,
                            const char **reason);

/* Add '/' and a part. */
int32_t hcsshim__path_add(hcsshim__path *path, const char *part, size_t length);

/*
 * hcsshim__path_to_link() - the target of a symbolic link for this system.
 *
 * A link of Windows has backslashes and may be longer than links here are.
 */
void hcsshim__path_to_link(hcsshim__path *path);

/* Add to the last part. */
int32_t hcsshim__path_extend(hcsshim__path *path, const char *text,
                             size_t length);

/* Where the last part begins. */
size_t hcsshim__path_last(hcsshim__tar_text path);

/*
 * hcsshim__path_check_windows() - what Windows adds, for a clean path.
 *
 * No backslash, no device's name (CON, nul.txt), no stream (':') but in the
 * last part when 'stream' is set to where it begins; without one it is set to
 * the length. Only Files, Hives, UtilityVM and UtilityVM/Files have members.
 */
int32_t hcsshim__path_check_windows(hcsshim__tar_text path, size_t *stream,
                                    const char **reason);

/* Whether a clean path is one that a Windows layer has members at. */
int hcsshim__path_is_layers(hcsshim__tar_text path);

/* A hash that is not 0. */
uint64_t hcsshim__path_hash(hcsshim__tar_text path);

/* 64-bit hashes of paths; 0 is free. Begin with zeros. */
typedef struct hcsshim__path_set {
    uint64_t *table;
    size_t count;
    size_t room; /* a power of two, or 0 */
} hcsshim__path_set;

int32_t hcsshim__path_set_add(hcsshim__path_set *set, uint64_t hash);
int hcsshim__path_set_has(const hcsshim__path_set *set, uint64_t hash);

int hcsshim__text_is(hcsshim__tar_text text, const char *literal);
int hcsshim__text_starts(hcsshim__tar_text text, const char *literal);

#endif
