"""
The processes that hold containers, and those of containers.

They are started by other commands, never by people.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import ExitStack, suppress
from threading import Thread
from typing import TYPE_CHECKING

import click

from hcsshim.cli.app import sentence
from hcsshim.cli.runhcs.app import runtime_of
from hcsshim.errors import HcsError
from hcsshim.oci import shim_link

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Listener

    from hcsshim import ComputeSystem
    from hcsshim.documents import ContainerCredentialGuardState
    from hcsshim.documents._document import JSON
    from hcsshim.oci.container_state import Record
    from hcsshim.oci.runtime import Runtime

_log = logging.getLogger(__name__)

#: Seconds that a Windows container has to shut down.
_SHUTDOWN_SECONDS = 300.0
_FAILED = 1


class Answer:
    """
    Tells whoever started us how it went, once.

    Args:
        status: Of the pipe to them.
    """

    def __init__(self, status: int) -> None:
        self._status: int | None = shim_link.take_shared(status)

    def send(self, text: bytes) -> None:
        """Tell it, unless it was told."""
        if self._status is not None:
            status, self._status = self._status, None
            with suppress(BrokenPipeError):
                shim_link.tell(status, text)


@click.command(hidden=True)
@click.option("--exec", "key", default="", help="Key of a process to be started.")
@click.option("--status", required=True, type=int, help="Whom to tell how it went.")
@click.option("--attached", is_flag=True, help="Our stdin is the container's alone.")
@click.option("--shim-log", default="", help="Where to log.")
@click.argument("container_id", metavar="ID")
@click.pass_context
def shim(  # noqa: PLR0913 - click gives every option as an argument
    ctx: click.Context,
    *,
    key: str,
    status: int,
    attached: bool,
    shim_log: str,
    container_id: str,
) -> int:
    """Hold a container, or a process of one, until it ends."""
    from hcsshim.cli.runhcs.log import open_log  # noqa: PLC0415 - next to its use

    runtime = runtime_of(ctx)
    answer = Answer(status)
    parameters = ctx.parent.params if ctx.parent else {}
    try:
        open_log(
            shim_log,
            str(parameters.get("log_format", "text")),
            debug=bool(parameters.get("debug")),
        )
        # A terminal's keys are somebody else's, unless they wait for us.
        stdin = attached or not os.isatty(0)
        if key:
            return _hold_process(runtime, container_id, key, answer, stdin=stdin)
        return _hold_container(runtime, container_id, answer, stdin=stdin)
    except (OSError, ValueError, LookupError) as error:
        _log.error("%s", sentence(error))
        answer.send(sentence(error).encode())
        return _FAILED


def _hold_container(
    runtime: Runtime, container_id: str, answer: Answer, *, stdin: bool
) -> int:
    from hcsshim import ComputeSystem, schema_version  # noqa: PLC0415 - lazily
    from hcsshim.oci.documents import container_text  # noqa: PLC0415 - as above
    from hcsshim.oci.locks import FileLock  # noqa: PLC0415 - as above
    from hcsshim.oci.runtime import ALIVE  # noqa: PLC0415 - as above

    folder = runtime.store.path(container_id)
    alive = FileLock(folder / ALIVE)
    if not alive.try_acquire():
        raise FileExistsError(f"container {container_id!r} has a shim already")
    record = runtime.record(container_id)
    schema = schema_version()
    with ExitStack() as stack:
        text = container_text(
            record.spec,
            container_id,
            owner=record.owner,
            schema=schema,
            credential_guard=_credential_guard(record, schema, stack),
        )
        system = stack.enter_context(ComputeSystem.create(container_id, text))
        listener = stack.enter_context(shim_link.listen(record.unique_id))
        answer.send(shim_link.READY)
        _log.info("container %r is created", container_id)
        return _serve(runtime, record, system, listener, stdin=stdin)


def _credential_guard(
    record: Record, schema: tuple[int, int], stack: ExitStack
) -> ContainerCredentialGuardState | None:
    """Let a Windows container use its account, until the stack is unwound."""
    from hcsshim import add_credential_guard, remove_credential_guard  # noqa: PLC0415
    from hcsshim.oci.windows import check_credentials, credential_spec  # noqa: PLC0415

    check_credentials(record.spec)
    text = credential_spec(record.spec)
    if not text or schema < (2, 1):  # older ones take it as it is
        return None
    guard = add_credential_guard(record.id, text).credential_guard
    stack.callback(remove_credential_guard, record.id)
    return guard


def _serve(
    runtime: Runtime,
    record: Record,
    system: ComputeSystem,
    listener: Listener,
    *,
    stdin: bool,
) -> int:
    """Wait until the container's process is to be started, or the container ends."""
    watcher = Thread(target=_wake_at_end, args=(system, record.unique_id), daemon=True)
    watcher.start()
    with listener.accept() as link:
        if link.recv_bytes() != shim_link.START:
            return _FAILED
        listener.close()
        exit_code = _run_container(runtime, record, system, link, stdin=stdin)
    watcher.join()
    return exit_code


def _wake_at_end(system: ComputeSystem, unique_id: str) -> None:
    with suppress(HcsError):
        system.wait()
    with suppress(OSError), shim_link.connect(unique_id) as link:
        link.send_bytes(shim_link.WAKE)


def _run_container(
    runtime: Runtime,
    record: Record,
    system: ComputeSystem,
    link: shim_link.Link,
    *,
    stdin: bool,
) -> int:
    from hcsshim.documents import to_dict  # noqa: PLC0415 - next to its use

    def started() -> None:
        link.send_bytes(shim_link.READY)
        link.close()
        _log.info("container %r is started", record.id)

    try:
        system.start()
        if record.spec.process is None:
            started()
            with suppress(HcsError):
                system.wait()
            return 0
        exit_code = run_process(
            runtime,
            record,
            system,
            to_dict(record.spec.process),
            started=started,
            stdin=stdin,
            console=stdin and sys.stdin.isatty(),
            first=True,
        )
    except (OSError, ValueError) as error:
        _log.error("%s", sentence(error))
        with suppress(OSError):
            link.send_bytes(sentence(error).encode())
        exit_code = _FAILED
    _end(record, system)
    _log.info("container %r has ended with %d", record.id, exit_code)
    return exit_code


def _end(record: Record, system: ComputeSystem) -> None:
    """End a container whose process has ended; Windows may shut down first."""
    from hcsshim.oci.kinds import is_linux  # noqa: PLC0415 - next to its use

    try:
        if not is_linux(record.spec):
            with suppress(HcsError):
                system.shutdown(timeout=_SHUTDOWN_SECONDS)
                system.wait(timeout=_SHUTDOWN_SECONDS)
                return
        system.terminate()
    except HcsError as error:  # it may have ended by itself
        _log.debug("%s", sentence(error))


def _hold_process(
    runtime: Runtime, container_id: str, key: str, answer: Answer, *, stdin: bool
) -> int:
    process = runtime.store.get(container_id, key)
    record, system = runtime.open_running(container_id)
    with system:
        return run_process(
            runtime,
            record,
            system,
            process,
            started=lambda: answer.send(shim_link.READY),
            stdin=stdin,
            console=False,
        )


def run_process(  # noqa: PLR0913 - what a process is run with
    runtime: Runtime,
    record: Record,
    system: ComputeSystem,
    process: JSON,
    *,
    started: Callable[[], None],
    stdin: bool,
    console: bool,
    first: bool = False,
) -> int:
    """
    Run a process of a container with our stdio, and give its exit code.

    Args:
        runtime: Remembers that we stand for it.
        record: Of its container.
        system: Of its container.
        process: Of a specification, as JSON values.
        started: Called when it runs.
        stdin: Whether to pass our stdin on.
        console: Whether that is a terminal, whose every key is the process's.
        first: Whether its end is the container's.
    """
    from hcsshim.cli.attach import attach, window_size  # noqa: PLC0415 - lazily
    from hcsshim.documents import from_dict  # noqa: PLC0415 - as above
    from hcsshim.oci.kinds import is_linux  # noqa: PLC0415 - as above
    from hcsshim.oci.processes import process_parameters  # noqa: PLC0415 - as above
    from hcsshim.oci.runtime import INIT_PID  # noqa: PLC0415 - as above
    from hcsshim.oci.spec import Process  # noqa: PLC0415 - as above

    spec = from_dict(Process, process)
    parameters = process_parameters(
        spec, linux=is_linux(record.spec), stdin=stdin, console_size=window_size()
    )
    with system.create_process(parameters) as running:
        if first:
            runtime.store.set(record.id, INIT_PID, running.pid)
        runtime.remember_process(record.id, os.getpid(), running)
        try:
            started()
            return attach(
                running,
                console=console and bool(spec.terminal),
                ended=(lambda: _end(record, system)) if first else None,
            )
        finally:
            runtime.forget_process(record.id, os.getpid())


@click.command(hidden=True)
@click.option("--os", "system", default="", help="The VM's system.")
@click.option("--log-pipe", default="", help="Where to log.")
@click.argument("pipe")
def vmshim(*, system: str, log_pipe: str, pipe: str) -> None:
    """Hold a utility VM until it ends; needs a hypervisor."""
    del system, log_pipe
    raise click.ClickException(f"no utility VM can be started for {pipe!r}")
