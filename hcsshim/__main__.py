"""``python -m hcsshim``: the command line."""

from __future__ import annotations

from hcsshim.cli import main

if __name__ == "__main__":
    main()
