"""Bringing images into a store."""

from __future__ import annotations

import os
import platform as machine
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim.errors import AlreadyExistsError, NotFoundError, OutOfSpaceError
from hcsshim.images._archives import opened, read_document
from hcsshim.images._blobs import check_cancelled
from hcsshim.images._docker import docker_images
from hcsshim.images._documents import (
    Descriptor,
    ImageConfig,
    Manifest,
    invalid,
    parse_index,
)
from hcsshim.images.store import Image, check_name
from hcsshim.layers._compression import MAGIC_LENGTH, decompressed, factory_for

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from hcsshim.images._archives import Source
    from hcsshim.images.store import ImageStore, Progress

_DEEPEST_INDEX = 4
_MOST_IMAGES = 1000
_STEP = 1 << 20
_ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i686": "386",
    "armv7l": "arm",
}
_LAYOUT = "oci-layout"
#: Where tools put the whole name of an image, and where the layout has its tag.
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def machine_system() -> str:
    """Give what images call this machine's operating system."""
    return "windows" if sys.platform == "win32" else "linux"


def machine_platform() -> str:
    """Give what images call this machine: ``"linux/amd64"``."""
    name = machine.machine().lower()
    return f"{machine_system()}/{_ARCHITECTURES.get(name, name)}"


@attrs.frozen(kw_only=True)
class Found:
    """
    An image of a source.

    Attributes:
        names: That it has there.
        manifest: Its bytes.
        files: By the digest of each file of the image, its name in the source.
    """

    names: tuple[str, ...]
    manifest: bytes
    files: dict[str, str]


@attrs.define(eq=False)
class _Meter:
    """Adds up what was done for all the files."""

    progress: Progress | None
    total: int = 0
    done: int = 0

    def add(self, count: int) -> None:
        self.done += count
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


def load(  # noqa: PLR0913 - what loading can be told
    store: ImageStore,
    source: str | os.PathLike[str] | IO[bytes],
    *,
    name: str | None,
    platform: str | None,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> tuple[Image, ...]:
    """Bring in images; see :meth:`ImageStore.load`."""
    if name is not None:
        check_name(name)
    store.prepare()
    meter = _Meter(progress)
    with (
        store.lock.adding(store.temporary),
        _on_disk(store, source, cancel) as path,
        opened(path) as files,
    ):
        found = find_images(files, path, platform)
        if name is not None:
            found = [_renamed(found, name)]
        planned = [(item, Manifest.parse(item.manifest)) for item in found]
        meter.total = sum(_work_of(store, manifest) for _, manifest in planned)
        return tuple(
            _load_image(store, files, item, manifest, meter, cancel)
            for item, manifest in planned
        )


@contextmanager
def _on_disk(
    store: ImageStore,
    source: str | os.PathLike[str] | IO[bytes],
    cancel: threading.Event | None,
) -> Iterator[Path]:
    """
    Give the path of a source that can be read out of order.

    A stream is copied, and what is compressed is unpacked, into a temporary file.
    """
    if not isinstance(source, (str, os.PathLike)):
        with _copied(store, source, source.read(MAGIC_LENGTH), cancel) as path:
            yield path
        return
    path = Path(source)
    if path.is_dir():
        yield path
        return
    with path.open("rb") as file:
        magic = file.read(MAGIC_LENGTH)
        if path.is_file() and factory_for(magic) is None:
            yield path
            return
        with _copied(store, file, magic, cancel) as copy:
            yield copy


@contextmanager
def _copied(
    store: ImageStore,
    source: IO[bytes],
    magic: bytes,
    cancel: threading.Event | None,
) -> Iterator[Path]:
    make = factory_for(magic)
    with tempfile.NamedTemporaryFile(dir=store.temporary) as copy:
        if make is not None:
            for piece, _ in decompressed(source, magic, make):
                check_cancelled(cancel)
                copy.write(piece)
        else:
            copy.write(magic)
            while data := source.read(_STEP):
                check_cancelled(cancel)
                copy.write(data)
        copy.flush()
        yield Path(copy.name)


def _renamed(found: list[Found], name: str) -> Found:
    if len(found) != 1:
        raise invalid(f"There are {len(found)} images; {name!r} can name one only.")
    return attrs.evolve(found[0], names=(name,))


# -- what there is -------------------------------------------------------------


def find_images(source: Source, path: Path, platform: str | None) -> list[Found]:
    """
    List the images of a source.

    Raises:
        InvalidDataError: It has none, or is no source of images.
    """
    if source.has("index.json") and source.has(_LAYOUT):
        found = list(_oci_images(source, path, platform))
    elif source.has("manifest.json"):
        found = [
            Found(names=names, manifest=manifest, files=files)
            for names, manifest, files in docker_images(source)
        ]
    else:
        raise invalid(
            f"'{path}' is no image: it has neither an index.json with an {_LAYOUT} "
            "nor a manifest.json."
        )
    if not found:
        raise invalid(f"'{path}' has no image.")
    return found


def _oci_images(source: Source, path: Path, platform: str | None) -> Iterator[Found]:
    index = parse_index(read_document(source, "index.json"), "the index")
    if len(index) > _MOST_IMAGES:
        raise invalid(f"The index has more than {_MOST_IMAGES} images.")
    for item in index:
        descriptor = _choose(source, item, platform, 0)
        manifest = _verified(source, descriptor)
        files = _files_of(Manifest.parse(manifest))
        yield Found(names=_names_of(item, path), manifest=manifest, files=files)


def _blob_name(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _files_of(manifest: Manifest) -> dict[str, str]:
    digests = [file.digest for file in (manifest.config, *manifest.layers)]
    return {digest: _blob_name(digest) for digest in digests}


def _verified(source: Source, descriptor: Descriptor) -> bytes:
    """
    Read a document and check it.

    Raises:
        InvalidDataError: It is another than its digest says.
    """
    import hashlib  # noqa: PLC0415 - here only

    data = read_document(source, _blob_name(descriptor.digest))
    algorithm, _, wanted = descriptor.digest.partition(":")
    if hashlib.new(algorithm, data).hexdigest() != wanted:
        raise invalid(f"{descriptor.digest} is not what it is named.")
    if len(data) != descriptor.size:
        raise invalid(
            f"{descriptor.digest} has {len(data)} bytes, not {descriptor.size}."
        )
    return data


def _choose(
    source: Source, item: Descriptor, platform: str | None, depth: int
) -> Descriptor:
    """
    Find the manifest for a platform, where an image is one for several.

    Raises:
        NotFoundError: There is none.
    """
    if not item.is_index:
        if item.media_type and not item.is_manifest:
            raise invalid(f"The index has a {item.media_type!r}, which is no image.")
        return item
    if depth >= _DEEPEST_INDEX:
        raise invalid("The index leads from index to index.")
    inner = parse_index(_verified(source, item), "the index of an image")
    wanted = platform or machine_platform()
    for candidate in inner:
        if candidate.platform == wanted:
            return _choose(source, candidate, platform, depth + 1)
    images = [
        candidate for candidate in inner if candidate.platform != "unknown/unknown"
    ]
    if platform is None and len(images) == 1:
        return _choose(source, images[0], platform, depth + 1)
    known = ", ".join(sorted({c.platform for c in images if c.platform})) or "none"
    raise NotFoundError(message=f"The image is not for {wanted}; it is for: {known}.")


def _names_of(item: Descriptor, path: Path) -> tuple[str, ...]:
    """Name an image of a layout; a tag alone is put behind the layout's own name."""
    for annotation in _NAMES:
        name = item.annotations.get(annotation, "")
        if not name:
            continue
        if "/" not in name and ":" not in name and path.name.strip("/"):
            name = f"{_stem(path)}:{name}"
        return (check_name(name),)
    return ()


def _stem(path: Path) -> str:
    name = path.resolve().name
    for suffix in (".tar", ".tar.gz", ".tgz", ".tar.zst", ".oci"):
        name = name.removesuffix(suffix)
    return name.lower()


# -- bringing one in -----------------------------------------------------------


def _is_for_us(config: ImageConfig) -> bool:
    return config.os == machine_system()


def _work_of(store: ImageStore, manifest: Manifest) -> int:
    """Estimate the bytes to be moved: each file is copied, and layers unpacked."""
    total = 0
    for file in (manifest.config, *manifest.layers):
        if not store.blobs.has(file.digest, file.size):
            total += 2 * file.size
    return total


def _load_image(  # noqa: PLR0913, PLR0917 - from where to where, and how
    store: ImageStore,
    source: Source,
    found: Found,
    manifest: Manifest,
    meter: _Meter,
    cancel: threading.Event | None,
) -> Image:
    config_data = read_document(source, found.files[manifest.config.digest])
    config = ImageConfig.parse(config_data)
    if len(config.diff_ids) != len(manifest.layers):
        raise invalid(
            f"The configuration has {len(config.diff_ids)} layers, the manifest "
            f"{len(manifest.layers)}."
        )
    for file in (manifest.config, *manifest.layers):
        _add(store, source, found, file, meter, cancel)
    if _is_for_us(config):
        for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
            _unpack(store, layer, diff_id, meter, cancel)
    digest = store.blobs.add_bytes(found.manifest)
    names = found.names or (digest,)

    def change(known: dict[str, str]) -> None:
        known.update(dict.fromkeys(names, digest))

    store.change_names(change)
    return Image(names=found.names, digest=digest, manifest=manifest, config=config)


def _add(  # noqa: PLR0913, PLR0917 - as above
    store: ImageStore,
    source: Source,
    found: Found,
    file: Descriptor,
    meter: _Meter,
    cancel: threading.Event | None,
) -> None:
    check_cancelled(cancel)
    if store.blobs.has(file.digest, file.size):
        return
    if shutil.disk_usage(store.root).free < file.size:
        raise OutOfSpaceError(
            message=f"There is no room for the {file.size} bytes of a layer in "
            f"'{store.root}'."
        )
    with source.open(found.files[file.digest]) as stream:
        store.blobs.add(
            file.digest, file.size, stream, progress=meter.add, cancel=cancel
        )


def _unpack(
    store: ImageStore,
    layer: Descriptor,
    diff_id: str,
    meter: _Meter,
    cancel: threading.Event | None,
) -> None:
    """
    Unpack a layer, unless that was done.

    Raises:
        InvalidDataError: It is another than the configuration says.
    """
    from hcsshim._native.growing import growing  # noqa: PLC0415 - as above
    from hcsshim.layers import extract_linux_layer  # noqa: PLC0415 - seldom needed

    folder = store.layer_folder(diff_id)
    if folder.is_dir():
        return
    folder.parent.mkdir(exist_ok=True)
    told = 0

    def progress(used: int, _total: int | None) -> None:
        nonlocal told
        meter.add(used - told)
        told = used

    try:
        with growing(folder) as partial:
            done = extract_linux_layer(
                store.blobs.path(layer.digest),
                partial / "Files",
                progress=progress,
                cancel=cancel,
            )
            if done.diff_id != diff_id:
                raise invalid(
                    f"The layer {layer.digest} unpacks to {done.diff_id}, but the "
                    f"configuration says {diff_id}."
                )
            (partial / ".hcsshim").mkdir()
    except AlreadyExistsError:
        if not folder.is_dir():
            raise  # somebody else has just unpacked it: that is as good
