"""
The structures of a VHDX file: headers, region table, metadata, block table.

Source:
    Microsoft's open specification of the virtual hard disk v2 file format, MS-VHDX.
"""

from __future__ import annotations

from struct import Struct, pack, pack_into, unpack_from
from uuid import UUID

import attrs

from hcsshim.errors import InvalidDataError

MIB = 1024 * 1024
KIB64 = 64 * 1024
NO_UUID = UUID(int=0)
SIGNATURE = b"vhdxfile"
HEADER_OFFSETS = (64 * 1024, 128 * 1024)
HEADER_SIZE = 4096
REGION_OFFSETS = (192 * 1024, 256 * 1024)
REGION_SIZE = KIB64
MOST_SIZE = 64 << 40

BAT_REGION = UUID("2dc27766-f623-4200-9d64-115e9bfd4a08")
METADATA_REGION = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e")
_NAMES = {BAT_REGION: "block table", METADATA_REGION: "metadata"}

FILE_PARAMETERS = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
DISK_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
DISK_ID = UUID("beca12ab-b2e6-4523-93ef-c309e000c746")
LOGICAL_SECTOR = UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f")
PHYSICAL_SECTOR = UUID("cda348c7-445d-4471-9cc9-e9885251c556")
PARENT_LOCATOR = UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c")
LOCATOR_TYPE = UUID("b04aefb7-d19e-4a81-b789-25b8e9445913")
#: What every file has, and how long each item is.
_ITEM_SIZES = {
    FILE_PARAMETERS: 8,
    DISK_SIZE: 8,
    DISK_ID: 16,
    LOGICAL_SECTOR: 4,
    PHYSICAL_SECTOR: 4,
}
_OF_DISK, _REQUIRED = 2, 4

#: Signature, checksum, sequence number, file and data write GUID, log GUID, log
#: version, version, log length, log offset.
_HEADER = Struct("<4sIQ16s16s16sHHIQ")
_REGION_TABLE = Struct("<4sIII")
_REGION_ENTRY = Struct("<16sQII")
_METADATA_TABLE = Struct("<8sHH20x")
_METADATA_ENTRY = Struct("<16sIIII")
_MOST_ENTRIES = 2047


@attrs.frozen(kw_only=True)
class Header:
    """One of the two headers; the one with the higher sequence number counts."""

    sequence: int
    file_write_id: UUID
    data_write_id: UUID
    log_id: UUID = NO_UUID
    log_length: int = MIB
    log_offset: int = MIB

    def encode(self) -> bytes:
        """Give the 4096 bytes."""
        data = bytearray(HEADER_SIZE)
        _HEADER.pack_into(
            data,
            0,
            b"head",
            0,
            self.sequence,
            self.file_write_id.bytes_le,
            self.data_write_id.bytes_le,
            self.log_id.bytes_le,
            0,
            1,
            self.log_length,
            self.log_offset,
        )
        return sealed(data)

    @classmethod
    def decode(cls, data: bytes) -> Header | None:
        """Read a header; ``None`` if it is damaged, as one may be."""
        values = _HEADER.unpack_from(data)
        if values[0] != b"head" or not is_sealed(data):
            return None
        log_version, version, log_length, log_offset = values[6:]
        if version != 1 or log_version != 0:
            raise invalid(f"VHDX version {version} is not supported; only 1 is.")
        return cls(
            sequence=values[2],
            file_write_id=UUID(bytes_le=values[3]),
            data_write_id=UUID(bytes_le=values[4]),
            log_id=UUID(bytes_le=values[5]),
            log_length=log_length,
            log_offset=log_offset,
        )


@attrs.frozen
class Region:
    """A stretch of the file, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.offset + self.length


def encode_regions(bat: Region, metadata: Region) -> bytes:
    """Give the region table, 64 KiB."""
    data = bytearray(REGION_SIZE)
    _REGION_TABLE.pack_into(data, 0, b"regi", 0, 2, 0)
    for index, (guid, region) in enumerate(
        ((BAT_REGION, bat), (METADATA_REGION, metadata))
    ):
        place = 16 + 32 * index
        _REGION_ENTRY.pack_into(
            data, place, guid.bytes_le, region.offset, region.length, 1
        )
    return sealed(data)


def decode_regions(data: bytes) -> dict[UUID, Region] | None:
    """
    Read a region table.

    Returns:
        The regions by GUID, or ``None`` if the table is damaged.

    Raises:
        InvalidDataError: It is sound, but says what cannot be or is not known.
    """
    signature, _, count, _ = _REGION_TABLE.unpack_from(data)
    if signature != b"regi" or not is_sealed(data):
        return None
    if count > _MOST_ENTRIES:
        raise invalid(f"{count} regions do not fit in the region table.")
    regions: dict[UUID, Region] = {}
    for index in range(count):
        raw, offset, length, required = _REGION_ENTRY.unpack_from(data, 16 + 32 * index)
        guid = UUID(bytes_le=raw)
        if guid in _NAMES:
            _check_region(Region(offset, length), _NAMES[guid])
            if guid in regions:
                raise invalid(f"The region table lists the {_NAMES[guid]} twice.")
            regions[guid] = Region(offset, length)
        elif required & 1:
            raise invalid(f"The region {guid} is required, but not known here.")
    for guid, name in _NAMES.items():
        if guid not in regions:
            raise invalid(f"The region table lacks the {name}.")
    return regions


def _check_region(region: Region, name: str) -> None:
    if (
        region.offset % MIB
        or region.length % MIB
        or not region.length
        or region.offset < MIB
        or region.end >= 1 << 63
    ):
        raise invalid(
            f"The {name} at {region.offset}, {region.length} bytes long, is not "
            "where a region may be."
        )


@attrs.frozen(kw_only=True)
class Metadata:
    """What the metadata region says."""

    size: int
    block_size: int
    logical_sector: int
    physical_sector: int
    disk_id: UUID
    fixed: bool = False
    has_parent: bool = False
    parent: dict[str, str] = attrs.Factory(dict)
    #: Where the size stands, from the start of the region.
    size_place: int = 0

    def encode(self) -> bytes:
        """Give the table and the items that follow it."""
        parameters = self.block_size | self.fixed << 32 | self.has_parent << 33
        items = [
            (FILE_PARAMETERS, pack("<Q", parameters), _REQUIRED),
            (DISK_SIZE, pack("<Q", self.size), _OF_DISK | _REQUIRED),
            (DISK_ID, self.disk_id.bytes_le, _OF_DISK | _REQUIRED),
            (LOGICAL_SECTOR, pack("<I", self.logical_sector), _OF_DISK | _REQUIRED),
            (PHYSICAL_SECTOR, pack("<I", self.physical_sector), _OF_DISK | _REQUIRED),
        ]
        if self.has_parent:
            items.append((PARENT_LOCATOR, _encode_parent(self.parent), _REQUIRED))
        data = bytearray(KIB64)
        _METADATA_TABLE.pack_into(data, 0, b"metadata", 0, len(items))
        for index, (guid, value, flags) in enumerate(items):
            _METADATA_ENTRY.pack_into(
                data, 32 + 32 * index, guid.bytes_le, len(data), len(value), flags, 0
            )
            data += value
        return bytes(data)

    @classmethod
    def decode(cls, region: bytes) -> Metadata:
        """
        Read the metadata.

        Args:
            region: All of it.

        Raises:
            InvalidDataError: An item is missing, not known, or cannot be.
        """
        items = _metadata_items(region)
        values = {
            guid: int.from_bytes(region[place : place + length], "little")
            for guid, (place, length) in items.items()
            if guid in _ITEM_SIZES
        }
        block_size = values[FILE_PARAMETERS] & 0xFFFFFFFF
        bits = values[FILE_PARAMETERS] >> 32
        disk_id = values[DISK_ID].to_bytes(16, "little")
        metadata = cls(
            size=values[DISK_SIZE],
            block_size=block_size,
            logical_sector=values[LOGICAL_SECTOR],
            physical_sector=values[PHYSICAL_SECTOR],
            disk_id=UUID(bytes_le=disk_id),
            fixed=bool(bits & 1),
            has_parent=bool(bits & 2),
            parent=_parent(region, items) if bits & 2 else {},
            size_place=items[DISK_SIZE][0],
        )
        check_shape(metadata)
        return metadata


def _metadata_items(region: bytes) -> dict[UUID, tuple[int, int]]:
    """Give place and length of each item, checked."""
    signature, _, count = _METADATA_TABLE.unpack_from(region)
    if signature != b"metadata" or count > _MOST_ENTRIES:
        raise invalid("There is no metadata table where the region table says.")
    items: dict[UUID, tuple[int, int]] = {}
    for index in range(count):
        raw, place, length, flags, _ = _METADATA_ENTRY.unpack_from(
            region, 32 + 32 * index
        )
        guid = UUID(bytes_le=raw)
        if length and (place < KIB64 or place + length > len(region)):
            raise invalid(f"The metadata item {guid} lies outside of its region.")
        if guid in _ITEM_SIZES and length != _ITEM_SIZES[guid]:
            raise invalid(f"The metadata item {guid} is {length} bytes long.")
        if guid in _ITEM_SIZES or guid == PARENT_LOCATOR:
            items[guid] = (place, length)
        elif flags & _REQUIRED:
            raise invalid(f"The metadata item {guid} is required, but not known here.")
    for guid in _ITEM_SIZES:
        if guid not in items:
            raise invalid(f"The metadata item {guid} is missing.")
    return items


def _encode_parent(parent: dict[str, str]) -> bytes:
    """Write the parent locator of a differencing disk."""
    entries, texts = b"", b""
    first = 20 + 12 * len(parent)
    for key, value in parent.items():
        name, text = key.encode("utf-16-le"), value.encode("utf-16-le")
        at = first + len(texts)
        entries += pack("<IIHH", at, at + len(name), len(name), len(text))
        texts += name + text
    return LOCATOR_TYPE.bytes_le + pack("<HH", 0, len(parent)) + entries + texts


def _parent(region: bytes, items: dict[UUID, tuple[int, int]]) -> dict[str, str]:
    """Read the parent locator of a differencing disk."""
    place, length = items.get(PARENT_LOCATOR, (0, 0))
    locator = region[place : place + length]
    if length < 20:
        raise invalid("The disk has a parent, but does not say which.")
    (count,) = unpack_from("<H", locator, 18)
    if 20 + 12 * count > length:
        raise invalid("The parent locator is too short for its entries.")
    found = {}
    for index in range(count):
        key, value, key_length, value_length = unpack_from(
            "<IIHH", locator, 20 + 12 * index
        )
        if key + key_length > length or value + value_length > length:
            raise invalid("An entry of the parent locator lies outside of it.")
        name = locator[key : key + key_length].decode("utf-16-le", "replace")
        text = locator[value : value + value_length].decode("utf-16-le", "replace")
        found[name] = text
    return found


def check_shape(metadata: Metadata) -> None:
    """Refuse sizes that the format does not have."""
    block = metadata.block_size
    if block & (block - 1) or not MIB <= block <= 256 * MIB:
        raise invalid(f"Blocks of {block} bytes cannot be: 1 MiB to 256 MiB can.")
    for sector in (metadata.logical_sector, metadata.physical_sector):
        if sector not in (512, 4096):
            raise invalid(f"Sectors of {sector} bytes cannot be: 512 or 4096 can.")
    if not 0 < metadata.size <= MOST_SIZE or metadata.size % metadata.logical_sector:
        raise invalid(
            f"A disk of {metadata.size} bytes cannot be: a multiple of the sector "
            "up to 64 TiB can."
        )


def chunk_ratio(metadata: Metadata) -> int:
    """Tell after how many payload entries a bitmap entry comes."""
    return (metadata.logical_sector << 23) // metadata.block_size


def block_count(metadata: Metadata) -> int:
    """Give the number of payload blocks."""
    return -(-metadata.size // metadata.block_size)


def entry_of(metadata: Metadata, block: int) -> int:
    """Give the index of a payload block's entry in the block table."""
    return block + block // chunk_ratio(metadata)


def entry_count(metadata: Metadata) -> int:
    """Give the number of entries that the block table needs."""
    ratio = chunk_ratio(metadata)
    blocks = block_count(metadata)
    if metadata.has_parent:
        return -(-blocks // ratio) * (ratio + 1)
    return blocks + (blocks - 1) // ratio


def sealed(data: bytearray) -> bytes:
    """Put in the checksum of a structure."""
    pack_into("<I", data, 4, 0)
    pack_into("<I", data, 4, _checksum(bytes(data)))
    return bytes(data)


def is_sealed(data: bytes) -> bool:
    """Tell whether the checksum of a structure is right."""
    (stored,) = unpack_from("<I", data, 4)
    return bool(stored == _checksum(data[:4] + bytes(4) + data[8:]))


def _checksum(data: bytes) -> int:
    from hcsshim._native.verity import crc32c  # noqa: PLC0415 - loads the shim

    return crc32c(data)


def round_up(value: int, step: int) -> int:
    """Give the next multiple of ``step``."""
    return -(-value // step) * step


def invalid(message: str) -> InvalidDataError:
    """Make the error of a file that is not as the format says."""
    return InvalidDataError(operation="vhdx", message=message)
