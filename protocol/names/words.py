"""How things are called: the words of the specifications for what the uapi headers call otherwise.

The kernel's YAML specifications write names in lower case with dashes; the numbers of protocol/uapi are named as in
the headers, in Python's manner. The translation is one rule for all of them, said here with its exceptions: fields of
structures that the specifications give a prefix, fields that hold an enum, and attributes that hold addresses.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from enum import IntEnum, IntFlag
from functools import cache, lru_cache

from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.schema.attributes import AttrSet
from nlemu.protocol.uapi.fib_rules import FR_ACT
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_link import NetkitAction, VfLinkState
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE, RT_TABLE, RTM, RTM_F, RTN, RTNH_F, RTPROT
from nlemu.protocol.uapi.sock_diag import DiagFamily, InetProto, TcpState

KEPT = 4096
"""Names that are remembered, of each kind."""

Shown = type[IntEnum] | type[IntFlag]

PREFIXES = {
    "ifinfomsg": "ifi-",
    "ifaddrmsg": "ifa-",
    "rtmsg": "rtm-",
    "ndmsg": "ndm-",
    "rta_cacheinfo": "rta-",
    "rtnexthop": "rtnh-",
}
"""Of the fields of a structure, where the specification has one."""
FIELD_NAMES = {
    ("ifa_cacheinfo", "prefered"): "ifa-prefered", ("ifa_cacheinfo", "valid"): "ifa-valid",
    ("ifinfomsg", "pad"): "pad", ("ndmsg", "pad1"): "pad1", ("ndmsg", "pad2"): "pad2",
}
"""Where the rule has an exception."""


class AddressFamily(IntEnum):
    """AF_* of the headers of rtnetlink (linux/socket.h)."""

    UNSPEC = 0
    INET = 2
    BRIDGE = 7
    INET6 = 10
    PACKET = 17


FIELD_VALUES: dict[tuple[str, str], Shown] = {
    ("rtgenmsg", "family"): AddressFamily,
    ("ifinfomsg", "family"): AddressFamily,
    ("ifinfomsg", "type"): ARPHRD,
    ("ifinfomsg", "flags"): IFF,
    ("ifaddrmsg", "family"): AddressFamily,
    ("ifaddrmsg", "flags"): IFA_F,
    ("ifaddrmsg", "scope"): RT_SCOPE,
    ("rtmsg", "family"): AddressFamily,
    ("rtmsg", "table"): RT_TABLE,
    ("rtmsg", "protocol"): RTPROT,
    ("rtmsg", "scope"): RT_SCOPE,
    ("rtmsg", "type"): RTN,
    ("rtmsg", "flags"): RTM_F,
    ("ndmsg", "family"): AddressFamily,
    ("ndmsg", "state"): NUD,
    ("ndmsg", "flags"): NTF,
    ("ndmsg", "type"): RTN,
    ("fib_rule_hdr", "family"): AddressFamily,
    ("fib_rule_hdr", "table"): RT_TABLE,
    ("fib_rule_hdr", "action"): FR_ACT,
    ("netconfmsg", "family"): AddressFamily,
    ("rtnexthop", "flags"): RTNH_F,
    ("rtvia", "family"): AddressFamily,
    ("inet_diag_req_v2", "family"): DiagFamily,
    ("inet_diag_req_v2", "protocol"): InetProto,
    ("inet_diag_req", "family"): DiagFamily,
    ("inet_diag_msg", "family"): DiagFamily,
    ("inet_diag_msg", "state"): TcpState,
    ("tcp_info", "state"): TcpState,
    ("unix_diag_req", "family"): DiagFamily,
    ("unix_diag_msg", "family"): DiagFamily,
    ("unix_diag_msg", "state"): TcpState,
    ("packet_diag_req", "family"): DiagFamily,
    ("packet_diag_msg", "family"): DiagFamily,
    ("netlink_diag_req", "family"): DiagFamily,
    ("netlink_diag_msg", "family"): DiagFamily,
    ("ifla_vf_link_state", "link_state"): VfLinkState,
}
"""What the fields of a structure hold, where it is not a plain number; the kinds of links add theirs."""
for link_kind in KINDS.values():
    FIELD_VALUES.update(link_kind.shown)

ADDRESSES = frozenset(
    {
        "address", "broadcast", "perm-address", "local", "anycast", "multicast", "dst", "src", "gateway", "prefsrc",
        "remote", "remote6", "local6", "group", "group6", "6rd-prefix", "6rd-relay-prefix",
        "lladdr", "mac", "macaddr", "newdst", "token", "partner-mac", "perm-hwaddr", "ad-actor-system", "v4-src",
        "v4-dst", "v6-src", "v6-dst",
    }
)
"""Attributes whose bytes are an address, of a link or of IP: whichever has that length."""

ADDRESS_FIELDS = frozenset({("inet_diag_sockid", "src"), ("inet_diag_sockid", "dst"), ("rtvia", "address")})
"""Fields of structures whose bytes are one."""

SPELLINGS: dict[Shown, dict[str, str]] = {
    IFF: {
        "POINTOPOINT": "point-to-point", "NOTRAILERS": "no-trailers", "NOARP": "no-arp", "ALLMULTI": "all-multi",
        "AUTOMEDIA": "auto-media",
    },
    NetkitAction: {"PASS": "forward", "DROP": "blackhole"},
}
"""Where a specification calls a value otherwise than the header does."""


def value_name(shown: Shown, name: str) -> str:
    """A specification's name for what a header calls ``name``."""
    return SPELLINGS.get(shown, {}).get(name) or dashed(name)


def dashed(name: str) -> str:
    """A name of C or Python as a specification writes it: ``BUSY_POLL`` is busy-poll, ``PagePool`` page-pool."""
    if name.isupper() or "_" in name:
        return name.strip("_").lower().replace("_", "-")
    words = "".join("-" + letter if letter.isupper() else letter for letter in name)
    return words.lstrip("-").lower()


SET_NAMES = {
    "Ctrl": "ctrl-attrs", "McastGroup": "mcast-group-attrs", "Op": "op-attrs", "OpPolicy": "op-policy-attrs",
    "PolicyType": "policy-attrs", "Link": "link-attrs", "LinkInfo": "linkinfo-attrs", "AfSpec": "af-spec-attrs",
    "InetLink": "ifla-attrs", "Inet6Link": "ifla6-attrs", "Xdp": "xdp-attrs",
    "PropList": "prop-list-link-attrs", "DpllPin": "link-dpll-pin-attrs", "VfInfoList": "vfinfo-list-attrs",
    "Vf": "vfinfo-attrs", "VfStats": "vf-stats-attrs", "VfVlans": "vf-vlan-attrs", "VfPorts": "vf-ports-attrs",
    "Port": "port-self-attrs", "Ifa": "addr-attrs", "Rta": "route-attrs", "Fra": "fib-rule-attrs",
    "LinkStats": "stats-attrs", "OffloadXstats": "link-offload-xstats", "HwInfoOne": "hw-s-info-one",
    "Nda": "neighbour-attrs", "Ndta": "ndt-attrs", "Ndtpa": "ndtpa-attrs",
    "TdrCfg": "cable-test-tdr-cfg", "HwtstampProvider": "ts-hwtstamp-provider",
    "StatsGet": "stats", "SitAttrs": "linkinfo-iptun-attrs",
} | {
    kind.data.__name__: f"linkinfo-{kind.name}-attrs" for kind in KINDS.values()
    if kind.data and not kind.data.__name__.endswith("Attrs")
}
"""Attribute sets that a specification calls otherwise than we do."""


def set_name(attributes: type[AttrSet]) -> str:
    """The name of an attribute set."""
    return SET_NAMES.get(attributes.__name__) or dashed(attributes.__name__)


def field_name(structure: str, field: str) -> str:
    """The name of a structure's field."""
    known = FIELD_NAMES.get((structure, field))
    return known or PREFIXES.get(structure, "") + field.rstrip("_").replace("_", "-")


@lru_cache(KEPT)
def number_name(shown: type[IntEnum], value: int) -> str | None:
    """The name of a number; None for one that has none."""
    try:
        return value_name(shown, shown(value).name)
    except ValueError:
        return None


def flag_names(shown: type[IntFlag], value: int) -> tuple[list[str], int]:
    """The names of the bits that are set, the lowest first; and the bits that have no name."""
    names = []
    for bit, name in bits(shown):
        if value & bit:
            names.append(name)
            value &= ~bit
    return names, value


@cache
def bits(shown: type[IntFlag]) -> tuple[tuple[int, str], ...]:
    """The flags as plain numbers, with their names: enumerations are slow."""
    return tuple((int(one), value_name(shown, one.name or "")) for one in shown)


def numbers(shown: Shown) -> dict[str, int]:
    """Every name and its number: the specification's, then the header's where they differ."""
    members = shown.__members__.items()
    return {value_name(shown, name): int(one) for name, one in members} | {
        dashed(name): int(one) for name, one in members
    }


COMMON_FLAGS = ("REQUEST", "MULTI", "ACK", "ECHO", "DUMP_INTR", "DUMP_FILTERED")
GET_FLAGS = ("ROOT", "MATCH", "ATOMIC")
NEW_FLAGS = ("REPLACE", "EXCL", "CREATE", "APPEND")
DELETE_FLAGS = ("NONREC", "BULK")
ACK_FLAGS = ("CAPPED", "ACK_TLVS")


def header_flags(kind: int, flags: int, *, route: bool) -> list[str]:
    """The names of nlmsg_flags; what the high bits mean depends on the message. Bits without a name are in hex."""
    return list(flags_of(kind, flags, route))


@lru_cache(KEPT)
def flags_of(kind: int, flags: int, route: bool) -> tuple[str, ...]:
    """The same, remembered: a capture has few."""
    high: tuple[str, ...]
    if kind in (NlmsgType.ERROR, NlmsgType.DONE):
        high = ACK_FLAGS
    elif route and kind >= RTM.NEWLINK and flags & NLM_F.REQUEST and kind & 3 != 2:
        high = NEW_FLAGS if kind & 3 in (0, 3) else DELETE_FLAGS
    else:
        high = GET_FLAGS
    names = []
    for name in (*COMMON_FLAGS, *high):
        bit = NLM_F[name]
        if high is GET_FLAGS and name == "ROOT" and flags & NLM_F.DUMP == NLM_F.DUMP:
            name, bit = "DUMP", NLM_F.DUMP
        if flags & bit:
            names.append(dashed(name))
            flags &= ~bit
    return (*names, *([hex(flags)] if flags else []))


def address(data: bytes) -> str:
    """An address of a link or of IP, as people write it."""
    if len(data) in (4, 16):
        return str(ipaddress.ip_address(data))
    return data.hex(":")


EIGHT_PAIRS = re.compile(r"([0-9a-fA-F]{2}:){7}[0-9a-fA-F]{2}")


def address_bytes(text: str) -> bytes:
    """The bytes of an address that people wrote. Eight pairs of digits are a link address of eight bytes, though IPv6
    might be written so. Raises ValueError."""
    if EIGHT_PAIRS.fullmatch(text):
        return bytes(int(part, 16) for part in pairs(text))
    try:
        return ipaddress.ip_address(text).packed
    except ValueError:
        return bytes(int(part, 16) for part in pairs(text))


def pairs(text: str) -> Iterator[str]:
    """The bytes of a written link address: separated by colons or dashes, or two digits each. Raises ValueError."""
    separated = text.replace("-", ":").split(":")
    if len(separated) > 1:
        if not all(1 <= len(part) <= 2 for part in separated):
            raise ValueError(f"{text!r} is no address")
        yield from separated
    elif len(text) % 2:
        raise ValueError(f"{text!r} is no address")
    else:
        yield from (text[at : at + 2] for at in range(0, len(text), 2))
