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
    try:
        from hcsshim.cli.app import run  # noqa: PLC0415 - may not be installed
    except ImportError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.exit("hcsshim: the command line needs: pip install 'hcsshim[cli]'")
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))
