/*
 * unpack_kept.c - members of a Windows layer that the system has no file for.
 *
 * Two names may be one to it, or a name none; links may be nothing it can make.
 * Then the members file keeps what it needs to give the member back: alone, or
 * with the bytes in a numbered file, or with a file in the link's place.
 */
#include <stdio.h>
#include <string.h>

#include "layer/node.h"
#include "layer/unpack.h"
#include "layer/windows_meta.h"

int32_t hcsshim__unpack_collect(hcsshim_unpack *unpack,
                                const hcsshim__tar_entry *entry)
{
    hcsshim__tree_windows *windows = &unpack->windows;
    const char *reason;
    int32_t hr = 0;

    if (!hcsshim__tree_is_windows(unpack->tree))
        return 0;
    if (unpack->streams.buffer == NULL)
        hr = hcsshim__sink_init(&unpack->streams, HCSSHIM__SINK_MEMORY,
                                HCSSHIM__SINK_PLAIN);
    if (hr < 0)
        return hr;
    hcsshim__sink_clear(&unpack->streams);
    reason = hcsshim__windows_info(entry, &windows->info);
    if (reason == NULL)
        hr = hcsshim__windows_streams(entry, &unpack->streams, &unpack->scratch,
                                      &reason);
    /* What the file cannot have, the members file has. */
    if (hr < 0 || reason != NULL)
        return hr == HCSSHIM_E_OUTOFMEMORY ? hr : 0;
    windows->streams = unpack->streams.buffer;
    windows->length = unpack->streams.used;
    unpack->meta.windows = windows;
    return 0;
}

int32_t hcsshim__unpack_note(hcsshim_unpack *unpack, int32_t hr)
{
    if (hr == HCSSHIM__TREE_TEXT)
        unpack->head.flags |= HCSSHIM__MEMBER_TEXT;
    if (hr != HCSSHIM__TREE_KEPT)
        return hr < 0 ? hr : 0;
    unpack->head.flags |= HCSSHIM__MEMBER_KEPT;
    return hcsshim__path_set_add(
        &unpack->kept, hcsshim__path_hash(hcsshim__path_text(&unpack->path)));
}

int32_t hcsshim__unpack_mark(hcsshim_unpack *unpack, int32_t hr)
{
    if (hr == HCSSHIM__TREE_KEPT)
        unpack->head.flags |= HCSSHIM__MEMBER_KEPT;
    return hr < 0 ? hr : 0;
}

int hcsshim__unpack_is_kept(const hcsshim_unpack *unpack,
                            const hcsshim__path *path)
{
    return hcsshim__path_set_has(&unpack->kept,
                                 hcsshim__path_hash(hcsshim__path_text(path)));
}

hcsshim__tar_text hcsshim__unpack_number(hcsshim_unpack *unpack,
                                         char name[HCSSHIM__NUMBERED])
{
    int length;

    unpack->head.stream = ++unpack->numbered;
    length = snprintf(name, HCSSHIM__NUMBERED, "%s/%u",
                      HCSSHIM__MEMBERS_STREAMS, unpack->numbered);
    return (hcsshim__tar_text){name, (size_t)length};
}

int32_t hcsshim__unpack_aside(hcsshim_unpack *unpack, int64_t *file)
{
    char name[HCSSHIM__NUMBERED];
    int32_t hr = hcsshim__path_set_add(
        &unpack->kept, hcsshim__path_hash(hcsshim__path_text(&unpack->path)));

    unpack->head.flags |= HCSSHIM__MEMBER_ASIDE;
    if (hr < 0)
        return hr;
    return hcsshim__tree_create(
        unpack->tree, hcsshim__unpack_number(unpack, name), 0644, file);
}
