"""Several spanning trees: BR_BOOLOPT_MST_ENABLE, net/bridge/br_mst.c.

Each VLAN of the bridge is in one of them (msti), by itself in the common one, number 0. Whoever runs the protocol says
which state a port has in each: that of the common one is the port's own, and the VLANs of the port follow the tree that
theirs is in.
"""

from __future__ import annotations

from errno import EBUSY
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import vlan_snooping
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, Vlan
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrState

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTION = BrBoolopt.MST_ENABLE
DISABLED, FORWARDING = int(BrState.DISABLED), int(BrState.FORWARDING)


def set_enabled(br: Bridge, on: bool) -> None:
    """br_mst_set_enabled(): EBUSY while a port has VLANs."""
    if any(port.vlans is not None and port.vlans.count for port in br.ports):
        raise Refusal(EBUSY, "MST mode can't be changed while VLANs exist")
    if br.has(OPTION) != on:
        br.options ^= 1 << OPTION


def first_state(vlan: Vlan) -> int:
    """br_vlan_init_state(): the state that a new VLAN has."""
    port = vlan.owner
    if isinstance(port, Bridge) or not port.bridge.has(OPTION):
        return FORWARDING
    return port.state


def set_vlan_state(vlan: Vlan, state: int) -> None:
    """br_vlan_set_state(). That of the VLAN of frames without a tag is looked up there (pvid_state)."""
    vlan.state = state
    vlan_snooping.state_set(vlan)


def _follow(vlan: Vlan, state: int) -> None:
    """br_mst_vlan_set_state()."""
    if vlan.state != state:
        set_vlan_state(vlan, state)


def _tree_of(vlan: Vlan) -> int:
    assert vlan.master is not None
    return vlan.master.msti


def set_state(port: Port, msti: int, state: int) -> None:
    """br_mst_set_state(): the state of a port in one of the trees."""
    for vlan in port.vlans or ():
        if _tree_of(vlan) == msti:
            _follow(vlan, state)


def port_state_set(port: Port) -> None:
    """What br_set_state() makes of the state that a port has now."""
    if port.bridge.has(OPTION):
        set_state(port, 0, port.state)


def set_tree(br: Bridge, vlan: Vlan, msti: int) -> None:
    """br_mst_vlan_set_msti(): a VLAN of the bridge is in that tree from now on. A port that has another VLAN there goes
    on as that does, others are off."""
    if vlan.msti == msti:
        return
    vlan.msti = msti
    for port in br.ports:
        of_port = None if port.vlans is None else port.vlans.find(vlan.vid)
        if of_port is not None:
            others = [one for one in port.vlans or () if one is not of_port and _tree_of(one) == msti]
            _follow(of_port, others[0].state if others else DISABLED)


def states(port: Port) -> Iterator[tuple[int, int]]:
    """br_mst_fill_info(): the trees in which a port has VLANs, and its state there."""
    seen: set[int] = set()
    for vlan in port.vlans or ():
        msti = _tree_of(vlan)
        if msti not in seen:
            seen.add(msti)
            yield msti, vlan.state
