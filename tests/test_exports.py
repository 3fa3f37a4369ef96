"""What the package offers, and what it costs to import."""

from __future__ import annotations

import re
import subprocess
import sys
import types

import pytest

import hcsshim

#: Modules that only what needs them may load.
HEAVY = {"asyncio", "attrs", "cffi", "json", "logging", "re", "subprocess", "typing"}


def test_dir_is_all() -> None:
    """
    The namespace is what is listed, in order, without doubles.
    """
    assert dir(hcsshim) == hcsshim.__all__
    assert sorted(set(hcsshim.__all__)) == hcsshim.__all__


@pytest.mark.parametrize("name", hcsshim.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    """
    Each name can be used, and says in its own words what it is.
    """
    value = getattr(hcsshim, name)

    assert value.__doc__


@pytest.mark.parametrize("name", ["Computesystem", "_run", "__path"])
def test_unknown_name_is_an_attribute_error(name: str) -> None:
    """
    A misspelt name fails as it does in any module.
    """
    with pytest.raises(AttributeError, match=name):
        getattr(hcsshim, name)


def public_members(cls: type) -> list[str]:
    """List the names of a class's own methods and properties."""
    kinds = (types.FunctionType, property, classmethod)
    return [
        name
        for name, value in vars(cls).items()
        if isinstance(value, kinds) and not name.startswith("_")
    ]


@pytest.mark.parametrize(
    "cls",
    [v for v in map(hcsshim.__getattr__, hcsshim.__all__) if isinstance(v, type)],
    ids=lambda cls: cls.__name__,
)
def test_every_public_method_is_documented(cls: type) -> None:
    """
    Methods and properties of public classes have docstrings; calls name their limit.
    """
    for name in public_members(cls):
        doc = getattr(cls, name).__doc__
        assert doc, f"{cls.__name__}.{name}"


def interpret(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter, without site's own imports."""
    return subprocess.run(
        [sys.executable, "-S", *options, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def test_import_loads_nothing_heavy() -> None:
    """
    Importing the package loads no module that takes time.
    """
    done = interpret("import sys, hcsshim; print(*sys.modules)")

    assert not HEAVY & set(done.stdout.split())
    assert not [name for name in done.stdout.split() if "hcsshim." in name]


def imported_in(module: str) -> int:
    """Give the microseconds that an import takes in a fresh interpreter."""
    done = interpret(f"import {module}", "-X", "importtime")
    line = re.search(rf"(\d+) \| {module}\n", done.stderr)
    assert line is not None
    return int(line[1])


def test_import_is_cheap() -> None:
    """
    Importing the package takes at most half of what importing ``argparse`` takes in the
    same minute, at best of several: a machine that is busy makes single runs slow.
    """
    pairs = [(imported_in("hcsshim"), imported_in("argparse")) for _ in range(7)]

    own, usual = (min(times) for times in zip(*pairs, strict=True))
    assert own <= usual / 2


def test_import_loads_one_module() -> None:
    """
    Importing the package loads the package and nothing else that Python has not loaded.
    """
    done = interpret(
        "import sys; before = set(sys.modules); import hcsshim; "
        "print(*sorted(set(sys.modules) - before))"
    )

    assert ["__future__", "hcsshim"] == done.stdout.split()


def test_errors_need_no_models() -> None:
    """
    The exceptions are there without attrs and typing; a document loads them.
    """
    done = interpret("import sys, hcsshim.errors; print(*sys.modules)")

    assert not HEAVY & set(done.stdout.split())
