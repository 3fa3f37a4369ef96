"""A client of the program ``runhcs``, for those who run it rather than import it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim.oci.container_state import ContainerState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    StrPath: TypeAlias = str | os.PathLike[str]
    #: What a process's stdio may be connected to.
    Stream: TypeAlias = int | IO[bytes] | None

_PIPE = "\\\\.\\pipe\\"


class RunhcsError(OSError):
    """
    The program failed.

    Args:
        command: What it was to do.
        exit_code: Its exit code.
        text: What it said.
    """

    def __init__(self, command: str, exit_code: int, text: str) -> None:
        super().__init__(text or f"runhcs {command} ended with {exit_code}")
        self.command = command
        self.exit_code = exit_code


@attrs.frozen(kw_only=True)
class Runhcs:
    """
    Runs the program with the same global flags each time; ``None`` does not pass one.

    Args:
        root: Name, or folder, for the state of containers.
        owner: Whose the compute systems are.
        log: Where it logs.
        log_format: ``text`` or ``json``.
        debug: Whether it logs every detail.
        program: The command line of the program; by default it is looked for on
            ``PATH``, then beside this interpreter.
    """

    root: str | None = None
    owner: str | None = None
    log: StrPath | None = None
    log_format: str | None = None
    debug: bool = False
    program: Sequence[str] = attrs.field(factory=lambda: find_program())  # noqa: PLW0108 - it is below

    def create(  # noqa: PLR0913 - the flags of the command
        self,
        container_id: str,
        bundle: StrPath,
        *,
        pid_file: StrPath | None = None,
        shim_log: StrPath | None = None,
        vm_log: StrPath | None = None,
        vm_console: str | None = None,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.DEVNULL,
        stderr: Stream = subprocess.DEVNULL,
    ) -> None:
        """Create a container; its stdio becomes what is given here."""
        flags = _flags(
            bundle=_absolute(bundle),
            pid_file=_absolute(pid_file),
            shim_log=_absolute(shim_log),
            vm_log=_absolute(vm_log),
            vm_console=vm_console,
        )
        self._call("create", *flags, container_id, streams=(stdin, stdout, stderr))

    def create_scratch(
        self,
        path: StrPath,
        *,
        size_gb: int | None = None,
        cache_file: StrPath | None = None,
    ) -> None:
        """Make a disk for what Linux containers write."""
        flags = _flags(destpath=_absolute(path), cache_path=_absolute(cache_file))
        size = () if size_gb is None else ("--sizeGB", str(size_gb))
        self._call("create-scratch", *flags, *size)

    def delete(self, container_id: str, *, force: bool = False) -> None:
        """Delete a container."""
        self._call("delete", *(("--force",) if force else ()), container_id)

    def exec(  # noqa: PLR0913 - the flags of the command
        self,
        container_id: str,
        process_file: StrPath,
        *,
        detach: bool = False,
        pid_file: StrPath | None = None,
        shim_log: StrPath | None = None,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.DEVNULL,
        stderr: Stream = subprocess.DEVNULL,
    ) -> int:
        """
        Run the process of a ``process.json``, and give its exit code.

        What runhcs itself has to say goes to ``stderr``, too.
        """
        flags = _flags(
            process=_absolute(process_file),
            pid_file=_absolute(pid_file),
            shim_log=_absolute(shim_log),
        )
        detached = ("--detach",) if detach else ()
        command = [*self._command(), "exec", *detached, *flags, container_id]
        return subprocess.run(
            command, stdin=stdin, stdout=stdout, stderr=stderr, check=False
        ).returncode

    def kill(self, container_id: str, signal: str | int = "") -> None:
        """Send a signal to a container's first process."""
        self._call("kill", container_id, *((str(signal),) if signal else ()))

    def list(self) -> tuple[ContainerState, ...]:
        """Tell the state of every container."""
        states = json.loads(self._call("list", "--format", "json"))
        return tuple(ContainerState.from_json(state) for state in states or ())

    def pause(self, container_id: str) -> None:
        """Stop all processes of a container for a while."""
        self._call("pause", container_id)

    def resume(self, container_id: str) -> None:
        """Let the processes of a paused container go on."""
        self._call("resume", container_id)

    def ps(self, container_id: str) -> tuple[int, ...]:
        """List the ids of a container's processes."""
        pids = json.loads(self._call("ps", "--format", "json", container_id))
        return tuple(int(pid) for pid in pids or ())

    def resize_tty(
        self, container_id: str, width: int, height: int, *, pid: int | None = None
    ) -> None:
        """Give the terminal of a process another size."""
        which = () if pid is None else ("--pid", str(pid))
        self._call("resize-tty", *which, container_id, str(width), str(height))

    def start(self, container_id: str) -> None:
        """Start the process of a created container."""
        self._call("start", container_id)

    def state(self, container_id: str) -> ContainerState:
        """Tell the state of a container."""
        return ContainerState.from_json(json.loads(self._call("state", container_id)))

    def _command(self) -> Sequence[str]:
        flags = _flags(
            log=_absolute(self.log),
            log_format=self.log_format,
            owner=self.owner,
            root=self.root,
        )
        return [*self.program, *(("--debug",) if self.debug else ()), *flags]

    def _call(
        self, *arguments: str, streams: tuple[Stream, Stream, Stream] | None = None
    ) -> str:
        """
        Run a command to its end, and give what it wrote.

        Raises:
            RunhcsError: It failed; the text is its own, unless its streams are a
                container's.
        """
        own = streams is None
        stdin, stdout, stderr = streams or (
            subprocess.DEVNULL,
            subprocess.PIPE,
            subprocess.PIPE,
        )
        done = subprocess.run(
            [*self._command(), *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            check=False,
        )
        if done.returncode:
            text = done.stderr.decode("utf-8", "replace").strip() if own else ""
            raise RunhcsError(arguments[0], done.returncode, text)
        return done.stdout.decode() if own else ""


def find_program() -> tuple[str, ...]:
    """Find the program on ``PATH``, or beside this interpreter; else ask Python."""
    name = "runhcs.exe" if os.name == "nt" else "runhcs"
    found = shutil.which(name)
    if found is not None:
        return (os.path.abspath(found),)  # noqa: PTH100 - text stays text
    beside = Path(sys.executable).parent / name
    if beside.exists():
        return (str(beside),)
    return (sys.executable, "-m", "hcsshim.cli.runhcs")


def _flags(**values: str | None) -> list[str]:
    flags = []
    for name, value in values.items():
        if value:
            flags += [f"--{name.replace('_', '-')}", value]
    return flags


def _absolute(path: StrPath | None) -> str | None:
    """Pipes are no paths."""
    if not path or os.fspath(path).startswith(_PIPE):
        return None if not path else os.fspath(path)
    return os.path.abspath(path)  # noqa: PTH100 - text stays text
