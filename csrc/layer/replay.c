/* replay.c - the members of a layer, one after another. */
#include "layer/replay.h"

#include <stdlib.h>
#include <string.h>

#include "layer/file.h"
#include "layer/node.h"

struct hcsshim__replay {
    int64_t file;
    hcsshim__tar *tar;
    void *memory;
    uint8_t *buffer;
    size_t begin;
    size_t end;
    size_t room;
    hcsshim__bytes raw;
    uint64_t body; /* that the reader has to pass over */
};

/* Have at least 'length' bytes in the buffer. Returns 1, or 0 at the end. */
static int32_t fill(hcsshim__replay *replay, size_t length)
{
    if (length > replay->room) {
        void *memory;
        uint8_t *buffer = hcsshim__file_buffer(length * 2, &memory);

        if (buffer == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        memcpy(buffer, replay->buffer + replay->begin,
               replay->end - replay->begin);
        free(replay->memory);
        replay->memory = memory;
        replay->buffer = buffer;
        replay->room = length * 2;
        replay->end -= replay->begin;
        replay->begin = 0;
    }
    while (replay->end - replay->begin < length) {
        size_t got;
        int32_t hr;

        if (replay->begin > 0) {
            memmove(replay->buffer, replay->buffer + replay->begin,
                    replay->end - replay->begin);
            replay->end -= replay->begin;
            replay->begin = 0;
        }
        hr = hcsshim__file_read(replay->file, replay->buffer + replay->end,
                                replay->room - replay->end, &got);
        if (hr < 0)
            return hr;
        if (got == 0)
            return replay->end > replay->begin ? HCSSHIM_E_INVALID_DATA : 0;
        replay->end += got;
    }
    return 1;
}

static int32_t open_file(hcsshim__tree *tree, hcsshim__replay *replay)
{
    static const hcsshim__tar_text folder = {
        HCSSHIM__MEMBERS_FOLDER, sizeof HCSSHIM__MEMBERS_FOLDER - 1};
    int64_t inside;
    hcsshim__node node;
    int32_t hr = hcsshim__tree_open_folder(tree, folder, &inside);

    if (hr >= 0)
        hr = hcsshim__node_open(inside, "members", &replay->file, &node);
    hcsshim__node_close(inside);
    if (hr >= 0)
        hr = fill(replay, 8);
    if (hr < 0)
        return hr;
    if (hr == 0 || memcmp(replay->buffer, HCSSHIM__MEMBERS_MAGIC, 8) != 0)
        return HCSSHIM_E_INVALID_DATA;
    replay->begin = 8;
    return 0;
}

int32_t hcsshim__replay_open(hcsshim__tree *tree, hcsshim__replay **out)
{
    hcsshim__replay *replay = calloc(1, sizeof *replay);
    int32_t hr;

    *out = NULL;
    if (replay == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    replay->file = -1;
    replay->room = HCSSHIM__FILE_PIECE;
    replay->buffer = hcsshim__file_buffer(replay->room, &replay->memory);
    hr = replay->buffer == NULL ? HCSSHIM_E_OUTOFMEMORY : 0;
    if (hr >= 0)
        hr = hcsshim__tar_new(HCSSHIM__TAR_APPLY_GLOBAL, &replay->tar);
    if (hr >= 0)
        hr = open_file(tree, replay);
    if (hr < 0)
        hcsshim__replay_free(replay);
    else
        *out = replay;
    return hr;
}

void hcsshim__replay_free(hcsshim__replay *replay)
{
    if (replay == NULL)
        return;
    hcsshim__node_close(replay->file);
    hcsshim__tar_free(replay->tar);
    free(replay->memory);
    free(replay->raw.data);
    free(replay);
}

static int32_t read_record(hcsshim__replay *replay, hcsshim__member_head *head)
{
    int32_t hr = fill(replay, HCSSHIM__MEMBERS_HEAD);

    if (hr <= 0)
        return hr;
    hr = hcsshim__members_head(replay->buffer + replay->begin, head);
    if (hr < 0)
        return hr;
    replay->begin += HCSSHIM__MEMBERS_HEAD;
    hr = fill(replay, head->squeezed);
    if (hr <= 0)
        return hr < 0 ? hr : HCSSHIM_E_INVALID_DATA;
    if (head->length > replay->raw.room) {
        uint8_t *more = realloc(replay->raw.data, (size_t)head->length * 2);

        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        replay->raw.data = more;
        replay->raw.room = (size_t)head->length * 2;
    }
    hr = hcsshim__members_restore(head, replay->buffer + replay->begin,
                                  replay->raw.data);
    replay->begin += head->squeezed;
    return hr < 0 ? hr : 1;
}

/* Take the header bytes to the entry in them. */
static int32_t parse(hcsshim__replay *replay, const hcsshim__member_head *head,
                     hcsshim__replayed *out)
{
    hcsshim__tar_step step;
    int32_t hr;

    hcsshim__tar_feed(replay->tar, replay->raw.data, head->length);
    do
        hr = hcsshim__tar_next(replay->tar, &step);
    while (hr == HCSSHIM__TAR_DATA || hr == HCSSHIM__TAR_HOLE);
    if (hr != HCSSHIM__TAR_ENTRY)
        return hr < 0 ? hr : HCSSHIM_E_INVALID_DATA;
    out->entry = step.entry;
    return 0;
}

/* The body of the record before is in a file: the reader passes over it. */
static int32_t pass_body(hcsshim__replay *replay, uint64_t left)
{
    hcsshim__tar_step step;

    while (left > 0) {
        int32_t hr = hcsshim__tar_next(replay->tar, &step);
        uint64_t part = hcsshim__tar_following(replay->tar);

        if (hr < 0 || hr == HCSSHIM__TAR_END || hr == HCSSHIM__TAR_ENTRY)
            return hr < 0 ? hr : HCSSHIM_E_INVALID_DATA;
        if (part > left || (part == 0 && hr == HCSSHIM__TAR_MORE))
            return HCSSHIM_E_INVALID_DATA;
        hcsshim__tar_passed(replay->tar, part);
        left -= part;
    }
    return 0;
}

int32_t hcsshim__replay_next(hcsshim__replay *replay, hcsshim__replayed *out)
{
    int32_t hr = pass_body(replay, replay->body);

    replay->body = 0;
    if (hr >= 0)
        hr = read_record(replay, &out->head);
    if (hr <= 0)
        return hr;
    out->raw = replay->raw.data;
    out->entry = NULL;
    if ((out->head.flags & HCSSHIM__MEMBER_END) != 0)
        return 1;
    replay->body = out->head.body;
    hr = parse(replay, &out->head, out);
    return hr < 0 ? hr : 1;
}
