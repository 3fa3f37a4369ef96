/*
 * test_verity.c - SHA-256 in every kernel, and trees made by many threads.
 *
 * Meant for the sanitizers: every assertion also holds without them.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hcsshim.h"
#include "layer/sha256.h"
#include "layer/verity.h"

#define BLOCK HCSSHIM_VERITY_BLOCK
#define BLOCKS 700

static const hcsshim__sha256_kernel *kernels(size_t index)
{
    switch (index) {
    case 0:
        return hcsshim__sha256_portable();
    case 1:
        return hcsshim__sha256_x86();
    default:
        return hcsshim__sha256_arm();
    }
}

/* ---- SHA-256 ---------------------------------------------------------- */

static void digest_pieces(const hcsshim__sha256_kernel *kernel,
                          const uint8_t *data, size_t length, size_t piece,
                          uint8_t *out)
{
    hcsshim__sha256 digest;

    hcsshim__sha256_init(&digest);
    digest.kernel = kernel;
    for (size_t at = 0; at < length; at += piece)
        hcsshim__sha256_update(&digest, data + at,
                               length - at < piece ? length - at : piece);
    hcsshim__sha256_final(&digest, out);
}

static void test_known_digests(const hcsshim__sha256_kernel *kernel)
{
    static const uint8_t abc[] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const uint8_t none[] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    uint8_t out[HCSSHIM_SHA256_SIZE];

    digest_pieces(kernel, (const uint8_t *)"abc", 3, 1, out);
    assert(memcmp(out, abc, sizeof abc) == 0);
    digest_pieces(kernel, (const uint8_t *)"", 0, 1, out);
    assert(memcmp(out, none, sizeof none) == 0);
}

/* Every length around the ends of blocks, cut in every way, in any kernel. */
static void test_kernels_agree(const hcsshim__sha256_kernel *kernel)
{
    uint8_t one[HCSSHIM_SHA256_SIZE], other[HCSSHIM_SHA256_SIZE];
    uint8_t *data = malloc(300); /* on the heap: reads beyond are seen */

    for (size_t i = 0; i < 300; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t length = 0; length <= 300; length++)
        for (size_t piece = 1; piece <= 130; piece += 43) {
            digest_pieces(hcsshim__sha256_portable(), data + 300 - length,
                          length, 300, one);
            digest_pieces(kernel, data + 300 - length, length, piece, other);
            assert(memcmp(one, other, sizeof one) == 0);
        }
    free(data);
}

static void test_pair(const hcsshim__sha256_kernel *kernel)
{
    uint32_t a[8], b[8], c[8], d[8];
    uint8_t *data = malloc(2 * 5 * HCSSHIM_SHA256_BLOCK);

    for (size_t i = 0; i < 2 * 5 * HCSSHIM_SHA256_BLOCK; i++)
        data[i] = (uint8_t)(i * 13 + i / 256);
    hcsshim__sha256_start(a);
    hcsshim__sha256_start(b);
    hcsshim__sha256_start(c);
    hcsshim__sha256_start(d);
    kernel->compress_pair(a, b, data, data + 5 * HCSSHIM_SHA256_BLOCK, 5);
    hcsshim__sha256_portable()->compress(c, data, 5);
    hcsshim__sha256_portable()->compress(d, data + 5 * HCSSHIM_SHA256_BLOCK, 5);
    assert(memcmp(a, c, sizeof a) == 0 && memcmp(b, d, sizeof b) == 0);
    free(data);
}

/* ---- trees ------------------------------------------------------------ */

static uint8_t *make_image(void)
{
    uint8_t *image = malloc((size_t)BLOCKS * BLOCK);

    for (size_t i = 0; i < (size_t)BLOCKS * BLOCK; i++)
        image[i] = (uint8_t)((i >> 12) * 31 + i);
    memset(image + 100 * BLOCK, 0, 60 * BLOCK);
    return image;
}

static void grow(hcsshim_verity *verity, const uint8_t *image, size_t piece)
{
    size_t length = (size_t)BLOCKS * BLOCK;

    for (size_t at = 0; at < length; at += piece) {
        size_t take = length - at < piece ? length - at : piece;

        assert(hcsshim_verity_update(verity, image + at, take) == 0);
    }
}

static void finish(hcsshim_verity *verity, uint8_t *root, uint8_t **tree,
                   size_t *length)
{
    const uint8_t *made;

    assert(hcsshim_verity_finish(verity, root) == 0);
    made = hcsshim_verity_tree(verity, length);
    *tree = malloc(*length);
    memcpy(*tree, made, *length);
    hcsshim_verity_free(verity);
}

static void check_same(hcsshim_verity *verity, const uint8_t *root,
                       const uint8_t *tree, size_t length)
{
    uint8_t other_root[HCSSHIM_VERITY_DIGEST], *other;
    size_t other_length;

    finish(verity, other_root, &other, &other_length);
    assert(length == other_length && memcmp(tree, other, length) == 0);
    assert(memcmp(root, other_root, sizeof other_root) == 0);
    free(other);
}

static void test_trees(const char *path)
{
    static const uint8_t salt[32];
    static const size_t pieces[] = {999, BLOCK, 100000, 1 << 20};
    uint8_t *image = make_image(), *tree;
    uint8_t root[HCSSHIM_VERITY_DIGEST];
    size_t length;
    hcsshim_verity *verity;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert(file >= 0 && write(file, image, (size_t)BLOCKS * BLOCK) ==
                            (ssize_t)BLOCKS * BLOCK);
    assert(hcsshim_verity_new(salt, sizeof salt, 0, &verity) == 0);
    grow(verity, image, (size_t)BLOCKS * BLOCK);
    finish(verity, root, &tree, &length);
    for (uint32_t workers = 0; workers < 4; workers++)
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            assert(hcsshim_verity_new(salt, 32, workers, &verity) == 0);
            grow(verity, image, pieces[i]);
            assert(hcsshim_verity_put(verity, 3, image + 3 * BLOCK, 2) == 0);
            check_same(verity, root, tree, length);
        }
    for (uint32_t threads = 1; threads < 6; threads++) {
        assert(hcsshim_verity_new(salt, 32, 0, &verity) == 0);
        assert(hcsshim_verity_read(verity, file, 0, (uint64_t)BLOCKS * BLOCK,
                                   threads) == 0);
        check_same(verity, root, tree, length);
    }
    close(file);
    unlink(path);
    free(tree);
    free(image);
}

static void test_abandoned(void)
{
    uint8_t *image = make_image();
    hcsshim_verity *verity;

    for (uint32_t workers = 0; workers < 4; workers++) {
        assert(hcsshim_verity_new(NULL, 0, workers, &verity) == 0);
        grow(verity, image, 70000);
        hcsshim_verity_free(verity); /* in the middle of everything */
    }
    hcsshim_verity_free(NULL);
    free(image);
}

/* ---- what is refused -------------------------------------------------- */

static void test_refusals(const char *path)
{
    uint8_t digests[10 * HCSSHIM_VERITY_DIGEST], block[BLOCK] = {1};
    uint8_t root[HCSSHIM_VERITY_DIGEST];
    hcsshim_verity *verity;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert(write(file, block, sizeof block) == BLOCK);
    assert(hcsshim_verity_hash_file(NULL, 0, file, 0, 1, 1, digests) == 0);
    assert(hcsshim_verity_hash_file(NULL, 0, file, 0, 2, 2, digests) ==
           HCSSHIM_E_INVALID_DATA);
    assert(hcsshim_verity_hash_file(NULL, 0, -1, 0, 1, 1, digests) < 0);
    assert(hcsshim_verity_hash_file(NULL, 0, file, 0, 1, 0, digests) ==
           HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_hash_file(NULL, 0, file, UINT64_MAX, 1, 1, digests) ==
           HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_hash_file(NULL, 0, file, 0, UINT64_MAX, 1, digests) ==
           HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_new(NULL, 1, 0, &verity) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_new(block, 257, 0, &verity) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_new(NULL, 0, 65, &verity) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_new(NULL, 0, 0, &verity) == 0);
    assert(hcsshim_verity_finish(verity, root) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_skip(verity, UINT64_MAX) < 0);
    assert(hcsshim_verity_update(verity, block, 100) == 0);
    assert(hcsshim_verity_put(verity, 0, block, 1) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_read(verity, file, 0, BLOCK, 1) ==
           HCSSHIM_E_INVALIDARG);
    assert(hcsshim_verity_finish(verity, root) == HCSSHIM_E_INVALIDARG);
    hcsshim_verity_free(verity);
    close(file);
    unlink(path);
}

int main(int count, char **arguments)
{
    assert(count == 2);
    for (size_t i = 0; i < 3; i++) {
        if (kernels(i) == NULL)
            continue;
        test_known_digests(kernels(i));
        test_kernels_agree(kernels(i));
        test_pair(kernels(i));
    }
    test_trees(arguments[1]);
    test_abandoned();
    test_refusals(arguments[1]);
    puts("ok");
    return 0;
}
