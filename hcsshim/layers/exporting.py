"""Folders of layers into tars: of Windows, with what Windows knows, and of Linux."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING

import attrs

from hcsshim._native import pack as native
from hcsshim.disk._io import replacing
from hcsshim.errors import OperationCancelledError
from hcsshim.layers._compression import compressor_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from hcsshim.layers._compression import Compressor
    from hcsshim.layers.importing import PathName, Progress

#: How much is done between two looks at progress and cancellation.
STEP = 8 << 20
#: The same when another thread takes the bytes, and how many of them may wait.
PIECE = 1 << 20
WAITING = 4


@attrs.frozen(kw_only=True)
class LayerExport:
    """
    What became of a layer.

    Attributes:
        diff_id: Of the uncompressed tar: ``"sha256:..."``, or ``""`` if digests were
            not to be computed.
        tar_size: Of the uncompressed tar, in bytes.
        digest: Of what was written; without compression the same as ``diff_id``.
        written: How many bytes were written.
        size: Of the layer's files together, in bytes; links and streams do not count.
        members: How many members the tar has.
    """

    diff_id: str
    tar_size: int
    digest: str
    written: int
    size: int
    members: int


@attrs.define(eq=False)
class _Watch:
    """Who is told how far it went, and who may stop it."""

    progress: Progress | None
    cancel: threading.Event | None
    done: int = 0

    def more(self, made: int) -> None:
        self.done += made
        if self.cancel is not None and self.cancel.is_set():
            raise OperationCancelledError(message="The export was cancelled.")
        if self.progress is not None:
            self.progress(self.done, None)


class _Packing:
    """
    A thread that compresses and writes what it is given.

    Leaving the block completes the file, or after an exception gives it up.
    """

    def __init__(
        self, compressor: Compressor, file: IO[bytes], *, hashed: bool
    ) -> None:
        self._compressor = compressor
        self._file = file
        self._queue: queue.Queue[bytes | None] = queue.Queue(WAITING)
        self._error: BaseException | None = None
        self._digest = hashlib.sha256() if hashed else None
        self.written = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def digest(self) -> str:
        """Of what was written."""
        return f"sha256:{self._digest.hexdigest()}" if self._digest else ""

    def __enter__(self) -> _Packing:  # noqa: PYI034 - Self is not in 3.10
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None:
            self._raise()
            self._write(self._compressor.flush())

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _write(self, data: bytes) -> None:
        if self._digest is not None:
            self._digest.update(data)
        self.written += len(data)
        write_all(self._file, data)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            if self._error is not None:
                continue  # so that nobody waits for room
            try:
                self._write(self._compressor.compress(data))
            except BaseException as error:  # noqa: BLE001 - raised where it is asked
                self._error = error

    def put(self, data: bytes) -> None:
        """Take the next bytes, or raise why the last ones could not be written."""
        self._raise()
        self._queue.put(data)


def write_all(file: IO[bytes], data: bytes | memoryview) -> None:
    """Write all of ``data``, however little a write takes."""
    view = memoryview(data)
    while view:
        # Some files tell nothing; those take everything.
        view = view[file.write(view) or len(view) :]


def _opened(target: PathName | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    if isinstance(target, (str, os.PathLike)):
        return replacing(target)
    return nullcontext(target)


def _run(pack: native.Pack, step: int, watch: _Watch, sink: object) -> None:
    """Let a layer be written step by step, each given to ``sink``."""
    while made := pack.run(step):
        if callable(sink):
            sink(pack.data())
        watch.more(made)


def _export(
    pack: native.Pack,
    file: IO[bytes],
    compression: str | None,
    watch: _Watch,
    *,
    hashed: bool,
) -> tuple[native.Packed, str | None, int]:
    if compression is None:
        _run(pack, PIECE, watch, lambda data: write_all(file, data))
        done = pack.finish()
        return done, None, done.tar_bytes
    with _Packing(compressor_for(compression), file, hashed=hashed) as packing:
        _run(pack, PIECE, watch, lambda data: packing.put(bytes(data)))
        done = pack.finish()
    return done, packing.digest, packing.written


def _descriptor(target: PathName | IO[bytes], file: IO[bytes]) -> int | None:
    """Give the descriptor of a file that C may write itself."""
    return file.fileno() if isinstance(target, (str, os.PathLike)) else None


def _pack(  # noqa: PLR0913 - what every export is asked
    layer: PathName,
    target: PathName | IO[bytes],
    flags: int,
    *,
    parents: Sequence[PathName],
    compression: str | None,
    watch: _Watch,
) -> LayerExport:
    hashed = not flags & native.UNHASHED
    if compression is not None:
        compressor_for(compression)  # refuse before anything is made
    with _opened(target) as file:
        plain = compression is None
        descriptor = _descriptor(target, file) if plain else None
        with native.Pack(layer, flags, parents, descriptor=descriptor) as pack:
            if descriptor is not None:
                _run(pack, STEP, watch, None)
                done, digest, written = pack.finish(), None, None
            else:
                done, digest, written = _export(
                    pack, file, compression, watch, hashed=hashed
                )
    diff_id = f"sha256:{done.diff_id.hex()}" if hashed else ""
    return LayerExport(
        diff_id=diff_id,
        tar_size=done.tar_bytes,
        digest=digest or diff_id,
        written=done.tar_bytes if written is None else written,
        size=done.file_bytes,
        members=done.members,
    )


def export_tar(  # noqa: PLR0913 - keywords all but two
    layer: PathName,
    target: PathName | IO[bytes],
    *,
    parents: Sequence[PathName] = (),
    compression: str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    hashed: bool = True,
) -> LayerExport:
    """
    Make the tar of a Windows layer's folder.

    A layer that :func:`import_tar` made gives the same tar again, byte for byte, as
    far as its files are as they were; those that changed keep what Windows knew of
    them, new ones follow, those that are gone are left out. A writable layer, whose
    ``Files`` is the upper folder of an overlay, gives exactly what changed: what was
    copied up has what the layers below know of it, what is hidden becomes whiteouts.

    Args:
        layer: The layer's folder.
        target: A file's name, or an open binary file. Under a name the tar appears
            only when it is whole.
        parents: Folders of the layers below, nearest first.
        compression: ``"gzip"`` or ``"zstd"``.
        progress: Told the bytes of the tar done; nobody knows how many there will be.
            When it raises, the export ends, and nothing is left of it.
        cancel: When it is set, the export ends likewise.
        hashed: Whether to compute digests. Without compression that takes more time
            than all the rest where files are large.

    Returns:
        The tar's digest, and what is in it.

    Raises:
        NotFoundError: The layer is not there.
        InvalidDataError: What ``.hcsshim`` in it has is damaged.
        OperationCancelledError: ``cancel`` was set.

    Source:
        The tar form of Windows layers in the OCI image specification.
    """
    return _pack(
        layer,
        target,
        native.WINDOWS | (0 if hashed else native.UNHASHED),
        parents=parents,
        compression=compression,
        watch=_Watch(progress, cancel),
    )


def pack_linux_layer(  # noqa: PLR0913 - keywords all but two
    layer: PathName,
    target: PathName | IO[bytes],
    *,
    compression: str | None = None,
    owned_by_root: bool = False,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    hashed: bool = True,
) -> LayerExport:
    """
    Make the tar of a Linux layer's folder, which may be the upper one of an overlay.

    The other way of :func:`extract_linux_layer`: overlayfs's whiteouts and opaque
    folders become those of OCI, its own attributes are left out. Members are in the
    order of their names' bytes, so that the same files give the same tar.

    Args:
        layer: The folder.
        target: As for :func:`export_tar`.
        compression: As for :func:`export_tar`.
        owned_by_root: Whether all files are root's in the tar, whoever owns them
            here; for folders that an ordinary user's containers wrote.
        progress: As for :func:`export_tar`.
        cancel: As for :func:`export_tar`.
        hashed: As for :func:`export_tar`.

    Returns:
        The tar's digest, and what is in it.

    Raises:
        NotFoundError: The folder is not there.
        OperationCancelledError: ``cancel`` was set.

    Source:
        "Image Layer Filesystem Changeset" of the OCI image specification.
    """
    flags = native.ROOT if owned_by_root else 0
    return _pack(
        layer,
        target,
        flags | (0 if hashed else native.UNHASHED),
        parents=(),
        compression=compression,
        watch=_Watch(progress, cancel),
    )
