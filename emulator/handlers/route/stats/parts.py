"""What is told of one device when a datagram ends on the way: rtnl_fill_statsinfo() of net/core/rtnetlink.c, and
br_fill_linkxstats() of net/bridge/br_netlink.c.

The next datagram goes on with the attribute that did not fit, and repeats none of those before it. Where that was
begun, as a bridge's may be, the message is sent as far as it came, and the next one goes on with the entry that did not
fit. Where it was not, nothing is sent of the message; but Linux goes on behind what it held all the same, which is
never told then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlemu.protocol.families.route.stats import BridgeXstats, LinkStats, LinkXstats
from nlemu.protocol.uapi.netlink import NLA_HDRLEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nlemu.protocol.schema.attributes import Attr

    Values = Mapping[Attr[Any], Any]
    Entry = tuple[int, Attr[Any], Any]
    """Of a bridge's nest: the number by which Linux knows it, what it is, and its value."""

DIVIDED = (LinkStats.link_xstats, LinkStats.link_xstats_slave)
LONGEST = 0xFFFF - NLA_HDRLEN
"""br_fill_linkxstats(): the nest of a bridge is shorter, in bytes."""


@dataclass(slots=True)
class Part:
    """How far a device has been told of. attr: which attribute is next, None for all (idxattr); entry: from which
    entry of it on, the first is 1 (prividx); over: all is told."""

    attr: Attr[Any] | None = None
    entry: int = 0
    over: bool = False


def fill(part: Part, told: Values, room: int) -> bytes | None:
    """As many of these attributes as there is room for, in bytes; None where no message is sent."""
    if room < 0:
        return None
    said, begun = [], part.entry
    for attr, value in told.items():
        if value is None or part.attr not in (None, attr):
            continue
        entries = _entries(value) if attr in DIVIDED else []
        one = _nested(attr, _from(entries, part.entry)) if entries else attr.encode(value)
        if len(one) > room:
            if attr is not LinkStats.link_64:
                part.attr = attr
            if entries and room >= 2 * NLA_HDRLEN:
                said.append(_begun(attr, _from(entries, part.entry), part, room - 2 * NLA_HDRLEN))
            return None if part.entry == begun else b"".join(said)
        said.append(one)
        room -= len(one)
        part.attr, part.entry = None, 0
    part.over = True
    return b"".join(said)


def _entries(value: Values) -> list[Entry]:
    """What stands in the nest of a bridge, in its order; nothing of other kinds. What a port says of its spanning tree
    has no number of its own."""
    bridge = value.get(LinkXstats.bridge)
    if bridge is None:
        return []
    entries = list(enumerate([*((BridgeXstats.vlan, vlan) for vlan in bridge[BridgeXstats.vlan]),
                              (BridgeXstats.mcast, bridge[BridgeXstats.mcast])], 1))
    told = [(number, attr, one) for number, (attr, one) in entries]
    stp = bridge[BridgeXstats.stp]
    return told if stp is None else [*told, (len(told), BridgeXstats.stp, stp)]


def _from(entries: Iterable[Entry], first: int) -> list[Entry]:
    return [entry for entry in entries if entry[0] >= first]


def _size(entry: Entry) -> int:
    _, attr, value = entry
    return len(attr.encode([value] if attr.multi else value))


def _nested(attr: Attr[Any], entries: Iterable[Entry]) -> bytes:
    inside: dict[Attr[Any], Any] = {}
    for _, one, value in entries:
        if one.multi:
            inside.setdefault(one, []).append(value)
        else:
            inside[one] = value
    return attr.encode({LinkXstats.bridge: inside})


def _begun(attr: Attr[Any], entries: list[Entry], part: Part, room: int) -> bytes:
    """As many entries as there is room for; the part goes on with the one that does not fit."""
    for count, entry in enumerate(entries):
        room -= _size(entry)
        if room < 0:
            part.entry = entry[0]
            return _nested(attr, entries[:count])
    raise AssertionError("what does not fit has an entry that does not")


def too_long(value: Values | None) -> bool:
    """Whether a bridge, or a port, has more VLANs than fit into one attribute."""
    entries = [] if value is None else _entries(value)
    return bool(entries) and entries[0][1] is BridgeXstats.vlan and NLA_HDRLEN + sum(map(_size, entries)) >= LONGEST
