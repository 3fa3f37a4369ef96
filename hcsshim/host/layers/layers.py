"""
The layers of this host: what the calls about layers do.

Each call is carried out by a worker's thread, calls about one layer one after another.
"""

from __future__ import annotations

from _thread import allocate_lock
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hcsshim.errors import HcsError
from hcsshim.host.layers.volumes import Volumes
from hcsshim.host.results import Refusal, refuse, refuse_errno
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable, Iterator

    from hcsshim.host.layers.volumes import Taken
    from hcsshim.host.serving.loop import Loop
    from hcsshim.host.serving.session import Call
    from hcsshim.host.serving.workers import Job, Workers
    from hcsshim.host.systems.configuration import Configuration


class Layers:
    """
    The layers of a host.

    Args:
        loop: The host's.
        failed: Told of exceptions that are bugs of ours.
    """

    def __init__(self, loop: Loop, failed: Callable[[BaseException], None]) -> None:
        self._loop = loop
        self._failed = failed
        self._workers: Workers | None = None
        self._locks: dict[str, tuple[LockType, int]] = {}
        self._guard = allocate_lock()
        self.volumes = Volumes(failed)
        #: Told whenever nothing is mounted or worked on any more.
        self.emptied: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is mounted, or worked on."""
        working = self._workers is not None and self._workers.busy
        return working or self.volumes.busy

    def close(self) -> None:
        """Call off all work, and unmount everything."""
        if self._workers is not None:
            self._workers.close()
        self.volumes.close()

    def take(self, configuration: Configuration) -> Taken:
        """Give a system its layers; see :meth:`Volumes.take`."""
        return self.volumes.take(configuration)

    def give_back(self, taken: Taken) -> None:
        """Take back the layers of a system that has ended."""
        self.volumes.give_back(taken)

    # -- work ------------------------------------------------------------

    def work(self, call: Call, path: str, work: Callable[[Job], str | None]) -> None:
        """
        Carry out a call in a worker's thread, and answer it.

        Args:
            call: To be answered.
            path: The layer that it is about.
            work: Gives the answer's document.
        """
        if self._workers is None:
            from hcsshim.host.serving.workers import Workers  # noqa: PLC0415 - seldom needed

            self._workers = Workers(self._loop)

        def locked(job: Job) -> str | None:
            with self._locked(path):
                job.check()
                return work(job)

        def done(document: str | None) -> None:
            call.answer(0, document)
            self.look_if_empty()

        def failed(error: BaseException) -> None:
            call.refuse(self._refusal_of(error))
            self.look_if_empty()

        job = self._workers.submit(locked, done, failed)

        def cancel() -> None:
            job.cancelled = True

        call.cancel = call.dropped = cancel

    def look_if_empty(self) -> None:
        """Tell whoever wants to know if nothing is left here."""
        if not self.busy and self.emptied is not None:
            self.emptied()

    @contextmanager
    def _locked(self, path: str) -> Iterator[None]:
        """Have a layer alone; locks that nobody waits for are forgotten."""
        with self._guard:
            lock, count = self._locks.get(path, (allocate_lock(), 0))
            self._locks[path] = lock, count + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, count = self._locks.pop(path)
                if count > 1:
                    self._locks[path] = lock, count - 1

    def _refusal_of(self, error: BaseException) -> Refusal:
        if isinstance(error, Refusal):
            return error
        if isinstance(error, HcsError):
            return refuse(error.hresult, error.message)
        if isinstance(error, OSError):
            where = f"'{error.filename}'" if error.filename else "The layer"
            return refuse_errno(error.errno or 0, f"{where} cannot be used")
        self._failed(error)
        return refuse(HResult.E_UNEXPECTED)
