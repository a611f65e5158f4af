"""VLAN devices on a bridge whose link is that of a VLAN of it: VLAN_FLAG_BRIDGE_BINDING, net/bridge/br_vlan.c.

Such a device has a carrier while the bridge has one and any port that is in its VLAN is up. Its bridge looks as ports
come and go, up and down, in and out of VLANs, and when such a device comes, or changes its mind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, bridge_of
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import adjacency, link_watch
from nlemu.protocol.uapi.if_ import IfOper

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LINK = (NetdevEvent.CHANGE, NetdevEvent.UP)
PORT = (*LINK, NetdevEvent.DOWN)


def _vid(dev: Device) -> int | None:
    """br_vlan_is_bind_vlan_dev(): of which VLAN it is, if it is such a device."""
    return dev.ops.bridge_binding(dev)


def _is_up(dev: Device) -> bool:
    """br_vlan_is_dev_up()."""
    return dev.up and dev.operstate in (IfOper.UP, IfOper.UNKNOWN)


def _find(br: Bridge, vid: int) -> Device | None:
    """br_vlan_get_upper_bind_vlan_dev()."""
    return next((dev for dev in adjacency.all_of(br.dev, adjacency.uppers) if _vid(dev) == vid), None)


def _set_state(br: Bridge, dev: Device) -> None:
    """br_vlan_set_vlan_dev_state()."""
    vid = _vid(dev)
    assert vid is not None
    has = br.dev.carrier and any(
        port.vlans is not None and port.vlans.find(vid) is not None and _is_up(port.dev) for port in br.ports
    )
    (link_watch.carrier_on if has else link_watch.carrier_off)(dev)


def _toggle(br: Bridge, on: bool) -> None:
    """br_vlan_toggle_bridge_binding()."""
    br.vlan_binding = on or any(_vid(dev) is not None for dev in adjacency.all_of(br.dev, adjacency.uppers))


def upper_changed(br: Bridge, dev: Device, linking: bool) -> None:
    """br_vlan_upper_change(): a device comes onto the bridge, or has gone."""
    if br.vlans is None or _vid(dev) is None:
        return
    _toggle(br, linking)
    if linking:
        _set_state(br, dev)


def bridge_changed(br: Bridge, event: NetdevEvent) -> None:
    """br_vlan_bridge_event(): the bridge's own link."""
    if br.vlan_binding and event in LINK:
        for dev in adjacency.all_of(br.dev, adjacency.uppers):
            if _vid(dev) is not None:
                _set_state(br, dev)


def vlan_changed(dev: Device, below: Device, event: NetdevEvent) -> None:
    """br_vlan_vlan_upper_event(): something happened to a VLAN device, which stands on that one."""
    br = bridge_of(below)
    if br is None or br.vlans is None or event not in LINK:
        return
    bound = _vid(dev) is not None
    _toggle(br, bound)
    if bound:
        _set_state(br, dev)
    elif below.carrier:
        link_watch.carrier_on(dev)


def port_changed(port: Port, event: NetdevEvent) -> None:
    """br_vlan_port_event()."""
    br = port.bridge
    if not br.vlan_binding or event not in PORT:
        return
    for vlan in port.vlans or ():
        dev = _find(br, vlan.vid)
        if dev is None:
            continue
        if not _is_up(port.dev):
            _set_state(br, dev)
        elif br.dev.carrier:
            link_watch.carrier_on(dev)


def port_vlan_changed(port: Port, vid: int) -> None:
    """nbp_vlan_set_vlan_dev_state(): a port is in a VLAN, or no longer."""
    dev = _find(port.bridge, vid) if port.bridge.vlan_binding else None
    if dev is not None:
        _set_state(port.bridge, dev)
