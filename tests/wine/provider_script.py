"""What a program does with the package, whichever provider answers below."""

from __future__ import annotations

import asyncio
import sys

import hcsshim
from hcsshim import ComputeSystem, container_document
from hcsshim.errors import AlreadyExistsError, InvalidStateError, NotFoundError


def refused(kind: type[Exception], call: object, *arguments: object) -> str:
    """Give the text of the error that a call must raise."""
    try:
        call(*arguments)  # type: ignore[operator]  # it is a function
    except kind as error:
        return str(error)
    raise AssertionError(f"{call} was not refused")


async def await_one() -> bytes | None:
    """Run a command without blocking."""
    done = await hcsshim.async_run("cmd /c echo async", capture_output=True)
    return done.stdout


def main(name: str) -> None:
    """Live once, with blocking and awaitable calls, and be refused."""
    done = hcsshim.run("cmd /c echo hello& exit 3", capture_output=True)
    assert (done.returncode, done.stdout) == (3, b"hello\r\n"), done
    with ComputeSystem.create(name, container_document()) as system:
        system.start()
        with system.create_process(["cmd", "/c", "more"]) as process:
            assert process.communicate(b"b\r\na\r\n")[0] == b"b\r\na\r\n"
            assert process.returncode == 0
        assert name in [found.id for found in hcsshim.enumerate_systems()]
        refused(AlreadyExistsError, ComputeSystem.create, name, container_document())
        refused(NotFoundError, ComputeSystem.open, f"no-{name}")
        refused(InvalidStateError, system.start)
        system.terminate()
        assert system.wait(timeout=60) is not None
    assert asyncio.run(await_one()) == b"async\r\n"
    sys.stdout.write("ok\n")


if __name__ == "__main__":
    main(sys.argv[1])
