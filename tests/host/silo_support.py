"""
Silos for the tests of silos: base layers, and waiting for messages.
"""

from __future__ import annotations

import os
import select
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
from programs import find_program

from hcsshim.host.silos.port import (
    Command,
    Exited,
    Failed,
    Message,
    Ready,
    Refused,
    SiloConfig,
    Started,
)
from hcsshim.host.silos.silo_linux import LinuxSilo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 20.0
ENVIRONMENT = {"PATH": "/bin"}

APPLETS = [
    "cat",
    "dd",
    "echo",
    "env",
    "false",
    "grep",
    "head",
    "hostname",
    "id",
    "kill",
    "ls",
    "mkdir",
    "mount",
    "nproc",
    "ps",
    "pwd",
    "readlink",
    "rm",
    "seq",
    "sh",
    "sleep",
    "stty",
    "touch",
    "true",
    "tty",
    "wc",
]

PASSWD = "root:x:0:0:root:/root:/bin/sh\nworker:x:7:8:a worker:/:/bin/sh\n"  # noqa: S105 - a file of that name
GROUP = "root:x:0:\nstaff:x:8:\nwheel:x:9:root,worker\nothers:x:10:root\n"


def make_layer(folder: Path) -> Path:
    """
    Make a root file system of one static busybox.
    """
    (folder / "bin").mkdir(parents=True)
    shutil.copy(find_program("busybox"), folder / "bin" / "busybox")
    for name in APPLETS:
        (folder / "bin" / name).symlink_to("busybox")
    (folder / "etc").mkdir()
    (folder / "etc" / "passwd").write_text(PASSWD)
    (folder / "etc" / "group").write_text(GROUP)
    (folder / "marker").write_text("from the base\n")
    folder.chmod(0o755)
    return folder


@attrs.define(eq=False)
class Driver:
    """
    Waits for what a silo says, and keeps what was not asked for yet.
    """

    silo: LinuxSilo
    seen: list[Message] = attrs.field(factory=list)
    token: int = 0

    def expect(self, *kinds: type) -> Message:
        """
        Take the next message of one of the kinds.
        """
        while True:
            for message in self.seen:
                if isinstance(message, kinds):
                    self.seen.remove(message)
                    return message
            ready, _, _ = select.select([self.silo], [], [], PATIENCE)
            assert ready, f"no {kinds} within {PATIENCE} s, only {self.seen}"
            self.seen.extend(self.silo.receive())

    def start(self, *arguments: str, **fields: object) -> Started | Refused:
        """
        Start a command and give the answer.
        """
        self.token += 1
        fields.setdefault("environment", ENVIRONMENT)
        command = Command(arguments=arguments, **fields)  # type: ignore[arg-type]
        self.silo.start(self.token, command)
        answer = self.expect(Started, Refused)
        assert isinstance(answer, Started | Refused)
        assert self.token == answer.token
        return answer

    def exit_of(self, pid: int) -> int:
        """
        Wait for the end of one command and give its wait status.
        """
        others = []
        while True:
            message = self.expect(Exited)
            assert isinstance(message, Exited)
            if message.pid == pid:
                self.seen.extend(others)
                return message.status
            others.append(message)

    def run(self, script: str, **fields: object) -> str:
        """
        Run a shell script to its end; give what it wrote, and its exit code
        if that was not 0.
        """
        with tempfile.TemporaryFile() as output:
            file = output.fileno()
            answer = self.start("sh", "-c", script, files=(-1, file, file), **fields)
            assert isinstance(answer, Started), answer
            status = self.exit_of(answer.pid)
            output.seek(0)
            text = output.read().decode()
        code = os.waitstatus_to_exitcode(status)
        return text if code == 0 else f"{text}exit {code}"


@contextmanager
def running(config: SiloConfig) -> Iterator[Driver]:
    """
    Give a silo that is ready, and close it.
    """
    silo = LinuxSilo(config)
    try:
        driver = Driver(silo)
        message = driver.expect(Ready, Failed)
        assert isinstance(message, Ready), message
        yield driver
    finally:
        silo.close()
