/* ext4_write.c - an image of ext4 out of a tar: the exported functions. */
#include <stdlib.h>
#include <string.h>

#include "layer/ext4_parts.h"
#include "layer/file.h"
#include "layer/verity.h"

#define KNOWN_FLAGS                                                            \
    (HCSSHIM_EXT4_OVERLAY | HCSSHIM_EXT4_BACKSLASH | HCSSHIM_EXT4_INLINE |     \
     HCSSHIM_EXT4_STRICT | HCSSHIM_EXT4_SPARSE | HCSSHIM_EXT4_BEHIND)
#define DEFAULT_SIZE (UINT64_C(16) << 30)
#define LARGEST_SIZE (UINT64_C(16) << 40)
/* A body of which so much is left is copied inside the kernel. */
#define LONG_BODY ((uint64_t)1 << 20)

/* ---- saying what is wrong ---------------------------------------------- */

static void say(hcsshim_ext4 *ext4, const char *text, size_t length)
{
    size_t room = sizeof ext4->problem - ext4->problem_length;

    if (length > room)
        length = room;
    memcpy(ext4->problem + ext4->problem_length, text, length);
    ext4->problem_length += length;
}

/* At most 255 bytes of a name: there must be room for the reason. */
static void say_name(hcsshim_ext4 *ext4, const char *name, size_t length)
{
    if (length == 0)
        return;
    if (length > 255) {
        say(ext4, "...", 3);
        name += length - 252;
        length = 252;
    }
    say(ext4, name, length);
    say(ext4, ": ", 2);
}

int32_t hcsshim__ext4_fail(hcsshim_ext4 *ext4, int32_t hr, const uint8_t *name,
                           size_t length, const char *reason)
{
    hcsshim__tar_text member = ext4->member;

    while (member.length > 0 && member.data[member.length - 1] == '/')
        member.length--;
    ext4->problem_length = 0;
    say_name(ext4, member.data, member.length);
    if (length > member.length ||
        memcmp(member.data + member.length - length, name, length) != 0)
        say_name(ext4, (const char *)name, length);
    say(ext4, reason, strlen(reason));
    return hr;
}

static void say_tar(hcsshim_ext4 *ext4)
{
    uint64_t offset;
    const char *reason;

    if (ext4->tar == NULL)
        return;
    reason = hcsshim__tar_problem(ext4->tar, &offset);
    if (reason != NULL)
        say(ext4, reason, strlen(reason));
}

static const char too_large[] = "the image would be larger than it may be";

/* Keep an error, and why: nothing more is done after it. */
static int32_t settle(hcsshim_ext4 *ext4, int32_t hr)
{
    if (hr == HCSSHIM_E_INTERRUPTED)
        return hr; /* nothing was lost */
    if (hr < 0 && ext4->error == 0) {
        ext4->error = hr;
        if (ext4->problem_length == 0 && ext4->out.full)
            say(ext4, too_large, sizeof too_large - 1);
        if (ext4->problem_length == 0)
            say_tar(ext4);
    }
    return hr;
}

/* ---- beginning and ending ---------------------------------------------- */

/* Places in front of the first file, which are written last. */
static int32_t begin(hcsshim_ext4 *ext4)
{
    uint64_t groups = (ext4->out.limit - 1) / EXT4_BLOCK / EXT4_GROUP + 1;
    uint64_t front;

    ext4->descriptor_blocks = (uint32_t)((groups - 1) / EXT4_DESCRIPTORS + 1);
    front = ((uint64_t)1 + ext4->descriptor_blocks) * EXT4_BLOCK;
    ext4->out.position = front;
    if (ext4->out.verity != NULL) {
        int32_t hr = hcsshim_verity_skip(ext4->out.verity, front);

        if (hr < 0)
            return hr;
    }
    return hcsshim__ext4_begin(ext4);
}

static uint64_t round_size(uint64_t size)
{
    if (size == 0)
        return DEFAULT_SIZE;
    if (size > LARGEST_SIZE)
        return LARGEST_SIZE;
    return (size + EXT4_BLOCK - 1) / EXT4_BLOCK * EXT4_BLOCK;
}

static int32_t set_up(hcsshim_ext4 *ext4)
{
    int apply = (ext4->flags & HCSSHIM_EXT4_STRICT) != 0;
    int32_t hr =
        hcsshim__tar_new(apply ? HCSSHIM__TAR_APPLY_GLOBAL : 0, &ext4->tar);

    if (hr == 0)
        hr = hcsshim__ext4_out_init(&ext4->out);
    if (hr < 0)
        return hr;
    ext4->buffer = hcsshim__file_buffer(EXT4_PIECE, &ext4->buffer_memory);
    if (ext4->buffer == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    return begin(ext4);
}

int32_t hcsshim_ext4_new(int64_t file, uint32_t flags, uint64_t max_size,
                         hcsshim_verity *verity, hcsshim_ext4 **out)
{
    hcsshim_ext4 *ext4;

    *out = NULL;
    if ((flags & ~(uint32_t)KNOWN_FLAGS) != 0)
        return HCSSHIM_E_INVALIDARG;
    ext4 = calloc(1, sizeof *ext4);
    if (ext4 == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    ext4->flags = flags;
    ext4->out.file = file;
    ext4->out.limit = round_size(max_size);
    ext4->out.sparse = (flags & HCSSHIM_EXT4_SPARSE) != 0;
    ext4->out.verity = verity;
    ext4->out.fused =
        verity != NULL && file >= 0 && hcsshim__verity_write_to(verity, file);
    /* What fails now, as a limit that nothing fits in, is told by _feed(). */
    if (settle(ext4, set_up(ext4)) == HCSSHIM_E_OUTOFMEMORY) {
        hcsshim_ext4_free(ext4);
        return HCSSHIM_E_OUTOFMEMORY;
    }
    *out = ext4; /* now the caller's */
    return 0;
}

void hcsshim_ext4_free(hcsshim_ext4 *ext4)
{
    if (ext4 == NULL)
        return;
    hcsshim__tar_free(ext4->tar);
    hcsshim__ext4_out_clear(&ext4->out);
    hcsshim__ext4_names_clear(ext4);
    free(ext4->inodes);
    free(ext4->freed);
    for (size_t i = 0; i < 2; i++) {
        free(ext4->clean[i].data);
        free(ext4->slashed[i].data);
    }
    free(ext4->cached.data);
    free(ext4->attributes.list);
    free(ext4->attributes.names);
    free(ext4->buffer_memory);
    free(ext4);
}

const char *hcsshim_ext4_problem(const hcsshim_ext4 *ext4, size_t *length)
{
    *length = ext4->problem_length;
    return ext4->problem;
}

/* ---- the tar ----------------------------------------------------------- */

/* What is queued lies in the caller's memory; what a tree writes, does not. */
static int32_t feed(hcsshim_ext4 *ext4, const void *data, size_t length)
{
    int32_t hr = hcsshim__ext4_feed(ext4, data, length), drained = 0;

    if (!ext4->out.fused)
        drained = hcsshim__ext4_out_drain(&ext4->out);
    return hr < 0 ? hr : drained;
}

int32_t hcsshim_ext4_feed(hcsshim_ext4 *ext4, const void *data, size_t length)
{
    if (ext4->error < 0)
        return ext4->error;
    if (ext4->finished)
        return HCSSHIM_E_UNEXPECTED;
    return settle(ext4, feed(ext4, data, length));
}

/* Let the kernel copy what is left of a long body. */
static int32_t copy_body(hcsshim_ext4 *ext4, int64_t source, uint64_t most,
                         uint64_t *copied)
{
    uint64_t length = hcsshim__tar_following(ext4->tar);
    hcsshim__ext4_out *out = &ext4->out;
    int32_t hr;

    *copied = 0;
    if (length < LONG_BODY || ext4->no_copying || out->file < 0 ||
        out->behind != NULL || out->verity != NULL || ext4->current == 0 ||
        length > out->limit - out->position)
        return 0;
    hr = hcsshim__image_copy(source, out->file, out->position,
                             length < most ? length : most, copied);
    if (hr == HCSSHIM_E_NOTIMPL) {
        ext4->no_copying = 1;
        return 0;
    }
    if (hr < 0)
        return hr;
    if (*copied == 0) /* the source ended, or says so wrongly: read */
        ext4->no_copying = 1;
    hcsshim__tar_passed(ext4->tar, *copied);
    ext4->current_done += *copied;
    out->position += *copied;
    return 0;
}

static int32_t copy(hcsshim_ext4 *ext4, int64_t source, uint64_t limit,
                    uint64_t *copied)
{
    hcsshim__ext4_behind *behind = ext4->out.behind;
    int32_t hr = 0;

    while (hr == 0 && *copied < limit) {
        uint64_t left = limit - *copied, done;
        uint8_t *buffer = ext4->buffer;
        size_t got = 0;

        hr = copy_body(ext4, source, left, &done);
        *copied += done;
        if (hr < 0 || done > 0)
            continue;
        if (behind != NULL)
            buffer = hcsshim__ext4_behind_buffer(behind);
        hr = hcsshim__image_read(source, buffer,
                                 left < EXT4_PIECE ? (size_t)left : EXT4_PIECE,
                                 &got);
        if (hr < 0 || got == 0)
            break;
        *copied += got;
        hr = hcsshim__ext4_feed(ext4, buffer, got);
    }
    return hr;
}

int32_t hcsshim_ext4_copy(hcsshim_ext4 *ext4, int64_t source, uint64_t limit,
                          uint64_t *copied)
{
    int32_t hr;

    *copied = 0;
    if (ext4->error < 0)
        return ext4->error;
    if (ext4->finished)
        return HCSSHIM_E_UNEXPECTED;
    if ((ext4->flags & HCSSHIM_EXT4_BEHIND) != 0)
        hcsshim__ext4_out_hand_over(&ext4->out);
    hr = settle(ext4, copy(ext4, source, limit, copied));
    return hr == HCSSHIM_E_INTERRUPTED && *copied > 0 ? 0 : hr;
}

int32_t hcsshim_ext4_finish(hcsshim_ext4 *ext4, uint64_t *size)
{
    int32_t hr = ext4->error, drained;

    *size = 0;
    if (hr == 0 && ext4->finished)
        return HCSSHIM_E_UNEXPECTED;
    if (hr == 0 && !ext4->tar_ended)
        hr = hcsshim__tar_finish(ext4->tar);
    if (hr == 0)
        hr = hcsshim__ext4_end_body(ext4);
    if (hr == 0)
        hr = hcsshim__ext4_close(ext4);
    drained = hcsshim__ext4_out_drain(&ext4->out);
    if (hr == 0)
        hr = drained;
    ext4->finished = 1;
    if (hr == 0)
        *size = ext4->out.position;
    return settle(ext4, hr);
}
