/* tar_write.c - headers of a tar. */
#include "layer/tar_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hcsshim.h"

#define NAME_LENGTH ((size_t)100)
#define PREFIX_LENGTH ((size_t)155)
#define CHECKSUM 148

/* A pax header under way in the sink's buffer. */
struct records {
    char *at;
    char *end;
};

static int is_ascii(hcsshim__tar_text text)
{
    unsigned char all = 0;

    for (size_t i = 0; i < text.length; i++)
        all |= (unsigned char)text.data[i];
    return all < 0x80;
}

/* The digits that 'number' takes in decimal. */
static size_t digits(size_t number)
{
    size_t count = 1;

    for (; number >= 10; number /= 10)
        count++;
    return count;
}

/* The length of a record counts the digits of itself. */
static size_t record_length(size_t key, size_t value)
{
    size_t rest = key + value + 3;
    size_t length = rest + digits(rest);

    return rest + digits(length);
}

static void put(struct records *records, const char *data, size_t length)
{
    memcpy(records->at, data, length);
    records->at += length;
}

static int add_record(struct records *records, const char *key,
                      size_t key_length, const char *value, size_t length)
{
    size_t total = record_length(key_length, length);
    size_t rest = total;

    if (total > (size_t)(records->end - records->at))
        return 0;
    for (size_t i = digits(total); i-- > 0; rest /= 10)
        records->at[i] = (char)('0' + rest % 10);
    records->at += digits(total);
    *records->at++ = ' ';
    put(records, key, key_length);
    *records->at++ = '=';
    put(records, value, length);
    *records->at++ = '\n';
    return 1;
}

static int add_text(struct records *records, const char *key,
                    hcsshim__tar_text text)
{
    return add_record(records, key, strlen(key), text.data, text.length);
}

static int add_number(struct records *records, const char *key, uint64_t number)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRIu64, number);

    return add_record(records, key, strlen(key), text, (size_t)length);
}

size_t hcsshim__tar_format_time(hcsshim__tar_time time, char *out)
{
    int negative = time.seconds < 0 || time.nanoseconds < 0;
    uint64_t seconds =
        time.seconds < 0 ? 0 - (uint64_t)time.seconds : (uint64_t)time.seconds;
    int32_t fraction = time.nanoseconds;
    int length;

    /* Seconds and fraction may come with signs of their own. */
    if (time.seconds < 0 && fraction > 0) {
        seconds--;
        fraction = 1000000000 - fraction;
    } else if (fraction < 0) {
        fraction = -fraction;
    }
    length = snprintf(out, HCSSHIM__TAR_TIME, "%s%" PRIu64 ".%09" PRId32,
                      negative ? "-" : "", seconds, fraction);
    while (out[length - 1] == '0')
        length--;
    if (out[length - 1] == '.')
        length--;
    return (size_t)length;
}

static int add_time(struct records *records, const char *key,
                    hcsshim__tar_time time)
{
    char text[HCSSHIM__TAR_TIME];

    return add_record(records, key, strlen(key), text,
                      hcsshim__tar_format_time(time, text));
}

/* ---- header blocks ---------------------------------------------------- */

/* Octal digits and a NUL; zero where they do not fit: a record says it then. */
static void put_octal(uint8_t *field, size_t length, uint64_t number)
{
    if (length < 22 && number >> (3 * (length - 1)) != 0)
        number = 0;
    for (size_t i = length - 1; i-- > 0; number >>= 3)
        field[i] = (uint8_t)('0' + (number & 7));
    field[length - 1] = 0;
}

/* Copy what is ASCII of a text, as far as there is room. */
static void put_ascii(uint8_t *field, size_t length, hcsshim__tar_text text)
{
    size_t used = 0;

    for (size_t i = 0; i < text.length && used < length; i++)
        if ((unsigned char)text.data[i] < 0x80)
            field[used++] = (uint8_t)text.data[i];
}

static void sum_block(uint8_t *block)
{
    uint32_t sum = 0;

    memset(block + CHECKSUM, ' ', 8);
    for (size_t i = 0; i < HCSSHIM__TAR_BLOCK; i++)
        sum += block[i];
    put_octal(block + CHECKSUM, 7, sum);
}

static uint64_t octal_time(hcsshim__tar_time time)
{
    return time.present && time.seconds > 0 ? (uint64_t)time.seconds : 0;
}

/* All but the name, which must be there already: it is summed. */
static void fill_block(uint8_t *block, const hcsshim__tar_member *member)
{
    static const char magic[8] = {'u', 's', 't', 'a', 'r', 0, '0', '0'};

    put_octal(block + 100, 8, member->mode);
    put_octal(block + 108, 8, member->uid);
    put_octal(block + 116, 8, member->gid);
    put_octal(block + 124, 12, member->size);
    put_octal(block + 136, 12, octal_time(member->modified));
    block[156] = (uint8_t)member->type;
    put_ascii(block + 157, NAME_LENGTH, member->link);
    memcpy(block + 257, magic, sizeof magic);
    put_octal(block + 329, 8, member->device_major);
    put_octal(block + 337, 8, member->device_minor);
    sum_block(block);
}

/* dirname/PaxHeaders.0/basename, as far as it is ASCII and 100 bytes. */
static void put_pax_name(uint8_t *field, hcsshim__tar_text name)
{
    static const char folder[] = "PaxHeaders.0/";
    uint8_t whole[NAME_LENGTH * 2] = {0};
    hcsshim__tar_text part = name;
    size_t slash;
    size_t used;

    while (part.length > 0 && part.data[part.length - 1] == '/')
        part.length--;
    for (slash = part.length; slash > 0 && part.data[slash - 1] != '/';)
        slash--;
    put_ascii(whole, NAME_LENGTH, (hcsshim__tar_text){part.data, slash});
    used = strlen((const char *)whole);
    if (used < NAME_LENGTH)
        memcpy(whole + used, folder, sizeof folder - 1);
    used = strlen((const char *)whole);
    if (used < NAME_LENGTH)
        put_ascii(whole + used, NAME_LENGTH - used,
                  (hcsshim__tar_text){part.data + slash, part.length - slash});
    for (used = NAME_LENGTH; used > 0; used--)
        if (whole[used - 1] != 0 && whole[used - 1] != '/')
            break;
    memcpy(field, whole, used);
}

/* ---- which records a member needs ------------------------------------- */

/* Where to part a long name for ustar's prefix, or 0 if nowhere. */
static size_t split_at(hcsshim__tar_text name)
{
    size_t at =
        name.length < PREFIX_LENGTH + 1 ? name.length : PREFIX_LENGTH + 1;

    if (at == name.length && at > 0 && name.data[at - 1] == '/')
        at--;
    while (at > 0 && name.data[at - 1] != '/')
        at--;
    if (at < 2 || name.length - at > NAME_LENGTH || name.length == at)
        return 0;
    return at - 1;
}

static int fits_octal(uint64_t number, size_t length)
{
    return number >> (3 * (length - 1)) == 0;
}

static int time_needs_record(hcsshim__tar_time time)
{
    return time.present && (time.nanoseconds != 0 || time.seconds < 0 ||
                            !fits_octal((uint64_t)time.seconds, 12));
}

static int long_text(hcsshim__tar_text text)
{
    return text.length > NAME_LENGTH || !is_ascii(text);
}

static int needs_pax(const hcsshim__tar_member *member)
{
    return member->record_count > 0 || member->accessed.present ||
           member->changed.present || time_needs_record(member->modified) ||
           !fits_octal(member->size, 12) || !fits_octal(member->uid, 8) ||
           !fits_octal(member->gid, 8) || long_text(member->link) ||
           !is_ascii(member->name) ||
           (member->name.length > NAME_LENGTH && split_at(member->name) == 0);
}

static int add_records(struct records *out, const hcsshim__tar_member *member)
{
    int ok = 1;

    for (size_t i = 0; i < member->record_count && ok; i++) {
        const hcsshim__tar_record *record = &member->records[i];

        ok = add_record(out, record->key.data, record->key.length,
                        record->value.data, record->value.length);
    }
    if (ok && member->accessed.present)
        ok = add_time(out, "atime", member->accessed);
    if (ok && member->changed.present)
        ok = add_time(out, "ctime", member->changed);
    if (ok && !fits_octal(member->gid, 8))
        ok = add_number(out, "gid", member->gid);
    if (ok && long_text(member->link))
        ok = add_text(out, "linkpath", member->link);
    if (ok && time_needs_record(member->modified))
        ok = add_time(out, "mtime", member->modified);
    if (ok && long_text(member->name))
        ok = add_text(out, "path", member->name);
    if (ok && !fits_octal(member->size, 12))
        ok = add_number(out, "size", member->size);
    if (ok && !fits_octal(member->uid, 8))
        ok = add_number(out, "uid", member->uid);
    return ok;
}

static size_t records_bound(const hcsshim__tar_member *member)
{
    size_t bound =
        HCSSHIM__TAR_HEADER_ROOM + member->name.length + member->link.length;

    for (size_t i = 0; i < member->record_count; i++)
        bound += member->records[i].key.length +
                 member->records[i].value.length + 24;
    return bound;
}

static int32_t check(const hcsshim__tar_member *member)
{
    size_t bound = 0;

    if (memchr(member->name.data, 0, member->name.length) != NULL ||
        memchr(member->link.data, 0, member->link.length) != NULL ||
        member->name.length == 0)
        return HCSSHIM_E_INVALID_DATA;
    for (size_t i = 0; i < member->record_count; i++) {
        const hcsshim__tar_record *record = &member->records[i];

        if (record->key.length == 0 ||
            memchr(record->key.data, '=', record->key.length) != NULL ||
            memchr(record->key.data, 0, record->key.length) != NULL ||
            record->value.length > HCSSHIM__TAR_LONGEST ||
            record->key.length > HCSSHIM__TAR_LONGEST)
            return HCSSHIM_E_INVALID_DATA;
        bound += record->key.length + record->value.length;
        if (bound > HCSSHIM__TAR_LONGEST - HCSSHIM__TAR_HEADER_ROOM)
            return HCSSHIM_E_INVALID_DATA;
    }
    if (member->name.length > HCSSHIM__TAR_LONGEST / 4 ||
        member->link.length > HCSSHIM__TAR_LONGEST / 4)
        return HCSSHIM_E_INVALID_DATA;
    return records_bound(member) > HCSSHIM__TAR_LONGEST ? HCSSHIM_E_INVALID_DATA
                                                        : 0;
}

static size_t round_up(size_t length)
{
    return (length + HCSSHIM__TAR_BLOCK - 1) &
           ~(size_t)(HCSSHIM__TAR_BLOCK - 1);
}

/* The pax header and its records; 'out' has room for all. */
static size_t put_pax(uint8_t *out, size_t room,
                      const hcsshim__tar_member *member)
{
    hcsshim__tar_member header = {.type = 'x', .link = {"", 0}};
    struct records records = {(char *)out + HCSSHIM__TAR_BLOCK,
                              (char *)out + room};

    if (!add_records(&records, member))
        return 0;
    header.size = (uint64_t)(records.at - ((char *)out + HCSSHIM__TAR_BLOCK));
    memset(out, 0, HCSSHIM__TAR_BLOCK);
    put_pax_name(out, member->name);
    fill_block(out, &header);
    memset(records.at, 0, round_up((size_t)header.size) - (size_t)header.size);
    return HCSSHIM__TAR_BLOCK + round_up((size_t)header.size);
}

static void put_main(uint8_t *block, const hcsshim__tar_member *member, int pax)
{
    size_t split = 0;

    memset(block, 0, HCSSHIM__TAR_BLOCK);
    if (!pax && member->name.length > NAME_LENGTH)
        split = split_at(member->name);
    if (split > 0) {
        memcpy(block, member->name.data + split + 1,
               member->name.length - split - 1);
        memcpy(block + 345, member->name.data, split);
    } else {
        put_ascii(block, NAME_LENGTH, member->name);
    }
    fill_block(block, member);
}

int32_t hcsshim__tar_write_header(hcsshim__sink *sink,
                                  const hcsshim__tar_member *member)
{
    int pax = needs_pax(member);
    size_t room = records_bound(member) + 3 * (size_t)HCSSHIM__TAR_BLOCK;
    size_t used = 0;
    uint8_t *out;
    int32_t hr = check(member);

    if (hr < 0)
        return hr;
    out = hcsshim__sink_reserve(sink, room + HCSSHIM__TAR_BLOCK, &hr);
    if (out == NULL)
        return hr;
    if (pax) {
        used = put_pax(out, room - HCSSHIM__TAR_BLOCK, member);
        if (used == 0)
            return HCSSHIM_E_INVALID_DATA;
    }
    put_main(out + used, member, pax);
    hcsshim__sink_commit(sink, used + HCSSHIM__TAR_BLOCK);
    return 0;
}

int32_t hcsshim__tar_write_padding(hcsshim__sink *sink, uint64_t size)
{
    return hcsshim__sink_zeros(sink, (0 - size) % HCSSHIM__TAR_BLOCK);
}

int32_t hcsshim__tar_write_end(hcsshim__sink *sink)
{
    return hcsshim__sink_zeros(sink, (uint64_t)2 * HCSSHIM__TAR_BLOCK);
}

int hcsshim__tar_compare_records(const void *one, const void *other)
{
    const hcsshim__tar_record *a = one, *b = other;
    size_t length =
        a->key.length < b->key.length ? a->key.length : b->key.length;
    int order = memcmp(a->key.data, b->key.data, length);

    if (order != 0)
        return order;
    return (a->key.length > b->key.length) - (a->key.length < b->key.length);
}
