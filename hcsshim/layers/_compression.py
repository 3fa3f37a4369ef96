"""
Compressed tars: found by their first bytes, unpacked on a thread of their own.

The fastest library that is installed does the work: ``isal`` for gzip, else the
standard one; for zstd the standard one of Python 3.14, else ``zstandard``. All let
other threads run while they work, so that files are written meanwhile.
"""

from __future__ import annotations

import io
import queue
import threading
import zlib
from contextlib import suppress
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Protocol

from hcsshim.errors import InvalidDataError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
#: How many bytes of a file tell what it is.
MAGIC_LENGTH = 4
#: What is read in one go, and how much may wait for the other thread.
PIECE = 256 * 1024
WAITING = 8
#: What is unpacked in one go, so little that no bomb makes it more than 40 MiB: a block
#: of zstd, of at least 3 bytes, makes 128 KiB.
GZIP_STEP = 16 * 1024
ZSTD_STEP = 1024
#: gzip packs no more than 1032 bytes into one; what goes beyond that, and beyond
#: this many bytes, is made to fill disks.
MOST_EXPANSION = 1100
ALWAYS_ALLOWED = 1 << 30


class Decompressor(Protocol):
    """The decompression objects of all the libraries."""

    @property
    def eof(self) -> bool:
        """Whether the present stream is complete."""

    @property
    def unused_data(self) -> bytes:
        """What came after its end."""

    def decompress(self, data: bytes | memoryview, /) -> bytes:
        """Take the next bytes in, and give what came out."""


def module_of(*names: str) -> Any:  # noqa: ANN401 - modules have no types here
    """Import the first of several modules that is there."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


def gzip_factory() -> Callable[[], Decompressor]:
    """Choose who unpacks gzip."""
    module = module_of("isal.isal_zlib") or zlib
    return lambda: module.decompressobj(31)


def zstd_factory() -> Callable[[], Decompressor]:
    """
    Choose who unpacks zstd.

    Raises:
        NotSupportedError: Nobody here can.
    """
    standard = module_of("compression.zstd", "backports.zstd")
    if standard is not None:
        return standard.ZstdDecompressor  # type: ignore[no-any-return] # untyped
    module = module_of("zstandard")
    if module is None:
        raise NotSupportedError(
            message="The tar is compressed with zstd; install hcsshim[fast] to read it."
        )
    context = module.ZstdDecompressor()
    return context.decompressobj  # type: ignore[no-any-return] # untyped


def factory_for(magic: bytes) -> Callable[[], Decompressor] | None:
    """Tell how to unpack what begins with ``magic``; ``None`` when it is plain."""
    if magic.startswith(GZIP):
        return gzip_factory()
    if magic.startswith(ZSTD):
        return zstd_factory()
    return None


def read_magic(file: IO[bytes]) -> bytes:
    """Read as much of a file as tells what it is."""
    magic = b""
    while len(magic) < MAGIC_LENGTH:
        piece = file.read(MAGIC_LENGTH - len(magic))
        if not piece:
            break
        magic += piece
    return magic


class Reader:
    """
    A compressed file that unpacks itself into memory of others.

    Args:
        source: The file, behind its first bytes.
        first: Those.
        make: Gives the library's reader of a file.

    Attributes:
        used: How many bytes of the file were read so far.
    """

    def __init__(
        self, source: IO[bytes], first: bytes, make: Callable[[object], IO[bytes]]
    ) -> None:
        self._source = _Counted(source, first)
        self._reader = make(self._source)
        self._made = 0

    @property
    def used(self) -> int:
        """How many bytes of the file were read so far."""
        return self._source.used

    def readinto(self, room: memoryview) -> int:
        """
        Unpack what fits.

        Returns:
            How many bytes came; 0 at the end.

        Raises:
            InvalidDataError: The file is damaged, ends too early, or expands beyond
                measure.
        """
        try:
            made = self._reader.readinto(room)  # type: ignore[attr-defined] # raw files
        except EOFError as error:
            raise InvalidDataError(
                message="The compressed tar ends in the middle."
            ) from error
        except Exception as error:
            if self._source.error is not None:
                raise
            raise InvalidDataError(
                message=f"The compressed tar is damaged: {error}."
            ) from error
        self._made += made
        check_expansion(self._source.used, self._made)
        return int(made)


class _Counted(io.RawIOBase):
    """A file for reading, begun by somebody else, that counts what is read."""

    def __init__(self, source: IO[bytes], first: bytes) -> None:
        super().__init__()
        self._source = source
        self._first = first
        self.used = 0
        self.error: BaseException | None = None

    def readinto(self, room: memoryview) -> int:  # type: ignore[override] # of isal
        """Read what fits."""
        data, self._first = self._first, b""
        try:
            data = data or self._source.read(len(room))
        except BaseException as error:
            self.error = error
            raise
        room[: len(data)] = data
        self.used += len(data)
        return len(data)


def reader_for(source: IO[bytes], first: bytes) -> Reader | None:
    """Give who unpacks a file into memory of others, if anybody here does."""
    module = module_of("isal.isal_zlib") if first.startswith(GZIP) else None
    make = getattr(module, "_GzipReader", None)
    if make is None:
        return None
    return Reader(source, first, lambda file: make(file, PIECE))


def check_expansion(used: int, made: int) -> None:
    """
    See that few bytes did not become too many.

    Raises:
        InvalidDataError: They did.
    """
    if made > max(ALWAYS_ALLOWED, used * MOST_EXPANSION):
        raise InvalidDataError(
            message=f"The compressed tar expands from {used} to over {made} bytes."
        )


class Compressor(Protocol):
    """The compression objects of all the libraries."""

    def compress(self, data: bytes, /) -> bytes:
        """Take the next bytes in, and give what came out."""

    def flush(self) -> bytes:
        """Give the rest."""


def compressor_for(name: str) -> Compressor:
    """
    Make what packs a tar; the same tar gives the same bytes.

    Args:
        name: ``"gzip"`` or ``"zstd"``.

    Raises:
        ValueError: It is neither.
        NotSupportedError: Nobody here writes zstd.
    """
    if name == "gzip":
        fast = module_of("isal.isal_zlib")
        if fast is not None:
            return fast.compressobj(2, fast.DEFLATED, 31)  # type: ignore[no-any-return] # untyped
        return zlib.compressobj(6, zlib.DEFLATED, 31)
    if name != "zstd":
        raise ValueError(f"tars are compressed with gzip or zstd, not {name!r}")
    standard = module_of("compression.zstd", "backports.zstd")
    if standard is not None:
        return standard.ZstdCompressor()  # type: ignore[no-any-return] # untyped
    module = module_of("zstandard")
    if module is None:
        raise NotSupportedError(
            message="Nothing here writes zstd; install hcsshim[fast] for that."
        )
    return module.ZstdCompressor().compressobj()  # type: ignore[no-any-return] # untyped


def decompressed(
    source: IO[bytes], first: bytes, make: Callable[[], Decompressor]
) -> Iterator[tuple[bytes, int]]:
    """
    Unpack a file, which may be several compressed streams one after another.

    Yields:
        Bytes, and how many of the file's were used so far.

    Raises:
        InvalidDataError: It is damaged, ends too early, or expands beyond measure.
    """
    step = GZIP_STEP if first.startswith(GZIP) else ZSTD_STEP
    stored = _Stored(source, first)
    current = make()
    made = 0
    while data := stored.take(step):
        try:
            piece = current.decompress(data)
        except Exception as error:  # each library has its own
            raise InvalidDataError(
                message=f"The compressed tar is damaged: {error}."
            ) from error
        made += len(piece)
        check_expansion(stored.used, made)
        if piece:
            yield piece, stored.used
        if current.eof and stored.put_back(current.unused_data):
            current = make()
    if not current.eof:
        raise InvalidDataError(message="The compressed tar ends in the middle.")


class _Stored:
    """The bytes of a compressed file, in parts that are small enough."""

    def __init__(self, source: IO[bytes], first: bytes) -> None:
        self._source = source
        self._data = memoryview(first)
        self.used = len(first)

    def take(self, most: int) -> memoryview:
        """Give the next bytes; none at the end."""
        if not self._data:
            self._data = memoryview(self._source.read(PIECE))
            self.used += len(self._data)
        part, self._data = self._data[:most], self._data[most:]
        return part

    def put_back(self, unused: bytes) -> bool:
        """Go to what begins behind a stream; tell whether anything does."""
        rest = (unused + self._data).lstrip(b"\0")  # streams may be padded
        while not rest and (more := self._source.read(PIECE)):
            self.used += len(more)
            rest = more.lstrip(b"\0")
        self._data = memoryview(rest)
        return bool(rest)


def _in_pieces(items: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Join parts until they are worth waking another thread."""
    parts: list[bytes] = []
    length = used = 0
    for part, used in items:
        parts.append(part)
        length += len(part)
        if length >= PIECE:
            yield b"".join(parts), used
            parts.clear()
            length = 0
    if parts:
        yield b"".join(parts), used


class Ahead:
    """
    An iterator that another thread runs, a few items ahead, small ones joined.

    Leaving the block stops the thread and waits for it.
    """

    def __init__(self, items: Iterator[tuple[bytes, int]]) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[bytes, int] | BaseException | None] = (
            queue.Queue(WAITING)
        )
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Ahead:  # noqa: PYI034 - Self is not in 3.10
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        while self._thread.is_alive():
            with suppress(queue.Empty):
                self._queue.get(timeout=0.05)
        self._thread.join()

    def _run(self) -> None:
        try:
            for item in _in_pieces(self._items):
                if self._stopped:
                    return
                self._queue.put(item)
        except BaseException as error:  # noqa: BLE001 - raised where it is read
            self._queue.put(error)
        else:
            self._queue.put(None)

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        while True:
            item = self._queue.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
