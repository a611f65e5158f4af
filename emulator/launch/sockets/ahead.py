"""What was written into a Unix socket in the place of a netlink socket, and not yet read.

It still counts in the endpoint's receive buffer, as in Linux, where nothing lies between the two. How much of it the
program has read by now is asked when it matters, before a datagram is said to find no room: the Unix socket tells how
many bytes of memory its unread datagrams take, and they are read in order.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Datagram, Endpoint

MANY = 64
"""How many datagrams may lie ahead before it is asked whether they still do."""


class Ahead:
    """Of one socket. endpoint: whose datagrams; sock: our end."""

    __slots__ = ("_datagrams", "_endpoint", "_memory", "_sock")

    def __init__(self, endpoint: Endpoint, sock: socket.socket) -> None:
        self._endpoint, self._sock = endpoint, sock
        self._datagrams: deque[Datagram] = deque()
        self._memory = 0
        """How much memory the Unix socket takes for them, in bytes."""

    def put(self, datagram: Datagram) -> None:
        """It has been written."""
        self._datagrams.append(datagram)
        self._memory += size_of(datagram)
        if len(self._datagrams) > MANY:
            self.sync()

    def sync(self) -> None:
        """Finds out what has been read."""
        datagrams = self._datagrams
        if not datagrams:
            return
        unread = _memory(self._sock)
        while datagrams and self._memory > unread:
            datagram = datagrams.popleft()
            self._memory -= size_of(datagram)
            self._endpoint.gone(datagram)
        if not datagrams:
            self._memory = 0  # one may have been guessed, and known by now

    def release(self) -> None:
        """Takes everything for read."""
        while self._datagrams:
            self._endpoint.gone(self._datagrams.popleft())
        self._memory = 0

    def find(self, data: bytes) -> Datagram | None:
        """The datagram with these bytes."""
        return next((datagram for datagram in self._datagrams if datagram.data == data), None)


def _memory(sock: socket.socket) -> int:
    """How many bytes of memory the datagrams take that were sent and not read."""
    return int(struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0\0\0\0"))[0])


def size_of(datagram: Datagram) -> int:
    """How many bytes of memory it takes; where no descriptors are left to try it with, what it takes in our kernel."""
    try:
        return skb_size(len(datagram.data))
    except OSError:
        return datagram.cost


@lru_cache(maxsize=4096)
def skb_size(length: int) -> int:
    """How many bytes of memory this machine's kernel takes for a datagram of that length, by trying. OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.send(bytes(length))
        return _memory(ours)
