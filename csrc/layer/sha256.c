/* sha256.c - SHA-256 in plain C, the choice of a kernel, the digest. */
#include "layer/sha256.h"

#include <stdalign.h>
#include <string.h>

alignas(16) const uint32_t hcsshim__sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return (value >> bits) | (value << (32 - bits));
}

static uint32_t load_big(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

static void schedule(uint32_t words[64], const uint8_t *block)
{
    for (size_t i = 0; i < 16; i++)
        words[i] = load_big(block + 4 * i);
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];

        words[i] = words[i - 16] + words[i - 7] +
                   (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) +
                   (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
    }
}

static void compress_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t words[64], s[8];

    schedule(words, block);
    memcpy(s, state, sizeof s);
    for (size_t i = 0; i < 64; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t one = s[7] +
                       (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                       choice + hcsshim__sha256_constants[i] + words[i];
        uint32_t two =
            (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + majority;

        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (size_t i = 0; i < 8; i++)
        state[i] += s[i];
}

static void compress(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    for (size_t i = 0; i < blocks; i++)
        compress_block(state, data + i * HCSSHIM_SHA256_BLOCK);
}

static void compress_pair(uint32_t first[8], uint32_t second[8],
                          const uint8_t *first_data, const uint8_t *second_data,
                          size_t blocks)
{
    compress(first, first_data, blocks);
    compress(second, second_data, blocks);
}

const hcsshim__sha256_kernel *hcsshim__sha256_portable(void)
{
    static const hcsshim__sha256_kernel kernel = {"portable", compress,
                                                  compress_pair};

    return &kernel;
}

const hcsshim__sha256_kernel *hcsshim__sha256_best(void)
{
    const hcsshim__sha256_kernel *kernel = hcsshim__sha256_x86();

    if (kernel == NULL)
        kernel = hcsshim__sha256_arm();
    return kernel == NULL ? hcsshim__sha256_portable() : kernel;
}

void hcsshim__sha256_start(uint32_t state[8])
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                      0xa54ff53a, 0x510e527f, 0x9b05688c,
                                      0x1f83d9ab, 0x5be0cd19};

    memcpy(state, first, sizeof first);
}

void hcsshim__sha256_store(const uint32_t state[8], uint8_t *digest)
{
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 4; j++)
            digest[4 * i + j] = (uint8_t)(state[i] >> (24 - 8 * j));
}

void hcsshim__sha256_init(hcsshim__sha256 *digest)
{
    memset(digest, 0, sizeof *digest);
    digest->kernel = hcsshim__sha256_best();
    hcsshim__sha256_start(digest->state);
}

void hcsshim__sha256_update(hcsshim__sha256 *digest, const void *data,
                            size_t length)
{
    const uint8_t *next = data;
    size_t held = digest->length % HCSSHIM_SHA256_BLOCK;

    if (length == 0)
        return;
    digest->length += length;
    if (held != 0) {
        size_t room = HCSSHIM_SHA256_BLOCK - held;
        size_t take = length < room ? length : room;

        memcpy(digest->rest + held, next, take);
        next += take;
        length -= take;
        if (take < room)
            return;
        digest->kernel->compress(digest->state, digest->rest, 1);
    }
    digest->kernel->compress(digest->state, next,
                             length / HCSSHIM_SHA256_BLOCK);
    next += length - length % HCSSHIM_SHA256_BLOCK;
    memcpy(digest->rest, next, length % HCSSHIM_SHA256_BLOCK);
}

void hcsshim__sha256_final(hcsshim__sha256 *digest,
                           uint8_t out[HCSSHIM_SHA256_SIZE])
{
    uint8_t tail[2 * HCSSHIM_SHA256_BLOCK] = {0};
    size_t held = digest->length % HCSSHIM_SHA256_BLOCK;
    size_t blocks = held + 9 > HCSSHIM_SHA256_BLOCK ? 2 : 1;
    uint64_t bits = digest->length * 8;

    memcpy(tail, digest->rest, held);
    tail[held] = 0x80;
    for (size_t i = 0; i < 8; i++)
        tail[blocks * HCSSHIM_SHA256_BLOCK - 1 - i] = (uint8_t)(bits >> 8 * i);
    digest->kernel->compress(digest->state, tail, blocks);
    hcsshim__sha256_store(digest->state, out);
}
