"""Backup streams to tars and back, beside a slow mapping in Python."""

from __future__ import annotations

import base64
import io
import os
import tarfile
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers_tars import TarMaker

from hcsshim.errors import InvalidDataError
from hcsshim.layers import (
    BackupStream,
    BackupTarReader,
    BackupTarWriter,
    ExtendedAttribute,
    FileInfo,
    ReparsePoint,
    StreamId,
    decode_extended_attributes,
    decode_reparse_point,
    encode_extended_attributes,
    encode_reparse_point,
    join_streams,
    split_streams,
)

if TYPE_CHECKING:
    from pathlib import Path

NULL_SECURITY = bytes.fromhex("01000480") + bytes(16)
EPOCH = 11644473600


def stream(kind: StreamId, data: bytes = b"", **more: object) -> BackupStream:
    """Make a stream."""
    return BackupStream(id=kind, data=data, **more)  # type: ignore[arg-type]


def to_tar(*files: tuple[str, FileInfo, bytes]) -> bytes:
    """Write files as a tar."""
    target = io.BytesIO()
    with BackupTarWriter(target) as writer:
        for file in files:
            writer.add(*file)
    return target.getvalue()


def from_tar(tar: bytes) -> list[tuple[str, FileInfo, bytes]]:
    """Read the files of a tar."""
    return [(f.name, f.info, f.stream.read()) for f in BackupTarReader(io.BytesIO(tar))]


def members(tar: bytes) -> list[tarfile.TarInfo]:
    """Read a tar with Python's own reader."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as file:
        return list(file)


# ---- known bytes -----------------------------------------------------------

KNOWN = {
    "data": (
        [stream(StreamId.DATA, b"hello")],
        "01000000 00000000 0500000000000000 00000000 68656c6c6f",
    ),
    "alternate": (
        [stream(StreamId.ALTERNATE_DATA, b"hi", name=":ads:$DATA")],
        (
            "04000000 00000000 0200000000000000 14000000"
            "3a006100640073003a00240044004100540041006869"
        ),
    ),
    "security": (
        [stream(StreamId.SECURITY_DATA, NULL_SECURITY, attributes=2)],
        "03000000 02000000 1400000000000000 00000000 01000480" + "00" * 16,
    ),
    "sparse": (
        [
            stream(StreamId.DATA, attributes=8),
            stream(StreamId.SPARSE_BLOCK, b"DATA", attributes=8, offset=0x10000),
            stream(StreamId.SPARSE_BLOCK, attributes=8, offset=0x20000),
        ],
        (
            "01000000 08000000 0000000000000000 00000000"
            "09000000 08000000 0c00000000000000 00000000 0000010000000000 44415441"
            "09000000 08000000 0800000000000000 00000000 0000020000000000"
        ),
    ),
    "attributes": (
        [
            stream(
                StreamId.EA_DATA,
                encode_extended_attributes(
                    [
                        ExtendedAttribute(b"AB", b"\1\2\3"),
                        ExtendedAttribute(b"$LX", b"zz"),
                    ]
                ),
            )
        ],
        (
            "02000000 00000000 2000000000000000 00000000"
            "10000000 00020300 41420001 02030000"
            "00000000 00030200 244c5800 7a7a0000"
        ),
    ),
}


@pytest.mark.parametrize(("streams", "expected"), KNOWN.values(), ids=KNOWN)
def test_known_streams(streams: list[BackupStream], expected: str) -> None:
    """
    Streams have the bytes that Windows writes, and come back from them.
    """
    data = bytes.fromhex(expected)

    assert data == join_streams(streams)
    assert streams == list(split_streams(data))


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (
            ReparsePoint("a"),
            "0c0000a01400000000000200040002000100000061000000 61000000",
        ),
        (
            ReparsePoint("C:\\x", is_mount_point=True),
            (
                "030000a0240000000000100012000800"
                "5c003f003f005c0043003a005c0078000000 43003a005c0078000000"
            ),
        ),
    ],
)
def test_known_reparse_points(point: ReparsePoint, expected: str) -> None:
    """
    Links have the bytes that Windows writes, and come back from them.
    """
    data = bytes.fromhex(expected)

    assert data == encode_reparse_point(point)
    assert point == decode_reparse_point(data)


def test_known_tar() -> None:
    """
    The records of a file are those that others write, in their order.
    """
    info = FileInfo(
        creation_time=EPOCH * 10**7 + 1,
        access_time=EPOCH * 10**7 + 10**7,
        write_time=EPOCH * 10**7 - 15_000_000,
        change_time=0,
        attributes=0x20,
    )
    data = join_streams(
        [
            stream(StreamId.SECURITY_DATA, NULL_SECURITY),
            stream(StreamId.EA_DATA, bytes.fromhex("00000000000101004100ff")),
            stream(StreamId.DATA, b"hello"),
            stream(StreamId.ALTERNATE_DATA, b"hi", name=":ads:$DATA"),
        ]
    )

    main, alternate = members(to_tar(("Files\\a", info, data)))

    assert [
        ("LIBARCHIVE.creationtime", "0.0000001"),
        ("MSWINDOWS.fileattr", "32"),
        ("MSWINDOWS.rawsd", base64.b64encode(NULL_SECURITY).decode()),
        ("MSWINDOWS.xattr.A", "/w=="),
        ("atime", "1"),
        ("ctime", "-11644473600"),
        ("mtime", "-1.5"),
    ] == list(main.pax_headers.items())
    assert ("Files/a", 5, 0o100000) == (main.name, main.size, main.mode)
    assert ("Files/a:ads", 2, b"0") == (alternate.name, alternate.size, alternate.type)
    assert "MSWINDOWS.fileattr" not in alternate.pax_headers


@pytest.mark.parametrize(
    ("streams", "contents"),
    [
        ([], b""),
        ([stream(StreamId.DATA, attributes=8)], b""),
        (
            [
                stream(StreamId.DATA, attributes=8),
                stream(StreamId.SPARSE_BLOCK, offset=0, attributes=8),
            ],
            b"",
        ),
        (
            [
                stream(StreamId.DATA, attributes=8),
                stream(StreamId.SPARSE_BLOCK, offset=70000, attributes=8),
            ],
            bytes(70000),
        ),
        ([stream(StreamId.DATA, b"inline", attributes=8)], b"inline"),
        (
            [
                stream(StreamId.DATA, attributes=8),
                stream(StreamId.SPARSE_BLOCK, b"ab", offset=3, attributes=8),
                stream(StreamId.SPARSE_BLOCK, b"c", offset=9, attributes=8),
                stream(StreamId.SPARSE_BLOCK, offset=12, attributes=8),
                stream(StreamId.OBJECT_ID, bytes(64)),
            ],
            b"\0\0\0ab\0\0\0\0c\0\0",
        ),
    ],
)
@pytest.mark.parametrize("alternate", [False, True])
def test_sparse_shapes(
    streams: list[BackupStream], contents: bytes, *, alternate: bool
) -> None:
    """
    However Windows tells a sparse stream, the tar has all of its bytes.
    """
    if alternate:
        head = [
            stream(StreamId.ALTERNATE_DATA, s.data, name=":s", attributes=s.attributes)
            for s in streams[:1]
        ]
        streams = [*head, *streams[1:]]
    tar = to_tar(("f", FileInfo(), join_streams(streams)))

    with tarfile.open(fileobj=io.BytesIO(tar)) as file:
        found = {m.name: file.extractfile(m) for m in file}
    body = found.get("f:s" if alternate and streams else "f")
    assert body is not None
    assert contents == body.read()


# ---- any file --------------------------------------------------------------

UNITS = st.lists(
    st.integers(1, 0xFFFF).filter(lambda unit: unit not in {0x2F, 0x3A, 0x5C}),
    min_size=1,
    max_size=12,
)
TEXTS = UNITS.map(
    lambda units: b"".join(u.to_bytes(2, "little") for u in units).decode(
        "utf-16-le", "surrogatepass"
    )
)
TIMES = st.integers(0, 0xFFFF_FFF0_0000_0000)
INFOS = st.builds(
    FileInfo,
    creation_time=TIMES,
    access_time=TIMES,
    write_time=TIMES,
    change_time=TIMES,
    attributes=st.integers(0, 0xFFFFFFFF).map(lambda bits: bits & ~0x10),
)
ATTRIBUTES = st.lists(
    st.builds(
        ExtendedAttribute,
        st.text("ABC.$_", min_size=1, max_size=20).map(str.encode),
        st.binary(min_size=1, max_size=300),
    ),
    max_size=4,
    unique_by=lambda attribute: attribute.name,
)


@st.composite
def file_streams(draw: st.DrawFn) -> list[BackupStream]:
    """Give a file's streams in the order that a tar gives them back."""
    streams = []
    if security := draw(st.binary(max_size=300)):
        streams.append(stream(StreamId.SECURITY_DATA, security))
    attributes = sorted(draw(ATTRIBUTES), key=lambda attribute: attribute.name)
    if attributes:
        data = encode_extended_attributes(attributes)
        streams.append(stream(StreamId.EA_DATA, data))
    if draw(st.integers(0, 3)) == 0:
        point = ReparsePoint("C:\\" + draw(TEXTS), draw(st.booleans()))
        streams.append(stream(StreamId.REPARSE_DATA, encode_reparse_point(point)))
    else:
        body = draw(st.binary(max_size=200)) * draw(st.sampled_from([1, 1, 2000]))
        streams.append(stream(StreamId.DATA, body))
    for name in draw(st.lists(TEXTS, max_size=3, unique=True)):
        data = draw(st.binary(max_size=600))
        full = f":{name}:$DATA"
        streams.append(stream(StreamId.ALTERNATE_DATA, data, name=full))
    return streams


def expected_records(
    info: FileInfo, streams: list[BackupStream]
) -> tuple[dict[str, str], dict[str, Fraction]]:
    """Map a file the slow way: its records, and its times in seconds."""
    records = {"MSWINDOWS.fileattr": str(info.attributes)}
    for one in streams:
        if one.id == StreamId.SECURITY_DATA:
            records["MSWINDOWS.rawsd"] = base64.b64encode(one.data).decode()
        elif one.id == StreamId.EA_DATA:
            for attribute in decode_extended_attributes(one.data):
                key = f"MSWINDOWS.xattr.{attribute.name.decode()}"
                records[key] = base64.b64encode(attribute.value).decode()
        elif (
            one.id == StreamId.REPARSE_DATA
            and decode_reparse_point(one.data).is_mount_point
        ):
            records["MSWINDOWS.mountpoint"] = "1"
    times = {
        "LIBARCHIVE.creationtime": Fraction(info.creation_time, 10**7) - EPOCH,
        "atime": Fraction(info.access_time, 10**7) - EPOCH,
        "ctime": Fraction(info.change_time, 10**7) - EPOCH,
    }
    return records, times


@settings(max_examples=80, deadline=None)
@given(info=INFOS, streams=file_streams(), shuffled=st.randoms())
def test_any_file_agrees_with_the_slow_mapping(
    info: FileInfo, streams: list[BackupStream], shuffled: object
) -> None:
    """
    The members of a file are what the mapping says, in whatever order its streams
    come.
    """
    mixed = list(streams)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]
    tar = to_tar(("Files\\f", info, join_streams(mixed)))

    main, *others = members(tar)

    records, times = expected_records(info, streams)
    found = dict(main.pax_headers)
    assert times == {key: Fraction(found.pop(key)) for key in times}
    assert records == {k: v for k, v in found.items() if k.startswith("MSWINDOWS.")}
    kinds = [one for one in streams if one.id == StreamId.REPARSE_DATA]
    if kinds:
        target = decode_reparse_point(kinds[0].data).target
        expected = target.encode("utf-8", "surrogatepass")
        assert expected == main.linkname.encode("utf-8", "surrogateescape")
    assert bool(kinds) == main.issym()
    alternates = {
        f"Files/f{one.name[:-6]}".encode("utf-8", "surrogatepass"): len(one.data)
        for one in streams
        if one.id == StreamId.ALTERNATE_DATA
    }
    assert alternates == {
        member.name.encode("utf-8", "surrogateescape"): member.size for member in others
    }


@settings(max_examples=80, deadline=None)
@given(files=st.lists(st.tuples(INFOS, file_streams()), max_size=4))
def test_any_file_comes_back(files: list[tuple[FileInfo, list[BackupStream]]]) -> None:
    """
    Streams become a tar and the same streams again; the tar becomes itself again.
    """
    named = [
        (f"Files/{number}", info, join_streams(streams))
        for number, (info, streams) in enumerate(files)
    ]

    tar = to_tar(*named)

    assert named == from_tar(tar)
    assert tar == to_tar(*from_tar(tar))


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=120), cut=st.integers(0, 400), streams=file_streams())
def test_damage_is_an_error_or_a_file(
    data: bytes, cut: int, streams: list[BackupStream]
) -> None:
    """
    Whatever is not a backup stream is refused, and never a crash.
    """
    whole = join_streams(streams)
    for bad in (data, whole[:cut], whole[:cut] + data + whole[cut:]):
        with suppress(InvalidDataError):
            assert members(to_tar(("f", FileInfo(), bad)))


# ---- whole tars ------------------------------------------------------------


def test_links_and_removals() -> None:
    """
    Hard links and removed names are told both ways.
    """
    target = io.BytesIO()
    with BackupTarWriter(target) as writer:
        writer.add("Files\\a", FileInfo(attributes=32), b"")
        writer.link("Files\\b", "Files\\a", FileInfo(attributes=32))
        writer.remove("Files\\d\\gone")
        done = writer.finish()

    found = list(BackupTarReader(io.BytesIO(target.getvalue())))

    assert [None, "Files/a", None] == [file.link_target for file in found]
    assert [False, False, True] == [file.is_removed for file in found]
    assert ["Files/a", "Files/b", "Files/d/gone"] == [file.name for file in found]
    assert (len(target.getvalue()), 3) == (done.tar_size, done.members)


def test_large_streams_from_files(tmp_path: Path) -> None:
    """
    A stream may be in a file, and larger than what is kept in memory.
    """
    body = os.urandom(1 << 20) * 18
    data = join_streams([stream(StreamId.DATA, body)])
    name = tmp_path / "stream"
    name.write_bytes(b"before" + data)
    target = io.BytesIO()

    with name.open("rb") as file, BackupTarWriter(target) as writer:
        file.seek(6)
        writer.add("f", FileInfo(), file)
    (found,) = BackupTarReader(io.BytesIO(target.getvalue()))

    assert len(body) == found.size


def test_folders_and_defaults() -> None:
    """
    A folder without records has its attribute; the creation time is the last write's.
    """
    tar = TarMaker().folder("d", mtime=1).add("d/f", b"x", mtime=2.5).done()

    folder, file = from_tar(tar)

    assert (0x10, b"") == (folder[1].attributes, folder[2])
    assert (EPOCH * 10 + 25) * 10**6 == file[1].creation_time == file[1].write_time
    assert 0 == file[1].access_time


HOSTILE = {
    "security": {"MSWINDOWS.rawsd": "AAA"},
    "security-base64": {"MSWINDOWS.rawsd": "AA=A"},
    "attributes": {"MSWINDOWS.fileattr": "4294967296"},
    "sign": {"MSWINDOWS.fileattr": "-1"},
    "time": {"LIBARCHIVE.creationtime": "yesterday"},
    "early": {"LIBARCHIVE.creationtime": "-11644473601"},
    "value": {"MSWINDOWS.xattr.A": "!"},
    "name": {f"MSWINDOWS.xattr.{'A' * 256}": "AAAA"},
    "text": {"MSWINDOWS.sd": "O:BA"},
}


@pytest.mark.parametrize("records", HOSTILE.values(), ids=HOSTILE)
def test_wrong_records(records: dict[str, str]) -> None:
    """
    Records that Windows could not have written are refused by the member's name.
    """
    tar = TarMaker().add("Files/f", b"x", pax_headers=records).done()

    with pytest.raises(InvalidDataError, match="'Files/f': it"):
        from_tar(tar)


@pytest.mark.parametrize(
    "tar",
    [
        TarMaker().add("../f").done(),
        TarMaker().add("f", kind=tarfile.CHRTYPE).done(),
        TarMaker().add("f").add("f:a:b").done(),
        TarMaker().symlink("f", "wrong\udcff").done(),
        TarMaker().symlink("f", "x" * 40000).done(),
        TarMaker().add(".wh.").done(),
        TarMaker().add("f", b"x" * 600).done()[:700],
    ],
    ids=["parent", "device", "stream", "bytes", "long", "nothing", "cut"],
)
def test_wrong_tars(tar: bytes) -> None:
    """
    Members that Windows has no files for are refused.
    """
    with pytest.raises(InvalidDataError):
        from_tar(tar)


def test_unknown_reparse_points() -> None:
    """
    A reparse point that is no link is refused, and its kind is named.
    """
    data = join_streams(
        [stream(StreamId.REPARSE_DATA, bytes.fromhex("1b00008000000000"))]
    )

    with pytest.raises(InvalidDataError, match="0x8000001B"):
        to_tar(("f", FileInfo(), data))
