"""
An OCI runtime's verbs: create, start, state, kill, delete, and what goes with them.

A container outlives the command that made it. It is held by a process of its own, the
shim, which has the command's stdio, starts the first process when told to, and ends as
that process does; its process id is the container's. When the shim dies, whyever, the
service ends the container.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import attrs

from hcsshim.errors import HcsError, InvalidStateError, NotFoundError, ProcessGoneError
from hcsshim.hcs._system import ComputeSystem
from hcsshim.oci.bundle import read_bundle
from hcsshim.oci.container_state import ContainerState, Record, Status
from hcsshim.oci.kinds import any_pod_role, is_linux
from hcsshim.oci.locks import FileLock, is_held
from hcsshim.oci.shim_link import Shim, send_start, start_shim
from hcsshim.oci.signals import KILL, linux_signal, windows_signal
from hcsshim.oci.state_store import NoContainerError, NoStateError, StateStore

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from hcsshim.documents._document import JSON
    from hcsshim.hcs._process import Process
    from hcsshim.oci.spec import Spec

STATE = "state"
SHIM_PID = "shim"
INIT_PID = "pid"
#: Held by the shim as long as it lives.
ALIVE = "alive"

_END_SECONDS = 60.0

_STATES = {
    "": Status.CREATED,
    "Created": Status.CREATED,
    "Running": Status.RUNNING,
    "Paused": Status.PAUSED,
    "Stopped": Status.STOPPED,
}


class WrongStatusError(ValueError):
    """
    A container is not in the part of its life that a verb is for.

    Args:
        problem: A sentence.
        status: Where it is instead.
    """

    def __init__(self, problem: str, status: Status) -> None:
        super().__init__(problem)
        self.status = status


class Runtime:
    """
    The containers of one root.

    Args:
        root: A name, or a folder; containers of other roots are not seen.
        owner: Whose the compute systems are.
        shim_options: Arguments for the shims, before their own: where they log.
    """

    def __init__(
        self,
        root: str = "default",
        *,
        owner: str = "runhcs",
        shim_options: Sequence[str] = (),
    ) -> None:
        self.store = StateStore(root)
        self.owner = owner
        self._shim_options = ("--root", root, "--owner", owner, *shim_options)

    def create(
        self,
        container_id: str,
        bundle: str | os.PathLike[str],
        *,
        attached: bool = False,
        log: str = "",
    ) -> Shim:
        """
        Create a container from a bundle; its process is not started.

        The shim inherits this process's stdio, which becomes the container's.

        Args:
            container_id: Unique in the root, and among compute systems.
            bundle: Folder with ``config.json``.
            attached: Our stdin is for the container alone, also if it is a terminal.
            log: Where its shim logs; empty for nowhere.

        Returns:
            The process that holds it.

        Raises:
            FileExistsError: The id is taken.
            FileNotFoundError: The bundle is none.
            ValueError: Its specification cannot be run.
            HcsError: The service refused it; nothing of it is left.
        """
        spec = read_bundle(bundle)
        record = Record(
            id=container_id,
            owner=self.owner,
            bundle=_text(bundle),
            spec=spec,
            created=dt.datetime.now(dt.timezone.utc),
            unique_id=str(uuid4()),
            sandbox_id=self._sandbox(container_id, spec),
        )
        self.store.create(container_id, STATE, record.as_json())
        try:
            shim = start_shim(self._shim(log, attached=attached), container_id)
            self.store.set(container_id, SHIM_PID, shim.pid)
        except BaseException:
            self._forget(container_id)
            raise
        return shim

    def _sandbox(self, container_id: str, spec: Spec) -> str:
        """Check a container's place in a pod, and give the pod's sandbox."""
        role = any_pod_role(spec.annotations)
        if role.type.value == "sandbox" and role.sandbox_id != container_id:
            raise ValueError(
                f"the sandbox {role.sandbox_id!r} must be the container itself"
            )
        if role.type.value == "container" and role.sandbox_id:
            sandbox = self.record(role.sandbox_id)
            if sandbox.sandbox_id != role.sandbox_id:
                raise ValueError(f"container {role.sandbox_id!r} is not a sandbox")
        return role.sandbox_id

    def start(self, container_id: str) -> None:
        """
        Start a created container's process.

        Raises:
            WrongStatusError: It was started before.
            ChildProcessError: The process could not be started; the container stops.
        """
        with self.store.locked(container_id):
            status = self.status(container_id)
            if status is not Status.CREATED:
                raise WrongStatusError(
                    f"cannot start container {container_id!r}: it is {status.value}",
                    status,
                )
            send_start(self.record(container_id).unique_id)

    def record(self, container_id: str) -> Record:
        """
        Give what is remembered of a container.

        Raises:
            NoContainerError: Nothing is.
        """
        return Record.from_json(self.store.get(container_id, STATE))

    def status(self, container_id: str) -> Status:
        """
        Tell where a container is in its life.

        Raises:
            NoContainerError: It is not known.
        """
        folder = self.store.path(container_id)
        if not folder.exists():
            raise NoContainerError(container_id)
        if not is_held(folder / ALIVE):
            return Status.STOPPED
        try:
            with ComputeSystem.open(container_id) as system:
                state = system.properties().state or ""
        except NotFoundError:
            return Status.STOPPED
        except InvalidStateError:
            return Status.UNKNOWN
        return _STATES.get(state, Status.UNKNOWN)

    def state(self, container_id: str) -> ContainerState:
        """
        Tell everything of a container.

        Raises:
            NoContainerError: It is not known.
        """
        record = self.record(container_id)
        status = self.status(container_id)
        stopped = status is Status.STOPPED
        return ContainerState(
            version=record.spec.oci_version or "",
            id=record.id,
            pid=0 if stopped else self._number(container_id, SHIM_PID),
            status=status,
            bundle=record.bundle,
            rootfs=record.rootfs,
            created=record.created,
            annotations=record.spec.annotations,
            owner=record.owner,
        )

    def ids(self) -> tuple[str, ...]:
        """List the containers of this root."""
        return self.store.ids()

    def states(self) -> Iterator[tuple[str, ContainerState | Exception]]:
        """
        Tell everything of each container, or why it cannot be told.

        A container that is deleted meanwhile is left out.
        """
        for container_id in self.ids():
            found = self._state_or_reason(container_id)
            if found is not None:
                yield container_id, found

    def _state_or_reason(self, container_id: str) -> ContainerState | Exception | None:
        try:
            return self.state(container_id)
        except NoContainerError:
            return None
        except (HcsError, LookupError, ValueError) as error:
            return error

    def kill(self, container_id: str, signal: str = "") -> None:
        """
        Send a signal to a container's first process.

        A container that was not started yet ends if the signal would end a process.

        Args:
            container_id: Its id.
            signal: Name or number; TERM if empty.

        Raises:
            WrongStatusError: It is not running.
            ValueError: There is no such signal.
        """
        linux = is_linux(self.record(container_id).spec)
        number = linux_signal(signal) if linux else windows_signal(signal)
        status = self.status(container_id)
        if status is Status.CREATED:
            self._end(container_id)
            return
        if status is Status.STOPPED:
            raise WrongStatusError(f"container {container_id!r} is not running", status)
        try:
            with (
                ComputeSystem.open(container_id) as system,
                system.open_process(self._number(container_id, INIT_PID)) as process,
            ):
                if number in (None, KILL):
                    process.kill()
                elif number is not None:
                    process.signal(number)
        except (NotFoundError, ProcessGoneError):
            raise WrongStatusError(
                f"container {container_id!r} is not running", Status.STOPPED
            ) from None

    def delete(self, container_id: str, *, force: bool = False) -> None:
        """
        Remove a container, and all that is kept of it.

        Args:
            container_id: Its id.
            force: Kill it if it runs; be content if it is not known.

        Raises:
            NoContainerError: It is not known.
            WrongStatusError: It runs.
        """
        try:
            with self.store.locked(container_id):
                self._end_for_good(container_id, force=force)
            self._forget(container_id)
        except NoContainerError:
            if not force:
                raise

    def _end_for_good(self, container_id: str, *, force: bool) -> None:
        status = self.status(container_id)
        if status not in (Status.STOPPED, Status.CREATED) and not force:
            raise WrongStatusError(
                f"cannot delete container {container_id!r} that is not stopped: "
                f"{status.value}",
                status,
            )
        if status is not Status.STOPPED:
            self._end(container_id)

    def _end(self, container_id: str) -> None:
        """End a container's compute system; its shim then ends by itself."""
        with suppress(NotFoundError), ComputeSystem.open(container_id) as system:
            system.terminate()
        self.wait(container_id)

    def wait(self, container_id: str, timeout: float = _END_SECONDS) -> None:
        """
        Wait until a container's shim has ended.

        Raises:
            TimeoutError: It has not.
        """
        path = self.store.path(container_id) / ALIVE
        if not path.exists():
            return
        lock = FileLock(path)
        try:
            if not lock.acquire(timeout):
                raise TimeoutError(f"container {container_id!r} does not end")
        finally:
            lock.close()

    def _forget(self, container_id: str) -> None:
        self.wait(container_id)
        with suppress(NoContainerError):
            self.store.remove(container_id)

    def pause(self, container_id: str) -> None:
        """
        Stop a container's processes for a while.

        Raises:
            WrongStatusError: It does not run.
        """
        self._require(container_id, Status.RUNNING)
        with ComputeSystem.open(container_id) as system:
            system.pause()

    def resume(self, container_id: str) -> None:
        """
        Let a paused container's processes go on.

        Raises:
            WrongStatusError: It is not paused.
        """
        self._require(container_id, Status.PAUSED)
        with ComputeSystem.open(container_id) as system:
            system.resume()

    def processes(self, container_id: str) -> tuple[int, ...]:
        """
        List the processes of a container, by their ids in it.

        Raises:
            WrongStatusError: It has none.
        """
        status = self.status(container_id)
        if status not in (Status.RUNNING, Status.PAUSED):
            raise WrongStatusError(f"container {container_id!r} is not running", status)
        with ComputeSystem.open(container_id) as system:
            found = system.properties("ProcessList").process_list
        return tuple(entry.process_id or 0 for entry in found)

    def resize_tty(
        self, container_id: str, width: int, height: int, pid: int = 0
    ) -> None:
        """
        Give the console of a process another size.

        Args:
            container_id: Its container.
            width: In characters.
            height: In lines.
            pid: Of the shim or ``exec`` that stands for it here; 0 is the container's
                first process.

        Raises:
            WrongStatusError: The container does not run.
            NoStateError: There is no such process.
        """
        self._require(container_id, Status.RUNNING)
        key = process_key(pid) if pid else INIT_PID
        inner = self._number(container_id, key)
        if not inner:
            raise NoStateError(container_id, key)
        with (
            ComputeSystem.open(container_id) as system,
            system.open_process(inner) as process,
        ):
            process.resize_console(width, height)

    def open_running(self, container_id: str) -> tuple[Record, ComputeSystem]:
        """
        Open a container to start more processes in it.

        Raises:
            WrongStatusError: It does not run.
        """
        self._require(container_id, Status.RUNNING)
        return self.record(container_id), ComputeSystem.open(container_id)

    def _shim(self, log: str, key: str = "", *, attached: bool = False) -> list[str]:
        arguments = [*self._shim_options, "shim"]
        if log:
            arguments += ["--shim-log", log]
        if key:
            arguments += ["--exec", key]
        return [*arguments, "--attached"] if attached else arguments

    def start_detached(
        self, container_id: str, process: JSON, *, log: str = ""
    ) -> Shim:
        """
        Start a process in a container, held by a shim of its own.

        Args:
            container_id: Where.
            process: Of a specification, as JSON values.
            log: Where its shim logs; empty for nowhere.

        Raises:
            WrongStatusError: The container does not run.
            ChildProcessError: The process could not be started.
        """
        self._require(container_id, Status.RUNNING)
        key = f"exec-{uuid4()}"
        self.store.set(container_id, key, process)
        try:
            return start_shim(self._shim(log, key), container_id)
        finally:
            with suppress(LookupError):
                self.store.clear(container_id, key)

    def remember_process(self, container_id: str, pid: int, process: Process) -> None:
        """Map the id of a process here to that of the container's process."""
        with suppress(NoContainerError):
            self.store.set(container_id, process_key(pid), process.pid)

    def forget_process(self, container_id: str, pid: int) -> None:
        """Undo :meth:`remember_process`."""
        with suppress(LookupError):
            self.store.clear(container_id, process_key(pid))

    def _require(self, container_id: str, wanted: Status) -> None:
        status = self.status(container_id)
        if status is not wanted:
            raise WrongStatusError(
                f"container {container_id!r} is not {wanted.value}: it is "
                f"{status.value}",
                status,
            )

    def _number(self, container_id: str, key: str) -> int:
        try:
            value = self.store.get(container_id, key)
        except NoStateError:
            return 0
        return value if isinstance(value, int) else 0


def process_key(pid: int) -> str:
    """Name the key that maps a process here to one of the container's."""
    return f"pid-{pid}"


def with_overrides(  # noqa: PLR0913 - what exec can say
    spec: Spec,
    args: Sequence[str],
    *,
    cwd: str = "",
    env: Sequence[str] = (),
    user: str = "",
    terminal: bool = False,
) -> JSON:
    """
    Make a process like a container's first one, but for what is given.

    Returns:
        It, as JSON values.

    Raises:
        ValueError: The specification has no process to be like.
    """
    from hcsshim.documents import to_dict  # noqa: PLC0415 - next to its use
    from hcsshim.oci.spec import User  # noqa: PLC0415 - as above

    process = spec.process
    if process is None:
        raise ValueError("the container's specification has no process to be like")
    owner = process.user
    if user:
        owner = attrs.evolve(owner or User(), username=user)
    process = attrs.evolve(
        process,
        args=tuple(args),
        command_line=None,
        cwd=cwd or process.cwd,
        env=(*process.env, *env),
        user=owner,
        terminal=terminal,
    )
    return to_dict(process)


def _text(bundle: str | os.PathLike[str]) -> str:
    from pathlib import Path  # noqa: PLC0415 - next to its use

    return str(Path(bundle).absolute())
