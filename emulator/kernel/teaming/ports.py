"""Devices become ports of a team, and cease to be: team_port_add() and team_port_del() of team_core.c.

A device that becomes a port is down; it gets the team's MTU and, in some modes, its address, and is brought up. The
first port of another sort makes the team one of that. Who leaves is taken down and gets its own address and MTU back.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EBUSY, EINVAL, ENOENT, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import adjacency, features, flags, rx_handler, rx_mode, settings
from nlemu.emulator.kernel.devices.address import set_mac
from nlemu.emulator.kernel.teaming import options
from nlemu.emulator.kernel.teaming.team import KEY, Port, Team, port_of
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF, IfOper
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

PROMISC, ALLMULTI, LOOPBACK = int(IFF.PROMISC), int(IFF.ALLMULTI), int(IFF.LOOPBACK)
POINTOPOINT, NOARP = int(IFF.POINTOPOINT), int(IFF.NOARP)
BROADCAST, MULTICAST = int(IFF.BROADCAST), int(IFF.MULTICAST)
WORKING = (IfOper.UP, IfOper.UNKNOWN)


def is_working(dev: Device) -> bool:
    """netif_oper_up()."""
    return dev.operstate in WORKING


# Joining


def add(team: Team, dev: Device) -> None:
    """team_port_add(). EINVAL, EBUSY and EPERM, mostly with texts; and what the device, the mode or the chain
    refuses."""
    _check(team, dev)
    port = Port(team, dev)
    if team.dev.type == dev.type:
        settings.set_mtu(dev, team.dev.mtu)
    try:
        if team.mode is not None:
            team.mode.enter(port)
    except Refusal:
        _restore_mtu(port)
        raise
    try:
        flags.open_device(dev)
    except Refusal:
        _leave(port)
        raise
    try:
        _enter(port)
    except Refusal:
        flags.close_device(dev)
        _leave(port)
        raise
    team.members[dev] = port
    team.enable(port)
    features.follow_slaves(team.dev, update_header=True)
    team.link_changed(port, is_working(dev))
    team.tell_changed()


def _check(team: Team, dev: Device) -> None:
    """Who can be a port at all."""
    if dev.flags & LOOPBACK:
        raise Refusal(EINVAL, "Loopback device can't be added as a team port")
    if port_of(dev) is not None:
        raise Refusal(EBUSY, "Device is already a port of a team device")
    if dev is team.dev:
        raise Refusal(EINVAL, "Cannot enslave team device to itself")
    if adjacency.has_upper(team.dev, dev):
        raise Refusal(EBUSY, "Device is already an upper device of the team interface")
    if adjacency.has_upper(dev, team.dev):
        raise Refusal(EBUSY, "Device is already a lower device of the team interface")
    if dev.features & features.VLAN_CHALLENGED and vlans_on(team):
        raise Refusal(EPERM, "Device is VLAN challenged and team device has VLAN set up")
    if dev.up:
        raise Refusal(EBUSY, "Device is up. Set it down before adding it as a team port")


def vlans_on(team: Team) -> bool:
    """vlan_uses_dev()"""
    return any(upper.kind is not None and upper.kind.name == "vlan" for upper in team.dev.uppers)


def _restore_mtu(port: Port) -> None:
    with suppress(Refusal):
        settings.set_mtu(port.dev, port.original_mtu)


def _restore_address(port: Port) -> None:
    with suppress(Refusal):
        set_mac(port.dev, port.original_address)


def _leave(port: Port) -> None:
    """What comes after a port of a mode was refused."""
    if port.team.mode is not None:
        port.team.mode.leave(port)
    _restore_address(port)
    _restore_mtu(port)


def _enter(port: Port) -> None:
    """Up to the sort of device, all of which may be refused."""
    team, dev = port.team, port.dev
    if not team.dev.features & features.LRO:
        features.disable(dev, features.LRO)
    rx_handler.register(dev, arrive)
    try:
        adjacency.link(dev, team.dev, master=True)
    except Refusal:
        rx_handler.unregister(dev)
        raise
    dev.attach(KEY, port)
    for option in options.of(team):
        if option.per_port:
            options.add(team, option, port)
    if team.dev.flags & PROMISC:
        flags.set_promiscuity(dev, 1)
    if team.dev.flags & ALLMULTI:
        rx_mode.change_allmulti(dev, 1)
    try:
        _take_type(team, dev)
    except Refusal:
        _forget_options(port)
        _part(port)
        rx_handler.unregister(dev)
        raise
    if team.dev.up:
        rx_mode.sync(dev, team.dev, port.given)


def _take_type(team: Team, dev: Device) -> None:
    """team_dev_type_check_change(): EBUSY for another sort than the ports that there are, and what the chain
    refuses."""
    ours = team.dev
    if ours.type == dev.type:
        return
    if team.members:
        raise Refusal(EBUSY)
    kernel = ours.kernel
    kernel.notify(NetdevEvent.PRE_TYPE_CHANGE, ours)
    rx_mode.flush(ours)
    ours.type, ours.hard_header_len, ours.needed_headroom = dev.type, dev.hard_header_len, dev.needed_headroom
    ours.addr_len, ours.mtu, ours.broadcast = dev.addr_len, dev.mtu, dev.broadcast
    ours.addr_assign_type = dev.addr_assign_type
    ours.address = dev.address[:ETH_ALEN]
    if dev.flags & POINTOPOINT:
        ours.flags = ours.flags & ~(BROADCAST | MULTICAST) | POINTOPOINT | NOARP
    elif dev.flags & (BROADCAST | MULTICAST) == BROADCAST | MULTICAST:
        ours.flags = (ours.flags | BROADCAST | MULTICAST) & ~(POINTOPOINT | NOARP)
    ours.changed()
    kernel.notify(NetdevEvent.POST_TYPE_CHANGE, ours)


def _part(port: Port) -> None:
    """team_upper_dev_unlink()"""
    adjacency.unlink(port.dev, port.team.dev)
    port.dev.attach(KEY, None)


def _forget_options(port: Port) -> None:
    """__team_option_inst_del_port()"""
    team = port.team
    team.instances = [one for one in team.instances if one.port is not port]


# Leaving


def delete(team: Team, dev: Device, *, unregister: bool = False) -> None:
    """team_port_del(): ENOENT. unregister: the device goes, and who watches is not asked about its MTU."""
    port = team.members.get(dev)
    if port is None:
        raise Refusal(ENOENT)
    team.disable(port)
    del team.members[dev]
    if team.dev.flags & PROMISC:
        flags.set_promiscuity(dev, -1)
    if team.dev.flags & ALLMULTI:
        rx_mode.change_allmulti(dev, -1)
    _part(port)
    rx_handler.unregister(dev)
    if team.dev.up:
        rx_mode.unsync(dev, port.given)
    flags.close_device(dev)
    if team.mode is not None:
        team.mode.leave(port)
    options.mark_removed(one for one in team.instances if one.port is port)
    team.tell_changed()
    _forget_options(port)
    port.removed = True
    team.link_changed(port, False)
    _restore_address(port)
    if unregister:
        dev.ops.change_mtu(dev, port.original_mtu)
        dev.changed()
    else:
        _restore_mtu(port)
    features.follow_slaves(team.dev, update_header=True)


# Frames


def arrive(dev: Device, size: int, sender: bytes) -> Device | None:
    """team_handle_frame(): a frame of that many bytes has come to a port; the team whose it is, or nobody."""
    port = port_of(dev)
    if port is None:
        return dev
    team = port.team
    stats = team.dev.stats
    team.dev.changed()
    if not port.rx_enabled or not (team.mode is None or team.mode.takes(port)):
        stats.rx_nohandler += 1
        return None
    stats.received(size - ETH_HLEN)
    stats.multicast += 1
    return team.dev
