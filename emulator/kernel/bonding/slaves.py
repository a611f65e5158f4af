"""Devices become slaves of a bond, and cease to be: bond_enslave() and bond_release() of bond_main.c.

A device that becomes a slave is down; it gets the bond's MTU and, unless addresses are kept apart, its address, and is
brought up, without IPv6 addresses of its own. The first slave gives the bond its sort of hardware, and its address if
the bond's was a random one. Who leaves is taken down and gets its own address and MTU back.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EBUSY, EINVAL, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding import active, balance, lacp, lacp_ports, spread
from nlemu.emulator.kernel.bonding import bond as bonds
from nlemu.emulator.kernel.bonding.bond import (
    BACK,
    DOWN,
    KEY,
    NOCHANGE,
    NSEC_PER_MSEC,
    UP,
    Bond,
    Slave,
    bond_of,
)
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import adjacency, features, flags, rx_mode, settings
from nlemu.emulator.kernel.devices.address import ether_setup, randomize_address, set_mac
from nlemu.emulator.kernel.devices.device import RX_HANDLER, Stats
from nlemu.emulator.kernel.devices.states import AddressAssignment, RegState
from nlemu.emulator.kernel.ethtool.link import get_link_settings
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_bonding import BondMode
from nlemu.protocol.uapi.if_ether import ETH_ALEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

IFF_UP, PROMISC, ALLMULTI = int(IFF.UP), int(IFF.PROMISC), int(IFF.ALLMULTI)
MASTER, SLAVE = int(IFF.MASTER), int(IFF.SLAVE)
POINTOPOINT, NOARP = int(IFF.POINTOPOINT), int(IFF.NOARP)
BROADCAST, MULTICAST = int(IFF.BROADCAST), int(IFF.MULTICAST)
CAN = 280
"""ARPHRD_CAN"""


def update_speed_duplex(slave: Slave) -> bool:
    """bond_update_speed_duplex(): whether both are known."""
    try:
        told = get_link_settings(slave.dev)
    except Refusal:
        told = None
    known = (
        told is not None and told.speed not in (0, bonds.SPEED_UNKNOWN, -1)
        and told.duplex in (Duplex.FULL, Duplex.HALF)
    )
    slave.speed = told.speed if told is not None and known else bonds.SPEED_UNKNOWN
    slave.duplex = int(told.duplex) if told is not None and known else int(Duplex.UNKNOWN)
    return known


# Joining


def enslave(bond: Bond, dev: Device) -> None:
    """bond_enslave(). EPERM, EBUSY, EINVAL and EOPNOTSUPP, mostly with texts; and what the device or the chain
    refuses."""
    _check(bond, dev)
    if not bond.has_slaves and bond.dev.type != dev.type:
        _take_type(bond, dev)
    elif bond.dev.type != dev.type:
        raise Refusal(EINVAL, "Device type is different from other slaves")
    slave = Slave(bond, dev)
    try:
        _check_address(bond, dev)
        _join(bond, slave)
    except Refusal:
        _undo(bond, dev)
        raise


def _check(bond: Bond, dev: Device) -> None:
    """Who can be a slave at all."""
    if dev.type == CAN:
        raise Refusal(EPERM, "CAN devices cannot be enslaved")
    if dev.flags & MASTER and bond_of(dev) is None:
        raise Refusal(EPERM, "Device type (master device) cannot be enslaved")
    if RX_HANDLER in dev.attached:
        raise Refusal(EBUSY, "Device is in use and cannot be enslaved")
    if dev is bond.dev:
        raise Refusal(EPERM, "Cannot enslave bond to itself.")
    if dev.features & features.VLAN_CHALLENGED and balance.vlans_on(bond):
        raise Refusal(EPERM, "Can not enslave VLAN challenged device to VLAN enabled bond")
    if dev.up:
        raise Refusal(EPERM, "Device can not be enslaved while up")


def _check_address(bond: Bond, dev: Device) -> None:
    """Of a device whose address cannot be changed."""
    if dev.ops.has("set_mac") or bond.mode != BondMode.ACTIVEBACKUP:
        return
    if bond.params.fail_over_mac == active.FOM_ACTIVE:
        return
    if bond.has_slaves:
        raise Refusal(
            EOPNOTSUPP, "Slave device does not support setting the MAC address, but fail_over_mac is not set to active"
        )
    bond.params.fail_over_mac = active.FOM_ACTIVE


def _take_type(bond: Bond, dev: Device) -> None:
    """The first slave is of another sort than the bond, which becomes one of that."""
    kernel = bond.dev.kernel
    if dev.type != ARPHRD.ETHER and bond.mode == BondMode.B8023AD:
        raise Refusal(EINVAL, "8023AD mode requires Ethernet devices")
    try:
        kernel.notify(NetdevEvent.PRE_TYPE_CHANGE, bond.dev)
    except Refusal:
        raise Refusal(EBUSY) from None
    rx_mode.flush(bond.dev)
    if dev.type != ARPHRD.ETHER:
        _setup_by_slave(bond.dev, dev)
    else:
        setup_ether(bond.dev)
    kernel.notify(NetdevEvent.POST_TYPE_CHANGE, bond.dev)


def setup_ether(dev: Device) -> None:
    """bond_ether_setup()."""
    address, kept = dev.address, dev.flags & (SLAVE | IFF_UP)
    perm, queue_length = dev.perm_address, dev.txqlen
    ether_setup(dev)
    dev.address, dev.perm_address, dev.txqlen = _cut(dev, address), perm, queue_length
    dev.flags |= MASTER | kept
    dev.changed()


def _cut(dev: Device, address: bytes) -> bytes:
    """As much of dev_addr as addr_len says now. What stood behind it before is still there."""
    bond: Bond = dev.priv
    bond.dev_addr = address + bond.dev_addr[len(address) :]
    return bond.dev_addr[: dev.addr_len]


def _setup_by_slave(dev: Device, slave: Device) -> None:
    """bond_setup_by_slave()."""
    was_up = dev.up
    flags.close_device(dev)
    dev.type, dev.needed_headroom, dev.addr_len = slave.type, slave.needed_headroom, slave.addr_len
    dev.address = _cut(dev, dev.address)
    dev.broadcast = slave.broadcast
    if slave.flags & POINTOPOINT:
        dev.flags = dev.flags & ~(BROADCAST | MULTICAST) | POINTOPOINT | NOARP
    dev.changed()
    if was_up:
        flags.open_device(dev)


def _undo(bond: Bond, dev: Device) -> None:
    """The end of bond_enslave(): the first slave was refused."""
    if bond.has_slaves:
        return
    _cut(bond.dev, bond.dev.address)
    if bond.dev_addr[:ETH_ALEN] == dev.address[:ETH_ALEN].ljust(ETH_ALEN, b"\0"):
        randomize_address(bond.dev)  # six bytes of it, however many it has
        bond.dev.address = _cut(bond.dev, bond.dev.address)
    if bond.dev.type != ARPHRD.ETHER:
        flags.close_device(bond.dev)
        setup_ether(bond.dev)


def _keeps_addresses(bond: Bond) -> bool:
    """Whether slaves have addresses of their own (fail_over_mac)."""
    return bool(bond.params.fail_over_mac) and bond.mode == BondMode.ACTIVEBACKUP


def _join(bond: Bond, slave: Slave) -> None:
    """The rest of bond_enslave(); what was done before a refusal is undone."""
    dev, kernel = slave.dev, slave.dev.kernel
    kernel.notify(NetdevEvent.JOIN, dev)
    if not bond.has_slaves and bond.dev.addr_assign_type == AddressAssignment.RANDOM:
        active.set_device_address(bond, dev)
    settings.set_mtu(dev, bond.dev.mtu)
    try:
        slave.perm_hwaddr = dev.address
        _give_address(bond, dev)
    except Refusal:
        settings.set_mtu(dev, slave.original_mtu)
        raise
    dev.no_addrconf = True
    try:
        flags.open_device(dev)
    except Refusal:
        _restore(bond, slave)
        raise
    try:
        _enter(bond, slave)
    except Refusal:
        flags.close_device(dev)
        _restore(bond, slave)
        raise
    _take_part(bond, slave)


def _give_address(bond: Bond, dev: Device) -> None:
    """The slave gets the bond's address, or where they are kept apart, one that is not the bond's."""
    if not _keeps_addresses(bond):
        set_mac(dev, bond.dev.address)
    elif (
        bond.params.fail_over_mac == active.FOM_FOLLOW and bond.has_slaves and dev.address == bond.dev.address
    ):
        octets = bytearray(dev.kernel.random.randbytes(ETH_ALEN))
        octets[0] = octets[0] & 0xFE | 0x02
        set_mac(dev, bytes(octets))


def _restore(bond: Bond, slave: Slave) -> None:
    slave.dev.no_addrconf = False
    if not _keeps_addresses(bond):
        with suppress(Refusal):
            set_mac(slave.dev, slave.perm_hwaddr)
    with suppress(Refusal):
        settings.set_mtu(slave.dev, slave.original_mtu)


def _enter(bond: Bond, slave: Slave) -> None:
    """Up to the link to the master, which may be refused."""
    dev, params = slave.dev, bond.params
    slave.counted = Stats(**{name: getattr(dev.stats, name) for name in spread.COUNTERS}) if dev.counted else Stats()
    if bond.balances:
        balance.init_slave(bond, slave)
    update_speed_duplex(slave)
    now = dev.kernel.clock.now
    slave.last_rx = slave.last_tx = now - (params.arp_interval + 1) * NSEC_PER_MSEC
    slave.link = NOCHANGE
    bonds.set_link(slave, _first_link(bond, slave))
    if slave.link == BACK:
        slave.delay = params.updelay
    if slave.link != DOWN:
        slave.last_link_up = now
    if bond.uses_primary and params.primary and params.primary == dev.name:
        bond.primary, bond.force_primary = slave, True
    _first_state(bond, slave)
    if not bond.dev.features & features.LRO:
        features.disable(dev, features.LRO)
    dev.attach(KEY, slave)
    dev.attach(RX_HANDLER, spread.arrive)
    bond.members[dev] = slave
    try:
        adjacency.link(dev, bond.dev, master=True)
    except Refusal:
        del bond.members[dev]
        dev.attach(KEY, None)
        dev.attach(RX_HANDLER, None)
        if bond.primary is slave:
            bond.primary = None
        if bond.curr_active is slave:
            active.change(bond, None)
            active.select(bond)
        raise
    dev.flags |= SLAVE
    dev.changed()


def _first_link(bond: Bond, slave: Slave) -> int:
    """What is believed of a new slave's link."""
    if bond.params.miimon:
        if not slave.is_up:
            return DOWN
        return BACK if bond.params.updelay else UP
    return DOWN if bond.params.arp_interval and not slave.dev.carrier else UP


def _first_state(bond: Bond, slave: Slave) -> None:
    """Whether a new slave is active."""
    if bond.mode == BondMode.ACTIVEBACKUP:
        bonds.set_inactive_flags(slave)
    elif bond.mode == BondMode.B8023AD:
        bonds.set_inactive_flags(slave)
        last = next(reversed(bond.members.values()), None)
        if last is None:
            lacp_ports.initialize(bond)
        lacp_ports.bind(slave, 1 if last is None else last.ad.number + 1)
    elif bond.balances:
        bonds.set_active(slave)
        bonds.set_inactive_flags(slave)
    else:
        bonds.set_active(slave)
        if bond.curr_active is None and slave.link == UP:
            bond.curr_active = slave


def _take_part(bond: Bond, slave: Slave) -> None:
    """What a slave does once it is one."""
    dev, shown = slave.dev, bond.dev.flags
    bonds.lower_state_changed(slave)
    if not bond.uses_primary:
        if shown & PROMISC:
            flags.set_promiscuity(dev, 1)
        if shown & ALLMULTI:
            rx_mode.change_allmulti(dev, 1)
        if bond.dev.up:
            active.sync(bond, slave)
            if bond.mode == BondMode.B8023AD:
                rx_mode.add_group(dev, lacp.GROUP)
    features.follow_slaves(bond.dev, update_header=True)
    active.set_carrier(bond)
    if bond.uses_primary:
        active.select(bond)
    if bond.can_use_hash or bond.mode == BondMode.BROADCAST:
        spread.update_usable(bond)
    spread.set_xdp_features(bond)
    bond.changed()


# Leaving


def release(bond: Bond, dev: Device, *, everybody: bool = False, unregister: bool = False) -> None:
    """__bond_release_one(): EINVAL. everybody: the bond goes; unregister: the slave does, or the bond."""
    slave = bond.members.get(dev)
    if slave is None:
        raise Refusal(EINVAL)
    kernel, shown = dev.kernel, bond.dev.flags
    bonds.set_inactive_flags(slave)
    assert bond.dev.stats is not None  # what it has counted until now is the bond's
    dev.attach(RX_HANDLER, None)
    if bond.mode == BondMode.B8023AD:
        lacp_ports.unbind(slave)
    _part(bond, slave)
    if bond.can_use_hash or bond.mode == BondMode.BROADCAST:
        spread.update_usable(bond, slave)
    was_active = bond.curr_active is slave
    bond.current_arp = None
    if bond.primary is slave:
        bond.primary = None
    if was_active:
        active.change(bond, None)
    if bond.balances:
        balance.deinit_slave(bond, slave)
    if was_active and not everybody:
        active.select(bond)
    active.set_carrier(bond)
    if not bond.has_slaves:
        randomize_address(bond.dev)
        kernel.notify(NetdevEvent.CHANGEADDR, bond.dev)
        kernel.notify(NetdevEvent.RELEASE, bond.dev)
    features.follow_slaves(bond.dev, update_header=True)
    if not bond.uses_primary:
        if shown & PROMISC:
            flags.set_promiscuity(dev, -1)
        if shown & ALLMULTI:
            rx_mode.change_allmulti(dev, -1)
        if shown & IFF_UP:
            active.flush(bond, dev)
    flags.close_device(dev)
    dev.no_addrconf = False
    if bond.params.fail_over_mac != active.FOM_ACTIVE or bond.mode != BondMode.ACTIVEBACKUP:
        with suppress(Refusal):
            set_mac(dev, slave.perm_hwaddr)
    with suppress(Refusal):
        if unregister:
            dev.ops.change_mtu(dev, slave.original_mtu)
            dev.changed()
        else:
            settings.set_mtu(dev, slave.original_mtu)
    spread.set_xdp_features(bond)
    bond.changed()


def _part(bond: Bond, slave: Slave) -> None:
    """bond_upper_dev_unlink()."""
    dev = slave.dev
    del bond.members[dev]
    adjacency.unlink(dev, bond.dev)
    dev.attach(KEY, None)
    dev.flags &= ~SLAVE
    dev.changed()


def release_all(bond: Bond) -> None:
    """What bond_uninit() does with slaves."""
    for slave in bond.slaves:
        release(bond, slave.dev, everybody=True, unregister=True)


def unregistered(bond: Bond, dev: Device) -> None:
    """The end of NETDEV_UNREGISTER of a slave: a bond of another sort than Ethernet does not outlive its last one."""
    from nlemu.emulator.kernel.devices.register import unregister

    release(bond, dev, unregister=True)
    other = bond.dev.type != ARPHRD.ETHER
    if other and not bond.has_slaves and bond.dev.reg_state != RegState.UNREGISTERING:
        unregister(bond.dev)
