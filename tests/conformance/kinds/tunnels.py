"""Tunnels: what is said of each kind of them."""

from __future__ import annotations

from tests.conformance.kinds.row import Row
from tests.conformance.kinds.values import (
    be16,
    be32,
    device,
    group4,
    group6,
    nothing,
    one_of,
    pair,
    u8,
    u16,
    u32,
    v4,
    v6,
)

SWITCH = u8(0, 1, 1, 0, 2)
KEY, SEQ, CSUM = 0x2000, 0x1000, 0x8000
BELOW = device("dummy", "veth", "bridge", "vlan")
PORTS = be16(4789, 8472, 1, 6081, 0)

VXLAN = Row(
    "vxlan",
    {
        "id": u32(*[0, 1, 2, 3] * 5, (1 << 24) - 1, 1 << 24),
        "group": group4,
        "link": BELOW,
        "local": v4,
        "ttl": u8(0, 1, 64, 255),
        "tos": u8(0, 1, 4, 255),
        "learning": SWITCH,
        "ageing": u32(0, 1, 300, 1 << 31),
        "limit": u32(0, 1, 100),
        "port-range": pair(">HH", (0, 0), (1, 100), (100, 1), (32768, 61000)),
        "proxy": SWITCH,
        "rsc": SWITCH,
        "l2miss": SWITCH,
        "l3miss": SWITCH,
        "port": PORTS,
        "group6": group6,
        "local6": v6,
        "udp-csum": SWITCH,
        "udp-zero-csum6-tx": SWITCH,
        "udp-zero-csum6-rx": SWITCH,
        "remcsum-tx": SWITCH,
        "remcsum-rx": SWITCH,
        "gbp": nothing,
        "remcsum-nopartial": nothing,
        "collect-metadata": u8(0, 1),
        "label": be32(0, 1, 0xFFFFF, 0x100000),
        "gpe": nothing,
        "ttl-inherit": nothing,
        "df": u8(0, 1, 2, 3),
        "vnifilter": u8(0, 1),
        "localbypass": u8(0, 1, 2),
        "label-policy": u32(0, 1, 2),
        "reserved-bits": one_of(bytes(8), bytes(7) + b"\xff", b"\xff" * 8, b"\0\0\0\1" + bytes(4)),
        "mc-route": u8(0, 1),
    },
    needs=("id",),
    likely=2.5,
)
FILTERING = Row("vxlan", VXLAN.given, needs=("collect-metadata", "vnifilter"), likely=1.0)
GENEVE = Row(
    "geneve",
    {
        "id": u32(*[0, 1, 2] * 5, (1 << 24) - 1, 1 << 24),
        "remote": v4,
        "ttl": u8(0, 1, 255),
        "tos": u8(0, 1, 255),
        "port": PORTS,
        "collect-metadata": nothing,
        "remote6": v6,
        "udp-csum": SWITCH,
        "udp-zero-csum6-tx": SWITCH,
        "udp-zero-csum6-rx": SWITCH,
        "label": be32(0, 1, 0xFFFFF, 0x100000),
        "ttl-inherit": u8(0, 1),
        "df": u8(0, 1, 2, 3),
        "inner-proto-inherit": nothing,
        "port-range": pair(">HH", (1, 100), (100, 1), (1, 65535)),
        "gro-hint": nothing,
        "local": v4,
        "local6": v6,
    },
    needs=("id", "remote"),
    likely=1.5,
)

ENCAP = {
    "encap-type": u16(*[0] * 5, 1, 2, 3, 9),
    "encap-flags": u16(0, 1, 2, 4),
    "encap-sport": be16(0, 1, 5555),
    "encap-dport": be16(0, 1, 5555),
}
FOUR = {
    "link": BELOW,
    "local": v4,
    "remote": v4,
    "ttl": u8(0, 1, 64, 255),
    "tos": u8(0, 1, 4, 255),
    "pmtudisc": u8(0, 1, 1, 2),
    "fwmark": u32(0, 1, 77),
}
SIX = {
    "link": BELOW,
    "local": v6,
    "remote": v6,
    "ttl": u8(0, 1, 64, 255),
    "encap-limit": u8(0, 4, 255),
    "flowinfo": be32(0, 1, 0xFFFFF, 0xFF00000),
    "flags": u32(0, 1, 2, 4, 8, 0x10, 0x20, 0x40),
    "fwmark": u32(0, 1, 77),
}
KEYS = {
    "iflags": be16(0, 0, KEY, SEQ, CSUM, KEY | SEQ, 0x4000),
    "oflags": be16(0, 0, KEY, SEQ, CSUM, KEY | SEQ, 0x4000),
    "ikey": be32(0, 1, 2),
    "okey": be32(0, 1, 2),
}
ERSPAN = {
    "erspan-index": u32(0, 1, 0xFFFFF, 0x100000),
    "erspan-ver": u8(0, 1, 2, 3),
    "erspan-dir": u8(0, 1, 2),
    "erspan-hwid": u16(0, 1, 63, 64),
}
IPPROTO = u8(0, 4, 41, 137, 6)
METADATA = {"collect-metadata": nothing}
VTI = {"link": BELOW, "ikey": be32(0, 1, 2), "okey": be32(0, 1, 2), "fwmark": u32(0, 1, 77)}

IPIP = {**FOUR, **ENCAP, **METADATA, "proto": IPPROTO}
SIT = {
    **FOUR, **ENCAP, "proto": IPPROTO, "flags": be16(0, 1, 2),
    "6rd-prefix": one_of(bytes.fromhex("2002") + bytes(14), bytes.fromhex("20010db8") + bytes(12), bytes(16)),
    "6rd-relay-prefix": v4, "6rd-prefixlen": u16(16, 32, 64, 65), "6rd-relay-prefixlen": u16(0, 8, 32, 33),
}
GRE = {**FOUR, **ENCAP, **METADATA, **KEYS, "ignore-df": u8(0, 1)}
IP6TNL = {**SIX, **ENCAP, **METADATA, "proto": IPPROTO}
IP6GRE = {**SIX, **ENCAP, **METADATA, **KEYS}

TUNNELS = (
    FILTERING,
    VXLAN,  # it comes after the other: it is the one that changes are made of
    GENEVE,
    Row("ipip", IPIP, ethernet=False),
    Row("sit", SIT, ethernet=False),
    Row("gre", GRE, ethernet=False),
    Row("gretap", GRE),
    Row("erspan", {**GRE, **ERSPAN, "iflags": be16(KEY | SEQ, KEY), "oflags": be16(KEY | SEQ)},
        needs=("iflags", "oflags", "ikey", "okey", "remote")),
    Row("vti", {**VTI, "local": v4, "remote": v4}, ethernet=False),
    Row("ip6tnl", IP6TNL, ethernet=False),
    Row("ip6gre", IP6GRE, ethernet=False),
    Row("ip6gretap", IP6GRE),
    Row("ip6erspan", {**IP6GRE, **ERSPAN, "iflags": be16(KEY | SEQ, KEY), "oflags": be16(KEY | SEQ)},
        needs=("iflags", "oflags", "ikey", "okey", "remote")),
    Row("vti6", {**VTI, "local": v6, "remote": v6}, ethernet=False),
    Row(
        "xfrm", {"link": BELOW, "if-id": u32(*[1, 2, 3] * 4, 0), "collect-metadata": nothing}, needs=("if-id",),
        ethernet=False,
    ),
)
