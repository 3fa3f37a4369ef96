"""Whole create documents, of whatever kind of container a specification describes."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import attrs

from hcsshim.documents import dumps
from hcsshim.errors import NotSupportedError
from hcsshim.hcs._schema import V2_1
from hcsshim.hresult import HResult
from hcsshim.oci.kinds import is_isolated, is_linux
from hcsshim.oci.linux import linux_container, unsupported
from hcsshim.oci.windows import WindowsOptions, windows_container

if TYPE_CHECKING:
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
    scratch: str | None = None,
) -> ContainerConfig:
    """
    Describe the container of a specification, for a host that runs it itself.

    Args:
        spec: With absolute paths, as ``read_bundle`` gives it.
        container_id: Its id.
        owner: Whose it is.
        schema: As ``schema_version()`` chose it.
        scratch: Folder that takes what a Linux container writes.

    Raises:
        NotSupportedError: It has to run in a utility VM.
        ValueError: The specification contradicts itself, or wants what the host has
            not; the text names the member.
    """
    if is_linux(spec) and runs_linux():
        for clause in unsupported(spec):
            _log.warning("container %r: %s", container_id, clause)
        return attrs.evolve(linux_container(spec, scratch=scratch), owner=owner)
    if is_isolated(spec) and schema >= V2_1:
        raise NotSupportedError(
            HResult.ERROR_NOT_SUPPORTED,
            "HcsCreateComputeSystem",
            system_id=container_id,
            message="The container has to run in a utility VM, and none was given.",
        )
    options = WindowsOptions(owner=owner, schema=schema)
    return windows_container(spec, container_id, options)


def container_text(config: ContainerConfig, container_id: str, schema: Schema) -> str:
    """Write the document, its types checked."""
    return dumps(config.document(schema, container_id))


def runs_linux() -> bool:
    """Tell whether this machine can run Linux containers without a utility VM."""
    return os.name == "posix"
