/* text.c - UTF-16, UTF-8 and base64. */
#include "layer/text.h"

#include "layer/bytes.h"

/* ---- UTF-8 ------------------------------------------------------------ */

static int is_high(uint32_t point) { return (point & ~0x3FFu) == 0xD800; }
static int is_low(uint32_t point) { return (point & ~0x3FFu) == 0xDC00; }

/* The length of a sequence by its first byte; 0 if none begins so. */
static size_t sequence_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* Returns the length of the sequence, or 0. */
static size_t load_point(const uint8_t *text, size_t length, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = sequence_length(text[0]);

    if (count == 0 || count > length)
        return 0;
    if (count == 1) {
        *point = text[0];
        return 1;
    }
    *point = text[0] & (0x7Fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3Fu);
    }
    return *point >= least[count] && *point <= 0x10FFFF ? count : 0;
}

int64_t hcsshim__utf16_store(const char *text, size_t length, uint8_t *out)
{
    const uint8_t *from = (const uint8_t *)text;
    uint32_t before = 0;
    size_t used = 0;

    for (size_t at = 0; at < length;) {
        uint32_t point;
        size_t count = load_point(from + at, length - at, &point);

        /* Two halves of a pair, each for itself, would come back as one. */
        if (count == 0 || (is_high(before) && is_low(point)))
            return -1;
        if (point >= 0x10000) {
            hcsshim__store16(out + used,
                             (uint16_t)(0xD800 + ((point - 0x10000) >> 10)));
            hcsshim__store16(out + used + 2,
                             (uint16_t)(0xDC00 + ((point - 0x10000) & 0x3FF)));
            used += 4;
        } else {
            hcsshim__store16(out + used, (uint16_t)point);
            used += 2;
        }
        before = point;
        at += count;
    }
    return (int64_t)used;
}

static size_t store_point(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

size_t hcsshim__utf8_store(const uint8_t *units, size_t length, char *out)
{
    size_t used = 0;

    for (size_t at = 0; at + 1 < length; at += 2) {
        uint32_t point = hcsshim__load16(units + at);

        if (is_high(point) && at + 3 < length &&
            is_low(hcsshim__load16(units + at + 2))) {
            at += 2;
            point = 0x10000 + ((point - 0xD800) << 10) +
                    (hcsshim__load16(units + at) - 0xDC00u);
        }
        used += store_point(point, out + used);
    }
    return used;
}

/* ---- base64 ----------------------------------------------------------- */

size_t hcsshim__base64_store(const uint8_t *data, size_t length, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = out;
    size_t at = 0;

    for (; at + 3 <= length; at += 3, to += 4) {
        uint32_t bits = (uint32_t)data[at] << 16 | (uint32_t)data[at + 1] << 8 |
                        data[at + 2];

        to[0] = digits[bits >> 18];
        to[1] = digits[bits >> 12 & 63];
        to[2] = digits[bits >> 6 & 63];
        to[3] = digits[bits & 63];
    }
    if (at < length) {
        uint32_t bits = (uint32_t)data[at] << 16 |
                        (at + 1 < length ? (uint32_t)data[at + 1] << 8 : 0);

        to[0] = digits[bits >> 18];
        to[1] = digits[bits >> 12 & 63];
        to[2] = at + 1 < length ? digits[bits >> 6 & 63] : '=';
        to[3] = '=';
        to += 4;
    }
    return (size_t)(to - out);
}

static int digit(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/* How many '=' end a text; more than two are no padding. */
static size_t padding_of(const char *text, size_t length)
{
    size_t count = 0;

    while (count < 2 && count < length && text[length - 1 - count] == '=')
        count++;
    return count;
}

/* The last group, which may have padding. */
static int64_t load_end(const char *text, uint8_t *out)
{
    size_t digits = 4 - padding_of(text, 4);
    uint32_t bits = 0;
    size_t used = 0;

    for (size_t i = 0; i < digits; i++) {
        int value = digit(text[i]);

        if (value < 0)
            return -1;
        bits |= (uint32_t)value << (18 - 6 * i);
    }
    out[used++] = (uint8_t)(bits >> 16);
    if (digits > 2)
        out[used++] = (uint8_t)(bits >> 8);
    if (digits > 3)
        out[used++] = (uint8_t)bits;
    return (int64_t)used;
}

int64_t hcsshim__base64_load(const char *text, size_t length, uint8_t *out)
{
    uint8_t *to = out;
    int64_t rest;

    if (length % 4 != 0)
        return -1;
    if (length == 0)
        return 0;
    for (; length > 4; length -= 4, text += 4, to += 3) {
        int a = digit(text[0]), b = digit(text[1]), c = digit(text[2]),
            d = digit(text[3]);

        if ((a | b | c | d) < 0)
            return -1;
        to[0] = (uint8_t)(a << 2 | b >> 4);
        to[1] = (uint8_t)(b << 4 | c >> 2);
        to[2] = (uint8_t)(c << 6 | d);
    }
    rest = load_end(text, to);
    return rest < 0 ? -1 : to - out + rest;
}
