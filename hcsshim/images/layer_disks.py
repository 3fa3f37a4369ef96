"""
The layers of an image as disks for utility VMs: dm-verity root hashes, and VHDs.

Policies of confidential containers name the root hash of each layer, in their order.
Layers are converted at once on all processors, each in one pass.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar, cast

import attrs

from hcsshim.disk.ext4 import ROOT_HASH_MAX_SIZE, ext4_root_hash, tar_to_ext4
from hcsshim.disk.verity import processors
from hcsshim.errors import InvalidDataError, NotFoundError
from hcsshim.images._archives import opened, read_document
from hcsshim.images._documents import ImageConfig, Manifest, invalid
from hcsshim.images._loading import find_images

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hcsshim.images._loading import Found

__all__ = ["ImageLayer", "create_layer_disks", "image_layers", "layer_root_hashes"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class ImageLayer:
    """
    A layer of an image in an archive.

    Args:
        archive: The OCI layout or Docker archive.
        name: Of the layer's file in it.
        digest: Of this file.
        diff_id: Digest of the tar, when it is unpacked.
        size: Of the file in bytes.
    """

    archive: Path
    name: str
    digest: str
    diff_id: str
    size: int


def image_layers(
    archive: str | os.PathLike[str],
    *,
    name: str | None = None,
    platform: str | None = None,
) -> tuple[ImageLayer, ...]:
    """
    List the layers of the image in an archive, the base first.

    Args:
        archive: An OCI layout or what ``docker save`` writes, a folder or a tar.
        name: Of the image, where there are several.
        platform: Of an image for several, such as ``"linux/amd64"``; by default this
            machine's.

    Raises:
        NotFoundError: There is no image of this name or for this platform.
        InvalidDataError: The archive is no such, or is damaged.
    """
    path = Path(archive)
    with opened(path) as source:
        found = _choose(find_images(source, path, platform), name, path)
        manifest = Manifest.parse(found.manifest)
        config = read_document(source, found.files[manifest.config.digest])
    diff_ids = ImageConfig.parse(config).diff_ids
    if len(diff_ids) != len(manifest.layers):
        raise invalid(
            f"The manifest has {len(manifest.layers)} layers, the configuration "
            f"{len(diff_ids)}."
        )
    return tuple(
        ImageLayer(
            archive=path,
            name=found.files[layer.digest],
            digest=layer.digest,
            diff_id=diff_id,
            size=layer.size,
        )
        for layer, diff_id in zip(manifest.layers, diff_ids, strict=True)
    )


def layer_root_hashes(
    layers: tuple[ImageLayer, ...], progress: Callable[[int], None] | None = None
) -> tuple[str, ...]:
    """
    Compute the root hashes of layers, without writing their disks.

    Args:
        layers: Of :func:`image_layers`.
        progress: Called with the bytes of the archive that were read, all in all.

    Returns:
        The root hashes in hexadecimal, as policies name them.

    Raises:
        InvalidDataError: A layer is not what its digest says, or is no tar.
    """

    def convert(layer: ImageLayer, file: _Checked, threads: int) -> str:
        image = ext4_root_hash(file.stream, threads=threads)
        file.check(layer)
        return str(image.root_hash)

    return _each(layers, convert, progress)


def create_layer_disks(
    layers: tuple[ImageLayer, ...],
    folder: str | os.PathLike[str],
    progress: Callable[[int], None] | None = None,
) -> tuple[tuple[Path, str], ...]:
    """
    Make a VHD of each layer: ext4, its hash tree, a footer.

    Args:
        layers: Of :func:`image_layers`.
        folder: Where the disks go; each is named by the digest of its layer's tar.
        progress: As for :func:`layer_root_hashes`.

    Returns:
        Path and root hash of each.

    Raises:
        InvalidDataError: As for :func:`layer_root_hashes`; this layer has no disk.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)

    def convert(layer: ImageLayer, file: _Checked, threads: int) -> tuple[Path, str]:
        path = target / f"{layer.diff_id.partition(':')[2]}.vhd"
        image = tar_to_ext4(
            file.stream,
            path,
            overlay=True,
            max_size=ROOT_HASH_MAX_SIZE,
            verity=True,
            vhd=True,
            threads=threads,
        )
        try:
            file.check(layer)
        except InvalidDataError:
            path.unlink()
            raise
        return path, str(image.root_hash)

    return _each(layers, convert, progress)


def _choose(found: list[Found], name: str | None, path: Path) -> Found:
    """Take the one image, or the one of a name."""
    if name is not None:
        found = [image for image in found if name in image.names]
        if not found:
            raise NotFoundError(message=f"There is no image {name!r} in '{path}'.")
    if len(found) > 1:
        names = ", ".join(name for image in found for name in image.names)
        raise invalid(f"There are {len(found)} images in '{path}'; choose of: {names}.")
    return found[0]


def _each(
    layers: tuple[ImageLayer, ...],
    convert: Callable[[ImageLayer, _Checked, int], T],
    progress: Callable[[int], None] | None,
) -> tuple[T, ...]:
    """Convert layers on all processors; each thread reads the archive by itself."""
    many = processors()
    threads = max(1, many // max(1, len(layers)))
    counts = [0] * len(layers)

    def count(index: int, done: int) -> None:
        counts[index] = done
        if progress is not None:
            progress(sum(counts))

    def work(index: int) -> T:
        layer = layers[index]
        with opened(layer.archive) as source, source.open(layer.name) as stored:
            file = _Checked(stored, lambda done: count(index, done))
            return convert(layer, file, threads)

    with ThreadPoolExecutor(many) as pool:
        return tuple(pool.map(work, range(len(layers))))


class _Checked:
    """A file whose bytes are counted and summed as they are read."""

    def __init__(self, file: IO[bytes], count: Callable[[int], None]) -> None:
        self._file = file
        self._count = count
        self._sum = hashlib.sha256()
        self._done = 0

    @property
    def stream(self) -> IO[bytes]:
        """What this is for whoever only reads."""
        return cast(IO[bytes], self)

    def seekable(self) -> bool:
        """It is not: its bytes are summed in order."""
        return False

    def read(self, size: int = -1) -> bytes:
        """Read what comes next."""
        data = self._file.read(size)
        self._sum.update(data)
        self._done += len(data)
        self._count(self._done)
        return data

    def check(self, layer: ImageLayer) -> None:
        """
        Compare what was read with what it should be.

        Raises:
            InvalidDataError: It is something else.
        """
        while self.read(1 << 20):
            pass
        if layer.digest != f"sha256:{self._sum.hexdigest()}":
            raise invalid(f"The layer {layer.name!r} is not what its digest says.")
