"""A bond looks at its slaves' links: every miimon milliseconds at their carriers, or every arp_interval at whether
anything came in (drivers/net/bonding/bond_main.c).

A link that is lost or found is believed at once, or after as many more looks as downdelay and updelay say; what comes
back in time has never been away. A bond without an active slave does not wait for a link to be sure.

By ARP nothing is ever heard here, since nobody answers: a slave's link is down once it has been silent for too long.
"""

from __future__ import annotations

from nlemu.emulator.kernel.bonding import active, balance, lacp_ports, spread
from nlemu.emulator.kernel.bonding import bond as bonds
from nlemu.emulator.kernel.bonding.bond import BACK, DOWN, FAIL, NOCHANGE, NSEC_PER_MSEC, UP, Bond, Slave
from nlemu.emulator.kernel.bonding.slaves import update_speed_duplex
from nlemu.protocol.uapi.if_bonding import BondMode

FAILURES = 0xFFFFFFFF


def look(bond: Bond) -> None:
    """bond_mii_monitor()."""
    if bond.has_slaves:
        found = _inspect(bond)
        if found:
            for slave in bond.slaves:
                bonds.commit_link(slave, notify=False)
            _commit(bond)
        if (found or bond.send_peer_notif) and bond.send_peer_notif:
            active.notify_peers(bond, force=True)
    if bond.params.miimon:
        bond.mii_work.queue(bond.params.miimon)


def _inspect(bond: Bond) -> bool:
    """bond_miimon_inspect(): whether there is something new of a link."""
    if bond.mode == BondMode.ACTIVEBACKUP:
        hurry = bond.curr_active is None
    else:
        hurry = bond.usable is not None and not bond.usable
    found = False
    for slave in bond.slaves:
        slave.link_new_state = NOCHANGE
        if slave.link == UP and slave.is_up:
            continue
        if slave.link in (UP, FAIL):
            found |= _going(slave, bond.params.downdelay)
        elif slave.link == BACK or slave.is_up:
            news, hurry = _coming(slave, bond.params.updelay, hurry)
            found |= news
    return found


def _going(slave: Slave, patience: int) -> bool:
    """Of a slave whose link was up: it is lost, or found again in time."""
    news = slave.link == UP
    if news:
        slave.link_new_state, slave.delay = FAIL, patience
    if slave.is_up:
        slave.link_new_state = UP
        slave.last_link_up = slave.dev.kernel.clock.now
        return True
    if slave.delay <= 0:
        slave.link_new_state = DOWN
        return True
    slave.delay -= 1
    return news


def _coming(slave: Slave, patience: int, hurry: bool) -> tuple[bool, bool]:
    """Of a slave whose link was down: it is found, or lost again; and whether there is still a hurry."""
    news = slave.link == DOWN
    if news:
        slave.link_new_state, slave.delay = BACK, patience
    if not slave.is_up:
        slave.link_new_state = DOWN
        return True, hurry
    if hurry:
        slave.delay = 0
    if slave.delay <= 0:
        slave.link_new_state = UP
        return True, False
    slave.delay -= 1
    return news, hurry


def _commit(bond: Bond) -> None:
    """bond_miimon_commit()."""
    failover = False
    for slave in bond.slaves:
        if slave.link_new_state == NOCHANGE:
            if bond.mode == BondMode.B8023AD and slave.link == UP:
                lacp_ports.speed_changed(slave)
        elif slave.link_new_state == UP:
            failover |= _came_up(bond, slave)
        elif slave.link_new_state == DOWN:
            failover |= _went_down(bond, slave)
    if failover:
        active.select(bond)
    active.set_carrier(bond)
    bond.changed()


def _came_up(bond: Bond, slave: Slave) -> bool:
    """BOND_LINK_UP; whether another slave may be the active one now."""
    if not update_speed_duplex(slave) and bond.needs_speed_duplex:
        slave.link = DOWN
        return False
    bonds.set_link(slave, UP)
    slave.last_link_up = slave.dev.kernel.clock.now
    primary = bond.primary
    if bond.mode == BondMode.B8023AD:
        bonds.set_backup(slave)
    elif bond.mode != BondMode.ACTIVEBACKUP:
        bonds.set_active(slave)
    _link_changed(bond, slave, UP)
    current = bond.curr_active
    return current is None or slave is primary or slave.prio > current.prio


def _went_down(bond: Bond, slave: Slave) -> bool:
    """BOND_LINK_DOWN."""
    slave.link_failure_count = min(slave.link_failure_count + 1, FAILURES)
    bonds.set_link(slave, DOWN)
    if bond.mode in (BondMode.ACTIVEBACKUP, BondMode.B8023AD):
        bonds.set_inactive_flags(slave)
    _link_changed(bond, slave, DOWN)
    return slave is bond.curr_active


def _link_changed(bond: Bond, slave: Slave, link: int) -> None:
    """bond_miimon_link_change()."""
    if bond.mode == BondMode.B8023AD:
        lacp_ports.handle_link(slave, link)
    elif bond.balances:
        balance.handle_link(bond, slave, link)
    elif bond.mode == BondMode.XOR:
        spread.update_usable(bond)


# By ARP


def probe(bond: Bond) -> None:
    """bond_arp_monitor()."""
    if bond.has_slaves:
        if bond.mode == BondMode.ACTIVEBACKUP:
            _probe_active(bond)
        else:
            _probe_all(bond)
    if bond.params.arp_interval:
        bond.arp_work.queue(bond.params.arp_interval)


def _recent(bond: Bond, last: int, intervals: int) -> bool:
    """bond_time_in_interval()."""
    interval = bond.params.arp_interval * NSEC_PER_MSEC
    now = bond.dev.kernel.clock.now
    return last - interval <= now <= last + intervals * interval + interval // 2


def _probe_all(bond: Bond) -> None:
    """bond_loadbalance_arp_mon()."""
    current, failover, changed = bond.curr_active, False, False
    for slave in bond.slaves:
        slave.link_new_state = NOCHANGE
        if slave.link != UP:
            if _recent(bond, slave.last_tx, 1) and _recent(bond, slave.last_rx, 1):
                slave.link_new_state = UP
                changed = True
                failover |= current is None
        else:
            most = bond.params.missed_max
            if not _recent(bond, slave.last_tx, most) or not _recent(bond, slave.last_rx, most):
                slave.link_new_state = DOWN
                changed = True
                slave.link_failure_count = min(slave.link_failure_count + 1, FAILURES)
                failover |= slave is current
        if slave.is_up and bond.params.arp_targets:
            slave.last_tx = bond.dev.kernel.clock.now
    for slave in bond.slaves:
        if slave.link_new_state != NOCHANGE:
            slave.link = slave.link_new_state
    if changed:
        for slave in bond.slaves:
            if slave.link == UP:
                bonds.set_active(slave)
            elif slave.link == DOWN:
                bonds.set_backup(slave)
        if bond.mode == BondMode.XOR:
            spread.update_usable(bond)
        bond.changed()
    if failover:
        active.select(bond)


def _probe_active(bond: Bond) -> None:
    """bond_activebackup_arp_mon()."""
    if _inspect_active(bond):
        _commit_active(bond)
    _search(bond)
    if bond.send_peer_notif:
        active.notify_peers(bond, force=True)
    bonds.notify_states(bond)
    bonds.notify_links(bond)


def _inspect_active(bond: Bond) -> bool:
    """bond_ab_arp_inspect()."""
    found, most = False, bond.params.missed_max
    for slave in bond.slaves:
        slave.link_new_state = NOCHANGE
        if slave.link != UP:
            if _recent(bond, slave.last_rx, 1):
                slave.link_new_state = UP
                found = True
            elif slave.link == BACK:
                slave.link_new_state = FAIL
                found = True
            continue
        if _recent(bond, slave.last_link_up, 2):
            continue
        if not slave.active and bond.current_arp is None and not _recent(bond, slave.last_rx, most + 1):
            slave.link_new_state = DOWN
            found = True
        silent = not _recent(bond, slave.last_tx, most) or not _recent(bond, slave.last_rx, most)
        if slave.active and silent:
            slave.link_new_state = DOWN
            found = True
    return found


def _commit_active(bond: Bond) -> None:
    """bond_ab_arp_commit()."""
    failover = False
    for slave in bond.slaves:
        if slave.link_new_state == UP and bond.curr_active is not slave:
            bonds.set_link(slave, UP)
            if bond.current_arp is not None:
                bonds.set_inactive_flags(bond.current_arp)
                bond.current_arp = None
            current = bond.curr_active
            failover |= current is None or slave is bond.primary or slave.prio > current.prio
        elif slave.link_new_state == DOWN:
            slave.link_failure_count = min(slave.link_failure_count + 1, FAILURES)
            bonds.set_link(slave, DOWN)
            bonds.set_inactive_flags(slave)
            if slave is bond.curr_active:
                bond.current_arp = None
                failover = True
        elif slave.link_new_state == FAIL:
            bonds.set_link(slave, FAIL)
            bonds.set_inactive_flags(slave)
            if bond.curr_active is not None:
                bond.current_arp = None
    if failover:
        active.select(bond)
    active.set_carrier(bond)
    bond.changed()


def _search(bond: Bond) -> None:
    """bond_ab_arp_probe(): without an active slave, the next one is tried."""
    now = bond.dev.kernel.clock.now
    if bond.curr_active is not None:
        if bond.params.arp_targets:
            bond.curr_active.last_tx = now
        return
    members = list(bond.slaves)
    tried = bond.current_arp or members[0]
    for slave in members:
        if not slave.is_up and slave.link == UP:
            bonds.set_link(slave, DOWN, notify=False)
            slave.link_failure_count = min(slave.link_failure_count + 1, FAILURES)
            bonds.set_inactive_flags(slave, notify=False)
    at = members.index(tried) + 1 if tried in members else 0
    following = next((slave for slave in members[at:] + members[:at] if slave.is_up), None)
    if following is None:
        return
    bonds.set_link(following, BACK, notify=False)
    bonds.set_active_flags(following, notify=False)
    if bond.params.arp_targets:
        following.last_tx = now
    following.last_link_up = now
    bond.current_arp = following
