"""Changing load balancers and routes, also where the service cannot."""

from __future__ import annotations

import json

from hcsshim.hcn import _features as features
from hcsshim.hcn import _steps as steps
from hcsshim.hcn._version_steps import version

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim.hcn._handles import ObjectHandle
    from hcsshim.hcs._drivers import Step

_READ_ONLY = ("Health", "State", "ID")


def replace(
    handle: ObjectHandle, document: str, timeout: float | None
) -> Step[ObjectHandle]:
    """
    Replace an object by another document.

    Returns:
        Its handle: the same one, or a new one if it had to be made again.

    Raises:
        InvalidDataError: The document is not valid. Where the object has to be made
            again it is gone then.
    """
    present = yield from version(handle.service, timeout)
    changeable = handle.kind == "LoadBalancer"
    if changeable and features.is_supported(present, "ModifyLoadbalancer"):
        yield from steps.modify(handle, document, timeout)
        return handle
    service, kind, object_id = handle.service, handle.kind, handle.object_id
    yield from steps.delete(service, kind, object_id, timeout)
    handle.close()
    return (yield from steps.create(service, kind, object_id, document, timeout))


def change(
    handle: ObjectHandle,
    timeout: float | None,
    *,
    add: str | None = None,
    remove: str | None = None,
) -> Step[ObjectHandle]:
    """
    Add an endpoint to an object, or remove one.

    Returns:
        Its handle, as :func:`replace` gives it.
    """
    text = yield from steps.query(handle, timeout)
    document = json.loads(text)
    for name in _READ_ONLY:
        document.pop(name, None)
    present = list(document.get("HostComputeEndpoints") or ())
    if remove is not None:
        present = [found for found in present if found.lower() != remove.lower()]
    if add is not None and add.lower() not in (found.lower() for found in present):
        present.append(add)
    document["HostComputeEndpoints"] = present
    return (yield from replace(handle, json.dumps(document), timeout))
