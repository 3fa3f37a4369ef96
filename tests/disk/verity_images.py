"""Images made by rule, and a slow dm-verity to compare with."""

from __future__ import annotations

import hashlib

BLOCK = 4096

#: Blocks of ``image()`` -> SHA-256 of the reference's tree, and its root hash.
REFERENCE_TREES = {
    1: (
        "1e4cc9c3565391f8eee4e2f388b52a72b1d6c9dcd2876e29bf5af41dc75ab1e4",
        "fc9a1293a09d92ebbc5d016e5aacf324d9219121eb5fe5ac064cead171a12b0b",
    ),
    2: (
        "51cb60c425bfc6c36360e0c79030b2dda7278ae89a4e5afa2e39cdbc4fc6b249",
        "6d095c1f1918e3b9d5abb6d5f0ac6d760381a4bed1e352408e1cd442df9bad30",
    ),
    7: (
        "d14dc4b7f14ad162be7c79abab438d009360a2496dae72564c846118ae43f9b8",
        "0cf755214eefba9d8af41eb8f9eff4a8e71df4a4f961e96ba4e57900b1e0b7c9",
    ),
    128: (
        "d30e8412c3e9146946bec1f31589ea337cf3ba7462d03209eb12ad9de4855f86",
        "c812b32d2d66a65d40c3803878d19d993200d4411a497b854bda7755ab821ab6",
    ),
    129: (
        "a4ee92e2382f249a60aa184acd6a441303d61a73f1a055d9b03ac3c62f33302f",
        "182334555834bca426c350f6543b57c5926a2d2174479bd61f1077f3738b12d9",
    ),
    1000: (
        "d16efbca5fae301ad37d92079643c939b011e38416bf9af449d0a441e5868d0b",
        "c4fcdc0152b720265095572d3cc6b2499b8ef232909ef42cd904eccae6f8a3b6",
    ),
    16385: (
        "f44ef945b7e23b0ebdc73c02cf6a9f0f61de3eb35b58da87e34ef5f29635f1b6",
        "f60ad75b91387189dc32a870c565dd1c5c7f4ed1364c3074929808db4cd7ebd1",
    ),
}


def image(blocks: int) -> bytes:
    """Make an image whose blocks all differ: block n repeats the digest of n."""
    return b"".join(
        hashlib.sha256(n.to_bytes(8, "little")).digest() * 128 for n in range(blocks)
    )


def slow_tree(data: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Give the root hash and the tree of an image, the plain way."""
    levels = []
    level = data
    while True:
        level = b"".join(
            hashlib.sha256(salt + level[at : at + BLOCK]).digest()
            for at in range(0, len(level), BLOCK)
        )
        level += bytes(-len(level) % BLOCK)
        levels.append(level)
        if len(level) == BLOCK:
            return hashlib.sha256(salt + level).digest(), b"".join(levels[::-1])
