/*
 * fuzz_tar.c - the tar reader over anything, for libFuzzer.
 *
 * Whatever the bytes are: what is read does not depend on how they are cut, a
 * body has the length that its header tells, and nothing is read out of bounds.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"
#include "layer/tar_read.h"

struct digest {
    uint64_t value;
    uint64_t steps;
};

static void mix(struct digest *digest, const void *data, size_t length)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < length; i++)
        digest->value = (digest->value ^ bytes[i]) * UINT64_C(0x100000001B3);
}

static void mix_text(struct digest *digest, hcsshim__tar_text text)
{
    mix(digest, &text.length, sizeof text.length);
    mix(digest, text.data, text.length);
}

static void mix_entry(struct digest *digest, const hcsshim__tar_entry *entry)
{
    const int64_t numbers[] = {entry->type,
                               entry->sparse,
                               entry->size,
                               entry->mode,
                               entry->uid,
                               entry->gid,
                               entry->device_major,
                               entry->device_minor,
                               entry->modified.seconds,
                               entry->modified.nanoseconds,
                               entry->accessed.seconds,
                               entry->accessed.nanoseconds,
                               entry->changed.seconds,
                               entry->changed.nanoseconds,
                               (int64_t)entry->offset};

    mix(digest, numbers, sizeof numbers);
    mix_text(digest, entry->name);
    mix_text(digest, entry->link);
    mix_text(digest, entry->user);
    mix_text(digest, entry->group);
    for (size_t i = 0; i < entry->record_count; i++) {
        mix_text(digest, entry->records[i].key);
        mix_text(digest, entry->records[i].value);
    }
}

/* The body that an entry must have. */
static uint64_t body_of(const hcsshim__tar_entry *entry)
{
    if (entry->type == HCSSHIM__TAR_GLOBAL ||
        (entry->type >= '1' && entry->type <= '6'))
        return 0;
    return (uint64_t)entry->size;
}

static int32_t read_piece(hcsshim__tar *tar, struct digest *digest,
                          uint64_t *left)
{
    hcsshim__tar_step step;
    int32_t kind;

    while ((kind = hcsshim__tar_next(tar, &step)) > HCSSHIM__TAR_MORE) {
        if (kind == HCSSHIM__TAR_ENTRY || kind == HCSSHIM__TAR_END)
            assert(*left == 0);
        if (kind == HCSSHIM__TAR_END)
            return kind;
        if (kind == HCSSHIM__TAR_ENTRY) {
            *left = body_of(step.entry);
            mix_entry(digest, step.entry);
            digest->steps++;
            continue;
        }
        assert(step.length > 0 && step.length <= *left);
        assert((step.data == NULL) == (kind == HCSSHIM__TAR_HOLE));
        *left -= step.length;
        if (kind == HCSSHIM__TAR_DATA)
            mix(digest, step.data, (size_t)step.length);
        else
            mix(digest, &step.length, sizeof step.length);
    }
    return kind;
}

static struct digest read_all(const uint8_t *data, size_t size, size_t piece,
                              uint32_t flags)
{
    struct digest digest = {0, 0};
    uint64_t left = 0;
    hcsshim__tar *tar;
    int32_t kind = 0;

    assert(hcsshim__tar_new(flags, &tar) == 0);
    for (size_t at = 0; kind == 0 && at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(length);

        memcpy(copy, data + at, length);
        hcsshim__tar_feed(tar, copy, length);
        kind = read_piece(tar, &digest, &left);
        free(copy);
    }
    if (kind == 0)
        kind = hcsshim__tar_finish(tar);
    assert(kind != 0 || left == 0);
    mix(&digest, &kind, sizeof kind);
    hcsshim__tar_free(tar);
    return digest;
}

/* Make every header's checksum right, or nothing behind it would be reached. */
static void seal(uint8_t *data, size_t size)
{
    for (size_t at = 0; at + 512 <= size; at += 512) {
        uint32_t sum = 0;

        if (memcmp(data + at + 257, "ustar", 5) != 0)
            continue;
        memset(data + at + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += data[at + i];
        for (size_t i = 0; i < 6; i++)
            data[at + 153 - i] = (uint8_t)('0' + (sum >> 3 * i & 7));
        data[at + 154] = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest whole, cut;
    size_t piece;
    uint32_t flags;
    uint8_t *sealed;

    if (size < 2)
        return 0;
    flags = data[0] & 1;
    piece = (size_t)data[1] * 3 + 1;
    sealed = malloc(size);
    memcpy(sealed, data + 2, size - 2);
    if ((data[0] & 2) != 0)
        seal(sealed, size - 2);
    whole = read_all(sealed, size - 2, size, flags);
    cut = read_all(sealed, size - 2, piece, flags);
    free(sealed);
    assert(whole.value == cut.value && whole.steps == cut.steps);
    return 0;
}
