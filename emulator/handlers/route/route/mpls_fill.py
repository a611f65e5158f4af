"""How a route of a label is told: mpls_dump_route(), and mpls_getroute() of one that has been looked up, both of
net/mpls/af_mpls.c."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.route import labels
from nlemu.emulator.handlers.route.route.fill import MAIN, pack_header
from nlemu.emulator.kernel.mpls.labels import DEAD, LINKDOWN
from nlemu.protocol.families.route.route import HOP_MPLS, LABEL_BITS, NEXTHOP, TOLD_MPLS, Rta
from nlemu.protocol.uapi.rtnetlink import RTN
from nlemu.protocol.uapi.socket import AF_MPLS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.mpls.labels import LabelRoute, LabelWay
    from nlemu.protocol.schema.attributes import Attr

UNICAST = int(RTN.UNICAST)


def body(label: int, route: LabelRoute) -> bytes:
    """mpls_dump_route(): all that is known of it. Ways whose device is gone are not told."""
    values: dict[Attr[Any], Any] = {Rta.ttl_propagate: route.propagate}
    if len(route.ways) == 1:
        (way,) = route.ways
        return _message(label, route, values | _way(way), way.flags)
    values[Rta.multipath] = b"".join(_hop(way, way.dev.ifindex) for way in route.ways if way.dev is not None)
    flags = [way.flags for way in route.ways if way.dev is not None]
    everywhere = sum(flag for flag in (DEAD, LINKDOWN) if sum(bool(one & flag) for one in flags) == len(route.ways))
    return _message(label, route, values, everywhere)


def looked_up(label: int, route: LabelRoute, way: LabelWay) -> bytes:
    """mpls_getroute(): the way that a packet takes."""
    return _message(label, route, _way(way), 0)


def _message(label: int, route: LabelRoute, values: dict[Attr[Any], Any], flags: int) -> bytes:
    head = pack_header(
        family=AF_MPLS, dst_len=LABEL_BITS, table=MAIN, protocol=route.protocol, type=UNICAST, flags=flags
    )
    return head + TOLD_MPLS.encode({Rta.dst: _label(label), **values})


def _label(label: int) -> bytes:
    return labels.told((label,))


def _towards(way: LabelWay) -> dict[Attr[Any], Any]:
    """Which labels are put on, and who is next (nla_put_via())."""
    return {
        Rta.newdst: _pushed(way.labels),
        Rta.via: None if way.via is None else way.via.family.to_bytes(2, "little") + way.via.address,
    }


def _pushed(pushed: Sequence[int]) -> bytes | None:
    return labels.told(pushed) if pushed else None


def _way(way: LabelWay) -> dict[Attr[Any], Any]:
    return _towards(way) | {Rta.oif: None if way.dev is None else way.dev.ifindex}


def _hop(way: LabelWay, ifindex: int) -> bytes:
    """One of several ways, behind its struct rtnexthop."""
    inside = HOP_MPLS.encode(_towards(way))
    return NEXTHOP.codec.pack(len=8 + len(inside), flags=way.flags, hops=0, ifindex=ifindex) + inside
