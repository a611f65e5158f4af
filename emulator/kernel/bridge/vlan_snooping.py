"""Groups that are looked at in each VLAN apart: BR_BOOLOPT_MCAST_VLAN_SNOOPING (br_multicast_toggle_*() of
net/bridge/br_multicast.c).

While it is on, what the bridge and its ports know as a whole does not count. Each VLAN of the bridge says how groups
are looked at in it, and whether they are at all (wanted); those of ports that follow it are on (snooped). Without it
the VLANs know nothing.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import mdb, routers
from nlemu.emulator.kernel.bridge.bridge import BRENTRY, Bridge, Port, Vlan
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bridge import BrBoolopt, BrState

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import PortMulticast

OPTION = BrBoolopt.MCAST_VLAN_SNOOPING
LEARNS = (int(BrState.LEARNING), int(BrState.FORWARDING))
"""br_vlan_state_allowed() of what comes in."""


def toggle_one(vlan: Vlan, on: bool) -> None:
    """br_multicast_toggle_one_vlan()."""
    if on == vlan.snooped:
        return
    master = vlan.master or vlan
    br = master.owner
    assert isinstance(br, Bridge)
    allowed = br.has(OPTION) and master.wanted and (vlan is not master or vlan.flags & BRENTRY)
    if on and not allowed:
        return
    vlan.snooped = on
    if vlan.port_mcast is not None:
        (routers.enable if on else mdb.disable)(vlan.port_mcast)


def _toggle(br: Bridge, vlan: Vlan, on: bool) -> None:
    """br_multicast_toggle_vlan(): a VLAN of the bridge, and of its ports."""
    for port in br.ports:
        of_port = None if port.vlans is None else port.vlans.find(vlan.vid)
        if of_port is not None:
            toggle_one(of_port, on)
    if vlan.flags & BRENTRY:
        toggle_one(vlan, on)


def toggle(br: Bridge, on: bool) -> None:
    """br_multicast_toggle_vlan_snooping(): EINVAL, with a text."""
    if br.has(OPTION) == on:
        return
    if on and not br.vlan_filtering:
        raise Refusal(EINVAL, "bridge: Cannot enable multicast vlan snooping with vlan filtering disabled")
    if br.vlans is None:
        return
    br.options ^= 1 << OPTION
    for port in br.ports:
        (mdb.disable if on else routers.enable)(port.multicast)
    for vlan in br.vlans:
        _toggle(br, vlan, on)


def toggle_wanted(br: Bridge, vlan: Vlan, on: bool) -> bool:
    """br_multicast_toggle_global_vlan(): whether it is another one now."""
    if on == vlan.wanted:
        return False
    vlan.wanted = on
    _toggle(br, vlan, on)
    return True


def _contexts(port: Port) -> list[tuple[PortMulticast, bool]]:
    """What of a port is to be enabled, and whether it may be."""
    if not port.bridge.has(OPTION):
        return [(port.multicast, True)]
    return [
        (vlan.port_mcast, vlan.state in LEARNS)
        for vlan in port.vlans or () if vlan.snooped and vlan.port_mcast is not None
    ]


def enable_port(port: Port) -> None:
    """br_multicast_enable_port()."""
    for pmctx, allowed in _contexts(port):
        (routers.enable if allowed else mdb.disable)(pmctx)


def disable_port(port: Port) -> None:
    """br_multicast_disable_port()."""
    for pmctx, _ in _contexts(port):
        mdb.disable(pmctx)


def state_set(vlan: Vlan) -> None:
    """br_multicast_update_vlan_mcast_ctx(): of a port's VLAN that has another state."""
    if vlan.port_mcast is None or not vlan.port_mcast.port.bridge.has(OPTION):
        return
    if vlan.snooped and vlan.state in LEARNS:
        routers.enable(vlan.port_mcast)
