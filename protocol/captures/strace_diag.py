"""What strace writes of sock_diag otherwise than of rtnetlink: names, bits that share a byte, unknown sockets.

What the messages hold is declared in protocol/families/diag.py; here is only how strace spells it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

from nlemu.protocol.captures.strace_values import Symbols, Text
from nlemu.protocol.families.diag import Inet
from nlemu.protocol.uapi import sock_diag
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from nlemu.protocol.uapi.sock_diag import NDIAG_PROTO_ALL, DiagFamily, InetProto, SockDiag, TcpState

ALIASES: Mapping[str, type[enum.IntEnum] | type[enum.IntFlag]] = {
    "SOCK_DIAG": SockDiag, "SOCK": SockDiag, "TCP": TcpState, "AF": DiagFamily, "IPPROTO": InetProto,
    "NETLINK": NetlinkProtocol,
    "UDIAG_SHOW": sock_diag.UnixShow, "NDIAG_SHOW": sock_diag.NetlinkShow, "PACKET_SHOW": sock_diag.PacketShow,
    "NDIAG_FLAG": sock_diag.NetlinkFlag, "PDI": sock_diag.PacketFlag,
}
"""The prefix that C gives to the members of each."""

NAMES: Mapping[str, int] = {
    "TCPDIAG_GETSOCK": int(SockDiag.TCPDIAG_GETSOCK), "DCCPDIAG_GETSOCK": int(SockDiag.DCCPDIAG_GETSOCK),
    "NDIAG_PROTO_ALL": NDIAG_PROTO_ALL,
    "TPACKET_V1": 0, "TPACKET_V2": 1, "TPACKET_V3": 2,  # if_packet.h
    **{f"INET_DIAG_{attr.name.upper()}": number for number, attr in Inet.spec.by_number.items()},
}
"""Names of single numbers."""

BITS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "tcpi_wscale": (("tcpi_snd_wscale", 4), ("tcpi_rcv_wscale", 4)),
    "tcpi_limits": (("tcpi_delivery_rate_app_limited", 1), ("tcpi_fastopen_client_fail", 2)),
}
"""Fields that share a byte, the lowest bits first, with how many bits each has."""

Number = Callable[[Any], int]
"""Tells what a value stands for."""


def joined(fields: Mapping[str, Any], number: Number) -> dict[str, Any]:
    """The fields of a structure, with one for those that share a byte."""
    left = dict(fields)
    for whole, parts in BITS.items():
        if not any(name in left for name, _ in parts):
            continue
        total, at = 0, 0
        for name, bits in parts:
            total |= number(left.pop(name, Symbols(("0",)))) << at
            at += bits
        left[whole] = Symbols((str(total),))
    return left


def flags(fields: Mapping[str, Any], shown: type[enum.IntFlag], number: Number) -> int:
    """The number whose bits strace wrote as fields; it leaves those out that are zero, unless with -v."""
    total = 0
    for name, value in fields.items():
        bit = shown.__members__.get(name.upper())
        if bit is None and isinstance(value, Symbols) and number(value):
            raise ValueError(f"a bit {name} is not known")
        total |= int(bit) if bit is not None and number(value) else 0
    return total


def unknown_sockets(fields: Any) -> bytes | None:
    """The bytes of a message about sockets that strace does not know: the family, and what follows as a string."""
    if not isinstance(fields, dict) or list(fields) != ["family", "data"]:
        return None
    family, data = fields["family"], fields["data"]
    known = DiagFamily.__members__.get(family.text.removeprefix("AF_")) if isinstance(family, Symbols) else None
    if known is None or not isinstance(data, Text) or data.cut:
        raise ValueError(f"sockets of {family.text if isinstance(family, Symbols) else family!r}")
    return bytes([known]) + data.data
