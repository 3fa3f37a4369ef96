"""The blocking face is what its source gives, and never starts a loop."""

from __future__ import annotations

import inspect
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import hcsshim

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / ".ci" / "generate" / "async_to_sync.py"))

PAIRS = [
    (getattr(hcsshim, f"Async{name}"), getattr(hcsshim, name))
    for name in ("ComputeSystem", "EventStream", "Process")
]


def test_generated_modules_are_up_to_date() -> None:
    """
    Each generated module says so, and is what its source gives today.
    """
    assert TOOL["outdated"]() == []


@pytest.mark.parametrize("pair", TOOL["MODULES"].items(), ids=lambda pair: pair[1])
def test_generated_module_names_its_source(pair: tuple[str, str]) -> None:
    """
    The first line tells a reader where to make changes.
    """
    source, target = pair

    first = (ROOT / target).read_text(encoding="utf-8").splitlines()[0]

    assert source in first
    assert "do not edit" in first


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("async def aclose(self): ...", "def close(self): ..."),
        ("await  adrive(step)", "drive(step)"),
        ("async with a, await b() as c: ...", "with a, b() as c: ..."),
        ("[x async for x in AsyncThing()]", "[x for x in Thing()]"),
        ('"""An :meth:`AsyncProcess.aclose`."""', '"""An :meth:`Process.close`."""'),
        ("from hcsshim.hcs import _async_run", "from hcsshim.hcs import _run"),
        ("x = 'awaiting'  # asynchronous", "x = 'awaiting'  # asynchronous"),
    ],
)
def test_conversion(text: str, expected: str) -> None:
    """
    Keywords go, names are translated, also where text mentions them.
    """
    assert expected == TOOL["convert"](text)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[1].__name__)
def test_faces_have_the_same_methods(pair: tuple[type, type]) -> None:
    """
    Both faces offer the same, under the names of their world.
    """
    awaitable, blocking = pair
    names = {TOOL["rename"](name) for name in vars(awaitable)} - {"aclose"}

    assert names == set(vars(blocking))
    for name, method in inspect.getmembers(blocking, inspect.isfunction):
        assert not inspect.iscoroutinefunction(method), name


def test_blocking_face_does_without_asyncio() -> None:
    """
    A program that only blocks never loads asyncio, nor threads of Python's.
    """
    program = (
        "import sys, hcsshim;"
        "hcsshim.ComputeSystem, hcsshim.Process, hcsshim.run;"
        "hcsshim.enumerate_systems;"
        "import hcsshim._native.service;"
        "print({'asyncio', 'concurrent.futures', 'threading', 'logging', 'selectors',"
        "'subprocess'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert done.stdout == "set()\n"
