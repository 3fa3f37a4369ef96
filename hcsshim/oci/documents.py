"""Whole create documents, of whatever kind of container a specification describes."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import attrs

from hcsshim.documents import dumps
from hcsshim.documents._document import Extra
from hcsshim.errors import NotSupportedError
from hcsshim.hcs._schema import V2_1
from hcsshim.hresult import HResult
from hcsshim.oci.kinds import is_isolated, is_linux
from hcsshim.oci.linux import linux_container, unsupported
from hcsshim.oci.windows import WindowsOptions, windows_container

if TYPE_CHECKING:
    from hcsshim.documents import ContainerCredentialGuardState
    from hcsshim.hcs._container import ContainerConfig
    from hcsshim.hcs._schema import Schema
    from hcsshim.oci.spec import Spec

_log = logging.getLogger(__name__)


def container(
    spec: Spec,
    container_id: str,
    *,
    owner: str = "hcsshim",
    schema: Schema = V2_1,
    credential_guard: ContainerCredentialGuardState | None = None,
) -> ContainerConfig:
    """
    Describe the container of a specification, for a host that runs it itself.

    Args:
        spec: With absolute paths, as ``read_bundle`` gives it.
        container_id: Its id.
        owner: Whose it is.
        schema: As ``schema_version()`` chose it.
        credential_guard: What the credential guard answered for its account.

    Raises:
        NotSupportedError: It has to run in a utility VM.
        ValueError: The specification contradicts itself, or wants what the host has
            not; the text names the member.
    """
    if is_linux(spec) and runs_linux():
        for clause in unsupported(spec):
            _log.warning("container %r: %s", container_id, clause)
        return attrs.evolve(linux_container(spec), owner=owner)
    if is_isolated(spec) and schema >= V2_1:
        raise NotSupportedError(
            HResult.ERROR_NOT_SUPPORTED,
            "HcsCreateComputeSystem",
            system_id=container_id,
            message="The container has to run in a utility VM, and none was given.",
        )
    options = WindowsOptions(
        owner=owner, schema=schema, credential_guard=credential_guard
    )
    return windows_container(spec, container_id, options)


def container_text(
    spec: Spec,
    container_id: str,
    *,
    owner: str = "hcsshim",
    schema: Schema = V2_1,
    credential_guard: ContainerCredentialGuardState | None = None,
) -> str:
    """
    Write the whole document of :func:`container`.

    A Linux container writes in the specification's own root, or not at all. HCS has
    no way to say that, for its Linux containers are in utility VMs; a member for the
    embedded host says it.

    Raises:
        NotSupportedError: As :func:`container`.
        ValueError: As :func:`container`.
    """
    config = container(
        spec,
        container_id,
        owner=owner,
        schema=schema,
        credential_guard=credential_guard,
    )
    if not is_linux(spec):
        return dumps(config.document(schema, container_id))
    document = config.document(V2_1, container_id)
    read_only = spec.root is not None and bool(spec.root.readonly)
    extension = {"Root": "ReadOnly" if read_only else "InPlace"}
    return dumps(attrs.evolve(document, extra=Extra({"EmbeddedHost": extension})))


def runs_linux() -> bool:
    """Tell whether this machine can run Linux containers without a utility VM."""
    return os.name == "posix"
