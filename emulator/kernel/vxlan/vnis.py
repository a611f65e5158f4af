"""The VNIs that a VXLAN with metadata filters: drivers/net/vxlan/vxlan_vnifilter.c.

Such a device takes what comes for these VNIs alone, and each of them has an entry of its own in the forwarding table,
to its own remote or to that of the device. Nothing is counted.
"""

from __future__ import annotations

from errno import EEXIST, ENOENT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.vxlan import fdb, sockets
from nlemu.emulator.kernel.vxlan.vxlan import Vni, Vxlan, in_use
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.tunnels.address import TunnelAddress

NEW, DEL = int(RTM.NEWTUNNEL), int(RTM.DELTUNNEL)


def table(vxlan: Vxlan) -> dict[int, Vni]:
    """vxlan->vnigrp, of a device that filters."""
    assert vxlan.vnis is not None
    return vxlan.vnis


def _tell(vxlan: Vxlan, vni: Vni, event: int) -> None:
    """vxlan_vnifilter_notify()."""
    vxlan.dev.kernel.announcer.vni(event, vxlan.dev, vni)


def add(vxlan: Vxlan, number: int, group: TunnelAddress) -> None:
    """vxlan_vni_add(): one that is there gets another remote. EEXIST with a text, and what the forwarding table
    refuses, after which it is there all the same."""
    known = table(vxlan)
    vni = known.get(number)
    if vni is not None:
        if _update_group(vxlan, vni, group, create=False):
            _tell(vxlan, vni, NEW)
        return
    if in_use(vxlan.net, vxlan, vxlan.config, number):
        raise Refusal(EEXIST, "VNI in use")
    vni = known[number] = Vni(number)
    try:
        _update_group(vxlan, vni, group, create=True)
    finally:
        _tell(vxlan, vni, NEW)


def _update_group(vxlan: Vxlan, vni: Vni, group: TunnelAddress, *, create: bool) -> bool:
    """vxlan_vni_update_group(): whether anything changed. As in Linux the old remote stays in the forwarding table when
    there is a new one."""
    old = vni.remote
    new = group if not group.any else vxlan.remote
    if new.any and old.any:
        return False
    if not new.any:
        fdb.add_default(vxlan, fdb.default_remote(vxlan, new, vni.vni), append=True)
    else:
        fdb.delete_default(vxlan, old, vni.vni)
    vni.remote = group
    if vxlan.dev.up:
        if old.multicast and not sockets.group_used(vxlan, old):
            sockets.igmp_leave(vxlan, old)
        if group.multicast:
            sockets.try_join(vxlan, group)
    return True


def delete(vxlan: Vxlan, number: int) -> None:
    """vxlan_vni_del(): ENOENT."""
    known = table(vxlan)
    vni = known.get(number)
    if vni is None:
        raise Refusal(ENOENT)
    if not vni.remote.any or not vxlan.remote.any:
        fdb.delete_default(vxlan, vxlan.remote if vni.remote.any else vni.remote, number)
    if vxlan.dev.up and vni.remote.multicast and not sockets.group_used(vxlan, vni.remote):
        sockets.igmp_leave(vxlan, vni.remote)
    del known[number]
    _tell(vxlan, vni, DEL)


def follow_default(vxlan: Vxlan, old: TunnelAddress, new: TunnelAddress) -> None:
    """vxlan_vnilist_update_group(): the device has another remote, and so have the VNIs that have none of their own."""
    for number in sorted(table(vxlan), reverse=True):
        if table(vxlan)[number].remote.any:
            if not new.any:
                fdb.add_default(vxlan, fdb.default_remote(vxlan, new, number), append=True)
            if not old.any:
                fdb.delete_default(vxlan, old, number)


def clear(vxlan: Vxlan) -> None:
    """vxlan_vnigroup_uninit(): the device goes, and each of them is told of."""
    known = table(vxlan)
    for number in sorted(known):
        _tell(vxlan, known.pop(number), DEL)
