"""
Who owns a native handle, and how it is closed.

A handle is a number with a generation: closing twice, or using a closed one, is
answered and harms nobody. An owner swaps its number for 0 when it closes, so only
one of several racing closers gets to send anything.

The owner of something that exits has a call that waits for that, too. It is submitted
together with the call that creates the handle, without waiting for that one's
answer, so learning of an exit never costs a round trip. Whoever waits for the exit
shares that call; closing the handle gives it up, which wakes them all.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from _weakref import ref
from warnings import warn

from hcsshim._native.files import close_file
from hcsshim.errors import HandleClosedError

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hcsshim._native.port import Completion, Operation, Service

_lock = allocate_lock()  # guards the swap, never held across a call


class Owner:
    """
    The owner of one native handle.

    Args:
        service: Where it lives.
        handle: Its number, usable even before the creating call was answered.
        system_id: Id of what it stands for or belongs to, for error texts.
    """

    __slots__ = ("__weakref__", "_handle", "owner_pid", "service", "system_id")

    def __init__(self, service: Service, handle: int, system_id: str) -> None:
        self._handle = 0  # __del__ also runs when the next lines raise
        self.service = service
        self.system_id = system_id
        self.owner_pid = os.getpid()
        self._handle = handle

    @property
    def closed(self) -> bool:
        """Whether the handle was closed."""
        return self._handle == 0

    def use(self, operation: str) -> int:
        """
        Give the number for a call.

        Args:
            operation: The call, for the error's text.

        Raises:
            HandleClosedError: It was closed.
        """
        handle = self._handle
        if handle == 0:
            raise HandleClosedError(
                operation=operation,
                system_id=self.system_id,
                message="The handle was closed.",
            )
        return handle

    def close(self, *calls: str) -> bool:
        """
        Close the handle, once; never waits, never fails.

        Args:
            calls: Sent before it is closed: what ends the object.

        Returns:
            Whether this call did it, not an earlier or racing one.
        """
        with _lock:
            handle, self._handle = self._handle, 0
        if handle == 0:
            return False
        if self.owner_pid != os.getpid():
            return True  # a fork: the handle is the parent's
        for call in calls:
            self.service.send(call, handle, None)
        self.service.send(self.closing_call(), handle)
        return True

    def __del__(self) -> None:
        if self.closed or self.owner_pid != os.getpid():
            return
        self.close()
        warn(f"unclosed {self.describe()}", ResourceWarning, stacklevel=2, source=self)

    def closing_call(self) -> str:
        """Name the call that closes such a handle."""
        raise NotImplementedError

    def describe(self) -> str:
        """Say in a few words whose handle it is."""
        raise NotImplementedError


class Handle(Owner):
    """
    The owner of the handle of something that exits: a system or a process.

    Args:
        service: Where it lives.
        handle: Its number, usable even before the creating call was answered.
        exit_call: The pending call that is answered when the object exits.
        system_id: Of the compute system, for error texts.
    """

    __slots__ = ("exit_call",)

    #: The call that closes such a handle.
    close_call = ""

    def __init__(
        self, service: Service, handle: int, exit_call: Operation, system_id: str
    ) -> None:
        self.exit_call = exit_call
        super().__init__(service, handle, system_id)

    def exit_seen(self) -> Completion | None:
        """Give the answer of the exit call if it is there, without waiting."""
        try:
            return self.exit_call.result(0)
        except TimeoutError:
            return None

    def close(self, *calls: str) -> bool:
        """Close the handle, and wake whoever waits for the exit; as :class:`Owner`."""
        closed = super().close(*calls)
        if closed and self.owner_pid == os.getpid():
            self.exit_call.abandon()
        return closed

    def closing_call(self) -> str:
        """Name the call that closes such a handle."""
        return self.close_call


class ProcessHandle(Handle):
    """
    The owner of a process's handle.

    Args:
        system: The system it runs in, which is kept alive by it.
        handle: Its number.
        exit_call: Answered when the process exits.
        process_id: As the service numbers it.
        files: Descriptors of its stdin, stdout and stderr, now the caller's; -1
            where there is none.

    Attributes:
        returncode: The exit code once it was seen.
        killed: Whether it was terminated from here.
    """

    __slots__ = ("_files", "killed", "process_id", "returncode", "system")

    close_call = "HcsCloseProcess"

    def __init__(
        self,
        system: SystemHandle,
        handle: int,
        exit_call: Operation,
        *,
        process_id: int,
        files: tuple[int, int, int] = (-1, -1, -1),
    ) -> None:
        super().__init__(system.service, handle, exit_call, system.system_id)
        self.system = system
        self.process_id = process_id
        self._files = files
        self.returncode: int | None = None
        self.killed = False
        system.adopt(self)

    def describe(self) -> str:
        """Say in a few words whose handle it is."""
        return f"process {self.process_id} of {self.system_id!r}"

    def close(self, *calls: str) -> bool:
        """Close the handle, and descriptors nobody took; as :meth:`Handle.close`."""
        for file in self.take_files():
            if file >= 0:
                close_file(file)
        return super().close(*calls)

    def take_files(self) -> tuple[int, int, int]:
        """Give the descriptors away, once; from then on there are none."""
        files, self._files = self._files, (-1, -1, -1)
        return files


class SystemHandle(Handle):
    """
    The owner of a compute system's handle; it knows its open processes weakly.

    Attributes:
        signals: How many signals are being delivered through this handle.
        id_namespace: Of its id; ``""`` for the usual one.
    """

    __slots__ = ("_children", "id_namespace", "signals")

    close_call = "HcsCloseComputeSystem"

    def __init__(
        self, service: Service, handle: int, exit_call: Operation, system_id: str
    ) -> None:
        super().__init__(service, handle, exit_call, system_id)
        self._children: set[ref[ProcessHandle]] = set()
        self.signals = 0
        self.id_namespace = ""

    def describe(self) -> str:
        """Say in a few words whose handle it is."""
        return f"compute system {self.system_id!r}"

    def adopt(self, process: ProcessHandle) -> None:
        """Remember a process, to close it before the system is."""
        self._children.add(ref(process, self._children.discard))

    @property
    def children(self) -> Iterable[ProcessHandle]:
        """The processes that were opened here and are still open."""
        found = [child() for child in tuple(self._children)]
        return [child for child in found if child is not None and not child.closed]

    def close(self, *calls: str) -> bool:
        """Close the processes, then the system; as :meth:`Handle.close`."""
        if self.owner_pid == os.getpid():
            for child in self.children:
                child.close()
        return super().close(*calls)
