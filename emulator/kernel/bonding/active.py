"""The active slave of a bond: which one it is, and what comes of another (drivers/net/bonding/bond_main.c).

The primary slave is active if its link is up and primary_reselect does not spare the one that was; else the one of the
highest priority; else the one that was active; else the first whose link is up, or the one that is nearest to it.

Another active slave takes over what the bond asks of it: promiscuity, groups and addresses; with fail_over_mac the bond
takes its address, or it the bond's. Then everybody is told: that the bond failed over, and that peers should hear where
it is now.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding import balance, lacp, lacp_ports
from nlemu.emulator.kernel.bonding import bond as bonds
from nlemu.emulator.kernel.bonding.bond import BACK, JIFFY, UP, Bond, Slave
from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import flags, link_watch, rx_mode
from nlemu.emulator.kernel.devices.address import set_mac
from nlemu.emulator.kernel.devices.states import AddressAssignment
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_bonding import BondMode

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

PROMISC, ALLMULTI = int(IFF.PROMISC), int(IFF.ALLMULTI)
RESELECT_ALWAYS, RESELECT_BETTER, RESELECT_FAILURE = range(3)
"""BOND_PRI_RESELECT_*"""
FOM_NONE, FOM_ACTIVE, FOM_FOLLOW = range(3)
"""BOND_FOM_*: what becomes of MAC addresses."""
RESEND_IGMP_AFTER = 200
"""HZ / 5, in milliseconds."""


def set_carrier(bond: Bond) -> bool:
    """bond_set_carrier(): a bond has a carrier while a slave's link is up; whether it is another one now."""
    if bond.has_slaves:
        if bond.mode == BondMode.B8023AD:
            return lacp.set_carrier(bond)
        if any(slave.link == UP for slave in bond.slaves):
            had = bond.dev.carrier
            link_watch.carrier_on(bond.dev)
            return not had
    had = bond.dev.carrier
    link_watch.carrier_off(bond.dev)
    return had


def set_device_address(bond: Bond, dev: Device) -> None:
    """bond_set_dev_addr(): the bond's address is that of a slave. What a notifier refuses."""
    bond.dev.kernel.notify(NetdevEvent.PRE_CHANGEADDR, bond.dev, Info(address=dev.address))
    bond.dev.address = dev.address
    bond.dev.addr_assign_type = AddressAssignment.STOLEN
    bond.dev.changed()
    bond.dev.kernel.notify(NetdevEvent.CHANGEADDR, bond.dev)


# Which slave


def _choose_primary_or_current(bond: Bond) -> Slave | None:
    """bond_choose_primary_or_current()."""
    primary, current = bond.primary, bond.curr_active
    current_up = current is not None and current.link == UP
    if primary is None or primary.link != UP:
        highest = None
        for slave in bond.slaves:
            if slave.link == UP and (highest is None or slave.prio > highest.prio):
                highest = slave
        if highest is None or highest is current:
            return current if current_up else None
        primary = highest
    elif bond.force_primary:
        bond.force_primary = False
        return primary
    if not current_up or bond.params.primary_reselect == RESELECT_ALWAYS:
        return primary
    assert current is not None
    if bond.params.primary_reselect == RESELECT_BETTER:
        better = (primary.speed, primary.duplex) > (current.speed, current.duplex)
        return primary if better else current
    return current


def find_best(bond: Bond) -> Slave | None:
    """bond_find_best_slave()."""
    chosen = _choose_primary_or_current(bond)
    if chosen is not None:
        return chosen
    best, least = None, bond.params.updelay
    for slave in bond.slaves:
        if slave.link == UP:
            return slave
        if slave.link == BACK and slave.is_up and slave.delay < least:
            best, least = slave, slave.delay
    return best


def select(bond: Bond) -> None:
    """bond_select_active_slave()."""
    best = find_best(bond)
    if best is not bond.curr_active:
        change(bond, best)
        set_carrier(bond)


def change(bond: Bond, new: Slave | None) -> None:
    """bond_change_active_slave()."""
    old = bond.curr_active
    if old is new:
        return
    kernel = bond.dev.kernel
    if new is not None:
        new.last_link_up = kernel.clock.now
        if new.link == BACK:
            new.delay = 0
            bonds.set_link(new, UP)
            if bond.mode == BondMode.B8023AD:
                lacp_ports.handle_link(new, UP)
            if bond.balances:
                balance.handle_link(bond, new, UP)
    if bond.uses_primary:
        _swap_filters(bond, new, old)
    if bond.balances:
        balance.handle_active(bond, new)
    else:
        bond.curr_active = new
    bond.changed()
    if bond.balances or bond.mode == BondMode.ACTIVEBACKUP:
        if old is not None:
            bonds.set_inactive_flags(old)
        if new is not None:
            bonds.set_active_flags(new)
    if bond.mode == BondMode.ACTIVEBACKUP and new is not None:
        if bond.params.fail_over_mac:
            _fail_over_mac(bond, new, old)
        kernel.notify(NetdevEvent.BONDING_FAILOVER, bond.dev)
        if bond.dev.running:
            reset_peer_notify(bond)
            notify_peers(bond)
    resends = (bond.uses_primary and new is not None) or bond.mode == BondMode.ROUNDROBIN
    if bond.dev.running and bond.params.resend_igmp and resends:
        bond.igmp_retrans = bond.params.resend_igmp
        bond.mcast_work.queue(JIFFY)


def _fail_over_mac(bond: Bond, new: Slave, old: Slave | None) -> None:
    """bond_do_fail_over_mac()."""
    if bond.params.fail_over_mac == FOM_ACTIVE:
        with suppress(Refusal):
            set_device_address(bond, new.dev)
        return
    if old is None:
        others = (slave for slave in bond.slaves if slave is not new)
        old = next((slave for slave in others if slave.dev.address == bond.dev.address), None)
    kept = new.dev.address
    with suppress(Refusal):
        set_mac(new.dev, bond.dev.address if old is None else old.dev.address)
        if old is not None:
            set_mac(old.dev, kept)


# What the bond lets in, its slaves let in


def sync(bond: Bond, slave: Slave) -> None:
    """dev_uc_sync(), dev_mc_sync() and their like for several: the slave lets in what the bond does."""
    rx_mode.sync(slave.dev, bond.dev, bond.given.setdefault(slave.dev, set()))
    groups = bond.given_groups.setdefault(slave.dev, set())
    others = [given for dev, given in bond.given_groups.items() if dev is not slave.dev]
    rx_mode.sync_groups(slave.dev, bond.dev, groups, others)


def flush(bond: Bond, dev: Device) -> None:
    """bond_hw_addr_flush()."""
    rx_mode.unsync(dev, bond.given.pop(dev, set()))
    rx_mode.unsync_groups(dev, bond.dev, bond.given_groups.pop(dev, set()))
    if bond.mode == BondMode.B8023AD:
        rx_mode.delete_group(dev, lacp.GROUP)


def _swap_filters(bond: Bond, new: Slave | None, old: Slave | None) -> None:
    """bond_hw_addr_swap()."""
    shown = bond.dev.flags
    for slave, inc in ((old, -1), (new, 1)):
        if slave is None:
            continue
        if shown & PROMISC:
            flags.set_promiscuity(slave.dev, inc)
        if shown & ALLMULTI:
            rx_mode.change_allmulti(slave.dev, inc)
        if bond.dev.up:
            if slave is old:
                flush(bond, slave.dev)
            else:
                sync(bond, slave)


def filtering(bond: Bond) -> list[Slave]:
    """The slaves that let in what the bond does: in modes with an active one that one alone."""
    if bond.uses_primary:
        return [] if bond.curr_active is None else [bond.curr_active]
    return list(bond.slaves)


# Telling peers


def reset_peer_notify(bond: Bond) -> None:
    """bond_peer_notify_reset()."""
    bond.send_peer_notif = bond.params.num_peer_notif * max(1, bond.params.peer_notif_delay)


def _should_notify_peers(bond: Bond) -> bool:
    """bond_should_notify_peers()."""
    if not bond.send_peer_notif or bond.send_peer_notif % max(1, bond.params.peer_notif_delay):
        return False
    if not bond.dev.carrier:
        return False
    if bond.mode == BondMode.B8023AD:
        return bool(bond.usable)
    return bond.curr_active is not None and not bond.curr_active.dev.linkwatch_pending


def notify_peers(bond: Bond, *, force: bool = False) -> None:
    """bond_peer_notify_may_events()."""
    notified = _should_notify_peers(bond)
    if notified:
        bond.dev.kernel.notify(NetdevEvent.NOTIFY_PEERS, bond.dev)
    if notified or force:
        bond.send_peer_notif -= 1


def resend_igmp(bond: Bond) -> None:
    """bond_resend_igmp_join_requests_delayed()."""
    bond.dev.kernel.notify(NetdevEvent.RESEND_IGMP, bond.dev)
    if bond.igmp_retrans > 1:
        bond.igmp_retrans -= 1
        bond.mcast_work.queue(RESEND_IGMP_AFTER)
