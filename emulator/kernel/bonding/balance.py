"""Adaptive load balancing: drivers/net/bonding/bond_alb.c, as far as addresses show it.

Every slave has a MAC address of its own, that which it had before, and the active one that of the bond. In transmit
load balancing (TLB) only what the device says of its address is another: nobody is told. Adaptive load balancing (ALB)
really sets it, so that answers come in by all slaves. Slaves that change places swap their addresses.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EADDRNOTAVAIL, EFAULT, EOPNOTSUPP

from nlemu.emulator.kernel.bonding import spread
from nlemu.emulator.kernel.bonding.bond import DOWN, Bond, Slave
from nlemu.emulator.kernel.devices import qdisc
from nlemu.emulator.kernel.devices.address import set_mac, valid_ethernet
from nlemu.emulator.kernel.devices.flags import set_promiscuity
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bonding import BondMode

LEARNING_PACKET = 60
"""struct learning_pkt, in bytes."""
TICKS_PER_SEC, TICK = 10, 100
"""ALB_TIMER_TICKS_PER_SEC, and how long one is, in milliseconds."""
PROMISC_TIMEOUT = 10 * TICKS_PER_SEC
"""RLB_PROMISC_TIMEOUT"""


def _set_address(slave: Slave, address: bytes) -> None:
    """alb_set_slave_mac_addr(): EOPNOTSUPP."""
    if slave.bond.mode == BondMode.TLB:
        slave.dev.address = address
        slave.dev.changed()
        return
    try:
        set_mac(slave.dev, address)
    except Refusal:
        raise Refusal(EOPNOTSUPP) from None


def _swap(one: Slave, other: Slave) -> None:
    """alb_swap_mac_addr(): as far as they let it be done."""
    kept = one.dev.address
    with suppress(Refusal):
        _set_address(one, other.dev.address)
    with suppress(Refusal):
        _set_address(other, kept)


def _learn(slave: Slave) -> None:
    """alb_send_learning_packets(): the switch hears where the slave's address is, and those of VLANs on the bond."""
    for _ in range(1 + vlans_on(slave.bond)):
        _, receiver = qdisc.transmit(slave.dev, LEARNING_PACKET)
        if receiver is not None:
            spread.nobodys(receiver, LEARNING_PACKET, slave.dev.address)
    slave.dev.changed()
    slave.bond.dev.changed()


def vlans_on(bond: Bond) -> int:
    """How many VLANs stand on the bond itself."""
    return sum(upper.kind is not None and upper.kind.name == "vlan" for upper in bond.dev.uppers)


def _fasten(one: Slave, other: Slave) -> None:
    """alb_fasten_mac_swap()."""
    for slave in (one, other):
        if slave.can_tx:
            _learn(slave)
    bond = one.bond
    if bond.rlb_enabled and one.can_tx != other.can_tx and bond.curr_active is not None:
        _listen_for_all(bond, bond.curr_active)


def _listen_for_all(bond: Bond, active: Slave) -> None:
    """rlb_teach_disabled_mac_on_primary(): what is still sent to the address of a slave without a link, the active one
    takes."""
    if not bond.primary_is_promisc:
        set_promiscuity(active.dev, 1)
        bond.primary_is_promisc = True
    bond.promisc_ticks = 0
    _learn(active)


def _listen_no_more(bond: Bond, active: Slave) -> None:
    set_promiscuity(active.dev, -1)
    bond.primary_is_promisc = False


def tick(bond: Bond) -> None:
    """bond_alb_monitor(): from time to time the switches hear of all addresses."""
    if bond.has_slaves:
        bond.lp_counter += 1
        if bond.lp_counter >= bond.params.lp_interval * TICKS_PER_SEC:
            for slave in bond.slaves:
                _learn(slave)
            bond.lp_counter = 0
        if bond.rlb_enabled and bond.primary_is_promisc:
            bond.promisc_ticks += 1
            if bond.promisc_ticks >= PROMISC_TIMEOUT:
                bond.promisc_ticks = 0
                if bond.curr_active is not None:
                    _listen_no_more(bond, bond.curr_active)
    else:
        bond.lp_counter = 0
    bond.alb_work.queue(TICK)


def _with_address(bond: Bond, address: bytes) -> Slave | None:
    """bond_slave_has_mac()."""
    return next((slave for slave in bond.slaves if slave.dev.address == address), None)


def init_slave(bond: Bond, slave: Slave) -> None:
    """bond_alb_init_slave(), before the slave is one: its own address, or else that of another that does not use it.
    EOPNOTSUPP, EFAULT."""
    _set_address(slave, slave.perm_hwaddr)
    if not bond.has_slaves:
        return
    if slave.perm_hwaddr != bond.dev.address:
        if _with_address(bond, slave.dev.address) is None:
            return
        with suppress(Refusal):
            _set_address(slave, bond.dev.address)
    has_bond_address = bond.curr_active
    for one in bond.slaves:
        if _with_address(bond, one.perm_hwaddr) is None:
            with suppress(Refusal):
                _set_address(slave, one.perm_hwaddr)
            return
        if has_bond_address is None and one.dev.address == bond.dev.address:
            has_bond_address = one
    if has_bond_address is not None:
        raise Refusal(EFAULT)


def deinit_slave(bond: Bond, slave: Slave) -> None:
    """bond_alb_deinit_slave(): who has its address gives it back."""
    if bond.has_slaves and slave.perm_hwaddr not in (slave.dev.address, bond.dev.address):
        found = _with_address(bond, slave.perm_hwaddr)
        if found is not None:
            _swap(slave, found)
            _fasten(slave, found)
    _clear(bond, slave)


def _clear(bond: Bond, slave: Slave) -> None:
    """rlb_clear_slave(): nobody is told any more to answer to that slave."""
    if bond.rlb_enabled and bond.curr_active is not None and slave is not bond.curr_active:
        _listen_for_all(bond, bond.curr_active)


def handle_link(bond: Bond, slave: Slave, link: int) -> None:
    """bond_alb_handle_link_change()."""
    if link == DOWN:
        _clear(bond, slave)
    if not bond.params.tlb_dynamic_lb:
        spread.update_usable(bond)


def handle_active(bond: Bond, new: Slave | None) -> None:
    """bond_alb_handle_active_change(): the new active slave gets the bond's address."""
    if bond.curr_active is new:
        return
    if bond.curr_active is not None and bond.primary_is_promisc:
        _listen_no_more(bond, bond.curr_active)
        bond.promisc_ticks = 0
    old, bond.curr_active = bond.curr_active, new
    if new is None or not bond.has_slaves:
        return
    swapped = old if old is not None else _with_address(bond, bond.dev.address)
    if bond.mode == BondMode.TLB:
        kept = new.dev.address
        with suppress(Refusal):
            set_mac(new.dev, bond.dev.address)
        new.dev.address = kept
        new.dev.changed()
    if swapped is not None:
        _swap(swapped, new)
        _fasten(swapped, new)
    else:
        with suppress(Refusal):
            _set_address(new, bond.dev.address)
        _learn(new)


def set_bond_address(bond: Bond, address: bytes) -> None:
    """bond_alb_set_mac_address(), of ALB: EADDRNOTAVAIL, and what a slave refuses. Once the bond has been up, the
    active slave alone gets the address; before that all do, without keeping it."""
    if not valid_ethernet(address):
        raise Refusal(EADDRNOTAVAIL)
    if not bond.rlb_enabled:
        done: list[tuple[Slave, bytes]] = []
        for slave in bond.slaves:
            kept = slave.dev.address
            try:
                set_mac(slave.dev, address)
            except Refusal:
                slave.dev.address = kept
                for other, theirs in done:
                    with suppress(Refusal):
                        set_mac(other.dev, bond.dev.address)
                    other.dev.address = theirs
                raise
            slave.dev.address = kept
            done.append((slave, kept))
    bond.dev.address = address[: bond.dev.addr_len]
    bond.dev.changed()
    active = bond.curr_active
    if active is None:
        return
    holder = _with_address(bond, bond.dev.address)
    if holder is not None:
        _swap(holder, active)
        _fasten(holder, active)
    else:
        with suppress(Refusal):
            _set_address(active, bond.dev.address)
        _learn(active)
