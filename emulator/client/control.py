"""The control socket of a daemon, for whoever drives one: the steps that are not netlink, and sockets with options.

What netlink says is another file's (client.py): a script that only starts programs does not import it.
"""

from __future__ import annotations

import array
import itertools
import json
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol

PACKET = 1 << 20
"""Room for any packet of what is watched: a datagram of netlink, with what a capture says of it."""

OPTIONS = ((NetlinkOpt.CAP_ACK, 1), (NetlinkOpt.EXT_ACK, 1), (NetlinkOpt.GET_STRICT_CHK, 1))
"""What the kernel's own client sets."""

_names = itertools.count(1)


class NoDaemon(Exception):
    """There is nobody to speak to: one line, which says where."""


class ControlError(Exception):
    """The control socket refused: its line, and the errno's name if the kernel would have refused."""

    def __init__(self, text: str, errno: str | None = None) -> None:
        super().__init__(text)
        self.errno = errno


class Control:
    """A connection to the control socket of a daemon's directory. Raises NoDaemon."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        path = Path(directory) / "control"
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._sock.connect(os.fspath(path))
        except OSError as error:
            self._sock.close()
            if isinstance(error, PermissionError):
                raise NoDaemon(f"{path} is for its owner: run as that user, or as root") from None
            why = error.strerror or str(error)
            raise NoDaemon(
                f"no daemon serves {directory} ({why}); start one: nlemu serve --dir {directory}"
            ) from None
        self._buffer = b""
        self._passed: list[int] = []
        """Descriptors that came with answers and were not taken yet."""

    def close(self) -> None:
        """Closes the connection, and the descriptors that came by it."""
        self._sock.close()
        for number in self._passed:
            os.close(number)

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do(self, **step: Any) -> Any:
        """Performs a step; what the daemon has to tell of it (True if nothing). Raises ControlError, NoDaemon."""
        try:
            self._sock.sendall(json.dumps(step).encode() + b"\n")
            while b"\n" not in self._buffer:
                data, ancillary, _, _ = self._sock.recvmsg(1 << 16, socket.CMSG_SPACE(4))
                if not data:
                    raise ConnectionResetError
                self._buffer += data
                for _, _, rights in ancillary:
                    numbers = array.array("i")
                    numbers.frombytes(rights)
                    self._passed += numbers
        except (BrokenPipeError, ConnectionResetError):
            raise NoDaemon("the daemon went away") from None
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise ControlError(answer["error"], answer.get("errno"))
        return answer["ok"]

    def open(
        self,
        *,
        netns: str = "init",
        proto: int = NetlinkProtocol.GENERIC,
        options: Sequence[tuple[int, int]] = OPTIONS,
        **fields: Any,
    ) -> tuple[socket.socket, str]:
        """A netlink socket, and its name. Takes the fields of the step ``open``."""
        name = f"client-{os.getpid()}-{next(_names)}"
        opts = [[int(option), value] for option, value in options]
        return self.open_as(name, netns=netns, proto=proto, opts=opts, **fields)[0], name

    def open_as(self, name: str, **fields: Any) -> tuple[socket.socket, int]:
        """A netlink socket under a name that the caller chooses, and its port id."""
        port: int = self.do(open=name, **fields)["port"]
        return socket.socket(fileno=self._passed.pop()), port

    @contextmanager
    def process(self) -> Iterator[int | None]:
        """A descriptor of the daemon's process, readable when that has ended; None where it cannot be seen."""
        pid = struct.unpack("3i", self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        try:
            number = os.pidfd_open(pid)
        except OSError:
            yield None
            return
        try:
            yield number
        finally:
            os.close(number)

    def wait(self) -> None:
        """Returns when the daemon has closed this connection."""
        with suppress(ConnectionResetError):
            while self._sock.recv(1 << 16):
                pass

    def watch(self) -> Watched:
        """All that goes over the daemon's sockets from now on: a pcapng, as it happens."""
        self.do(watch=True)
        return Watched(socket.socket(fileno=self._passed.pop()))

    def dmabuf(self, name: str, **fields: Any) -> int:
        """A dmabuf of that name: a descriptor to name in this process's messages, and to be closed by the caller."""
        self.do(dmabuf=name, **fields)
        return self._passed.pop()


class Watched:
    """A pcapng that comes packet by packet, to be read as a stream. Ends with the daemon, or with close()."""

    def __init__(self, sock: socket.socket) -> None:
        self.name = "the daemon"
        self.sock = sock
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Some bytes as soon as there are any, and none at the end."""
        if not self._rest:
            self._rest = self.sock.recv(PACKET)
        some, self._rest = self._rest[:size], self._rest[size:]
        return some

    def close(self) -> None:
        """Watches no longer."""
        self.sock.close()
