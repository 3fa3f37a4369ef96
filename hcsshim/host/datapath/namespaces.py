"""
Network namespaces: making them, and doing something in one.

A thread can enter a namespace without the process following it, so each piece of work
runs on a thread of its own that ends with it; the host's own thread never leaves the
machine's namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import threading
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

CLONE_FS: Final = 0x00000200
CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000
_MS_BIND: Final = 4096
_NS_GET_USERNS: Final = 0xB701


def _call(name: str, *arguments: int) -> None:
    """Call a function of libc that Python has since 3.12 only."""
    library = ctypes.CDLL(None, use_errno=True)
    if library[name](*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def unshare(flags: int) -> None:
    """
    Give this thread namespaces of its own.

    Raises:
        OSError: Not allowed here.
    """
    _call("unshare", flags)


def enter(file: int, flags: int) -> None:
    """
    Move this thread to the namespace of a descriptor.

    Raises:
        OSError: Not allowed here.
    """
    _call("setns", file, flags)


def on_thread(work: Callable[[], T]) -> T:
    """Do something on a thread that ends with it, and give what it gives."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)

    thread = threading.Thread(target=run, name="hcsshim-namespace")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


class NetworkNamespace:
    """
    A network namespace.

    Args:
        file: Of it, which becomes this object's own; -1 for the one that this process
            is in.
    """

    def __init__(self, file: int = -1) -> None:
        self._file = file

    @classmethod
    def of_process(cls, pid: int) -> NetworkNamespace:
        """
        Give the one of a process.

        Raises:
            OSError: The process is gone.
        """
        return cls(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    @classmethod
    def make(cls) -> NetworkNamespace:
        """
        Make a new one, which lasts as long as anything refers to it.

        Raises:
            OSError: Not allowed here.
        """

        def work() -> NetworkNamespace:
            unshare(CLONE_NEWNET)
            thread = threading.get_native_id()
            return cls.of_process(thread)

        return on_thread(work)

    @property
    def identity(self) -> tuple[int, int]:
        """What two objects of the same namespace have in common."""
        path = "/proc/thread-self/ns/net" if self._file < 0 else self._file
        status = os.stat(path)
        return status.st_dev, status.st_ino

    def is_ours(self) -> bool:
        """Tell whether it belongs to the user namespace that this process is in."""
        path = f"/proc/self/fd/{self._file}" if self._file >= 0 else "/proc/self/ns/net"
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            owner = fcntl.ioctl(file, _NS_GET_USERNS)
        except PermissionError:  # to somebody further outside
            return False
        finally:
            os.close(file)
        try:
            return os.path.samestat(os.fstat(owner), os.stat("/proc/self/ns/user"))
        finally:
            os.close(owner)

    def duplicate(self) -> int:
        """Give a descriptor of it to somebody else; -1 for the process's own."""
        return -1 if self._file < 0 else os.dup(self._file)

    @property
    def file(self) -> int:
        """Its descriptor, -1 for the process's own."""
        return self._file

    def run(self, work: Callable[[], T]) -> T:
        """
        Do something in it.

        Raises:
            OSError: It may not be entered.
        """
        if self._file < 0:
            return work()

        def inside() -> T:
            enter(self._file, CLONE_NEWNET)
            return work()

        return on_thread(inside)

    def read_setting(self, path: str) -> str:
        """
        Read one of its settings, which the kernel offers as files.

        Args:
            path: Below ``/proc/sys/net``.

        Raises:
            OSError: There is none of this name.
        """

        def work() -> str:
            with open(f"/proc/sys/net/{path}", encoding="ascii") as file:
                return file.read().strip()

        return self.run(work)

    def write_settings(self, *settings: tuple[str, ...]) -> None:
        """
        Change some of its settings.

        Args:
            settings: Paths below ``/proc/sys/net``, each with its new value, or with
                values of which the first that the kernel takes is wanted.

        What this kernel has not is left out.

        Raises:
            OSError: One may not be changed.
        """

        def work() -> None:
            for path, *values in settings:
                with contextlib.suppress(FileNotFoundError):  # an older kernel
                    _write_first(f"/proc/sys/net/{path}", values)

        self.run(work)

    def close(self) -> None:
        """Let go of it. Idempotent."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def _write_first(path: str, values: list[str]) -> None:
    """Write with one call each, for the kernel takes each write as an order."""
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        for value in values[:-1]:
            with contextlib.suppress(OSError):
                os.write(file, value.encode())
                return
        os.write(file, values[-1].encode())
    finally:
        os.close(file)


def run_in_root(pid: int, work: Callable[[], T]) -> T:
    """
    Do something with another process's files: paths, links and mounts are as there.

    Raises:
        OSError: It is gone, or not ours.
    """
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_CLOEXEC)
    try:
        mounts = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except BaseException:
        os.close(root)
        raise

    def inside() -> T:
        unshare(CLONE_FS)  # so that the other threads keep their root
        enter(mounts, CLONE_NEWNS)
        os.fchdir(root)
        os.chroot(".")
        return work()

    try:
        return on_thread(inside)
    finally:
        os.close(mounts)
        os.close(root)


def bind(source: str, target: str) -> None:
    """
    Show a file in the place of another, in this thread's mounts.

    Raises:
        OSError: Not allowed here, or one of them is missing.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(source.encode(), target.encode(), None, _MS_BIND, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mount: {os.strerror(error)}", target)
