"""Ports of LACP come and go, and their links change: what the rest of a bond tells drivers/net/bonding/bond_3ad.c."""

from __future__ import annotations

from nlemu.emulator.kernel.bonding import spread
from nlemu.emulator.kernel.bonding.bond import UP, Bond, Slave
from nlemu.emulator.kernel.bonding.lacp import (
    ACTIVITY,
    AGGREGATION,
    COLLECTING,
    DISTRIBUTING,
    NO_SYSTEM,
    SELECTION_TIMER,
    SYNC,
    TIMEOUT,
    Aggregator,
    Lacp,
    LacpSlave,
    Port,
    aggregators,
    disable_port,
    select,
    update_actor_keys,
)
from nlemu.emulator.kernel.bonding.lacp_machines import send


def initialize(bond: Bond) -> None:
    """bond_3ad_initialize(): the first slave has come."""
    bond.lacp = Lacp()
    update_system(bond)
    bond.lacp.agg_select_timer = SELECTION_TIMER


def update_system(bond: Bond) -> None:
    """Who the bond is to its partners."""
    params = bond.params
    if bond.lacp is None:
        bond.lacp = Lacp()
    bond.lacp.sys_priority = params.ad_actor_sys_prio
    bond.lacp.sys_mac_addr = bond.dev.address if params.ad_actor_system == NO_SYSTEM else params.ad_actor_system


def _update_port(port: Port) -> None:
    """__ad_actor_update_port()."""
    lacp = port.slave.bond.lacp
    assert lacp is not None
    port.actor_system, port.actor_system_priority = lacp.sys_mac_addr, lacp.sys_priority
    port.actor_priority = port.slave.ad.port_priority


def bind(slave: Slave, number: int) -> None:
    """bond_3ad_bind_slave()."""
    bond = slave.bond
    params, lacp = bond.params, bond.lacp
    assert lacp is not None
    port = Port(slave, number)
    aggregator = Aggregator(slave, lacp.aggregator_identifier + 1, bond.dev.address)
    slave.lacp = LacpSlave(number, aggregator, port)
    if params.lacp_active:
        port.actor_oper_state |= ACTIVITY
    if params.lacp_rate:
        port.actor_oper_state |= TIMEOUT
    port.actor_admin_key = params.ad_user_port_key << 6
    update_actor_keys(port)
    _update_port(port)
    disable_port(port)
    lacp.aggregator_identifier += 1


def unbind(slave: Slave) -> None:
    """bond_3ad_unbind_slave(): the other ports of its aggregator go to another one."""
    bond, ad = slave.bond, slave.ad
    port, mine = ad.port, ad.aggregator
    port.actor_oper_state &= ~(SYNC | COLLECTING | DISTRIBUTING | AGGREGATION)
    send(port)
    if mine.ports == [port]:
        was_active = mine.is_active
        mine.clear()
        if was_active:
            select(bond)
    elif mine.ports:
        _move_ports(bond, port, mine)
    for one in aggregators(bond):
        if port not in one.ports:
            continue
        one.ports.remove(port)
        if not one.enabled:
            was_active = one.is_active
            if not one.ports:
                one.clear()
            if was_active:
                select(bond)
    ad.bound = False


def _move_ports(bond: Bond, port: Port, mine: Aggregator) -> None:
    """The aggregator of a slave that goes has ports of others."""
    for new in aggregators(bond):
        if not new.ports or new.ports == [port]:
            break
    else:
        return
    select_again = new.ports == [port] and new.is_active
    new.is_individual, new.is_active = mine.is_individual, mine.is_active
    new.actor_admin_key, new.actor_oper_key = mine.actor_admin_key, mine.actor_oper_key
    new.partner_system, new.partner_system_priority = mine.partner_system, mine.partner_system_priority
    new.partner_oper_key = mine.partner_oper_key
    new.ports = mine.ports
    for one in new.ports:
        one.aggregator = new
    mine.clear()
    if select_again:
        select(bond)


def handle_link(slave: Slave, link: int) -> None:
    """bond_3ad_handle_link_change()."""
    if slave.lacp is None or not slave.lacp.bound:
        return
    port = slave.lacp.port
    port.is_enabled = link == UP
    update_actor_keys(port, reset=link != UP)
    select(slave.bond)
    spread.update_usable(slave.bond)


def speed_changed(slave: Slave) -> None:
    """bond_3ad_adapter_speed_duplex_changed()."""
    if slave.lacp is not None and slave.lacp.bound:
        update_actor_keys(slave.lacp.port)


# Options


def update_actor_settings(bond: Bond) -> None:
    """bond_3ad_update_ad_actor_settings()."""
    update_system(bond)
    for slave in bond.slaves:
        if slave.lacp is not None:
            _update_port(slave.lacp.port)
            slave.lacp.port.ntt = True


def update_state(bond: Bond, flag: int, on: bool) -> None:
    """bond_3ad_update_lacp_rate(), bond_3ad_update_lacp_active()."""
    for slave in bond.slaves:
        if slave.lacp is not None:
            state = slave.lacp.port.actor_oper_state
            slave.lacp.port.actor_oper_state = state | flag if on else state & ~flag
    bond.changed()


