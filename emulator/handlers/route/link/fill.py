"""What is told of a link: rtnl_fill_ifinfo() of net/core/rtnetlink.c.

Nearly all of a link message is the same for everyone who asks, until the device changes. So the bytes are kept with
the device, by its revision; what depends on the occasion (the change mask, the id by which the asker's namespace knows
the peer's, the counters) is looked at every time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link.af_spec import fill_af
from nlemu.emulator.handlers.route.link.kinds import fill_linkinfo
from nlemu.emulator.handlers.route.link.vfs import fill_vfs
from nlemu.emulator.kernel.devices.device import Stats
from nlemu.emulator.kernel.devices.flags import get_flags
from nlemu.emulator.kernel.queues.xdp import Mode
from nlemu.protocol.families.route.link import (
    COUNTS,
    MAP,
    REPLY,
    SIZES,
    STATS,
    DevlinkHandle,
    Link,
    PropList,
    ProtoDownReason,
    Xdp,
)
from nlemu.protocol.schema.attributes import Attr
from nlemu.protocol.uapi.if_ import IfOper
from nlemu.protocol.uapi.if_link import XdpAttached
from nlemu.protocol.uapi.net_namespace import NETNSA_NSID_NOT_ASSIGNED
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device, DevlinkPort

HEADER = struct.Struct("<BxHiI")  # struct ifinfomsg up to ifi_change
CHANGE = struct.Struct("<I")
NO_CHANGE = CHANGE.pack(0)
VF = int(RTEXT_FILTER.VF)
SKIP_STATS = int(RTEXT_FILTER.SKIP_STATS)
NAME_ONLY = int(RTEXT_FILTER.NAME_ONLY)
UNPRIVILEGED = 1 << 32
"""Beside RTEXT_FILTER_*: who is told may not administer the network (capable())."""
SHOWN = VF | SKIP_STATS | NAME_ONLY | UNPRIVILEGED
"""What a mask can change in a message; the rest is about bridges."""
DOWN = int(IfOper.DOWN)
NO_XDP: Pairs = {Xdp.attached: int(XdpAttached.NONE)}
XDP_MODES = {
    Mode.GENERIC: (XdpAttached.SKB, Xdp.skb_prog_id),
    Mode.NATIVE: (XdpAttached.DRV, Xdp.drv_prog_id),
}
"""How each mode is told of."""

NARROW_STATS = len(fields(Stats)) - 1
NO_STATS = (0,) * len(fields(Stats)), (0,) * NARROW_STATS
NOTHING: dict[Attr[Any], Any] = {}

FIELDS: dict[Attr[int], str] = {
    Link.txqlen: "txqlen",
    Link.operstate: "shown_operstate",
    Link.linkmode: "link_mode",
    Link.netns_immutable: "netns_immutable",
    Link.mtu: "mtu",
    Link.min_mtu: "min_mtu",
    Link.max_mtu: "max_mtu",
    Link.group: "group",
    Link.promiscuity: "promiscuity",
    Link.allmulti: "allmulti",
    Link.num_tx_queues: "num_tx_queues",
    Link.gso_max_segs: "gso_max_segs",
    Link.gso_max_size: "gso_max_size",
    Link.gro_max_size: "gro_max_size",
    Link.gso_ipv4_max_size: "gso_ipv4_max_size",
    Link.gro_ipv4_max_size: "gro_ipv4_max_size",
    Link.tso_max_size: "tso_max_size",
    Link.tso_max_segs: "tso_max_segs",
    Link.max_pacing_offload_horizon: "max_pacing_offload_horizon",
    Link.num_rx_queues: "num_rx_queues",
    Link.carrier_changes: "carrier_changes",
    Link.carrier_up_count: "carrier_up_count",
    Link.carrier_down_count: "carrier_down_count",
    Link.headroom: "needed_headroom",
    Link.tailroom: "needed_tailroom",
    Link.proto_down: "proto_down",
}
"""The attributes that are a field of the device."""
Reader = Callable[[Any], tuple[int, ...]]
sizes: Reader = attrgetter(*(FIELDS[attr] for attr in SIZES.attrs))
counts: Reader = attrgetter(*(FIELDS[attr] for attr in COUNTS.attrs))
COUNTERS: Reader = attrgetter(*(field.name for field in fields(Stats)))

Pairs = dict[Any, Any]


def body(dev: Device, asker: Net, mask: int = 0, change: int = 0, target: int | None = None) -> bytes:
    """The body of an RTM_NEWLINK or RTM_DELLINK message.

    asker: the namespace for which other namespaces are numbered, which may give one an id; mask: RTEXT_FILTER_* and
    UNPRIVILEGED; change: ifi_change; target: IFLA_TARGET_NETNSID, for one who asked for another namespace.
    """
    mask &= SHOWN if dev.kind is not None and dev.kind.guarded else SHOWN & ~UNPRIVILEGED
    other = other_net(dev)
    nsid = None if other is None or mask & NAME_ONLY else nsid_of(asker, other)
    if is_timed(dev):
        return header(dev) + CHANGE.pack(change) + REPLY.encode(values(dev, mask, nsid, target))
    told = COUNTERS(dev.stats) if dev.counted and not mask & (SKIP_STATS | NAME_ONLY) else None
    key = (dev.revision, nsid, target, told)
    kept = dev.told
    if kept is None:
        kept = dev.told = {}
    found = kept.get(mask)
    if found is None or found[0] != key:
        head, attributes = header(dev), REPLY.encode(values(dev, mask, nsid, target))
        found = kept[mask] = (key, head, attributes, head + NO_CHANGE + attributes)
    return found[3] if not change else found[1] + CHANGE.pack(change) + found[2]  # type: ignore[no-any-return]


def is_timed(dev: Device) -> bool:
    """Whether what is told of the device depends on the time, so that it is not kept."""
    kind, master = dev.kind, dev.master
    return (kind is not None and kind.timed) or (
        master is not None and master.kind is not None and master.kind.timed
    )


def event_body(dev: Device, change: int, event: int, new_nsid: int | None, new_ifindex: int) -> bytes:
    """The same, of a notification that says more than how the device is: IFLA_EVENT, where it went."""
    other = other_net(dev)
    told = values(dev, 0, None if other is None else nsid_of(dev.net, other), None)
    told[Link.event] = event or None
    told[Link.new_netnsid] = new_nsid
    told[Link.new_ifindex] = new_ifindex or None
    return header(dev) + CHANGE.pack(change) + REPLY.encode(told)


def header(dev: Device, family: int = 0) -> bytes:
    """struct ifinfomsg without ifi_change."""
    return HEADER.pack(family, dev.type, dev.ifindex, get_flags(dev))


def other_net(dev: Device) -> Net | None:
    """The namespace that IFLA_LINK is an index in, if it is not the device's own."""
    kind = dev.kind
    if kind is None:
        return None
    net = kind.get_link_net(dev)
    return None if net is dev.net else net


def nsid_of(asker: Net, other: Net) -> int:
    """What the asker's namespace calls the other; it is given a name if it has none (peernet2id_alloc())."""
    nsid = asker.id_alloc(other)
    return NETNSA_NSID_NOT_ASSIGNED if nsid is None else nsid


def leave_traces(dev: Device) -> None:
    """What filling a message does to the world though nobody reads it: see nsid_of(), and a bond is asked what it has
    counted."""
    other = other_net(dev)
    if other is not None:
        dev.net.id_alloc(other)
    if dev.ops.folds_stats:
        dev.ops.fold_stats(dev, dev.own_stats)


def values(dev: Device, mask: int, nsid: int | None, target: int | None) -> Pairs:
    """The attributes. nsid: IFLA_LINK_NETNSID."""
    told: Pairs = {
        Link.ifname: dev.name,
        Link.prop_list: {PropList.alt_ifname: dev.altnames} if dev.altnames else None,
    }
    if mask & NAME_ONLY:
        return told
    iflink, ops, parent = dev.iflink, dev.ops, dev.parent
    told |= {
        Link.target_netnsid: target,
        SIZES: sizes(dev),
        Link.master: None if dev.master is None else dev.master.ifindex,
        Link.carrier: int(dev.carrier),
        Link.ifalias: dev.ifalias or None,
        COUNTS: counts(dev),
        Link.proto_down_reason: {ProtoDownReason.value: dev.proto_down_reason} if dev.proto_down_reason else None,
        Link.address: dev.address if dev.addr_len else None,
        Link.broadcast: dev.broadcast if dev.addr_len else None,
        Link.phys_port_id: ops.get_phys_port_id(dev),
        Link.phys_port_name: ops.get_phys_port_name(dev),
        Link.phys_switch_id: ops.get_port_parent_id(dev),
        STATS: None if mask & SKIP_STATS else fill_stats(dev),
        Link.xdp: fill_xdp(dev),
        Link.linkinfo: fill_linkinfo(dev, privileged=not mask & UNPRIVILEGED),
        Link.perm_address: dev.perm_address if any(dev.perm_address) else None,
        Link.link_netnsid: nsid,
        Link.link: iflink if nsid is not None or iflink != dev.ifindex else None,
        Link.qdisc: dev.qdisc,
        Link.af_spec: fill_af(dev, mask),
        MAP: (dev.map,),
        Link.devlink_port: NOTHING if dev.devlink_port is None else fill_devlink_port(dev.devlink_port),
        Link.dpll_pin: NOTHING,
    }
    if parent is not None:
        told[Link.parent_dev_name] = parent.name
        told[Link.parent_dev_bus_name] = parent.bus
        if mask & VF:
            told[Link.num_vf] = ops.num_vf(dev)
            told[Link.vfinfo_list] = fill_vfs(dev, mask)
    return told


def fill_stats(dev: Device) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """rtnl_fill_stats(): all of them, then those that there once were, in 32 bits each."""
    if not dev.counted:
        return NO_STATS
    counters = COUNTERS(dev.stats)
    return counters, tuple([counter & 0xFFFFFFFF for counter in counters[:NARROW_STATS]])


def fill_xdp(dev: Device) -> Pairs:
    """rtnl_xdp_fill(): a device has at most one program, for nobody here attaches one to hardware."""
    for mode, link in dev.kernel.xdp.on(dev).items():
        attached, prog_id = XDP_MODES[mode]
        return {prog_id: link.id, Xdp.attached: int(attached), Xdp.prog_id: link.id}
    return NO_XDP


def fill_devlink_port(port: DevlinkPort) -> Pairs:
    """devlink_nl_port_handle_fill()."""
    return {
        DevlinkHandle.bus_name: port.bus,
        DevlinkHandle.dev_name: port.dev,
        DevlinkHandle.index: port.instance,
        DevlinkHandle.port_index: port.index,
    }
