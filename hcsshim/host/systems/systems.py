"""
Compute systems: their state, their rules, and the silos under them.

Nothing here knows of documents or frames. The rules of the life cycle are those of
:mod:`hcsshim.host.systems.lifecycle`; a system only carries them out.
"""

from __future__ import annotations

import os
import re
from time import monotonic, time
from typing import TYPE_CHECKING

import attrs

from hcsshim.host import signals
from hcsshim.host.results import (
    Refusal,
    hresult_of_errno,
    refuse,
    refuse_errno,
    system_exit_status,
)
from hcsshim.host.serving.latch import Latch
from hcsshim.host.serving.loop import READ
from hcsshim.host.silos.port import (
    Command,
    Exited,
    Failed,
    Gone,
    MappedDirectory,
    Ready,
    Refused,
    Silo,
    SiloConfig,
    Started,
)
from hcsshim.host.systems.configuration import usual_host_name
from hcsshim.host.systems.lifecycle import State, Verb, outcome
from hcsshim.host.systems.processes import Process
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hcsshim.host.layers.layers import Layers
    from hcsshim.host.layers.volumes import Taken
    from hcsshim.host.serving.loop import Loop, Timer
    from hcsshim.host.silos.port import Limits, Message
    from hcsshim.host.systems.configuration import Configuration, Networking

_FORBIDDEN_IN_IDS = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST_ID = 255
#: What processes have after a shutdown before they are killed; as on Windows.
_SHUTDOWN_SECONDS = 5.0
#: The status of a process whose end the silo did not live to report.
_KILLED = signals.SIGKILL


def check_id(system_id: str | None) -> str:
    """
    Check the id of a system to be.

    Raises:
        Refusal: It is empty, too long, or holds characters of paths.
    """
    if not system_id or len(system_id) > _LONGEST_ID or system_id in (".", ".."):
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER,
            f"The id of a system has 1 to {_LONGEST_ID} characters.",
        )
    if _FORBIDDEN_IN_IDS.search(system_id):
        raise refuse(
            HResult.ERROR_INVALID_PARAMETER,
            f"The id {system_id!a} has a character that no id may have.",
        )
    return system_id


@attrs.frozen
class Exit:
    """How a system ended; the words are those of ``SystemExitStatus``."""

    kind: str
    detail: str
    initiator: str
    status: int = 0

    @property
    def document(self) -> str:
        """The ``SystemExitStatus`` document."""
        return system_exit_status(self.status, self.kind, self.detail, self.initiator)


SHUT_DOWN = Exit("GracefulExit", "Shutdown", "Client")
TERMINATED = Exit("ForcedExit", "Terminate", "Client")
UNEXPECTED = Exit(
    "UnexpectedExit", "UnexpectedExit", "Unknown", HResult.HCS_E_UNEXPECTED_EXIT
)


class Creation:
    """A process that the silo is starting; ``done`` gets it, or why not."""

    __slots__ = ("cancelled", "client", "command", "done")

    def __init__(
        self,
        command: Command,
        client: object,
        done: Callable[[Process | Refusal, int], None],
    ) -> None:
        self.command = command
        self.client = client
        self.done = done
        self.cancelled = False


class System:
    """
    One compute system.

    Args:
        system_id: As the client spelled it.
        configuration: What it was made from.
        silo: Under it; becomes the system's own.
        loop: Watches the silo.
        removed: Told when it has ended, before anybody else.
    """

    def __init__(
        self,
        system_id: str,
        configuration: Configuration,
        silo: Silo,
        loop: Loop,
        removed: Callable[[System], None],
    ) -> None:
        self.id = system_id
        self.configuration = configuration
        self.silo = silo
        self.state = State.CREATING
        self.limits = configuration.limits
        #: What of the machine is shown now, by the path in the container.
        self.mapped_directories = {
            directory.target: directory
            for directory in configuration.mapped_directories
        }
        self.processes: dict[int, Process] = {}
        self.handles = 0
        self.started_at = 0.0
        self.started_monotonic = 0.0
        self.exit: Exit | None = None
        self.exited = Latch()
        #: Its first process on the machine, once the silo is ready.
        self.init_pid = 0
        #: Gives it its network, if its document names one.
        self.plug: Callable[[System], None] | None = None
        #: Gives it an endpoint by its id, or takes it away.
        self.replug: Callable[[System, str, bool], None] | None = None
        self._loop = loop
        self._removed = removed
        self._created: Callable[[Refusal | None], None] | None = None
        self._creations: dict[int, Creation] = {}
        self._next_token = 1
        self._cause: Exit | None = None
        self._grace: Timer | None = None
        loop.watch(silo.fileno(), READ, self._silo_speaks)

    # -- what is asked of it ---------------------------------------------

    def _require(self, verb: Verb) -> State:
        """
        Look up where a verb leads.

        Raises:
            Refusal: Nowhere, from the present state.
        """
        target = outcome(self.state, verb)
        if isinstance(target, State):
            return target
        raise refuse(target, f"The system '{self.id}' cannot {verb.value} now.")

    def when_created(self, created: Callable[[Refusal | None], None]) -> None:
        """Call once the silo is ready, or has failed."""
        self._created = created

    def start(self) -> None:
        """
        Start a created system, having given it its network.

        Raises:
            Refusal: It is in another state, or its network cannot be made.
        """
        target = self._require(Verb.START)
        if self.plug is not None:
            self.plug(self)
        self.state = target
        self.started_at = time()
        self.started_monotonic = monotonic()

    def shutdown(self) -> None:
        """
        Ask all processes to end, and end with them.

        Raises:
            Refusal: It does not run.
        """
        self.state = self._require(Verb.SHUTDOWN)
        self._cause = SHUT_DOWN
        if not self.processes:
            self.silo.terminate()
            return
        self._grace = self._loop.call_later(_SHUTDOWN_SECONDS, self.silo.terminate)
        for process in tuple(self.processes.values()):
            self._ask_to_end(process)

    @staticmethod
    def _ask_to_end(process: Process) -> None:
        try:
            process.signal(signals.SIGTERM)
        except Refusal:
            return  # it ended by itself

    def terminate(self) -> None:
        """
        Kill all processes, and end.

        Raises:
            Refusal: It ended already.
        """
        frozen = self.state is State.PAUSED
        self.state = self._require(Verb.TERMINATE)
        self._cause = TERMINATED
        if frozen:
            self.silo.resume()
        self.silo.terminate()

    def pause(self) -> None:
        """
        Freeze all processes.

        Raises:
            Refusal: It does not run, or the machine cannot freeze.
        """
        target = self._require(Verb.PAUSE)
        try:
            self.silo.pause()
        except OSError as error:
            raise refuse_errno(
                error.errno or 0,
                f"The machine cannot freeze the processes of '{self.id}'",
                HResult.ERROR_NOT_SUPPORTED,
            ) from None
        self.state = target

    def resume(self) -> None:
        """
        Let frozen processes go on.

        Raises:
            Refusal: It is not paused.
        """
        self.state = self._require(Verb.RESUME)
        self.silo.resume()

    def save(self) -> None:
        """
        Refuse: HCS cannot save containers either.

        Raises:
            Refusal: Always.
        """
        self._require(Verb.SAVE)

    def require_properties(self) -> None:
        """
        Check that it can be asked for properties.

        Raises:
            Refusal: It is not made yet.
        """
        self._require(Verb.GET_PROPERTIES)

    def limit(self, limits: Limits) -> None:
        """
        Replace the limits.

        Raises:
            Refusal: In this state, or on this machine, it is not possible.
        """
        self._require(Verb.MODIFY)
        try:
            self.silo.limit(limits)
        except OSError as error:
            raise refuse_errno(
                error.errno or 0,
                f"The limits of '{self.id}' cannot be changed",
                HResult.ERROR_NOT_SUPPORTED,
            ) from None
        self.limits = limits

    def map_directory(self, directory: MappedDirectory) -> None:
        """
        Show one more directory of the machine.

        Raises:
            Refusal: In this state, or on this machine, it is not possible.
        """
        self._require(Verb.MODIFY)
        if directory.target in self.mapped_directories:
            raise refuse(
                HResult.ERROR_ALREADY_EXISTS,
                f"'{directory.target}' shows a directory of the machine already.",
            )
        try:
            self.silo.map_directory(directory)
        except OSError as error:
            raise refuse_errno(
                error.errno or 0, f"'{directory.source}' cannot be mapped"
            ) from None
        self.mapped_directories[directory.target] = directory

    def change_network(self, endpoint: str, *, added: bool) -> None:
        """
        Give it one more endpoint, or take one away.

        Args:
            endpoint: Id of the endpoint.
            added: Whether to give it.

        Raises:
            Refusal: In this state, or for this endpoint, it is not possible.
        """
        self._require(Verb.MODIFY)
        if self.replug is not None:
            self.replug(self, endpoint, added)

    def unmap_directory(self, target: str) -> None:
        """
        Show a mapped directory no more.

        Raises:
            Refusal: None is mapped there, or it is in use.
        """
        self._require(Verb.MODIFY)
        if target not in self.mapped_directories:
            raise refuse(HResult.ERROR_NOT_FOUND, f"Nothing is mapped to '{target}'.")
        try:
            self.silo.unmap_directory(target)
        except OSError as error:
            absent = isinstance(error, FileNotFoundError)
            raise refuse_errno(
                error.errno or 0,
                f"'{target}' cannot be unmapped",
                HResult.ERROR_NOT_FOUND if absent else None,
            ) from None
        self.mapped_directories.pop(target, None)

    def create_process(self, creation: Creation) -> None:
        """
        Begin to start a process.

        Raises:
            Refusal: The system does not run.
        """
        self._require(Verb.CREATE_PROCESS)
        token = self._next_token
        self._next_token += 1
        self.silo.start(token, creation.command)
        self._creations[token] = creation

    # -- handles ---------------------------------------------------------

    def hold(self) -> None:
        """Count one more handle."""
        self.handles += 1

    def release(self) -> None:
        """Count one handle less; the last one may end the system."""
        self.handles -= 1
        self._end_if_unwanted()

    def _end_if_unwanted(self) -> None:
        if self.handles == 0 and self.configuration.terminate_on_last_close:
            try:
                self.terminate()
            except Refusal:
                return  # it ended already

    # -- what the silo says ----------------------------------------------

    def _silo_speaks(self, _events: int) -> None:
        for message in self.silo.receive():
            self._handle(message)

    def _handle(self, message: Message) -> None:
        if isinstance(message, Exited):
            self._process_ended(message)
        elif isinstance(message, Started):
            self._process_started(message)
        elif isinstance(message, Refused):
            creation = self._creations.pop(message.token)
            creation.done(_refusal_of_command(message, creation.command), -1)
        elif isinstance(message, Ready):
            if self.state is State.CREATING:
                self.init_pid = message.init_pid
                self.state = self._require(Verb.READY)
                self._tell_created(None)
        elif isinstance(message, Failed):
            self._end(_refusal_of_silo(message, self.id))
        elif isinstance(message, Gone):
            self._end(refuse(HResult.HCS_E_UNEXPECTED_EXIT))

    def _tell_created(self, refusal: Refusal | None) -> None:
        created, self._created = self._created, None
        if created is not None:
            created(refusal)

    def _process_started(self, message: Started) -> None:
        creation = self._creations.pop(message.token)
        process = Process(self, message.pid, message.console, creation.client)
        self.processes[message.pid] = process
        creation.done(process, message.console)
        if creation.cancelled:
            self._kill(process)
        elif self.state is State.STOPPING:
            self._ask_to_end(process)

    @staticmethod
    def _kill(process: Process) -> None:
        try:
            process.terminate()
        except Refusal:
            return  # it ended by itself

    def _process_ended(self, message: Exited) -> None:
        process = self.processes.pop(message.pid, None)
        if process is not None:
            process.end(message.status)
        if self._grace is not None and not self.processes:
            self._stop_waiting()
            self.silo.terminate()

    def _stop_waiting(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    def _end(self, refusal: Refusal) -> None:
        """The silo is gone: end what was in it, then tell everybody."""
        if self.state is State.STOPPED:
            return
        self._stop_waiting()
        self._loop.unwatch(self.silo.fileno())
        self.state = self._require(Verb.EXIT)
        self.exit = self._cause or UNEXPECTED
        self._loop.call_soon(self.silo.close)  # nobody need wait for that
        creations, self._creations = self._creations, {}
        for creation in creations.values():
            creation.done(refuse(HResult.HCS_E_SYSTEM_ALREADY_STOPPED), -1)
        processes, self.processes = self.processes, {}
        for process in processes.values():
            process.end(_KILLED)
        self._removed(self)
        if self._cause is TERMINATED:
            refusal = refuse(HResult.HCS_E_TERMINATED)
        self._tell_created(refusal)
        self.exited.fire()


def _refusal_of_silo(failed: Failed, system_id: str) -> Refusal:
    """Say why a silo could not be made: for a file's sake, or the kernel's."""
    if failed.path:
        missing = hresult_of_errno(failed.errno) == HResult.ERROR_FILE_NOT_FOUND
        return refuse_errno(
            failed.errno,
            f"To {failed.stage} failed for '{failed.path}'",
            HResult.ERROR_PATH_NOT_FOUND if missing else None,
        )
    return refuse_errno(
        failed.errno,
        f"This machine cannot isolate '{system_id}': to {failed.stage} failed",
        HResult.HCS_E_SERVICE_NOT_AVAILABLE,
    )


def _refusal_of_command(refused: Refused, command: Command) -> Refusal:
    """Say why a process could not be started."""
    if refused.path == command.directory and refused.path != command.arguments[0]:
        return refuse_errno(
            refused.errno,
            f"The working directory '{refused.path}' cannot be entered",
            HResult.ERROR_DIRECTORY
            if hresult_of_errno(refused.errno) != HResult.ERROR_ACCESS_DENIED
            else None,
        )
    if command.user and refused.stage == "switch to the user":
        return refuse(
            HResult.ERROR_ACCESS_DENIED,
            f"Nothing can run as '{command.user}': this host's user has no other users "
            "in its containers than root.",
        )
    if command.user and refused.path in (command.user, "/etc/passwd"):
        return refuse(
            HResult.ERROR_LOGON_FAILURE,
            f"The container knows no user '{command.user}'.",
        )
    subject = refused.path or command.arguments[0]
    return refuse_errno(refused.errno, f"'{subject}' cannot be started")


class Systems:
    """
    The systems of a host, by id.

    Args:
        loop: The host's.
        open_silo: Makes a silo; raises ``OSError`` where it cannot.
        layers: Of the host, which systems take and give back.
    """

    def __init__(
        self, loop: Loop, open_silo: Callable[[SiloConfig], Silo], layers: Layers
    ) -> None:
        self._loop = loop
        self._open_silo = open_silo
        self._layers = layers
        self._systems: dict[str, System] = {}
        self._made = 0
        #: Told whenever the last system went.
        self.emptied: Callable[[], None] | None = None
        #: Gives a starting system the network that its document names.
        self.plug: Callable[[System], None] | None = None
        #: Gives a system an endpoint by its id, or takes it away.
        self.replug: Callable[[System, str, bool], None] | None = None
        #: Told of each system that ended.
        self.unplug: Callable[[System], None] | None = None

    def __len__(self) -> int:
        return len(self._systems)

    def __iter__(self) -> Iterator[System]:
        """Go through those that clients can see."""
        for system in tuple(self._systems.values()):
            if system.state is not State.CREATING:
                yield system

    def require_free(self, system_id: str) -> None:
        """
        Check that an id is not in use, in any spelling.

        Raises:
            Refusal: It is.
        """
        if system_id.upper() in self._systems:
            raise refuse(
                HResult.HCS_E_SYSTEM_ALREADY_EXISTS, f"'{system_id}' is in use."
            )

    def create(self, system_id: str, configuration: Configuration) -> System:
        """
        Begin to make a system; its id must be free.

        Raises:
            Refusal: The machine cannot make silos, or a layer is in use.
        """
        self._made += 1
        taken = self._layers.take(configuration)
        try:
            silo = self._open_silo(
                _silo_config(
                    system_id,
                    configuration,
                    taken,
                    self._made,
                    self._network_of(configuration.networking),
                )
            )
        except OSError as error:
            self._layers.give_back(taken)
            raise refuse_errno(
                error.errno or 0,
                f"This machine cannot isolate '{system_id}'",
                HResult.HCS_E_SERVICE_NOT_AVAILABLE,
            ) from None
        system = System(system_id, configuration, silo, self._loop, self._remove)
        system.exited.listen(lambda: self._layers.give_back(taken))
        if configuration.networking:
            system.plug = self.plug
        system.replug = self.replug
        self._systems[system_id.upper()] = system
        return system

    def _network_of(self, networking: Networking) -> int | None:
        """Find the first process of a system that is in the same compartment."""
        if not networking:
            return None
        for system in self._systems.values():
            if not (system.init_pid and system.configuration.isolated):
                continue
            space = system.configuration.networking.namespace
            same = space and _folded(space) == _folded(networking.namespace)
            if same or system.id.upper() == networking.shared.upper():
                return system.init_pid
        return None

    def find(self, system_id: str | None) -> System:
        """
        Find a system.

        Raises:
            Refusal: There is none of this id.
        """
        system = self._systems.get((system_id or "").upper())
        if system is None or system.state is State.CREATING:
            raise refuse(
                HResult.HCS_E_SYSTEM_NOT_FOUND, f"There is no system '{system_id}'."
            )
        return system

    def running(self, system_id: str) -> System | None:
        """Find a system that runs, in any spelling of its id."""
        system = self._systems.get(system_id.upper())
        live = (State.RUNNING, State.PAUSED)
        return system if system is not None and system.state in live else None

    def _remove(self, system: System) -> None:
        del self._systems[system.id.upper()]
        if self.unplug is not None:
            self.unplug(system)
        if not self._systems and self.emptied is not None:
            self.emptied()

    def terminate_all(self) -> None:
        """End every system."""
        for system in tuple(self._systems.values()):
            if system.state is not State.STOPPED:
                system.terminate()

    def close_all(self) -> None:
        """Wait for the end of whatever has not ended yet."""
        for system in self._systems.values():
            system.silo.close()


def _folded(guid: str) -> str:
    """Give one spelling for all of a GUID."""
    return guid.strip("{}").lower()


def _silo_config(
    system_id: str,
    configuration: Configuration,
    taken: Taken,
    number: int,
    network_of: int | None,
) -> SiloConfig:
    """Name the silo uniquely: an id may hold what a silo's name may not."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", system_id)[:40]
    return SiloConfig(
        name=f"{readable}-{os.getpid()}-{number}",
        hostname=configuration.hostname or usual_host_name(system_id),
        layers=taken.roots,
        scratch=taken.scratch,
        root=configuration.root,
        mapped_directories=configuration.mapped_directories,
        limits=configuration.limits,
        isolated=configuration.isolated,
        demanding=configuration.demanding,
        mounted=taken.mounted,
        network_of=network_of,
    )
