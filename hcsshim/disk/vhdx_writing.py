"""
Making and expanding VHDX files.

Nothing here goes through the log of the format. Every step is ordered so that a
file that was left in the middle of one is sound and is what it was before.
"""

from __future__ import annotations

import errno
import os
from struct import pack
from typing import IO, TYPE_CHECKING
from uuid import UUID, uuid4

import attrs

from hcsshim.disk import _vhdx_format as vf
from hcsshim.disk._io import opened, read_at, replacing, size_of, write_at
from hcsshim.disk.vhdx import PRESENT, Layout, VhdxInfo, read_layout, read_vhdx
from hcsshim.errors import NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.disk._io import Progress, Source

__all__ = ["create_differencing_vhdx", "create_vhdx", "expand_vhdx"]

_CREATOR = "hcsshim-py"
_LOG = vf.Region(vf.MIB, vf.MIB)
_METADATA = vf.Region(2 * vf.MIB, vf.MIB)
_BAT_OFFSET = 3 * vf.MIB
_COPY_STEP = 1024 * 1024


def create_vhdx(  # noqa: PLR0913 - each is a property of the disk
    path: str | os.PathLike[str],
    size: int | None = None,
    *,
    source: Source | None = None,
    fixed: bool = False,
    block_size: int = vf.MIB,
    logical_sector: int = 512,
    physical_sector: int = 4096,
    new_id: Callable[[], UUID] = uuid4,
    progress: Progress | None = None,
) -> VhdxInfo:
    """
    Make a VHDX, empty or from a raw disk image.

    Args:
        path: The file to make. It appears only when it is whole.
        size: Of the disk in bytes; by default that of ``source``, rounded up to a
            sector.
        source: A raw image whose bytes the disk shall hold. Blocks of zeros are not
            stored in a dynamic disk, and leave holes in a fixed one.
        fixed: Whether all blocks are allocated at once.
        block_size: A power of two from 1 MiB to 256 MiB.
        logical_sector: 512 or 4096.
        physical_sector: 512 or 4096.
        new_id: Makes the ids of the file and of the disk.
        progress: Called with the bytes copied and the bytes in all.

    Returns:
        What the file says about itself.

    Raises:
        InvalidDataError: There is no such disk, or the image is larger than it.
    """
    with opened(source if source is not None else os.devnull) as image:
        length = size_of(image) if source is not None else 0
        metadata = vf.Metadata(
            size=vf.round_up(length, logical_sector) if size is None else size,
            block_size=block_size,
            logical_sector=logical_sector,
            physical_sector=physical_sector,
            disk_id=new_id(),
            fixed=fixed,
        )
        vf.check_shape(metadata)
        if length > metadata.size:
            raise vf.invalid(
                f"The image of {length} bytes does not fit in {metadata.size}."
            )
        with replacing(path) as file:
            start = _write_front(file, metadata, new_id)
            blocks = _copy(file, image, length, metadata, start, progress)
            _write_table(file, metadata, start, blocks)
    return read_vhdx(path)


def create_differencing_vhdx(
    path: str | os.PathLike[str],
    parent: str | os.PathLike[str],
    *,
    new_id: Callable[[], UUID] = uuid4,
) -> VhdxInfo:
    """
    Make a VHDX that has what its parent has, until something else is written to it.

    Args:
        path: The file to make. It appears only when it is whole.
        parent: The VHDX below; it must not change any more. Where it is seen from the
            new file is kept, too, so both can be moved together.
        new_id: Makes the ids of the file.

    Returns:
        What the file says about itself.

    Raises:
        InvalidDataError: The parent is no VHDX.
    """
    below = read_vhdx(parent)
    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - any path
    relative = os.path.relpath(parent, folder).replace("/", "\\")
    if not relative.startswith("."):
        relative = f".\\{relative}"
    metadata = vf.Metadata(
        size=below.size,
        block_size=below.block_size,
        logical_sector=below.logical_sector,
        physical_sector=below.physical_sector,
        disk_id=below.disk_id,
        has_parent=True,
        parent={
            "parent_linkage": f"{{{below.data_write_id}}}",
            "relative_path": relative,
            "absolute_win32_path": os.path.abspath(parent),  # noqa: PTH100 - any path
        },
    )
    with replacing(path) as file:
        _write_table(file, metadata, _write_front(file, metadata, new_id), [])
    return read_vhdx(path)


def _write_front(
    file: IO[bytes], metadata: vf.Metadata, new_id: Callable[[], UUID]
) -> int:
    """Write all but the block table and the data; give where the data begin."""
    bat_length = vf.round_up(8 * vf.entry_count(metadata), vf.MIB)
    bat = vf.Region(_BAT_OFFSET, bat_length)
    write_at(file, 0, vf.SIGNATURE + _CREATOR.encode("utf-16-le"))
    for index, offset in enumerate(vf.HEADER_OFFSETS):
        header = vf.Header(
            sequence=index + 1, file_write_id=new_id(), data_write_id=new_id()
        )
        write_at(file, offset, header.encode())
    regions = vf.encode_regions(bat, _METADATA)
    for offset in vf.REGION_OFFSETS:
        write_at(file, offset, regions)
    write_at(file, _METADATA.offset, metadata.encode())
    file.truncate(bat.end)
    return bat.end


def _copy(  # noqa: PLR0913, PLR0917 - two files, what and where
    file: IO[bytes],
    image: IO[bytes],
    length: int,
    metadata: vf.Metadata,
    start: int,
    progress: Progress | None,
) -> list[int]:
    """
    Copy the image into blocks.

    Returns:
        The numbers of the blocks that hold data, in the order of their places.
    """
    present: list[int] = []
    zeros = bytes(_COPY_STEP)
    offset = _skip_hole(image, 0, length)
    while offset < length:
        data = read_at(image, offset, min(_COPY_STEP, length - offset))
        block, inside = divmod(offset, metadata.block_size)
        if data != zeros[: len(data)]:
            if not present or present[-1] != block:
                present.append(block)
            place = block if metadata.fixed else len(present) - 1
            write_at(file, start + place * metadata.block_size + inside, data)
        offset = _skip_hole(image, offset + _COPY_STEP, length)
        if progress is not None:
            progress(min(offset, length), length)
    return present


def _skip_hole(image: IO[bytes], offset: int, length: int) -> int:
    """Find the next step of an image that may hold data, where its file tells."""
    if offset >= length or not hasattr(os, "SEEK_DATA"):
        return offset
    try:
        before = os.lseek(image.fileno(), 0, os.SEEK_CUR)
        data = os.lseek(image.fileno(), offset, os.SEEK_DATA)
        os.lseek(image.fileno(), before, os.SEEK_SET)  # where its buffer takes it to be
    except OSError as error:
        return length if error.errno == errno.ENXIO else offset
    return max(offset, data - data % _COPY_STEP)


def _write_table(
    file: IO[bytes], metadata: vf.Metadata, start: int, blocks: list[int]
) -> None:
    """Write the entries of blocks that lie one after another from ``start`` on."""
    held = range(vf.block_count(metadata)) if metadata.fixed else blocks
    table = bytearray(8 * vf.entry_count(metadata))
    for place, block in enumerate(held):
        entry = (start + place * metadata.block_size) | PRESENT
        index = 8 * vf.entry_of(metadata, block)
        table[index : index + 8] = pack("<Q", entry)
    write_at(file, _BAT_OFFSET, bytes(table))
    file.truncate(start + len(held) * metadata.block_size)


def expand_vhdx(path: str | os.PathLike[str], size: int) -> VhdxInfo:
    """
    Make the disk of a VHDX larger, in place.

    Args:
        path: The file; nobody else may have it open.
        size: The new size in bytes.

    Returns:
        What the file says about itself then.

    Raises:
        InvalidDataError: The file is damaged, or the size is none or smaller.
        NotSupportedError: It is a differencing disk.
        VhdxLogError: The log is not empty.
    """
    with opened(path, "r+b") as file:
        layout = read_layout(file)
        before = layout.metadata
        after = attrs.evolve(before, size=size)
        vf.check_shape(after)
        if before.has_parent:
            raise NotSupportedError(
                operation="vhdx", message="Differencing disks are not expanded here."
            )
        if size < before.size:
            raise vf.invalid(f"The disk has {before.size} bytes and cannot shrink.")
        layout = _touch(file, layout)
        layout = _grow_table(file, layout, after)
        if after.fixed:
            _allocate(file, layout, after)
        _sync(file)
        place = layout.metadata_region.offset + before.size_place
        write_at(file, place, pack("<Q", size))
        _sync(file)
    return read_vhdx(path)


def _touch(file: IO[bytes], layout: Layout) -> Layout:
    """Give the headers new write ids, one after the other, as the format asks."""
    header = attrs.evolve(layout.header, file_write_id=uuid4(), data_write_id=uuid4())
    index = layout.header_index
    for _ in range(2):
        index = 1 - index
        header = attrs.evolve(header, sequence=header.sequence + 1)
        write_at(file, vf.HEADER_OFFSETS[index], header.encode())
        _sync(file)
    return attrs.evolve(layout, header=header, header_index=index)


def _grow_table(file: IO[bytes], layout: Layout, after: vf.Metadata) -> Layout:
    """Make room in the block table, if need be by moving it to the end."""
    needed = vf.round_up(8 * vf.entry_count(after), vf.MIB)
    if needed <= layout.bat.length:
        return layout
    bat = vf.Region(vf.round_up(size_of(file), vf.MIB), needed)
    for start in range(0, layout.bat.length, vf.MIB):
        table = read_at(file, layout.bat.offset + start, vf.MIB)
        write_at(file, bat.offset + start, table)
    file.truncate(bat.end)
    _sync(file)
    regions = vf.encode_regions(bat, layout.metadata_region)
    for offset in vf.REGION_OFFSETS:
        write_at(file, offset, regions)
        _sync(file)
    return attrs.evolve(layout, bat=bat, length=bat.end)


def _allocate(file: IO[bytes], layout: Layout, after: vf.Metadata) -> None:
    """Give a fixed disk its new blocks."""
    place = vf.round_up(size_of(file), vf.MIB)
    for block in range(vf.block_count(layout.metadata), vf.block_count(after)):
        index = vf.entry_of(after, block)
        write_at(file, layout.bat.offset + 8 * index, pack("<Q", place | PRESENT))
        place += after.block_size
    file.truncate(place)


def _sync(file: IO[bytes]) -> None:
    """Let what comes later be on the disk only after what came before."""
    file.flush()
    os.fsync(file.fileno())
