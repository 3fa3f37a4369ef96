"""
Exit codes as Windows means them.

A program that Windows ended, rather than one that chose its exit code, has an NTSTATUS
for one: ``0xC000013A`` says that Ctrl-C or a closed console ended it.

Source:
    ``ntstatus.h`` of the Windows SDK.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ExitCode", "describe_exit_code", "exit_code_name"]


class ExitCode(NamedTuple):
    """
    What an exit code of Windows means.

    Attributes:
        name: As the SDK has it.
        meaning: In a few words.
    """

    name: str
    meaning: str


_FIRST_ERROR = 0xC0000000

_CODES: dict[int, tuple[str, str]] = {
    0x00000103: ("STATUS_PENDING", "it still runs"),
    0x40000015: ("STATUS_FATAL_APP_EXIT", "it ended itself after a fatal error"),
    0x40010004: ("DBG_TERMINATE_PROCESS", "a debugger ended it"),
    0x80000003: ("STATUS_BREAKPOINT", "it met a breakpoint and no debugger"),
    0xC0000005: ("STATUS_ACCESS_VIOLATION", "it used memory that is not its own"),
    0xC0000006: ("STATUS_IN_PAGE_ERROR", "a page could not be read from disk"),
    0xC0000008: ("STATUS_INVALID_HANDLE", "it used an invalid handle"),
    0xC0000017: ("STATUS_NO_MEMORY", "there was not enough memory"),
    0xC000001D: ("STATUS_ILLEGAL_INSTRUCTION", "the processor lacks an instruction"),
    0xC0000022: ("STATUS_ACCESS_DENIED", "access was denied"),
    0xC0000025: ("STATUS_NONCONTINUABLE_EXCEPTION", "an exception was final"),
    0xC0000094: ("STATUS_INTEGER_DIVIDE_BY_ZERO", "it divided by zero"),
    0xC0000096: ("STATUS_PRIVILEGED_INSTRUCTION", "an instruction was privileged"),
    0xC000007B: ("STATUS_INVALID_IMAGE_FORMAT", "a file of it is no program for here"),
    0xC00000FD: ("STATUS_STACK_OVERFLOW", "its stack was used up"),
    0xC0000135: ("STATUS_DLL_NOT_FOUND", "a DLL that it needs is not there"),
    0xC0000138: ("STATUS_ORDINAL_NOT_FOUND", "a DLL lacks a function by number"),
    0xC0000139: ("STATUS_ENTRYPOINT_NOT_FOUND", "a DLL lacks a function"),
    0xC000013A: ("STATUS_CONTROL_C_EXIT", "Ctrl-C, or its console was closed"),
    0xC0000142: ("STATUS_DLL_INIT_FAILED", "a DLL could not be initialised"),
    0xC00002C9: ("STATUS_REG_NAT_CONSUMPTION", "it used a register without a value"),
    0xC000026B: ("STATUS_DLL_INIT_FAILED_LOGOFF", "the machine was shutting down"),
    0xC000041D: ("STATUS_FATAL_USER_CALLBACK_EXCEPTION", "a callback of it failed"),
    0xC0000374: ("STATUS_HEAP_CORRUPTION", "its heap is damaged"),
    0xC0000409: ("STATUS_STACK_BUFFER_OVERRUN", "it failed fast, or overran a buffer"),
    0xC0000417: ("STATUS_INVALID_CRUNTIME_PARAMETER", "it misused the C runtime"),
    0xC0000420: ("STATUS_ASSERTION_FAILURE", "an assertion failed"),
    0xC06D007E: ("VCPPEXCEPTION_MODULE_NOT_FOUND", "a DLL loaded late is not there"),
    0xC06D007F: ("VCPPEXCEPTION_PROC_NOT_FOUND", "a DLL loaded late lacks a function"),
    0xE0434352: ("CLR_EXCEPTION", "an exception of .NET was not handled"),
    0xE06D7363: ("CPP_EXCEPTION", "an exception of C++ was not handled"),
}


def exit_code_name(code: int | None) -> ExitCode | None:
    """
    Look up what an exit code of Windows means.

    Args:
        code: Signed or unsigned; ``None`` is answered with ``None``.

    Returns:
        Its name and meaning; ``None`` for a code that the program chose itself.
    """
    if code is None:
        return None
    found = _CODES.get(code & 0xFFFFFFFF)
    return None if found is None else ExitCode(*found)


def describe_exit_code(code: int) -> str:
    """
    Write an exit code for a person.

    Args:
        code: Signed or unsigned.

    Returns:
        ``3``; ``0xC000013A STATUS_CONTROL_C_EXIT: Ctrl-C, or its console was closed``;
        a large code without a name in hexadecimal.
    """
    found = exit_code_name(code)
    value = code & 0xFFFFFFFF
    if found is not None:
        return f"0x{value:08X} {found.name}: {found.meaning}"
    return f"0x{value:08X}" if code >= _FIRST_ERROR else str(code)
