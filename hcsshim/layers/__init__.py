"""
Layers of images: their tars, and the folders that they become.

The names below are loaded when they are first used, so that importing the package
costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself takes longer to import than all of this
if TYPE_CHECKING:
    from hcsshim.layers.importing import (
        LayerImport,
        extract_linux_layer,
        import_tar,
    )

#: In which module each public name is.
_MODULES = {
    "LayerImport": "importing",
    "extract_linux_layer": "importing",
    "import_tar": "importing",
}

__all__ = [
    "LayerImport",
    "extract_linux_layer",
    "import_tar",
]


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only when it is used

    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
