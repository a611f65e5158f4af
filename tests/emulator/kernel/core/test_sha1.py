"""The state behind a block is the digest of what the block holds, where the block ends as a digest ends."""

import hashlib
import struct

import pytest

from nlemu.emulator.kernel.core import sha1


@pytest.mark.parametrize("message", [b"", b"abc", bytes(range(55))])
def test_a_whole_block_is_its_digest(message: bytes) -> None:
    block = (message + b"\x80").ljust(56, b"\0") + struct.pack(">Q", 8 * len(message))
    assert struct.pack(">5I", *sha1.state(block)) == hashlib.sha1(message).digest()
