"""
Silos of Windows: one job object each.

A job keeps processes together: they are limited, counted and killed as one. It hides
nothing from them: a silo here sees the machine's own files and network. Layers and
mapped directories are seen in a folder, which its processes begin in; what that
cannot be, the log says. Its processes get real named pipes, and a pseudo console where
the system has them.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from typing import TYPE_CHECKING

from hcsshim._native import win32
from hcsshim.documents.command_line import join
from hcsshim.host import signals
from hcsshim.host.serving.timers import READ
from hcsshim.host.serving.transport_windows import make_pipe
from hcsshim.host.silos import consoles_windows as consoles
from hcsshim.host.silos import jobs_windows as jobs
from hcsshim.host.silos.port import (
    Exited,
    Failed,
    Gone,
    Limits,
    ProcessStatistics,
    Ready,
    Refused,
    Started,
    Statistics,
)

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

if TYPE_CHECKING:
    from collections.abc import Callable

    from hcsshim.host.serving.loop import Loop
    from hcsshim.host.silos.port import Command, MappedDirectory, Message, SiloConfig
    from hcsshim.host.silos.root_windows import Root

#: Users that the processes of every silo are: ours has no others.
_OWN_USERS = frozenset(("", "containeradministrator", "containeruser"))
#: The code that a killed process ends with.
_KILLED_CODE = 1
#: The least that a process needs to start, taken from the host's own environment.
_INHERITED = (
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATH",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROCESSOR_IDENTIFIER",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PUBLIC",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
)


class WindowsSilo:
    """
    A silo of this machine; see :class:`hcsshim.host.silos.port.Silo`.

    Args:
        config: What to make it from.
        loop: That watches its processes.
        log: Told what it is not.

    Raises:
        OSError: No job can be made.
    """

    def __init__(
        self, config: SiloConfig, loop: Loop, log: Callable[[str], None]
    ) -> None:
        self._config = config
        self._loop = loop
        self._log = log
        self._root: Root | None = None
        self._thread: threading.Thread | None = None
        self._making = False
        self._messages: list[Message] = []
        self._running: dict[int, jobs.Started] = {}
        self._killed: set[int] = set()
        self._paused = False
        self._ending = False
        self._ended = False
        self._closed = False
        self._event = win32.create_event()
        try:
            self._job = jobs.create_job()
        except OSError:
            win32.close_handle(self._event)
            raise
        self._set_up()

    def _set_up(self) -> None:
        config = self._config
        rooted = config.layers or config.scratch is not None
        if config.demanding and (rooted or config.mapped_directories):
            path = str((*config.layers, config.scratch)[0]) if rooted else ""
            self._fail("hide the machine's files with layers", path, errno.ENOSYS)
            return
        try:
            if config.limits != Limits():
                self.limit(config.limits)
        except OSError as error:
            self._fail("limit what processes may use", "", error.errno or 0)
            return
        if not rooted and not config.mapped_directories:
            self._say(Ready(init_pid=os.getpid()))
            return
        self._warn()
        from hcsshim.host.silos.root_windows import Root  # noqa: PLC0415 - not for all

        self._root = Root(config)
        self._making = True
        self._in_thread(self._root.make, self._rooted)

    def _warn(self) -> None:
        """Say what a folder cannot be for those who think that it is their root."""
        name = self._config.hostname
        self._log(
            f"shows the layers of '{name}' to its processes as the folder they begin "
            "in: Windows alone lets nobody show them as C:\\, which is the machine's"
        )
        if any(directory.read_only for directory in self._config.mapped_directories):
            self._log(f"cannot keep '{name}' from writing to what is mapped read-only")

    def _in_thread(
        self, work: Callable[[], None], done: Callable[[OSError | None], None]
    ) -> None:
        """Do what takes long, then tell of its end in the loop's thread."""

        def run() -> None:
            failure: OSError | None = None
            try:
                work()
            except OSError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - or nobody would be told
                failure = OSError(errno.EIO, str(error))
            self._loop.call_from_thread(lambda: done(failure))

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def _rooted(self, failure: OSError | None) -> None:
        self._making = False
        if failure is not None:
            self._root = None
            path = str(failure.filename or "")
            self._fail("show the layers", path, failure.errno or errno.EIO)
        elif self._ending:
            self._finish()
        elif not self._closed:
            self._say(Ready(init_pid=os.getpid()))

    def _fail(self, stage: str, path: str, number: int) -> None:
        self._ended = True
        self._say(Failed(stage=stage, path=path, errno=number))

    def _say(self, message: Message) -> None:
        if self._closed:
            return
        self._messages.append(message)
        win32.set_event(self._event)

    def fileno(self) -> int:
        """Give the event that is set when :meth:`receive` has news."""
        return self._event

    def receive(self) -> list[Message]:
        """Take what has arrived, without waiting. Empty if nothing has."""
        messages, self._messages = self._messages, []
        if not self._closed:
            win32.reset_event(self._event)
        return messages

    # -- processes -------------------------------------------------------

    def start(self, token: int, command: Command) -> None:
        """
        Start a process; ``Started`` or ``Refused`` with the token answers.

        Raises:
            BrokenPipeError: The silo is gone.
        """
        if self._ended or self._ending or self._closed:
            raise BrokenPipeError(errno.EPIPE, "the silo is gone")
        if command.user.lower() not in _OWN_USERS:
            self._refuse(token, "change the user", command.user, errno.EPERM)
            return
        if not os.path.isdir(self._find(command.directory)):
            path = command.directory
            self._refuse(token, "enter the working directory", path, errno.ENOENT)
            return
        console = 0
        try:
            if command.console is not None:
                pipes = (make_pipe(0), make_pipe(1))
                console = consoles.create(*command.console, pipes)
            made = self._create_process(command, console)
        except OSError as error:
            if console:
                consoles.close(console)
            number = errno.ENOEXEC if error.winerror == 193 else error.errno or 0
            self._refuse(token, "start the program", command.arguments[0], number)
            return
        self._running[made.process_id] = made
        process_id = made.process_id
        self._say(Started(token=token, pid=process_id, console=console or -1))
        self._loop.watch(made.handle, READ, lambda _events: self._exited(process_id))

    def _refuse(self, token: int, stage: str, path: str, number: int) -> None:
        self._say(Refused(token=token, stage=stage, path=path, errno=number))

    def _create_process(self, command: Command, console: int) -> jobs.Started:
        files: list[int] = []
        try:
            for file in command.files:
                files.append(_inheritable(file))  # noqa: PERF401 - kept if one fails
            environment = _environment(command, self._config.hostname)
            if self._root is not None:
                _point_to(self._root, environment)
            application, line = self._program(command, environment)
            return jobs.start_process(
                application,
                line,
                environment=environment,
                directory=self._find(command.directory),
                files=(files[0], files[1], files[2]),
                console=console,
                job=self._job,
            )
        finally:
            for file in files:
                win32.close_handle(file)

    def _find(self, path: str) -> str:
        """Give the machine's path for one of the container."""
        return path if self._root is None else self._root.find(path)

    def _program(
        self, command: Command, environment: dict[str, str]
    ) -> tuple[str | None, str]:
        """
        Find a program by its path; one without is found as ``CreateProcess`` does.

        Returns:
            The program, if it was found, and its command line. A batch file is not a
            program: its shell starts it, by the command line.
        """
        import shutil  # noqa: PLC0415 - not for Linux

        line = command.line or join(command.arguments)
        name = command.arguments[0]
        path = next((v for n, v in environment.items() if n.upper() == "PATH"), None)
        if self._root is not None:
            name = self._root.find_program(name, command.directory)
            path = f"{self._find(command.directory)}{os.pathsep}{path or ''}"
        found = shutil.which(name, path=path)
        if found is None or not found.lower().endswith((".bat", ".cmd")):
            return found, line
        if self._root is not None and found.startswith(self._root.path):
            line = join((found, *command.arguments[1:]))
        return None, line

    def _exited(self, process_id: int) -> None:
        made = self._running.pop(process_id)
        self._loop.unwatch(made.handle)
        status = jobs.exit_code(made.handle) << 8
        if process_id in self._killed:
            self._killed.discard(process_id)
            status = signals.SIGKILL
        win32.close_handle(made.handle)
        self._say(Exited(pid=process_id, status=status))
        if self._ending and not self._running:
            self._finish()

    def signal(self, pid: int, number: int) -> None:
        """
        Send a signal to one process; Windows has but the one that kills.

        Raises:
            ProcessLookupError: It is gone.
            OSError: It is another signal.
        """
        made = self._running.get(pid)
        if made is None or win32.is_set(made.handle):
            raise ProcessLookupError(errno.ESRCH, f"no process {pid} in the silo")
        if number != signals.SIGKILL:
            raise OSError(errno.ENOSYS, "a process without a console has no signals")
        self._killed.add(pid)
        jobs.terminate_process(made.handle, _KILLED_CODE)

    def terminate(self) -> None:
        """Kill everything; ``Exited`` for each command, then ``Gone`` follow."""
        if self._ending or self._ended:
            return
        self._ending = True
        self._killed.update(
            pid for pid, made in self._running.items() if not win32.is_set(made.handle)
        )
        jobs.terminate_job(self._job, _KILLED_CODE)
        if not self._running and not self._making:
            self._finish()

    def _finish(self) -> None:
        root, self._root = self._root, None
        if root is not None:
            self._in_thread(root.remove, lambda _failure: self._gone())
        else:
            self._gone()

    def _gone(self) -> None:
        self._ended = True
        self._say(Gone())

    # -- what a running silo is asked about --------------------------------

    def pause(self) -> None:
        """Stop every process where it is."""
        self._paused = True
        for process_id in jobs.process_ids(self._job):
            jobs.suspend(process_id)

    def resume(self) -> None:
        """Let paused processes go on."""
        if not self._paused:
            return
        self._paused = False
        for process_id in jobs.process_ids(self._job):
            jobs.suspend(process_id, resume=True)

    def limit(self, limits: Limits) -> None:
        """
        Replace the limits of a running silo.

        Raises:
            OSError: The machine refuses them.
        """
        jobs.limit_job(self._job, memory_bytes=limits.memory_bytes)
        if limits.cpus is not None or limits.cpu_weight is not None:
            jobs.limit_job_processors(
                self._job, cpus=limits.cpus, weight=limits.cpu_weight
            )

    def map_directory(self, directory: MappedDirectory) -> None:
        """
        Show one more directory in the folder that is the root.

        Raises:
            OSError: There is no such folder, or this machine cannot.
        """
        if self._root is None:
            raise OSError(
                errno.ENOSYS, "a job cannot map directories", directory.target
            )
        self._root.map(directory)

    def unmap_directory(self, target: str) -> None:
        """
        Show a directory no more.

        Raises:
            OSError: It is not mapped, or in use.
        """
        if self._root is None:
            raise FileNotFoundError(errno.ENOENT, "nothing is mapped", target)
        self._root.unmap(target)

    def statistics(self) -> Statistics:
        """Tell what the silo used so far."""
        used = jobs.accounts(self._job)
        living = [jobs.process_accounts(pid) for pid in jobs.process_ids(self._job)]
        found = [process for process in living if process is not None]
        user = used.user if used else sum(process.user for process in found)
        kernel = used.kernel if used else sum(process.kernel for process in found)
        io = used.io if used else None
        return Statistics(
            cpu_total=user + kernel,
            cpu_user=user,
            cpu_kernel=kernel,
            memory=sum(process.memory for process in found),
            memory_peak=None,
            read_count=io[0] if io else None,
            read_bytes=io[1] if io else None,
            write_count=io[2] if io else None,
            write_bytes=io[3] if io else None,
            exact=used is not None,
        )

    def processes(self) -> list[ProcessStatistics]:
        """List the living processes."""
        listed = []
        for process_id in sorted(jobs.process_ids(self._job)):
            used = jobs.process_accounts(process_id)
            if used is not None:
                listed.append(
                    ProcessStatistics(
                        pid=process_id,
                        image=used.image,
                        cpu_user=used.user,
                        cpu_kernel=used.kernel,
                        memory=used.memory,
                        started=used.started,
                    )
                )
        return listed

    # -- the end -----------------------------------------------------------

    def close(self) -> None:
        """Terminate and free everything. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._ended = True
        jobs.terminate_job(self._job, _KILLED_CODE)
        if self._thread is not None:
            self._thread.join()
        if self._root is not None:
            self._root.remove()
            self._root = None
        for made in self._running.values():
            self._loop.unwatch(made.handle)
            win32.close_handle(made.handle)
        self._running.clear()
        win32.close_handle(self._job)
        win32.close_handle(self._event)


def _inheritable(file: int) -> int:
    """Give a handle that a child may have; of nothing, if there is no file."""
    import _winapi  # noqa: PLC0415 - Windows' own

    if file >= 0:
        return win32.duplicate_handle(file, inheritable=True)
    access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
    nothing = _winapi.CreateFile("NUL", access, 0, 0, _winapi.OPEN_EXISTING, 0, 0)
    try:
        return win32.duplicate_handle(nothing, inheritable=True)
    finally:
        win32.close_handle(nothing)


def _environment(command: Command, hostname: str) -> dict[str, str]:
    """Merge a command's variables over those that no program lacks."""
    variables = {name: os.environ[name] for name in _INHERITED if os.environ.get(name)}
    variables["COMPUTERNAME"] = hostname
    names = {name.upper(): name for name in variables}
    for name, value in command.environment.items():
        variables.pop(names.get(name.upper(), ""), None)
        if value:
            variables[name] = value
    return variables


def _point_to(root: Root, environment: dict[str, str]) -> None:
    """Let a process know where its root is."""
    from hcsshim.host.silos.root_windows import VARIABLE  # noqa: PLC0415 - not for all

    for name, value in environment.items():
        if name.upper() == "PATH":
            environment[name] = root.search_path(value)
    environment.setdefault(VARIABLE, root.path)
