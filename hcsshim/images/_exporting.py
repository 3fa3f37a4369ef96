"""Writing images out of a store: OCI layouts and Docker archives, as tars."""

from __future__ import annotations

import io
import json
import os
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hcsshim.errors import NotFoundError
from hcsshim.images._blobs import written
from hcsshim.images._documents import OCI_INDEX, OCI_MANIFEST, Descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from hcsshim.images.store import Image, ImageStore, Progress

_REF_NAME = "org.opencontainers.image.ref.name"


class _Tar:
    """
    A tar that is the same whenever it is written.

    Args:
        file: To write into.
        progress: Told the bytes of each step.
    """

    def __init__(self, file: IO[bytes], progress: Callable[[int], None]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - close()
        self._progress = progress
        self._folders: set[str] = set()

    def _info(self, name: str) -> tarfile.TarInfo:
        folder = name.rpartition("/")[0]
        if folder and folder not in self._folders:
            self._folders.add(folder)
            info = self._info(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            self._tar.addfile(info)
        info = tarfile.TarInfo(name)
        info.mode = 0o644
        return info

    def add(self, name: str, data: bytes) -> None:
        """Add a document."""
        info = self._info(name)
        info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data))
        self._progress(len(data))

    def add_file(self, name: str, path: Path) -> None:
        """
        Add a file.

        Raises:
            NotFoundError: It is not there.
        """
        info = self._info(name)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise NotFoundError(
                message=f"The image store lacks the file {path.name}."
            ) from None
        with file:
            info.size = os.fstat(file.fileno()).st_size
            self._tar.addfile(info, file)
        self._progress(info.size)

    def close(self) -> None:
        """Write the end."""
        self._tar.close()


def export(
    store: ImageStore,
    image: Image,
    target: str | os.PathLike[str] | IO[bytes],
    *,
    form: str,
    progress: Progress | None,
) -> None:
    """Write an image; see :meth:`ImageStore.export`."""
    done = 0
    total = image.size

    def count(step: int) -> None:
        nonlocal done
        done += step
        if progress is not None:
            progress(min(done, total), total)

    write = {"oci": _write_layout, "docker": _write_docker}[form]
    with _target(target) as file:
        tar = _Tar(file, count)
        write(store, image, tar)
        tar.close()


@contextmanager
def _target(target: str | os.PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    path = Path(target).absolute()
    if path.exists() and not path.is_file():  # a device, or a pipe
        with path.open("wb") as file:
            yield file
        return
    with written(path, path.parent) as file:
        yield file


def _name_of(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _write_layout(store: ImageStore, image: Image, tar: _Tar) -> None:
    manifest = store.blobs.read(image.digest)
    descriptors = [
        Descriptor(
            media_type=OCI_MANIFEST,
            digest=image.digest,
            size=len(manifest),
            annotations={_REF_NAME: name} if name else {},
        ).write()
        for name in image.names or ("",)
    ]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}
    tar.add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    tar.add("index.json", _compact(index))
    tar.add(_name_of(image.digest), manifest)
    for digest in _digests(image):
        tar.add_file(_name_of(digest), store.blobs.path(digest))


def _digests(image: Image) -> list[str]:
    """List the files of an image, each once."""
    files = (image.manifest.config, *image.manifest.layers)
    return list(dict.fromkeys(file.digest for file in files))


def _write_docker(store: ImageStore, image: Image, tar: _Tar) -> None:
    config = image.manifest.config.digest
    names = {
        digest: f"{digest.partition(':')[2]}{'.json' if digest == config else '.tar'}"
        for digest in _digests(image)
    }
    for digest, name in names.items():
        tar.add_file(name, store.blobs.path(digest))
    document = {
        "Config": names[config],
        "RepoTags": list(image.names),
        "Layers": [names[layer.digest] for layer in image.manifest.layers],
    }
    tar.add("manifest.json", _compact([document]))
