"""``python -m hcsshim.cli.runhcs``, which is how shims are started."""

from __future__ import annotations

from hcsshim.cli.runhcs import main

if __name__ == "__main__":
    main()
