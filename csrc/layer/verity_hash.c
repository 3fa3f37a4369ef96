/* verity_hash.c - the digests of blocks: salt first, two blocks at a time. */
#include "layer/verity.h"

#include <string.h>

#define BLOCK HCSSHIM_VERITY_BLOCK
#define LINE HCSSHIM_SHA256_BLOCK

/* The padding that ends a message of salt and one block. */
static void prepare_tail(hcsshim__verity_hasher *hasher, size_t salt_length)
{
    uint64_t bits = ((uint64_t)salt_length + BLOCK) * 8;
    size_t held = hasher->head_length;

    hasher->tail_blocks = held + 9 > LINE ? 2 : 1;
    hasher->tail[held] = 0x80;
    for (size_t i = 0; i < 8; i++)
        hasher->tail[hasher->tail_blocks * LINE - 1 - i] =
            (uint8_t)(bits >> 8 * i);
}

static void hash_pair(const hcsshim__verity_hasher *hasher,
                      const uint8_t *first, const uint8_t *second,
                      uint8_t *first_digest, uint8_t *second_digest)
{
    uint32_t a[8], b[8];
    uint8_t a_line[2 * LINE], b_line[2 * LINE];
    size_t held = hasher->head_length;
    size_t start = held == 0 ? 0 : LINE - held;
    size_t lines = (BLOCK - start) / LINE;

    memcpy(a, hasher->state, sizeof a);
    memcpy(b, hasher->state, sizeof b);
    if (held != 0) {
        memcpy(a_line, hasher->head, held);
        memcpy(b_line, hasher->head, held);
        memcpy(a_line + held, first, start);
        memcpy(b_line + held, second, start);
        hasher->kernel->compress_pair(a, b, a_line, b_line, 1);
    }
    hasher->kernel->compress_pair(a, b, first + start, second + start, lines);
    memcpy(a_line, hasher->tail, sizeof a_line);
    memcpy(b_line, hasher->tail, sizeof b_line);
    memcpy(a_line, first + BLOCK - held, held);
    memcpy(b_line, second + BLOCK - held, held);
    hasher->kernel->compress_pair(a, b, a_line, b_line, hasher->tail_blocks);
    hcsshim__sha256_store(a, first_digest);
    hcsshim__sha256_store(b, second_digest);
}

/* Images are full of zeros, and looking is far cheaper than hashing. */
static int is_zero(const uint8_t *block)
{
    static const uint8_t zeros[LINE];

    return memcmp(block, zeros, LINE) == 0 &&
           memcmp(block, block + LINE, BLOCK - LINE) == 0;
}

int32_t hcsshim__verity_hasher_init(hcsshim__verity_hasher *hasher,
                                    const uint8_t *salt, size_t salt_length)
{
    static const uint8_t zeros[BLOCK];
    size_t whole = salt_length / LINE;
    uint8_t unused[HCSSHIM_SHA256_SIZE];

    if (salt_length > HCSSHIM_VERITY_SALT || (salt == NULL && salt_length > 0))
        return HCSSHIM_E_INVALIDARG;
    memset(hasher, 0, sizeof *hasher);
    hasher->kernel = hcsshim__sha256_best();
    hcsshim__sha256_start(hasher->state);
    if (whole > 0)
        hasher->kernel->compress(hasher->state, salt, whole);
    hasher->head_length = salt_length % LINE;
    if (hasher->head_length > 0)
        memcpy(hasher->head, salt + whole * LINE, hasher->head_length);
    prepare_tail(hasher, salt_length);
    hash_pair(hasher, zeros, zeros, hasher->zero_digest, unused);
    return 0;
}

void hcsshim__verity_hash_blocks(const hcsshim__verity_hasher *hasher,
                                 const uint8_t *data, size_t count,
                                 uint8_t *digests)
{
    const uint8_t *waiting = NULL; /* a block that still lacks its partner */
    uint8_t *waiting_digest = NULL;
    uint8_t unused[HCSSHIM_SHA256_SIZE];

    for (size_t i = 0; i < count; i++) {
        const uint8_t *block = data + i * BLOCK;
        uint8_t *digest = digests + i * HCSSHIM_SHA256_SIZE;

        if (is_zero(block)) {
            memcpy(digest, hasher->zero_digest, HCSSHIM_SHA256_SIZE);
        } else if (waiting == NULL) {
            waiting = block;
            waiting_digest = digest;
        } else {
            hash_pair(hasher, waiting, block, waiting_digest, digest);
            waiting = NULL;
        }
    }
    if (waiting != NULL)
        hash_pair(hasher, waiting, waiting, waiting_digest, unused);
}

int32_t hcsshim_verity_hash(const uint8_t *salt, size_t salt_length,
                            const void *data, size_t count, uint8_t *digests)
{
    hcsshim__verity_hasher hasher;
    int32_t hr = hcsshim__verity_hasher_init(&hasher, salt, salt_length);

    if (hr < 0)
        return hr;
    hcsshim__verity_hash_blocks(&hasher, data, count, digests);
    return 0;
}

const char *hcsshim_sha256_name(void) { return hcsshim__sha256_best()->name; }
