"""
Images of containers: a store of them, loaded from archives and run by name.

The names below are loaded when they are first used, so that importing the package
costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself takes longer to import than all of this
if TYPE_CHECKING:
    from hcsshim.images.store import (
        Descriptor,
        Image,
        ImageConfig,
        ImageStore,
        Manifest,
        data_folder,
    )

__all__ = [
    "Descriptor",
    "Image",
    "ImageConfig",
    "ImageStore",
    "Manifest",
    "data_folder",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only when it is used

    value: object = getattr(import_module(f"{__name__}.store"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
