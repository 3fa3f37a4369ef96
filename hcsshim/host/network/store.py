"""
What outlives a host: the objects of networks, in SQLite.

One row for each object, its record as JSON. A change of several objects is one
transaction. The file goes when the last object went.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from typing import TYPE_CHECKING

from hcsshim.host.network.model import (
    Endpoint,
    LoadBalancer,
    Namespace,
    Network,
    SdnRoute,
    rebuild,
    record_of,
)
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hcsshim.host.network.model import Object

#: Of the table; another one is started anew.
_VERSION = 1
_KINDS: dict[str, type[Object]] = {
    cls.__name__: cls for cls in (Network, Endpoint, Namespace, LoadBalancer, SdnRoute)
}


class Store:
    """
    The objects on disk.

    Args:
        path: Of the file; ``""`` keeps nothing.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            self._database.close()
            raise

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        # A crash of the machine may cost the last changes, never the whole.
        self._database.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            self._database.execute("DROP TABLE IF EXISTS object")
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS object (number INTEGER PRIMARY KEY, "
            "kind TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, "
            "UNIQUE (kind, id))"
        )

    def load(self) -> Iterator[Object]:
        """Give every object, in the order in which they were made."""
        rows = self._database.execute("SELECT kind, record FROM object ORDER BY number")
        for kind, record in rows.fetchall():
            if kind in _KINDS:
                yield rebuild(_KINDS[kind], json.loads(record))

    def write(self, changed: Sequence[Object], gone: Sequence[Object] = ()) -> None:
        """
        Write objects, and remove others, all or none.

        Raises:
            Refusal: The disk does not take it.
        """
        try:
            if len(changed) + len(gone) > 1:
                self._database.execute("BEGIN")
            for item in changed:
                self._put(item)
            for item in gone:
                self._database.execute(
                    "DELETE FROM object WHERE kind = ? AND id = ?",
                    (type(item).__name__, item.id),
                )
            if self._database.in_transaction:
                self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise refuse(
                HResult.ERROR_DISK_FULL, f"{self._path!a} cannot be written: {error}."
            ) from None

    def _put(self, item: Object) -> None:
        record = json.dumps(record_of(item), separators=(",", ":"))
        self._database.execute(
            "INSERT INTO object (kind, id, record) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET record = excluded.record",
            (type(item).__name__, item.id, record),
        )

    def close(self, *, keep: bool) -> None:
        """
        Close the file.

        Args:
            keep: Else it is removed: it holds nothing that anybody made.
        """
        self._database.close()
        if not keep and self._path:
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path + suffix)
