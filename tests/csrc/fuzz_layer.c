/*
 * fuzz_layer.c - unpacking any tar into a folder, for libFuzzer.
 *
 * Whatever the bytes are: nothing appears beside the folder, and a layer that
 * was unpacked packs into the very same bytes.
 */
#undef NDEBUG
#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hcsshim.h"

#define ACCESS_DENIED (-2147024891) /* 0x80070005 */

/* The folder's parent has the folder and nothing else. */
static void look_around(void)
{
    DIR *list = opendir("cage");
    struct dirent *entry;

    assert(list != NULL);
    while ((entry = readdir(list)) != NULL)
        assert(entry->d_name[0] == '.' || strcmp(entry->d_name, "layer") == 0);
    closedir(list);
}

static void pack_again(uint32_t flags, const hcsshim_unpack_result *expected)
{
    hcsshim_pack_result result;
    hcsshim_pack *pack;
    uint64_t made;
    int32_t hr;

    assert(hcsshim_pack_new("cage/layer", flags, NULL, 0, -1, &pack) == 0);
    do
        hr = hcsshim_pack_run(pack, 100000, &made);
    while (hr == 0 && made > 0);
    /* A file may forbid its own owner to read it, unless that is root. */
    assert(hr == 0 || (hr == ACCESS_DENIED && geteuid() != 0));
    if (hr == 0)
        assert(hcsshim_pack_finish(pack, &result) == 0);
    if (hr == 0 && (flags & HCSSHIM_PACK_WINDOWS)) {
        assert(result.tar_bytes == expected->tar_bytes);
        assert(memcmp(result.diff_id, expected->diff_id, 32) == 0);
    }
    hcsshim_pack_free(pack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    hcsshim_unpack_result result;
    hcsshim_unpack *unpack;
    uint32_t flags;
    size_t cut;
    int32_t hr = 0;

    if (length < 2)
        return 0;
    flags = data[0] % 2 ? 0 : HCSSHIM_UNPACK_WINDOWS | HCSSHIM_UNPACK_BASE;
    cut = (size_t)data[1] * 11 + 1;
    assert(hcsshim_tree_remove("cage/layer") == 0);
    (void)mkdir("cage", 0755);
    assert(mkdir("cage/layer", 0755) == 0);
    assert(hcsshim_unpack_new("cage/layer", flags, NULL, 0, &unpack) == 0);
    for (size_t at = 2; at < length && hr >= 0; at += cut)
        hr = hcsshim_unpack_feed(unpack, data + at,
                                 length - at < cut ? length - at : cut);
    if (hr >= 0)
        hr = hcsshim_unpack_finish(unpack, &result);
    if (hr == HCSSHIM_E_INVALID_DATA)
        assert(hcsshim_unpack_problem(unpack)[0] != 0);
    hcsshim_unpack_free(unpack);
    look_around();
    /* A sparse member comes back as a plain one, so that not all is the same.
     */
    if (hr >= 0 && memmem(data, length, "sparse", 6) == NULL)
        pack_again(flags != 0 ? HCSSHIM_PACK_WINDOWS : 0, &result);
    return 0;
}
