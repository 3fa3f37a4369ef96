"""
Linux layers as compact ext4 images, the same bytes as the reference's ``tar2ext4``.

An image may carry what makes it a disk for a utility VM::

    ext4 | dm-verity super block and tree (verity=True) | VHD footer (vhd=True)

The same tar and options give the same image on every machine, but for the two random
ids in dm-verity's super block and the VHD footer, on which no root hash depends.

Source:
    ``ext4/tar2ext4`` of the reference.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim.disk._input import opened_tar
from hcsshim.disk._io import opened, replacing, size_of, write_at
from hcsshim.disk._verity_format import DEFAULT_SALT
from hcsshim.disk.verity import VerityTree, processors
from hcsshim.disk.vhd import VhdFooter, append_vhd_footer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from hcsshim._native.ext4 import ImageBuilder
    from hcsshim._native.verity import TreeBuilder
    from hcsshim.disk._input import TarInput
    from hcsshim.disk._io import Progress, Source

__all__ = ["Ext4Image", "ext4_root_hash", "tar_to_ext4"]

#: The size of an image that is not told one, and of one whose root hash is asked for.
DEFAULT_MAX_SIZE = 16 << 30
ROOT_HASH_MAX_SIZE = 128 << 30
_LARGEST = 16 << 40
#: What is read between two looks at signals and two calls of ``progress``.
_STEP = 16 * 1024 * 1024


@attrs.frozen(kw_only=True)
class Ext4Image:
    """
    An image that was made of a tar.

    Args:
        size: Of the file system in bytes, without what stands behind it.
        verity: Its hash tree, if one was made.
        vhd: The footer, if one was written.
    """

    size: int
    verity: VerityTree | None = None
    vhd: VhdFooter | None = None

    @property
    def root_hash(self) -> str | None:
        """The root hash in hexadecimal, or ``None`` without a hash tree."""
        return None if self.verity is None else self.verity.root_hash


def tar_to_ext4(  # noqa: PLR0913 - each is a property of the image
    source: Source,
    target: str | os.PathLike[str] | IO[bytes],
    *,
    overlay: bool = False,
    inline: bool = False,
    vhd: bool = False,
    verity: bool = False,
    max_size: int = DEFAULT_MAX_SIZE,
    convert_backslash: bool = False,
    strict: bool = False,
    sparse: bool = False,
    verity_uuid: UUID | None = None,
    vhd_id: UUID | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Ext4Image:
    """
    Write the members of a tar into an ext4 image, in one pass.

    Args:
        source: The tar: a name, or a file or stream, which is read from where it
            stands to its end. It may be packed with gzip or zstd.
        target: The image: a name, under which it appears only when it is whole,
            unless it is that of a device; or a file open for reading and writing,
            whose contents are replaced.
        overlay: Whether whiteouts of OCI layers become those of overlayfs.
        inline: Whether files of up to 136 bytes go into inodes, which guests that
            map the disk into memory (DAX) cannot read.
        vhd: Whether to add the footer of a fixed VHD.
        verity: Whether to add the hash tree of dm-verity, made in the same pass.
        max_size: What the image may take, in bytes, before hash tree and footer. It
            decides where data begin and so is part of what the root hash covers.
        convert_backslash: Whether a backslash in names and targets means a slash.
        strict: Whether to mend what the reference does wrong: bits behind the inode
            bitmaps, times before 1970 and after 2038, the order of attributes in
            blocks, global pax headers that become files, attributes that survive
            in a file that is replaced.
        sparse: Whether zeros may be holes in the file. Windows refuses to attach a
            VHD with holes.
        verity_uuid: Of the hash device; by default a random one.
        vhd_id: Of the disk; by default a random one.
        threads: How many work: one reads, the others write and hash; by default one
            for each processor.
        progress: Called with the bytes of the tar that were read, as they are
            stored, and the bytes in all.

    Returns:
        What was made. Of two members with one name the last one is in it.

    Raises:
        InvalidDataError: The tar is damaged, or holds what ext4 cannot; nothing is
            left of the image.
        OutOfSpaceError: The image would exceed its size, or the disk is full.
    """
    builder_flags = _flags(
        overlay=overlay,
        backslash=convert_backslash,
        inline=inline,
        strict=strict,
        sparse=sparse,
        behind=_many(threads) > 1,
    )
    with _target(target) as file:
        tree = _tree_builder(threads) if verity else None
        builder = _builder(file.fileno(), builder_flags, max_size, tree)
        size = _convert(source, builder, progress)
        made = None if tree is None else _finish(tree)
        if made is not None:
            write_at(file, size, made.encode(verity_uuid))
        footer = append_vhd_footer(file, unique_id=vhd_id) if vhd else None
    return Ext4Image(size=size, verity=made, vhd=footer)


def ext4_root_hash(  # noqa: PLR0913 - each is a property of the image
    source: Source,
    *,
    overlay: bool = True,
    inline: bool = False,
    max_size: int = ROOT_HASH_MAX_SIZE,
    convert_backslash: bool = False,
    strict: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Ext4Image:
    """
    Compute the root hash of the image of a tar without writing the image.

    What is the default here is what policies of confidential containers are made
    with.

    Args:
        source: As for :func:`tar_to_ext4`.
        overlay: As for :func:`tar_to_ext4`.
        inline: As for :func:`tar_to_ext4`.
        max_size: As for :func:`tar_to_ext4`.
        convert_backslash: As for :func:`tar_to_ext4`.
        strict: As for :func:`tar_to_ext4`.
        threads: As for :func:`tar_to_ext4`.
        progress: As for :func:`tar_to_ext4`.

    Returns:
        What would have been made, with its hash tree.

    Raises:
        InvalidDataError: As for :func:`tar_to_ext4`.
        OutOfSpaceError: The image would exceed its size.
    """
    flags = _flags(
        overlay=overlay,
        backslash=convert_backslash,
        inline=inline,
        strict=strict,
        sparse=False,
        behind=False,
    )
    tree = _tree_builder(threads)
    size = _convert(source, _builder(None, flags, max_size, tree), progress)
    return Ext4Image(size=size, verity=_finish(tree))


def _flags(  # noqa: PLR0913 - each is a flag
    *,
    overlay: bool,
    backslash: bool,
    inline: bool,
    strict: bool,
    sparse: bool,
    behind: bool,
) -> int:
    """Give what C is told."""
    from hcsshim._native import ext4  # noqa: PLC0415 - loads the shim

    return (
        ext4.OVERLAY * overlay
        | ext4.BACKSLASH * backslash
        | ext4.INLINE * inline
        | ext4.STRICT * strict
        | ext4.SPARSE * sparse
        | ext4.BEHIND * behind
    )


def _tree_builder(threads: int | None) -> TreeBuilder:
    from hcsshim._native.verity import TreeBuilder  # noqa: PLC0415 - loads the shim

    return TreeBuilder(DEFAULT_SALT, workers=max(0, _many(threads) - 1))


def _many(threads: int | None) -> int:
    """Tell how many threads there are to be."""
    return processors() if threads is None else threads


def _builder(
    descriptor: int | None, flags: int, max_size: int, tree: TreeBuilder | None
) -> ImageBuilder:
    from hcsshim._native.ext4 import ImageBuilder  # noqa: PLC0415 - loads the shim

    most = _LARGEST if max_size < 0 or max_size > _LARGEST else max_size
    return ImageBuilder(descriptor, flags=flags, max_size=most, tree=tree)


def _finish(tree: TreeBuilder) -> VerityTree:
    """Complete a hash tree."""
    blocks = tree.blocks
    root, data = tree.finish()
    return VerityTree(
        root_hash=root.hex(), tree=data, data_blocks=blocks, salt=DEFAULT_SALT
    )


def _convert(source: Source, builder: ImageBuilder, progress: Progress | None) -> int:
    """Give a tar to a builder; tell how long the image became."""
    with builder, opened_tar(source) as tar:
        if tar.descriptor is not None:
            _copy(tar, tar.descriptor, builder, progress)
        else:
            with tar.pieces() as pieces:
                for piece, used in pieces:
                    builder.feed(piece)
                    if progress is not None:
                        progress(used, tar.total)
        return builder.finish()


def _copy(
    tar: TarInput, descriptor: int, builder: ImageBuilder, progress: Progress | None
) -> None:
    """Let C read a plain tar by itself."""
    builder.feed(tar.head)
    done = len(tar.head)
    while copied := builder.copy(descriptor, _STEP):
        done += copied
        if progress is not None:
            progress(done, tar.total)


@contextmanager
def _target(target: str | os.PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    """Give an empty file; a foreign one is empty again if the block raises."""
    if isinstance(target, (str, os.PathLike)):
        path = os.path.realpath(target)
        whole = not os.path.exists(path) or os.path.isfile(path)  # noqa: PTH110, PTH113
        with replacing(path) if whole else opened(path, "r+b") as file:
            yield file
        return
    target.seek(0)
    target.truncate()
    try:
        yield target
    except BaseException:
        target.truncate(0)
        raise
    target.seek(size_of(target))
