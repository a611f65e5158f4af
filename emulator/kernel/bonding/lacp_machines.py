"""The state machines of LACP: IEEE 802.3, clause 43.4, as drivers/net/bonding/bond_3ad.c runs them.

Every 100 ms all machines of all ports take a step. The receive machine waits for what the partner says; the periodic
one says how often to speak; the selection logic gives a port an aggregator; the mux machine attaches it, and lets it
collect and distribute frames once both sides are in step; the churn machine notices when that never comes.
"""

from __future__ import annotations

from dataclasses import replace

from nlemu.emulator.kernel.bonding import bond as bonds
from nlemu.emulator.kernel.bonding import spread
from nlemu.emulator.kernel.bonding.bond import UP, Bond
from nlemu.emulator.kernel.bonding.lacp import (
    ACTIVITY,
    AGGREGATION,
    BEGIN,
    CHURNED,
    COLLECTING,
    DISTRIBUTING,
    DUPLEX_KEY,
    LACP_ENABLED,
    MATCHED,
    MAX_TX_IN_SECOND,
    PDU_SIZE,
    READY,
    READY_N,
    SELECTED,
    STANDBY,
    SYNC,
    TICKS_PER_SEC,
    TIMEOUT,
    Aggregator,
    Partner,
    Pdu,
    Port,
    aggregators,
    disable_port,
    enable_port,
    select,
    set_carrier,
    set_ready,
)
from nlemu.emulator.kernel.devices import qdisc
from nlemu.protocol.uapi.if_bonding import LacpState

TICK = 100
"""AD_TIMER_INTERVAL, in milliseconds."""
DEFAULTED, EXPIRED = int(LacpState.DEFAULTED), int(LacpState.EXPIRED)
SHORT_TIMEOUT, LONG_TIMEOUT = 3 * TICKS_PER_SEC, 90 * TICKS_PER_SEC
FAST_PERIODIC_TIME, SLOW_PERIODIC_TIME = TICKS_PER_SEC, 30 * TICKS_PER_SEC
CHURN_DETECTION_TIME, AGGREGATE_WAIT_TIME = 60 * TICKS_PER_SEC, 2 * TICKS_PER_SEC
(
    RX_INITIALIZE, RX_PORT_DISABLED, RX_LACP_DISABLED, RX_EXPIRED, RX_DEFAULTED, RX_CURRENT,
) = range(1, 7)
NO_PERIODIC, FAST_PERIODIC, SLOW_PERIODIC, PERIODIC_TX = range(1, 5)
(
    MUX_DETACHED, MUX_WAITING, MUX_ATTACHED, MUX_COLLECTING, MUX_DISTRIBUTING, MUX_COLLECTING_DISTRIBUTING,
) = range(1, 7)
CHURN_MONITOR, CHURN, NO_CHURN = range(3)


def tick(bond: Bond) -> None:
    """bond_3ad_state_machine_handler()."""
    changed = False
    if bond.has_slaves:
        assert bond.lacp is not None
        if bond.lacp.agg_select_timer:
            bond.lacp.agg_select_timer -= 1
            if not bond.lacp.agg_select_timer:
                changed = select(bond)
                set_carrier(bond)
        for slave in bond.slaves:
            port = slave.ad.port
            rx_machine(port)
            periodic_machine(port)
            changed |= selection_logic(port)
            changed |= mux_machine(port)
            tx_machine(port)
            churn_machine(port)
            port.vars &= ~BEGIN
        bond.changed()
    if changed:
        bond.slave_arr_work.queue(0)
    bonds.notify_states(bond)
    bond.ad_work.queue(TICK)


def receive(port: Port, pdu: Pdu) -> None:
    """bond_3ad_rx_indication()."""
    assert port.slave.bond.lacp is not None
    port.slave.ad.lacpdu_rx += 1
    port.slave.bond.lacp.lacpdu_rx += 1
    rx_machine(port, pdu)
    port.slave.bond.changed()


# Receiving


def rx_machine(port: Port, pdu: Pdu | None = None) -> None:
    """ad_rx_machine()."""
    last = port.rx_state
    if port.vars & BEGIN:
        port.rx_state = RX_INITIALIZE
        port.vars |= CHURNED
    elif not port.is_enabled:
        port.rx_state = RX_PORT_DISABLED
    elif pdu is not None and port.rx_state in (RX_EXPIRED, RX_DEFAULTED, RX_CURRENT):
        if port.rx_state != RX_CURRENT:
            port.vars |= CHURNED
        port.rx_timer = 0
        port.rx_state = RX_CURRENT
    elif port.rx_timer:
        port.rx_timer -= 1
        if not port.rx_timer:
            port.rx_state = {RX_EXPIRED: RX_DEFAULTED, RX_CURRENT: RX_EXPIRED}.get(port.rx_state, port.rx_state)
    elif port.rx_state == RX_PORT_DISABLED:
        port.rx_state = RX_EXPIRED if port.vars & LACP_ENABLED else RX_LACP_DISABLED
    if port.rx_state != last or pdu is not None:
        _rx_entered(port, pdu)


def _rx_entered(port: Port, pdu: Pdu | None) -> None:
    """What is done in a state that is new, or when the partner has spoken."""
    state = port.rx_state
    if state == RX_INITIALIZE:
        port.vars = port.vars | LACP_ENABLED if port.actor_oper_key & DUPLEX_KEY else port.vars & ~LACP_ENABLED
        port.vars &= ~SELECTED
        _record_default(port)
        port.actor_oper_state &= ~EXPIRED
        state = port.rx_state = RX_PORT_DISABLED
    if state == RX_PORT_DISABLED:
        port.vars &= ~MATCHED
        port.partner.port_state &= ~SYNC
    elif state == RX_LACP_DISABLED:
        port.vars &= ~SELECTED
        _record_default(port)
        port.partner.port_state &= ~AGGREGATION
        port.vars |= MATCHED
        port.actor_oper_state &= ~EXPIRED
    elif state == RX_EXPIRED:
        port.vars = port.vars & ~MATCHED | CHURNED
        port.partner.port_state = port.partner.port_state & ~SYNC | TIMEOUT
        port.rx_timer = SHORT_TIMEOUT
        port.actor_oper_state |= EXPIRED
    elif state == RX_DEFAULTED:
        _compare(port, replace(port.partner_admin))
        _record_default(port)
        port.vars |= MATCHED
        port.actor_oper_state &= ~EXPIRED
    elif state == RX_CURRENT and pdu is not None and pdu.actor.system != port.actor_system:
        _compare(port, pdu.actor)
        if _differs(port, pdu, ACTIVITY | TIMEOUT | SYNC | AGGREGATION):
            port.ntt = True
        _record(port, pdu)
        port.rx_timer = SHORT_TIMEOUT if port.actor_oper_state & TIMEOUT else LONG_TIMEOUT
        port.actor_oper_state &= ~EXPIRED


def _record_default(port: Port) -> None:
    """__record_default()."""
    port.partner = replace(port.partner_admin)
    port.actor_oper_state |= DEFAULTED


def _compare(port: Port, told: Partner) -> None:
    """__update_selected(), __update_default_selected(): a port whose partner is another one is selected anew."""
    mine = replace(port.partner, port_state=port.partner.port_state & AGGREGATION)
    if replace(told, port_state=told.port_state & AGGREGATION) != mine:
        port.vars &= ~SELECTED


def _differs(port: Port, pdu: Pdu, states: int) -> bool:
    """Whether the partner believes otherwise of this port than it is; which of its states count."""
    told = pdu.partner
    return (
        told.port_number != port.number or told.port_priority != port.actor_priority
        or told.system != port.actor_system or told.system_priority != port.actor_system_priority
        or told.key != port.actor_oper_key or (told.port_state ^ port.actor_oper_state) & states != 0
    )


def _record(port: Port, pdu: Pdu) -> None:
    """__choose_matched() and __record_pdu()."""
    matched = not _differs(port, pdu, AGGREGATION) or not pdu.actor.port_state & AGGREGATION
    port.vars = port.vars | MATCHED if matched else port.vars & ~MATCHED
    port.partner = replace(pdu.actor)
    port.actor_oper_state &= ~DEFAULTED
    if not matched:
        port.partner.port_state &= ~SYNC


# Speaking


def send(port: Port) -> None:
    """ad_lacpdu_send(): to whatever is at the other end of the slave's link, and to another bond's port if that is
    there."""
    slave = port.slave
    assert slave.bond.lacp is not None
    slave.ad.lacpdu_tx += 1
    slave.bond.lacp.lacpdu_tx += 1
    actor = Partner(
        port.actor_system, port.actor_system_priority, port.actor_oper_key, port.number, port.actor_priority,
        port.actor_oper_state,
    )
    _, receiver = qdisc.transmit(slave.dev, PDU_SIZE)
    slave.dev.changed()
    other = None if receiver is None else bonds.slave_of(receiver)
    if receiver is not None and (other is None or other.lacp is None):
        spread.nobodys(receiver, PDU_SIZE, slave.dev.address)
    elif other is not None and other.bond.dev.running and other.lacp is not None and other.lacp.bound:
        receive(other.lacp.port, Pdu(actor, replace(port.partner)))


def periodic_machine(port: Port) -> None:
    """ad_periodic_machine()."""
    last = port.periodic_state
    theirs = port.partner.port_state
    silent = not port.actor_oper_state & ACTIVITY and not theirs & ACTIVITY
    if port.vars & BEGIN or not port.vars & LACP_ENABLED or not port.is_enabled or silent:
        port.periodic_state = NO_PERIODIC
    elif port.periodic_timer:
        port.periodic_timer -= 1
        if not port.periodic_timer:
            port.periodic_state = PERIODIC_TX
        elif last == FAST_PERIODIC and not theirs & TIMEOUT:
            port.periodic_state = SLOW_PERIODIC
        elif last == SLOW_PERIODIC and theirs & TIMEOUT:
            port.periodic_timer = 0
            port.periodic_state = PERIODIC_TX
    elif last == NO_PERIODIC:
        port.periodic_state = FAST_PERIODIC
    elif last == PERIODIC_TX:
        port.periodic_state = FAST_PERIODIC if theirs & TIMEOUT else SLOW_PERIODIC
    if port.periodic_state == last:
        return
    if port.periodic_state == PERIODIC_TX:
        port.ntt = True
    else:
        times = {NO_PERIODIC: 0, FAST_PERIODIC: FAST_PERIODIC_TIME - 1, SLOW_PERIODIC: SLOW_PERIODIC_TIME - 1}
        port.periodic_timer = times[port.periodic_state]


def tx_machine(port: Port) -> None:
    """ad_tx_machine(): three times a second at most."""
    if port.tx_timer:
        port.tx_timer -= 1
    if not port.tx_timer and port.ntt and port.vars & LACP_ENABLED:
        send(port)
        port.ntt = False
        port.tx_timer = TICKS_PER_SEC // MAX_TX_IN_SECOND


def churn_machine(port: Port) -> None:
    """ad_churn_machine()."""
    if port.vars & CHURNED:
        port.vars &= ~CHURNED
        port.churn_actor_state = port.churn_partner_state = CHURN_MONITOR
        port.churn_actor_timer = port.churn_partner_timer = CHURN_DETECTION_TIME
        return
    if port.churn_actor_timer:
        port.churn_actor_timer -= 1
        if not port.churn_actor_timer and port.churn_actor_state == CHURN_MONITOR:
            in_step = port.actor_oper_state & SYNC
            port.churn_actor_count += not in_step
            port.churn_actor_state = NO_CHURN if in_step else CHURN
    if port.churn_partner_timer:
        port.churn_partner_timer -= 1
        if not port.churn_partner_timer and port.churn_partner_state == CHURN_MONITOR:
            in_step = port.partner.port_state & SYNC
            port.churn_partner_count += not in_step
            port.churn_partner_state = NO_CHURN if in_step else CHURN


# Joining


def _suits(one: Aggregator, port: Port) -> bool:
    return (
        one.actor_oper_key == port.actor_oper_key
        and one.partner_system == port.partner.system
        and one.partner_system_priority == port.partner.system_priority
        and one.partner_oper_key == port.partner.key
        and one.has_partner and not one.is_individual
    )


def selection_logic(port: Port) -> bool:
    """ad_port_selection_logic(): an aggregator for a port that has none; whether frames may be spread otherwise now."""
    if port.vars & SELECTED:
        return False
    bond = port.slave.bond
    left = port.aggregator
    if left is not None and port in left.ports:
        left.ports.remove(port)
        port.aggregator = None
        if not left.ports:
            left.clear()
    free = None
    for one in aggregators(bond):
        if not one.ports:
            free = free or one
        elif _suits(one, port):
            one.ports.insert(0, port)
            port.aggregator = one
            break
    else:
        if free is None:
            return False
        _begin(free, port)
    port.vars |= SELECTED
    assert port.aggregator is not None
    set_ready(port.aggregator)
    changed = select(bond)
    if not port.aggregator.is_active:
        port.actor_oper_state &= ~SYNC
    return changed


def _begin(one: Aggregator, port: Port) -> None:
    """An empty aggregator gets its first port, and is as that is."""
    one.is_individual = not port.actor_oper_key & DUPLEX_KEY
    one.actor_admin_key, one.actor_oper_key = port.actor_admin_key, port.actor_oper_key
    one.partner_system, one.partner_system_priority = port.partner.system, port.partner.system_priority
    one.partner_oper_key = port.partner.key
    one.ports = [port]
    port.aggregator = one


# Collecting and distributing


def mux_machine(port: Port) -> bool:
    """ad_mux_machine(); whether frames may be spread otherwise now."""
    last, one = port.mux_state, port.aggregator
    if port.vars & BEGIN:
        port.mux_state = MUX_DETACHED
        changed = False
    elif one is None:
        return False
    else:
        changed = _mux_step(port, one)
    if port.mux_state != last:
        changed |= _mux_entered(port, one)
    return changed


def _mux_step(port: Port, one: Aggregator) -> bool:
    bond, state = port.slave.bond, port.mux_state
    partner_in_step = port.partner.port_state & SYNC
    if state == MUX_DETACHED:
        if port.vars & (SELECTED | STANDBY):
            port.mux_state = MUX_WAITING
    elif state == MUX_WAITING:
        _wait(port, one)
    elif state == MUX_ATTACHED:
        assert bond.lacp is not None
        if port.vars & SELECTED and partner_in_step and not bond.lacp.agg_select_timer:
            if one.is_active:
                coupled = bond.params.coupled_control
                port.mux_state = MUX_COLLECTING_DISTRIBUTING if coupled else MUX_COLLECTING
        elif not port.vars & SELECTED or port.vars & STANDBY:
            port.vars &= ~READY_N
            set_ready(one)
            port.mux_state = MUX_DETACHED
        elif one.is_active:
            port.actor_oper_state |= SYNC
    elif state == MUX_DISTRIBUTING:
        if not port.partner.port_state & COLLECTING or _falls_back(port):
            port.mux_state = MUX_COLLECTING
        else:
            return _keep_enabled(port, one)
    elif state in (MUX_COLLECTING_DISTRIBUTING, MUX_COLLECTING):
        if _falls_back(port):
            port.mux_state = MUX_ATTACHED
        elif state == MUX_COLLECTING_DISTRIBUTING:
            return _keep_enabled(port, one)
        elif partner_in_step and port.partner.port_state & COLLECTING:
            port.mux_state = MUX_DISTRIBUTING
        elif one.is_active and port.slave.rx_disabled:
            _collect(port, one)
            return True
    return False


def _wait(port: Port, one: Aggregator) -> None:
    """AD_MUX_WAITING."""
    if not port.vars & SELECTED:
        port.vars &= ~READY_N
        set_ready(one)
        port.mux_state = MUX_DETACHED
        return
    if port.mux_timer:
        port.mux_timer -= 1
        if not port.mux_timer:
            port.vars |= READY_N
    set_ready(one)
    if port.vars & READY and not port.mux_timer:
        port.mux_state = MUX_ATTACHED


def _falls_back(port: Port) -> bool:
    """__port_move_to_attached_state(), as a question."""
    in_step = port.partner.port_state & SYNC and port.actor_oper_state & SYNC
    return not port.vars & SELECTED or bool(port.vars & STANDBY) or not in_step


def _keep_enabled(port: Port, one: Aggregator) -> bool:
    if one.is_active and not port.slave.active:
        enable_port(port)
        return True
    return False


def _collect(port: Port, one: Aggregator) -> None:
    """ad_enable_collecting()."""
    if one.is_active and port.slave.link == UP and port.slave.is_up:
        port.slave.rx_disabled = False


def _mux_entered(port: Port, one: Aggregator | None) -> bool:
    """What is done in a state of the mux that is new."""
    state, bond = port.mux_state, port.slave.bond
    if state == MUX_WAITING:
        port.mux_timer = AGGREGATE_WAIT_TIME
        return False
    if state == MUX_DETACHED or (state == MUX_ATTACHED and (one is None or not one.is_active)):
        port.actor_oper_state &= ~SYNC
    else:
        port.actor_oper_state |= SYNC
    port.ntt = port.ntt or state != MUX_DISTRIBUTING
    if state in (MUX_DETACHED, MUX_ATTACHED):
        port.actor_oper_state &= ~(COLLECTING | DISTRIBUTING)
        if one is not None and one.has_partner:
            disable_port(port)
            set_carrier(bond)
            return True
        return False
    assert one is not None
    if state == MUX_COLLECTING:
        port.actor_oper_state = port.actor_oper_state & ~DISTRIBUTING | COLLECTING
        _collect(port, one)
        if one.has_partner:
            bonds.set_state(port.slave, bonds.BACKUP, notify=False)
            set_carrier(bond)
            return True
        return False
    port.actor_oper_state |= DISTRIBUTING | (COLLECTING if state == MUX_COLLECTING_DISTRIBUTING else 0)
    if one.is_active:
        enable_port(port)
        set_carrier(bond)
        if bond.params.broadcast_neighbor:
            bond.peer_notify_work.queue(0)
        return True
    return False
