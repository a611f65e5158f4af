"""Routes of labels are made and deleted, and one of their ways is chosen: mpls_route_add(), mpls_route_del() and
mpls_select_multipath() of net/mpls/af_mpls.c."""

from __future__ import annotations

from dataclasses import dataclass
from errno import EEXIST, EINVAL, ENODEV, ENOENT, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.jhash import jhash
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import lookup as lookup4
from nlemu.emulator.kernel.ipv6 import lookup as lookup6
from nlemu.emulator.kernel.mpls import labels
from nlemu.emulator.kernel.mpls.labels import FIRST_UNRESERVED, LabelRoute, LabelWay, Via
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_PACKET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

CREATE, EXCL, APPEND, REPLACE = int(NLM_F.CREATE), int(NLM_F.EXCL), int(NLM_F.APPEND), int(NLM_F.REPLACE)
MOST_MEMORY, ROUTE_SIZE, WAY_SIZE = 4096, 32, 16
"""MAX_MPLS_ROUTE_MEM, and the sizes of struct mpls_route and struct mpls_nh"""
ENTROPY = 7
"""MPLS_LABEL_ENTROPY"""
LABELS_HASHED = 4
"""MAX_MP_SELECT_LABELS"""


@dataclass(slots=True)
class WantedWay:
    """struct mpls_nh as a request has it. ifindex: 0 for whichever device leads to via; labels, via: as of LabelWay, or
    what is wrong with them, which is said when it is their turn."""

    ifindex: int = 0
    labels: tuple[int, ...] | Refusal = ()
    via: Via | Refusal | None = None


@dataclass(slots=True)
class WantedLabel:
    """struct mpls_route_config. label: None for one that is free; ways: those of a route of several, or what is wrong
    with one of them; several: whether it is such a route."""

    label: int | None
    protocol: int
    propagate: bool | None
    ways: Sequence[WantedWay | Refusal]
    nlflags: int


def check_label(net: Net, label: int | None) -> int:
    """mpls_label_ok(): EINVAL, with texts."""
    if label is not None and label < FIRST_UNRESERVED:
        raise Refusal(EINVAL, "Invalid label - must be MPLS_LABEL_FIRST_UNRESERVED or higher")
    table = labels.known(net)
    if table is None or label is None or label >= table.size:
        raise Refusal(EINVAL, "Label >= configured maximum in platform_labels")
    return label


def _free(net: Net) -> int | None:
    """find_free_label()."""
    table = labels.known(net)
    if table is None:
        return None
    return next((label for label in range(FIRST_UNRESERVED, table.size) if table.find(label) is None), None)


def insert(net: Net, wanted: WantedLabel, origin: Origin | None = None) -> None:
    """mpls_route_add(): EINVAL, EOPNOTSUPP, EEXIST, ENOENT, ENODEV, and what is wrong with its ways."""
    flags = wanted.nlflags
    label = check_label(net, _free(net) if wanted.label is None and flags & CREATE else wanted.label)
    if flags & APPEND:
        raise Refusal(EOPNOTSUPP, "MPLS does not support route append")
    table = labels.of(net)
    there = table.find(label) is not None
    if there and (flags & EXCL or not flags & REPLACE):
        raise Refusal(EEXIST)
    if not there and not flags & CREATE:
        raise Refusal(ENOENT)
    if not wanted.ways:
        raise Refusal(EINVAL, "Route does not contain a nexthop")
    _check_size(wanted.ways)
    table.put(label, LabelRoute(wanted.protocol, [_way(net, way) for way in wanted.ways], wanted.propagate), origin)


def _check_size(ways: Sequence[WantedWay | Refusal]) -> None:
    """mpls_rt_alloc(): all ways have room for as many labels, and as long an address, as any. EINVAL."""
    known = [way for way in ways if isinstance(way, WantedWay)]
    most = max((len(way.labels) for way in known if not isinstance(way.labels, Refusal)), default=0)
    longest = max((len(way.via.address) for way in known if isinstance(way.via, Via)), default=0)
    way_size = (WAY_SIZE + 4 * most + 7 & ~7) + (longest + 7 & ~7)
    if ROUTE_SIZE + len(ways) * way_size > MOST_MEMORY:
        raise Refusal(EINVAL)


def _way(net: Net, wanted: WantedWay | Refusal) -> LabelWay:
    """mpls_nh_build(), mpls_nh_assign_dev(): EINVAL, ENODEV, and what a look-up of the device refuses."""
    for part in (wanted,) if isinstance(wanted, Refusal) else (wanted.labels, wanted.via):
        if isinstance(part, Refusal):
            raise part
    assert isinstance(wanted, WantedWay) and not isinstance(wanted.labels, Refusal)
    via = wanted.via
    assert not isinstance(via, Refusal)
    dev = net.device(wanted.ifindex) if wanted.ifindex else _towards(net, via)
    if dev is None:
        raise Refusal(ENODEV)
    if dev.mpls is None or (via is not None and via.family == AF_PACKET and len(via.address) != dev.addr_len):
        raise Refusal(EINVAL)
    return LabelWay(dev, wanted.labels, via, labels.flags_of(dev))


def _towards(net: Net, via: Via | None) -> Device | None:
    """find_outdev(): by which device somebody is reached; None for an address of a device."""
    if via is None or via.family == AF_PACKET:
        return None
    flow = Flow(int.from_bytes(via.address, "big"))
    if via.family == AF_INET:
        return lookup4.find_way(net, flow).dev
    assert via.family == AF_INET6
    return lookup6.find_way(net, flow).dev


def delete(net: Net, label: int | None, origin: Origin | None = None) -> None:
    """mpls_route_del(): EINVAL, with texts; a label without a route is well, too."""
    there = check_label(net, label)
    labels.of(net).put(there, None, origin)


def choose(route: LabelRoute, pushed: Sequence[int]) -> LabelWay | None:
    """mpls_select_multipath(), of a packet that has nothing but the labels pushed; None: all ways are dead."""
    if len(route.ways) == 1:
        return route.ways[0]
    alive = [way for way in route.ways if way.alive]
    return alive[_hash(pushed) % len(alive)] if alive else None


def _hash(pushed: Sequence[int]) -> int:
    """mpls_multipath_hash(): reserved labels are passed over, and a label of entropy is the last to count."""
    value, last = 0, False
    for label in pushed[:LABELS_HASHED]:
        if label >= FIRST_UNRESERVED:
            value = jhash(label.to_bytes(4, "little"), value)
            if last:
                break
        elif label == ENTROPY:
            last = True
    return value
