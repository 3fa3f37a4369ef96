"""
VHDX, fixed and dynamic: reading, checking, and reading its data.

:mod:`hcsshim.disk.vhdx_writing` makes and expands them. Of differencing disks only
the metadata is read. A file that was not closed cleanly needs its log replayed,
which is refused here.
"""

from __future__ import annotations

import array
import sys
from itertools import pairwise
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim.disk import _vhdx_format as vf
from hcsshim.disk._io import opened, read_at, size_of
from hcsshim.errors import NotSupportedError

if TYPE_CHECKING:
    from uuid import UUID

    from hcsshim.disk._io import Source

__all__ = ["VhdxInfo", "VhdxLogError", "check_vhdx", "read_vhdx", "read_vhdx_data"]

#: States of a payload block; the others read as zeros.
PRESENT, PARTLY_PRESENT = 6, 7
_STATE = 7
_OFFSET = ~0xFFFFF
_KNOWN_STATES = (0, 1, 2, 3, PRESENT, PARTLY_PRESENT)
_TABLE_STEP = 1024 * 1024


class VhdxLogError(NotSupportedError):
    """
    The file was not closed cleanly, so that its log has to be replayed.

    Attach it once on Windows, or repair it with ``qemu-img check -r all``.
    """


@attrs.frozen(kw_only=True)
class VhdxInfo:
    """
    What a VHDX says about itself.

    Args:
        size: Of the disk in bytes.
        fixed: Whether all blocks are allocated; otherwise dynamic.
        block_size: In bytes.
        logical_sector: In bytes.
        physical_sector: In bytes.
        disk_id: Of the disk, as a guest sees it.
        data_write_id: Changes when the data do; children refer to it.
        has_parent: Whether it is a differencing disk.
        parent: Where its parent is: the entries of the parent locator.
        creator: The program that made the file.
        clean: Whether the log is empty.
    """

    size: int
    fixed: bool
    block_size: int
    logical_sector: int
    physical_sector: int
    disk_id: UUID
    data_write_id: UUID
    has_parent: bool
    parent: dict[str, str]
    creator: str
    clean: bool


@attrs.frozen(kw_only=True)
class Layout:
    """Where everything in an open file is."""

    header: vf.Header
    #: Which of the two places the header stands in.
    header_index: int
    bat: vf.Region
    metadata_region: vf.Region
    metadata: vf.Metadata
    length: int


def read_vhdx(source: Source) -> VhdxInfo:
    """
    Read what a VHDX says about itself.

    Args:
        source: The file. Its log need not be empty: see ``VhdxInfo.clean``.

    Raises:
        InvalidDataError: It is no VHDX, or is damaged.
    """
    with opened(source) as file:
        layout = read_layout(file, allow_log=True)
        creator = read_at(file, 8, 512)
    text = creator.decode("utf-16-le", "replace").split("\0", 1)[0]
    return VhdxInfo(
        size=layout.metadata.size,
        fixed=layout.metadata.fixed,
        block_size=layout.metadata.block_size,
        logical_sector=layout.metadata.logical_sector,
        physical_sector=layout.metadata.physical_sector,
        disk_id=layout.metadata.disk_id,
        data_write_id=layout.header.data_write_id,
        has_parent=layout.metadata.has_parent,
        parent=layout.metadata.parent,
        creator=text,
        clean=layout.header.log_id == vf.NO_UUID,
    )


def read_layout(file: IO[bytes], *, allow_log: bool = False) -> Layout:
    """
    Read and check everything in front of the data.

    Raises:
        InvalidDataError: It is no VHDX, or is damaged.
        VhdxLogError: The log is not empty, and ``allow_log`` is not given.
    """
    length = size_of(file)
    if length < vf.MIB or read_at(file, 0, 8) != vf.SIGNATURE:
        raise vf.invalid("The file is no VHDX.")
    index, header = _current_header(file)
    if header.log_id != vf.NO_UUID and not allow_log:
        raise VhdxLogError(
            operation="vhdx",
            message="The VHDX was not closed cleanly and its log is not replayed here; "
            "attach it once on Windows, or run qemu-img check -r all.",
        )
    regions = _regions(file)
    bat, metadata_region = regions[vf.BAT_REGION], regions[vf.METADATA_REGION]
    log = vf.Region(header.log_offset, header.log_length)
    _check_apart({"log": log, "block table": bat, "metadata": metadata_region})
    if max(bat.end, metadata_region.end) > length:
        raise vf.invalid("The file ends before its regions do.")
    readable = min(metadata_region.length, vf.MIB)
    metadata = vf.Metadata.decode(read_at(file, metadata_region.offset, readable))
    if bat.length < 8 * vf.entry_count(metadata):
        raise vf.invalid("The block table is too short for the disk.")
    return Layout(
        header=header,
        header_index=index,
        bat=bat,
        metadata_region=metadata_region,
        metadata=metadata,
        length=length,
    )


def _current_header(file: IO[bytes]) -> tuple[int, vf.Header]:
    """Choose the header that counts."""
    found = []
    for index, offset in enumerate(vf.HEADER_OFFSETS):
        header = vf.Header.decode(read_at(file, offset, vf.HEADER_SIZE))
        if header is not None:
            found.append((header.sequence, index, header))
    if not found:
        raise vf.invalid("Both headers of the VHDX are damaged.")
    _, index, header = max(found, key=lambda one: one[0])
    return index, header


def _regions(file: IO[bytes]) -> dict[UUID, vf.Region]:
    """Read the first sound region table."""
    for offset in vf.REGION_OFFSETS:
        regions = vf.decode_regions(read_at(file, offset, vf.REGION_SIZE))
        if regions is not None:
            return regions
    raise vf.invalid("Both region tables of the VHDX are damaged.")


def _check_apart(regions: dict[str, vf.Region]) -> None:
    """Refuse regions that overlap."""
    ordered = sorted(regions.items(), key=lambda one: one[1].offset)
    for (name, region), (other, after) in pairwise(ordered):
        if region.end > after.offset:
            raise vf.invalid(f"The {name} and the {other} of the VHDX overlap.")


def read_entries(file: IO[bytes], layout: Layout, first: int, count: int) -> list[int]:
    """Read entries of the block table."""
    raw = read_at(file, layout.bat.offset + 8 * first, 8 * count)
    entries = array.array("Q", raw)
    if sys.byteorder == "big":
        entries.byteswap()
    return entries.tolist()


def check_vhdx(source: Source) -> int:
    """
    Check a VHDX, its block table among the rest.

    Args:
        source: The file.

    Returns:
        The number of blocks that hold data.

    Raises:
        InvalidDataError: It is no VHDX or damaged; two blocks share a place; or a
            block is outside of the file or where something else is.
        VhdxLogError: The log is not empty.
    """
    with opened(source) as file:
        layout = read_layout(file)
        log = vf.Region(layout.header.log_offset, layout.header.log_length)
        taken = [log, layout.bat, layout.metadata_region]
        total = vf.entry_count(layout.metadata)
        ratio = vf.chunk_ratio(layout.metadata)
        places: set[int] = set()
        for first in range(0, total, _TABLE_STEP):
            count = min(_TABLE_STEP, total - first)
            for index, entry in enumerate(read_entries(file, layout, first, count)):
                if (first + index) % (ratio + 1) == ratio:
                    continue
                _check_entry(entry, first + index, layout, taken, places)
    return len(places)


def _check_entry(
    entry: int, index: int, layout: Layout, taken: list[vf.Region], places: set[int]
) -> None:
    """Check one entry of a payload block; remember where the block is."""
    state, offset = entry & _STATE, entry & _OFFSET
    if state not in _KNOWN_STATES:
        raise vf.invalid(f"Entry {index} of the block table has the state {state}.")
    if state not in (PRESENT, PARTLY_PRESENT):
        return
    end = offset + layout.metadata.block_size
    if offset < vf.MIB or end > layout.length:
        raise vf.invalid(f"Entry {index} of the block table points out of the file.")
    if any(offset < region.end and region.offset < end for region in taken):
        raise vf.invalid(f"Entry {index} of the block table points into a region.")
    step = vf.MIB
    if offset in places or any(
        place in places
        for place in range(
            max(offset - layout.metadata.block_size + step, 0), end, step
        )
    ):
        raise vf.invalid(f"Entry {index} of the block table shares a block's place.")
    places.add(offset)


def read_vhdx_data(source: Source, offset: int, length: int) -> bytes:
    """
    Read from the disk inside a VHDX.

    Args:
        source: The file, fixed or dynamic.
        offset: In the disk, in bytes.
        length: In bytes.

    Raises:
        InvalidDataError: The file is damaged, or the disk ends before.
        NotSupportedError: It is a differencing disk.
        VhdxLogError: The log is not empty.
    """
    parts = []
    with opened(source) as file:
        layout = read_layout(file)
        metadata = layout.metadata
        if metadata.has_parent:
            raise NotSupportedError(
                operation="vhdx", message="Differencing disks are not read here."
            )
        if offset < 0 or length < 0 or offset + length > metadata.size:
            raise vf.invalid(f"The disk ends at byte {metadata.size}.")
        while length > 0:
            block, inside = divmod(offset, metadata.block_size)
            count = min(length, metadata.block_size - inside)
            entry = read_entries(file, layout, vf.entry_of(metadata, block), 1)[0]
            if entry & _STATE == PRESENT:
                place = (entry & _OFFSET) + inside
                if place + count > layout.length:
                    raise vf.invalid(f"Block {block} is outside of the file.")
                parts.append(read_at(file, place, count))
            else:
                parts.append(bytes(count))
            offset += count
            length -= count
    return b"".join(parts)
