"""The netlink side of a socket that a daemon opened: what a Unix socket does not have.

Sending and receiving are the Unix socket's own. Options, port ids and groups are asked of the daemon; every question
has a connection of its own, so that threads and forks do not mix them up. Ancillary data comes from it in a file
(connection.py).
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket
import struct
import sys
from typing import Any

from nlemu.emulator.client.control import Control, ControlError, NoDaemon
from nlemu.protocol.uapi.netlink import NetlinkOpt
from nlemu.protocol.uapi.socket import SOL_NETLINK, So

UNFORCED: dict[int, int] = {So.SNDBUFFORCE: So.SNDBUF, So.RCVBUFFORCE: So.RCVBUF}
"""What an ordinary user may ask for instead."""
KERNEL = (0, 0)
"""The address of the kernel: port id 0, no groups."""
NOTE_SIZE = 4096

Told = list[tuple[int, int, bytes]]


class NetlinkEnd:
    """One. Takes the daemon's directory, the namespace, and what socket() was asked for; `number` is then the
    descriptor of the Unix socket, for whoever makes the socket. What the daemon refuses raises OSError, as the system
    call would; without a daemon it is ECONNREFUSED.
    """

    def __init__(self, directory: str | os.PathLike[str], netns: str, kind: int, protocol: int) -> None:
        plain = kind & ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        if plain not in (socket.SOCK_RAW, socket.SOCK_DGRAM):
            raise OSError(errno.ESOCKTNOSUPPORT, os.strerror(errno.ESOCKTNOSUPPORT))
        self.directory = directory
        self.protocol, self.kind = protocol, socket.SocketKind(plain)
        self.name = f"python-{os.getpid()}-{os.urandom(4).hex()}"
        """What the daemon calls it."""
        self.bound = False
        with _asking(directory) as control:
            opened, _ = control.open_as(self.name, netns=netns, proto=protocol, bound=False)
        self.peer = peer_of(opened)
        """The name of the daemon's end, by which whoever has only the descriptor can tell whose it is."""
        self.number = opened.detach()

    def ask(self, **step: Any) -> Any:
        """A question about this socket, on a connection of its own."""
        with _asking(self.directory) as control:
            return control.do(**step)

    def bind(self, address: Any) -> None:
        """netlink_bind()."""
        port, groups = address
        self.ask(bind=self.name, port=port, groups=groups)
        self.bound = True

    def bind_to_send(self) -> None:
        """netlink_sendmsg(): the first message binds a socket that has no port."""
        if not self.bound:
            self.ask(bind=self.name)
            self.bound = True

    def sockname(self) -> tuple[int, int]:
        """netlink_getname()."""
        told = self.ask(describe=self.name)
        return told["port"], told["groups"]

    def setsockopt(self, name: int, value: Any) -> None:
        """netlink_setsockopt()."""
        number = value if isinstance(value, int) else int.from_bytes(value[:4], sys.byteorder)
        self.ask(opt=self.name, name=int(name), value=number)

    def getsockopt(self, level: int, name: int, *rest: Any) -> Any:
        """netlink_getsockopt(), and what says of which kind a socket is; None for what the Unix socket knows itself."""
        value: int | None = None
        if level == SOL_NETLINK:
            told = self.ask(describe=self.name)
            if name == NetlinkOpt.LIST_MEMBERSHIPS:
                return bytes.fromhex(told["memberships"])[: rest[0] if rest else 4]
            value = told["options"].get(str(int(name)))
            if value is None:
                raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
        elif level == socket.SOL_SOCKET:
            value = {
                socket.SO_TYPE: int(self.kind),
                socket.SO_DOMAIN: int(socket.AF_NETLINK),
                socket.SO_PROTOCOL: self.protocol,
            }.get(name)
        if value is None:
            return None
        return struct.pack("=i", value)[: rest[0]] if rest else value


def peer_of(sock: Any) -> object:
    """The name of a socket's other end; None if there is none."""
    try:
        return _getpeername(sock)
    except OSError:
        return None


_getpeername = socket.SocketType.getpeername
"""Python's own, whatever stands in its place."""


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


def only_the_kernel(address: Any) -> None:
    """Netlink carries messages from program to program as well; here nobody would listen."""
    if tuple(address) != KERNEL:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "only the kernel listens here")


def room(ancillary: int) -> int:
    """How much of it holds a descriptor: room for one, if the program asks for anything."""
    return max(ancillary, socket.CMSG_SPACE(array.array("i").itemsize)) if ancillary else 0


def read_notes(told: Told) -> Told:
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
