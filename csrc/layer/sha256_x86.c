/* sha256_x86.c - SHA-256 with the SHA instructions of x86-64. */
#include "layer/sha256.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#ifdef _MSC_VER
#include <intrin.h>
#define SHA_CODE
#else
#include <cpuid.h>
#define SHA_CODE __attribute__((target("sha,sse4.1,ssse3")))
#endif

/* One message in registers: the state in the order the rounds want, words. */
struct lane {
    __m128i abef;
    __m128i cdgh;
    __m128i w0, w1, w2, w3;
};

#ifdef _MSC_VER
static void ask(unsigned leaf, unsigned answer[4])
{
    __cpuidex((int *)answer, (int)leaf, 0);
}
#else
static void ask(unsigned leaf, unsigned answer[4])
{
    __cpuid_count(leaf, 0, answer[0], answer[1], answer[2], answer[3]);
}
#endif

SHA_CODE static inline __m128i load_words(const uint8_t *data)
{
    const __m128i swap =
        _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);

    return _mm_shuffle_epi8(
        _mm_loadu_si128((const __m128i *)(const void *)data), swap);
}

SHA_CODE static inline void load_state(struct lane *lane,
                                       const uint32_t state[8])
{
    const __m128i *from = (const __m128i *)(const void *)state;
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(from), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(from + 1), 0x1B);

    lane->abef = _mm_alignr_epi8(cdab, efgh, 8);
    lane->cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
}

SHA_CODE static inline void store_state(const struct lane *lane,
                                        uint32_t state[8])
{
    __m128i *to = (__m128i *)(void *)state;
    __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xB1);

    _mm_storeu_si128(to, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(to + 1, _mm_alignr_epi8(dchg, feba, 8));
}

SHA_CODE static inline void load_block(struct lane *lane, const uint8_t *data)
{
    lane->w0 = load_words(data);
    lane->w1 = load_words(data + 16);
    lane->w2 = load_words(data + 32);
    lane->w3 = load_words(data + 48);
}

/* Four rounds on the words w with the constants k. */
SHA_CODE static inline void rounds(struct lane *lane, __m128i w, __m128i k)
{
    __m128i sum = _mm_add_epi32(w, k);

    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    sum = _mm_shuffle_epi32(sum, 0x0E);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, sum);
}

/* The four words that come sixteen after w0. */
SHA_CODE static inline __m128i extend(__m128i w0, __m128i w1, __m128i w2,
                                      __m128i w3)
{
    __m128i sum =
        _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));

    return _mm_sha256msg2_epu32(sum, w3);
}

/* Sixteen rounds, and the words of the sixteen after them. */
SHA_CODE static inline void rounds_extend(struct lane *lane, const __m128i *k)
{
    rounds(lane, lane->w0, k[0]);
    lane->w0 = extend(lane->w0, lane->w1, lane->w2, lane->w3);
    rounds(lane, lane->w1, k[1]);
    lane->w1 = extend(lane->w1, lane->w2, lane->w3, lane->w0);
    rounds(lane, lane->w2, k[2]);
    lane->w2 = extend(lane->w2, lane->w3, lane->w0, lane->w1);
    rounds(lane, lane->w3, k[3]);
    lane->w3 = extend(lane->w3, lane->w0, lane->w1, lane->w2);
}

SHA_CODE static void compress(uint32_t state[8], const uint8_t *data,
                              size_t blocks)
{
    const __m128i *k = (const __m128i *)(const void *)hcsshim__sha256_constants;
    struct lane a;

    load_state(&a, state);
    for (; blocks > 0; blocks--, data += HCSSHIM_SHA256_BLOCK) {
        __m128i abef = a.abef, cdgh = a.cdgh;

        load_block(&a, data);
        for (int i = 0; i < 12; i += 4)
            rounds_extend(&a, k + i);
        rounds(&a, a.w0, k[12]);
        rounds(&a, a.w1, k[13]);
        rounds(&a, a.w2, k[14]);
        rounds(&a, a.w3, k[15]);
        a.abef = _mm_add_epi32(a.abef, abef);
        a.cdgh = _mm_add_epi32(a.cdgh, cdgh);
    }
    store_state(&a, state);
}

/* As rounds_extend() for two messages, step by step in turn. */
SHA_CODE static inline void pair_extend(struct lane *a, struct lane *b,
                                        const __m128i *k)
{
    rounds(a, a->w0, k[0]);
    rounds(b, b->w0, k[0]);
    a->w0 = extend(a->w0, a->w1, a->w2, a->w3);
    b->w0 = extend(b->w0, b->w1, b->w2, b->w3);
    rounds(a, a->w1, k[1]);
    rounds(b, b->w1, k[1]);
    a->w1 = extend(a->w1, a->w2, a->w3, a->w0);
    b->w1 = extend(b->w1, b->w2, b->w3, b->w0);
    rounds(a, a->w2, k[2]);
    rounds(b, b->w2, k[2]);
    a->w2 = extend(a->w2, a->w3, a->w0, a->w1);
    b->w2 = extend(b->w2, b->w3, b->w0, b->w1);
    rounds(a, a->w3, k[3]);
    rounds(b, b->w3, k[3]);
    a->w3 = extend(a->w3, a->w0, a->w1, a->w2);
    b->w3 = extend(b->w3, b->w0, b->w1, b->w2);
}

SHA_CODE static void compress_pair(uint32_t first[8], uint32_t second[8],
                                   const uint8_t *first_data,
                                   const uint8_t *second_data, size_t blocks)
{
    const __m128i *k = (const __m128i *)(const void *)hcsshim__sha256_constants;
    struct lane a, b;

    load_state(&a, first);
    load_state(&b, second);
    for (size_t i = 0; i < blocks; i++) {
        __m128i a_abef = a.abef, a_cdgh = a.cdgh;
        __m128i b_abef = b.abef, b_cdgh = b.cdgh;

        load_block(&a, first_data + i * HCSSHIM_SHA256_BLOCK);
        load_block(&b, second_data + i * HCSSHIM_SHA256_BLOCK);
        for (int j = 0; j < 12; j += 4)
            pair_extend(&a, &b, k + j);
        rounds(&a, a.w0, k[12]);
        rounds(&b, b.w0, k[12]);
        rounds(&a, a.w1, k[13]);
        rounds(&b, b.w1, k[13]);
        rounds(&a, a.w2, k[14]);
        rounds(&b, b.w2, k[14]);
        rounds(&a, a.w3, k[15]);
        rounds(&b, b.w3, k[15]);
        a.abef = _mm_add_epi32(a.abef, a_abef);
        a.cdgh = _mm_add_epi32(a.cdgh, a_cdgh);
        b.abef = _mm_add_epi32(b.abef, b_abef);
        b.cdgh = _mm_add_epi32(b.cdgh, b_cdgh);
    }
    store_state(&a, first);
    store_state(&b, second);
}

const hcsshim__sha256_kernel *hcsshim__sha256_x86(void)
{
    static const hcsshim__sha256_kernel kernel = {"x86 SHA", compress,
                                                  compress_pair};
    unsigned answer[4]; /* eax, ebx, ecx, edx */

    ask(0, answer);
    if (answer[0] < 7)
        return NULL;
    ask(1, answer);
    if ((answer[2] & (1U << 9)) == 0 || (answer[2] & (1U << 19)) == 0)
        return NULL; /* SSSE3, SSE4.1 */
    ask(7, answer);
    return (answer[1] & (1U << 29)) != 0 ? &kernel : NULL;
}

#else

const hcsshim__sha256_kernel *hcsshim__sha256_x86(void) { return NULL; }

#endif
