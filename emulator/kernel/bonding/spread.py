"""Through which slaves of a bond frames go, and what the bond counts (drivers/net/bonding/bond_main.c).

In modes that spread frames by a hash of what stands in them, the slaves that can take some are kept in an array, made
anew when something happens to one of them. A frame is only a length here, so that the hash of each is the same: the
first of them takes all.

A bond counts what its slaves count, from when they came until they left.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding import lacp
from nlemu.emulator.kernel.bonding.bond import Bond, Slave, slave_of
from nlemu.emulator.kernel.devices import features, qdisc, rx_handler
from nlemu.emulator.kernel.devices.device import RX_HANDLER, Stats
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.protocol.uapi.if_bonding import BondMode, BondXmitPolicy
from nlemu.protocol.uapi.netdev import XdpAct

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ALL_XDP = sum(XdpAct)
"""NETDEV_XDP_ACT_MASK"""
COUNTERS = tuple(one.name for one in fields(Stats))


def update_usable(bond: Bond, without: Slave | None = None) -> None:
    """bond_update_slave_arr(): of LACP, the ports of the active aggregator alone."""
    aggregator = None
    if bond.mode == BondMode.B8023AD:
        aggregator = lacp.active_info(bond)
        if aggregator is None:
            bond.usable = None
            return
    usable = []
    for slave in bond.slaves:
        if slave is without or not slave.can_tx:
            continue
        if aggregator is None or slave.ad.port.aggregator is aggregator:
            usable.append(slave)
    if bond.mode != BondMode.BROADCAST:
        bond.usable = usable


def transmit(bond: Bond, size: int) -> tuple[Xmit, Device | None]:
    """bond_start_xmit(): a frame of that many bytes goes out through a slave, or all of them; dropped without any."""
    if bond.mode == BondMode.BROADCAST:
        answers = [qdisc.transmit(slave.dev, size) for slave in bond.slaves if slave.is_up and slave.link == 0]
        bond.changed()
        if not any(xmit == Xmit.SUCCESS for xmit, _ in answers):
            bond.dev.own_stats.tx_dropped += 1
            return Xmit.DROP, None
        arrived = [dev for _, dev in answers if dev is not None]
        return Xmit.SUCCESS, rx_handler.receive_all(bond.dev, arrived, size)
    slave = _choose(bond)
    if slave is None:
        bond.dev.own_stats.tx_dropped += 1
        return Xmit.DROP, None
    answer = qdisc.transmit(slave.dev, size)
    bond.changed()
    return answer


def _choose(bond: Bond) -> Slave | None:
    """bond_xmit_get_slave()."""
    if bond.mode == BondMode.ROUNDROBIN:
        members = list(bond.slaves)
        if not members:
            return None
        bond.rr_tx_counter += 1
        at = bond.rr_tx_counter // max(1, bond.params.packets_per_slave) % len(members)
        return next((slave for slave in members[at:] + members[:at] if slave.can_tx), None)
    if bond.uses_primary:
        return bond.curr_active
    return bond.usable[0] if bond.usable else None


def arrive(dev: Device, size: int, sender: bytes) -> Device | None:
    """bond_handle_frame(): a frame of that many bytes has come to a device; the bond whose it is, or the device itself
    for those that listen to it alone."""
    slave = slave_of(dev)
    if slave is None:
        return dev
    return None if slave.inactive else slave.bond.dev


def nobodys(dev: Device, size: int, sender: bytes) -> None:
    """A frame of a protocol that nobody speaks has come to a device."""
    handler = dev.attached.get(RX_HANDLER)
    taker = dev if handler is None else handler(dev, size, sender) or dev
    taker.own_stats.rx_dropped += 1
    taker.changed()


def fold_stats(bond: Bond, stats: Stats) -> None:
    """bond_get_stats(): what the slaves have counted since the last time."""
    for slave in bond.slaves:
        new, old = slave.dev.stats, slave.counted
        for name in COUNTERS:
            told = getattr(new, name)
            delta = told - getattr(old, name)
            if delta:
                setattr(old, name, told)
                if delta > 0:
                    setattr(stats, name, getattr(stats, name) + delta)


def can_xdp(mode: int, policy: int) -> bool:
    """__bond_xdp_check()."""
    if mode in (BondMode.ROUNDROBIN, BondMode.ACTIVEBACKUP):
        return True
    return mode in (BondMode.B8023AD, BondMode.XOR) and policy != BondXmitPolicy.VLAN_SRCMAC


def set_xdp_features(bond: Bond) -> None:
    """bond_xdp_set_features(): what all slaves can."""
    able = 0
    if can_xdp(bond.mode, bond.params.xmit_policy) and bond.has_slaves:
        able = ALL_XDP & ~XdpAct.XSK_ZEROCOPY
        for slave in bond.slaves:
            able &= slave.dev.xdp_features
    features.set_xdp_features(bond.dev, int(able))
