"""
The life cycle of a compute system, as a table.

::

    CREATING --ready--> CREATED --start--> RUNNING <--pause/resume--> PAUSED
        |                  |                  |                          |
        +--terminate-------+--terminate-------+--shutdown, terminate-----+
                                              v
                                          STOPPING --exit--> STOPPED

``exit`` leads to ``STOPPED`` from everywhere: a system may also end unasked.

Source:
    States and codes as HCS reports them; ``CREATING`` and ``STOPPING`` have no name
    there, because operations end only when they are over.
"""

from __future__ import annotations

from enum import Enum

from hcsshim.hresult import HResult


class State(Enum):
    """Where a system is in its life; the value is what HCS calls it."""

    CREATING = "Creating"
    CREATED = "Created"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


class Verb(Enum):
    """What is asked of a system, or happens to it."""

    READY = "ready"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    SAVE = "save"
    SHUTDOWN = "shutdown"
    TERMINATE = "terminate"
    CREATE_PROCESS = "create process"
    MODIFY = "modify"
    GET_PROPERTIES = "get properties"
    EXIT = "exit"


#: All that is allowed, and where it leads.
TABLE: dict[tuple[State, Verb], State] = {
    (State.CREATING, Verb.READY): State.CREATED,
    (State.CREATING, Verb.TERMINATE): State.STOPPING,
    (State.CREATING, Verb.EXIT): State.STOPPED,
    (State.CREATED, Verb.START): State.RUNNING,
    (State.CREATED, Verb.TERMINATE): State.STOPPING,
    (State.CREATED, Verb.MODIFY): State.CREATED,
    (State.CREATED, Verb.GET_PROPERTIES): State.CREATED,
    (State.CREATED, Verb.EXIT): State.STOPPED,
    (State.RUNNING, Verb.PAUSE): State.PAUSED,
    (State.RUNNING, Verb.SHUTDOWN): State.STOPPING,
    (State.RUNNING, Verb.TERMINATE): State.STOPPING,
    (State.RUNNING, Verb.CREATE_PROCESS): State.RUNNING,
    (State.RUNNING, Verb.MODIFY): State.RUNNING,
    (State.RUNNING, Verb.GET_PROPERTIES): State.RUNNING,
    (State.RUNNING, Verb.EXIT): State.STOPPED,
    (State.PAUSED, Verb.RESUME): State.RUNNING,
    (State.PAUSED, Verb.TERMINATE): State.STOPPING,
    (State.PAUSED, Verb.MODIFY): State.PAUSED,
    (State.PAUSED, Verb.GET_PROPERTIES): State.PAUSED,
    (State.PAUSED, Verb.EXIT): State.STOPPED,
    (State.STOPPING, Verb.TERMINATE): State.STOPPING,
    (State.STOPPING, Verb.GET_PROPERTIES): State.STOPPING,
    (State.STOPPING, Verb.EXIT): State.STOPPED,
    (State.STOPPED, Verb.GET_PROPERTIES): State.STOPPED,
}

#: What is refused in another way than with ``HCS_E_INVALID_STATE``.
REFUSALS: dict[tuple[State, Verb], int] = {
    (State.STOPPING, Verb.CREATE_PROCESS): HResult.ERROR_SHUTDOWN_IN_PROGRESS,
    # A paused system is one that could be saved, were it a virtual machine.
    (State.PAUSED, Verb.SAVE): HResult.ERROR_NOT_SUPPORTED,
}
for _verb in Verb:
    if (State.STOPPED, _verb) not in TABLE:
        REFUSALS[State.STOPPED, _verb] = HResult.HCS_E_SYSTEM_ALREADY_STOPPED

#: HCS_EVENT_TYPE of what is told to the holders of handles.
SYSTEM_EXITED = 0x00000001
PROCESS_EXITED = 0x00010000

NOTIFICATIONS: dict[Verb, int] = {Verb.EXIT: SYSTEM_EXITED}


def outcome(state: State, verb: Verb) -> State | int:
    """
    Look up what a verb does.

    Returns:
        The state it leads to, or the HRESULT it is refused with.
    """
    target = TABLE.get((state, verb))
    if target is not None:
        return target
    return REFUSALS.get((state, verb), HResult.HCS_E_INVALID_STATE)


def public_name(state: State) -> str:
    """Name a state as property queries do; those in between have none of their own."""
    if state is State.CREATING:
        state = State.CREATED
    elif state is State.STOPPING:
        state = State.RUNNING
    return str(state.value)
