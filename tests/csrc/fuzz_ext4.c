/*
 * fuzz_ext4.c - images out of anything, for libFuzzer.
 *
 * Whatever the bytes are: the image, which is only hashed, does not depend on
 * how they are cut.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"

#define MOST_SIZE ((uint64_t)4 << 20) /* holes are long */

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

static int32_t convert(const uint8_t *data, size_t size, size_t piece,
                       uint32_t flags, uint8_t *root)
{
    hcsshim_verity *verity;
    hcsshim_ext4 *ext4;
    uint64_t length;
    int32_t hr = 0;

    memset(root, 0, HCSSHIM_VERITY_DIGEST);
    assert(hcsshim_verity_new(NULL, 0, 0, &verity) == 0);
    assert(hcsshim_ext4_new(-1, flags, MOST_SIZE, verity, &ext4) == 0);
    for (size_t at = 0; hr == 0 && at < size; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(part);

        memcpy(copy, data + at, part);
        hr = hcsshim_ext4_feed(ext4, copy, part);
        free(copy);
    }
    if (hr == 0)
        hr = hcsshim_ext4_finish(ext4, &length);
    if (hr == 0)
        assert(hcsshim_verity_finish(verity, root) == 0);
    hcsshim_ext4_free(ext4);
    hcsshim_verity_free(verity);
    return hr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t whole[HCSSHIM_VERITY_DIGEST], cut[HCSSHIM_VERITY_DIGEST];
    uint8_t *sealed;
    uint32_t flags;
    int32_t hr;

    if (size < 3)
        return 0;
    flags = data[0] & 31;
    sealed = malloc(size);
    memcpy(sealed, data + 2, size - 2);
    seal(sealed, size - 2);
    hr = convert(sealed, size - 2, size, flags, whole);
    assert(hr ==
           convert(sealed, size - 2, (size_t)data[1] * 3 + 1, flags, cut));
    assert(memcmp(whole, cut, sizeof cut) == 0);
    free(sealed);
    return 0;
}
