"""What the road asks by other doors than pyynl: namespaces, ids of namespaces, and rules by SIOCETHTOOL.

Nothing here knows of the emulator. All of it works the same on Linux, as root, with a NIC that lends its queues.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

CLONE_NEWNET = 0x40000000
RTM_NEWNSID, RTM_GETNSID, NETNSA_NSID, NETNSA_FD, ANY = 88, 90, 1, 3, -1
NLM_F_REQUEST_ACK = 0x5
NLMSG_ERROR = 2

SIOCETHTOOL = 0x8946
SRSSH = 0x47
GRXCLSRLCNT, GRXCLSRULE, GRXCLSRLALL, SRXCLSRLDEL, SRXCLSRLINS = 0x2E, 0x2F, 0x30, 0x31, 0x32
LOC_SPECIAL, LOC_ANY = 0x80000000, 0xFFFFFFFF
TCP_V4, UDP_V4, TCP_V6, UDP_V6 = 1, 2, 5, 6
"""Kinds of flows, of ethtool.h."""

RXNFC = struct.Struct("=IIQ I52s20s52s20s4xQI4x I4x")
"""struct ethtool_rxnfc: cmd, flow_type, data; the rule: its kind, what is matched and its extension, the masks and
their extension, the queue, the location; how many rules."""
OF_V4, OF_V6 = struct.Struct("=4s4s2s2sB"), struct.Struct("=16s16s2s2sB")
"""Source and destination, ports, and the type of service."""

libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """This thread is in that namespace, by its path. OSError."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(namespace, os.O_RDONLY)
    try:
        enter(there)
        yield
    finally:
        enter(back)
        os.close(there)
        os.close(back)


def enter(descriptor: int) -> None:
    """setns()."""
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def name_namespace(namespace: str, other: str) -> int:
    """The id by which a namespace knows another; it gets one, if it has none. OSError."""
    with inside(namespace), open(other) as file, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        named = struct.pack("=HHI", 8, NETNSA_FD, file.fileno())

        def ask(kind: int, attributes: bytes) -> bytes:
            sock.send(struct.pack("=IHHII B3x", 20 + len(attributes), kind, NLM_F_REQUEST_ACK, 1, 0, 0) + attributes)
            answer = sock.recv(4096)
            number = struct.unpack_from("=i", answer, 16)[0] if answer[4] == NLMSG_ERROR else 0
            if number not in (0, -errno.EEXIST):
                raise OSError(-number, os.strerror(-number))
            return answer

        # An id of its own was given when a device of the one got a peer in the other.
        ask(RTM_NEWNSID, struct.pack("=HHi", 8, NETNSA_NSID, ANY) + named)
        id_: int = struct.unpack_from("=i", ask(RTM_GETNSID, named), 24)[0]
        return id_


class Flow(NamedTuple):
    """Packets of a kind (TCP_V4 ...) to a port of an address."""

    kind: int
    address: str
    port: int


def ethtool(name: str, body: bytes, room: int = 0) -> bytes:
    """SIOCETHTOOL about a device: the structure, and so much room behind it, as they are afterwards. OSError."""
    memory = ctypes.create_string_buffer(body + bytes(room), len(body) + room)
    ifreq = struct.pack("=16sQ16x", name.encode(), ctypes.addressof(memory))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, ifreq)
    return memory.raw


def set_table(name: str, table: list[int], transform: int) -> None:
    """ETHTOOL_SRSSH: the table, none for the driver's own, and how the input is transformed. OSError."""
    rxfh = struct.pack("=4I2B2x4x", SRSSH, 0, len(table), 0, 0, transform)
    ethtool(name, rxfh + struct.pack(f"={len(table)}I", *table))


class Rules:
    """The rules of a NIC: a place is where one stands."""

    def __init__(self, name: str) -> None:
        self.name = name

    def _rxnfc(
        self, command: int, *, flow: Flow | None = None, queue: int = 0, place: int = 0, count: int = 0
    ) -> bytes:
        kind, values, masks = 0, b"", b""
        if flow is not None:
            six = flow.kind in (TCP_V6, UDP_V6)
            layout, width = (OF_V6, 16) if six else (OF_V4, 4)
            address = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, flow.address)
            kind = flow.kind
            values = layout.pack(bytes(width), address, bytes(2), flow.port.to_bytes(2, "big"), 0)
            masks = layout.pack(bytes(width), b"\xff" * width, bytes(2), b"\xff" * 2, 0)
        return RXNFC.pack(command, 0, 0, kind, values, b"", masks, b"", queue, place, count)

    def insert(self, flow: Flow, queue: int) -> int:
        """Sends a flow to a queue: where the rule stands. The driver chooses the place; one that wants it said gets the
        last that is free. OSError."""
        try:
            kept = ethtool(self.name, self._rxnfc(SRXCLSRLINS, flow=flow, queue=queue, place=LOC_ANY))
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSPC):
                raise
            room, taken = self.places()
            free = next((place for place in reversed(range(room)) if place not in taken), None)
            if free is None:
                raise
            kept = ethtool(self.name, self._rxnfc(SRXCLSRLINS, flow=flow, queue=queue, place=free))
        place: int = RXNFC.unpack_from(kept)[9]
        return place

    def delete(self, place: int) -> None:
        """It goes. OSError."""
        ethtool(self.name, self._rxnfc(SRXCLSRLDEL, place=place))

    def places(self) -> tuple[int, list[int]]:
        """How many there are, and which are taken. OSError."""
        count = RXNFC.unpack_from(ethtool(self.name, self._rxnfc(GRXCLSRLCNT)))[10]
        told = ethtool(self.name, self._rxnfc(GRXCLSRLALL, count=count), 4 * count)
        fields = RXNFC.unpack_from(told)
        return fields[2] & ~LOC_SPECIAL, list(struct.unpack_from(f"={fields[10]}I", told, RXNFC.size - 4))

    def queue(self, place: int) -> int:
        """Where the flow of a rule is sent. OSError ENOENT, EINVAL."""
        queue: int = RXNFC.unpack_from(ethtool(self.name, self._rxnfc(GRXCLSRULE, place=place)))[8]
        return queue
