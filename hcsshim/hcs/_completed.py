"""What :func:`hcsshim.run` gives back."""

from __future__ import annotations

from collections.abc import Mapping

from hcsshim.errors import ProcessFailedError

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim.hcs._parameters import Command


class CompletedProcess:
    """
    A process that was run; it feels like ``subprocess.CompletedProcess``.

    Attributes:
        args: What was run.
        returncode: The exit code, unsigned; -1 if the service cannot tell it.
        stdout: What it wrote, if that was captured, else ``None``.
        stderr: As ``stdout``.
        system_id: The system that it ran in.
    """

    __slots__ = ("args", "returncode", "stderr", "stdout", "system_id")

    def __init__(
        self,
        args: Command,
        returncode: int,
        *,
        stdout: bytes | None = None,
        stderr: bytes | None = None,
        system_id: str = "",
    ) -> None:
        self.args = args
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        self.system_id = system_id

    def check_returncode(self) -> None:
        """
        Raise if the exit code is not 0.

        Raises:
            ProcessFailedError: It is not; the error has what was captured.
        """
        if self.returncode == 0:
            return
        from hcsshim.ntstatus import describe_exit_code  # noqa: PLC0415 - failures

        error = ProcessFailedError(
            operation="run",
            system_id=self.system_id,
            message="The process exited with code "
            f"{describe_exit_code(self.returncode)}.",
        )
        error.command = self._command()
        error.returncode = self.returncode
        error.stdout, error.stderr = self.stdout, self.stderr
        raise error

    def _command(self) -> str:
        """Write what was run; of a document only the command, never its secrets."""
        if isinstance(self.args, Mapping):
            return repr(self.args.get("CommandLine") or self.args.get("CommandArgs"))
        return self.args if isinstance(self.args, str) else repr(self.args)

    @property
    def exit_code_name(self) -> str:
        """Windows' name of the exit code: ``STATUS_CONTROL_C_EXIT``; else ``""``."""
        from hcsshim.ntstatus import exit_code_name  # noqa: PLC0415 - seldom

        found = exit_code_name(self.returncode)
        return "" if found is None else found.name

    def __repr__(self) -> str:
        args = self._command() if isinstance(self.args, Mapping) else repr(self.args)
        shown = [f"args={args}", f"returncode={self.returncode!r}"]
        if self.stdout is not None:
            shown.append(f"stdout={self.stdout!r}")
        if self.stderr is not None:
            shown.append(f"stderr={self.stderr!r}")
        return f"CompletedProcess({', '.join(shown)})"
