"""
ext4 as it stands on disk: super block, inodes, maps of blocks, folders, attributes.

Sizes and places out of an image are checked before they are used: an image may say
anything.
"""

from __future__ import annotations

import stat
from struct import Struct, unpack_from
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim.disk._io import read_at, size_of
from hcsshim.errors import InvalidDataError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = 0xEF53
ROOT = 2
EXTENTS, INLINE_DATA, HUGE_FILE, ENCRYPTED = 0x80000, 0x10000000, 0x40000, 0x800
_EXTENT_HEADER = Struct("<HHHH4x")
_ATTRIBUTE = Struct("<BBHIII")
_ATTRIBUTE_MAGIC = 0xEA020000
_EXTENT_MAGIC = 0xF30A
_DEEPEST = 5
#: Features whose images can be read; and why those with others cannot.
_READABLE = (
    0x2 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x20000
)
_WIDE = 0x80
_REFUSED = {
    0x1: "is compressed",
    0x4: "was not unmounted; its journal would have to be replayed",
    0x8: "is a journal, not a file system",
    0x10: "keeps its group descriptors in many places (meta_bg)",
    0x10000: "holds encrypted files",
}
_PREFIXES = {
    1: b"user.",
    2: b"system.posix_acl_access",
    3: b"system.posix_acl_default",
    4: b"trusted.",
    6: b"security.",
    7: b"system.",
    8: b"system.richacl",
}


def invalid(message: str) -> InvalidDataError:
    """Make the error for an image that contradicts itself."""
    return InvalidDataError(operation="ext4", message=message)


@attrs.frozen(kw_only=True)
class Inode:
    """A file of an image, whatever its names."""

    number: int
    mode: int
    uid: int
    gid: int
    size: int
    links: int
    flags: int
    #: Nanoseconds since 1970.
    accessed: int
    changed: int
    modified: int
    map: bytes = attrs.field(repr=False)
    attribute_block: int
    raw: bytes = attrs.field(repr=False)

    @property
    def is_folder(self) -> bool:
        """Whether names can be in it."""
        return stat.S_ISDIR(self.mode)

    @property
    def device(self) -> tuple[int, int]:
        """The numbers of a device."""
        old, new = unpack_from("<II", self.map)
        if old:
            return old >> 8 & 0xFF, old & 0xFF
        return (new >> 8 & 0xFFF), (new & 0xFF) | (new >> 12 & 0xFFF00)


@attrs.define(eq=False)
class Image:
    """
    An image that can be read.

    Args:
        file: That it stands in, from its start on; what follows it is not looked at.

    Raises:
        InvalidDataError: It is none, or is damaged.
        NotSupportedError: It has features that are not read here.
    """

    file: IO[bytes]
    block_size: int = attrs.field(init=False)
    blocks: int = attrs.field(init=False)
    free_blocks: int = attrs.field(init=False)
    inodes: int = attrs.field(init=False)
    free_inodes: int = attrs.field(init=False)
    features: tuple[int, int, int] = attrs.field(init=False)
    uuid: bytes = attrs.field(init=False)
    label: bytes = attrs.field(init=False)
    _inodes_per_group: int = attrs.field(init=False)
    _inode_size: int = attrs.field(init=False)
    _descriptors: int = attrs.field(init=False)
    _descriptor_size: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if size_of(self.file) < 2048:
            raise invalid("The file is too short for ext4.")
        block = read_at(self.file, 1024, 1024)
        (magic,) = unpack_from("<H", block, 0x38)
        if magic != MAGIC:
            raise invalid("The file does not begin with ext4.")
        self._read_super(block)

    def _read_super(self, block: bytes) -> None:
        inodes, low, free_low, free_inodes, first, log_size = unpack_from(
            "<II4xIIII", block
        )
        (self._inodes_per_group,) = unpack_from("<I", block, 0x28)
        (inode_size,) = unpack_from("<H", block, 0x58)
        self.features = unpack_from("<III", block, 0x5C)
        self._check_features()
        wide = self.features[1] & _WIDE
        high, free_high = unpack_from("<I4xI", block, 0x150) if wide else (0, 0)
        (size,) = unpack_from("<H", block, 0xFE)
        self._descriptor_size = size if wide else 32
        self._inode_size = inode_size if unpack_from("<I", block, 0x4C)[0] else 128
        if (
            log_size > 6
            or not 128 <= self._inode_size <= 1024 << log_size
            or not 0 < self._inodes_per_group <= 1 << 20
            or not 32 <= self._descriptor_size <= 1024
            or not 0 < inodes
        ):
            raise invalid("The super block of the image contradicts itself.")
        self.block_size = 1024 << log_size
        self.blocks = high << 32 | low
        self.free_blocks = free_high << 32 | free_low
        self.inodes, self.free_inodes = inodes, free_inodes
        self.uuid, self.label = block[0x68:0x78], block[0x78:0x88].rstrip(b"\0")
        self._descriptors = (first + 1) * self.block_size

    def _check_features(self) -> None:
        missing = self.features[1] & ~_READABLE
        for bit, reason in _REFUSED.items():
            if missing & bit:
                raise NotSupportedError(
                    operation="ext4", message=f"The file system {reason}."
                )
        if missing:
            raise NotSupportedError(
                operation="ext4",
                message=f"The file system has features 0x{missing:X}, unknown here.",
            )

    def block(self, number: int, count: int = 1) -> bytes:
        """Read blocks."""
        if not 0 < number <= number + count <= self.blocks:
            raise invalid(f"Block {number} is not in the image.")
        return read_at(self.file, number * self.block_size, count * self.block_size)

    # ---- inodes ----------------------------------------------------------------

    def inode(self, number: int) -> Inode:
        """Read an inode."""
        if not 0 < number <= self.inodes:
            raise invalid(f"There is no inode {number} in the image.")
        group, index = divmod(number - 1, self._inodes_per_group)
        size = self._descriptor_size
        descriptor = read_at(self.file, self._descriptors + group * size, size)
        (table,) = unpack_from("<I", descriptor, 8)
        if size >= 64:
            table |= unpack_from("<I", descriptor, 0x28)[0] << 32
        place = table * self.block_size + index * self._inode_size
        if place + self._inode_size > self.blocks * self.block_size:
            raise invalid(f"Inode {number} is not in the image.")
        return self._decode(number, read_at(self.file, place, self._inode_size))

    def _decode(self, number: int, raw: bytes) -> Inode:
        mode, uid, size = unpack_from("<HHI", raw)
        (gid, links) = unpack_from("<HH", raw, 0x18)
        (flags,) = unpack_from("<I", raw, 0x20)
        attribute_block, size_high = unpack_from("<II", raw, 0x68)
        attribute_high, uid_high, gid_high = unpack_from("<HHH", raw, 0x76)
        wide = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
        return Inode(
            number=number,
            mode=mode,
            uid=uid_high << 16 | uid,
            gid=gid_high << 16 | gid,
            size=(size_high << 32 if wide else 0) | size,
            links=links,
            flags=flags,
            accessed=_time(raw, 0x08, 0x8C),
            changed=_time(raw, 0x0C, 0x84),
            modified=_time(raw, 0x10, 0x88),
            map=raw[0x28:0x64],
            attribute_block=attribute_high << 32 | attribute_block,
            raw=raw,
        )

    # ---- contents --------------------------------------------------------------

    def runs(self, inode: Inode) -> Iterator[tuple[int, int, int]]:
        """
        Yield where a file's blocks are, in order: the first one's place in the file,
        their number, and the first one's place in the image; 0 for zeros.
        """
        total = -(-inode.size // self.block_size)
        at = 0
        source = self._extents if inode.flags & EXTENTS else self._mapped
        for first, count, place in source(inode):
            if first < at:
                raise invalid(f"The blocks of inode {inode.number} overlap.")
            if first >= total:
                break
            if first > at:
                yield at, first - at, 0
            count = min(count, total - first)  # noqa: PLW2901 - what lies in the file
            yield first, count, place
            at = first + count
        if at < total:
            yield at, total - at, 0

    def _extents(self, inode: Inode) -> Iterator[tuple[int, int, int]]:
        yield from self._extent_node(inode, inode.map, _DEEPEST)

    def _extent_node(
        self, inode: Inode, node: bytes, most: int
    ) -> Iterator[tuple[int, int, int]]:
        magic, count, _, depth = _EXTENT_HEADER.unpack_from(node)
        if magic != _EXTENT_MAGIC or depth > most or 12 * (count + 1) > len(node):
            raise invalid(f"The extents of inode {inode.number} are damaged.")
        for at in range(12, 12 * (count + 1), 12):
            if depth:
                _, low, high = unpack_from("<IIH", node, at)
                below = self.block(high << 32 | low)
                yield from self._extent_node(inode, below, depth - 1)
                continue
            first, length, high, low = unpack_from("<IHHI", node, at)
            unwritten = length > 0x8000
            if unwritten:
                length -= 0x8000
            yield first, length, 0 if unwritten else high << 32 | low

    def _mapped(self, inode: Inode) -> Iterator[tuple[int, int, int]]:
        """The blocks of a file in the way of ext2: one number for each."""
        pointers = unpack_from("<15I", inode.map)
        for index, place in enumerate(pointers[:12]):
            if place:
                yield index, 1, place
        first, span = 12, 1
        each = self.block_size // 4
        for place in pointers[12:]:
            if place:
                yield from self._indirect(place, first, span)
            span *= each
            first += span

    def _indirect(
        self, block: int, first: int, span: int
    ) -> Iterator[tuple[int, int, int]]:
        each = self.block_size // 4
        for index, place in enumerate(unpack_from(f"<{each}I", self.block(block))):
            if place and span == 1:
                yield first + index, 1, place
            elif place:
                yield from self._indirect(place, first + index * span, span // each)

    def read(self, inode: Inode, piece: int = 1 << 20) -> Iterator[bytes]:
        """Yield the contents of a file."""
        if inode.flags & ENCRYPTED:
            raise NotSupportedError(
                operation="ext4", message=f"Inode {inode.number} is encrypted."
            )
        if inode.flags & INLINE_DATA:
            yield self._inline(inode)
            return
        left = inode.size
        most = max(1, piece // self.block_size)
        for _, count, place in self.runs(inode):
            for at in range(0, count, most):
                many = min(most, count - at)
                length = min(left, many * self.block_size)
                data = self.block(place + at, many) if place else bytes(length)
                yield data[:length]
                left -= length

    def _inline(self, inode: Inode) -> bytes:
        rest = dict(self._all_attributes(inode)).get(b"system.data", b"")
        data = (inode.map + rest)[: inode.size]
        if len(data) < inode.size:
            raise invalid(f"The contents of inode {inode.number} are incomplete.")
        return data

    def contents(self, inode: Inode, most: int) -> bytes:
        """Read a file that must be small."""
        if inode.size > most:
            raise invalid(f"Inode {inode.number} is larger than {most} bytes.")
        return b"".join(self.read(inode))

    def target(self, inode: Inode) -> bytes:
        """Read where a symbolic link leads."""
        if inode.size < 60 and not inode.flags & (EXTENTS | INLINE_DATA):
            return inode.map[: inode.size]
        return self.contents(inode, self.block_size)

    # ---- folders ---------------------------------------------------------------

    def entries(self, folder: Inode) -> Iterator[tuple[bytes, int]]:
        """Yield the names in a folder and their inodes, without ``.`` and ``..``."""
        if not folder.is_folder:
            raise invalid(f"Inode {folder.number} is no folder.")
        if folder.flags & INLINE_DATA:
            rest = dict(self._all_attributes(folder)).get(b"system.data", b"")
            yield from _entries(folder, folder.map[4:])
            yield from _entries(folder, rest)
            return
        for data in self.read(folder):
            for at in range(0, len(data), self.block_size):
                yield from _entries(folder, data[at : at + self.block_size])

    # ---- attributes ------------------------------------------------------------

    def attributes(self, inode: Inode) -> dict[bytes, bytes]:
        """Read the extended attributes, by their whole names."""
        return {
            name: value
            for name, value in self._all_attributes(inode)
            if name != b"system.data"
        }

    def _all_attributes(self, inode: Inode) -> Iterator[tuple[bytes, bytes]]:
        extra = unpack_from("<H", inode.raw, 0x80)[0] if len(inode.raw) > 128 else 0
        start = 128 + extra
        if start + 8 <= len(inode.raw):
            area = inode.raw[start:]
            if unpack_from("<I", area)[0] == _ATTRIBUTE_MAGIC:
                yield from _attributes(inode, area[4:], 0)
        if inode.attribute_block:
            block = self.block(inode.attribute_block)
            if unpack_from("<I", block)[0] != _ATTRIBUTE_MAGIC:
                raise invalid(f"The attributes of inode {inode.number} are damaged.")
            yield from _attributes(inode, block[32:], 32)


def _time(raw: bytes, place: int, more: int) -> int:
    """Give a time in nanoseconds."""
    (seconds,) = unpack_from("<i", raw, place)
    extra = 0
    if len(raw) > 128 and 128 + unpack_from("<H", raw, 0x80)[0] >= more + 4:
        (extra,) = unpack_from("<I", raw, more)
    return int((seconds + ((extra & 3) << 32)) * 1_000_000_000 + (extra >> 2))


def _entries(folder: Inode, data: bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
    while at + 8 <= len(data):
        inode, length, name_length = unpack_from("<IHB", data, at)
        length = length or 65536  # a block of 64 KiB does not fit in 16 bits
        if length < 8 or at + length > len(data) or 8 + name_length > length:
            raise invalid(f"The folder of inode {folder.number} is damaged.")
        name = data[at + 8 : at + 8 + name_length]
        if inode and name not in {b".", b"..", b""}:
            if b"/" in name or b"\0" in name:
                raise invalid(f"A name in the folder of inode {folder.number} is none.")
            yield name, inode
        at += length


def _attributes(inode: Inode, area: bytes, delta: int) -> Iterator[tuple[bytes, bytes]]:
    """Read an area of attributes, whose offsets count from ``delta`` bytes before."""
    at = 0
    while at + 16 <= len(area) and unpack_from("<I", area, at)[0]:
        length, index, offset, elsewhere, size, _ = _ATTRIBUTE.unpack_from(area, at)
        start = offset - delta
        if elsewhere:
            raise NotSupportedError(
                operation="ext4",
                message=f"An attribute of inode {inode.number} has a file of its own.",
            )
        if at + 16 + length > len(area) or start < 0 or start + size > len(area):
            raise invalid(f"The attributes of inode {inode.number} are damaged.")
        name = area[at + 16 : at + 16 + length]
        yield _PREFIXES.get(index, b"") + name, area[start : start + size]
        at += (16 + length + 3) & ~3
