"""
An empty registry hive, byte for byte.

Source:
    The regf format: a base block, and one bin with the root key and its security.
"""

from __future__ import annotations

from struct import pack

_BLOCK = 4096
_NONE = 0xFFFFFFFF
_ROOT_CELL = 32
#: Root of a hive, may not be deleted, name of single bytes.
_ROOT_FLAGS = 0x2C
_NAME = b"ROOT"
_FULL_CONTROL = 0x000F003F
_SYSTEM = pack("<BB6sI", 1, 1, bytes((0, 0, 0, 0, 0, 5)), 18)
_ADMINISTRATORS = pack("<BB6s2I", 1, 2, bytes((0, 0, 0, 0, 0, 5)), 32, 544)
_DACL_PRESENT_SELF_RELATIVE = 0x8004
_INHERITED_BY_KEYS = 2


def _security() -> bytes:
    """Let the system and administrators do everything, and nobody else."""
    entries = b"".join(
        pack("<BBHI", 0, _INHERITED_BY_KEYS, 8 + len(who), _FULL_CONTROL) + who
        for who in (_SYSTEM, _ADMINISTRATORS)
    )
    acl = pack("<BBHHH", 2, 0, 8 + len(entries), 2, 0) + entries
    owner = 20
    group = owner + len(_ADMINISTRATORS)
    head = pack(
        "<BBHIIII",
        1,
        0,
        _DACL_PRESENT_SELF_RELATIVE,
        owner,
        group,
        0,
        group + len(_SYSTEM),
    )
    return head + _ADMINISTRATORS + _SYSTEM + acl


def _cell(data: bytes) -> bytes:
    size = -(-(len(data) + 4) // 8) * 8
    return pack("<i", -size) + data.ljust(size - 4, b"\0")


def empty_hive() -> bytes:
    """Give the bytes of a hive whose root has neither keys nor values."""
    descriptor = _security()
    security_cell = _ROOT_CELL + len(_cell(bytes(76) + _NAME))
    root = b"".join(
        (
            pack("<2sHQI", b"nk", _ROOT_FLAGS, 0, 0),
            pack("<I", _ROOT_CELL),  # its parent: itself
            pack("<IIII", 0, 0, _NONE, _NONE),  # keys, and those that are not kept
            pack("<II", 0, _NONE),  # values
            pack("<II", security_cell, _NONE),  # security, class
            pack("<IIIII", 0, 0, 0, 0, 0),  # longest names and data
            pack("<HH", len(_NAME), 0),
            _NAME,
        )
    )
    links = (security_cell, security_cell)  # to the next and the one before: itself
    security = pack("<2sHIIII", b"sk", 0, *links, 1, len(descriptor)) + descriptor
    cells = _cell(root) + _cell(security)
    left = _BLOCK - 32 - len(cells)
    bin_ = pack("<4sIIQQI", b"hbin", 0, _BLOCK, 0, 0, 0) + cells + pack("<i", left)
    return _base_block() + bin_.ljust(_BLOCK, b"\0")


def _base_block() -> bytes:
    block = pack(
        "<4sIIQIIIIIII", b"regf", 1, 1, 0, 1, 5, 0, 1, _ROOT_CELL, _BLOCK, 1
    ).ljust(508, b"\0")
    checksum = 0
    for at in range(0, 508, 4):
        checksum ^= int.from_bytes(block[at : at + 4], "little")
    return (block + pack("<I", checksum or 1)).ljust(_BLOCK, b"\0")
