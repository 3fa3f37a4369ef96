"""
The console script ``runhcs``: an OCI runtime on the command line.

Its commands, flags and outputs are those of the original, which took them from runc.
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
        from hcsshim.cli.runhcs.app import cli  # noqa: PLC0415 - as above
    except ImportError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.exit("runhcs: the command line needs: pip install 'hcsshim[cli]'")
    given = sys.argv[1:] if arguments is None else list(arguments)
    # Its --debug is for the log; clients read stderr.
    sys.exit(run(given, cli, debug_flag="--traceback"))
