r"""
Transport folders: the form in which Windows' service takes and gives layers.

``ImportLayer`` and ``HcsImportLayer`` take such a folder, ``ExportLayer`` makes one.
Below ``Files`` each file is its attributes and its backup stream in one; a folder is
a real one, with a file ``NAME.$wcidirs$`` of that form beside it. ``tombstones.txt``
lists what the layer removes. Hives and boot files are plain files.
"""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim._native.growing import growing
from hcsshim.errors import InvalidDataError, NotFoundError
from hcsshim.layers.backup_streams import (
    BackupStream,
    StreamId,
    join_streams,
)
from hcsshim.layers.backup_tar import (
    BackupFile,
    BackupTarReader,
    BackupTarWriter,
    FileInfo,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim.layers.exporting import LayerExport
    from hcsshim.layers.importing import PathName

FOLDER = 0x10
REPARSE_POINT = 0x400
SIDECAR = ".$wcidirs$"
TOMBSTONES = "tombstones.txt"
TOMBSTONES_HEAD = "\ufeffVersion 1.0"
#: What nobody means to have in a layer.
RECYCLE_BIN = "files/$recycle.bin"
_ATTRIBUTES = struct.Struct("<I")
_HEAD = struct.Struct("<IIQI")
#: 1970 in Windows' count, and how many counts a second and a nanosecond are.
_EPOCH = 116444736000000000
_COPY = 1 << 20


@attrs.frozen(kw_only=True)
class TransportFolder:
    """
    What became of a tar.

    Attributes:
        files: How many files and folders it had.
        size: Of the files' data together, in bytes.
        removed: The paths that the layer removes, below ``Files``.
        links: Hard links, each path with its target, in order. They can be made only
            when the layer is imported.
    """

    files: int
    size: int
    removed: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


def _set_times(path: str, info: FileInfo) -> None:
    """Give a file the times of what it stands for; unknown ones stay."""
    status = os.stat(path)
    access, write = (
        (ticks - _EPOCH) * 100 if ticks else old
        for ticks, old in (
            (info.access_time, status.st_atime_ns),
            (info.write_time, status.st_mtime_ns),
        )
    )
    earliest, latest = -(2**31) * 10**9, (2**33) * 10**9  # what file systems hold
    times = tuple(min(max(time, earliest), latest) for time in (access, write))
    os.utime(path, ns=(times[0], times[1]))


def _data_of(stream: IO[bytes]) -> None:
    """Go to the data of a stream as :class:`BackupTarReader` makes it."""
    while head := stream.read(_HEAD.size):
        number, _, size, name_length = _HEAD.unpack(head)
        if number == StreamId.DATA:
            return
        stream.seek(size + name_length, os.SEEK_CUR)


@attrs.define(eq=False)
class _Writer:
    """Makes a transport folder, file by file."""

    root: str
    files: int = 0
    size: int = 0
    removed: list[str] = attrs.field(factory=list)
    links: list[tuple[str, str]] = attrs.field(factory=list)
    reparse_folders: set[str] = attrs.field(factory=set)

    def add(self, file: BackupFile) -> None:
        self.check(file.name)
        if file.is_removed:
            self.remove(file.name)
        elif file.link_target is not None:
            self.check(file.link_target)
            self.links.append((file.name, file.link_target))
        else:
            self.files += 1
            self.size += file.size
            self.write(file)

    def check(self, name: str) -> None:
        """Refuse what the service would not take, or would take for another name."""
        reason = ""
        top = name.split("/", 1)[0]
        if top not in {"Files", "Hives", "UtilityVM"}:
            reason = "a layer has only Files, Hives and UtilityVM"
        elif "\\" in name or ":" in name:
            reason = "the name has a character that names have not"
        elif name.endswith(SIDECAR):
            reason = "the name is kept for the metadata of folders"
        elif any(name.startswith(f"{link}/") for link in self.reparse_folders):
            reason = "its path leads through a link"
        if reason:
            raise InvalidDataError(message=f"{name!r}: {reason}.")

    def remove(self, name: str) -> None:
        top, _, rest = name.partition("/")
        if top != "Files" or not rest:
            raise InvalidDataError(
                message=f"{name!r}: only what is below Files can be removed."
            )
        self.removed.append(rest)

    def write(self, file: BackupFile) -> None:
        path = f"{self.root}/{file.name}"
        is_folder = bool(file.info.attributes & FOLDER)
        os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)
        if is_folder and file.info.attributes & REPARSE_POINT:
            self.reparse_folders.add(file.name)
        plain = not file.name.startswith("Files") and not is_folder
        target = path + SIDECAR if is_folder else path
        try:
            with open(target, "xb") as out:
                if plain:
                    _data_of(file.stream)
                else:
                    out.write(_ATTRIBUTES.pack(file.info.attributes))
                shutil.copyfileobj(file.stream, out, _COPY)
        except FileExistsError:
            raise InvalidDataError(message=f"{file.name!r}: it comes twice.") from None
        _set_times(target, file.info)

    def finish(self) -> TransportFolder:
        lines = [TOMBSTONES_HEAD, *("\\" + r.replace("/", "\\") for r in self.removed)]
        text = "".join(f"{line}\n" for line in lines)
        path = f"{self.root}/{TOMBSTONES}"
        with open(path, "wb") as out:
            out.write(text.encode("utf-8", "surrogateescape"))
        return TransportFolder(
            files=self.files,
            size=self.size,
            removed=tuple(self.removed),
            links=tuple(self.links),
        )


def write_transport_folder(source: IO[bytes], target: PathName) -> TransportFolder:
    """
    Make a transport folder of a Windows layer's tar.

    Args:
        source: An open binary file: plain, gzip or zstd.
        target: The folder. It appears only when it is whole; nothing, or an empty
            folder, may stand there.

    Returns:
        What is in it, and what has to be done once it is imported: the hard links,
        which no transport folder holds.

    Raises:
        InvalidDataError: The tar is damaged, or has what no layer of Windows has.
        AlreadyExistsError: Something stands at ``target``.

    Source:
        ``HcsImportLayer``; the form is that of ``HcsExportLayer``.
    """
    with growing(target) as folder:
        writer = _Writer(os.fspath(folder))
        for file in BackupTarReader(source):
            writer.add(file)
        return writer.finish()


# ---- reading ---------------------------------------------------------------


def _read_tombstones(folder: Path) -> dict[str, list[str]]:
    """Read what a layer removes, by the folder it was in."""
    try:
        text = (folder / TOMBSTONES).read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return {}
    head, *lines = text.splitlines()
    if head != TOMBSTONES_HEAD:
        raise InvalidDataError(
            message=f"{folder / TOMBSTONES} does not begin with 'Version 1.0'."
        )
    found: dict[str, list[str]] = {}
    for line in filter(None, lines):
        path = "Files/" + line.replace("\\", "/").strip("/")
        found.setdefault(path.rpartition("/")[0], []).append(path)
    return found


def _info_of(path: Path, attributes: int) -> FileInfo:
    status = path.stat()
    access, write = (
        ns // 100 + _EPOCH for ns in (status.st_atime_ns, status.st_mtime_ns)
    )
    return FileInfo(
        creation_time=write,
        access_time=access,
        write_time=write,
        change_time=write,
        attributes=attributes,
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Give what is below a folder, in the order of the names' bytes."""
    for entry in sorted(folder.iterdir(), key=lambda path: os.fsencode(path.name)):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)


def _add_blob(writer: BackupTarWriter, name: str, blob: Path) -> None:
    """Add a file of attributes and a backup stream."""
    with blob.open("rb", buffering=0) as file:
        head = file.read(_ATTRIBUTES.size)
        if len(head) < _ATTRIBUTES.size:
            raise InvalidDataError(message=f"{blob} is too short for its attributes.")
        writer.add(name, _info_of(blob, *_ATTRIBUTES.unpack(head)), file)


def _add_plain(writer: BackupTarWriter, name: str, path: Path) -> None:
    data = path.read_bytes()
    stream = join_streams([BackupStream(id=StreamId.DATA, data=data)])
    writer.add(name, _info_of(path, 0x20), stream)


def _add(writer: BackupTarWriter, name: str, path: Path) -> None:
    if path.is_dir():
        sidecar = path.with_name(path.name + SIDECAR)
        if sidecar.exists():
            _add_blob(writer, name, sidecar)
        else:
            writer.add(name, _info_of(path, FOLDER), b"")
    elif name.startswith("Files/"):
        _add_blob(writer, name, path)
    else:
        _add_plain(writer, name, path)


def read_transport_folder(folder: PathName, target: IO[bytes]) -> LayerExport:
    """
    Make the tar of a transport folder.

    Args:
        folder: As ``HcsExportLayer`` made it.
        target: An open binary file.

    Returns:
        The tar's digest, and what is in it.

    Raises:
        NotFoundError: The folder is not there.
        InvalidDataError: A file in it is damaged.
    """
    root = Path(folder)
    if not root.is_dir():
        raise NotFoundError(message=f"There is no folder {root}.")
    removed = _read_tombstones(root)
    with BackupTarWriter(target) as writer:
        for path in _walk(root):
            name = path.relative_to(root).as_posix()
            if name == TOMBSTONES or name.endswith(SIDECAR):
                continue
            if f"{name}/".lower().startswith(f"{RECYCLE_BIN}/"):
                continue
            _add(writer, name, path)
            for gone in removed.get(name, ()):
                writer.remove(gone)
        return writer.finish()
