"""Bundles: folders with a ``config.json`` and, usually, a root file system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from hcsshim.documents import DocumentError, loads
from hcsshim.oci.spec import Process, Spec

if TYPE_CHECKING:
    from typing import TypeVar

    D = TypeVar("D", Process, Spec)

CONFIG = "config.json"


def read_bundle(folder: str | os.PathLike[str]) -> Spec:
    """
    Read a bundle's specification, and make its paths absolute.

    Args:
        folder: The bundle.

    Raises:
        FileNotFoundError: There is no ``config.json``.
        ValueError: It is not a specification, or contradicts itself.
    """
    bundle = Path(folder).absolute()
    spec = _read(Spec, bundle / CONFIG)
    check_spec(spec)
    return with_absolute_paths(spec, bundle)


def read_process(file: str | os.PathLike[str]) -> Process:
    """
    Read a process to be started in a container: ``process.json``.

    Raises:
        FileNotFoundError: The file is not there.
        ValueError: It is not a process, or has no working directory or arguments.
    """
    process = _read(Process, Path(file))
    check_process(process)
    return process


def _read(cls: type[D], path: Path) -> D:
    try:
        return loads(cls, path.read_text("utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{str(path)!r} is not there") from None
    except (DocumentError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None


def check_spec(spec: Spec) -> None:
    """
    Refuse what no runtime can run.

    Raises:
        ValueError: The text names the member.
    """
    major = (spec.oci_version or "").partition(".")[0]
    if major != "1":
        raise ValueError(f"ociVersion: expected 1.x, got {spec.oci_version!r}")
    if spec.linux is None and spec.windows is None:
        raise ValueError("expected a section 'linux' or 'windows'")
    if spec.process is not None:
        check_process(spec.process)


def check_process(process: Process) -> None:
    """
    Refuse a process without a working directory or arguments.

    Raises:
        ValueError: The text names the member.
    """
    cwd = process.cwd or ""
    if not (cwd.startswith(("/", "\\")) or cwd[1:3] in (":\\", ":/")):
        raise ValueError(f"process.cwd: expected an absolute path, got {cwd!r}")
    if not process.args and not process.command_line:
        raise ValueError("process.args: expected the program")


def with_absolute_paths(spec: Spec, bundle: Path) -> Spec:
    """Take relative paths of the root, the layers and bind mounts from the bundle."""
    root, windows = spec.root, spec.windows
    if root is not None and root.path:
        root = attrs.evolve(root, path=_absolute(root.path, bundle))
    if windows is not None and windows.layer_folders:
        folders = tuple(_absolute(path, bundle) for path in windows.layer_folders)
        windows = attrs.evolve(windows, layer_folders=folders)
    mounts = tuple(
        attrs.evolve(mount, source=_absolute(mount.source, bundle))
        if mount.source and is_bind(mount.type, mount.options)
        else mount
        for mount in spec.mounts
    )
    return attrs.evolve(spec, root=root, windows=windows, mounts=mounts)


def is_bind(kind: str | None, options: tuple[str, ...]) -> bool:
    """Tell whether a mount shows something of the host."""
    return kind == "bind" or "bind" in options or "rbind" in options


def _absolute(path: str, bundle: Path) -> str:
    if path.startswith("\\\\") or path[1:3] in (":\\", ":/") or "://" in path:
        return path
    return os.path.normpath(bundle / path)
