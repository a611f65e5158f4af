"""What user space may say of VLANs: net/bridge/br_vlan_options.c.

Of a VLAN of a port or of the bridge: its state, which tunnel it is, whether a multicast router is in it, how many
groups there may be, and what is done about neighbours that are asked for. Of the bridge alone, for all ports: how
groups are looked at in a VLAN, and which spanning tree it is in. What is said of a range is done VLAN by VLAN, and
neighbours that changed and are alike are told together, also of what comes before a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EBUSY, EINVAL, ENOENT
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.bridge import mst, routers, settings, vlan_snooping, vlan_tunnels, vlans
from nlemu.emulator.kernel.bridge.bridge import KERNEL_STP, Bridge, Port, PortFlag, Vlan
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrState, MdbRtrType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BLOCKING = int(BrState.BLOCKING)


@dataclass(slots=True)
class VlanParams:
    """BRIDGE_VLANDB_ENTRY_* beside the VLAN; None is what was not said. tunnel_info: reads which number a VLAN is
    mapped to from now on, or None for no longer, by how many VLANs it stands behind the first; may refuse."""

    state: int | None = None
    tunnel_info: Callable[[int], int | None] | None = None
    mcast_router: int | None = None
    mcast_max_groups: int | None = None
    neigh_suppress: int | None = None
    neigh_forward_grat: int | None = None


@dataclass(slots=True)
class GlobalParams:
    """BRIDGE_VLANDB_GOPTS_* that can be set; None is what was not said. Times are in hundredths of a second."""

    mcast_snooping: int | None = None
    mcast_igmp_version: int | None = None
    mcast_last_member_cnt: int | None = None
    mcast_startup_query_cnt: int | None = None
    mcast_last_member_intvl: int | None = None
    mcast_membership_intvl: int | None = None
    mcast_querier_intvl: int | None = None
    mcast_query_intvl: int | None = None
    mcast_query_response_intvl: int | None = None
    mcast_startup_query_intvl: int | None = None
    mcast_querier: int | None = None
    mcast_mld_version: int | None = None
    msti: int | None = None


def _in_runs(
    vids: Iterable[int], change: Callable[[int], Vlan | None], alike: Callable[[Vlan, Vlan], bool],
    tell: Callable[[int, int], None],
) -> None:
    """VLAN by VLAN. change: answers with the VLAN that is another one now; tell: of the first and the last."""
    run: list[Vlan] = []

    def told() -> None:
        if run:
            tell(run[0].vid, run[-1].vid)
            run.clear()

    try:
        for vid in vids:
            vlan = change(vid)
            if run and (vlan is None or not alike(vlan, run[-1])):
                told()
            if vlan is not None:
                run.append(vlan)
    finally:
        told()


# Of VLANs of ports, and of the bridge's own


def process(owner: Bridge | Port, first: int, last: int, said: VlanParams) -> None:
    """br_vlan_process_options(): ENOENT, EINVAL, EBUSY, EEXIST, with texts."""
    group = owner.vlans
    assert group is not None
    for what, vid in (("range start", first), ("range end", last)):
        vlan = group.find(vid)
        if vlan is None or not vlan.used:
            raise Refusal(ENOENT, f"bridge: Vlan {what} doesn't exist, can't process options")

    def change(vid: int) -> Vlan | None:
        vlan = group.find(vid)
        if vlan is None or not vlan.used:
            raise Refusal(ENOENT, "bridge: Vlan in range doesn't exist, can't process options")
        return vlan if _change(owner, vlan, vid - first, said) else None

    _in_runs(range(first, last + 1), change, vlans.alike, lambda *ends: vlans.tell(owner, ends[0], vlans.NEW, ends[1]))


def _change(owner: Bridge | Port, vlan: Vlan, behind: int, said: VlanParams) -> bool:
    """br_vlan_process_one_opts(): whether it is another one now."""
    changed = said.state is not None and _set_state(vlan, said.state)
    if said.tunnel_info is not None:
        changed = _map(owner, vlan, behind, said.tunnel_info) or changed
    if said.mcast_router is not None:
        _set_router(vlan, said.mcast_router)
        changed = True
    if said.mcast_max_groups is not None:
        _set_max_groups(vlan, said.mcast_max_groups)
        changed = True
    for option in ("neigh_suppress", "neigh_forward_grat"):
        value = getattr(said, option)
        if value is None:
            continue
        if vlan.port_mcast is None:
            raise Refusal(EINVAL, f"bridge: Can't set {option} for non-port vlans")
        if getattr(vlan, option) != bool(value):
            setattr(vlan, option, bool(value))
            changed = True
    return changed


def _set_state(vlan: Vlan, state: int) -> bool:
    """br_vlan_modify_state()."""
    if state > BLOCKING:
        raise Refusal(EINVAL, "bridge: Invalid vlan state")
    br = vlans.bridge_of(vlan.owner)
    if br.stp == KERNEL_STP:
        raise Refusal(EBUSY, "bridge: Can't modify vlan state when using kernel STP")
    if br.has(BrBoolopt.MST_ENABLE):
        raise Refusal(EBUSY, "bridge: Can't modify vlan state directly when MST is enabled")
    if vlan.state == state:
        return False
    mst.set_vlan_state(vlan, state)
    return True


def _map(owner: Bridge | Port, vlan: Vlan, behind: int, read: Callable[[int], int | None]) -> bool:
    """br_vlan_modify_tunnel()."""
    if isinstance(owner, Bridge):
        raise Refusal(EINVAL, "bridge: Can't modify tunnel mapping of non-port vlans")
    if not owner.flags & PortFlag.VLAN_TUNNEL:
        raise Refusal(EINVAL, "bridge: Port doesn't have tunnel flag set")
    tunnel = read(behind)
    if tunnel is None:
        vlan_tunnels.delete(owner, vlan.vid)
    else:
        vlan_tunnels.add(owner, vlan.vid, tunnel)
    return True


def _set_router(vlan: Vlan, router: int) -> None:
    """br_multicast_set_vlan_router()."""
    if vlan.port_mcast is None:
        settings.set_router(vlan.mcast, router)
    elif router > MdbRtrType.TEMP:
        raise Refusal(EINVAL)
    else:
        routers.set_router(vlan.port_mcast, router)


def _set_max_groups(vlan: Vlan, most: int) -> None:
    if vlan.port_mcast is None:
        raise Refusal(EINVAL, "bridge: Can't set mcast_max_groups for non-port vlans")
    if not vlan.snooped:
        raise Refusal(EINVAL, "bridge: Multicast snooping disabled on this VLAN")
    vlan.port_mcast.max_groups = most


# Of the bridge, for all ports


def alike(vlan: Vlan, before: Vlan) -> bool:
    """br_vlan_global_opts_can_enter_range()."""
    return (
        vlan.vid - before.vid == 1 and vlan.msti == before.msti and vlan.wanted == before.wanted
        and vlan.mcast == before.mcast
    )


def process_global(br: Bridge, first: int, last: int, said: GlobalParams) -> None:
    """br_vlan_rtm_process_global_options(): ENOENT with a text, EINVAL."""
    group = br.vlans
    assert group is not None

    def change(vid: int) -> Vlan | None:
        vlan = group.find(vid)
        if vlan is None:
            raise Refusal(ENOENT, "bridge: Vlan in range doesn't exist, can't process global options")
        return vlan if _change_global(br, vlan, said) else None

    _in_runs(
        range(first, last + 1), change, alike,
        lambda *ends: br.dev.kernel.announcer.bridge_vlan_global(br.dev, ends[0], ends[1]),
    )


def _change_global(br: Bridge, vlan: Vlan, said: GlobalParams) -> bool:
    """br_vlan_process_global_one_opts(): whether it is another one now."""
    changed = False
    for name in GlobalParams.__slots__:
        value: Any = getattr(said, name)
        if value is None:
            continue
        if name == "mcast_snooping":
            changed = vlan_snooping.toggle_wanted(br, vlan, bool(value)) or changed
            continue
        if name == "msti":
            mst.set_tree(br, vlan, value)
        elif (field := name.removeprefix("mcast_")) in settings.VERSIONS:
            settings.set_version(vlan.mcast, field, value)
        else:
            field, made = settings.MULTICAST[name]
            setattr(vlan.mcast, field, made(value))
        changed = True
    return changed
