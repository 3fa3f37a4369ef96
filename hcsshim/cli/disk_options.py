"""What the commands about disks share: sizes, standard input, bars."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from hcsshim.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SIZE = re.compile(r"(\d+)\s*([kmgt]?)i?b?", re.IGNORECASE)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


class SizeType(click.ParamType[int]):
    """A number of bytes: ``4096``, ``512M``, ``16GiB``."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read a size."""
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no size such as 512M or 16G.", param, ctx)
        return int(found[1]) << _UNITS[found[2].lower()]


def size_option(*names: str, **settings: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    """Make an option whose value is a size."""
    return click.option(
        *names, type=SizeType(), metavar="SIZE", show_default=True, **settings
    )


@contextmanager
def standard_input(path: str | None) -> Iterator[IO[bytes]]:
    """Open a file; ``None`` and ``-`` are standard input, which stays open."""
    if path in {None, "-"}:
        with open(0, "rb", buffering=0, closefd=False) as file:
            yield file
        return
    with open(str(path), "rb", buffering=0) as file:  # noqa: PTH123 - not buffered
        yield file


@contextmanager
def watched(
    description: str, file: IO[bytes]
) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar for as much of a file as there is to read."""
    total = os.fstat(file.fileno()).st_size or None
    with progress_bar(os.path.basename(description), total) as show:  # noqa: PTH119
        yield lambda done, _: show(done)
