"""What a capture tells: datagrams, and what was done with sockets, in the order in which it was seen.

A packet capture of an nlmon device knows datagrams only, and of no datagram whose socket it was. An strace knows the
sockets and what was asked of them. Both become these events; who needs more (emulator/script/captured.py) works it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class CaptureError(ValueError):
    """A capture that cannot be read on: one line, with the place in the file."""


class Way(Enum):
    """Which way a datagram went."""

    TO_KERNEL = "to the kernel"
    TO_USER = "to a program"
    UNKNOWN = "either way"


@dataclass(frozen=True, slots=True)
class Datagram:
    """One datagram as it was captured.

    protocol: the netlink protocol, None where the capture does not say. place: where it stands in the file, for people.
    time: nanoseconds since 1970, or None. socket: whose it is, where the capture knows (a name that is unique in the
    capture). length: how long it was; more than there is of ``data`` where the capture cut it off. network: the name of
    the namespace, where the capture says. port: the port id of the socket that sent it, where that is known beside
    what its header says. lost: how many before it the capture could not hold.
    """

    data: bytes
    protocol: int | None
    place: str
    time: int | None = None
    way: Way = Way.UNKNOWN
    socket: str | None = None
    length: int = -1
    network: str | None = None
    port: int | None = None
    comment: str | None = None
    lost: int = 0

    @property
    def cut(self) -> bool:
        """Whether the capture holds less of it than there was."""
        return self.length > len(self.data)


@dataclass(frozen=True, slots=True)
class Act:
    """Something done with a socket: ``verb`` and ``fields`` are those of a step of our traces (fixtures/README.md),
    "open", "opt", "close" and so on, or another step of such a trace."""

    verb: str
    socket: str
    place: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    time: int | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that was captured and does not suffice to tell the bytes: why, in a few words; and which way it went,
    if it was a datagram of a socket."""

    reason: str
    place: str
    time: int | None = None
    socket: str | None = None
    way: Way = Way.UNKNOWN


Event = Datagram | Act | Unread
