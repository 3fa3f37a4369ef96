/*
 * tar_read.c - the steps of a tar reader: headers, what extends them, bodies.
 *
 * One state says what the next bytes are. A block is read where the caller's
 * buffer holds it whole, else put together in 'block'; bodies are never copied.
 */
#include "layer/tar_read.h"

#include <stdlib.h>
#include <string.h>

#include "layer/tar_parts.h"

#define BLOCK HCSSHIM__TAR_BLOCK
#define LONGEST_NUMBER 20 /* digits and sign of an int64_t */

enum state {
    AT_HEADER,
    IN_EXTENSION, /* the body of a pax header or of a long name */
    IN_OLD_MAP,   /* blocks behind an old GNU sparse header */
    IN_TEXT_MAP,  /* blocks in front of the body of a sparse file */
    AT_ENTRY,     /* all is read that describes it */
    IN_BODY,
    IN_PADDING,
    AT_END
};

struct hcsshim__tar {
    uint32_t flags;
    enum state state;
    int32_t error;
    const char *problem;
    const uint8_t *fed;
    size_t fed_length;
    uint64_t offset; /* bytes used up so far */
    uint8_t block[BLOCK];
    size_t block_length;
    int zero_blocks;

    hcsshim__tar_entry entry;
    enum hcsshim__tar_format format;
    uint8_t header[BLOCK]; /* of the entry, whose texts point into it */
    hcsshim__tar_texts texts;
    hcsshim__tar_pax pax;
    hcsshim__tar_bytes long_name, long_link;
    int stale; /* the above was for an entry that was given out */

    hcsshim__tar_bytes *extension; /* which of them is being read */
    uint64_t left;                 /* bytes of it, of the body, of padding */
    size_t padding;

    hcsshim__tar_map map;
    hcsshim__tar_piece whole; /* the map of a body without holes */
    const hcsshim__tar_piece *pieces;
    size_t piece, piece_count;
    uint64_t position;          /* in the body, with its holes */
    char token[LONGEST_NUMBER]; /* of a map in text */
    size_t token_length;
    int64_t numbers; /* of the map still to come; -1: their count, too */
};

int32_t hcsshim__tar_new(uint32_t flags, hcsshim__tar **out)
{
    *out = NULL;
    if ((flags & ~(uint32_t)HCSSHIM__TAR_APPLY_GLOBAL) != 0)
        return HCSSHIM_E_INVALIDARG;
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    (*out)->flags = flags;
    return 0;
}

void hcsshim__tar_free(hcsshim__tar *tar)
{
    if (tar == NULL)
        return;
    free(tar->pax.bytes.data);
    free(tar->pax.records);
    free(tar->long_name.data);
    free(tar->long_link.data);
    free(tar->map.pieces);
    free(tar);
}

void hcsshim__tar_feed(hcsshim__tar *tar, const uint8_t *data, size_t length)
{
    tar->fed = data;
    tar->fed_length = length;
}

static int32_t fail(hcsshim__tar *tar, const char *problem)
{
    tar->problem = problem;
    return HCSSHIM_E_INVALID_DATA;
}

static void use(hcsshim__tar *tar, size_t length)
{
    if (length > 0) /* nothing was fed yet: there is no address to add to */
        tar->fed += length;
    tar->fed_length -= length;
    tar->offset += length;
}

/* The next whole block; NULL if it was not fed yet. */
static const uint8_t *next_block(hcsshim__tar *tar)
{
    const uint8_t *block = tar->fed;
    size_t take = BLOCK - tar->block_length;

    if (take == BLOCK && tar->fed_length >= BLOCK) {
        use(tar, BLOCK);
        return block;
    }
    if (take > tar->fed_length)
        take = tar->fed_length;
    if (take > 0)
        memcpy(tar->block + tar->block_length, tar->fed, take);
    tar->block_length += take;
    use(tar, take);
    if (tar->block_length < BLOCK)
        return NULL;
    tar->block_length = 0;
    return tar->block;
}

/* ---- what extends a header --------------------------------------------- */

/* Read the records again, the global ones first. */
static int32_t parse_pax(hcsshim__tar *tar)
{
    tar->pax.count = 0;
    tar->pax.scattered = 0;
    memset(tar->pax.known, 0, sizeof tar->pax.known);
    tar->map.count = 0;
    tar->map.odd = 0;
    return hcsshim__tar_pax_parse(&tar->pax, &tar->map, &tar->problem);
}

/* Forget what was said of the entry before; keep global records. */
static int32_t begin_entry(hcsshim__tar *tar)
{
    int had_pax = tar->pax.count > 0 || tar->pax.scattered;

    tar->stale = 0;
    tar->long_name.length = 0;
    tar->long_link.length = 0;
    tar->pax.bytes.length = tar->pax.global_length;
    return had_pax ? parse_pax(tar) : 0;
}

static int32_t begin_extension(hcsshim__tar *tar, hcsshim__tar_bytes *bytes,
                               size_t keep)
{
    uint64_t size = (uint64_t)tar->entry.size;

    bytes->length = keep;
    if (size > HCSSHIM__TAR_LONGEST || keep > HCSSHIM__TAR_LONGEST)
        return fail(tar, "a pax header or long name is longer than 1 MiB");
    tar->extension = bytes;
    tar->left = size;
    tar->padding = (size_t)(-size % BLOCK);
    tar->state = IN_EXTENSION;
    return hcsshim__tar_reserve(bytes, (size_t)size + 1);
}

/* A long name ends at its first NUL. */
static void cut_at_nul(hcsshim__tar_bytes *bytes)
{
    const char *end = memchr(bytes->data, 0, bytes->length);

    if (end != NULL)
        bytes->length = (size_t)(end - bytes->data);
}

/* A global header that the caller wants to see. */
static int32_t show_global(hcsshim__tar *tar)
{
    static const hcsshim__tar_entry blank = {
        .link = {"", 0}, .user = {"", 0}, .group = {"", 0}};
    hcsshim__tar_text name = tar->entry.name;
    uint64_t offset = tar->entry.offset;

    tar->entry = blank;
    tar->entry.type = HCSSHIM__TAR_GLOBAL;
    tar->entry.name = name;
    tar->entry.offset = offset;
    tar->entry.records = tar->pax.records;
    tar->entry.record_count = tar->pax.count;
    tar->left = 0;
    tar->state = AT_ENTRY;
    return 0;
}

static int32_t end_extension(hcsshim__tar *tar)
{
    int32_t hr;

    tar->left = tar->padding;
    tar->state = IN_PADDING;
    if (tar->extension != &tar->pax.bytes) {
        cut_at_nul(tar->extension);
        return 0;
    }
    hr = parse_pax(tar);
    if (hr < 0 || tar->entry.type != HCSSHIM__TAR_GLOBAL)
        return hr;
    if ((tar->flags & HCSSHIM__TAR_APPLY_GLOBAL) == 0)
        return show_global(tar);
    tar->pax.global_length = tar->pax.bytes.length;
    return 0;
}

static int32_t read_extension(hcsshim__tar *tar)
{
    hcsshim__tar_bytes *bytes = tar->extension;
    size_t take =
        tar->fed_length < tar->left ? tar->fed_length : (size_t)tar->left;

    if (take > 0)
        memcpy(bytes->data + bytes->length, tar->fed, take);
    bytes->length += take;
    tar->left -= take;
    use(tar, take);
    return tar->left == 0 ? end_extension(tar) : 0;
}

/* ---- bodies ------------------------------------------------------------ */

static int has_body(char type)
{
    return strchr("123456", type) == NULL || type == 0;
}

static int is_version(hcsshim__tar_text text, char digit)
{
    return text.length == 1 && text.data[0] == digit;
}

/* How the entry's pax records say that it is sparse: 0, 1 or none (-1). */
static int sparse_version(const hcsshim__tar_text *known, int scattered)
{
    hcsshim__tar_text major = known[TAR_SPARSE_MAJOR];
    hcsshim__tar_text minor = known[TAR_SPARSE_MINOR];

    if (is_version(major, '0') &&
        (is_version(minor, '0') || is_version(minor, '1')))
        return 0;
    if (is_version(major, '1') && is_version(minor, '0'))
        return 1;
    if (major.length > 0 || minor.length > 0)
        return -1;
    return known[TAR_SPARSE_MAP].length > 0 || scattered ? 0 : -1;
}

/* A sparse map in pax records: its numbers, and how many there must be. */
static int32_t read_record_map(hcsshim__tar *tar)
{
    hcsshim__tar_text count = tar->pax.known[TAR_SPARSE_BLOCKS];
    int64_t wanted = 0;
    int32_t hr = 0;

    if (!hcsshim__tar_decimal(count.data, count.length, &wanted))
        return fail(tar, "a sparse file does not tell its number of pieces");
    if (!tar->pax.scattered)
        hr = hcsshim__tar_map_text(&tar->map, tar->pax.known[TAR_SPARSE_MAP],
                                   &tar->problem);
    if (hr == 0 && (wanted < 0 || (uint64_t)wanted != tar->map.count))
        return fail(tar, "a sparse map is not as long as it says");
    return hr;
}

static int32_t begin_record_sparse(hcsshim__tar *tar, int version)
{
    const hcsshim__tar_text *known = tar->pax.known;
    hcsshim__tar_text size = known[TAR_SPARSE_SIZE];

    if (size.length == 0)
        size = known[TAR_SPARSE_REALSIZE];
    if (size.length > 0 &&
        !hcsshim__tar_decimal(size.data, size.length, &tar->entry.size))
        return fail(tar, "the size of a sparse file is no number");
    if (known[TAR_SPARSE_NAME].length > 0)
        tar->entry.name = known[TAR_SPARSE_NAME];
    tar->entry.sparse = 1;
    if (version == 0)
        return read_record_map(tar);
    tar->map.count = 0;
    tar->map.odd = 0;
    tar->token_length = 0;
    tar->numbers = -1;
    tar->state = IN_TEXT_MAP;
    return 0;
}

static int32_t begin_old_sparse(hcsshim__tar *tar)
{
    int more = 0;
    int32_t hr;

    if (tar->format != TAR_GNU)
        return fail(tar, "a sparse file is not in the format of GNU");
    tar->entry.type = HCSSHIM__TAR_FILE;
    tar->entry.sparse = 1;
    if (!hcsshim__tar_number(tar->header + 483, 12, &tar->entry.size))
        return fail(tar, "the size of a sparse file is no number");
    tar->map.count = 0;
    tar->map.odd = 0;
    hr = hcsshim__tar_map_block(&tar->map, tar->header + 386, 4, &more,
                                &tar->problem);
    if (hr == 0 && more)
        tar->state = IN_OLD_MAP;
    return hr;
}

static int32_t begin_body(hcsshim__tar *tar)
{
    hcsshim__tar_entry *entry = &tar->entry;
    int body = has_body(entry->type), version;

    if (body && entry->size < 0)
        return fail(tar, "the size of a file is negative");
    tar->left = body ? (uint64_t)entry->size : 0;
    tar->padding = (size_t)(-tar->left % BLOCK);
    tar->state = AT_ENTRY;
    version = sparse_version(tar->pax.known, tar->pax.scattered);
    if (entry->type == 'S')
        return begin_old_sparse(tar);
    if (version >= 0 && !body)
        return fail(tar, "something that has no body is sparse");
    return version < 0 ? 0 : begin_record_sparse(tar, version);
}

static int32_t read_old_map(hcsshim__tar *tar, const uint8_t *block)
{
    int more = 0;
    int32_t hr =
        hcsshim__tar_map_block(&tar->map, block, 21, &more, &tar->problem);

    if (hr == 0 && !more)
        tar->state = AT_ENTRY;
    return hr;
}

/* A number of a map in text has come to its end. */
static int32_t end_token(hcsshim__tar *tar)
{
    int64_t number;
    size_t length = tar->token_length;

    tar->token_length = 0;
    if (!hcsshim__tar_decimal(tar->token, length, &number))
        return fail(tar, "a sparse map is malformed");
    if (tar->numbers >= 0) {
        tar->numbers--;
        return hcsshim__tar_map_add(&tar->map, number, &tar->problem);
    }
    if (number < 0 || (uint64_t)number > HCSSHIM__TAR_PIECES)
        return fail(tar, "a sparse file has too many pieces");
    tar->numbers = 2 * number;
    return 0;
}

static int32_t read_text_map(hcsshim__tar *tar, const uint8_t *block)
{
    int32_t hr = 0;

    tar->left -= BLOCK;
    for (size_t i = 0; hr == 0 && i < BLOCK && tar->numbers != 0; i++) {
        if (block[i] == '\n')
            hr = end_token(tar);
        else if (tar->token_length < LONGEST_NUMBER)
            tar->token[tar->token_length++] = (char)block[i];
        else
            hr = fail(tar, "a sparse map is malformed");
    }
    if (hr == 0 && tar->numbers == 0)
        tar->state = AT_ENTRY;
    return hr;
}

/* ---- steps ------------------------------------------------------------- */

static int32_t end_of_entries(hcsshim__tar *tar)
{
    if (++tar->zero_blocks == 2)
        tar->state = AT_END;
    return 0;
}

static int32_t read_kind(hcsshim__tar *tar)
{
    hcsshim__tar_entry *entry = &tar->entry;

    if (has_body(entry->type) && entry->size < 0)
        return fail(tar, "the size of a member is negative");
    switch (entry->type) {
    case 'x':
        return begin_extension(tar, &tar->pax.bytes, tar->pax.global_length);
    case 'g':
        return begin_extension(tar, &tar->pax.bytes, tar->pax.global_length);
    case 'L':
        return begin_extension(tar, &tar->long_name, 0);
    case 'K':
        return begin_extension(tar, &tar->long_link, 0);
    default:
        break;
    }
    tar->problem = hcsshim__tar_pax_apply(&tar->pax, entry);
    if (tar->problem != NULL)
        return HCSSHIM_E_INVALID_DATA;
    if (tar->long_name.length > 0) {
        entry->name.data = tar->long_name.data;
        entry->name.length = tar->long_name.length;
    }
    if (tar->long_link.length > 0) {
        entry->link.data = tar->long_link.data;
        entry->link.length = tar->long_link.length;
    }
    if (entry->type == 0)
        entry->type = entry->name.length > 0 &&
                              entry->name.data[entry->name.length - 1] == '/'
                          ? HCSSHIM__TAR_FOLDER
                          : HCSSHIM__TAR_FILE;
    return begin_body(tar);
}

static int32_t read_header(hcsshim__tar *tar, const uint8_t *block)
{
    int32_t hr = 0;

    if (hcsshim__tar_is_zero(block))
        return end_of_entries(tar);
    if (tar->zero_blocks > 0)
        return fail(tar, "there is something behind the first zero block");
    if (tar->stale)
        hr = begin_entry(tar);
    if (hr < 0)
        return hr;
    memcpy(tar->header, block, BLOCK);
    tar->problem = hcsshim__tar_header(tar->header, &tar->texts, &tar->entry,
                                       &tar->format);
    if (tar->problem != NULL)
        return HCSSHIM_E_INVALID_DATA;
    tar->entry.offset = tar->offset - BLOCK;
    return read_kind(tar);
}

static int32_t give_entry(hcsshim__tar *tar, hcsshim__tar_step *step)
{
    if (tar->entry.sparse) {
        tar->problem =
            hcsshim__tar_map_check(&tar->map, tar->entry.size, tar->left);
        if (tar->problem != NULL)
            return HCSSHIM_E_INVALID_DATA;
        tar->pieces = tar->map.pieces;
        tar->piece_count = tar->map.count;
    } else {
        tar->whole.offset = 0;
        tar->whole.length = tar->left;
        tar->pieces = &tar->whole;
        tar->piece_count = 1;
    }
    tar->piece = 0;
    tar->position = 0;
    tar->stale = 1;
    tar->state = IN_BODY;
    step->entry = &tar->entry;
    return HCSSHIM__TAR_ENTRY;
}

static int32_t give_hole(hcsshim__tar *tar, hcsshim__tar_step *step,
                         uint64_t end)
{
    step->data = NULL;
    step->length = end - tar->position;
    tar->position = end;
    return HCSSHIM__TAR_HOLE;
}

static int32_t give_body(hcsshim__tar *tar, hcsshim__tar_step *step)
{
    while (tar->piece < tar->piece_count) {
        const hcsshim__tar_piece *piece = &tar->pieces[tar->piece];
        uint64_t left = piece->offset + piece->length - tar->position;

        if (tar->position < piece->offset && tar->entry.sparse)
            return give_hole(tar, step, piece->offset);
        if (left == 0) {
            tar->piece++;
            continue;
        }
        if (tar->fed_length == 0)
            return HCSSHIM__TAR_MORE;
        step->data = tar->fed;
        step->length = tar->fed_length < left ? tar->fed_length : left;
        tar->position += step->length;
        use(tar, (size_t)step->length);
        return HCSSHIM__TAR_DATA;
    }
    if (tar->entry.sparse && tar->position < (uint64_t)tar->entry.size)
        return give_hole(tar, step, (uint64_t)tar->entry.size);
    tar->left = tar->padding;
    tar->state = IN_PADDING;
    return 0;
}

static void read_padding(hcsshim__tar *tar)
{
    size_t take =
        tar->fed_length < tar->left ? tar->fed_length : (size_t)tar->left;

    use(tar, take);
    tar->left -= take;
    if (tar->left == 0)
        tar->state = AT_HEADER;
}

/* Whatever comes in blocks. */
static int32_t read_block(hcsshim__tar *tar)
{
    const uint8_t *block;

    if (tar->state == IN_TEXT_MAP && tar->left < BLOCK)
        return fail(tar, "a sparse map is incomplete");
    block = next_block(tar);
    if (block == NULL)
        return 0;
    if (tar->state == IN_OLD_MAP)
        return read_old_map(tar, block);
    if (tar->state == IN_TEXT_MAP)
        return read_text_map(tar, block);
    return read_header(tar, block);
}

/* One state. Returns 0 to go on if anything is left to go on with. */
static int32_t advance(hcsshim__tar *tar, hcsshim__tar_step *step)
{
    switch (tar->state) {
    case IN_EXTENSION:
        return read_extension(tar);
    case AT_ENTRY:
        return give_entry(tar, step);
    case IN_BODY:
        return give_body(tar, step);
    case IN_PADDING:
        read_padding(tar);
        return 0;
    case AT_END:
        return HCSSHIM__TAR_END;
    default:
        return read_block(tar);
    }
}

/* States that end without a byte of input. */
static int is_free(const hcsshim__tar *tar)
{
    return tar->state == AT_ENTRY || tar->state == AT_END ||
           ((tar->state == IN_EXTENSION || tar->state == IN_PADDING) &&
            tar->left == 0);
}

int32_t hcsshim__tar_next(hcsshim__tar *tar, hcsshim__tar_step *step)
{
    int32_t hr = tar->error;

    step->entry = &tar->entry;
    step->data = NULL;
    step->length = 0;
    while (hr == 0) {
        enum state before = tar->state;

        hr = advance(tar, step);
        if (hr == 0 && tar->fed_length == 0 && tar->state == before &&
            !is_free(tar))
            return HCSSHIM__TAR_MORE;
    }
    if (hr < 0)
        tar->error = hr;
    return hr;
}

int32_t hcsshim__tar_finish(hcsshim__tar *tar)
{
    if (tar->error < 0)
        return tar->error;
    if (tar->state == AT_END || tar->state == IN_PADDING)
        return 0;
    if (tar->state == AT_HEADER && tar->block_length == 0)
        return 0;
    tar->error = fail(tar, tar->state == IN_BODY
                               ? "the tar ends inside the body of a member"
                               : "the tar ends inside a header");
    return tar->error;
}

uint64_t hcsshim__tar_following(const hcsshim__tar *tar)
{
    const hcsshim__tar_piece *piece;

    if (tar->state != IN_BODY || tar->fed_length > 0 ||
        tar->piece == tar->piece_count)
        return 0;
    piece = &tar->pieces[tar->piece];
    if (tar->position < piece->offset)
        return 0;
    return piece->offset + piece->length - tar->position;
}

void hcsshim__tar_passed(hcsshim__tar *tar, uint64_t length)
{
    tar->position += length;
    tar->offset += length;
}

uint64_t hcsshim__tar_offset(const hcsshim__tar *tar) { return tar->offset; }

const char *hcsshim__tar_problem(const hcsshim__tar *tar, uint64_t *offset)
{
    *offset = tar->offset;
    return tar->problem;
}
