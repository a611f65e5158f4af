"""The requests that are measured, packed beforehand, so that a client has nothing to do but to send them."""

from __future__ import annotations

import socket
import statistics
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

from nlemu.protocol.encode.conversation import specification
from nlemu.protocol.encode.request import encode
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType

LARGEST = 1 << 20
"""Room for any datagram."""
REQUEST, ACK = int(NLM_F.REQUEST), int(NLM_F.REQUEST | NLM_F.ACK)
DUMP = int(NLM_F.REQUEST | NLM_F.DUMP)
NEW = int(NLM_F.REQUEST | NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL)
DUMPS = 5
ERROR, DONE = int(NlmsgType.ERROR), int(NlmsgType.DONE)


class Refused(Exception):
    """A request that was to be measured was refused: one line."""


def packed(family: str, operation: str, values: Mapping[str, Any], flags: int = REQUEST, number: int = 0) -> bytes:
    """A request by the words of its specification; number: the family's, of generic netlink."""
    return encode(specification(family).operation(operation), values, number=number, seq=1, flags=flags)


def make(kind: str, name: str) -> bytes:
    """A link of that kind."""
    return packed("rt-link", "newlink", {"ifname": name, "linkinfo": {"kind": kind}}, NEW)


def delete(name: str) -> bytes:
    """It goes."""
    return packed("rt-link", "dellink", {"ifname": name}, ACK)


def bring_up(index: int) -> bytes:
    """It comes up."""
    return packed("rt-link", "setlink", {"ifi-index": index, "ifi-flags": ["up"], "ifi-change": 1}, ACK)


def ask(sock: socket.socket, request: bytes) -> bytes:
    """The answer to one request. Raises Refused for an error."""
    sock.send(request)
    answer = sock.recv(LARGEST)
    kind, code = struct.unpack_from("<4xH10xi", answer)
    if kind == ERROR and code:
        raise Refused(f"errno {-code} for {request.hex()}")
    return answer


def count(receive: Callable[[], bytes]) -> int:
    """How many messages a dump has, datagram by datagram."""
    found = 0
    while True:
        data, at = receive(), 0
        while at < len(data):
            length, kind = struct.unpack_from("<IH", data, at)
            if kind == DONE:
                return found
            found += 1
            at += length + 3 & ~3


def dumped(send: Callable[[bytes], object], receive: Callable[[], bytes]) -> tuple[int, float]:
    """How many links there are, and how many microseconds each takes in a dump: the median of several, of which the
    first has to encode."""
    taken = []
    for _ in range(DUMPS):
        start = time.perf_counter()
        send(LINKS)
        links = count(receive)
        taken.append(1e6 * (time.perf_counter() - start) / links)
    return links, statistics.median(taken)


LINKS = packed("rt-link", "getlink", {}, DUMP)
