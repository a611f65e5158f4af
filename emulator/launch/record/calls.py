"""What the calls carry by which a program sends to the kernel and receives from it.

Each function takes the call as it begins, and returns what is to be done when it ends, or None where there is nothing
to do. What is sent is read beforehand, what is received afterwards, from where the kernel has put it: so what is
recorded is what the program has, and a look (MSG_PEEK) takes nothing and is not recorded. Of a datagram that the
program had no room for there is as much as it got.

What is sent to another program is not a request; it is recorded where it is received.
"""

from __future__ import annotations

import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from nlemu.emulator.launch.record.journal import Heard, Journal
from nlemu.emulator.launch.record.sockets import Netlink, Sockets
from nlemu.emulator.launch.sockets.messages import (
    IOVEC,
    MMSGHDR,
    MSG_PEEK,
    MSG_TRUNC,
    MSGHDR,
    NOWHERE,
    UIO_MAXIOV,
    Header,
)
from nlemu.emulator.launch.trap.call import signed
from nlemu.emulator.launch.trap.memory import Memory
from nlemu.protocol.frame import HEADER_SIZE
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from nlemu.protocol.uapi.socket import AF_NETLINK

MSG_ERRQUEUE = 0x2000
PORT = struct.Struct("=HxxI")
"""The beginning of struct sockaddr_nl: family, port id."""
Pieces = list[tuple[int, int]]
"""Addresses and lengths."""
Finish = Callable[[int], None]
"""What is done when a call ends with that result."""


@dataclass
class Reading:
    """What reading along takes. missed: what could not be recorded, and how often."""

    journal: Journal
    sockets: Sockets = field(default_factory=Sockets)
    memory: Memory = field(default_factory=Memory)
    missed: Counter[str] = field(default_factory=Counter)

    def begin(self, name: str, tid: int, args: tuple[int, ...]) -> Finish | None:
        """A thread makes a call; what is to be done when it ends."""
        try:
            return CALLS[name](Made(self, tid, args, name))
        except OSError:
            return None  # a wild pointer: the kernel will say so


@dataclass
class Made:
    """A call that is about to be performed."""

    reading: Reading
    tid: int
    args: tuple[int, ...]
    name: str

    def cint(self, place: int) -> int:
        """The argument there, as a C int."""
        return signed(self.args[place])

    @property
    def socket(self) -> Netlink | None:
        """The netlink socket that the call is made on."""
        return self.reading.sockets.find(self.tid, self.cint(0))

    def read(self, address: int, length: int) -> bytes:
        """From the program's memory. OSError EFAULT."""
        return self.reading.memory.read(self.tid, address, length)

    def vectors(self, place: int, count: int) -> Pieces:
        """A vector of struct iovec. OSError EFAULT."""
        return list(IOVEC.iter_unpack(self.read(place, IOVEC.size * min(count, UIO_MAXIOV)))) if count else []

    def gather(self, pieces: Pieces, length: int) -> bytes:
        """The first bytes of what lies there. OSError EFAULT."""
        found = b""
        for address, size in pieces:
            found += self.read(address, min(size, length - len(found)))
        return found

    def header(self, place: int) -> Header:
        """The struct msghdr at that address. OSError EFAULT."""
        return Header(*MSGHDR.unpack(self.read(place, MSGHDR.size)))

    def pieces(self) -> Pieces:
        """Where the bytes of a plain call lie. OSError EFAULT."""
        if self.name.endswith(("v", "v2")):
            return self.vectors(self.args[1], self.args[2])
        return [(self.args[1], self.args[2])]


def opened(call: Made) -> Finish | None:
    """socket()."""
    def finish(result: int) -> None:
        if result >= 0:
            call.reading.sockets.opened(call.tid, result, call.cint(2))
    return finish if call.cint(0) == AF_NETLINK else None


# Sending


def sending(call: Made, socket: Netlink, datagrams: list[tuple[bytes, int | None]], *, many: bool = False) -> Finish:
    """Datagrams are being sent, each with the port id that it is sent to, if the call says. many: the result says how
    many were, not how long one is."""
    reading, place, now = call.reading, call.reading.journal.reserve(), time.time_ns()

    def finish(result: int) -> None:
        count = (result if many else 1) if result >= 0 else 0
        peer = reading.sockets.ends(call.tid, call.cint(0), socket) if count else 0
        place.fill(
            Heard(data, socket.protocol, True, socket.network, socket.port, now, len(data))
            for data, to in datagrams[:count]
            if data and not (peer if to is None else to)
        )
    return finish


def port_of(call: Made, name: int, length: int) -> int | None:
    """The port id in an address; None for no address. OSError EFAULT."""
    if not name or length < PORT.size:
        return None
    port: int = PORT.unpack(call.read(name, PORT.size))[1]
    return port


def of_header(call: Made, place: int) -> tuple[bytes, int | None]:
    """The datagram that a struct msghdr describes, and where it goes. OSError EFAULT."""
    header = call.header(place)
    pieces = call.vectors(header.iov, header.iovlen)
    return call.gather(pieces, sum(size for _, size in pieces)), port_of(call, header.name, header.namelen)


def sendto(call: Made) -> Finish | None:
    """sendto()."""
    if (socket := call.socket) is None:
        return None
    return sending(
        call, socket, [(call.read(call.args[1], call.args[2]), port_of(call, call.args[4], call.cint(5)))]
    )


def sendmsg(call: Made) -> Finish | None:
    """sendmsg()."""
    return None if (socket := call.socket) is None else sending(call, socket, [of_header(call, call.args[1])])


def sendmmsg(call: Made) -> Finish | None:
    """sendmmsg(): what lies at a wild pointer is not sent, nor what comes after it."""
    if (socket := call.socket) is None:
        return None
    datagrams = []
    try:
        for index in range(min(call.args[2] & 0xFFFFFFFF, UIO_MAXIOV)):
            datagrams.append(of_header(call, call.args[1] + index * MMSGHDR))
    except OSError:
        pass
    return sending(call, socket, datagrams, many=True)


def write(call: Made) -> Finish | None:
    """write(), writev(), pwritev2()."""
    if (socket := call.socket) is None or at_a_place(call):
        return None
    pieces = call.pieces()
    return sending(call, socket, [(call.gather(pieces, sum(size for _, size in pieces)), None)])


def at_a_place(call: Made) -> bool:
    """Whether a place in a file is meant, of which sockets have none."""
    return call.name.endswith("v2") and call.args[3] != NOWHERE


# Receiving


def receive(call: Made, socket: Netlink, pieces: Pieces, result: int, flags: int = 0) -> None:
    """A datagram of that length has been received, or one that was cut to it, as `flags` may say."""
    now, room = time.time_ns(), sum(size for _, size in pieces)
    data = call.gather(pieces, min(result, room))
    length = max(result, len(data))
    if length >= room and length == len(data) and socket.protocol != NetlinkProtocol.KOBJECT_UEVENT:
        length = whole(data)
    if flags & MSG_TRUNC:
        length = max(length, len(data) + 1)
    if not data:
        if length:
            call.reading.missed["datagrams that a program took without reading them"] += 1
        return
    call.reading.journal.add(
        Heard(data, socket.protocol, False, socket.network, None, now, length)
    )


def whole(data: bytes) -> int:
    """How long a datagram was of which this is the beginning, as far as its last message tells."""
    at = 0
    while at + HEADER_SIZE <= len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        if length < HEADER_SIZE:
            break
        if at + length > len(data):
            return at + length
        at += length + 3 & ~3
    return len(data)


def takes(flags: int) -> bool:
    """Whether a receive with these flags takes a datagram."""
    return not flags & (MSG_PEEK | MSG_ERRQUEUE)


def recvfrom(call: Made) -> Finish | None:
    """recvfrom()."""
    socket = call.socket if takes(call.cint(3)) else None
    if socket is None:
        return None
    pieces = [(call.args[1], call.args[2])]
    return lambda result: receive(call, socket, pieces, result) if result >= 0 else None


def read(call: Made) -> Finish | None:
    """read(), readv(), preadv2()."""
    if (socket := call.socket) is None or at_a_place(call):
        return None
    pieces = call.pieces()
    return lambda result: receive(call, socket, pieces, result) if result > 0 else None


def recvmsg(call: Made) -> Finish | None:
    """recvmsg()."""
    socket = call.socket if takes(call.cint(2)) else None
    if socket is None:
        return None

    def finish(result: int) -> None:
        if result >= 0:
            header = call.header(call.args[1])
            receive(call, socket, call.vectors(header.iov, header.iovlen), result, header.flags)
    return finish


def recvmmsg(call: Made) -> Finish | None:
    """recvmmsg()."""
    socket = call.socket if takes(call.cint(3)) else None
    if socket is None:
        return None

    def finish(result: int) -> None:
        for index in range(max(result, 0)):
            place = call.args[1] + index * MMSGHDR
            header = call.header(place)
            length = int.from_bytes(call.read(place + MSGHDR.size, 4), "little")
            receive(call, socket, call.vectors(header.iov, header.iovlen), length, header.flags)
    return finish


def ring(call: Made) -> Finish | None:
    """io_uring_setup()."""
    def finish(result: int) -> None:
        if result >= 0:
            call.reading.missed["io_uring rings: what goes through these passes a recording by"] += 1
    return finish


CALLS: dict[str, Callable[[Made], Finish | None]] = {
    "socket": opened,
    "sendto": sendto,
    "sendmsg": sendmsg,
    "sendmmsg": sendmmsg,
    "write": write,
    "writev": write,
    "pwritev2": write,
    "recvfrom": recvfrom,
    "recvmsg": recvmsg,
    "recvmmsg": recvmmsg,
    "read": read,
    "readv": read,
    "preadv2": read,
    "io_uring_setup": ring,
}
"""By the name of the call; those that may be about anything are looked at by their descriptor."""
