"""
Silos that are made ahead, and what is left of silos that ended.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from silo_support import PATIENCE, Driver, make_layer

from hcsshim.host.serving.loop import Loop
from hcsshim.host.silos.launch_linux import Remains, SpareSilos
from hcsshim.host.silos.port import Exited, Gone, Ready, SiloConfig, Started
from hcsshim.host.silos.silo_linux import LinuxSilo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Bench:
    """
    What a host makes silos with.
    """

    def __init__(self) -> None:
        self.loop = Loop(self._failed)
        self.failures: list[BaseException] = []
        self.remains = Remains(self.loop)
        self.spares = SpareSilos(self.loop, self.remains)

    def _failed(self, error: BaseException) -> None:
        self.failures.append(error)

    def run_until(self, done: Callable[[], bool]) -> None:
        """
        Run the loop until something is so.
        """
        loop = self.loop
        expired = loop.call_later(PATIENCE, loop.stop)

        def look() -> None:
            if done():
                loop.stop()
            else:
                loop.call_later(0.002, look)

        look()
        loop.run()
        loop._stopping = False
        expired.cancel()
        assert done(), "it does not happen"

    def make(self, layer: Path, **fields: object) -> Driver:
        """
        Make a silo that is ready.
        """
        config = SiloConfig(name="s", hostname="s", layers=(layer,), **fields)  # type: ignore[arg-type]
        driver = Driver(LinuxSilo(config, self.spares, self.remains))
        message = driver.expect(Ready)
        assert isinstance(message, Ready), message
        return driver

    def make_spares(self, layer: Path) -> None:
        """
        Use a silo, so that spare ones are made.
        """
        self.make(layer).silo.close()
        self.run_until(lambda: len(self.spares.inits) == 2)

    def close(self) -> None:
        """
        End everything, as a host does.
        """
        self.spares.close()
        self.remains.close()
        self.loop.close()
        assert self.failures == []


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """
    Mount memory over a folder.
    """
    subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A base layer."""
    return make_layer(tmp_path / "layer")


@pytest.fixture
def bench() -> Iterator[Bench]:
    """What a host makes silos with."""
    bench = Bench()
    yield bench
    bench.close()


def lives(pid: int) -> bool:
    """
    Tell whether there is a process, be it as a zombie.
    """
    return Path(f"/proc/{pid}").exists()


def test_a_spare_silo_becomes_the_next_one(bench: Bench, layer: Path) -> None:
    """
    The next silo is one that was there before.
    """
    bench.make_spares(layer)
    first = bench.spares.inits[0]

    driver = bench.make(layer)

    assert first == driver.silo._init
    assert "from the base\n" == driver.run("cat /marker")
    driver.silo.close()


def test_spare_silos_end_with_their_host(bench: Bench, layer: Path) -> None:
    """
    Closing leaves no process, not even a zombie.
    """
    bench.make_spares(layer)
    inits = bench.spares.inits

    bench.spares.close()
    bench.remains.close()

    assert [False, False] == [lives(pid) for pid in inits]
    bench.spares = SpareSilos(bench.loop, bench.remains)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_silo_sees_what_was_mounted_after_the_spare_ones(
    bench: Bench, layer: Path, tmp_path: Path
) -> None:
    """
    A mount lets the spare silos go, so a layer in it is found at once.
    """
    bench.make_spares(layer)
    inits = bench.spares.inits
    (tmp_path / "later").mkdir()

    with mounted(tmp_path / "later"):
        later = make_layer(tmp_path / "later" / "layer")
        driver = bench.make(later)
        found = driver.run("cat /marker")
        driver.silo.close()

    assert "from the base\n" == found
    bench.run_until(lambda: not any(lives(pid) for pid in inits))


def test_a_terminated_silo_is_gone_soon(bench: Bench, layer: Path) -> None:
    """
    When a silo says that it is gone, its commands are; a moment later all of it is.
    """
    driver = bench.make(layer)
    init = driver.silo._init
    assert isinstance(driver.start("sleep", "1000"), Started)

    driver.silo.terminate()
    ended = driver.expect(Exited)
    driver.expect(Gone)
    driver.silo.close()

    assert isinstance(ended, Exited)
    assert 9 == ended.status
    bench.run_until(lambda: not lives(init))


def test_a_silo_with_a_scratch_is_gone_when_it_says_so(
    bench: Bench, layer: Path, tmp_path: Path
) -> None:
    """
    The scratch folder is free for the next silo at once.
    """
    (tmp_path / "scratch").mkdir()
    driver = bench.make(layer, scratch=tmp_path / "scratch")
    init = driver.silo._init

    driver.silo.terminate()
    driver.expect(Gone)

    assert not lives(init)
    driver.silo.close()
