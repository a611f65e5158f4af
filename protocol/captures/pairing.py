"""Which message answers which: requests of a capture found again for their replies.

A reply has the sequence number of its request, and the port id of the socket that asked, which the request itself need
not have: most programs leave it 0. A sequence number alone is not enough either, since iproute2 begins at the time of
day on every socket. So a reply belongs to the last request with its number that

- is of the same socket, where the capture knows sockets,
- or names the same port id, or none, and has not been answered to another one,
- and, if the reply is an error or an ack, is the one whose header it repeats.

What the kernel tells everybody has the numbers of the request that caused it (nlmsg_notify()): to a request that asks
for nothing back it is no reply, but a notification (`Paired.notification`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from nlemu.protocol.captures.events import Datagram, Way
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR, Header, split
from nlemu.protocol.names.known import ROUTE
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE, NlmsgType

OPEN = 4096
"""Requests that are remembered: replies come soon, and captures are long."""

KINDS = 4
"""rtnetlink's message types come in fours: NEW, DEL, GET, SET."""
GET = 2
REQUEST, ECHO = int(NLM_F.REQUEST), int(NLM_F.ECHO)
ERROR, DONE = int(NlmsgType.ERROR), int(NlmsgType.DONE)


@dataclass(eq=False, slots=True)
class Request:
    """A request: the datagram and the message, which one it is, counted from 1, and its sender's port id when that is
    known. closed: whether its end was seen: an ack, an error, or the end of a dump."""

    datagram: Datagram
    data: bytes
    header: Header
    number: int
    port: int | None
    closed: bool = False


class Paired(NamedTuple):
    """A message of a capture: its bytes, the number of the message, counted from 1; the request that it answers or that
    caused it, if that was found; whether it is a notification."""

    datagram: Datagram
    data: bytes
    header: Header
    number: int
    request: Request | None
    notification: bool


@dataclass
class Pairing:
    """Messages in the order in which they were captured; what was asked and may still be answered."""

    number: int = 0
    pending: OrderedDict[tuple[int | None, int], list[Request]] = field(default_factory=OrderedDict)

    def messages(self, datagram: Datagram) -> Iterator[Paired | bytes]:
        """The messages of the next datagram; at last what is left of it, if that makes no message."""
        end = 0
        for header, data in split(datagram.data):
            self.number += 1
            if is_request(datagram, header):
                self.asked(datagram, header, data)
                yield Paired(datagram, data, header, self.number, None, False)
            else:
                request = self.of(datagram, header, data)
                told = request is None or notifies(datagram, header, request.header)
                if request is not None and not told:
                    request.closed |= ends(header)
                yield Paired(datagram, data, header, self.number, request, told)
            end += header.length + 3 & ~3
        if end < len(datagram.data):
            yield datagram.data[end:]

    def asked(self, datagram: Datagram, header: Header, data: bytes) -> None:
        """Remembers a request."""
        port = datagram.port if datagram.port is not None else header.portid or None
        key = datagram.protocol, header.seq
        self.pending.setdefault(key, []).append(Request(datagram, data, header, self.number, port))
        self.pending.move_to_end(key)
        while len(self.pending) > OPEN:
            self.pending.popitem(last=False)
        del self.pending[key][:-OPEN]

    def of(self, datagram: Datagram, header: Header, data: bytes) -> Request | None:
        """The request that a message to a program belongs to."""
        candidates = self.pending.get((datagram.protocol, header.seq), ())
        for request in reversed(candidates):
            if datagram.socket is not None and request.datagram.socket not in (None, datagram.socket):
                if header.portid != request.port:  # another socket hears of it
                    continue
            elif request.port is not None and header.portid != request.port:
                continue
            if request.closed or (header.type == ERROR and not repeats(data, request.header)):
                continue
            if request.port is None and header.portid:
                request.port = header.portid
            return request
        return None


def is_request(datagram: Datagram, header: Header) -> bool:
    """Whether a message went to the kernel."""
    if datagram.way is Way.UNKNOWN:
        return bool(header.flags & REQUEST)
    return datagram.way is Way.TO_KERNEL


def repeats(data: bytes, asked: Header) -> bool:
    """Whether an error or an ack repeats that header."""
    start = HEADER_SIZE + 4
    if len(data) < start + HEADER_SIZE:
        return False
    found = Header(*NLMSGHDR.unpack_from(data, start))
    return (found.type, found.flags, found.seq) == (asked.type, asked.flags, asked.seq)


def ends(header: Header) -> bool:
    """Whether a message is the last of an answer."""
    return header.type in (ERROR, DONE)


def notifies(datagram: Datagram, header: Header, asked: Header) -> bool:
    """Whether a message of rtnetlink that belongs to a request is told to whoever listens, and no answer: requests that
    change something are answered by an ack alone, unless they ask for an echo."""
    if header.type < NLMSG_MIN_TYPE or datagram.protocol != ROUTE:
        return False
    return asked.type % KINDS != GET and not asked.flags & ECHO
