# Made by async_to_sync.py of hcsshim/hcs/_async_system.py; do not edit.
"""Compute systems, blocking."""

from __future__ import annotations

from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._calls import as_json, is_model, optional_json, with_additions
from hcsshim.hcs._connection import connected
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._migration import Migration
from hcsshim.hcs._queries import Queries
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from hcsshim._native.port import Service
    from hcsshim.documents import Properties, PropertyType, SystemExitStatus
    from hcsshim.hcs._calls import DocumentLike
    from hcsshim.hcs._event_stream import EventStream
    from hcsshim.hcs._events import EventOptions
    from hcsshim.hcs._handles import SystemHandle
    from hcsshim.hcs._operation import Operation
    from hcsshim.hcs._parameters import Command
    from hcsshim.hcs._process import Process


class ComputeSystem(Queries, Migration):
    """
    A compute system: a container or a virtual machine.

    Make one with :meth:`create` or :meth:`open`. Closing releases the handle only;
    the system runs on, unless its document says
    ``ShouldTerminateOnLastHandleClosed``. Used as a context manager it closes at the
    end of the block.

    Any number of threads may use one object.
    """

    __slots__ = ("__weakref__", "_system")

    def __init__(self, system: SystemHandle) -> None:
        self._system = system

    @classmethod
    def create(
        cls,
        system_id: str,
        document: DocumentLike,
        *,
        id_namespace: str = "",
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> ComputeSystem:
        """
        Create a compute system; it does not run yet.

        Args:
            system_id: Its id, unique on the machine.
            document: A model of :mod:`hcsshim.documents`, a mapping, or JSON text.
            id_namespace: Of the id; newer builds of Windows keep several apart.
            timeout: Seconds, ``None`` forever; by default 240 or
                ``HCSSHIM_TIMEOUT_SYSTEMCREATE``.
            service: Where; by default the process's shared connection.

        Raises:
            AlreadyExistsError: The id is in use.
            InvalidDataError: The document is not valid.
            NotFoundError: A layer does not exist.
            NotSupportedError: A member of the model is newer than the host.
            HcsTimeoutError: It took too long; nothing of it is left.

        Source:
            ``HcsCreateComputeSystem``.
        """
        limit = seconds(timeout, "SYSTEMCREATE")
        text = with_additions(as_json(document))
        where = service or connected()
        if is_model(document):
            from hcsshim.hcs._capabilities import (  # noqa: PLC0415 - seldom
                require_known,
            )

            require_known(document, where, limit)
        step = steps.create(where, system_id, text, limit, id_namespace=id_namespace)
        return cls(drive(step))

    @classmethod
    def open(
        cls,
        system_id: str,
        *,
        id_namespace: str = "",
        timeout: float | None = DEFAULT,
        service: Service | None = None,
    ) -> ComputeSystem:
        """
        Open a compute system that exists, whoever made it.

        Args:
            system_id: Its id.
            id_namespace: Of the id; newer builds of Windows keep several apart.
            timeout: Seconds, ``None`` forever; by default 240.
            service: Where; by default the process's shared connection.

        Raises:
            NotFoundError: There is none of this id.

        Source:
            ``HcsOpenComputeSystem``.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        step = steps.open_existing(
            service or connected(), system_id, limit, id_namespace=id_namespace
        )
        return cls(drive(step))

    @property
    def id(self) -> str:
        """The system's id."""
        return self._system.system_id

    @property
    def closed(self) -> bool:
        """Whether the handle was closed."""
        return self._system.closed

    def start(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Start a created system and wait until its guest runs.

        Args:
            options: ``StartOptions``; only a migration's destination needs them.
            timeout: Seconds, ``None`` forever; by default 240 or
                ``HCSSHIM_TIMEOUT_SYSTEMSTART``.

        Raises:
            InvalidStateError: It is running or stopped already.
            HcsTimeoutError: HCS did not finish in time; it was asked to cancel.

        Source:
            ``HcsStartComputeSystem``.
        """
        self._verb(steps.START, options, timeout, "SYSTEMSTART")

    def shutdown(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Ask the guest to end in order, and wait until it has.

        Ended already is success. A guest that cannot be asked is terminated.

        Args:
            options: ``ShutdownOptions``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            HcsTimeoutError: It has not ended in time, and runs on: ``terminate()``.
            InvalidStateError: It is paused, or was never started.

        Source:
            ``HcsShutDownComputeSystem``.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        text = optional_json(options)
        drive(steps.shut_down(self._system, text, limit))

    def terminate(self, *, timeout: float | None = DEFAULT) -> None:
        """
        End the system by force, and wait until it is gone.

        Ended already is success.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            HcsTimeoutError: It is not gone in time.

        Source:
            ``HcsTerminateComputeSystem``.
        """
        limit = seconds(timeout, "SYSCALLWATCHER")
        drive(steps.terminate(self._system, limit))

    def pause(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Stop every process where it is, until :meth:`resume`.

        Args:
            options: ``PauseOptions``.
            timeout: Seconds, ``None`` forever; by default 240 or
                ``HCSSHIM_TIMEOUT_SYSTEMPAUSE``.

        Raises:
            InvalidStateError: It does not run.

        Source:
            ``HcsPauseComputeSystem``.
        """
        self._verb(steps.PAUSE, options, timeout, "SYSTEMPAUSE")

    def resume(self, *, timeout: float | None = DEFAULT) -> None:
        """
        Let a paused system go on.

        Args:
            timeout: Seconds, ``None`` forever; by default 240 or
                ``HCSSHIM_TIMEOUT_SYSTEMRESUME``.

        Raises:
            InvalidStateError: It is not paused.

        Source:
            ``HcsResumeComputeSystem``.
        """
        self._verb(steps.RESUME, None, timeout, "SYSTEMRESUME")

    def save(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Write the state of a paused virtual machine into a file.

        Args:
            options: ``SaveOptions``, which name the file.
            timeout: Seconds, ``None`` forever; by default 240 or
                ``HCSSHIM_TIMEOUT_SYSTEMSAVE``.

        Raises:
            InvalidStateError: It is not paused.
            NotSupportedError: This provider or kind of system cannot be saved.

        Source:
            ``HcsSaveComputeSystem``.
        """
        self._verb(steps.SAVE, options, timeout, "SYSTEMSAVE")

    def crash(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Make the guest of a virtual machine crash, for its dump.

        Args:
            options: ``CrashOptions``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: This provider or kind of system cannot be crashed.

        Source:
            ``HcsCrashComputeSystem``.
        """
        self._verb(steps.CRASH, options, timeout, "SYSCALLWATCHER")

    def properties(
        self,
        *types: PropertyType | str,
        query: DocumentLike | None = None,
        timeout: float | None = DEFAULT,
    ) -> Properties:
        """
        Ask for properties.

        Args:
            types: Which, beside the basic ones: ``"Statistics"``,
                ``PropertyType.PROCESS_LIST``.
            query: A whole ``PropertyQuery`` instead.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            TypeError: Both ``types`` and ``query`` were given.
            AlreadyStoppedError: The system has stopped.

        Source:
            ``HcsGetComputeSystemProperties``.
        """
        from hcsshim.documents import Properties, loads  # noqa: PLC0415 - seldom
        from hcsshim.hcs._parameters import property_query  # noqa: PLC0415 - as above

        if types and query is not None:
            raise TypeError("give types or a query, not both")
        text = property_query(types) if query is None else as_json(query)
        limit = seconds(timeout, "SYSCALLWATCHER")
        if query is not None and is_model(query):
            from hcsshim.hcs._capabilities import (  # noqa: PLC0415 - seldom
                require_known,
            )

            require_known(query, self._system.service, limit)
        return loads(Properties, drive(steps.query(self._system, text, limit)))

    def modify(self, request: DocumentLike, *, timeout: float | None = DEFAULT) -> None:
        """
        Change a running system: add, update or remove a resource.

        Args:
            request: ``ModifySettingRequest``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidDataError: The request is not valid.
            NotSupportedError: The resource cannot be changed while it runs.

        Source:
            ``HcsModifyComputeSystem``.
        """
        if is_model(request):
            from hcsshim.hcs._capabilities import (  # noqa: PLC0415 - seldom
                require_known,
            )

            limit = seconds(timeout, "SYSCALLWATCHER")
            require_known(request, self._system.service, limit)
        self._verb(steps.MODIFY, request, timeout, "SYSCALLWATCHER")

    def begin(self, verb: str, document: DocumentLike | None = None) -> Operation:
        """
        Begin something without waiting for it.

        Args:
            verb: ``"start"``, ``"shutdown"``, ``"terminate"``, ``"pause"``,
                ``"resume"``, ``"save"``, ``"crash"``, ``"properties"``, ``"modify"``.
            document: What the verb takes: options, a query, a request.

        Returns:
            What goes on now: to be looked at, cancelled, waited for.

        Raises:
            ValueError: There is no such verb.

        Source:
            ``HcsCreateOperation``.
        """
        from hcsshim.hcs._operation import begin  # noqa: PLC0415 - seldom

        return begin(self._system, verb, document)

    def create_process(  # noqa: PLR0913 - what a process can be given
        self,
        args: Command,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        user: str | None = None,
        console_size: tuple[int, int] | None = None,
        stdin: bool = True,
        stdout: bool = True,
        stderr: bool = True,
        timeout: float | None = DEFAULT,
    ) -> Process:
        """
        Start a process in the running system.

        Args:
            args: The arguments, first the command; or one command line; or a
                ``ProcessParameters`` document, which then says all the rest.
            env: Environment variables, beside those of the system.
            cwd: Working directory; by default the system's own.
            user: Who runs it; by default the system's own choice.
            console_size: Width and height; gives the process a console, whose
                output all comes in ``stdout``.
            stdin: Whether there is a pipe to write into.
            stdout: Whether there is a pipe to read from.
            stderr: As ``stdout``; a console has none.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: The command or the working directory does not exist.
            InvalidStateError: The system does not run.
            HcsTimeoutError: It took too long; nothing of it is left.

        Source:
            ``HcsCreateProcess``.
        """
        from hcsshim.hcs._process import Process  # noqa: PLC0415 - a cycle

        return Process._create(  # noqa: SLF001 - the two are one face
            self._system,
            args,
            env=env,
            cwd=cwd,
            user=user,
            console_size=console_size,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            timeout=timeout,
        )

    def open_process(self, pid: int, *, timeout: float | None = DEFAULT) -> Process:
        """
        Open a process that runs. Its streams are not handed over.

        Args:
            pid: Its number inside the system.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotFoundError: No process of the system has this number.

        Source:
            ``HcsOpenProcess``.
        """
        from hcsshim.hcs._process import Process  # noqa: PLC0415 - a cycle

        return Process._open(  # noqa: SLF001 - the two are one face
            self._system, pid, timeout=timeout
        )

    def events(
        self,
        *,
        options: EventOptions | int = 0,
        timeout: float | None = DEFAULT,
    ) -> EventStream:
        """
        Listen to the system from now on.

        Any number may listen; each gets every event. Close what is returned, or use
        it as a context manager.

        Args:
            options: Which events beside the usual ones: ``EventOptions``.
            timeout: Seconds to wait for the service, not for an event.

        Returns:
            An iterator that ends after the system has exited.

        Source:
            ``HcsSetComputeSystemCallback``.
        """
        from hcsshim.hcs._event_stream import listen  # noqa: PLC0415 - seldom needed

        limit = seconds(timeout, "SYSCALLWATCHER")
        return listen(self._system, limit, options)

    def wait(self, *, timeout: float | None = None) -> SystemExitStatus:
        """
        Wait until the system has exited.

        Any number of threads may wait, before and after the exit.

        Args:
            timeout: Seconds, ``None`` forever; at 0 it only looks.

        Returns:
            How it exited; look at ``exit_type``, an unexpected exit is no error here.

        Raises:
            HcsTimeoutError: It has not exited in time.
            HandleClosedError: It was closed meanwhile.
            ServiceDisconnectedError: The service went away.

        Source:
            ``HcsWaitForComputeSystemExit``.
        """
        from hcsshim.documents import SystemExitStatus, loads  # noqa: PLC0415 - seldom

        limit = seconds(timeout, "")
        document = drive(steps.wait_exit(self._system, limit))
        return loads(SystemExitStatus, document or "{}")

    def _verb(
        self,
        operation: str,
        options: DocumentLike | None,
        timeout: float | None,
        limit_name: str,
    ) -> None:
        limit = seconds(timeout, limit_name)
        text = optional_json(options)
        drive(steps.verb(self._system, operation, text, limit))

    def close(self) -> None:
        """
        Release the handle, and those of the processes opened here.

        Nothing is ended by it. Idempotent; whoever waits gets ``HandleClosedError``.
        """
        self._system.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<ComputeSystem {self.id!r}{state}>"
