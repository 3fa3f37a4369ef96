"""Moving the bytes of a process's pipes in an asyncio loop."""

from __future__ import annotations

import asyncio

from hcsshim.errors import HcsTimeoutError

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim.hcs._stdio import Transfers


class _Mover:
    """Watches the descriptors of some transfers and moves what is ready."""

    def __init__(self, transfers: Transfers) -> None:
        self.transfers = transfers
        self.loop = asyncio.get_running_loop()
        self.finished: asyncio.Future[None] = self.loop.create_future()
        for file in transfers.reading:
            self.loop.add_reader(file, self.move, file)
        for file in transfers.writing:
            self.loop.add_writer(file, self.move, file)

    def move(self, file: int) -> None:
        """Move what is ready; a failure goes to whoever waits."""
        try:
            self.transfers.move(file, self.forget)
        except OSError as exc:
            self.settle(exc)
        if self.transfers.done:
            self.settle(None)

    def forget(self, file: int) -> None:
        """Stop watching a descriptor."""
        self.loop.remove_reader(file)
        self.loop.remove_writer(file)

    def settle(self, exc: Exception | None) -> None:
        """Let the waiter go on."""
        if self.finished.done():
            return
        if exc is None:
            self.finished.set_result(None)
        else:
            self.finished.set_exception(exc)


async def move_all(transfers: Transfers, timeout: float | None) -> None:
    """
    Move bytes until all is done.

    Raises:
        HcsTimeoutError: It was not done in ``timeout`` seconds; call again to go on.
    """
    if transfers.done:
        return
    mover = _Mover(transfers)
    timer = None
    if timeout is not None:
        late = HcsTimeoutError(operation="communicate")
        timer = mover.loop.call_later(timeout, mover.settle, late)
    try:
        await mover.finished
    finally:
        if timer is not None:
            timer.cancel()
        for file in (*transfers.reading, *transfers.writing):
            mover.forget(file)
