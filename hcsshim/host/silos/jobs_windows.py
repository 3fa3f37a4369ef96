"""
Processes and job objects of Windows, as silos need them.

Typed by hand over ctypes; failures are ``OSError`` with ``winerror``. Handles are plain
numbers.

Source:
    The Windows SDK: ``processthreadsapi.h``, ``jobapi2.h``, ``winnt.h``, ``psapi.h``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import wintypes
from typing import NamedTuple

from hcsshim._native.win32 import failure, kernel32

assert sys.platform == "win32"  # noqa: S101 - tells type checkers, too

_ntdll = ctypes.WinDLL("ntdll")

_SUSPENDED = 0x4
_UNICODE_ENVIRONMENT = 0x400
_NO_WINDOW = 0x08000000
_EXTENDED_STARTUP = 0x00080000
_HANDLE_LIST = 0x00020002
_PSEUDO_CONSOLE = 0x00020016
_USE_STANDARD_HANDLES = 0x100
_BASIC_AND_IO_ACCOUNTING = 8
_BASIC_ACCOUNTING = 1
_PROCESS_ID_LIST = 3
_EXTENDED_LIMITS = 9
_CPU_RATE_CONTROL = 15
_LIMIT_JOB_MEMORY = 0x200
_LIMIT_KILL_ON_CLOSE = 0x2000
_CPU_RATE_ENABLE = 1
_CPU_RATE_WEIGHT = 2
_CPU_RATE_HARD_CAP = 4
_TICK = 1e-7  # seconds in a FILETIME's unit
_EPOCH_SECONDS = 11644473600  # from 1601 to 1970
_QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_SUSPEND_RESUME = 0x0800
_MOST_PROCESSES = 4096
_SIXTEEN_PATHS = 32768

kernel32.CreateJobObjectW.restype = ctypes.c_void_p


class _StartupInfo(ctypes.Structure):
    _fields_ = (
        ("size", wintypes.DWORD),
        ("reserved", wintypes.LPWSTR),
        ("desktop", wintypes.LPWSTR),
        ("title", wintypes.LPWSTR),
        ("geometry", wintypes.DWORD * 7),
        ("flags", wintypes.DWORD),
        ("show", wintypes.WORD),
        ("reserved_size", wintypes.WORD),
        ("reserved_bytes", ctypes.c_void_p),
        ("files", ctypes.c_void_p * 3),
        ("attributes", ctypes.c_void_p),
    )


class _ProcessInformation(ctypes.Structure):
    _fields_ = (
        ("process", ctypes.c_void_p),
        ("thread", ctypes.c_void_p),
        ("process_id", wintypes.DWORD),
        ("thread_id", wintypes.DWORD),
    )


class _BasicAccounting(ctypes.Structure):
    _fields_ = (
        ("user", ctypes.c_int64),
        ("kernel", ctypes.c_int64),
        ("period_user", ctypes.c_int64),
        ("period_kernel", ctypes.c_int64),
        ("faults", wintypes.DWORD),
        ("total", wintypes.DWORD),
        ("active", wintypes.DWORD),
        ("terminated", wintypes.DWORD),
    )


class _IoCounters(ctypes.Structure):
    _fields_ = (
        ("reads", ctypes.c_uint64),
        ("writes", ctypes.c_uint64),
        ("others", ctypes.c_uint64),
        ("read_bytes", ctypes.c_uint64),
        ("write_bytes", ctypes.c_uint64),
        ("other_bytes", ctypes.c_uint64),
    )


class _BasicAndIoAccounting(ctypes.Structure):
    _fields_ = (("basic", _BasicAccounting), ("io", _IoCounters))


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", wintypes.DWORD),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("active_processes", wintypes.DWORD),
        ("affinity", ctypes.c_size_t),
        ("priority", wintypes.DWORD),
        ("scheduling", wintypes.DWORD),
        ("io", _IoCounters),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


class _CpuRate(ctypes.Structure):
    _fields_ = (("flags", wintypes.DWORD), ("rate", wintypes.DWORD))


class _ProcessIds(ctypes.Structure):
    _fields_ = (
        ("assigned", wintypes.DWORD),
        ("count", wintypes.DWORD),
        ("ids", ctypes.c_size_t * _MOST_PROCESSES),
    )


class _MemoryCounters(ctypes.Structure):
    _fields_ = (
        ("size", wintypes.DWORD),
        ("faults", wintypes.DWORD),
        ("peak_working_set", ctypes.c_size_t),
        ("working_set", ctypes.c_size_t),
        ("quotas", ctypes.c_size_t * 4),
        ("page_file", ctypes.c_size_t),
        ("peak_page_file", ctypes.c_size_t),
    )


class Started(NamedTuple):
    """A process that was started; its handle is the receiver's."""

    handle: int
    process_id: int


class Accounts(NamedTuple):
    """What the processes of a job have used, the ended ones included."""

    user: float
    kernel: float
    io: tuple[int, int, int, int] | None


class ProcessAccounts(NamedTuple):
    """What one process has used; times in seconds."""

    image: str
    user: float
    kernel: float
    started: float
    memory: int


class _Attributes:
    """A list of attributes for a new process, with what it points to."""

    def __init__(self, attribute: int, value: ctypes.Array[ctypes.c_void_p]) -> None:
        size = ctypes.c_size_t()
        kernel32.InitializeProcThreadAttributeList(None, 1, 0, ctypes.byref(size))
        self._value = value
        self.room = ctypes.create_string_buffer(size.value)
        if not kernel32.InitializeProcThreadAttributeList(
            self.room, 1, 0, ctypes.byref(size)
        ):
            raise failure()
        # The value of a pseudo console is its handle, not where that stands.
        is_console = attribute == _PSEUDO_CONSOLE
        if not kernel32.UpdateProcThreadAttribute(
            self.room,
            0,
            ctypes.c_size_t(attribute),
            ctypes.c_void_p(value[0]) if is_console else value,
            ctypes.c_size_t(ctypes.sizeof(value)),
            None,
            None,
        ):
            self.close()
            raise failure()

    def close(self) -> None:
        kernel32.DeleteProcThreadAttributeList(self.room)


def _environment_block(variables: dict[str, str]) -> ctypes.Array[ctypes.c_wchar]:
    """Write variables as Windows wants them: sorted, each with a NUL, and one more."""
    ordered = sorted(variables.items(), key=lambda item: item[0].upper())
    text = "".join(f"{name}={value}\0" for name, value in ordered)
    return ctypes.create_unicode_buffer(text or "\0")


def start_process(  # noqa: PLR0913 - what a process is started with
    application: str | None,
    line: str,
    *,
    environment: dict[str, str],
    directory: str,
    files: tuple[int, int, int],
    console: int,
    job: int,
) -> Started:
    """
    Start a process as part of a job.

    Args:
        application: Path of the program; ``None`` finds it by the command line.
        line: The command line.
        environment: All of it.
        directory: Where it begins.
        files: Inheritable handles of its stdio; not used with a console.
        console: A pseudo console, or 0.
        job: Its handle.

    Raises:
        OSError: It cannot be started; then there is none.
    """
    startup = _StartupInfo()
    startup.size = ctypes.sizeof(startup)
    # With a console they stay NULL, or the process would get those of the host.
    startup.flags = _USE_STANDARD_HANDLES
    if console:
        value = (ctypes.c_void_p * 1)(console)
        attributes = _Attributes(_PSEUDO_CONSOLE, value)
    else:
        distinct = tuple(dict.fromkeys(files))
        value = (ctypes.c_void_p * len(distinct))(*distinct)
        attributes = _Attributes(_HANDLE_LIST, value)
        startup.files = (ctypes.c_void_p * 3)(*files)
    startup.attributes = ctypes.addressof(attributes.room)
    flags = _SUSPENDED | _UNICODE_ENVIRONMENT | _EXTENDED_STARTUP
    made = _ProcessInformation()
    try:
        if not kernel32.CreateProcessW(
            application,
            ctypes.create_unicode_buffer(line),
            None,
            None,
            not console,
            flags if console else flags | _NO_WINDOW,
            _environment_block(environment),
            directory,
            ctypes.byref(startup),
            ctypes.byref(made),
        ):
            raise failure()
    finally:
        attributes.close()
    return _let_run(made, job)


def _let_run(made: _ProcessInformation, job: int) -> Started:
    """Put a suspended process into its job, then let it go on."""
    process, thread = ctypes.c_void_p(made.process), ctypes.c_void_p(made.thread)
    try:
        if not kernel32.AssignProcessToJobObject(ctypes.c_void_p(job), process):
            error = failure()
            kernel32.TerminateProcess(process, 1)
            kernel32.CloseHandle(process)
            raise error
        kernel32.ResumeThread(thread)
    finally:
        kernel32.CloseHandle(thread)
    return Started(int(made.process), int(made.process_id))


def exit_code(process: int) -> int:
    """Give the exit code of a process that has ended."""
    code = wintypes.DWORD()
    kernel32.GetExitCodeProcess(ctypes.c_void_p(process), ctypes.byref(code))
    return code.value


def terminate_process(process: int, code: int) -> None:
    """
    Kill a process.

    Raises:
        OSError: It has ended already.
    """
    if not kernel32.TerminateProcess(ctypes.c_void_p(process), code):
        raise failure()


def create_job() -> int:
    """Make a job whose processes die when its last handle is closed."""
    job = kernel32.CreateJobObjectW(None, None)
    if not job:
        raise failure()
    limit_job(int(job), memory_bytes=None)
    return int(job)


def _set_information(
    job: int, kind: int, information: ctypes.Structure | ctypes.Union
) -> bool:
    return bool(
        kernel32.SetInformationJobObject(
            ctypes.c_void_p(job),
            kind,
            ctypes.byref(information),
            ctypes.sizeof(information),
        )
    )


def _query_information(job: int, kind: int, information: ctypes.Structure) -> bool:
    return bool(
        kernel32.QueryInformationJobObject(
            ctypes.c_void_p(job),
            kind,
            ctypes.byref(information),
            ctypes.sizeof(information),
            None,
        )
    )


def limit_job(job: int, *, memory_bytes: int | None) -> None:
    """
    Limit the memory of a job's processes together.

    Raises:
        OSError: The machine refuses it.
    """
    limits = _ExtendedLimits(flags=_LIMIT_KILL_ON_CLOSE)
    if memory_bytes is not None:
        limits.flags |= _LIMIT_JOB_MEMORY
        limits.job_memory = memory_bytes
    if not _set_information(job, _EXTENDED_LIMITS, limits):
        raise failure()


def limit_job_processors(job: int, *, cpus: float | None, weight: int | None) -> None:
    """
    Limit the processor time of a job's processes together.

    Args:
        job: Its handle.
        cpus: In processors; the limit that holds if both are given.
        weight: 1 to 10000, 100 is usual.

    Raises:
        OSError: The machine refuses it.
    """
    rate = _CpuRate()
    if cpus is not None:
        share = cpus / (os.cpu_count() or 1)
        rate.flags = _CPU_RATE_ENABLE | _CPU_RATE_HARD_CAP
        rate.rate = max(1, min(10000, round(share * 10000)))
    elif weight is not None:
        rate.flags = _CPU_RATE_ENABLE | _CPU_RATE_WEIGHT
        rate.rate = max(1, min(9, round(5 * (weight / 100) ** 0.5)))
    if not _set_information(job, _CPU_RATE_CONTROL, rate):
        raise failure()


def terminate_job(job: int, code: int) -> None:
    """Kill every process of a job."""
    kernel32.TerminateJobObject(ctypes.c_void_p(job), code)


def process_ids(job: int) -> list[int]:
    """List the living processes of a job."""
    found = _ProcessIds()
    if not _query_information(job, _PROCESS_ID_LIST, found):
        return []
    return [int(found.ids[index]) for index in range(found.count)]


def accounts(job: int) -> Accounts | None:
    """Tell what a job has used; ``None`` where the machine does not say."""
    both = _BasicAndIoAccounting()
    if _query_information(job, _BASIC_AND_IO_ACCOUNTING, both):
        io = both.io
        return Accounts(
            both.basic.user * _TICK,
            both.basic.kernel * _TICK,
            (io.reads, io.read_bytes, io.writes, io.write_bytes),
        )
    basic = _BasicAccounting()
    if _query_information(job, _BASIC_ACCOUNTING, basic):
        return Accounts(basic.user * _TICK, basic.kernel * _TICK, None)
    return None


def process_accounts(process_id: int) -> ProcessAccounts | None:
    """Tell what a process has used; ``None`` when it is gone."""
    process = kernel32.OpenProcess(_QUERY, False, process_id)
    if not process:
        return None
    handle = ctypes.c_void_p(process)
    try:
        times = [wintypes.FILETIME() for _ in range(4)]
        if not kernel32.GetProcessTimes(handle, *map(ctypes.byref, times)):
            return None
        created, _, kernel, user = [
            (time.dwHighDateTime << 32 | time.dwLowDateTime) * _TICK for time in times
        ]
        memory = _MemoryCounters()
        memory.size = ctypes.sizeof(memory)
        kernel32.K32GetProcessMemoryInfo(handle, ctypes.byref(memory), memory.size)
        path = ctypes.create_unicode_buffer(_SIXTEEN_PATHS)
        length = wintypes.DWORD(len(path))
        kernel32.QueryFullProcessImageNameW(handle, 0, path, ctypes.byref(length))
        return ProcessAccounts(
            image=path.value.rpartition("\\")[2],
            user=user,
            kernel=kernel,
            started=created - _EPOCH_SECONDS,
            memory=int(memory.working_set),
        )
    finally:
        kernel32.CloseHandle(handle)


def suspend(process_id: int, *, resume: bool = False) -> None:
    """Stop a process where it is, or let it go on; one that is gone is no failure."""
    process = kernel32.OpenProcess(_SUSPEND_RESUME, False, process_id)
    if not process:
        return
    if resume:
        _ntdll.NtResumeProcess(ctypes.c_void_p(process))
    else:
        _ntdll.NtSuspendProcess(ctypes.c_void_p(process))
    kernel32.CloseHandle(ctypes.c_void_p(process))
