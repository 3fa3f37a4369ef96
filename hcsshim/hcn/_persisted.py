"""
Which shim runs the machine of a guest's namespace: a record that shims leave.

It is a file of its own for each namespace, in the user's state folder.
"""

from __future__ import annotations

import json
from pathlib import Path

from hcsshim.errors import NotFoundError
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim.documents.hcn import PersistedNamespaceConfig

_PIPE = r"\\.\pipe\ProtectedPrefix\Administrators\runhcs-vm-"


def _path(namespace_id: str) -> Path:
    from hcsshim._native.host_process import state_folder  # noqa: PLC0415 - seldom

    folder = Path(state_folder()) / "namespaces"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = namespace_id.strip("{}").lower()
    if not name or set(name) - set("0123456789abcdef-"):
        raise ValueError(f"{namespace_id!r} is no id of a namespace")
    return folder / f"{name}.json"


def store(namespace_id: str, config: PersistedNamespaceConfig) -> None:
    """
    Leave the record of a namespace, in the place of an earlier one.

    Args:
        namespace_id: Of the namespace.
        config: Who runs its machine.
    """
    from hcsshim.documents import dumps  # noqa: PLC0415 - loads the models

    path = _path(namespace_id)
    new = path.with_suffix(".new")
    new.write_text(dumps(config), encoding="utf-8")
    new.replace(path)


def load(namespace_id: str) -> PersistedNamespaceConfig:
    """
    Read the record of a namespace.

    Raises:
        NotFoundError: There is none.
    """
    from hcsshim.documents import loads  # noqa: PLC0415 - loads the models
    from hcsshim.documents.hcn import PersistedNamespaceConfig  # noqa: PLC0415

    try:
        text = _path(namespace_id).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundError(
            HResult.ERROR_NOT_FOUND,
            "namespace",
            system_id=namespace_id,
            message=f"Nobody left a record of namespace {namespace_id}.",
        ) from None
    return loads(PersistedNamespaceConfig, text)


def remove(namespace_id: str) -> None:
    """Remove the record of a namespace, if there is one."""
    _path(namespace_id).unlink(missing_ok=True)


def sync(namespace_id: str) -> None:
    """
    Ask the shim that runs the machine of a namespace to bring it up to date.

    A record whose shim is gone is removed; no record needs nothing.

    Raises:
        OSError: The shim is there, and does not answer.
    """
    try:
        config = load(namespace_id)
    except NotFoundError:
        return
    pipe = f"{_PIPE}{config.host_unique_id}"
    try:
        stream = Path(pipe).open("r+b", buffering=0)  # noqa: SIM115 - closed below
    except FileNotFoundError:
        remove(namespace_id)
        return
    with stream:
        request = {"ID": config.container_id, "Op": "sync"}
        stream.write(json.dumps(request).encode())


def resources(document: str, kind: str) -> tuple[str, ...]:
    """List the ids of one kind of a namespace's resources."""
    found = json.loads(document).get("Resources") or ()
    ids = []
    for item in found:
        data = item.get("Data") or {}
        if item.get("Type") == kind:
            ids.append(str(data.get("Id") or data.get("ID") or ""))
    return tuple(ids)


def in_order(names: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """
    Give ids of endpoints in the order in which containers show them.

    Args:
        names: Id and name of each.

    Returns:
        The ids, those first whose name ends in ``eth0``.
    """
    first = [found for found, name in names if name.endswith("eth0")]
    return (*first, *(found for found, name in names if not name.endswith("eth0")))
