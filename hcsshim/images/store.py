"""
The images of this user: their files by digest, their layers unpacked, their names.

::

    images/
        blobs/sha256/<digest>   manifests, configurations, layers as they came
        layers/<digest>/        unpacked, by the digest of the layer's tar
        names.json              which manifest a name stands for
        lock, names.lock, temporary/

Any number of processes may load at once, and be killed at any time: whatever has a
name here is whole.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from hcsshim.errors import InvalidDataError, NotFoundError
from hcsshim.images._blobs import Blobs, StoreLock, written
from hcsshim.images._documents import (
    Descriptor,
    ImageConfig,
    Manifest,
    Reader,
    check_digest,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from typing import IO, TypeAlias

    #: Told the bytes done, and those in all.
    Progress: TypeAlias = Callable[[int, int], None]

#: How much of a digest stands for all of it.
_SHORTEST_DIGEST = 6
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,254}")


def data_folder() -> Path:
    """
    Give the folder of this user's images.

    ``$XDG_DATA_HOME/hcsshim/images``, by default ``~/.local/share/hcsshim/images``.
    """
    home = os.environ.get("XDG_DATA_HOME", "")
    if not Path(home).is_absolute():  # relative ones are to be ignored
        home = str(Path("~/.local/share").expanduser())
    return Path(home, "hcsshim", "images")


@attrs.frozen(kw_only=True)
class Image:
    """
    An image of a store.

    Attributes:
        names: That stand for it; none if it has to be named by its digest.
        digest: Of its manifest.
        manifest: Its files.
        config: How it wants to be run.
    """

    names: tuple[str, ...]
    digest: str
    manifest: Manifest
    config: ImageConfig

    @property
    def name(self) -> str:
        """What to call it."""
        return self.names[0] if self.names else self.digest

    @property
    def size(self) -> int:
        """The bytes of its files, as they came."""
        files = (self.manifest.config, *self.manifest.layers)
        return sum(file.size for file in files)

    def command(
        self, arguments: tuple[str, ...] = (), entrypoint: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """
        Give the command that it runs.

        Args:
            arguments: Instead of the image's own.
            entrypoint: Instead of the image's own, whose arguments are dropped then.
        """
        if entrypoint is not None:
            return entrypoint + arguments
        return self.config.entrypoint + (arguments or self.config.cmd)


def check_name(name: str) -> str:
    """
    Check what an image shall be called.

    Raises:
        InvalidDataError: It is no name.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise InvalidDataError(
            message=f"{name!r} cannot be the name of an image: letters, digits and "
            "._/:@+- can."
        )
    return name


class ImageStore:
    """
    A folder with images.

    Args:
        root: Which; by default :func:`data_folder`. It is made with the first image.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        self.root = data_folder() if root is None else Path(root).absolute()
        self.temporary = self.root / "temporary"
        self.blobs = Blobs(self.root / "blobs", self.temporary)
        self.lock = StoreLock(self.root / "lock")
        self._names_lock = StoreLock(self.root / "names.lock")

    # -- names -----------------------------------------------------------

    def prepare(self) -> None:
        """Make the folders that are needed to add anything."""
        self.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _read_names(self) -> dict[str, str]:
        try:
            data = (self.root / "names.json").read_bytes()
        except FileNotFoundError:
            return {}
        names = Reader.parse(data, "the list of names").table("names")
        for name, digest in names.items():
            check_digest(digest, f"the image {name!r}")
        return names

    def change_names(self, change: Callable[[dict[str, str]], None]) -> None:
        """
        Change which manifests the names stand for.

        Args:
            change: Given the names to be changed; nobody else changes them then.
        """
        with self._names_lock.alone():
            names = self._read_names()
            change(names)
            text = json.dumps({"names": names}, indent=1, sort_keys=True)
            with written(self.root / "names.json", self.temporary) as file:
                file.write(text.encode())

    # -- images ----------------------------------------------------------

    def images(self) -> list[Image]:
        """List the images, by name."""
        names = self._read_names()
        by_digest: dict[str, list[str]] = {}
        for name, digest in sorted(names.items()):
            by_digest.setdefault(digest, []).append(name)
        found = [self._read(digest, tuple(n)) for digest, n in by_digest.items()]
        return sorted(found, key=lambda image: image.name)

    def _read(self, digest: str, names: tuple[str, ...]) -> Image:
        manifest = Manifest.parse(self.blobs.read(digest))
        config = ImageConfig.parse(self.blobs.read(manifest.config.digest))
        # An image without a name has its digest for one.
        shown = tuple(name for name in names if name != digest)
        return Image(names=shown, digest=digest, manifest=manifest, config=config)

    def find(self, name: str) -> Image:
        """
        Find an image.

        Args:
            name: Its name, which may lack ``:latest``, or its digest or a part of it.

        Raises:
            NotFoundError: There is none.
            InvalidDataError: The part of a digest is not enough to tell which.
        """
        names = self._read_names()
        digest = names.get(name) or names.get(f"{name}:latest")
        if digest is None:
            digest = self._find_digest(name, set(names.values()))
        if digest is None:
            raise NotFoundError(
                message=f"There is no image {name!r}; "
                "'hcsshim image load' brings one in."
            )
        return self._read(digest, tuple(n for n, d in names.items() if d == digest))

    @staticmethod
    def _find_digest(part: str, digests: set[str]) -> str | None:
        if len(part.rpartition(":")[2]) < _SHORTEST_DIGEST:
            return None
        found = [d for d in digests if d.startswith(part) or d[7:].startswith(part)]
        if len(found) > 1:
            raise InvalidDataError(message=f"{part!r} stands for several images.")
        return found[0] if found else None

    def layer_folder(self, diff_id: str) -> Path:
        """Give the folder that a layer is unpacked in."""
        return self.root / "layers" / diff_id.replace(":", "-")

    def layer_folders(self, image: Image) -> tuple[str, ...]:
        """
        Give the folders of an image's layers, the topmost first, as systems take them.

        Raises:
            NotFoundError: One is not unpacked: the image is for another system.
        """
        folders = []
        for diff_id in reversed(image.config.diff_ids):
            folder = self.layer_folder(diff_id)
            if not folder.is_dir():
                raise NotFoundError(
                    message=f"The layer {diff_id} of {image.name!r} is not here; the "
                    f"image is for {image.config.platform}. If that is this machine, "
                    "load it again."
                )
            folders.append(str(folder))
        return tuple(folders)

    # -- what changes the store --------------------------------------------

    def load(
        self,
        source: str | os.PathLike[str] | IO[bytes],
        *,
        name: str | None = None,
        platform: str | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> tuple[Image, ...]:
        """
        Bring in the images of an OCI layout or of a Docker archive.

        Every file is checked against its digest. Layers for this machine's system are
        unpacked. Loading again what is there costs next to nothing.

        Args:
            source: A folder, a tar, or an open tar, which may be a pipe; tars may be
                compressed.
            name: What to call it, if there is one image only.
            platform: Which to take of an image for several: ``"linux/arm64"``; by
                default what fits this machine.
            progress: Told the bytes done, and those in all.
            cancel: When it is set, loading ends; what is whole stays for the next.

        Returns:
            What was brought in.

        Raises:
            InvalidDataError: It is none of these, or a file is not what it says.
            NotFoundError: It has no image for the platform.
            NotSupportedError: It has layers that cannot be unpacked.
            OperationCancelledError: ``cancel`` was set.
        """
        from hcsshim.images._loading import load  # noqa: PLC0415 - seldom needed

        return load(
            self, source, name=name, platform=platform, progress=progress, cancel=cancel
        )

    def export(
        self,
        image: Image,
        target: str | os.PathLike[str] | IO[bytes],
        *,
        form: str = "oci",
        progress: Progress | None = None,
    ) -> None:
        """
        Write an image as a tar: its files are those that were loaded.

        Args:
            image: Which.
            target: The file, which appears when it is whole, or one to write into.
            form: ``"oci"`` for an OCI layout, ``"docker"`` for a Docker archive.
            progress: Told the bytes done, and those in all.

        Raises:
            NotFoundError: A file of the image is not there.
        """
        from hcsshim.images._exporting import export  # noqa: PLC0415 - seldom needed

        export(self, image, target, form=form, progress=progress)

    def remove(self, name: str) -> Image:
        """
        Remove a name, and with an image's last name all that only it has.

        Args:
            name: As for :meth:`find`; a digest stands for all names of the image.

        Returns:
            What is left of the image: without names it is gone.

        Raises:
            NotFoundError: There is no such image.
            InUseError: A system runs on it; nothing was removed.
        """
        from hcsshim.images._removing import remove  # noqa: PLC0415 - seldom needed

        return remove(self, name)


__all__ = [
    "Descriptor",
    "Image",
    "ImageConfig",
    "ImageStore",
    "Manifest",
    "check_name",
    "data_folder",
]
