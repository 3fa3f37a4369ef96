"""
Fixed VHD: a raw disk with 512 bytes behind it that say so.

Source:
    Microsoft's Virtual Hard Disk Image Format Specification 1.0; the values that
    the reference leaves zero are zero here too, unless asked otherwise.
"""

from __future__ import annotations

import os
from struct import Struct
from typing import IO, TYPE_CHECKING
from uuid import UUID, uuid4

import attrs
from attrs import validators

from hcsshim.disk._io import opened, read_at, replacing, restoring, size_of, write_at
from hcsshim.errors import InvalidDataError

if TYPE_CHECKING:
    from hcsshim.disk._io import Source

__all__ = [
    "VhdFooter",
    "append_vhd_footer",
    "create_vhd",
    "read_vhd",
    "remove_vhd_footer",
]

FOOTER_SIZE = 512
SECTOR_SIZE = 512
COOKIE = b"conectix"
#: Disk types of the format; only the first is read and written here.
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
_KINDS = {DYNAMIC: "dynamic", DIFFERENCING: "differencing"}
#: Cookie, features, version, data offset, timestamp, creator application, version
#: and host, original and current size, cylinders, heads, sectors, disk type,
#: checksum, unique id, saved state.
_LAYOUT = Struct(">8sIIQI4sI4sQQHBBII16sB427x")
_CHECKSUM = slice(0x40, 0x44)
_MOST_SECTORS = 65535 * 16 * 255


@attrs.frozen(kw_only=True)
class VhdFooter:
    """
    The footer of a fixed VHD.

    Args:
        size: Of the disk in bytes; a multiple of 512.
        unique_id: Of the disk.
        timestamp: Seconds since the start of the year 2000, UTC.
        creator: Four letters that name the program.
        creator_version: Its version.
        creator_host: Four letters that name its system.
        geometry: Cylinders, heads, and sectors of a track, or zeros.
        original_size: Of the disk when it was made; by default ``size``.
        saved_state: Whether a machine is saved on it.
    """

    size: int = attrs.field(validator=[validators.ge(0), validators.lt(1 << 63)])
    unique_id: UUID = attrs.field(factory=uuid4)
    timestamp: int = attrs.field(default=0, validator=validators.ge(0))
    creator: bytes = attrs.field(default=bytes(4), validator=validators.max_len(4))
    creator_version: int = 0x000A0000
    creator_host: bytes = attrs.field(default=bytes(4), validator=validators.max_len(4))
    geometry: tuple[int, int, int] = (0, 0, 0)
    original_size: int = attrs.field()
    saved_state: bool = False

    @original_size.default
    def _same_size(self) -> int:
        return self.size

    @size.validator
    def _whole_sectors(self, _: object, value: int) -> None:
        if value % SECTOR_SIZE:
            raise ValueError(f"a disk of {value} bytes is no multiple of 512 bytes")

    @classmethod
    def interoperable(cls, size: int, unique_id: UUID | None = None) -> VhdFooter:
        """
        Make a footer as Windows makes it.

        QEMU takes the size of the disk for its own only from creators that it
        knows; from the reference's footer it computes a disk of no size.

        Args:
            size: Of the disk in bytes.
            unique_id: Of the disk; by default a random one.
        """
        return cls(
            size=size,
            unique_id=unique_id or uuid4(),
            creator=b"win ",
            creator_host=b"Wi2k",
            geometry=geometry_of(size),
        )

    def encode(self) -> bytes:
        """Give the 512 bytes."""
        packed = bytearray(
            _LAYOUT.pack(
                COOKIE,
                2,
                0x00010000,
                0xFFFFFFFFFFFFFFFF,
                self.timestamp,
                self.creator,
                self.creator_version,
                self.creator_host,
                self.original_size,
                self.size,
                *self.geometry,
                FIXED,
                0,
                self.unique_id.bytes,
                self.saved_state,
            )
        )
        packed[_CHECKSUM] = checksum_of(packed).to_bytes(4, "big")
        return bytes(packed)

    @classmethod
    def decode(cls, data: bytes) -> VhdFooter:
        """
        Read a footer.

        Args:
            data: The last 512 bytes of a file.

        Raises:
            InvalidDataError: It is none, it is damaged, or the disk is not fixed.
        """
        if len(data) != FOOTER_SIZE or not data.startswith(COOKIE):
            raise _invalid("There is no VHD footer at the end of the file.")
        (_, _, version, offset, timestamp, creator, creator_version, host, original) = (
            _LAYOUT.unpack(data)[:9]
        )
        size, cylinders, heads, sectors, kind, checksum, unique_id, saved = (
            _LAYOUT.unpack(data)[9:]
        )
        expected = checksum_of(data)
        if checksum != expected:
            raise _invalid(
                f"The checksum of the VHD footer is {checksum:08X}, "
                f"but must be {expected:08X}."
            )
        if version >> 16 != 1:
            raise _invalid(f"VHD version {version >> 16} is not supported; only 1 is.")
        if kind != FIXED or offset != 0xFFFFFFFFFFFFFFFF:
            name = _KINDS.get(kind, f"type {kind}")
            raise _invalid(f"This is a {name} VHD; only fixed ones are read here.")
        if size % SECTOR_SIZE or size >= 1 << 63:
            raise _invalid(f"A VHD of {size} bytes cannot be.")
        return cls(
            size=size,
            unique_id=UUID(bytes=unique_id),
            timestamp=timestamp,
            creator=creator,
            creator_version=creator_version,
            creator_host=host,
            geometry=(cylinders, heads, sectors),
            original_size=original,
            saved_state=bool(saved),
        )


def checksum_of(footer: bytes | bytearray) -> int:
    """Give the checksum of a footer: the complement of the sum of its bytes."""
    return ~(sum(footer) - sum(footer[_CHECKSUM])) & 0xFFFFFFFF


def geometry_of(size: int) -> tuple[int, int, int]:
    """
    Give cylinders, heads, and sectors of a track for a disk.

    Source:
        The appendix "CHS calculation" of the specification.
    """
    total = min(size // SECTOR_SIZE, _MOST_SECTORS)
    if total >= 65535 * 16 * 63:
        return total // 255 // 16, 16, 255
    sectors = 17
    tracks = total // sectors
    heads = max(4, (tracks + 1023) // 1024)
    if tracks >= heads * 1024 or heads > 16:
        sectors, heads = 31, 16
        tracks = total // sectors
    if tracks >= heads * 1024:
        sectors, heads = 63, 16
        tracks = total // sectors
    return tracks // heads, heads, sectors


def read_vhd(source: Source) -> VhdFooter:
    """
    Read and check the footer of a VHD.

    Args:
        source: The file.

    Raises:
        InvalidDataError: It is no fixed VHD, its footer is damaged, or the disk is
            not as long as the footer says.
    """
    with opened(source) as file:
        total = size_of(file)
        if total < FOOTER_SIZE:
            raise _invalid("The file is too short for a VHD.")
        footer = VhdFooter.decode(read_at(file, total - FOOTER_SIZE, FOOTER_SIZE))
    if footer.size != total - FOOTER_SIZE:
        raise _invalid(
            f"The VHD footer speaks of {footer.size} bytes, "
            f"but {total - FOOTER_SIZE} stand before it."
        )
    return footer


def append_vhd_footer(
    source: Source,
    *,
    unique_id: UUID | None = None,
    interoperable: bool = False,
) -> VhdFooter:
    """
    Make a raw disk image a fixed VHD, in place.

    Args:
        source: The image, or a file open for reading and writing.
        unique_id: Of the disk; by default a random one.
        interoperable: Whether to fill in what the reference leaves zero; see
            :meth:`VhdFooter.interoperable`.

    Returns:
        The footer.

    Raises:
        InvalidDataError: The image is no multiple of 512 bytes, or is a VHD already.
    """
    with opened(source, "r+b") as file:
        size = size_of(file)
        if size == 0 or size % SECTOR_SIZE:
            raise _invalid(
                f"The image is {size} bytes long, which is no whole number of "
                "sectors of 512 bytes."
            )
        if _has_footer(file, size):
            raise _invalid("The file is a VHD already.")
        footer = (
            VhdFooter.interoperable(size, unique_id)
            if interoperable
            else VhdFooter(size=size, unique_id=unique_id or uuid4())
        )
        with restoring(file):
            write_at(file, size, footer.encode())
    return footer


def remove_vhd_footer(source: Source) -> VhdFooter:
    """
    Make a fixed VHD a raw disk image, in place.

    Args:
        source: The VHD, or a file open for reading and writing.

    Returns:
        The footer that it had.

    Raises:
        InvalidDataError: It is no sound fixed VHD.
    """
    with opened(source, "r+b") as file:
        footer = read_vhd(file)
        file.truncate(footer.size)
    return footer


def create_vhd(
    path: str | os.PathLike[str],
    size: int,
    *,
    unique_id: UUID | None = None,
    interoperable: bool = True,
    sparse: bool = True,
) -> VhdFooter:
    """
    Make an empty fixed VHD.

    Args:
        path: The file to make.
        size: Of the disk in bytes, a multiple of 512.
        unique_id: Of the disk; by default a random one.
        interoperable: As for :func:`append_vhd_footer`.
        sparse: Whether the zeros take no room. Windows refuses to attach a VHD that
            is sparse.

    Returns:
        The footer.
    """
    footer = (
        VhdFooter.interoperable(size, unique_id)
        if interoperable
        else VhdFooter(size=size, unique_id=unique_id or uuid4())
    )
    with replacing(path) as file:
        if not sparse:
            _allocate(file.fileno(), size + FOOTER_SIZE)
        write_at(file, size, footer.encode())
    return footer


def _has_footer(file: IO[bytes], size: int) -> bool:
    """Tell whether a file ends in a sound footer of its own."""
    try:
        footer = VhdFooter.decode(read_at(file, size - FOOTER_SIZE, FOOTER_SIZE))
    except InvalidDataError:
        return False
    return footer.size == size - FOOTER_SIZE


def _allocate(descriptor: int, length: int) -> None:
    """Take the room of a file, filled with zeros."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, length)
    else:
        os.ftruncate(descriptor, length)


def _invalid(message: str) -> InvalidDataError:
    return InvalidDataError(operation="vhd", message=message)
