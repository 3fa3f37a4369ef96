/*
 * test_layer.c - a tar read, hashed and taken apart by several threads, which
 * write its files.
 *
 * Meant for the sanitizers: every assertion also holds without them.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/tar_write.h"

#define FILES 40
#define LARGEST 300000
/* Of the tar of a Linux layer: as many small files, and pieces of a sparse one.
 */
#define SMALL 3000
#define HOLES 500

static uint8_t body[LARGEST];
static off_t middle; /* of the second tar: a header */

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

static void write_member(hcsshim__sink *sink, hcsshim__tar_member member,
                         const char *name)
{
    member.name = (hcsshim__tar_text){name, strlen(name)};
    if (member.link.data == NULL)
        member.link = (hcsshim__tar_text){"", 0};
    assert(hcsshim__tar_write_header(sink, &member) == 0);
}

/* A file in GNU's sparse form: a byte of data in every other block. */
static void write_sparse(hcsshim__sink *sink)
{
    static char map[HOLES * 24 + 64];
    static const char major[] = "GNU.sparse.major",
                      minor[] = "GNU.sparse.minor",
                      size[] = "GNU.sparse.realsize";
    char length[24];
    hcsshim__tar_record records[] = {{{major, sizeof major - 1}, {"1", 1}},
                                     {{minor, sizeof minor - 1}, {"0", 1}},
                                     {{size, sizeof size - 1}, {length, 0}}};
    hcsshim__tar_member member = {
        .type = HCSSHIM__TAR_FILE, .records = records, .record_count = 3};
    int at = snprintf(map, sizeof map, "%d\n", HOLES);

    for (int i = 0; i < HOLES; i++)
        at += snprintf(map + at, sizeof map - (size_t)at, "%d\n1\n", i * 1024);
    records[2].value.length =
        (size_t)snprintf(length, sizeof length, "%d", HOLES * 1024);
    member.size = ((uint64_t)at + 511) / 512 * 512 + HOLES;
    write_member(sink, member, "sparse");
    assert(hcsshim__sink_write(sink, map, (size_t)at) == 0);
    assert(hcsshim__tar_write_padding(sink, (uint64_t)at) == 0);
    assert(hcsshim__sink_write(sink, body, HOLES) == 0);
    assert(hcsshim__tar_write_padding(sink, HOLES) == 0);
}

/*
 * Small files with attributes, every other of which takes the place of the
 * ninth before it, while that may not be written yet; links to them; a sparse
 * file.
 */
static int make_linux_tar(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    hcsshim__sink sink;
    char name[32], link[32], value[16];

    assert(file >= 0 && hcsshim__sink_init(&sink, file, 0) == 0);
    for (size_t i = 0; i < SMALL; i++) {
        static const char key[] = "SCHILY.xattr.user.number";
        hcsshim__tar_record record = {{key, sizeof key - 1}, {value, 0}};
        hcsshim__tar_member member = {.type = HCSSHIM__TAR_FILE,
                                      .mode = 0644,
                                      .records = &record,
                                      .record_count = 1,
                                      .size = i};
        hcsshim__tar_member other = {.type = HCSSHIM__TAR_LINK, .mode = 0644};

        record.value.length = (size_t)snprintf(value, sizeof value, "%zu", i);
        (void)snprintf(name, sizeof name, "%zu/%zu", i % 9, i / 18);
        if (i == SMALL / 2)
            middle = (off_t)sink.total;
        write_member(&sink, member, name);
        assert(hcsshim__sink_write(&sink, body, i) == 0);
        assert(hcsshim__tar_write_padding(&sink, i) == 0);
        other.link = (hcsshim__tar_text){name, strlen(name)};
        (void)snprintf(link, sizeof link, "links/%zu", i);
        write_member(&sink, other, link);
    }
    write_sparse(&sink);
    assert(hcsshim__tar_write_end(&sink) == 0);
    assert(hcsshim__sink_flush(&sink) == 0);
    hcsshim__sink_destroy(&sink);
    return file;
}

/* Whether a file has as many bytes as its attribute says. */
static void check_linux(const char *folder, size_t number)
{
    char path[600], value[16] = "";
    struct stat status;

    (void)snprintf(path, sizeof path, "%s/links/%zu", folder, number);
    assert(stat(path, &status) == 0);
    assert((size_t)status.st_size == number);
    assert(status.st_nlink == (number % 18 < 9 && number + 9 < SMALL ? 1 : 2));
    if (getxattr(path, "user.number", value, sizeof value - 1) > 0)
        assert(strtoul(value, NULL, 10) == number);
}

/* Fed in odd parts; a child that inherits it all leaves it in peace. */
static void feed(int tar, const char *folder)
{
    static uint8_t data[70001];
    hcsshim_unpack_result result;
    hcsshim_unpack *unpack;
    ssize_t got;
    char path[600];
    struct stat status;
    int forked = 0;

    assert(mkdir(folder, 0700) == 0);
    assert(lseek(tar, 0, SEEK_SET) == 0);
    assert(hcsshim_unpack_new(folder, 0, NULL, 0, &unpack) == 0);
    while ((got = read(tar, data, sizeof data)) > 0) {
        assert(hcsshim_unpack_feed(unpack, data, (size_t)got) == 0);
        if (forked++ == 20) {
            pid_t child = fork();
            int state;

            if (child == 0) {
                hcsshim_unpack_free(unpack);
                _exit(0);
            }
            assert(child > 0 && waitpid(child, &state, 0) == child);
            assert(WIFEXITED(state) && WEXITSTATUS(state) == 0);
        }
    }
    assert(hcsshim_unpack_finish(unpack, &result) == 0);
    assert(result.members == 2 * SMALL + 1);
    hcsshim_unpack_free(unpack);
    for (size_t i = 0; i < SMALL; i++)
        check_linux(folder, i);
    (void)snprintf(path, sizeof path, "%s/sparse", folder);
    assert(stat(path, &status) == 0 && status.st_size == HOLES * 1024);
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

/* One that nobody waits for the end of. */
static void give_up(int tar, const char *folder)
{
    hcsshim_unpack *unpack;
    uint64_t got;

    assert(mkdir(folder, 0700) == 0);
    assert(lseek(tar, 0, SEEK_SET) == 0);
    assert(hcsshim_unpack_new(folder, 0, NULL, 0, &unpack) == 0);
    assert(hcsshim_unpack_read(unpack, tar, 2 << 20, &got) == 0);
    hcsshim_unpack_free(unpack);
}

/* A tar that is refused in the middle, with the reader far ahead. */
static void refuse(int tar, const char *folder, off_t at)
{
    hcsshim_unpack *unpack;
    uint64_t got;

    assert(mkdir(folder, 0700) == 0);
    assert(pwrite(tar, "damage", 6, at) == 6);
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
    char path[6][512];
    int tar;

    assert(argc > 1);
    for (size_t i = 0; i < 6; i++)
        (void)snprintf(path[i], sizeof path[i], "%s-layer%zu", argv[1], i);
    tar = make_tar(argv[1]);
    unpack(tar, path[0], UINT64_MAX, &one);
    unpack(tar, path[1], 100000, &other);
    assert(memcmp(one.diff_id, other.diff_id, 32) == 0);
    assert(one.bytes == other.bytes && one.members == FILES);
    pack(path[0], &one);
    refuse(tar, path[2], 512);
    close(tar);
    tar = make_linux_tar(argv[1]);
    feed(tar, path[3]);
    give_up(tar, path[4]);
    refuse(tar, path[5], middle);
    close(tar);
    for (size_t i = 0; i < 6; i++)
        assert(hcsshim_tree_remove(path[i]) == 0);
    puts("ok");
    return 0;
}
