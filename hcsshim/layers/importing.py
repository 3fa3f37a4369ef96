"""Tars into folders of layers: of Windows, with what Windows knows, and of Linux."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim._native import unpack as native
from hcsshim._native.growing import growing
from hcsshim.errors import InvalidDataError, OperationCancelledError
from hcsshim.layers._compression import (
    decompressed,
    factory_for,
    read_magic,
    reader_for,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    PathName: TypeAlias = str | os.PathLike[str]
    #: Told the bytes of the source done, and those in all; ``None``: nobody knows.
    Progress: TypeAlias = Callable[[int, int | None], None]

#: How much is done between two looks at progress and cancellation.
STEP = 8 << 20
#: The largest tar that is taken when nobody says otherwise.
LARGEST = 256 << 30
#: Where a Windows layer keeps its boot files, and what keeps a copy of them.
BOOT = Path("UtilityVM/Files/EFI/Microsoft/Boot")
BOOT_COPIES = {
    "BCD": "bcd.bak",
    "BCD.LOG": "bcd.log.bak",
    "BCD.LOG1": "bcd.log1.bak",
    "BCD.LOG2": "bcd.log2.bak",
}


@attrs.frozen(kw_only=True)
class LayerImport:
    """
    What became of a tar.

    Attributes:
        diff_id: Of the uncompressed tar: ``"sha256:..."``, or ``""`` if it was not to
            be computed.
        tar_size: Of the uncompressed tar, in bytes.
        size: Of the layer's files together, in bytes; links and streams do not count.
        members: How many members the tar had.
        streams: How many of them were alternate data streams.
        devices_left_out: Devices and FIFOs that this user may not make.
        attributes_left_out: Extended attributes that this user may not set, or this
            file system does not hold.
    """

    diff_id: str
    tar_size: int
    size: int
    members: int
    streams: int = 0
    devices_left_out: int = 0
    attributes_left_out: int = 0


@attrs.define(eq=False)
class _Watch:
    """Who is told how far it went, and who may stop it."""

    progress: Progress | None
    cancel: threading.Event | None
    largest: int
    total: int | None = None
    made: int = 0

    def done(self, used: int, made: int) -> None:
        self.made += made
        if self.made > self.largest:
            raise InvalidDataError(
                message=f"The tar is larger than the {self.largest} bytes allowed."
            )
        if self.cancel is not None and self.cancel.is_set():
            raise OperationCancelledError(message="The import was cancelled.")
        if self.progress is not None:
            self.progress(used, self.total)


def _opened(source: PathName | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    if isinstance(source, (str, os.PathLike)):
        return open(source, "rb", buffering=0)  # noqa: PTH123 - any PathLike
    return nullcontext(source)


def _descriptor(file: IO[bytes]) -> int | None:
    """Give the descriptor of a file that holds nothing back in a buffer."""
    if not hasattr(file, "readinto") or hasattr(file, "peek"):
        return None
    try:
        return file.fileno()
    except OSError:
        return None


def _feed_plain(
    unpack: native.Unpack, file: IO[bytes], magic: bytes, watch: _Watch
) -> None:
    unpack.feed(magic)
    used = len(magic)
    descriptor = _descriptor(file)
    while True:
        if descriptor is not None:
            got = unpack.read(descriptor, STEP)
        else:
            piece = file.read(STEP // 8)
            got = len(piece)
            unpack.feed(piece)
        used += got
        if got == 0:
            return
        watch.done(used, got)


def _feed(unpack: native.Unpack, file: IO[bytes], watch: _Watch) -> None:
    magic = read_magic(file)
    make = factory_for(magic)
    # The unpack's other thread works while this one unpacks what it is given next.
    if make is None:
        _feed_plain(unpack, file, magic, watch)
    elif (reader := reader_for(file, magic)) is not None:
        while made := reader.readinto(unpack.room()):
            unpack.fill(made)
            watch.done(reader.used, made)
    else:
        for piece, used in decompressed(file, magic, make):
            unpack.feed(piece)
            watch.done(used, len(piece))


def _size_of(source: PathName | IO[bytes], file: IO[bytes]) -> int | None:
    if not isinstance(source, (str, os.PathLike)):
        return None
    status = os.fstat(file.fileno())
    return status.st_size or None


def _unpack(
    source: PathName | IO[bytes],
    folder: Path,
    flags: int,
    parents: Sequence[PathName],
    watch: _Watch,
) -> LayerImport:
    with _opened(source) as file, native.Unpack(folder, flags, parents) as unpack:
        watch.total = _size_of(source, file)
        _feed(unpack, file, watch)
        done = unpack.finish()
    return LayerImport(
        diff_id="" if flags & native.UNHASHED else f"sha256:{done.diff_id.hex()}",
        tar_size=done.tar_bytes,
        size=done.file_bytes,
        members=done.members,
        streams=done.streams,
        devices_left_out=done.devices_left_out,
        attributes_left_out=done.attributes_left_out,
    )


def _keep_boot_files(folder: Path) -> None:
    """Copy the boot files, because making a utility VM of the layer changes them."""
    if (folder / BOOT).is_dir() and not _has_link(folder, BOOT):
        for name, copy in BOOT_COPIES.items():
            file = folder / BOOT / name
            if file.is_file() and not file.is_symlink():
                shutil.copyfile(file, folder / copy)


def _has_link(folder: Path, path: Path) -> bool:
    return any((folder / part).is_symlink() for part in (path, *path.parents))


def import_tar(  # noqa: PLR0913 - keywords all but two
    source: PathName | IO[bytes],
    target: PathName,
    *,
    parents: Sequence[PathName] = (),
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    largest: int = LARGEST,
    hashed: bool = True,
) -> LayerImport:
    """
    Make a Windows layer's folder of its tar, all in one pass.

    The files stand in ``Files``, ``Hives`` and ``UtilityVM``. What only NTFS holds of
    them (security descriptors, attributes, creation times, reparse points, streams)
    is kept beside them in ``.hcsshim``, without loss: :func:`export_tar` makes the
    same tar of it again. Files that the layer removes become whiteouts of overlayfs,
    so that a chain of layers can be mounted.

    On Windows the files get all of that themselves as far as the system and the user
    can: an administrator on NTFS everything. What Windows takes for another file's
    name, or for none, and what Wine cannot hold, ``.hcsshim`` alone has; nothing mounts
    such a folder there, since a layer to run is one that the service imported.

    Args:
        source: A file's name, or an open binary file: plain, gzip or zstd. Several
            gzip or zstd streams may follow one another.
        target: The layer's folder. It appears only when it is whole; nothing, or an
            empty folder, may stand there.
        parents: Folders of the layers below, nearest first; none for a base layer.
            ``layerchain.json`` names them.
        progress: Told the bytes of ``source`` done, and those in all. When it raises,
            the import ends, and nothing is left of it.
        cancel: When it is set, the import ends likewise.
        largest: The most bytes that the uncompressed tar may have.
        hashed: Whether to compute the tar's digest. Where files are large that takes
            more time than all the rest: leave it out of a tar that was verified.

    Returns:
        The tar's digest, and what was in it.

    Raises:
        InvalidDataError: The tar is damaged, has names that lead out of the layer or
            that Windows does not take for files, or is larger than ``largest``.
        AlreadyExistsError: Something stands at ``target``.
        OperationCancelledError: ``cancel`` was set.
        NotSupportedError: It is compressed with zstd, and nobody here reads that.

    Source:
        The tar form of Windows layers in the OCI image specification.
    """
    flags = native.WINDOWS | (0 if parents else native.BASE)
    flags |= 0 if hashed else native.UNHASHED
    watch = _Watch(progress, cancel, largest)
    with growing(target) as folder:
        done = _unpack(source, folder, flags, parents, watch)
        _keep_boot_files(folder)
        if parents:
            chain = [os.path.abspath(parent) for parent in parents]  # noqa: PTH100 - plain
            text = json.dumps(chain)
            (folder / "layerchain.json").write_text(text, encoding="utf-8")
    return done


def extract_linux_layer(  # noqa: PLR0913 - keywords all but two
    source: PathName | IO[bytes],
    target: PathName,
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    largest: int = LARGEST,
    hashed: bool = True,
) -> LayerImport:
    """
    Make a folder of a Linux layer's tar, ready to be a lower folder of overlayfs.

    Whiteouts become devices 0:0, opaque folders get ``user.overlay.opaque``: overlays
    have to be mounted with ``userxattr``. As an ordinary user the files are all that
    user's, and devices are left out.

    Args:
        source: As for :func:`import_tar`.
        target: As for :func:`import_tar`.
        progress: As for :func:`import_tar`.
        cancel: As for :func:`import_tar`.
        largest: As for :func:`import_tar`.
        hashed: As for :func:`import_tar`.

    Returns:
        The tar's digest, and what was in it.

    Raises:
        InvalidDataError: The tar is damaged, has names that lead out of the layer, or
            is larger than ``largest``.
        AlreadyExistsError: Something stands at ``target``.
        OperationCancelledError: ``cancel`` was set.
        NotSupportedError: It is compressed with zstd, and nobody here reads that.

    Source:
        "Image Layer Filesystem Changeset" of the OCI image specification.
    """
    watch = _Watch(progress, cancel, largest)
    with growing(target) as folder:
        return _unpack(source, folder, 0 if hashed else native.UNHASHED, (), watch)
