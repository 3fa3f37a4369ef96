"""Files that annotations name: device extensions and kernel drivers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hcsshim.documents import ContainerDefinitionDevice, DeviceExtension, loads
from hcsshim.oci import annotation_keys as keys
from hcsshim.oci.annotation_values import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The first build with device extensions.
EXTENSIONS_SINCE = 20348


def device_namespace(
    annotations: Mapping[str, str], build: int
) -> ContainerDefinitionDevice | None:
    """
    Read the device extensions that an annotation names.

    Args:
        annotations: Of the specification.
        build: Of the host.

    Raises:
        FileNotFoundError: One is not there.
        ValueError: The host is too old for them, or a file is none.
    """
    paths = _existing(annotations, keys.DEVICE_EXTENSIONS)
    if not paths:
        return None
    if build < EXTENSIONS_SINCE:
        raise ValueError(
            f"annotation {keys.DEVICE_EXTENSIONS!r} needs build {EXTENSIONS_SINCE}, "
            f"this is build {build}"
        )
    return ContainerDefinitionDevice(
        device_extension=tuple(
            loads(DeviceExtension, path.read_text("utf-8")) for path in paths
        )
    )


def kernel_drivers(annotations: Mapping[str, str]) -> tuple[Path, ...]:
    """
    Give the drivers that a utility VM is to install.

    Raises:
        FileNotFoundError: One is not there.
    """
    return _existing(annotations, keys.VIRTUAL_MACHINE_KERNEL_DRIVERS)


def _existing(annotations: Mapping[str, str], key: str) -> tuple[Path, ...]:
    paths = tuple(Path(text) for text in texts(annotations, key))
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"annotation {key!r}: {str(path)!r} is not there")
    return paths
