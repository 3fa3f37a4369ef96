# Made by async_to_sync.py of hcsshim/hcs/_async_run.py; do not edit.
"""Run one command in a system of its own, blocking."""

from __future__ import annotations

from contextlib import suppress

from hcsshim.errors import HcsError
from hcsshim.hcs._completed import CompletedProcess
from hcsshim.hcs._system import ComputeSystem
from hcsshim.hcs._system_steps import discard
from hcsshim.hcs._timeouts import DEFAULT, Deadline

#: How long a failed run waits for its system to be gone, before it tells.
END_SECONDS = 10.0

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from hcsshim._native.port import Service
    from hcsshim.documents import Layer
    from hcsshim.hcs._calls import DocumentLike
    from hcsshim.hcs._container import Mount
    from hcsshim.hcs._parameters import Command


def run(  # noqa: PLR0913 - what a command and its container can be given
    args: Command,
    *,
    input: bytes | None = None,  # noqa: A002 - the name of subprocess.run
    capture_output: bool = False,
    timeout: float | None = None,
    check: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    user: str | None = None,
    layers: Sequence[str | os.PathLike[str] | Layer] = (),
    scratch: str | os.PathLike[str] | None = None,
    mounts: Sequence[Mount] = (),
    hostname: str | None = None,
    memory_in_mb: int | None = None,
    cpus: float | None = None,
    document: DocumentLike | None = None,
    system_id: str | None = None,
    service: Service | None = None,
) -> CompletedProcess:
    """
    Run a command in a compute system made for it, and remove the system.

    Like ``subprocess.run``: without ``capture_output`` the command writes where this
    process does; without ``input`` it has no stdin. However this ends, nothing is
    left running.

    Args:
        args: The arguments, first the command; or one command line.
        input: What it reads.
        capture_output: Whether to collect what it writes.
        timeout: Seconds for all of it, ``None`` forever.
        check: Whether an exit code other than 0 raises.
        env: Environment variables, beside those of the system.
        cwd: Working directory inside the system.
        user: Who runs it.
        layers: Directories of the file system, topmost first; with none the
            provider's base is used.
        scratch: Directory for what it writes.
        mounts: Directories of the host that it sees: ``(source, target)`` or
            ``(source, target, read_only)``.
        hostname: The system's host name.
        memory_in_mb: Limit of its memory.
        cpus: How many processors' worth of time it may use.
        document: A whole document, instead of everything from ``layers`` on.
        system_id: The system's id; by default a new one.
        service: Where; by default the process's shared connection.

    Returns:
        Exit code and output.

    Raises:
        HcsTimeoutError: It was not done in time; the error has the output so far.
        ProcessFailedError: ``check`` is true and the exit code is not 0.
        NotFoundError: The command, or a layer, does not exist.
        TypeError: ``document`` comes together with what would be in it.
    """
    described = (layers, scratch, mounts, hostname, memory_in_mb, cpus)
    if document is None:
        from hcsshim.hcs._container import (  # noqa: PLC0415 - needs attrs
            container_document,
        )

        document = container_document(
            layers=layers,
            scratch=scratch,
            mounts=mounts,
            hostname=hostname,
            memory_in_mb=memory_in_mb,
            cpus=cpus,
        )
    elif any(value not in (None, ()) for value in described):
        raise TypeError("layers and the like belong in the document")
    deadline = Deadline(timeout)
    name = new_id() if system_id is None else system_id
    system = ComputeSystem.create(
        name, document, timeout=deadline.left(DEFAULT), service=service
    )
    try:
        system.start(timeout=deadline.left(DEFAULT))
        process = system.create_process(
            args,
            env=env,
            cwd=cwd,
            user=user,
            stdin=input is not None,
            timeout=deadline.left(DEFAULT),
        )
        with process:
            process._exchange_all(  # noqa: SLF001 - the two are one face
                input, deadline.left(), pass_on=not capture_output
            )
            returncode = process.wait(deadline.left())
            output = process.communicate() if capture_output else (None, None)
        system.terminate(timeout=deadline.left(DEFAULT))
    except Exception:
        with suppress(HcsError):  # what went wrong before is what the caller is told
            system.terminate(timeout=END_SECONDS)
        discard(system._system)  # noqa: SLF001 - the two are one face
        raise
    except BaseException:  # cancelled, or interrupted: nobody waits any more
        discard(system._system)  # noqa: SLF001 - the two are one face
        raise
    system.close()
    completed = CompletedProcess(
        args, returncode, stdout=output[0], stderr=output[1], system_id=name
    )
    if check:
        completed.check_returncode()
    return completed


def new_id() -> str:
    """Make an id for a system that nobody gave one."""
    from uuid import uuid4  # noqa: PLC0415 - keeps the import light

    return str(uuid4())
