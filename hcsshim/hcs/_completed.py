"""What :func:`hcsshim.run` gives back."""

from __future__ import annotations

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
        error = ProcessFailedError(
            operation="run",
            system_id=self.system_id,
            message=f"The process exited with code {self.returncode}.",
        )
        error.command = self.args if isinstance(self.args, str) else repr(self.args)
        error.returncode = self.returncode
        error.stdout, error.stderr = self.stdout, self.stderr
        raise error

    def __repr__(self) -> str:
        shown = [f"args={self.args!r}", f"returncode={self.returncode!r}"]
        if self.stdout is not None:
            shown.append(f"stdout={self.stdout!r}")
        if self.stderr is not None:
            shown.append(f"stderr={self.stderr!r}")
        return f"CompletedProcess({', '.join(shown)})"
