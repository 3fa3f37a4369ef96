/* unpack.c - a tar becomes a layer's folder, in one pass. */
#include "layer/unpack_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/file.h"

/* Names in messages are cut to this. */
#define SHOWN 200

void hcsshim__describe(char problem[HCSSHIM__PROBLEM], hcsshim__tar_text name,
                       const char *reason)
{
    int cut = name.length > SHOWN;

    (void)snprintf(problem, HCSSHIM__PROBLEM, "'%.*s%s'%s%s",
                   (int)(cut ? SHOWN : name.length), name.data,
                   cut ? "..." : "", reason != NULL ? ": " : "",
                   reason != NULL ? reason : "");
}

int32_t hcsshim__unpack_fail(hcsshim_unpack *unpack, int32_t hr,
                             hcsshim__tar_text name, const char *reason)
{
    hcsshim__describe(unpack->problem, name, reason);
    return hr;
}

/* ---- begin and end ---------------------------------------------------- */

static int32_t open_members(hcsshim_unpack *unpack)
{
    static const hcsshim__tar_text path = {HCSSHIM__MEMBERS_FILE,
                                           sizeof HCSSHIM__MEMBERS_FILE - 1};
    int32_t hr =
        hcsshim__tree_create(unpack->tree, path, 0644, &unpack->members_file);

    if (hr < 0)
        return hr;
    hr = hcsshim__sink_init(&unpack->members, unpack->members_file,
                            HCSSHIM__SINK_PLAIN);
    if (hr < 0)
        return hr;
    return hcsshim__sink_write(&unpack->members, HCSSHIM__MEMBERS_MAGIC, 8);
}

int32_t hcsshim_unpack_new(const char *root, uint32_t flags,
                           const char *const *parents, uint32_t parent_count,
                           hcsshim_unpack **out)
{
    hcsshim_unpack *unpack = calloc(1, sizeof *unpack);
    int32_t hr;

    *out = NULL;
    if (unpack == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    unpack->flags = flags;
    unpack->members_file = -1;
    hcsshim__sha256_init(&unpack->digest);
    hr = hcsshim__work_new(unpack, &unpack->work);
    if (hr >= 0)
        hr = hcsshim__tree_open(root, &unpack->tree);
    /* Nothing would hide the names that a layer of Linux removes. */
    if (hr >= 0 && (flags & HCSSHIM_UNPACK_WINDOWS) == 0 &&
        hcsshim__tree_is_windows(unpack->tree))
        hr = HCSSHIM_E_NOTIMPL;
    if (hr >= 0)
        hr = hcsshim__tree_open_all(parents, parent_count, &unpack->parents,
                                    &unpack->parent_count);
    if (hr >= 0)
        hr = hcsshim__tar_new(HCSSHIM__TAR_APPLY_GLOBAL, &unpack->tar);
    if (hr >= 0 && (flags & HCSSHIM_UNPACK_WINDOWS) != 0)
        hr = open_members(unpack);
    if (hr < 0)
        hcsshim_unpack_free(unpack);
    else
        *out = unpack;
    return hr;
}

void hcsshim_unpack_free(hcsshim_unpack *unpack)
{
    if (unpack == NULL)
        return;
    hcsshim__work_free(unpack->work);
    if (unpack->members_file >= 0)
        (void)hcsshim__tree_finish(unpack->tree, unpack->members_file, -1,
                                   NULL);
    for (size_t i = 0; i < unpack->late_count; i++) {
        free(unpack->late[i].path.data);
        free(unpack->late[i].target.data);
    }
    hcsshim__tree_free_all(unpack->parents, unpack->parent_count);
    hcsshim__tar_free(unpack->tar);
    hcsshim__tree_free(unpack->tree);
    hcsshim__sink_destroy(&unpack->members);
    free(unpack->late);
    free(unpack->attributes);
    free(unpack->path.data);
    free(unpack->target.data);
    free(unpack->main.data);
    free(unpack->raw.data);
    hcsshim__sink_destroy(&unpack->streams);
    free(unpack->scratch.data);
    free(unpack->kept.table);
    free(unpack);
}

const char *hcsshim_unpack_problem(const hcsshim_unpack *unpack)
{
    return unpack->problem;
}

/* ---- header bytes ----------------------------------------------------- */

static int32_t keep_raw(hcsshim_unpack *unpack, const uint8_t *data,
                        size_t length)
{
    hcsshim__bytes *raw = &unpack->raw;

    if (unpack->members_file < 0)
        return 0;
    if (length > raw->room - raw->length) {
        size_t room = (raw->length + length) * 2;
        uint8_t *more;

        if (length > HCSSHIM__MEMBERS_LONGEST - raw->length)
            return HCSSHIM_E_INVALID_DATA;
        more = realloc(raw->data, room);
        if (more == NULL)
            return HCSSHIM_E_OUTOFMEMORY;
        raw->data = more;
        raw->room = room;
    }
    if (length > 0)
        memcpy(raw->data + raw->length, data, length);
    raw->length += length;
    return 0;
}

static int32_t write_record(hcsshim_unpack *unpack, size_t length)
{
    hcsshim__bytes *raw = &unpack->raw;
    int32_t hr;

    unpack->head.length = (uint32_t)length;
    hr = hcsshim__members_write(&unpack->members, unpack->head, raw->data);
    if (raw->length > length)
        memmove(raw->data, raw->data + length, raw->length - length);
    raw->length -= length;
    memset(&unpack->head, 0, sizeof unpack->head);
    return hr;
}

/* The bytes between a body and the next header. */
static uint32_t after_body(const hcsshim_unpack *unpack)
{
    uint64_t stored = unpack->head.body + unpack->ignored;

    return (uint32_t)(unpack->ignored + (0 - stored) % HCSSHIM__TAR_BLOCK);
}

/*
 * A record is written when the next one is there, because only then its body's
 * length in the tar is known.
 */
static int32_t next_record(hcsshim_unpack *unpack)
{
    uint32_t before = 0;
    int32_t hr = 0;

    if (unpack->members_file < 0)
        return 0;
    if (unpack->whole > 0) {
        before = after_body(unpack);
        hr = write_record(unpack, unpack->whole);
    }
    unpack->head.before = before;
    unpack->whole = unpack->raw.length;
    unpack->ignored = 0;
    return hr;
}

/* What follows the last member, whenever there is much of it. */
static int32_t write_end(hcsshim_unpack *unpack, size_t least)
{
    int32_t hr = 0;

    if (unpack->members_file < 0 || unpack->raw.length < least)
        return 0;
    if (unpack->whole > 0)
        hr = next_record(unpack);
    if (unpack->head.before > unpack->raw.length) /* it ends in a padding */
        unpack->head.before = (uint32_t)unpack->raw.length;
    unpack->whole = 0;
    unpack->head.flags = HCSSHIM__MEMBER_END;
    return hr < 0 ? hr : write_record(unpack, unpack->raw.length);
}

/* ---- bodies ----------------------------------------------------------- */

static int32_t body(hcsshim_unpack *unpack, const hcsshim__tar_step *step)
{
    if (!hcsshim__unpack_is_open(unpack)) {
        /* Nobody's bytes, as after a whiteout: kept with the headers. */
        if (step->data == NULL)
            return 0;
        unpack->ignored += step->length;
        return keep_raw(unpack, step->data, (size_t)step->length);
    }
    unpack->head.body += step->data != NULL ? step->length : 0;
    return hcsshim__unpack_write(unpack, step->data, step->length);
}

/* ---- steps ------------------------------------------------------------ */

static int32_t begin_entry(hcsshim_unpack *unpack,
                           const hcsshim__tar_entry *entry)
{
    int32_t hr;

    hcsshim__unpack_close(unpack);
    hr = next_record(unpack);
    if (hr >= 0)
        hr = hcsshim__unpack_entry(unpack, entry);
    if (entry->sparse)
        unpack->head.flags |= HCSSHIM__MEMBER_SPARSE;
    return hr;
}

static int32_t tar_problem(hcsshim_unpack *unpack, int32_t hr)
{
    uint64_t offset = 0;
    const char *reason = hcsshim__tar_problem(unpack->tar, &offset);

    if (reason != NULL && unpack->problem[0] == 0)
        (void)snprintf(unpack->problem, sizeof unpack->problem,
                       "%s, at byte %llu", reason, (unsigned long long)offset);
    return hr;
}

static int32_t feed(hcsshim_unpack *unpack, const uint8_t *data, size_t length)
{
    const uint8_t *kept = data; /* what is before is where it belongs */
    hcsshim__tar_step step;
    int32_t hr;

    hcsshim__tar_feed(unpack->tar, data, length);
    while ((hr = hcsshim__tar_next(unpack->tar, &step)) > HCSSHIM__TAR_MORE) {
        const uint8_t *now =
            data + (hcsshim__tar_offset(unpack->tar) - unpack->fed);
        int32_t done;

        if (hr == HCSSHIM__TAR_END)
            break;
        if (hr != HCSSHIM__TAR_ENTRY) {
            done = body(unpack, &step);
        } else {
            done = keep_raw(unpack, kept, (size_t)(now - kept));
            if (done >= 0)
                done = begin_entry(unpack, step.entry);
        }
        if (done < 0)
            return done;
        kept = now;
    }
    if (hr < 0)
        return tar_problem(unpack, hr);
    unpack->ended = hr == HCSSHIM__TAR_END;
    return keep_raw(unpack, kept, (size_t)(data + length - kept));
}

int32_t hcsshim__unpack_take(hcsshim_unpack *unpack, const uint8_t *data,
                             size_t length)
{
    int32_t hr;

    unpack->result.tar_bytes += length;
    if (!unpack->ended) {
        hr = feed(unpack, data, length);
        unpack->fed += length;
    } else {
        hr = keep_raw(unpack, data, length);
        if (hr >= 0)
            hr = write_end(unpack, HCSSHIM__FILE_PIECE);
    }
    return hr < 0 ? hr : 0;
}

int32_t hcsshim_unpack_feed(hcsshim_unpack *unpack, const void *data,
                            size_t length)
{
    if (unpack->error < 0)
        return unpack->error;
    return hcsshim__work_feed(unpack->work, data, length);
}

int32_t hcsshim_unpack_room(hcsshim_unpack *unpack, void **data, size_t *room)
{
    *data = NULL;
    *room = 0;
    if (unpack->error < 0)
        return unpack->error;
    return hcsshim__work_room(unpack->work, (uint8_t **)data, room);
}

int32_t hcsshim_unpack_fill(hcsshim_unpack *unpack, size_t length)
{
    if (unpack->error < 0)
        return unpack->error;
    return hcsshim__work_fill(unpack->work, length);
}

int32_t hcsshim_unpack_read(hcsshim_unpack *unpack, int64_t file,
                            uint64_t limit, uint64_t *got)
{
    *got = 0;
    if (unpack->error < 0)
        return unpack->error;
    return hcsshim__work_read(unpack->work, file, limit, got);
}

static int32_t finish_members(hcsshim_unpack *unpack)
{
    static const hcsshim__tree_meta meta = {0};
    int64_t file = unpack->members_file;
    int32_t hr;

    if (file < 0)
        return 0;
    hr = write_end(unpack, 0);
    if (hr >= 0)
        hr = hcsshim__sink_flush(&unpack->members);
    unpack->members_file = -1;
    if (hr >= 0)
        return hcsshim__tree_finish(unpack->tree, file, -1, &meta);
    (void)hcsshim__tree_finish(unpack->tree, file, -1, NULL);
    return hr;
}

int32_t hcsshim_unpack_finish(hcsshim_unpack *unpack,
                              hcsshim_unpack_result *result)
{
    int32_t hr = unpack->error;

    memset(result, 0, sizeof *result);
    if (hr >= 0)
        hr = hcsshim__work_drain(unpack->work);
    if (hr >= 0)
        hr = tar_problem(unpack, hcsshim__tar_finish(unpack->tar));
    if (hr >= 0) {
        hcsshim__unpack_close(unpack);
        hr = hcsshim__work_drain(unpack->work);
    }
    if (hr >= 0)
        hr = hcsshim__unpack_links(unpack);
    if (hr >= 0)
        hr = finish_members(unpack);
    if (hr >= 0)
        hr = hcsshim__tree_settle(unpack->tree);
    unpack->error = hr < 0 ? hr : HCSSHIM_E_UNEXPECTED;
    if (hr < 0)
        return hr;
    *result = unpack->result;
    result->attributes_left_out = hcsshim__tree_refused(unpack->tree);
    if ((unpack->flags & HCSSHIM_UNPACK_UNHASHED) == 0)
        hcsshim__sha256_final(&unpack->digest, result->diff_id);
    return 0;
}
