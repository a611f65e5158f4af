"""What the tests of the daemon share: clients of its sockets and of the control socket, and a few messages."""

from __future__ import annotations

import array
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from nlemu.emulator.daemon.server import Server, serving

REQUEST, ACK, DUMP = 1, 4, 0x300
ERROR, DONE = 2, 3
NLCTRL, NETDEV = 16, 20
RTM_NEWLINK = 16
MGMT = 4
"""The group in which netdev announces devices."""
PATIENCE = 20
"""Seconds until a test that waits for something gives up."""


def message(kind: int, payload: bytes = b"", *, flags: int = REQUEST, seq: int = 1) -> bytes:
    return struct.pack("<IHHII", 16 + len(payload), kind, flags, seq, 0) + payload


def attribute(kind: int, payload: bytes) -> bytes:
    return struct.pack("<HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def getfamily(name: str = "netdev", *, flags: int = REQUEST, seq: int = 1) -> bytes:
    payload = struct.pack("<BBH", 3, 2, 0)
    if not flags & DUMP:
        payload += attribute(2, name.encode() + b"\0")
    return message(NLCTRL, payload, flags=flags, seq=seq)


def newlink(name: str, kind: str = "dummy", *, seq: int = 1) -> bytes:
    payload = bytes(16) + attribute(3, name.encode() + b"\0") + attribute(18, attribute(1, kind.encode() + b"\0"))
    return message(RTM_NEWLINK, payload, flags=REQUEST | ACK | 0x600, seq=seq)


def type_of(datagram: bytes) -> int:
    return int.from_bytes(datagram[4:6], "little")


def seq_of(datagram: bytes) -> int:
    return int.from_bytes(datagram[8:12], "little")


def port_of(datagram: bytes) -> int:
    return int.from_bytes(datagram[12:16], "little")


def errno_of(datagram: bytes) -> int:
    """Of an ack: 0, or the positive errno."""
    assert type_of(datagram) in (ERROR, DONE)
    return -int.from_bytes(datagram[16:20], "little", signed=True)


class Client:
    """A netlink client. Takes a connected socket."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock

    def push(self, datagram: bytes) -> bool:
        """Sends if there is room, and never waits."""
        try:
            self.sock.send(datagram)
        except BlockingIOError:
            return False
        return True

    async def send(self, datagram: bytes) -> None:
        with trio.fail_after(PATIENCE):
            while not self.push(datagram):
                await trio.lowlevel.wait_writable(self.sock)

    async def receive(self) -> bytes:
        with trio.fail_after(PATIENCE):
            await trio.lowlevel.wait_readable(self.sock)
            return self.sock.recv(65536)

    async def ask(self, datagram: bytes) -> bytes:
        await self.send(datagram)
        return await self.receive()

    def waiting(self) -> bool:
        """Whether there is something to read, or an end."""
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        return True


class ControlClient:
    """A client of the control socket."""

    def __init__(self, sock: trio.socket.SocketType, stack: ExitStack) -> None:
        self.sock = sock
        self.buffer = b""
        self.passed: list[socket.socket] = []
        self._stack = stack

    async def write(self, data: bytes) -> None:
        while data:
            data = data[await self.sock.send(data) :]

    async def read(self) -> dict[str, Any]:
        """The next answer; sockets that come with it are put into `passed`."""
        with trio.fail_after(PATIENCE):
            while b"\n" not in self.buffer:
                data, ancillary, _, _ = await self.sock.recvmsg(65536, socket.CMSG_SPACE(4))
                assert data, "the control socket was closed"
                self.buffer += data
                for _, _, rights in ancillary:
                    numbers = array.array("i")
                    numbers.frombytes(rights)
                    self.passed += [self._stack.enter_context(socket.socket(fileno=number)) for number in numbers]
        line, _, self.buffer = self.buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def do(self, **step: Any) -> dict[str, Any]:
        await self.write(json.dumps(step).encode() + b"\n")
        return await self.read()

    async def ok(self, **step: Any) -> Any:
        answer = await self.do(**step)
        assert "ok" in answer, answer
        return answer["ok"]

    async def open(self, name: str, proto: int = NLCTRL, **fields: Any) -> Client:
        await self.ok(open=name, proto=proto, **fields)
        return Client(self.passed.pop())


class Daemon:
    """A daemon on `path`, and its clients, which are closed with it."""

    def __init__(self, path: Path, server: Server, stack: ExitStack) -> None:
        self.path = path
        self.server = server
        self._stack = stack

    async def connect(self, netns: str = "init", protocol: str = "generic") -> Client:
        sock = self._stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        sock.connect(str(self.path / netns / protocol))
        await trio.lowlevel.checkpoint()
        return Client(sock)

    async def control(self) -> ControlClient:
        sock = self._stack.enter_context(trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        await sock.connect(str(self.path / "control"))
        return ControlClient(sock, self._stack)


@asynccontextmanager
async def daemon(path: Path) -> AsyncIterator[Daemon]:
    with trio.fail_after(3 * PATIENCE), ExitStack() as stack:
        async with serving(path) as server:
            yield Daemon(path, server, stack)
