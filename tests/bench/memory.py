"""The memory of a program that makes ioctls, as long as it has to be."""

from __future__ import annotations


class Memory:
    """Bytes from address 0."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)

    def read(self, address: int, length: int) -> bytes:
        """Those."""
        return bytes(self.data[address : address + length])

    def write(self, address: int, data: bytes) -> None:
        """Puts them there."""
        self.data[address : address + len(data)] = data
