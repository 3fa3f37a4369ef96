"""
Types of the compiled extension; a test compares the names with the real ones.

Functions are listed by the sections of ``csrc/hcsshim.h``, which says what each
does.
"""

from typing import Any, Final

class CData:
    """A C object. Fields and items are whatever the header says."""

    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: object) -> None: ...
    def __getitem__(self, index: int) -> Any: ...
    def __setitem__(self, index: int, value: object) -> None: ...
    def __len__(self) -> int: ...

class FFI:
    """The part of cffi's ``FFI`` that the wrappers use."""

    NULL: Final[CData]
    def new(self, cdecl: str, init: object = None) -> CData: ...
    def cast(self, cdecl: str, value: object) -> CData: ...
    def string(self, cdata: CData, maxlen: int = -1) -> bytes: ...
    def unpack(self, cdata: CData, length: int) -> bytes: ...
    def buffer(self, cdata: CData, size: int = -1) -> memoryview: ...
    def from_buffer(
        self, cdecl: str, source: object, require_writable: bool = False
    ) -> CData: ...
    def gc(self, cdata: CData, destructor: object, size: int = 0) -> CData: ...
    def release(self, cdata: CData) -> None: ...
    def sizeof(self, cdecl: str | CData) -> int: ...
    def addressof(self, cdata: object, *fields: str) -> CData: ...

class Lib:
    """The functions and constants of ``hcsshim.h``."""

    # HRESULTs that the shim itself returns
    HCSSHIM_E_INTERRUPTED: Final[int]
    HCSSHIM_E_NOTIMPL: Final[int]
    HCSSHIM_E_FAIL: Final[int]
    HCSSHIM_E_ABORT: Final[int]
    HCSSHIM_E_UNEXPECTED: Final[int]
    HCSSHIM_E_HANDLE: Final[int]
    HCSSHIM_E_OUTOFMEMORY: Final[int]
    HCSSHIM_E_INVALIDARG: Final[int]
    HCSSHIM_E_FILE_TOO_LARGE: Final[int]
    HCSSHIM_E_WAIT_TIMEOUT: Final[int]
    HCSSHIM_E_INVALID_DATA: Final[int]
    HCSSHIM_HCS_E_UNSUPPORTED_PROTOCOL_VERSION: Final[int]
    HCSSHIM_HCS_E_OPERATION_PENDING: Final[int]
    HCSSHIM_HCS_E_OPERATION_ALREADY_CANCELLED: Final[int]
    HCSSHIM_HCS_E_SERVICE_DISCONNECT: Final[int]

    # the table of native calls
    HCSSHIM_KIND_END: Final[int]
    HCSSHIM_KIND_TEXT: Final[int]
    HCSSHIM_KIND_U32: Final[int]
    HCSSHIM_KIND_SYSTEM: Final[int]
    HCSSHIM_KIND_PROCESS: Final[int]
    HCSSHIM_KIND_OUT_SYSTEM: Final[int]
    HCSSHIM_KIND_OUT_PROCESS: Final[int]
    HCSSHIM_KIND_OPERATION: Final[int]
    HCSSHIM_KIND_EVENT_CALLBACK: Final[int]
    HCSSHIM_KIND_COMPLETION_CALLBACK: Final[int]
    HCSSHIM_KIND_CONTEXT: Final[int]
    HCSSHIM_KIND_RESERVED: Final[int]
    HCSSHIM_KIND_KERNEL_HANDLE: Final[int]
    HCSSHIM_KIND_OUT_TEXT: Final[int]
    HCSSHIM_KIND_RESULT: Final[int]
    HCSSHIM_KIND_OUT_PROCESS_INFORMATION: Final[int]
    HCSSHIM_KIND_CREATE_OPTIONS: Final[int]
    HCSSHIM_KIND_U64: Final[int]
    HCSSHIM_KIND_LAYER_DRIVER: Final[int]
    HCSSHIM_KIND_LAYERS: Final[int]
    HCSSHIM_KIND_DISK: Final[int]
    HCSSHIM_KIND_OUT_U32: Final[int]
    HCSSHIM_KIND_OUT_GUID: Final[int]
    HCSSHIM_KIND_OUT_BUFFER: Final[int]
    HCSSHIM_KIND_GUID: Final[int]
    HCSSHIM_KIND_U16: Final[int]
    HCSSHIM_KIND_OBJECT: Final[int]
    HCSSHIM_KIND_OUT_OBJECT: Final[int]
    HCSSHIM_KIND_NOTIFICATION_CALLBACK: Final[int]
    HCSSHIM_KIND_ERROR_RECORD: Final[int]
    HCSSHIM_KIND_OUT_DATA: Final[int]
    HCSSHIM_KIND_REGISTRATION: Final[int]
    HCSSHIM_KIND_OUT_REGISTRATION: Final[int]
    def hcsshim_calls(self, count: CData, /) -> CData: ...

    # events
    HCSSHIM_NO_TEXT: Final[int]
    HCSSHIM_EVENT_TICKET: Final[int]
    HCSSHIM_EVENT_SERVICE_DISCONNECT: Final[int]
    def hcsshim_queue_new(self, out: CData, /) -> int: ...
    def hcsshim_queue_free(self, queue: CData, /) -> None: ...
    def hcsshim_queue_file(self, queue: CData, file: CData, /) -> int: ...
    def hcsshim_queue_post(
        self,
        queue: CData,
        source: int,
        type: int,
        status: int,
        text: bytes | CData,
        length: int,
        /,
    ) -> int: ...
    def hcsshim_queue_wake(self, queue: CData, /) -> None: ...
    def hcsshim_queue_drain(
        self,
        queue: CData,
        timeout_ms: int,
        events: CData,
        most: int,
        text: CData,
        size: int,
        needed: CData,
        /,
    ) -> int: ...

    # the service: calls and tickets
    def hcsshim_service_connect(
        self,
        path: bytes,
        length: int,
        name: bytes,
        name_length: int,
        out: CData,
        /,
    ) -> int: ...
    def hcsshim_service_load(self, generation: int, out: CData, /) -> int: ...
    def hcsshim_service_free(self, service: CData, /) -> None: ...
    def hcsshim_service_host(self, service: CData, /) -> int: ...
    def hcsshim_service_alive(self, service: CData, /) -> int: ...
    def hcsshim_service_submit(
        self,
        service: CData,
        call: int,
        values: CData,
        count: int,
        ticket: CData,
        handle: CData,
        /,
    ) -> int: ...
    def hcsshim_ticket_wait(
        self, service: CData, ticket: int, timeout_ms: int, /
    ) -> int: ...
    def hcsshim_ticket_notify(
        self, service: CData, ticket: int, queue: CData, /
    ) -> int: ...
    def hcsshim_ticket_take(
        self, service: CData, ticket: int, out: CData, /
    ) -> int: ...
    def hcsshim_ticket_cancel(self, service: CData, ticket: int, /) -> int: ...
    def hcsshim_ticket_abandon(self, service: CData, ticket: int, /) -> int: ...
    def hcsshim_completion_clear(self, completion: CData, /) -> None: ...
    def hcsshim_handle_listen(
        self, service: CData, handle: int, queue: CData, /
    ) -> int: ...

    # the stdio relay
    HCSSHIM_COPY_OWNS_SOURCE: Final[int]
    HCSSHIM_COPY_OWNS_TARGET: Final[int]
    def hcsshim_relay_new(self, out: CData, /) -> int: ...
    def hcsshim_relay_free(self, relay: CData, /) -> None: ...
    def hcsshim_relay_copy(
        self,
        relay: CData,
        source: int,
        target: int,
        flags: int,
        transfer: CData,
        /,
    ) -> int: ...
    def hcsshim_relay_copy_logged(
        self,
        relay: CData,
        source: int,
        target: int,
        log: int,
        stream: int,
        flags: int,
        transfer: CData,
        /,
    ) -> int: ...
    def hcsshim_transfer_wait(
        self, relay: CData, transfer: int, timeout_ms: int, out: CData, /
    ) -> int: ...
    def hcsshim_transfer_notify(
        self, relay: CData, transfer: int, queue: CData, /
    ) -> int: ...
    def hcsshim_transfer_cancel(self, relay: CData, transfer: int, /) -> int: ...
    def hcsshim_transfer_end(self, relay: CData, transfer: int, /) -> int: ...

    # pipes of Windows
    def hcsshim_turn_new(self, out: CData, /) -> int: ...
    def hcsshim_turn_free(self, turn: CData, /) -> None: ...
    def hcsshim_turn_begin(
        self,
        turn: CData,
        pipe: int,
        writes: bool,
        data: CData,
        size: int,
        done: CData,
        /,
    ) -> int: ...
    def hcsshim_turn_event(self, turn: CData, /) -> int: ...
    def hcsshim_turn_finish(self, turn: CData, done: CData, /) -> int: ...
    def hcsshim_turn_cancel(self, turn: CData, /) -> None: ...

    # layers: tar to and from folders
    HCSSHIM_UNPACK_WINDOWS: Final[int]
    HCSSHIM_UNPACK_BASE: Final[int]
    HCSSHIM_UNPACK_UNHASHED: Final[int]
    def hcsshim_tree_remove(self, path: bytes, /) -> int: ...
    def hcsshim_unpack_new(
        self, root: bytes, flags: int, parents: CData, parent_count: int, out: CData, /
    ) -> int: ...
    def hcsshim_unpack_free(self, unpack: CData, /) -> None: ...
    def hcsshim_unpack_feed(
        self, unpack: CData, data: bytes | CData, length: int, /
    ) -> int: ...
    def hcsshim_unpack_room(
        self, unpack: CData, data: CData, room: CData, /
    ) -> int: ...
    def hcsshim_unpack_fill(self, unpack: CData, length: int, /) -> int: ...
    def hcsshim_unpack_read(
        self, unpack: CData, file: int, limit: int, got: CData, /
    ) -> int: ...
    def hcsshim_unpack_finish(self, unpack: CData, result: CData, /) -> int: ...
    def hcsshim_unpack_problem(self, unpack: CData, /) -> CData: ...
    HCSSHIM_PACK_WINDOWS: Final[int]
    HCSSHIM_PACK_ROOT: Final[int]
    HCSSHIM_PACK_UNHASHED: Final[int]
    def hcsshim_pack_new(
        self,
        root: bytes,
        flags: int,
        parents: CData,
        parent_count: int,
        file: int,
        out: CData,
        /,
    ) -> int: ...
    def hcsshim_pack_free(self, pack: CData, /) -> None: ...
    def hcsshim_pack_run(self, pack: CData, limit: int, made: CData, /) -> int: ...
    def hcsshim_pack_data(self, pack: CData, length: CData, /) -> CData: ...
    def hcsshim_pack_finish(self, pack: CData, result: CData, /) -> int: ...
    def hcsshim_pack_problem(self, pack: CData, /) -> CData: ...

    # Win32 backup streams and tar
    HCSSHIM_BACKUP_FILE: Final[int]
    HCSSHIM_BACKUP_LINK: Final[int]
    HCSSHIM_BACKUP_REMOVED: Final[int]
    def hcsshim_backup_pack_new(self, file: int, hashed: int, out: CData, /) -> int: ...
    def hcsshim_backup_pack_free(self, pack: CData, /) -> None: ...
    def hcsshim_backup_pack_add(
        self,
        pack: CData,
        name: bytes,
        name_length: int,
        info: CData,
        stream: bytes | CData,
        length: int,
        /,
    ) -> int: ...
    def hcsshim_backup_pack_add_file(
        self,
        pack: CData,
        name: bytes,
        name_length: int,
        info: CData,
        file: int,
        offset: int,
        length: int,
        /,
    ) -> int: ...
    def hcsshim_backup_pack_more(self, pack: CData, /) -> int: ...
    def hcsshim_backup_pack_link(
        self,
        pack: CData,
        name: bytes,
        name_length: int,
        target: bytes,
        target_length: int,
        info: CData,
        /,
    ) -> int: ...
    def hcsshim_backup_pack_remove(
        self, pack: CData, name: bytes, name_length: int, /
    ) -> int: ...
    def hcsshim_backup_pack_data(self, pack: CData, length: CData, /) -> CData: ...
    def hcsshim_backup_pack_clear(self, pack: CData, /) -> None: ...
    def hcsshim_backup_pack_finish(self, pack: CData, result: CData, /) -> int: ...
    def hcsshim_backup_pack_problem(self, pack: CData, /) -> CData: ...
    def hcsshim_backup_unpack_new(self, out: CData, /) -> int: ...
    def hcsshim_backup_unpack_free(self, unpack: CData, /) -> None: ...
    def hcsshim_backup_unpack_feed(
        self, unpack: CData, data: bytes | CData, length: int, /
    ) -> None: ...
    def hcsshim_backup_unpack_next(self, unpack: CData, item: CData, /) -> int: ...
    def hcsshim_backup_unpack_problem(self, unpack: CData, /) -> CData: ...

    # disk formats: tar, ext4, VHD, dm-verity
    HCSSHIM_VERITY_BLOCK: Final[int]
    HCSSHIM_VERITY_SALT: Final[int]
    HCSSHIM_VERITY_DIGEST: Final[int]
    def hcsshim_verity_new(
        self, salt: bytes, salt_length: int, workers: int, out: CData, /
    ) -> int: ...
    def hcsshim_verity_free(self, verity: CData, /) -> None: ...
    def hcsshim_verity_update(
        self, verity: CData, data: bytes | CData, length: int, /
    ) -> int: ...
    def hcsshim_verity_skip(self, verity: CData, length: int, /) -> int: ...
    def hcsshim_verity_read(
        self, verity: CData, file: int, offset: int, length: int, threads: int, /
    ) -> int: ...
    def hcsshim_verity_put(
        self, verity: CData, block: int, data: bytes | CData, count: int, /
    ) -> int: ...
    def hcsshim_verity_finish(self, verity: CData, root: CData, /) -> int: ...
    def hcsshim_verity_blocks(self, verity: CData, /) -> int: ...
    def hcsshim_verity_tree(self, verity: CData, length: CData, /) -> CData: ...
    def hcsshim_verity_hash(
        self,
        salt: bytes,
        salt_length: int,
        data: bytes | CData,
        count: int,
        digests: CData,
        /,
    ) -> int: ...
    def hcsshim_verity_hash_file(
        self,
        salt: bytes,
        salt_length: int,
        file: int,
        offset: int,
        count: int,
        threads: int,
        digests: CData,
        /,
    ) -> int: ...
    HCSSHIM_EXT4_OVERLAY: Final[int]
    HCSSHIM_EXT4_BACKSLASH: Final[int]
    HCSSHIM_EXT4_INLINE: Final[int]
    HCSSHIM_EXT4_STRICT: Final[int]
    HCSSHIM_EXT4_SPARSE: Final[int]
    HCSSHIM_EXT4_BEHIND: Final[int]
    def hcsshim_ext4_new(
        self, file: int, flags: int, max_size: int, verity: CData, out: CData, /
    ) -> int: ...
    def hcsshim_ext4_free(self, ext4: CData, /) -> None: ...
    def hcsshim_ext4_feed(
        self, ext4: CData, data: bytes | CData, length: int, /
    ) -> int: ...
    def hcsshim_ext4_copy(
        self, ext4: CData, source: int, limit: int, copied: CData, /
    ) -> int: ...
    def hcsshim_ext4_finish(self, ext4: CData, size: CData, /) -> int: ...
    def hcsshim_ext4_problem(self, ext4: CData, length: CData, /) -> CData: ...
    def hcsshim_sha256_name(self) -> CData: ...
    def hcsshim_crc32c(self, crc: int, data: bytes, length: int, /) -> int: ...

ffi: Final[FFI]
lib: Final[Lib]
