/*
 * test_layer.c - a tar read and hashed on one thread, its files made on
 * another.
 *
 * Meant for the sanitizers: every assertion also holds without them.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/tar_write.h"

#define FILES 40
#define LARGEST 300000

static uint8_t body[LARGEST];

/* A tar of files of many sizes, of 6 MB in all. */
static int make_tar(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    hcsshim__sink sink;
    char name[32];

    assert(file >= 0 && hcsshim__sink_init(&sink, file, 0) == 0);
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t i = 0; i < FILES; i++) {
        hcsshim__tar_member member = {.type = HCSSHIM__TAR_FILE,
                                      .link = {"", 0},
                                      .size = i * LARGEST / FILES};
        int length = snprintf(name, sizeof name, "Files/%zu/%zu", i % 7, i);

        member.name = (hcsshim__tar_text){name, (size_t)length};
        assert(hcsshim__tar_write_header(&sink, &member) == 0);
        assert(hcsshim__sink_write(&sink, body, (size_t)member.size) == 0);
        assert(hcsshim__tar_write_padding(&sink, member.size) == 0);
    }
    assert(hcsshim__tar_write_end(&sink) == 0);
    assert(hcsshim__sink_flush(&sink) == 0);
    hcsshim__sink_destroy(&sink);
    return file;
}

/* In steps of 'limit' bytes. */
static void unpack(int tar, const char *folder, uint64_t limit,
                   hcsshim_unpack_result *result)
{
    hcsshim_unpack *unpack;
    uint64_t got;

    assert(mkdir(folder, 0700) == 0);
    assert(lseek(tar, 0, SEEK_SET) == 0);
    assert(hcsshim_unpack_new(folder, HCSSHIM_UNPACK_WINDOWS, NULL, 0,
                              &unpack) == 0);
    do
        assert(hcsshim_unpack_read(unpack, tar, limit, &got) == 0);
    while (got > 0);
    assert(hcsshim_unpack_finish(unpack, result) == 0);
    hcsshim_unpack_free(unpack);
}

static void pack(const char *folder, const hcsshim_unpack_result *expected)
{
    hcsshim_pack_result result;
    hcsshim_pack *pack;
    uint64_t made;

    assert(hcsshim_pack_new(folder, HCSSHIM_PACK_WINDOWS, NULL, 0, -1, &pack) ==
           0);
    do
        assert(hcsshim_pack_run(pack, 1 << 20, &made) == 0);
    while (made > 0);
    assert(hcsshim_pack_finish(pack, &result) == 0);
    assert(result.members == expected->members);
    assert(memcmp(result.diff_id, expected->diff_id, 32) == 0);
    hcsshim_pack_free(pack);
}

/* A tar that is refused in the middle, with the reader far ahead. */
static void refuse(int tar, const char *folder)
{
    hcsshim_unpack *unpack;
    uint64_t got;

    assert(mkdir(folder, 0700) == 0);
    assert(pwrite(tar, "damage", 6, 512) == 6);
    assert(lseek(tar, 0, SEEK_SET) == 0);
    assert(hcsshim_unpack_new(folder, 0, NULL, 0, &unpack) == 0);
    assert(hcsshim_unpack_read(unpack, tar, UINT64_MAX, &got) ==
           HCSSHIM_E_INVALID_DATA);
    assert(hcsshim_unpack_problem(unpack)[0] != 0);
    hcsshim_unpack_free(unpack);
}

int main(int argc, char **argv)
{
    hcsshim_unpack_result one, other;
    char path[3][512];
    int tar;

    assert(argc > 1);
    for (size_t i = 0; i < 3; i++)
        (void)snprintf(path[i], sizeof path[i], "%s-layer%zu", argv[1], i);
    tar = make_tar(argv[1]);
    unpack(tar, path[0], UINT64_MAX, &one);
    unpack(tar, path[1], 100000, &other);
    assert(memcmp(one.diff_id, other.diff_id, 32) == 0);
    assert(one.bytes == other.bytes && one.members == FILES);
    pack(path[0], &one);
    refuse(tar, path[2]);
    close(tar);
    for (size_t i = 0; i < 3; i++)
        assert(hcsshim_tree_remove(path[i]) == 0);
    puts("ok");
    return 0;
}
