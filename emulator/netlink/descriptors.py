"""What a number in a message means that names an open file of the sender.

A few attributes hold a file descriptor (IFLA_NET_NS_FD, NETNSA_FD, NETDEV_A_DMABUF_FD). The kernel looks such a number
up in the table of the calling task; here the caller is at the other end of a socket, so every endpoint carries a way
to ask: `endpoint.descriptors.get(number)` answers with the object the sender means by it (a `Net`, a dmabuf), or None,
which is EBADF or whatever the handler makes of a descriptor that is not open.

Three kinds of senders, three tables. The steps of a trace use a plain dict of made-up numbers. A client whose process
can be seen is asked what it has open (`PeerDescriptors`): the directory in which a namespace's sockets lie stands
for that namespace, so `os.open("DIR/guest", os.O_RDONLY)` is what `/run/netns/guest` is to the kernel's clients.
A socket opened through the control socket may bring a dict of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol


class Descriptors(Protocol):
    """A sender's table of open files; a dict will do."""

    def get(self, number: int, /) -> object | None:
        """The object that the sender has open under this number; None when it is no such thing."""


class Named:
    """A table in which one number was given a meaning by hand; all others are looked up where they were before."""

    __slots__ = ("number", "others", "thing")

    def __init__(self, number: int, thing: object, others: Descriptors) -> None:
        self.number, self.thing, self.others = number, thing, others

    def get(self, number: int, /) -> object | None:
        """What the number stands for: the thing that was given to it, or what it was before."""
        return self.thing if number == self.number else self.others.get(number)


class PeerDescriptors:
    """The files that a living process has open, read from /proc when a message asks.

    pid: the process, as this one's procfs numbers it. lookup: from the device and inode number of a file to the object
    it stands for.
    """

    __slots__ = ("lookup", "pid")

    def __init__(self, pid: int, lookup: Callable[[tuple[int, int]], object | None]) -> None:
        self.pid = pid
        self.lookup = lookup

    def get(self, number: int, /) -> object | None:
        """None as well when the process is gone, or belongs to somebody else."""
        try:
            found = os.stat(f"/proc/{self.pid}/fd/{number}")
        except (OSError, ValueError):
            return None
        return self.lookup((found.st_dev, found.st_ino))
