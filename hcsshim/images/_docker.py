"""
Docker archives: what ``docker save`` writes.

They have no manifest, so one is made: the layers are named by the digests that the
configuration gives them, since they are not compressed.

Source:
    "Docker Image Specification v1.2".
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from hcsshim.images._archives import read_document
from hcsshim.images._documents import (
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    ImageConfig,
    Reader,
    invalid,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from hcsshim.images._archives import Source

_STEP = 1 << 20
_CONFIG_NAME = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MOST_IMAGES = 1000


def docker_images(
    source: Source,
) -> Iterator[tuple[tuple[str, ...], bytes, dict[str, str]]]:
    """
    List the images of an archive.

    Yields:
        Its names, its manifest, and the names of its files in the archive by digest.

    Raises:
        InvalidDataError: The archive is malformed.
    """
    data = read_document(source, "manifest.json")
    images = Reader.parse(b'{"images":' + data + b"}", "manifest.json").children(
        "images"
    )
    if len(images) > _MOST_IMAGES:
        raise invalid(f"manifest.json has more than {_MOST_IMAGES} images.")
    for image in images:
        manifest, files = _manifest_of(source, image)
        yield image.texts("RepoTags"), manifest, files


def _manifest_of(source: Source, image: Reader) -> tuple[bytes, dict[str, str]]:
    config_name = image.text("Config")
    config = read_document(source, config_name)
    digest = hashlib.sha256(config).hexdigest()
    named = _CONFIG_NAME.fullmatch(config_name)
    if named is not None and named[1] != digest:
        raise invalid(f"The configuration {config_name!r} is not what it is named.")
    layers = image.texts("Layers")
    diff_ids = ImageConfig.parse(config).diff_ids
    if len(layers) != len(diff_ids):
        raise invalid(
            f"manifest.json has {len(layers)} layers, the configuration "
            f"{len(diff_ids)}."
        )
    files = {f"sha256:{digest}": config_name}
    descriptors = []
    for name, diff_id in zip(layers, diff_ids, strict=True):
        layer_digest, size, suffix = _measure(source, name)
        if not suffix and layer_digest != diff_id:
            raise invalid(
                f"The layer {name!r} is {layer_digest}, but the configuration says "
                f"{diff_id}."
            )
        files[layer_digest] = name
        descriptors.append(
            {
                "mediaType": OCI_LAYER + suffix,
                "digest": layer_digest,
                "size": size,
            }
        )
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": OCI_CONFIG,
            "digest": f"sha256:{digest}",
            "size": len(config),
        },
        "layers": descriptors,
    }
    return json.dumps(manifest, separators=(",", ":")).encode(), files


def _measure(source: Source, name: str) -> tuple[str, int, str]:
    """Give the digest and the size of a layer, and what its type says of packing."""
    sums = hashlib.sha256()
    size = 0
    with source.open(name) as file:
        first = _read_some(file)
        data = first
        while data:
            sums.update(data)
            size += len(data)
            data = file.read(_STEP)
    suffix = ""
    if first.startswith(_GZIP):
        suffix = "+gzip"
    elif first.startswith(_ZSTD):
        suffix = "+zstd"
    return f"sha256:{sums.hexdigest()}", size, suffix


def _read_some(file: IO[bytes]) -> bytes:
    data = b""
    while len(data) < len(_ZSTD):
        piece = file.read(_STEP)
        if not piece:
            break
        data += piece
    return data
