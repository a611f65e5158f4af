"""What is told of VLANs: br_vlan_fill_vids(), br_vlan_global_opts_fill() of net/bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.mdb import told as mdb_told
from nlemu.emulator.kernel.bridge import settings, vlan_options, vlans
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, Vlan, bridge_of, port_of
from nlemu.protocol.families.route.bridge import (
    VLAN_MSG,
    VLAN_REPLY,
    GlobalOptions,
    Vlandb,
    VlanEntry,
    VlanStats,
    VlanTunnel,
)
from nlemu.protocol.families.route.kinds.bridge import Querier
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrVlanInfo
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nlemu.emulator.kernel.devices.device import Device

PVID, UNTAGGED = int(BrVlanInfo.PVID), int(BrVlanInfo.UNTAGGED)
NO_QUERIER = {Querier.ip_address: bytes(4), Querier.ipv6_address: bytes(16)}


def owner_of(dev: Device) -> Bridge | Port | None:
    """The bridge or the port that the device is."""
    return bridge_of(dev) or port_of(dev)


def header(ifindex: int) -> bytes:
    """struct br_vlan_msg."""
    return VLAN_MSG.encode({"family": AF_BRIDGE, "reserved1": 0, "reserved2": 0, "ifindex": ifindex})


def entry(owner: Bridge | Port, vid: int, last: int, vlan: Vlan | None, *, stats: bool = False) -> dict[Any, Any]:
    """br_vlan_fill_vids(): a VLAN, or neighbours that are alike; without one, which it was."""
    group = owner.vlans
    flags = 0
    if vlan is not None:
        assert group is not None
        flags = vlan.flags & UNTAGGED | (PVID if group.pvid == vid else 0)
    told: dict[Any, Any] = {
        VlanEntry.info: {"flags": flags, "vid": vid},
        VlanEntry.range: last if vid < last and not flags & PVID else None,
    }
    if vlan is not None:
        told |= _options(vlan)
        told[VlanEntry.stats] = _stats(vlan) if stats else None
    return told


def _options(vlan: Vlan) -> dict[Any, Any]:
    """br_vlan_opts_fill()."""
    pmctx = vlan.port_mcast if vlan.snooped else None
    return {
        VlanEntry.state: vlan.state,
        VlanEntry.tunnel_info: None if vlan.tunnel is None else {VlanTunnel.id: vlan.tunnel},
        VlanEntry.neigh_suppress: int(vlan.neigh_suppress),
        VlanEntry.neigh_forward_grat: int(vlan.neigh_forward_grat),
        VlanEntry.mcast_router: vlans.router(vlan),
        VlanEntry.mcast_n_groups: None if pmctx is None else pmctx.groups,
        VlanEntry.mcast_max_groups: None if pmctx is None else pmctx.max_groups,
    }


def _stats(vlan: Vlan) -> dict[Any, int]:
    """br_vlan_stats_fill()."""
    counts = vlan.counts
    return {
        VlanStats.rx_bytes: counts.rx_bytes, VlanStats.rx_packets: counts.rx_packets,
        VlanStats.tx_bytes: counts.tx_bytes, VlanStats.tx_packets: counts.tx_packets,
    }


def global_options(br: Bridge, vid: int, last: int, vlan: Vlan) -> dict[Any, Any]:
    """br_vlan_global_opts_fill(): of a VLAN of the bridge, or of neighbours that are alike."""
    mcast = vlan.mcast
    looked_at = br.snooping and br.has(BrBoolopt.MCAST_VLAN_SNOOPING) and vlan.wanted
    told: dict[Any, Any] = {
        GlobalOptions.id: vid,
        GlobalOptions.range: last if vid < last else None,
        GlobalOptions.mcast_snooping: int(vlan.wanted),
        GlobalOptions.mcast_igmp_version: mcast.igmp_version,
        GlobalOptions.mcast_mld_version: mcast.mld_version,
        GlobalOptions.mcast_querier_state: NO_QUERIER if looked_at and mcast.querier else None,
        GlobalOptions.msti: vlan.msti,
    }
    fields = GlobalOptions.spec.fields
    told |= {fields[name]: int(getattr(mcast, field)) for name, (field, _) in settings.MULTICAST.items()}
    if any(pmctx.families for pmctx in mdb_told.contexts(br, vlan)):
        told[GlobalOptions.mcast_router_ports] = mdb_told.routers(br, vlan)
    return told


def changed(dev: Device, event: int, vid: int, last: int) -> bytes:
    """br_vlan_notify()."""
    owner = owner_of(dev)
    assert owner is not None and owner.vlans is not None
    vlan = owner.vlans.find(vid) if event == RTM.NEWVLAN else None
    return header(dev.ifindex) + VLAN_REPLY.encode({Vlandb.entry: [entry(owner, vid, last, vlan)]})


def changed_globally(dev: Device, vid: int, last: int) -> bytes:
    """br_vlan_global_opts_notify()."""
    br: Bridge = dev.priv
    assert br.vlans is not None
    told = global_options(br, vid, last, br.vlans.by_id[vid])
    return header(dev.ifindex) + VLAN_REPLY.encode({Vlandb.global_options: [told]})


def everything(owner: Bridge | Port, begin: int, *, stats: bool) -> Iterator[tuple[int, bytes]]:
    """br_vlan_dump_dev(), from a VLAN on, counted from 0: how many VLANs each attribute is about, and that. Neighbours
    that are alike are told together, unless their counters are told."""
    assert owner.vlans is not None
    used = [vlan for vlan in owner.vlans if vlan.used]
    for run in _runs(used[begin:], lambda *pair: not stats and vlans.alike(*pair)):
        told = entry(owner, run[0].vid, run[-1].vid, run[0], stats=stats)
        yield len(run), VLAN_REPLY.encode({Vlandb.entry: [told]})


def everything_global(br: Bridge, begin: int) -> Iterator[tuple[int, bytes]]:
    """The same of how a bridge looks at groups in its VLANs; also in those that are there for its ports alone."""
    assert br.vlans is not None
    for run in _runs([*br.vlans][begin:], vlan_options.alike):
        told = global_options(br, run[0].vid, run[-1].vid, run[0])
        yield len(run), VLAN_REPLY.encode({Vlandb.global_options: [told]})


def _runs(those: Iterable[Vlan], alike: Callable[[Vlan, Vlan], bool]) -> list[list[Vlan]]:
    runs: list[list[Vlan]] = []
    for vlan in those:
        if runs and alike(vlan, runs[-1][-1]):
            runs[-1].append(vlan)
        else:
            runs.append([vlan])
    return runs
