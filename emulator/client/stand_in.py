"""A stand-in for `socket.socket`, for Python programs in whose process it can be put.

    Socket = netlink_socket("/run/nlemu")
    socket.socket = Socket                                # from now on, AF_NETLINK means the daemon
    IPRoute(use_socket=Socket(AF_NETLINK, SOCK_DGRAM))    # or where a library takes a socket

Sockets of other families are the ordinary ones. A netlink socket is a SEQPACKET socket that the daemon's control socket
opened: sending and receiving are its own, and what a Unix socket does not have (options, port ids, groups, ancillary
data) is asked of the daemon, or comes from it in a file (connection.py). Every question has a connection of its own,
so that threads and forks do not mix them up.

What it does not know is who sent a datagram: the address says the kernel, and no group. A receive never fails with
ENOBUFS. And a request is not done when send() returns, as it is in a kernel: who never waits may find no answer yet.
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from nlemu.emulator.client.client import Control, ControlError, NoDaemon
from nlemu.protocol.uapi.netlink import NetlinkOpt
from nlemu.protocol.uapi.socket import SOL_NETLINK, So

UNFORCED: dict[int, int] = {So.SNDBUFFORCE: So.SNDBUF, So.RCVBUFFORCE: So.RCVBUF}
"""What an ordinary user may ask for instead."""
KERNEL = (0, 0)
"""The address of the kernel: port id 0, no groups."""
NOTE_SIZE = 4096

Told = list[tuple[int, int, bytes]]

_ordinary = socket.socket


def netlink_socket(directory: str | os.PathLike[str], netns: str = "init") -> type[StandIn]:
    """A class to put in the place of `socket.socket`: its netlink sockets are the daemon's, in that namespace."""

    class NetlinkSocket(StandIn):
        _directory = directory
        _netns = netns

    return NetlinkSocket


class StandIn(_ordinary):
    """An AF_NETLINK socket as a program sees it, and an AF_UNIX one as the system does.

    What the daemon refuses raises OSError, as the system call would; without a daemon it is ECONNREFUSED.
    """

    _directory: ClassVar[str | os.PathLike[str]]
    _netns: ClassVar[str]
    _name: str | None = None
    """What the daemon calls it; None for a socket of another family."""
    _protocol = 0
    _kind = socket.SOCK_RAW
    _bound = False

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        if family != socket.AF_NETLINK or fileno is not None:
            super().__init__(family, type, proto, fileno)
            return
        kind = socket.SOCK_RAW if type == -1 else type
        plain = kind & ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        if plain not in (socket.SOCK_RAW, socket.SOCK_DGRAM):
            raise OSError(errno.ESOCKTNOSUPPORT, os.strerror(errno.ESOCKTNOSUPPORT))
        self._protocol, self._kind = max(proto, 0), socket.SocketKind(plain)
        name = f"python-{os.getpid()}-{os.urandom(4).hex()}"
        with _asking(self._directory) as control:
            opened, _ = control.open_as(name, netns=self._netns, proto=self._protocol, bound=False)
        super().__init__(fileno=opened.detach())
        self._name = name
        if kind & socket.SOCK_NONBLOCK:
            self.setblocking(False)

    def _ask(self, **step: Any) -> Any:
        with _asking(self._directory) as control:
            return control.do(**step)

    @property
    def family(self) -> Any:
        return super().family if self._name is None else socket.AF_NETLINK

    @property
    def type(self) -> Any:
        return super().type if self._name is None else self._kind

    @property
    def proto(self) -> int:
        return super().proto if self._name is None else self._protocol

    def dup(self) -> Self:
        if self._name is None:
            return super().dup()
        twin = self.__class__(fileno=os.dup(self.fileno()))
        twin._name, twin._protocol, twin._kind = self._name, self._protocol, self._kind
        twin._bound = self._bound
        twin.settimeout(self.gettimeout())
        return twin

    # Names

    def bind(self, address: Any) -> None:
        if self._name is None:
            super().bind(address)
            return
        port, groups = address
        self._ask(bind=self._name, port=port, groups=groups)
        self._bound = True

    def connect(self, address: Any) -> None:
        if self._name is None:
            super().connect(address)
        else:
            _only_the_kernel(address)

    def getsockname(self) -> Any:
        if self._name is None:
            return super().getsockname()
        told = self._ask(describe=self._name)
        return told["port"], told["groups"]

    def getpeername(self) -> Any:
        return super().getpeername() if self._name is None else KERNEL

    # Options

    def setsockopt(self, level: int, name: int, value: Any, *rest: Any) -> None:
        if self._name is not None and level == SOL_NETLINK:
            number = value if isinstance(value, int) else int.from_bytes(value[:4], sys.byteorder)
            self._ask(opt=self._name, name=int(name), value=number)
            return
        if self._name is not None and level == socket.SOL_SOCKET:
            name = UNFORCED.get(name, name)
        super().setsockopt(level, name, value, *rest)

    def getsockopt(self, level: int, name: int, *rest: Any) -> Any:
        value: int | None = None
        if self._name is not None and level == SOL_NETLINK:
            told = self._ask(describe=self._name)
            if name == NetlinkOpt.LIST_MEMBERSHIPS:
                return bytes.fromhex(told["memberships"])[: rest[0] if rest else 4]
            value = told["options"].get(str(int(name)))
            if value is None:
                raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
        elif self._name is not None and level == socket.SOL_SOCKET:
            value = {
                socket.SO_TYPE: int(self._kind),
                socket.SO_DOMAIN: int(socket.AF_NETLINK),
                socket.SO_PROTOCOL: self._protocol,
            }.get(name)
        if value is None:
            return super().getsockopt(level, name, *rest)
        return struct.pack("=i", value)[: rest[0]] if rest else value

    # Requests: the first binds a socket that has no port, as netlink_sendmsg() does

    def _bind_to_send(self) -> None:
        if self._name is not None and not self._bound:
            self._ask(bind=self._name)
            self._bound = True

    def send(self, data: Any, flags: int = 0) -> int:
        self._bind_to_send()
        return super().send(data, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._bind_to_send()
        super().sendall(data, flags)

    def sendto(self, data: Any, *rest: Any) -> int:
        if self._name is None:
            return super().sendto(data, *rest)
        _only_the_kernel(rest[-1])
        return self.send(data, rest[0] if len(rest) == 2 else 0)

    def sendmsg(self, buffers: Iterable[Any], ancdata: Iterable[Any] = (), flags: int = 0, address: Any = None) -> int:
        if self._name is None:
            return super().sendmsg(buffers, ancdata, flags, address)
        if address is not None:
            _only_the_kernel(address)
        self._bind_to_send()
        return super().sendmsg(buffers, ancdata, flags)

    # What is received

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        data, address = super().recvfrom(size, flags)
        return data, address if self._name is None else KERNEL

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        size, address = super().recvfrom_into(buffer, nbytes, flags)
        return size, address if self._name is None else KERNEL

    def recvmsg(self, size: int, ancillary: int = 0, flags: int = 0) -> Any:
        if self._name is None:
            return super().recvmsg(size, ancillary, flags)
        room = _room(ancillary)
        data, told, flags, _ = super().recvmsg(size, room, flags | socket.MSG_CMSG_CLOEXEC)
        return data, _read_notes(told), flags & ~socket.MSG_CMSG_CLOEXEC, KERNEL

    def recvmsg_into(self, buffers: Iterable[Any], ancillary: int = 0, flags: int = 0) -> Any:
        if self._name is None:
            return super().recvmsg_into(buffers, ancillary, flags)
        room = _room(ancillary)
        size, told, flags, _ = super().recvmsg_into(buffers, room, flags | socket.MSG_CMSG_CLOEXEC)
        return size, _read_notes(told), flags & ~socket.MSG_CMSG_CLOEXEC, KERNEL


class _asking(Control):
    """The control socket, for one question: what goes wrong is an OSError."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        try:
            super().__init__(directory)
        except NoDaemon as error:
            raise ConnectionRefusedError(errno.ECONNREFUSED, str(error)) from None

    def do(self, **step: Any) -> Any:
        try:
            return super().do(**step)
        except NoDaemon as error:
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from None
        except ControlError as error:
            raise OSError(getattr(errno, error.errno or "", errno.EINVAL), str(error)) from None


def _only_the_kernel(address: Any) -> None:
    """Netlink carries messages from program to program as well; here nobody would listen."""
    if tuple(address) != KERNEL:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "only the kernel listens here")


def _room(ancillary: int) -> int:
    """How much of it holds a descriptor: room for one, if the program asks for anything."""
    return max(ancillary, socket.CMSG_SPACE(array.array("i").itemsize)) if ancillary else 0


def _read_notes(told: Told) -> Told:
    """The files that came along, as the ancillary data that the kernel would give."""
    given: Told = []
    for level, kind, data in told:
        if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            given.append((level, kind, data))
            continue
        for file in array.array("i", data):
            try:
                note = json.loads(os.pread(file, NOTE_SIZE, 0))
            finally:
                os.close(file)
            if "group" in note:
                given.append((SOL_NETLINK, NetlinkOpt.PKTINFO, struct.pack("=I", note["group"])))
            if "nsid" in note:
                given.append((SOL_NETLINK, NetlinkOpt.LISTEN_ALL_NSID, struct.pack("=i", note["nsid"])))
    return given
