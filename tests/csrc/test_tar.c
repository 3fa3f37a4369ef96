/*
 * test_tar.c - the tar reader over members of every kind, cut in every way.
 *
 * Meant for the sanitizers: every assertion also holds without them.
 */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hcsshim.h"
#include "layer/tar_read.h"

#define BLOCK HCSSHIM__TAR_BLOCK
#define MOST (64 * BLOCK)

/* ---- making tars ------------------------------------------------------- */

static uint8_t tar[MOST];
static size_t tar_length;

static void octal(uint8_t *field, size_t size, uint64_t value)
{
    field[--size] = 0;
    while (size > 0) {
        field[--size] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
}

static void seal(uint8_t *block)
{
    uint32_t sum = 0;

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    octal(block + 148, 7, sum);
}

static uint8_t *header(const char *name, char type, uint64_t size)
{
    uint8_t *block = tar + tar_length;

    memset(block, 0, BLOCK);
    memcpy(block, name, strlen(name));
    octal(block + 100, 8, 0644);
    octal(block + 108, 8, 7);
    octal(block + 116, 8, 9);
    octal(block + 124, 12, size);
    octal(block + 136, 12, 1700000000);
    block[156] = (uint8_t)type;
    memcpy(block + 257, "ustar\00000", 8);
    seal(block);
    tar_length += BLOCK;
    return block;
}

static void body(const char *data, size_t length)
{
    memcpy(tar + tar_length, data, length);
    tar_length += length;
    while (tar_length % BLOCK != 0)
        tar[tar_length++] = 0;
}

static void member(const char *name, char type, const char *data, size_t length)
{
    header(name, type, length);
    body(data, length);
}

#define PAX(text) member("pax", 'x', text, sizeof text - 1)

static void trailer(void)
{
    memset(tar + tar_length, 0, 2 * BLOCK);
    tar_length += 2 * BLOCK;
}

/* ---- telling what was read --------------------------------------------- */

static char told[65536];
static size_t told_length;

static void tell(const char *data, size_t length)
{
    assert(told_length + length < sizeof told);
    memcpy(told + told_length, data, length);
    told_length += length;
    told[told_length] = 0;
}

static void tell_entry(const hcsshim__tar_entry *entry)
{
    char line[128];

    snprintf(line, sizeof line, "%c %lld ", entry->type,
             (long long)entry->size);
    tell(line, strlen(line));
    tell(entry->name.data, entry->name.length);
    if (entry->link.length > 0)
        tell(" -> ", 4);
    tell(entry->link.data, entry->link.length);
    tell("\n", 1);
}

static void tell_step(int32_t kind, const hcsshim__tar_step *step)
{
    if (kind == HCSSHIM__TAR_ENTRY)
        tell_entry(step->entry);
    if (kind == HCSSHIM__TAR_DATA)
        tell((const char *)step->data, (size_t)step->length);
    for (uint64_t i = 0; kind == HCSSHIM__TAR_HOLE && i < step->length; i++)
        tell(".", 1);
    if (kind == HCSSHIM__TAR_END)
        tell("end\n", 4);
}

/* Read 'tar' in pieces into 'told'; each piece is memory of its own. */
static int32_t read_tar(uint32_t flags, size_t piece)
{
    hcsshim__tar *reader;
    hcsshim__tar_step step;
    int32_t kind = 0;

    told_length = 0;
    told[0] = 0;
    assert(hcsshim__tar_new(flags, &reader) == 0);
    for (size_t at = 0; kind == 0 && at < tar_length; at += piece) {
        size_t length = tar_length - at < piece ? tar_length - at : piece;
        uint8_t *copy = malloc(length);

        memcpy(copy, tar + at, length);
        hcsshim__tar_feed(reader, copy, length);
        while ((kind = hcsshim__tar_next(reader, &step)) > 0) {
            tell_step(kind, &step);
            if (kind == HCSSHIM__TAR_END)
                break;
        }
        free(copy);
    }
    if (kind == HCSSHIM__TAR_MORE)
        kind = hcsshim__tar_finish(reader);
    if (kind < 0) {
        uint64_t offset;
        const char *problem = hcsshim__tar_problem(reader, &offset);

        assert(problem != NULL && offset <= tar_length);
        assert(hcsshim__tar_next(reader, &step) == kind);
        tell("! ", 2);
        tell(problem, strlen(problem));
        tell("\n", 1);
    }
    hcsshim__tar_free(reader);
    return kind;
}

static void expect_with(uint32_t flags, const char *expected)
{
    static const size_t pieces[] = {MOST, 1, 7, 511, 512, 513, 1024, 1500};

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        read_tar(flags, pieces[i]);
        if (strcmp(told, expected) != 0)
            fprintf(stderr, "pieces of %zu: %s\n", pieces[i], told);
        assert(strcmp(told, expected) == 0);
    }
    tar_length = 0;
}

static void expect(const char *expected) { expect_with(0, expected); }

/* ---- what must be read ------------------------------------------------- */

static void test_plain(void)
{
    uint8_t *block;

    expect("");
    member("a.txt", '0', "hello\n", 6);
    member("old/", 0, "", 0);
    member("old", 0, "", 0);
    block = header("link", '2', 99);
    memcpy(block + 157, "target", 6);
    seal(block);
    block = header("name", '5', 0);
    memcpy(block + 345, "prefix", 6);
    seal(block);
    trailer();
    expect("0 6 a.txt\nhello\n5 0 old/\n0 0 old\n2 99 link -> target\n"
           "5 0 prefix/name\nend\n");
    member("last", '0', "x", 1); /* no trailer, and no padding */
    tar_length -= BLOCK - 1;
    expect("0 1 last\nx");
}

static void test_numbers(void)
{
    hcsshim__tar *reader;
    hcsshim__tar_step step;
    uint8_t *block = header("n", '0', 0);

    memcpy(block + 108, "\x80\0\0\0\x12\x34\x56\x78", 8);
    memset(block + 116, 0xFF, 8);
    memcpy(block + 136, " 17 \0     \0", 12);
    seal(block);
    assert(hcsshim__tar_new(0, &reader) == 0);
    hcsshim__tar_feed(reader, tar, tar_length);
    assert(hcsshim__tar_next(reader, &step) == HCSSHIM__TAR_ENTRY);
    assert(step.entry->uid == 0x12345678 && step.entry->gid == -1);
    assert(step.entry->modified.seconds == 15 && step.entry->modified.present);
    assert(!step.entry->accessed.present && step.entry->mode == 0644);
    hcsshim__tar_free(reader);
    tar_length = 0;
}

static void test_long_names(void)
{
    member("L", 'L', "a long name\0junk", 16);
    member("K", 'K', "a long link", 11);
    member("short", '2', "", 0);
    member("next", '0', "", 0);
    trailer();
    expect("2 0 a long name -> a long link\n0 0 next\nend\n");
}

static void test_pax(void)
{
    hcsshim__tar *reader;
    hcsshim__tar_step step;

    PAX("13 path=long\n11 path=aa\n18 linkpath=there\n15 mtime=-1.25\n"
        "14 uid=100000\n8 gid=5\n29 SCHILY.xattr.user.a=1\n2\0\0\n");
    member("short", '2', "", 0);
    assert(hcsshim__tar_new(0, &reader) == 0);
    hcsshim__tar_feed(reader, tar, tar_length);
    assert(hcsshim__tar_next(reader, &step) == HCSSHIM__TAR_ENTRY);
    assert(step.entry->modified.seconds == -1);
    assert(step.entry->modified.nanoseconds == -250000000);
    assert(step.entry->uid == 100000 && step.entry->gid == 5);
    assert(step.entry->record_count == 7);
    assert(step.entry->records[6].value.length == 5);
    assert(memcmp(step.entry->records[6].value.data, "1\n2\0", 5) == 0);
    hcsshim__tar_free(reader);
    expect("2 0 aa -> there\n");
    PAX("9 path=a\n8 path=\n");
    member("short", '0', "", 0);
    member("other", '0', "", 0);
    expect("0 0 short\n0 0 other\n");
    PAX("9 size=3\n");
    member("sized", '0', "abc", 0);
    body("abc", 3);
    expect("0 3 sized\nabc");
}

static void make_global(void)
{
    member("zero", '0', "abc", 3);
    member("all", 'g', "12 uname=me\n13 path=name\n", 25);
    member("one", '0', "xyz", 3);
    PAX("9 path=p\n");
    member("two", '0', "", 0);
    member("three", '0', "", 0);
}

static void test_global(void)
{
    make_global();
    expect("0 3 zero\nabcg 0 all\n0 3 one\nxyz0 0 p\n0 0 three\n");
    make_global();
    expect_with(HCSSHIM__TAR_APPLY_GLOBAL,
                "0 3 zero\nabc0 3 name\nxyz0 0 p\n0 0 name\n");
}

static void test_pax_sparse(void)
{
    PAX("22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
        "21 GNU.sparse.name=s\n26 GNU.sparse.realsize=12\n");
    header("x", '0', BLOCK + 5);
    body("2\n2\n3\n8\n2\n", 10);
    body("abcde", 5);
    member("next", '0', "", 0);
    expect("0 12 s\n..abc...de..0 0 next\n");
    PAX("22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n"
        "21 GNU.sparse.size=6\n26 GNU.sparse.numblocks=1\n"
        "22 GNU.sparse.map=4,2\n");
    member("t", '0', "yz", 2);
    expect("0 6 t\n....yz");
    PAX("21 GNU.sparse.size=6\n26 GNU.sparse.numblocks=1\n"
        "23 GNU.sparse.offset=4\n25 GNU.sparse.numbytes=2\n");
    member("u", '0', "yz", 2);
    expect("0 6 u\n....yz");
}

static void test_old_sparse(void)
{
    uint8_t *block = header("s", 'S', 6);

    memcpy(block + 257, "ustar  ", 8);
    for (size_t i = 0; i < 4; i++) {
        octal(block + 386 + 24 * i, 12, 10 * i);
        octal(block + 398 + 24 * i, 12, 1);
    }
    block[482] = 1;
    octal(block + 483, 12, 50);
    seal(block);
    memset(tar + tar_length, 0, BLOCK);
    octal(tar + tar_length, 12, 40);
    octal(tar + tar_length + 12, 12, 2);
    tar_length += BLOCK;
    body("abcdef", 6);
    expect("0 50 s\na.........b.........c.........d.........ef........");
}

/* ---- what must be refused ---------------------------------------------- */

static void test_damaged(void)
{
    uint8_t *block;

    header("a", '0', 0)[0] = 'b';
    expect("! a header's checksum is wrong\n");
    member("a", '0', "abc", 3);
    tar_length = BLOCK + 2;
    expect("0 3 a\nab! the tar ends inside the body of a member\n");
    header("a", '0', 0);
    tar_length = 100;
    expect("! the tar ends inside a header\n");
    trailer();
    tar_length -= BLOCK;
    member("a", '0', "", 0);
    expect("! there is something behind the first zero block\n");
    block = header("a", '0', 0);
    memset(block + 124, 0xFF, 12);
    seal(block);
    expect("! the size of a member is negative\n");
    block = header("a", '0', 0);
    memset(block + 124, '9', 11);
    seal(block);
    expect("! a header holds a number that is none\n");
    header("bomb", 'x', UINT64_C(1) << 32);
    expect("! a pax header or long name is longer than 1 MiB\n");
    PAX("11 size=-1\n");
    member("a", '0', "", 0);
    expect("! the size of a file is negative\n");
}

static void test_damaged_pax(void)
{
    static const char *const records[] = {
        "5 a=",        "99 path=a\n",
        "x path=a\n",  "9 path=aa\n",
        "9 path a\n",  "7 =abc\n",
        "-9 path=a\n", "99999999999999999999 path=a\n"};

    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        member("pax", 'x', records[i], strlen(records[i]));
        expect("! a pax header is malformed\n");
    }
    PAX("11 uid=abc\n");
    member("a", '0', "", 0);
    expect("! a number in a pax header is none\n");
    PAX("13 mtime=1.x\n");
    member("a", '0', "", 0);
    expect("! a time in a pax header is none\n");
}

static void sparse_body(const char *map)
{
    PAX("22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
        "26 GNU.sparse.realsize=12\n");
    header("x", '0', BLOCK + 2);
    body(map, strlen(map));
    body("ab", 2);
}

static void test_damaged_sparse(void)
{
    sparse_body("1\n11\n2\n");
    expect("! a sparse map is out of order or beyond the file's size\n");
    sparse_body("2\n4\n1\n3\n1\n");
    expect("! a sparse map is out of order or beyond the file's size\n");
    sparse_body("1\n4\n3\n");
    expect("! a sparse map and the stored bytes do not agree\n");
    sparse_body("1\n-4\n3\n");
    expect("! a sparse map holds a negative number\n");
    sparse_body("99999999999\n");
    expect("! a sparse file has too many pieces\n");
    sparse_body("123456789012345678901234\n");
    expect("! a sparse map is malformed\n");
    PAX("22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n");
    member("x", '0', "1\n", 2);
    expect("! a sparse map is incomplete\n");
    PAX("25 GNU.sparse.numbytes=2\n");
    expect("! a sparse map in pax records is out of order\n");
    PAX("26 GNU.sparse.numblocks=2\n22 GNU.sparse.map=4,2\n");
    member("x", '0', "ab", 2);
    expect("! a sparse map is not as long as it says\n");
}

static void test_passing(void)
{
    hcsshim__tar *reader;
    hcsshim__tar_step step;

    header("big", '0', UINT64_C(1) << 32);
    assert(hcsshim__tar_new(2, &reader) == HCSSHIM_E_INVALIDARG);
    assert(hcsshim__tar_new(0, &reader) == 0);
    hcsshim__tar_feed(reader, tar, BLOCK);
    assert(hcsshim__tar_next(reader, &step) == HCSSHIM__TAR_ENTRY);
    assert(hcsshim__tar_next(reader, &step) == HCSSHIM__TAR_MORE);
    assert(hcsshim__tar_following(reader) == UINT64_C(1) << 32);
    hcsshim__tar_passed(reader, (UINT64_C(1) << 32) - 1);
    assert(hcsshim__tar_following(reader) == 1);
    hcsshim__tar_passed(reader, 1);
    assert(hcsshim__tar_offset(reader) == (UINT64_C(1) << 32) + BLOCK);
    hcsshim__tar_feed(reader, tar, BLOCK);
    assert(hcsshim__tar_next(reader, &step) == HCSSHIM__TAR_ENTRY);
    hcsshim__tar_free(reader);
    hcsshim__tar_free(NULL);
    tar_length = 0;
}

int main(void)
{
    test_plain();
    test_numbers();
    test_long_names();
    test_pax();
    test_global();
    test_pax_sparse();
    test_old_sparse();
    test_damaged();
    test_damaged_pax();
    test_damaged_sparse();
    test_passing();
    puts("ok");
    return 0;
}
