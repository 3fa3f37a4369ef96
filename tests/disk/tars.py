"""
Tars that the tests make: byte for byte the same on every machine.

They are written here and not with :mod:`tarfile`, because they must not change with
Python's version, and because they hold what no sound program writes.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK = 512
KINDS = b"0123456"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789._-+ ~éß日\\"


@attrs.frozen(kw_only=True)
class Member:
    """One member, and how it is written down."""

    name: bytes
    kind: bytes = b"0"
    body: bytes = b""
    target: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    device: tuple[int, int] = (0, 0)
    #: Records of a pax header in front of the member.
    pax: tuple[tuple[str, bytes], ...] = ()
    magic: bytes = b"ustar\00000"
    #: Size in the header, where it is not the body's.
    size: int | None = None
    #: Bytes written over the header at offsets, before it is summed.
    patches: tuple[tuple[int, bytes], ...] = ()

    def encode(self) -> bytes:
        """Give its blocks."""
        parts = []
        if self.pax:
            records = b"".join(pax_record(key, value) for key, value in self.pax)
            parts.append(Member(name=b"pax", kind=b"x", body=records).encode())
        if self.magic == GNU:
            for kind, text in ((b"L", self.name), (b"K", self.target)):
                if len(text) > 100:
                    body = text + b"\0"
                    long = Member(name=b"long", kind=kind, body=body, magic=GNU)
                    parts.append(long.encode())
        parts.append(self.header())
        parts.append(padded(self.body))
        return b"".join(parts)

    def header(self) -> bytes:
        """Give the block in front of the body."""
        block = bytearray(BLOCK)
        block[: min(100, len(self.name))] = self.name[:100]
        size = len(self.body) if self.size is None else self.size
        block[100:108] = b"%07o\0" % self.mode
        block[108:116] = number(self.uid, 8)
        block[116:124] = number(self.gid, 8)
        block[124:136] = number(size, 12)
        block[136:148] = number(self.mtime, 12)
        block[156:157] = self.kind
        block[157 : 157 + min(100, len(self.target))] = self.target[:100]
        block[257:265] = self.magic
        block[329:337] = number(self.device[0], 8)
        block[337:345] = number(self.device[1], 8)
        for offset, patch in self.patches:
            block[offset : offset + len(patch)] = patch
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        return bytes(block)


GNU = b"ustar  \0"
V7 = bytes(8)


def number(value: int, width: int) -> bytes:
    """Give a number in octal, or in base 256 where it does not fit."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value & ((1 << 8 * width) - 1) | 1 << (8 * width - 1)).to_bytes(
        width, "big"
    )


def pax_record(key: str, value: bytes) -> bytes:
    """Give a record, which begins with its own length."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def padded(body: bytes) -> bytes:
    """Fill a body up to whole blocks."""
    return body + bytes(-len(body) % BLOCK)


def make_tar(*members: Member) -> bytes:
    """Give a whole tar."""
    return b"".join(member.encode() for member in members) + bytes(2 * BLOCK)


def chance(seed: int) -> Random:
    """Give numbers that are the same for the same seed."""
    return Random(seed)  # noqa: S311 - nothing is kept secret with it


def bytes_of(random: Random, length: int) -> bytes:
    """Give bytes that do not repeat soon."""
    return random.randbytes(length)


# ---- tars made by hand: what is special --------------------------------------


def plain_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars that any program might write, by name."""
    yield "nothing", make_tar()
    yield "no-trailer", b""
    yield "one-file", make_tar(Member(name=b"a.txt", body=b"hello\n", mtime=1700000000))
    yield (
        "tree",
        make_tar(
            Member(name=b"./", kind=b"5", mode=0o755, mtime=1),
            Member(name=b"./d/", kind=b"5", mode=0o2775, uid=5, gid=6, mtime=2),
            Member(name=b"./d/f", body=b"x" * 5000, mode=0o4755),
            Member(name=b"./d/h", kind=b"1", target=b"./d/f"),
            Member(name=b"./s", kind=b"2", target=b"d/f", mode=0o777),
            Member(name=b"./s59", kind=b"2", target=b"y" * 59),
            Member(name=b"./s60", kind=b"2", target=b"y" * 60),
            Member(name=b"./hs", kind=b"1", target=b"s60"),
            Member(name=b"./null", kind=b"3", device=(1, 3), mode=0o666),
            Member(name=b"./sda", kind=b"4", device=(259, 70000), mode=0o660),
            Member(name=b"./pipe", kind=b"6", mode=0o600),
            Member(name=b"./empty"),
        ),
    )
    yield (
        "sizes",
        make_tar(
            *(
                Member(name=b"f%d" % size, body=bytes_of(chance(size), size))
                for size in (1, 59, 60, 61, 135, 136, 137, 511, 512, 4095, 4096, 4097)
            )
        ),
    )
    yield (
        "implicit-parents",
        make_tar(
            Member(name=b"./", kind=b"5", mode=0o711, uid=7, gid=8, mtime=99),
            Member(name=b"a/b/c/file", body=b"1"),
            Member(name=b"a/b/other", body=b"2"),
            Member(name=b"a/", kind=b"5", mode=0o700, uid=1, gid=2, mtime=12345),
            Member(name=b"a/n/m", body=b"3"),
        ),
    )
    yield (
        "odd-paths",
        make_tar(
            Member(name=b"/abs", body=b"1"),
            Member(name=b"../../up", body=b"2"),
            Member(name=b"a/./b//c", body=b"3"),
            Member(name=b"a/../d/./e/", kind=b"5"),
            Member(name=b"a/x/..", kind=b"5", mode=0o700),
            Member(name=b"l", kind=b"1", target=b"/a/../abs"),
            Member(name=b"sub\\dir\\file", body=b"4"),
            Member(name=b"w", kind=b"2", target=b"sub\\dir"),
        ),
    )


def named_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars with long and other names, in each format."""
    deep = b"/".join(b"%02d" % i + b"n" * 60 for i in range(30))
    for magic, label in ((GNU, "gnu"), (V7, "v7")):
        yield (
            f"names-{label}",
            make_tar(
                Member(name=b"n" * 90, body=b"1", magic=magic),
                Member(name=b"\xff\xfe bytes", body=b"2", magic=magic),
                Member(name=b"old-folder/", kind=b"\0", magic=magic),
                Member(name=b"old-file", kind=b"\0", body=b"3", magic=magic),
                Member(name=b"contiguous", kind=b"7", body=b"4", magic=magic),
                Member(name=b"unknown", kind=b"Z", body=b"5", magic=magic),
            ),
        )
    yield (
        "long-names-gnu",
        make_tar(
            Member(name=b"d/" + b"n" * 255, body=b"1", magic=GNU),
            Member(name=deep, body=b"2", magic=GNU),
            Member(name=b"s", kind=b"2", target=b"t" * 4095, magic=GNU),
        ),
    )
    yield (
        "long-names-pax",
        make_tar(
            Member(name=b"x", pax=(("path", b"d/" + "é".encode() * 127),), body=b"1"),
            Member(name=b"x", pax=(("path", deep),), body=b"2"),
            Member(name=b"s", kind=b"2", pax=(("linkpath", b"t" * 3000),)),
        ),
    )
    yield (
        "prefix",
        make_tar(
            Member(name=b"name", body=b"1", patches=((345, b"pre/fix"),)),
            Member(name=b"b" * 100, patches=((345, b"p" * 155),)),
            Member(
                name=b"star",
                patches=(
                    (345, b"dir"),
                    (476, number(77, 12)),
                    (488, number(88, 12)),
                    (508, b"tar\0"),
                ),
            ),
        ),
    )


def numbered_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars with large and odd numbers."""
    times = (
        0,
        1,
        2**31 - 1,
        2**31,
        2**32 - 1,
        2**32,
        2**33,
        2**34,
        2**35,
        -1,
        -(2**31),
    )
    yield (
        "times-base256",
        make_tar(
            *(Member(name=b"t%d" % i, mtime=t, magic=GNU) for i, t in enumerate(times)),
            *(
                Member(name=b"d%d/f/g" % i, mtime=t, kind=b"5")
                for i, t in enumerate(times)
            ),
        ),
    )
    yield (
        "times-inherited",
        make_tar(
            *(
                part
                for i, t in enumerate(times)
                for part in (
                    Member(name=b"d%d" % i, mtime=t, kind=b"5", magic=GNU),
                    Member(name=b"d%d/f/g" % i, mtime=t),
                    Member(name=b"d%d/.wh..wh..opq" % i),
                )
            ),
        ),
    )
    fractions = (b"1.5", b"-1.25", b"-0.5", b"0.000000001", b"2147483648.999999999999")
    fractions += (b"-62135596800", b"99999999999", b"-99999999999", b"+5", b"3.")
    yield (
        "times-pax",
        make_tar(
            *(
                Member(
                    name=b"t%d" % i,
                    pax=(("mtime", t), ("atime", t), ("ctime", fractions[-1 - i])),
                )
                for i, t in enumerate(fractions)
            )
        ),
    )
    yield (
        "times-gnu",
        make_tar(
            Member(
                name=b"g",
                magic=GNU,
                mtime=5,
                patches=((345, number(111, 12)), (357, number(222, 12))),
            ),
            Member(name=b"h", magic=GNU, patches=((345, b"dir/tory"),)),
        ),
    )
    yield (
        "owners",
        make_tar(
            Member(name=b"a", uid=65535, gid=65536, magic=GNU),
            Member(name=b"b", uid=2**31, gid=2**32 - 1, magic=GNU),
            Member(name=b"c", pax=(("uid", b"4294967294"), ("gid", b"100000"))),
            Member(name=b"d", uid=-1, gid=-2, magic=GNU),
            Member(name=b"e", mode=0o7777),
            Member(name=b"f", kind=b"3", device=(0xFFF, 0xFFFFF), magic=GNU),
        ),
    )


def attribute(name: str, value: bytes) -> tuple[str, bytes]:
    """Give the record of an extended attribute."""
    return f"SCHILY.xattr.{name}", value


def attributed_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars with extended attributes."""
    label = attribute("security.selinux", b"system_u:object_r:usr_t:s0\0")
    acl = attribute("system.posix_acl_access", bytes(range(44)))
    big = attribute("user.big", bytes(range(256)) * 3)
    yield (
        "attributes",
        make_tar(
            Member(name=b"d", kind=b"5", pax=(label,)),
            Member(name=b"d/f", body=b"1", pax=(label, big)),
            Member(name=b"d/acl", body=b"2", pax=(acl, attribute("user.x", b""))),
            Member(
                name=b"d/caps",
                body=b"3" * 5000,
                pax=(attribute("security.capability", b"\1\0\0\2\0\x20" + bytes(14)),),
            ),
            Member(name=b"d/largest", pax=(attribute("user.foo", b"z" * 4040),)),
            Member(name=b"s", kind=b"2", target=b"t" * 70, pax=(label, big)),
            Member(name=b"n", kind=b"3", pax=(attribute("trusted.t", b"a\nb\0c"),)),
            Member(name=b"other", pax=(attribute("weird", b"w"),)),
            Member(name=b"r", pax=(attribute("system.richacl", b"r"),)),
            Member(name=b"twice", pax=(attribute("user.a", b"1"), ("mtime", b"5"))),
        ),
    )
    many = [attribute(f"user.n{i}" + "x" * (i * 7 % 23), b"v" * 40) for i in range(10)]
    many += [attribute("security.q", b"v" * 90), attribute("trusted.qq", b"v" * 90)]
    yield (
        "attributes-in-block",
        make_tar(
            Member(name=b"f", body=b"1", pax=tuple(many)),
            Member(name=b"g", body=b"2", pax=tuple(reversed(many))),
            Member(name=b"h", body=b"x" * 100, pax=tuple(many[:9])),
        ),
    )
    yield (
        "attributes-merged",
        make_tar(
            Member(name=b"d", kind=b"5", pax=(label, attribute("user.a", b"1"))),
            Member(name=b"d", kind=b"5", pax=(attribute("user.b", b"2"),), mode=0o700),
            Member(name=b"e", kind=b"5", pax=(big, attribute("user.a", b"1"))),
            Member(name=b"e", kind=b"5", pax=(attribute("user.a", b"2"),)),
            Member(name=b"empty", pax=(label,)),
            Member(name=b"empty", pax=(attribute("user.c", b"3"),), uid=9),
        ),
    )
    yield (
        "attributes-opaque",
        make_tar(
            Member(name=b"d", kind=b"5", pax=(label, big), mtime=77),
            Member(name=b"d/f", body=b"1"),
            Member(name=b"d/.wh..wh..opq"),
            Member(
                name=b"e", kind=b"5", pax=(label, attribute("user.long", b"l" * 60))
            ),
            Member(name=b"e/.wh..wh..opq"),
            Member(name=b"g/.wh..wh..opq"),
            Member(name=b".wh..wh..opq"),
        ),
    )


def whiteout_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars with whiteouts of OCI layers."""
    yield (
        "whiteouts",
        make_tar(
            Member(name=b"d/", kind=b"5", mode=0o755),
            Member(name=b"d/f", body=b"x" * 5000),
            Member(name=b"d/h", kind=b"1", target=b"d/f"),
            Member(name=b"s", kind=b"2", target=b"d/f", mode=0o777),
            Member(name=b"d/.wh.gone"),
            Member(name=b"d/.wh..wh..opq"),
            Member(name=b".wh.top", mtime=5, uid=6),
            Member(name=b"p/q/.wh.deep"),
            Member(name=b".wh..wh.plnk"),
            Member(name=b"t/.wh.folder/", kind=b"5"),
        ),
    )
    yield (
        "replacements",
        make_tar(
            Member(name=b"a"),
            Member(name=b"a", mode=0o600),
            Member(name=b"n", kind=b"3", device=(1, 2)),
            Member(name=b"n", kind=b"4", device=(3, 4)),
            Member(name=b"n", kind=b"6"),
            Member(name=b"one", body=b"1" * 10),
            Member(name=b"two", kind=b"1", target=b"one"),
            Member(name=b"one", body=b"2" * 20),
            Member(name=b"three", kind=b"1", target=b"one"),
            Member(name=b"three", kind=b"1", target=b"two"),
            Member(name=b"s", kind=b"2", target=b"x"),
            Member(name=b"s", kind=b"2", target=b"yy"),
            Member(name=b"s", body=b"file now"),
            Member(name=b"lost+found/", kind=b"5", mode=0o755),
            Member(name=b"lost+found/x", body=b"1"),
        ),
    )


def unsound_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars of which the reference makes images that are not sound."""
    selinux = attribute("security.selinux", b"system_u:object_r:usr_t:s0\0")
    yield (
        "replacements-inline",
        make_tar(
            Member(name=b"longer", body=b"1" * 100, pax=(selinux,)),
            Member(name=b"longer", body=b"2" * 5000),
            Member(name=b"shorter", body=b"1" * 136),
            Member(name=b"shorter", body=b"2"),
            Member(name=b"empty"),
            Member(name=b"empty", kind=b"2", target=b"t" * 70, pax=(selinux,)),
            Member(name=b"thrice", body=b"1" * 61),
            Member(name=b"thrice", body=b"2" * 63, pax=(selinux,)),
            Member(name=b"thrice", kind=b"6"),
        ),
    )
    yield (
        "attributes-unnamed",
        make_tar(
            Member(name=b"a", pax=(attribute("", b"nothing"), selinux)),
            Member(name=b"b", pax=(attribute("user.", b"prefix"), selinux)),
            Member(name=b"b", pax=(attribute("user.b", b"kept?"),)),
        ),
    )


def sparse_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars with sparse files in each of GNU's formats, and a global header."""
    version = (("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"))
    body = padded(b"2\n4096\n3\n100000\n5\n") + b"abcdefgh"
    yield (
        "sparse-1.0",
        make_tar(
            Member(
                name=b"x",
                body=body,
                pax=(
                    *version,
                    ("GNU.sparse.name", b"sparse"),
                    ("GNU.sparse.realsize", b"150000"),
                ),
            ),
            Member(name=b"after", body=b"1"),
        ),
    )
    map_ = (("GNU.sparse.numblocks", b"2"), ("GNU.sparse.map", b"0,3,9000,5"))
    scattered = (
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.offset", b"0"),
        ("GNU.sparse.numbytes", b"3"),
        ("GNU.sparse.offset", b"9000"),
        ("GNU.sparse.numbytes", b"5"),
    )
    yield (
        "sparse-0.x",
        make_tar(
            Member(
                name=b"x", body=b"abcdefgh", pax=(*map_, ("GNU.sparse.size", b"9005"))
            ),
            Member(
                name=b"y",
                body=b"abcdefgh",
                pax=(*scattered, ("GNU.sparse.size", b"9999")),
            ),
        ),
    )
    pairs = b"".join(number(n, 12) for n in (0, 3, 5000, 5))
    old = ((386, pairs), (483, number(20000, 12)))
    yield (
        "sparse-old",
        make_tar(
            Member(name=b"x", kind=b"S", magic=GNU, body=b"abcdefgh", patches=old),
            Member(name=b"after", body=b"1"),
        ),
    )
    records = pax_record("comment", b"of git") + pax_record("mtime", b"5")
    yield (
        "global",
        make_tar(
            Member(name=b"pax_global_header", kind=b"g", body=records),
            Member(name=b"f", body=b"1" * 5000),
            Member(name=b"another", kind=b"g", body=records),
            Member(name=b"g", body=b"1"),
        ),
    )


# ---- tars of chance ----------------------------------------------------------


def name_of(random: Random) -> str:
    """Give a name of chance."""
    length = 1 + int(random.random() ** 3 * 40)
    name = "".join(LETTERS[int(random.random() * len(LETTERS))] for _ in range(length))
    return name if name.strip(".") else "dots"


def random_tar(seed: int) -> bytes:
    """Give a tar of all kinds of members, the same for the same seed."""
    random = chance(seed)
    folders, files, taken = [""], [], {"lost+found"}
    parts = []
    for _ in range(20 + seed * 13 % 180):
        path = folders[int(random.random() * len(folders))] + name_of(random)
        path = path.replace("\\", "_") if seed % 3 else path
        if path in taken or len(path.encode()) > 900:
            continue
        taken.add(path)
        parts.append(random_member(random, path, folders, files))
    return make_tar(*parts)


def random_member(
    random: Random, path: str, folders: list[str], files: list[str]
) -> Member:
    """Give a member of chance; remember it if others can refer to it."""
    kind = b"000005512346"[int(random.random() * 12) :][:1]
    if kind == b"1" and not files:
        kind = b"0"
    if kind == b"5":
        folders.append(path + "/")
    elif kind != b"1":
        files.append(path)
    target = b""
    if kind == b"1":
        target = files[int(random.random() * len(files))].encode()
    elif kind == b"2":
        target = b"t" * (1 + int(random.random() * 90))
    size = int(random.random() ** 4 * 60000) if kind == b"0" else 0
    pax = []
    if len(path.encode()) > 100:
        pax.append(("path", path.encode()))
    if len(target) > 100:
        pax.append(("linkpath", target))
    for number_of in range(int(random.random() ** 3 * 5) if kind != b"1" else 0):
        prefix = ("user.", "trusted.", "security.")[int(random.random() * 3)]
        value = bytes_of(random, int(random.random() ** 2 * 300))
        pax.append(attribute(f"{prefix}{number_of}{name_of(random)}", value))
    return Member(
        name=path.encode(),
        kind=kind,
        body=bytes_of(random, size),
        target=target,
        mode=int(random.random() * 0o10000),
        uid=int(random.random() * 70000),
        gid=int(random.random() * 70000),
        mtime=int(random.random() * 2**31),
        device=(int(random.random() * 300), int(random.random() * 300)),
        pax=tuple(pax),
        magic=(b"ustar\00000", GNU)[int(random.random() * 2)],
    )


def many_files(count: int) -> bytes:
    """Give a tar of small files in folders of a thousand."""
    return make_tar(
        *(
            Member(name=b"d%d/f%d" % (i // 1000, i), body=b"x" * (i % 3))
            for i in range(count)
        )
    )


def large_tars() -> Iterator[tuple[str, bytes]]:
    """Yield tars whose images are large."""
    yield "many-files", many_files(9000)
    yield "second-group", many_files(33000)
    yield (
        "megabytes",
        make_tar(
            Member(name=b"big", body=bytes_of(chance(1), 3_000_001)),
            Member(name=b"zeros", body=bytes(2_000_000)),
        ),
    )


MAKERS: tuple[Callable[[], Iterator[tuple[str, bytes]]], ...] = (
    plain_tars,
    named_tars,
    numbered_tars,
    attributed_tars,
    whiteout_tars,
    sparse_tars,
    large_tars,
)
RANDOM = 24


def all_tars() -> Iterator[tuple[str, bytes]]:
    """Yield every tar by name."""
    for maker in MAKERS:
        yield from maker()
    for seed in range(RANDOM):
        yield f"random-{seed}", random_tar(seed)
