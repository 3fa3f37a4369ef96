"""
The documents of images: indexes, manifests, configurations.

They come from strangers: every value is checked before it is used.

Source:
    The OCI image specification, and the manifests of Docker, which differ in names.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias

import attrs

from hcsshim.errors import InvalidDataError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

#: The largest manifest, index or configuration that is read.
LARGEST_DOCUMENT = 4 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LARGEST_BLOB = 1 << 50

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
_INDEXES = (OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = (OCI_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
_CONFIGS = (OCI_CONFIG, "application/vnd.docker.container.image.v1+json")
_LAYER = re.compile(
    r"application/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+(gzip|zstd))?"
    r"|application/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.(gzip|zstd))?"
)


def invalid(message: str) -> InvalidDataError:
    """Make the error for an image that is not what it should be."""
    return InvalidDataError(message=message)


def check_digest(digest: object, what: str) -> str:
    """
    Check the form of a digest, which names a file then.

    Raises:
        InvalidDataError: It is none.
    """
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise invalid(f"{what} has the digest {digest!r}, which is none.")
    return digest


class Reader:
    """
    An object of a document, and where it stands, for error texts.

    Args:
        value: As decoded.
        where: ``"the manifest"``.
    """

    def __init__(self, value: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise invalid(f"{where} is no JSON object.")
        self._members = value
        self._where = where

    @classmethod
    def parse(cls, data: bytes, where: str) -> Reader:
        """
        Read the bytes of a document.

        Raises:
            InvalidDataError: They are not the JSON of an object.
        """
        try:
            return cls(json.loads(data), where)
        except (ValueError, RecursionError) as error:
            if isinstance(error, InvalidDataError):
                raise
            raise invalid(f"{where} is no JSON document: {error}.") from None

    def _refuse(self, name: str, wanted: str) -> InvalidDataError:
        return invalid(f"{name!r} of {self._where} is not {wanted}.")

    def text(self, name: str, default: str | None = None) -> str:
        """Give a text; it must be there unless there is a default."""
        value = self._members.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or "\0" in value:
            raise self._refuse(name, "a text")
        return value

    def number(self, name: str) -> int:
        """Give a size."""
        value = self._members.get(name)
        if type(value) is not int or not 0 <= value <= _LARGEST_BLOB:
            raise self._refuse(name, "a size")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts; empty if it is missing."""
        found = []
        for item in self._list(name):
            if not isinstance(item, str) or "\0" in item:
                raise self._refuse(name, "a list of texts")
            found.append(item)
        return tuple(found)

    def table(self, name: str) -> dict[str, str]:
        """Give an object whose values are texts; empty if it is missing."""
        value = self._members.get(name) or {}
        if not isinstance(value, dict):
            raise self._refuse(name, "an object of texts")
        table = {}
        for key, item in value.items():
            if not isinstance(item, str):
                raise self._refuse(name, "an object of texts")
            table[key] = item
        return table

    def child(self, name: str) -> Reader:
        """Give an object within; an empty one if it is missing."""
        return Reader(self._members.get(name) or {}, f"{name!r} of {self._where}")

    def children(self, name: str) -> list[Reader]:
        """Give a list of objects within; empty if it is missing."""
        where = f"an item of {name!r} of {self._where}"
        return [Reader(item, where) for item in self._list(name)]

    def _list(self, name: str) -> list[Json]:
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._refuse(name, "a list")
        return value


@attrs.frozen(kw_only=True)
class Descriptor:
    """
    What a document says of a file that belongs to it.

    Attributes:
        media_type: What the file is.
        digest: Of its bytes: ``"sha256:..."``.
        size: In bytes.
        annotations: Free texts.
        platform: ``"linux/amd64"``, or ``""`` if it says none.
    """

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = attrs.field(factory=dict)
    platform: str = ""

    @classmethod
    def read(cls, reader: Reader, what: str) -> Descriptor:
        """
        Read one.

        Raises:
            InvalidDataError: It is malformed.
        """
        platform = reader.child("platform")
        system = platform.text("os", "")
        return cls(
            media_type=reader.text("mediaType", ""),
            digest=check_digest(reader.text("digest"), what),
            size=reader.number("size"),
            annotations=reader.table("annotations"),
            platform=f"{system}/{platform.text('architecture', '')}" if system else "",
        )

    @property
    def is_index(self) -> bool:
        """Whether it stands for several images."""
        return self.media_type in _INDEXES

    @property
    def is_manifest(self) -> bool:
        """Whether it stands for one image."""
        return self.media_type in _MANIFESTS

    def write(self) -> dict[str, object]:
        """Give it as JSON has it."""
        document: dict[str, object] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        return document


@attrs.frozen(kw_only=True)
class Manifest:
    """
    Which files an image has.

    Attributes:
        config: Of its configuration.
        layers: The base first.
    """

    config: Descriptor
    layers: tuple[Descriptor, ...]

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """
        Read one.

        Raises:
            InvalidDataError: It is malformed.
            NotSupportedError: It is of a kind that is no image of files.
        """
        reader = Reader.parse(data, "the manifest")
        config = Descriptor.read(reader.child("config"), "the configuration")
        if config.media_type not in _CONFIGS:
            raise NotSupportedError(
                message=f"This is no image of a container: its configuration is a "
                f"{config.media_type!r}."
            )
        layers = tuple(
            Descriptor.read(item, "a layer") for item in reader.children("layers")
        )
        for layer in layers:
            if not _LAYER.fullmatch(layer.media_type):
                raise NotSupportedError(
                    message=f"A layer is a {layer.media_type!r}, which is no tar that "
                    "can be unpacked."
                )
        return cls(config=config, layers=layers)


@attrs.frozen(kw_only=True)
class ImageConfig:
    """
    How an image wants to be run, and what its layers are.

    Attributes:
        os: ``"linux"`` or ``"windows"``.
        architecture: ``"amd64"``.
        diff_ids: Digests of the layers' uncompressed tars, the base first.
        created: When, as it says.
        user: Who runs the command: ``"name"``, ``"uid:gid"``; empty for root.
        env: ``"NAME=VALUE"``, in order.
        entrypoint: What a command is given to.
        cmd: The command if nobody gives one.
        working_dir: Where it starts.
        labels: Free texts.
    """

    os: str
    architecture: str
    diff_ids: tuple[str, ...]
    created: str = ""
    user: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    labels: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def parse(cls, data: bytes) -> ImageConfig:
        """
        Read one.

        Raises:
            InvalidDataError: It is malformed.
        """
        reader = Reader.parse(data, "the configuration")
        config = reader.child("config")
        return cls(
            os=reader.text("os"),
            architecture=reader.text("architecture", ""),
            diff_ids=tuple(
                check_digest(digest, "a layer in the configuration")
                for digest in reader.child("rootfs").texts("diff_ids")
            ),
            created=reader.text("created", ""),
            user=config.text("User", ""),
            env=config.texts("Env"),
            entrypoint=config.texts("Entrypoint"),
            cmd=config.texts("Cmd"),
            working_dir=config.text("WorkingDir", ""),
            labels=config.table("Labels"),
        )

    @property
    def platform(self) -> str:
        """What it runs on: ``"linux/amd64"``."""
        return f"{self.os}/{self.architecture}" if self.architecture else self.os

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes."""
        pairs = (variable.partition("=") for variable in self.env)
        return {name: value for name, equals, value in pairs if equals and name}


def parse_index(data: bytes, where: str) -> list[Descriptor]:
    """
    Read which images an index has.

    Raises:
        InvalidDataError: It is malformed.
    """
    reader = Reader.parse(data, where)
    return [
        Descriptor.read(item, f"an image of {where}")
        for item in reader.children("manifests")
    ]
