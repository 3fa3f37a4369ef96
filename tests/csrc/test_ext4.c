/*
 * test_ext4.c - images out of tars of chance, with their hash trees.
 *
 * Meant for the sanitizers: the members replace and hide each other in every
 * way, names climb and repeat, and now and then the tar is damaged. What comes
 * out must be the same whatever the pieces, with or without a file.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hcsshim.h"

#define BLOCK 512
#define MOST ((size_t)64 * 1024)
#define ROUNDS 300

static uint8_t tar[MOST];
static size_t tar_length;
static uint32_t seed;

static uint32_t chance(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

/* ---- tars of chance ---------------------------------------------------- */

static void octal(uint8_t *field, size_t size, uint64_t value)
{
    field[--size] = 0;
    while (size > 0) {
        field[--size] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
}

static void seal(uint8_t *block)
{
    uint32_t sum = 0;

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    octal(block + 148, 7, sum);
}

static void member(const char *name, char type, const char *target,
                   size_t length)
{
    uint8_t *block = tar + tar_length;

    memset(block, 0, BLOCK);
    memcpy(block, name, strlen(name));
    octal(block + 100, 8, chance(07777));
    octal(block + 108, 8, chance(100000));
    octal(block + 116, 8, chance(100000));
    octal(block + 124, 12, length);
    octal(block + 136, 12, chance(1 << 30));
    block[156] = (uint8_t)type;
    memcpy(block + 157, target, strlen(target));
    memcpy(block + 257, "ustar\00000", 8);
    seal(block);
    tar_length += BLOCK;
}

static void body(const char *text, size_t length)
{
    size_t whole = (length + BLOCK - 1) / BLOCK * BLOCK;

    memset(tar + tar_length, 'b', whole);
    if (text != NULL)
        memcpy(tar + tar_length, text, length);
    tar_length += whole;
}

/* Attributes that fit in the inode, or need a block, or do not fit at all. */
static void attribute(void)
{
    static const uint32_t lengths[] = {0, 10, 60, 200, 3000, 4500};
    uint32_t length = lengths[chance(6)];
    char record[8192], line[8192];
    int size = snprintf(line, sizeof line,
                        " SCHILY.xattr.user.%c=", 'a' + (char)chance(3));
    int total = size + (int)length + 1;

    total += total + 2 > 99 ? total + 3 > 999 ? 4 : 3 : 2;
    memset(line + size, 'v', length);
    line[size + (int)length] = '\n';
    line[size + (int)length + 1] = 0;
    size = snprintf(record, sizeof record, "%d%s", total, line);
    member("pax", 'x', "", (size_t)size);
    body(record, (size_t)size);
}

static void make_tar(void)
{
    static const char *const names[] = {"a",
                                        "b",
                                        "d/",
                                        "d/e",
                                        "d/e/f",
                                        "../a",
                                        "./d/./e",
                                        "d/.wh.e",
                                        "d/.wh.",
                                        "lost+found",
                                        "d/.wh..wh..opq",
                                        ".wh..wh..opq",
                                        "/",
                                        "x\\y\\z",
                                        "a/../b",
                                        "d//e//"};
    static const char types[] = "0001123456g";
    uint32_t count = 1 + chance(20);

    tar_length = 0;
    for (uint32_t i = 0; i < count; i++) {
        char type = types[chance(sizeof types - 1)];
        size_t length = type == '0' ? chance(1500) : 0;

        if (chance(3) == 0)
            attribute();
        member(names[chance(16)], type, names[chance(16)], length);
        body(NULL, length);
    }
    memset(tar + tar_length, 0, (size_t)2 * BLOCK);
    tar_length += (size_t)2 * BLOCK;
    if (chance(8) == 0)
        tar[chance((uint32_t)tar_length)] ^= 1;
    if (chance(8) == 0)
        tar_length -= chance((uint32_t)tar_length);
}

/* ---- images ------------------------------------------------------------ */

struct result {
    int32_t hr;
    uint64_t size;
    uint8_t root[HCSSHIM_VERITY_DIGEST];
};

static int32_t feed(hcsshim_ext4 *ext4, size_t piece)
{
    int32_t hr = 0;

    for (size_t at = 0; hr == 0 && at < tar_length; at += piece) {
        size_t length = tar_length - at < piece ? tar_length - at : piece;
        uint8_t *copy = malloc(length); /* uses after the call are seen */

        memcpy(copy, tar + at, length);
        hr = hcsshim_ext4_feed(ext4, copy, length);
        free(copy);
    }
    return hr;
}

static struct result convert(int file, uint32_t flags, size_t piece,
                             uint32_t workers)
{
    struct result result = {0};
    hcsshim_verity *verity;
    hcsshim_ext4 *ext4;
    size_t length;
    const char *problem;

    assert(hcsshim_verity_new(NULL, 0, workers, &verity) == 0);
    assert(hcsshim_ext4_new(file, flags, 0, verity, &ext4) == 0);
    result.hr = feed(ext4, piece);
    if (result.hr == 0)
        result.hr = hcsshim_ext4_finish(ext4, &result.size);
    problem = hcsshim_ext4_problem(ext4, &length);
    assert(problem != NULL && (result.hr == 0) == (length == 0));
    if (result.hr == 0)
        assert(hcsshim_verity_finish(verity, result.root) == 0);
    else
        assert(hcsshim_ext4_feed(ext4, tar, 0) == result.hr);
    hcsshim_ext4_free(ext4);
    hcsshim_verity_free(verity);
    return result;
}

/* The hash of what was really written is the one that was made on the way. */
static void check_file(int file, const struct result *result)
{
    hcsshim_verity *verity;
    uint8_t root[HCSSHIM_VERITY_DIGEST];

    assert(lseek(file, 0, SEEK_END) == (off_t)result->size);
    assert(hcsshim_verity_new(NULL, 0, 0, &verity) == 0);
    assert(hcsshim_verity_read(verity, file, 0, result->size, 1) == 0);
    assert(hcsshim_verity_finish(verity, root) == 0);
    assert(memcmp(root, result->root, sizeof root) == 0);
    hcsshim_verity_free(verity);
}

static void test_round(int file)
{
    uint32_t flags = chance(64);
    struct result whole, cut;

    make_tar();
    assert(ftruncate(file, 0) == 0);
    whole = convert(file, flags, tar_length + 1, 0);
    if (whole.hr == 0)
        check_file(file, &whole);
    cut = convert(-1, flags, 1 + chance(2000), chance(3));
    assert(whole.hr == cut.hr && whole.size == cut.size);
    assert(memcmp(whole.root, cut.root, sizeof cut.root) == 0);
    assert(ftruncate(file, 0) == 0);
    cut = convert(file, flags, 1 + chance(20000), 1 + chance(3));
    assert(whole.hr == cut.hr && whole.size == cut.size);
    if (whole.hr == 0)
        check_file(file, &whole);
}

/* ---- tars from files --------------------------------------------------- */

/* Members of many lengths: what is on the way fills every buffer. */
static int make_source(const char *path)
{
    static const size_t lengths[] = {1, 5000, 30000, 4096, 0, 40000};
    int source = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    char name[32];

    assert(source >= 0);
    unlink(path);
    for (uint32_t i = 0; i < 600; i++) {
        tar_length = 0;
        snprintf(name, sizeof name, "d/%u", i);
        member(name, '0', "", lengths[i % 6]);
        body(NULL, lengths[i % 6]);
        assert(write(source, tar, tar_length) == (ssize_t)tar_length);
    }
    return source;
}

/* The tar, read by the writer itself: all of it, or up to 'most' bytes. */
static int32_t copy(int file, int source, uint32_t flags, uint32_t workers,
                    uint64_t most, struct result *result)
{
    hcsshim_verity *verity;
    hcsshim_ext4 *ext4;
    uint64_t copied = 1, done = 0, none;
    int32_t hr = 0;

    assert(lseek(source, 0, SEEK_SET) == 0);
    assert(ftruncate(file, 0) == 0);
    assert(hcsshim_verity_new(NULL, 0, workers, &verity) == 0);
    assert(hcsshim_ext4_new(file, flags, 0, verity, &ext4) == 0);
    for (; hr == 0 && copied > 0 && done < most; done += copied)
        hr = hcsshim_ext4_copy(ext4, source, 700000, &copied);
    if (hr == 0 && done < most) {
        assert(hcsshim_ext4_finish(ext4, &result->size) == 0);
        assert(hcsshim_ext4_finish(ext4, &none) == HCSSHIM_E_UNEXPECTED);
        assert(hcsshim_verity_finish(verity, result->root) == 0);
    }
    hcsshim_ext4_free(ext4);
    hcsshim_ext4_free(NULL);
    hcsshim_verity_free(verity);
    return hr;
}

static void test_copy(int file, const char *path)
{
    static const struct {
        uint32_t flags, workers;
    } ways[] = {{0, 0},
                {HCSSHIM_EXT4_BEHIND, 0},
                {HCSSHIM_EXT4_BEHIND | HCSSHIM_EXT4_SPARSE, 0},
                {0, 1},
                {HCSSHIM_EXT4_BEHIND, 3},
                {HCSSHIM_EXT4_SPARSE, 2}};
    int source = make_source(path);
    struct result expected = {0}, result = {0};

    assert(copy(file, source, 0, 0, UINT64_MAX, &expected) == 0);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint32_t flags = ways[i].flags, workers = ways[i].workers;

        assert(copy(file, source, flags, workers, UINT64_MAX, &result) == 0);
        assert(memcmp(&expected, &result, sizeof result) == 0);
        check_file(file, &expected);
        /* Given up in the middle: nobody writes to the file any more. */
        assert(copy(file, source, flags, workers, 3000000, &result) == 0);
    }
    close(source);
}

int main(int count, char **words)
{
    char path[4096];
    int file;

    assert(count == 2);
    snprintf(path, sizeof path, "%s.image", words[1]);
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert(file >= 0);
    unlink(path);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        seed = i;
        test_round(file);
    }
    snprintf(path, sizeof path, "%s.tar", words[1]);
    test_copy(file, path);
    close(file);
    puts("ok");
    return 0;
}
