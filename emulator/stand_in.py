"""A stand-in for `socket.socket`, for Python programs in whose process it can be put.

    socket.socket = netlink_socket("/run/nlemu")          # from now on, AF_NETLINK means the daemon

Sockets of other families are the ordinary ones. A netlink socket is a SEQPACKET socket that the daemon's control socket
opened: sending and receiving are its own, and what a Unix socket does not have (options, port ids, groups, names of
senders) is asked of the daemon. pyynl works with it unchanged; so does whatever else opens AF_NETLINK from Python.

What it cannot do is tell where a message comes from by ancillary data: NETLINK_PKTINFO and the namespace ids of
NETLINK_LISTEN_ALL_NSID. `nlemu run` can.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
from typing import Any

from emulator.client import Control, ControlError, NoDaemon

SOL_NETLINK = 270
ADD_MEMBERSHIP, DROP_MEMBERSHIP = 1, 2

_names = itertools.count(1)
_ordinary = socket.socket


def netlink_socket(directory: str | os.PathLike[str], netns: str = "init") -> type[socket.socket]:
    """A class to put in the place of `socket.socket`: its netlink sockets are the daemon's, in that namespace.

    A socket that the daemon refuses raises OSError, as the system call would; without a daemon it is ECONNREFUSED.
    """

    class NetlinkSocket(_ordinary):
        """An AF_NETLINK socket as a program sees it, and an AF_UNIX one as the system does."""

        _control: Control | None = None

        def __init__(
            self,
            family: int = -1,
            type: int = -1,
            proto: int = -1,
            fileno: int | None = None,
        ) -> None:
            if family != socket.AF_NETLINK or fileno is not None:
                super().__init__(family, type, proto, fileno)
                return
            try:
                self._control = Control(directory)
            except NoDaemon as error:
                raise ConnectionRefusedError(errno.ECONNREFUSED, str(error)) from None
            self._netlink = max(proto, 0)
            self._kind = type
            self._options: list[tuple[int, int]] = []
            self._port, self._groups = 0, 0
            opened = self._open(0, 0)
            super().__init__(fileno=opened.detach())

        def _do(self, **step: Any) -> Any:
            assert self._control is not None
            try:
                return self._control.do(**step)
            except ControlError as error:
                code = getattr(errno, error.errno or "", errno.EINVAL)
                raise OSError(code, str(error)) from None

        def _open(self, port: int, groups: int) -> socket.socket:
            assert self._control is not None
            self._name = f"stand-in-{os.getpid()}-{next(_names)}"
            try:
                opened, self._port = self._control.open_as(
                    self._name, netns=netns, proto=self._netlink, opts=self._options, port=port, groups=groups
                )
            except ControlError as error:
                code = getattr(errno, error.errno or "", errno.EINVAL)
                raise OSError(code, str(error)) from None
            self._groups = groups
            return opened

        def bind(self, address: Any) -> None:
            if self._control is None:
                super().bind(address)
                return
            port, groups = address
            if port in (0, self._port) and groups == self._groups:
                return
            former = self._name
            opened = self._open(port, groups)
            os.dup2(opened.fileno(), self.fileno())
            opened.close()
            self._do(close=former)

        def getsockname(self) -> Any:
            return super().getsockname() if self._control is None else (self._port, self._groups)

        def connect(self, address: Any) -> None:
            if self._control is None:
                super().connect(address)

        def setsockopt(self, level: int, name: int, value: Any, *rest: Any) -> None:
            if self._control is None or level != SOL_NETLINK:
                super().setsockopt(level, name, value, *rest)
                return
            number = value if isinstance(value, int) else int.from_bytes(value, "little")
            self._do(opt=self._name, name=int(name), value=number)
            self._options.append((int(name), number))

        def getsockopt(self, level: int, name: int, *rest: Any) -> Any:
            if self._control is not None and level == socket.SOL_SOCKET:
                known = {
                    socket.SO_TYPE: self._kind & 0xF,
                    socket.SO_DOMAIN: int(socket.AF_NETLINK),
                    socket.SO_PROTOCOL: self._netlink,
                }
                if name in known and not rest:
                    return known[name]
            return super().getsockopt(level, name, *rest)

        def sendto(self, data: Any, *rest: Any) -> int:
            if self._control is None:
                return super().sendto(data, *rest)
            return self.send(data, rest[0] if len(rest) == 2 else 0)

        def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
            data, address = super().recvfrom(size, flags)
            return data, address if self._control is None else (0, 0)

        def close(self) -> None:
            super().close()
            if self._control is not None:
                self._control.close()

    return NetlinkSocket
