"""
The command line: ``hcsshim``.

Each command is a module that is loaded when it is called, so that none pays for the
others. Whatever fails is told in one sentence on stderr; ``--debug`` shows where.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing costs more to import than the rest
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """
    Run the command line and exit with its code.

    Args:
        arguments: Without the program's name; by default those of the process.
    """
    _start("hcsshim", "hcsshim.cli.app:cli", arguments)


def tar2ext4(arguments: Sequence[str] | None = None) -> NoReturn:
    """
    Run the reference's program for ext4 images and exit with its code.

    Args:
        arguments: As for :func:`main`.
    """
    _start("tar2ext4", "hcsshim.cli.tar2ext4:tar2ext4", arguments)


def wclayer(arguments: Sequence[str] | None = None) -> NoReturn:
    """
    Run the reference's program for layers and exit with its code.

    Args:
        arguments: As for :func:`main`.
    """
    _start("wclayer", "hcsshim.cli.wclayer:wclayer", arguments)


def _start(program: str, command: str, arguments: Sequence[str] | None) -> NoReturn:
    """Run the command that a module has under a name."""
    from importlib import import_module  # noqa: PLC0415 - as below

    module, name = command.split(":")
    try:
        from hcsshim.cli.app import run  # noqa: PLC0415 - may not be installed

        group = getattr(import_module(module), name)
    except ImportError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.exit(f"{program}: the command line needs: pip install 'hcsshim[cli]'")
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments), group))
