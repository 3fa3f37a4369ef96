"""
Looking into ext4 images without mounting them.

Both the reference's compact images and ordinary ones are read, also ext2 and ext3; one
whose journal would have to be replayed is refused.
"""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING
from uuid import UUID

import attrs

from hcsshim.disk._ext4_format import ROOT, Image, Inode, invalid
from hcsshim.disk._io import opened, replacing
from hcsshim.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hcsshim.disk._io import Progress, Source

__all__ = [
    "Ext4Entry",
    "Ext4Info",
    "ext4_info",
    "ext4_to_tar",
    "list_ext4",
    "read_ext4_file",
]

_MOST_LINKS = 40
_OPAQUE = b"trusted.overlay.opaque"
_TYPES = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}


@attrs.frozen(kw_only=True)
class Ext4Info:
    """
    What the super block of an image tells.

    Args:
        size: Of the file system in bytes.
        block_size: In bytes.
        free_blocks: Of this size.
        inodes: The number of files that it could hold.
        free_inodes: How many of these it does not hold.
        label: Its name, perhaps none.
        uuid: Its id, perhaps zero.
        features: The three words of features: compatible, incompatible, read-only.
    """

    size: int
    block_size: int
    free_blocks: int
    inodes: int
    free_inodes: int
    label: str
    uuid: UUID
    features: tuple[int, int, int]


@attrs.frozen(kw_only=True)
class Ext4Entry:
    """
    A name in an image, and what has it.

    Args:
        path: From the root, without a slash in front; bytes that are no UTF-8 are
            surrogates, as in :func:`os.fsdecode`.
        inode: Its number.
        mode: Kind and permissions, as in :attr:`os.stat_result.st_mode`.
        uid: Of the owner.
        gid: Of the group.
        size: In bytes.
        links: How many names it has.
        modified_ns: Nanoseconds since 1970.
        accessed_ns: As above.
        changed_ns: As above.
        target: Of a symbolic link, else ``""``.
        device: Major and minor number of a device, else zeros.
        attributes: Extended attributes by name.
    """

    path: str
    inode: int
    mode: int
    uid: int
    gid: int
    size: int
    links: int
    modified_ns: int
    accessed_ns: int
    changed_ns: int
    target: str = ""
    device: tuple[int, int] = (0, 0)
    attributes: dict[str, bytes] = attrs.field(factory=dict)

    @property
    def is_folder(self) -> bool:
        """Whether names can be in it."""
        return stat.S_ISDIR(self.mode)


def ext4_info(source: Source) -> Ext4Info:
    """
    Read what the super block of an image tells.

    Args:
        source: The image; what stands behind it is not looked at.

    Raises:
        InvalidDataError: It is none.
        NotSupportedError: It has features that are not read here.
    """
    with opened(source) as file:
        image = Image(file)
    return Ext4Info(
        size=image.blocks * image.block_size,
        block_size=image.block_size,
        free_blocks=image.free_blocks,
        inodes=image.inodes,
        free_inodes=image.free_inodes,
        label=image.label.decode(errors="backslashreplace"),
        uuid=UUID(bytes=image.uuid),
        features=image.features,
    )


def list_ext4(
    source: Source, path: str = "/", *, recursive: bool = False
) -> Iterator[Ext4Entry]:
    """
    Yield what is in a folder of an image, or the one file that the path names.

    Args:
        source: The image.
        path: In the image; symbolic links on the way are followed.
        recursive: Whether what is in folders below comes, too, after each.

    Raises:
        NotFoundError: The path leads nowhere.
        InvalidDataError: The image is damaged.
    """
    with opened(source) as file:
        image = Image(file)
        inode, name = _find(image, path)
        if not inode.is_folder:
            yield _entry(image, name, inode)
            return
        for below, number in _walk(image, inode.number, name, recursive=recursive):
            yield _entry(image, below, image.inode(number))


def read_ext4_file(source: Source, path: str) -> Iterator[bytes]:
    """
    Yield the contents of a file of an image, piece by piece.

    Args:
        source: The image.
        path: Of the file; symbolic links are followed.

    Raises:
        NotFoundError: The path leads nowhere.
        IsADirectoryError: It leads to a folder.
        InvalidDataError: The image is damaged.
    """
    with opened(source) as file:
        image = Image(file)
        inode, _ = _find(image, path)
        if inode.is_folder:
            raise IsADirectoryError(f"{path!r} is a folder.")
        if not stat.S_ISREG(inode.mode):
            raise invalid(f"{path!r} is no regular file.")
        yield from image.read(inode)


def ext4_to_tar(
    source: Source,
    target: str | os.PathLike[str] | IO[bytes],
    *,
    overlay: bool = False,
    progress: Progress | None = None,
) -> None:
    """
    Write what an image holds into a tar.

    The tar of an image that was made of a tar has its members in the same order, so
    that the same image comes of it again.

    Args:
        source: The image.
        target: The tar: a name, under which it appears only when it is whole; or a
            file or stream open for writing.
        overlay: Whether whiteouts of overlayfs become those of OCI layers.
        progress: Called with the bytes of contents that were written, and how many
            there are.

    Raises:
        InvalidDataError: The image is damaged.
        NotSupportedError: It has features that are not read here.
    """
    with opened(source) as file, _opened_target(target) as tar:
        image = Image(file)
        writer = _TarWriter(image, tar, overlay=overlay, progress=progress)
        members = _ordered(image)
        writer.total = sum(_length(image.inode(n)) for n in {n for _, n in members})
        for path, number in members:
            writer.add(path, image.inode(number))
        tar.write(bytes(1024))


@contextmanager
def _opened_target(target: str | os.PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(target, (str, os.PathLike)):
        with replacing(target) as file:
            yield file
    else:
        yield target


def _length(inode: Inode) -> int:
    return inode.size if stat.S_ISREG(inode.mode) else 0


def _walk(
    image: Image, number: int, path: bytes, *, recursive: bool
) -> Iterator[tuple[bytes, int]]:
    """Yield paths and inodes below a folder, each folder before what is in it."""
    seen = {number}
    waiting = [iter(sorted(_children(image, number, path)))]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
            continue
        yield found
        if not recursive or not image.inode(found[1]).is_folder:
            continue
        if found[1] in seen:
            raise invalid(f"The folder of inode {found[1]} is in two places.")
        seen.add(found[1])
        waiting.append(iter(sorted(_children(image, found[1], found[0]))))


def _children(image: Image, number: int, path: bytes) -> Iterator[tuple[bytes, int]]:
    for name, child in image.entries(image.inode(number)):
        yield (path + b"/" + name if path else name), child


def _ordered(image: Image) -> list[tuple[bytes, int]]:
    """List all paths: in the order of inodes where folders come first that way."""
    members = [(b"", ROOT), *_walk(image, ROOT, b"", recursive=True)]
    members = [m for m in members if not _is_spare(image, *m)]
    place = dict(members)

    def turn(member: tuple[bytes, int]) -> int:
        """Neither before the folder it is in, nor before the files made earlier."""
        path, number = member
        return max(number, place.get(posixpath.dirname(path), ROOT))

    in_turn = {number for _, number in members}
    if in_turn == {
        number for path, number in members if turn((path, number)) == number
    }:
        return sorted(members, key=lambda member: (turn(member), member[1], member[0]))
    return members


def _is_spare(image: Image, path: bytes, number: int) -> bool:
    """Tell whether this is the folder that every file system has, and unchanged."""
    if path != b"lost+found":
        return False
    inode = image.inode(number)
    plain = inode.mode == stat.S_IFDIR | 0o700 and not inode.uid and not inode.gid
    return plain and next(image.entries(inode), None) is None


def _find(image: Image, path: str) -> tuple[Inode, bytes]:
    """Follow a path from the root; give what is there and its real path."""
    rest = [part for part in _encode(path).split(b"/") if part]
    stack: list[tuple[bytes, Inode]] = [(b"", image.inode(ROOT))]
    links = 0
    while rest:
        part = rest.pop(0)
        if part == b"..":
            stack = stack[:-1] or stack
        if part in {b".", b".."}:
            continue
        folder = stack[-1][1]
        names = dict(image.entries(folder)) if folder.is_folder else {}
        if part not in names:
            raise NotFoundError(
                operation="ext4", message=f"There is no {path!r} in the image."
            )
        inode = image.inode(names[part])
        if not stat.S_ISLNK(inode.mode):
            stack.append((part, inode))
            continue
        links += 1
        if links > _MOST_LINKS:
            raise invalid(f"{path!r} leads through too many symbolic links.")
        target = image.target(inode)
        rest = [each for each in target.split(b"/") if each] + rest
        if target.startswith(b"/"):
            stack = stack[:1]
    return stack[-1][1], b"/".join(name for name, _ in stack[1:])


def _entry(image: Image, path: bytes, inode: Inode) -> Ext4Entry:
    kind = stat.S_IFMT(inode.mode)
    return Ext4Entry(
        path=_decode(path),
        inode=inode.number,
        mode=inode.mode,
        uid=inode.uid,
        gid=inode.gid,
        size=inode.size,
        links=inode.links,
        modified_ns=inode.modified,
        accessed_ns=inode.accessed,
        changed_ns=inode.changed,
        target=_decode(image.target(inode)) if kind == stat.S_IFLNK else "",
        device=inode.device if kind in {stat.S_IFCHR, stat.S_IFBLK} else (0, 0),
        attributes={_decode(k): v for k, v in image.attributes(inode).items()},
    )


@attrs.define(eq=False)
class _TarWriter:
    """Writes members of a tar, one for each name."""

    image: Image
    tar: IO[bytes]
    overlay: bool
    progress: Progress | None
    total: int = 0
    _done: int = 0
    #: Path of the first name of each inode.
    _first: dict[int, bytes] = attrs.field(factory=dict)

    def add(self, path: bytes, inode: Inode) -> None:
        """Write a member, or a link to the one before that is the same file."""
        kind = stat.S_IFMT(inode.mode)
        if kind not in _TYPES:
            return  # a socket, which no tar can hold
        if self.overlay and kind == stat.S_IFCHR and inode.device == (0, 0):
            folder, name = posixpath.split(path)
            self._write_empty(posixpath.join(folder, b".wh." + name))
            return
        member = tarfile.TarInfo(_decode(path) or "./")
        first = self._first.setdefault(inode.number, path)
        if not inode.is_folder and first != path:
            member.type, member.linkname = tarfile.LNKTYPE, _decode(first)
            self._write(member)
            return
        self._describe(member, inode, kind)
        opaque = self._add_attributes(member, inode)
        self._write(member)
        if kind == stat.S_IFREG:
            self._write_contents(inode)
        if opaque:
            self._write_empty(posixpath.join(path, b".wh..wh..opq"))

    def _describe(self, member: tarfile.TarInfo, inode: Inode, kind: int) -> None:
        member.type = _TYPES[kind]
        member.mode = stat.S_IMODE(inode.mode)
        member.uid, member.gid = inode.uid, inode.gid
        member.size = _length(inode)
        headers = dict[str, str]()
        member.mtime = inode.modified // 1_000_000_000
        if inode.modified % 1_000_000_000 or member.mtime < 0:
            headers["mtime"] = _seconds(inode.modified)
        if inode.accessed:
            headers["atime"] = _seconds(inode.accessed)
        if inode.changed:
            headers["ctime"] = _seconds(inode.changed)
        member.pax_headers = headers
        if kind == stat.S_IFLNK:
            member.linkname = _decode(self.image.target(inode))
        if kind in {stat.S_IFCHR, stat.S_IFBLK}:
            member.devmajor, member.devminor = inode.device

    def _add_attributes(self, member: tarfile.TarInfo, inode: Inode) -> bool:
        """Add the extended attributes; tell whether the folder is opaque."""
        attributes = self.image.attributes(inode)
        opaque = self.overlay and attributes.get(_OPAQUE) == b"y" and inode.is_folder
        if opaque:
            del attributes[_OPAQUE]
        headers = dict(member.pax_headers)
        for name, value in attributes.items():
            headers[f"SCHILY.xattr.{_decode(name)}"] = _decode(value)
        member.pax_headers = headers
        return opaque

    def _write_empty(self, path: bytes) -> None:
        self._write(tarfile.TarInfo(_decode(path)))

    def _write(self, member: tarfile.TarInfo) -> None:
        self.tar.write(member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))

    def _write_contents(self, inode: Inode) -> None:
        for data in self.image.read(inode):
            self.tar.write(data)
            self._done += len(data)
            if self.progress is not None:
                self.progress(self._done, self.total)
        self.tar.write(bytes(-inode.size % 512))


def _seconds(nanoseconds: int) -> str:
    """Spell a time as pax headers do."""
    sign = "-" if nanoseconds < 0 else ""
    whole, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{sign}{whole}.{rest:09}".rstrip("0").rstrip(".")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
