"""
The embedded host: a local service that answers the native calls for real.

It never imports the client side of the package (``hcs``, ``cli``, ...): what it
shares with clients are the table of native calls, the documents and the codes.
"""

from __future__ import annotations
