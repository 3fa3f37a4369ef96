"""
The super block of dm-verity, and the shape of its tree.

Source:
    ``Documentation/admin-guide/device-mapper/verity.rst`` of Linux and the
    on-disk format page of cryptsetup's wiki.
"""

from __future__ import annotations

from struct import Struct
from uuid import UUID

import attrs
from attrs import validators

from hcsshim.errors import InvalidDataError

BLOCK_SIZE = 4096
DIGESTS_PER_BLOCK = 128
LONGEST_SALT = 256
SIGNATURE = b"verity\0\0"
NO_UUID = UUID(int=0)
#: What the reference salts with: zeros, which are hashed all the same.
DEFAULT_SALT = bytes(32)
#: Signature, version, hash type, UUID, algorithm, data and hash block size, data
#: blocks, salt size, salt.
_LAYOUT = Struct("<8sII16s32sIIQH6x256s168x")
#: So that no sum of sizes leaves 64 bits.
_MOST_BLOCKS = 1 << 51


@attrs.frozen(kw_only=True)
class VeritySuperblock:
    """
    What stands between an image and its hash tree.

    Args:
        data_blocks: The length of the image in blocks of 4096 bytes.
        salt: Hashed before every block.
        uuid: Names the hash device; plays no part in the root hash.
    """

    data_blocks: int = attrs.field(
        validator=[validators.ge(1), validators.lt(_MOST_BLOCKS)]
    )
    salt: bytes = attrs.field(
        default=DEFAULT_SALT, validator=validators.max_len(LONGEST_SALT)
    )
    uuid: UUID = NO_UUID

    def encode(self) -> bytes:
        """Give the block that is written, 4096 bytes."""
        packed = _LAYOUT.pack(
            SIGNATURE,
            1,
            1,
            self.uuid.bytes,
            b"sha256",
            BLOCK_SIZE,
            BLOCK_SIZE,
            self.data_blocks,
            len(self.salt),
            self.salt,
        )
        return packed.ljust(BLOCK_SIZE, b"\0")

    @classmethod
    def decode(cls, block: bytes) -> VeritySuperblock:
        """
        Read a super block.

        Args:
            block: At least its first 512 bytes.

        Raises:
            InvalidDataError: It is none, or one of a kind that is not made here.
        """
        if len(block) < _LAYOUT.size or not block.startswith(SIGNATURE):
            raise _invalid("There is no dm-verity super block here.")
        values = _LAYOUT.unpack_from(block)
        version, hash_type, uuid, name, data_size, hash_size, blocks = values[1:8]
        salt_size, salt = values[8:]
        algorithm = name.rstrip(b"\0").decode("ascii", "replace")
        if (version, hash_type) != (1, 1):
            raise _invalid(
                f"dm-verity version {version} with hash type {hash_type} is not "
                "supported; only version 1 with type 1 is."
            )
        if algorithm != "sha256":
            raise _invalid(f"The hash {algorithm!r} is not supported; only sha256 is.")
        if (data_size, hash_size) != (BLOCK_SIZE, BLOCK_SIZE):
            raise _invalid(
                f"Blocks of {data_size} and {hash_size} bytes are not supported; "
                f"only those of {BLOCK_SIZE} are."
            )
        if salt_size > LONGEST_SALT:
            raise _invalid(f"A salt of {salt_size} bytes is above the 256 that fit.")
        if not 1 <= blocks < _MOST_BLOCKS:
            raise _invalid(f"{blocks} data blocks cannot be.")
        return cls(data_blocks=blocks, salt=salt[:salt_size], uuid=UUID(bytes=uuid))


def level_sizes(data_blocks: int) -> list[int]:
    """Give the blocks of each level of a tree, the top level first."""
    sizes = []
    count = data_blocks
    while True:
        count = -(-count // DIGESTS_PER_BLOCK)
        sizes.append(count)
        if count == 1:
            return sizes[::-1]


def tree_size(data_blocks: int) -> int:
    """Give the length in bytes of the tree over so many data blocks."""
    return sum(level_sizes(data_blocks)) * BLOCK_SIZE


def _invalid(message: str) -> InvalidDataError:
    return InvalidDataError(operation="verity", message=message)
