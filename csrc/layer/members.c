/* members.c - headers of members with their zeros squeezed. */
#include "layer/members.h"

#include <string.h>

#include "hcsshim.h"
#include "layer/bytes.h"

/* Fewer zeros than this are cheaper among the literals. */
#define FEWEST_ZEROS 5
#define MOST 0xFFFF

/* The length of the zeros at 'at', none if they are few. */
static size_t zeros_at(const uint8_t *data, size_t at, size_t length)
{
    size_t most = length - at < MOST ? length : at + MOST;
    size_t end = at;

    while (most - end >= 8 && hcsshim__load64(data + end) == 0)
        end += 8;
    while (end < most && data[end] == 0)
        end++;
    return end - at < FEWEST_ZEROS && end < length ? 0 : end - at;
}

/* Up to the first zeros that are not few. */
static size_t literals_at(const uint8_t *data, size_t at, size_t length)
{
    size_t most = length - at < MOST ? length : at + MOST;
    size_t end = at;

    while (end < most) {
        const uint8_t *zero = memchr(data + end, 0, most - end);
        size_t few;

        if (zero == NULL)
            return most - at;
        end = (size_t)(zero - data);
        if (zeros_at(data, end, length) > 0)
            return end - at;
        for (few = 0; few < FEWEST_ZEROS && end < most && data[end] == 0; few++)
            end++;
    }
    return end - at;
}

static size_t squeeze(const uint8_t *data, size_t length, uint8_t *out)
{
    size_t used = 0;

    for (size_t at = 0; at < length;) {
        size_t literals = literals_at(data, at, length);
        size_t zeros = zeros_at(data, at + literals, length);

        hcsshim__store16(out + used, (uint16_t)literals);
        hcsshim__store16(out + used + 2, (uint16_t)zeros);
        memcpy(out + used + 4, data + at, literals);
        used += 4 + literals;
        at += literals + zeros;
    }
    return used;
}

int32_t hcsshim__members_write(hcsshim__sink *sink, hcsshim__member_head head,
                               const uint8_t *data)
{
    /* A pair of counts takes 4 bytes, and stands for at least 5 or 65535. */
    size_t bound = HCSSHIM__MEMBERS_HEAD + head.length + head.length / 4 + 16;
    int32_t hr;
    uint8_t *out = hcsshim__sink_reserve(sink, bound, &hr);

    if (out == NULL)
        return hr;
    head.squeezed =
        (uint32_t)squeeze(data, head.length, out + HCSSHIM__MEMBERS_HEAD);
    hcsshim__store32(out, head.length);
    hcsshim__store32(out + 4, head.squeezed);
    hcsshim__store64(out + 8, head.body);
    hcsshim__store32(out + 16, head.stream);
    hcsshim__store32(out + 20, head.flags);
    hcsshim__store64(out + 24, head.before);
    hcsshim__sink_commit(sink, HCSSHIM__MEMBERS_HEAD + head.squeezed);
    return 0;
}

int32_t hcsshim__members_head(const uint8_t *data, hcsshim__member_head *head)
{
    head->length = hcsshim__load32(data);
    head->squeezed = hcsshim__load32(data + 4);
    head->body = hcsshim__load64(data + 8);
    head->stream = hcsshim__load32(data + 16);
    head->flags = hcsshim__load32(data + 20);
    head->before = hcsshim__load32(data + 24);
    if (head->length > HCSSHIM__MEMBERS_LONGEST ||
        head->before > head->length ||
        head->squeezed > head->length + head->length / 4 + 16)
        return HCSSHIM_E_INVALID_DATA;
    return 0;
}

int32_t hcsshim__members_restore(const hcsshim__member_head *head,
                                 const uint8_t *squeezed, uint8_t *out)
{
    size_t left = head->length;
    size_t rest = head->squeezed;

    while (rest >= 4) {
        size_t literals = hcsshim__load16(squeezed);
        size_t zeros = hcsshim__load16(squeezed + 2);

        if (literals > rest - 4 || literals + zeros > left)
            return HCSSHIM_E_INVALID_DATA;
        memcpy(out, squeezed + 4, literals);
        memset(out + literals, 0, zeros);
        out += literals + zeros;
        left -= literals + zeros;
        squeezed += 4 + literals;
        rest -= 4 + literals;
    }
    return left == 0 && rest == 0 ? 0 : HCSSHIM_E_INVALID_DATA;
}
