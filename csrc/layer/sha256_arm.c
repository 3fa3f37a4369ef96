/* sha256_arm.c - SHA-256 with the SHA2 instructions of 64-bit Arm. */
#include "layer/sha256.h"

#if defined(__aarch64__) && defined(__ARM_FEATURE_SHA2)

#include <arm_neon.h>

static inline uint32x4_t load_words(const uint8_t *data)
{
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data)));
}

static inline void rounds(uint32x4_t *abcd, uint32x4_t *efgh, uint32x4_t sum)
{
    uint32x4_t before = *abcd;

    *abcd = vsha256hq_u32(*abcd, *efgh, sum);
    *efgh = vsha256h2q_u32(*efgh, before, sum);
}

static inline void compress_block(uint32x4_t *abcd, uint32x4_t *efgh,
                                  const uint8_t *data)
{
    const uint32_t *k = hcsshim__sha256_constants;
    uint32x4_t w[4];

    for (int i = 0; i < 4; i++)
        w[i] = load_words(data + 16 * i);
    for (int i = 0; i < 16; i++) {
        rounds(abcd, efgh, vaddq_u32(w[i % 4], vld1q_u32(k + 4 * i)));
        if (i < 12)
            w[i % 4] =
                vsha256su1q_u32(vsha256su0q_u32(w[i % 4], w[(i + 1) % 4]),
                                w[(i + 2) % 4], w[(i + 3) % 4]);
    }
}

static void compress(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);

    for (size_t i = 0; i < blocks; i++) {
        uint32x4_t a = abcd, e = efgh;

        compress_block(&abcd, &efgh, data + i * HCSSHIM_SHA256_BLOCK);
        abcd = vaddq_u32(abcd, a);
        efgh = vaddq_u32(efgh, e);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

static void compress_pair(uint32_t first[8], uint32_t second[8],
                          const uint8_t *first_data, const uint8_t *second_data,
                          size_t blocks)
{
    compress(first, first_data, blocks);
    compress(second, second_data, blocks);
}

const hcsshim__sha256_kernel *hcsshim__sha256_arm(void)
{
    static const hcsshim__sha256_kernel kernel = {"Arm SHA2", compress,
                                                  compress_pair};

    return &kernel;
}

#else

const hcsshim__sha256_kernel *hcsshim__sha256_arm(void) { return NULL; }

#endif
