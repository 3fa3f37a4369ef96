/* tar_header.c - the 512 bytes in front of a member. */
#include <string.h>

#include "layer/tar_parts.h"

#define BLOCK HCSSHIM__TAR_BLOCK
#define TEXT(entry_field, offset, size)                                        \
    entry_field = text_of(block + (offset), (size))

static hcsshim__tar_text text_of(const uint8_t *field, size_t size)
{
    const uint8_t *end = memchr(field, 0, size);
    hcsshim__tar_text text = {(const char *)field,
                              end == NULL ? size : (size_t)(end - field)};

    return text;
}

int hcsshim__tar_is_zero(const uint8_t *block)
{
    return block[0] == 0 && memcmp(block, block + 1, BLOCK - 1) == 0;
}

static int base_256(const uint8_t *field, size_t length, int64_t *out)
{
    uint8_t flip = (field[0] & 0x40) != 0 ? 0xFF : 0;
    uint64_t value = 0;

    for (size_t i = 0; i < length; i++) {
        uint8_t byte = field[i] ^ flip;

        if (i == 0)
            byte &= 0x7F;
        if (value >> 56 != 0)
            return 0;
        value = value << 8 | byte;
    }
    if (value > INT64_MAX)
        return 0;
    *out = flip != 0 ? -(int64_t)value - 1 : (int64_t)value;
    return 1;
}

int hcsshim__tar_number(const uint8_t *field, size_t length, int64_t *out)
{
    uint64_t value = 0;

    *out = 0;
    if (length > 0 && (field[0] & 0x80) != 0)
        return base_256(field, length, out);
    while (length > 0 && (field[0] == ' ' || field[0] == 0))
        field++, length--;
    while (length > 0 && (field[length - 1] == ' ' || field[length - 1] == 0))
        length--;
    for (size_t i = 0; i < length && field[i] != 0; i++) {
        if (field[i] < '0' || field[i] > '7' || value >> 60 != 0)
            return 0;
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    *out = (int64_t)value;
    return 1;
}

int hcsshim__tar_decimal(const char *text, size_t length, int64_t *out)
{
    int negative = length > 0 && text[0] == '-';
    size_t at = length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    uint64_t value = 0;

    *out = 0;
    if (at == length)
        return 0;
    for (; at < length; at++) {
        uint64_t digit = (uint64_t)(uint8_t)text[at] - '0';

        if (digit > 9 || value > (UINT64_C(1) << 63) / 10)
            return 0;
        value = value * 10 + digit;
    }
    if (value > (uint64_t)INT64_MAX + (uint64_t)negative)
        return 0;
    *out = negative && value > 0 ? -(int64_t)(value - 1) - 1 : (int64_t)value;
    return 1;
}

/* Old writers summed the bytes as signed ones. */
static int has_checksum(const uint8_t *block)
{
    uint32_t sum = 0, high = 0;
    int64_t stored;

    for (size_t i = 0; i < BLOCK; i++) {
        sum += block[i];
        high += block[i] >> 7;
    }
    for (size_t i = 148; i < 156; i++) {
        sum = sum - block[i] + ' ';
        high -= block[i] >> 7;
    }
    if ((block[148] & 0x80) != 0 ||
        !hcsshim__tar_number(block + 148, 8, &stored))
        return 0;
    return stored == (int64_t)sum ||
           stored == (int64_t)sum - 256 * (int64_t)high;
}

static enum hcsshim__tar_format format_of(const uint8_t *block)
{
    if (memcmp(block + 257, "ustar", 6) == 0)
        return memcmp(block + 508, "tar", 4) == 0 ? TAR_STAR : TAR_USTAR;
    return memcmp(block + 257, "ustar  ", 8) == 0 ? TAR_GNU : TAR_V7;
}

static int time_field(const uint8_t *field, hcsshim__tar_time *time)
{
    time->present = 1;
    return hcsshim__tar_number(field, 12, &time->seconds);
}

/*
 * GNU's times stand where ustar's prefix does, and some old writer put a
 * prefix there all the same.
 */
static hcsshim__tar_text gnu_times(const uint8_t *block,
                                   hcsshim__tar_entry *entry)
{
    static const hcsshim__tar_time absent;
    hcsshim__tar_text prefix = {"", 0};
    int good = 1;

    if (block[345] != 0)
        good = time_field(block + 345, &entry->accessed);
    if (block[357] != 0)
        good &= time_field(block + 357, &entry->changed);
    if (good)
        return prefix;
    entry->accessed = entry->changed = absent;
    prefix = text_of(block + 345, 155);
    for (size_t i = 0; i < prefix.length; i++)
        if ((prefix.data[i] & 0x80) != 0)
            prefix.length = 0;
    return prefix;
}

static void join(hcsshim__tar_texts *texts, hcsshim__tar_text prefix,
                 hcsshim__tar_text *name)
{
    size_t length = prefix.length;

    memcpy(texts->name, prefix.data, length);
    texts->name[length++] = '/';
    memcpy(texts->name + length, name->data, name->length);
    name->data = texts->name;
    name->length += length;
}

/* What is there in every format but the oldest. */
static int read_extras(const uint8_t *block, enum hcsshim__tar_format format,
                       hcsshim__tar_texts *texts, hcsshim__tar_entry *entry)
{
    hcsshim__tar_text prefix = {"", 0};
    int good = hcsshim__tar_number(block + 329, 8, &entry->device_major);

    TEXT(entry->user, 265, 32);
    TEXT(entry->group, 297, 32);
    good &= hcsshim__tar_number(block + 337, 8, &entry->device_minor);
    if (format == TAR_USTAR)
        TEXT(prefix, 345, 155);
    if (format == TAR_STAR) {
        TEXT(prefix, 345, 131);
        good &= time_field(block + 476, &entry->accessed);
        good &= time_field(block + 488, &entry->changed);
    }
    if (format == TAR_GNU)
        prefix = gnu_times(block, entry);
    if (prefix.length > 0)
        join(texts, prefix, &entry->name);
    return good;
}

const char *hcsshim__tar_header(const uint8_t *block, hcsshim__tar_texts *texts,
                                hcsshim__tar_entry *entry,
                                enum hcsshim__tar_format *format)
{
    static const hcsshim__tar_entry blank = {
        .link = {"", 0}, .user = {"", 0}, .group = {"", 0}};
    int good = 1;

    *entry = blank;
    if (!has_checksum(block))
        return "a header's checksum is wrong";
    *format = format_of(block);
    entry->type = (char)block[156];
    TEXT(entry->name, 0, 100);
    TEXT(entry->link, 157, 100);
    good &= hcsshim__tar_number(block + 100, 8, &entry->mode);
    good &= hcsshim__tar_number(block + 108, 8, &entry->uid);
    good &= hcsshim__tar_number(block + 116, 8, &entry->gid);
    good &= hcsshim__tar_number(block + 124, 12, &entry->size);
    good &= time_field(block + 136, &entry->modified);
    if (*format != TAR_V7)
        good &= read_extras(block, *format, texts, entry);
    return good ? NULL : "a header holds a number that is none";
}
