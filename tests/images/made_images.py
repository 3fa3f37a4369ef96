"""Images that the tests make themselves: layouts and archives of small layers."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import attrs
from programs import find_program

if TYPE_CHECKING:
    from pathlib import Path

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"


def sha256(data: bytes) -> str:
    """Give the digest of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar_of(files: dict[str, bytes | str | None]) -> bytes:
    """
    Make a tar: bytes are a file, a text a symbolic link, ``None`` a folder.
    """
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.mode = 0o755
            if content is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def busybox_files() -> dict[str, bytes | str | None]:
    """Give a root file system of one busybox."""
    with open(find_program("busybox"), "rb") as file:  # noqa: PTH123 - a text
        program = file.read()
    names = ("sh", "cat", "echo", "pwd", "id", "env", "ls", "rm", "sleep", "touch")
    links = {f"bin/{name}": "busybox" for name in names}
    return {
        "bin": None,
        "bin/busybox": program,
        **links,
        "etc": None,
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nworker:x:7:8::/:/bin/sh\n",
        "etc/group": b"root:x:0:\nstaff:x:8:\n",
        "kept": b"from the base\n",
        "gone": b"to be deleted\n",
        "srv": None,
    }


@attrs.define
class MadeImage:
    """
    An image: its layers' tars, the base first, and what its configuration says.
    """

    layers: list[bytes]
    config: dict[str, object] = attrs.field(factory=dict)
    system: str = "linux"
    architecture: str = "amd64"
    diff_ids: list[str] | None = None
    packed: bool = False
    blobs: dict[str, bytes] = attrs.field(factory=dict)

    def config_bytes(self) -> bytes:
        """Write its configuration."""
        diff_ids = self.diff_ids or [sha256(layer) for layer in self.layers]
        document = {
            "created": "2024-02-29T12:00:00Z",
            "os": self.system,
            "architecture": self.architecture,
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
        return json.dumps(document).encode()

    def add(self, data: bytes, media_type: str) -> dict[str, object]:
        """Add a file; give its descriptor."""
        self.blobs[sha256(data)] = data
        return {"mediaType": media_type, "digest": sha256(data), "size": len(data)}

    def manifest(self, **changes: object) -> dict[str, object]:
        """Add its manifest and all its files; give the manifest's descriptor."""
        layers = []
        for layer in self.layers:
            data = gzip.compress(layer, 1, mtime=0) if self.packed else layer
            suffix = "+gzip" if self.packed else ""
            layers.append(self.add(data, f"{OCI}.layer.v1.tar{suffix}"))
        document: dict[str, object] = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": self.add(self.config_bytes(), f"{OCI}.config.v1+json"),
            "layers": layers,
        }
        document.update(changes)
        return self.add(json.dumps(document).encode(), f"{OCI}.manifest.v1+json")


def named(descriptor: dict[str, object], name: str) -> dict[str, object]:
    """Name an image in an index."""
    return {
        **descriptor,
        "annotations": {"org.opencontainers.image.ref.name": name},
    }


def layout_files(
    blobs: dict[str, bytes], index: list[dict[str, object]]
) -> dict[str, bytes]:
    """Give the files of an OCI layout by name."""
    document = {"schemaVersion": 2, "manifests": index}
    files = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": json.dumps(document).encode(),
    }
    for digest, data in blobs.items():
        files[f"blobs/{digest.replace(':', '/')}"] = data
    return files


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    """Write files into a tar."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload] # any mode
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def layout(image: MadeImage, name: str = "made:1") -> dict[str, bytes]:
    """Give the files of a layout with one image."""
    index = [named(image.manifest(), name)]
    return layout_files(image.blobs, index)


def docker_files(image: MadeImage, *names: str) -> dict[str, bytes]:
    """Give the files of a Docker archive with one image."""
    config = image.config_bytes()
    config_name = f"{sha256(config)[7:]}.json"
    layers = [f"{sha256(layer)[7:]}/layer.tar" for layer in image.layers]
    document = [{"Config": config_name, "RepoTags": list(names), "Layers": layers}]
    files = dict(zip(layers, image.layers, strict=True))
    files[config_name] = config
    files["manifest.json"] = json.dumps(document).encode()
    return files
