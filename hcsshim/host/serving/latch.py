"""Something that happens once, and is told also to those who ask later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Latch:
    """Starts open; :meth:`fire` closes it for good."""

    __slots__ = ("_fired", "_listeners")

    def __init__(self) -> None:
        self._fired = False
        self._listeners: dict[Callable[[], None], None] = {}

    @property
    def fired(self) -> bool:
        """Whether it has happened."""
        return self._fired

    def listen(self, listener: Callable[[], None]) -> None:
        """Call once when it happens; now if it has."""
        if self._fired:
            listener()
        else:
            self._listeners[listener] = None

    def forget(self, listener: Callable[[], None]) -> None:
        """Do not call any more; it need not be listening."""
        self._listeners.pop(listener, None)

    def fire(self) -> None:
        """Let it happen, in the order of listening."""
        self._fired = True
        listeners, self._listeners = self._listeners, {}
        for listener in listeners:
            listener()
