"""A stand-in for `socket.socket`, for Python programs in whose process it can be put.

    Socket = netlink_socket("/run/nlemu")
    socket.socket = Socket                                # from now on, AF_NETLINK means the daemon
    IPRoute(use_socket=Socket(AF_NETLINK, SOCK_DGRAM))    # or where a library takes a socket

Sockets of other families are the ordinary ones. A netlink socket is a SEQPACKET socket that the daemon's control socket
opened (netlink_end.py).

Libraries derive classes of their own from `socket.socket` when they are imported, and make such sockets of a
descriptor. So `patched()` leaves the class where it is and puts these methods into it, and which sockets are netlink's
is not written in them: it is known by the object, and by the name of the other end for a new object on an old
descriptor.

What it does not know is who sent a datagram: the address says the kernel, and no group. A receive never fails with
ENOBUFS. And a request is not done when send() returns, as it is in a kernel: who never waits may find no answer yet.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self
from weakref import WeakKeyDictionary, WeakValueDictionary

from nlemu.emulator.client.netlink_end import (
    KERNEL,
    UNFORCED,
    NetlinkEnd,
    only_the_kernel,
    peer_of,
    read_notes,
    room,
)
from nlemu.protocol.uapi.socket import SOL_NETLINK

Place = tuple[str | os.PathLike[str], str]
"""A daemon's directory, and a namespace."""

_ordinary = socket.socket
_plain = socket.SocketType
"""What `socket.socket` is made of; nobody changes it."""
_init, _dup = _ordinary.__init__, _ordinary.dup

_ends: WeakKeyDictionary[socket.socket, NetlinkEnd] = WeakKeyDictionary()
_by_peer: WeakValueDictionary[object, NetlinkEnd] = WeakValueDictionary()


def netlink_socket(directory: str | os.PathLike[str], netns: str = "init") -> type[StandIn]:
    """A class to put in the place of `socket.socket`: its netlink sockets are the daemon's, in that namespace."""

    class NetlinkSocket(StandIn):
        place = directory, netns

    return NetlinkSocket


class _Methods:
    """The methods of `socket.socket` that are others for netlink. `self` is a socket of any family."""

    place: ClassVar[Place]

    def __init__(self: Any, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        if fileno is None and family == socket.AF_NETLINK:
            kind = socket.SOCK_RAW if type == -1 else type
            directory, netns = self.place
            end = NetlinkEnd(directory, netns, kind, max(proto, 0))
            _init(self, fileno=end.number)
            if end.peer is not None:
                _by_peer[end.peer] = end
            if kind & socket.SOCK_NONBLOCK:
                self.setblocking(False)
            _ends[self] = end
        elif fileno is not None and family in (-1, socket.AF_NETLINK):
            _init(self, fileno=fileno)
            known = _by_peer.get(peer_of(self))
            if known is not None:
                _ends[self] = known
        else:
            _init(self, family, type, proto, fileno)

    @property
    def family(self: Any) -> Any:
        end = _ends.get(self)
        return _family.__get__(self) if end is None else socket.AF_NETLINK

    @property
    def type(self: Any) -> Any:
        end = _ends.get(self)
        return _type.__get__(self) if end is None else end.kind

    @property
    def proto(self: Any) -> int:
        end = _ends.get(self)
        proto: int = _proto.__get__(self) if end is None else end.protocol
        return proto

    # Names

    def bind(self: Any, address: Any) -> None:
        if (end := _ends.get(self)) is None:
            _plain.bind(self, address)
        else:
            end.bind(address)

    def connect(self: Any, address: Any) -> None:
        if self not in _ends:
            _plain.connect(self, address)
        else:
            only_the_kernel(address)

    def getsockname(self: Any) -> Any:
        end = _ends.get(self)
        return _plain.getsockname(self) if end is None else end.sockname()

    def getpeername(self: Any) -> Any:
        return KERNEL if self in _ends else _plain.getpeername(self)

    # Options

    def setsockopt(self: Any, level: int, name: int, value: Any, *rest: Any) -> None:
        end = _ends.get(self)
        if end is not None and level == SOL_NETLINK:
            end.setsockopt(name, value)
            return
        if end is not None and level == socket.SOL_SOCKET:
            name = UNFORCED.get(name, name)
        _plain.setsockopt(self, level, name, value, *rest)

    def getsockopt(self: Any, level: int, name: int, *rest: Any) -> Any:
        end = _ends.get(self)
        told = None if end is None else end.getsockopt(level, name, *rest)
        return _plain.getsockopt(self, level, name, *rest) if told is None else told

    # Requests

    def send(self: Any, data: Any, flags: int = 0) -> int:
        if (end := _ends.get(self)) is not None:
            end.bind_to_send()
        return _plain.send(self, data, flags)

    def sendall(self: Any, data: Any, flags: int = 0) -> None:
        if (end := _ends.get(self)) is not None:
            end.bind_to_send()
        _plain.sendall(self, data, flags)

    def sendto(self: Any, data: Any, *rest: Any) -> int:
        end = _ends.get(self)
        if end is None:
            return _plain.sendto(self, data, *rest)
        only_the_kernel(rest[-1])
        end.bind_to_send()
        return _plain.send(self, data, rest[0] if len(rest) == 2 else 0)

    def sendmsg(
        self: Any, buffers: Iterable[Any], ancdata: Iterable[Any] = (), flags: int = 0, address: Any = None
    ) -> int:
        end = _ends.get(self)
        if end is None:
            return _plain.sendmsg(self, buffers, ancdata, flags, address)
        if address is not None:
            only_the_kernel(address)
        end.bind_to_send()
        return _plain.sendmsg(self, buffers, ancdata, flags)

    # What is received

    def recvfrom(self: Any, size: int, flags: int = 0) -> tuple[bytes, Any]:
        data, address = _plain.recvfrom(self, size, flags)
        return data, KERNEL if self in _ends else address

    def recvfrom_into(self: Any, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        size, address = _plain.recvfrom_into(self, buffer, nbytes, flags)
        return size, KERNEL if self in _ends else address

    def recvmsg(self: Any, size: int, ancillary: int = 0, flags: int = 0) -> Any:
        if self not in _ends:
            return _plain.recvmsg(self, size, ancillary, flags)
        data, told, flags, _ = _plain.recvmsg(self, size, room(ancillary), flags | socket.MSG_CMSG_CLOEXEC)
        return data, read_notes(told), flags & ~socket.MSG_CMSG_CLOEXEC, KERNEL

    def recvmsg_into(self: Any, buffers: Iterable[Any], ancillary: int = 0, flags: int = 0) -> Any:
        if self not in _ends:
            return _plain.recvmsg_into(self, buffers, ancillary, flags)
        size, told, flags, _ = _plain.recvmsg_into(self, buffers, room(ancillary), flags | socket.MSG_CMSG_CLOEXEC)
        return size, read_notes(told), flags & ~socket.MSG_CMSG_CLOEXEC, KERNEL


_family, _type, _proto = _ordinary.family, _ordinary.type, _plain.proto


class StandIn(_Methods, _ordinary):
    """An AF_NETLINK socket as a program sees it, and an AF_UNIX one as the system does."""

    def dup(self) -> Self:
        return _dup(self)


METHODS = {name: value for name, value in vars(_Methods).items() if name == "__init__" or not name.startswith("_")}


@contextmanager
def patched(directory: str | os.PathLike[str], netns: str = "init") -> Iterator[None]:
    """`socket.socket` itself makes the daemon's netlink sockets, in that namespace, until the block ends; so do the
    classes that were derived from it. One inside another holds until its own end."""
    there = vars(_ordinary)
    before = {name: there[name] for name in (*METHODS, "place") if name in there}
    for name, value in METHODS.items():
        setattr(_ordinary, name, value)
    _ordinary.place = directory, netns  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name in (*METHODS, "place"):
            if name in before:
                setattr(_ordinary, name, before[name])
            else:
                delattr(_ordinary, name)
