"""The state of SHA-1 behind one block, without what ends a digest: sha1_update() of lib/crypto/sha1.c, as the kernel
uses it for addresses of IPv6. hashlib tells digests only."""

from __future__ import annotations

MASK = 0xFFFFFFFF
BLOCK = 64
"""SHA1_BLOCK_SIZE"""
INITIAL = 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0
CONSTANTS = 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6


def state(block: bytes) -> tuple[int, ...]:
    """The five words of the state, each of 32 bits, behind a block of 64 bytes."""
    words = [int.from_bytes(block[at : at + 4], "big") for at in range(0, BLOCK, 4)]
    for at in range(16, 80):
        words.append(_rol(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1))
    a, b, c, d, e = INITIAL
    for at, word in enumerate(words):
        mixed = _rol(a, 5) + _chosen(at // 20, b, c, d) + e + word + CONSTANTS[at // 20] & MASK
        a, b, c, d, e = mixed, a, _rol(b, 30), c, d
    return tuple(old + new & MASK for old, new in zip(INITIAL, (a, b, c, d, e), strict=True))


def _rol(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & MASK


def _chosen(part: int, b: int, c: int, d: int) -> int:
    """What three words are made into, in each quarter of the rounds."""
    if part == 0:
        return b & c | ~b & d & MASK
    if part == 2:
        return b & c | b & d | c & d
    return b ^ c ^ d
