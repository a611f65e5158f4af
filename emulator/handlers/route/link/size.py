"""How much room the kernel sets aside for one link: if_nlmsg_size() of net/core/rtnetlink.c.

It is an upper bound, and shows in one place: the first datagram of a dump that asks with a mask is at least as large as
the largest link would need (rtnl_calcit()).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link.af_spec import af_size
from nlemu.emulator.handlers.route.link.vfs import told_vfs
from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.families.route.link import MAX_PHYS_ITEM_ID_LEN, Link
from nlemu.protocol.families.route.link_vf import VLAN_INFO, Vf, VfStats
from nlemu.protocol.schema.attributes import Attr
from nlemu.protocol.schema.kinds import Members, Nest
from nlemu.protocol.uapi.if_ import ALTIFNAMSIZ, IFALIASZ, IFNAMSIZ
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def room(payload: int) -> int:
    """nla_total_size()."""
    return 4 + payload + 3 & ~3


NEST = room(4)
"""A nest as it is often counted: with the size of its header twice."""
IFINFOMSG = 16
NAME = IFINFOMSG + room(IFNAMSIZ)
ADDRESSES = 3 * room(MAX_ADDR_LEN)
ITEM_IDS = 2 * room(MAX_PHYS_ITEM_ID_LEN)
SINGLE_BYTES = 4
"""IFLA_CARRIER, OPERSTATE, LINKMODE, NETNS_IMMUTABLE"""
WORDS = 5 + 11 + 3 + 3 + 5
"""IFLA_TXQLEN .. IFLA_MASTER, IFLA_PROMISCUITY .. IFLA_TSO_MAX_SEGS, IFLA_CARRIER_CHANGES .. IFLA_GROUP, IFLA_EVENT ..
IFLA_NEW_IFINDEX, IFLA_TARGET_NETNSID .. IFLA_MAX_MTU"""
XDP = room(0) + room(1) + 2 * room(4)
PROTO_DOWN = room(1) + room(0) + room(4)
EMPTY_NESTS = 2 * room(0)
"""IFLA_DEVLINK_PORT, IFLA_DPLL_PIN"""
ROOMS = room(8) + 2 * room(2)
"""IFLA_MAX_PACING_OFFLOAD_HORIZON, IFLA_HEADROOM, IFLA_TAILROOM"""
ALWAYS = (
    NAME
    + room(IFALIASZ)
    + 2 * room(IFNAMSIZ)  # the qdisc, the name of the physical port
    + room(Link.map.kind.size or 0)
    + ADDRESSES
    + ITEM_IDS
    + SINGLE_BYTES * room(1)
    + WORDS * room(4)
    + XDP
    + PROTO_DOWN
    + EMPTY_NESTS
    + ROOMS
)
ONE_VF = (
    room(0) + room(4 + MAX_ADDR_LEN) + room(MAX_ADDR_LEN) + room(0) + room(VLAN_INFO.size or 0)
    + sum(room(attr.kind.size or 0)
          for attr in (Vf.vlan, Vf.spoofchk, Vf.tx_rate, Vf.rate, Vf.link_state, Vf.rss_query_en, Vf.trust))
)
STATS = room(Link.stats.kind.size or 0) + room(Link.stats64.kind.size or 0)


def linkinfo_size(dev: Device) -> int:
    """rtnl_link_get_size()."""
    if dev.kind is None:
        return 0
    size = NEST + room(len(dev.kind.name) + 1)
    described = KINDS.get(dev.kind.name)
    if described is not None:
        size += attributes_size(described.sized, dev.kind.fill_info, dev)
        size += room(described.xstats.size or 0) if described.xstats else 0
    master = None if dev.master is None else dev.master.kind
    if dev.master is not None and master is not None:
        described = KINDS.get(master.name)
        size += room(len(master.name) + 1)
        sized = None if described is None else described.slave_sized
        size += attributes_size(sized, master.fill_slave_info, dev.master, dev)
    return size


def attributes_size(
    attrs: tuple[Attr[Any], ...] | None, fill: Callable[..., Mapping[str, Any] | None], *of: Device
) -> int:
    """get_size() of a kind, and the nest around it; nothing without one. Of a nest what it holds counts, as ``fill``
    tells it of that device, or of that master and slave."""
    if attrs is None:
        return 0
    size = NEST + sum(room(attr.kind.size or 0) for attr in attrs if not isinstance(attr.kind, Nest))
    nests = [attr for attr in attrs if isinstance(attr.kind, Nest)]
    told = (fill(*of) or {}) if nests else {}
    return size + sum(nest_size(attr.kind, told.get(attr.field)) for attr in nests)


def nest_size(nest: Any, told: Any) -> int:
    """A nest whose attributes may stand several times, by their names or as pairs of number and payload; nothing when
    it is not told."""
    if told is None:
        return 0
    if isinstance(nest, Members):
        return room(0) + sum(room(len(payload)) for _, payload in told)
    members = ((attr, told.get(name)) for name, attr in nest.set.spec.fields.items())
    return NEST + sum(
        room(attr.kind.size or 0) * (len(value) if attr.multi else 1) for attr, value in members if value is not None
    )


def vf_size(mask: int) -> int:
    """rtnl_vfinfo_size(): of one virtual function."""
    stats = 0 if mask & RTEXT_FILTER.SKIP_STATS else room(0) + len(VfStats.spec.order) * room(8)
    return ONE_VF + stats


def message_size(dev: Device, mask: int) -> int:
    """if_nlmsg_size(): the room for a link's header and attributes, in bytes, under that mask."""
    names = room(0) + len(dev.altnames) * room(ALTIFNAMSIZ) if dev.altnames else 0
    if mask & RTEXT_FILTER.NAME_ONLY:
        return NAME + names
    size = ALWAYS + names + af_size(dev) + room(4 if mask & RTEXT_FILTER.VF else 0)
    size += linkinfo_size(dev)
    if dev.parent is not None:
        size += room(len(dev.parent.name) + 1)
        if dev.parent.bus is not None:
            size += room(len(dev.parent.bus) + 1)
        if mask & RTEXT_FILTER.VF:
            size += room(0) + told_vfs(dev, mask) * vf_size(mask)
    if dev.devlink_port is not None:
        port = dev.devlink_port
        size += room(len(port.bus) + 1) + room(len(port.dev) + 1) + 2 * room(4)
    if not mask & RTEXT_FILTER.SKIP_STATS:
        size += STATS
    return size
