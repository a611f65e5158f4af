"""The header in front of a netlink datagram in a packet capture: LINKTYPE_NETLINK, 253.

It is Linux's "cooked" header of 16 bytes in network order, with the netlink protocol where a packet's would stand:
https://www.tcpdump.org/linktypes/LINKTYPE_NETLINK.html. The kernel marks the copies that it hands to an nlmon device
as going to the kernel or to a program (__netlink_deliver_tap_skb(): PACKET_KERNEL, PACKET_USER), but they leave through
the device, so what tcpdump writes is "outgoing" for all of them. Then NLM_F_REQUEST tells: no message to a program
has it.
"""

from __future__ import annotations

from functools import lru_cache

import construct as c

from nlemu.protocol.captures.events import Way
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.netlink import NLM_F

LINKTYPE = 253
ARPHRD_NETLINK = 824
PACKET_USER, PACKET_KERNEL = 6, 7

HEADER = prepare(
    "sll_header"
    / c.Struct(
        "packet_type" / c.Int16ub,
        "arphrd" / c.Int16ub,
        "address_length" / c.Int16ub,
        "address" / c.Bytes(8),
        "protocol" / c.Int16ub,
    )
)

REQUEST = int(NLM_F.REQUEST)
WAYS = {PACKET_KERNEL: Way.TO_KERNEL, PACKET_USER: Way.TO_USER}


def cook(datagram: bytes, protocol: int, way: Way) -> bytes:
    """The packet that a capture holds of a datagram."""
    kind = PACKET_KERNEL if way is Way.TO_KERNEL else PACKET_USER
    return HEADER.pack(packet_type=kind, arphrd=ARPHRD_NETLINK, address=bytes(8), protocol=protocol) + datagram


def uncook(packet: bytes) -> tuple[int, Way, bytes]:
    """Protocol, direction and datagram of a packet. Raises ValueError for one that is none of netlink."""
    if len(packet) < HEADER.size:
        raise ValueError(f"{len(packet)} bytes, and the header of a netlink packet has {HEADER.size}")
    protocol, way = uncooked(packet[: HEADER.size])
    data = packet[HEADER.size :]
    return protocol, way or guess(data), data


@lru_cache(maxsize=256)
def uncooked(head: bytes) -> tuple[int, Way | None]:
    """Protocol and direction that a header tells, of which a capture has few. Raises ValueError."""
    header = HEADER.unpack(head)
    if header.arphrd != ARPHRD_NETLINK:
        raise ValueError(f"a packet of hardware type {header.arphrd}, and netlink's is {ARPHRD_NETLINK}")
    return header.protocol, WAYS.get(header.packet_type)


def guess(datagram: bytes) -> Way:
    """The way a datagram went, by its first message."""
    if len(datagram) < HEADER_SIZE:
        return Way.UNKNOWN
    flags = NLMSGHDR.unpack_from(datagram)[2]
    return Way.TO_KERNEL if flags & REQUEST else Way.TO_USER
