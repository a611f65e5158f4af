"""LACP as a bond speaks it: ports, aggregators and which of those is the active one (drivers/net/bonding/bond_3ad.c).

Every slave is a port, and has an aggregator of its own that may stay empty. A port joins an aggregator whose ports have
its key, made of speed and duplex, and its partner; one without a partner stays alone. Of the aggregators one is active,
and only its ports carry frames: with a partner when both sides are in step, without one at once.

The machines that move a port on run every 100 ms (lacp_machines.py). What is here chooses; what happens to ports and
their links is answered in lacp_ports.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from nlemu.emulator.kernel.bonding import bond as bonds
from nlemu.emulator.kernel.bonding.bond import UP, Bond, Slave
from nlemu.emulator.kernel.devices import link_watch
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.if_bonding import LacpState
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN

NO_SYSTEM = bytes(ETH_ALEN)
GROUP = bytes.fromhex("0180c2000002")
"""lacpdu_mcast_addr"""
TICKS_PER_SEC = 10
MAX_TX_IN_SECOND = 3
SELECTION_TIMER = 8 * TICKS_PER_SEC
"""AD_AGGREGATOR_SELECTION_TIMER"""
STABLE, BANDWIDTH, COUNT, PRIO = range(4)
"""BOND_AD_*: by what the active aggregator is chosen."""
SPEEDS = {
    speed: number for number, speed in enumerate((
        1, 10, 100, 1000, 2500, 5000, 10000, 14000, 20000, 25000, 40000, 50000, 56000, 80000, 100000, 200000, 400000,
        800000, 1600000,
    ), 1)
}
"""enum ad_link_speed_type, by Mbit/s."""
MBPS = {number: speed for speed, number in SPEEDS.items()}
DUPLEX_KEY, SPEED_KEY = 0x1, 0x3E
BEGIN, LACP_ENABLED, ACTOR_CHURN, PARTNER_CHURN, READY, READY_N, MATCHED, STANDBY, SELECTED = (
    1 << bit for bit in range(9)
)
"""AD_PORT_*: variables of the machines."""
CHURNED = ACTOR_CHURN | PARTNER_CHURN
ACTIVITY, TIMEOUT, AGGREGATION = (int(LacpState.LACP_ACTIVITY), int(LacpState.LACP_TIMEOUT), int(LacpState.AGGREGATION))
SYNC, COLLECTING, DISTRIBUTING = (
    int(LacpState.SYNCHRONIZATION), int(LacpState.COLLECTING), int(LacpState.DISTRIBUTING)
)
COUNTS = (
    "lacpdu_rx", "lacpdu_tx", "lacpdu_unknown_rx", "lacpdu_illegal_rx", "marker_rx", "marker_tx", "marker_resp_rx",
    "marker_resp_tx", "marker_unknown_rx",
)
"""struct bond_3ad_stats"""
PDU_SIZE = ETH_HLEN + 110
"""struct lacpdu_header"""


@dataclass(slots=True)
class Lacp:
    """struct ad_bond_info. agg_select_timer: in how many ticks an aggregator is chosen, 0 for not at all."""

    sys_priority: int = 0
    sys_mac_addr: bytes = NO_SYSTEM
    agg_select_timer: int = 0
    aggregator_identifier: int = 0
    lacpdu_rx: int = 0
    lacpdu_tx: int = 0


@dataclass(slots=True)
class Partner:
    """struct port_params: what is known of the other end. The values are those without any."""

    system: bytes = NO_SYSTEM
    system_priority: int = 0xFFFF
    key: int = 1
    port_number: int = 1
    port_priority: int = 0xFF
    port_state: int = 0


@dataclass(slots=True, eq=False)
class Aggregator:
    """struct aggregator. ports: those that joined it, the last one first."""

    slave: Slave
    identifier: int
    mac: bytes = NO_SYSTEM
    is_individual: bool = False
    actor_admin_key: int = 0
    actor_oper_key: int = 0
    partner_system: bytes = NO_SYSTEM
    partner_system_priority: int = 0
    partner_oper_key: int = 0
    ports: list[Port] = field(default_factory=list)
    is_active: bool = False

    @property
    def has_partner(self) -> bool:
        """__agg_has_partner()."""
        return self.partner_system != NO_SYSTEM

    @property
    def enabled(self) -> list[Port]:
        """Its ports whose link is up: __agg_active_ports() counts them."""
        return [port for port in self.ports if port.is_enabled]

    @property
    def usable(self) -> int:
        """__agg_usable_ports()."""
        both = COLLECTING | DISTRIBUTING
        return sum(port.actor_oper_state & both == both for port in self.ports)

    @property
    def bandwidth(self) -> int:
        """__get_agg_bandwidth(): in Mbit/s."""
        enabled = len(self.enabled)
        return enabled * MBPS.get(link_speed(self.ports[0]), 0) if enabled else 0

    @property
    def device_up(self) -> bool:
        """agg_device_up()."""
        return any(port.slave.is_up for port in self.ports)

    def clear(self) -> None:
        """ad_clear_agg()."""
        self.is_individual = self.is_active = False
        self.actor_admin_key = self.actor_oper_key = 0
        self.partner_system = NO_SYSTEM
        self.partner_system_priority = self.partner_oper_key = 0
        self.ports = []


@dataclass(slots=True, eq=False)
class Port:
    """struct port. vars: BEGIN and the following; *_state: a state of lacp_machines.py; *_timer: in ticks."""

    slave: Slave
    number: int
    actor_priority: int = 0xFF
    actor_system: bytes = NO_SYSTEM
    actor_system_priority: int = 0
    actor_admin_key: int = 0
    actor_oper_key: int = 0
    actor_oper_state: int = AGGREGATION
    ntt: bool = False
    partner_admin: Partner = field(default_factory=Partner)
    partner: Partner = field(default_factory=Partner)
    is_enabled: bool = True
    vars: int = BEGIN | LACP_ENABLED
    rx_state: int = 0
    rx_timer: int = 0
    periodic_state: int = 0
    periodic_timer: int = 0
    mux_state: int = 0
    mux_timer: int = 0
    tx_timer: int = TICKS_PER_SEC // MAX_TX_IN_SECOND
    churn_actor_timer: int = 0
    churn_partner_timer: int = 0
    churn_actor_state: int = 0
    churn_partner_state: int = 0
    churn_actor_count: int = 0
    churn_partner_count: int = 0
    aggregator: Aggregator | None = None


@dataclass(slots=True)
class LacpSlave:
    """struct ad_slave_info. port: None when it is not bound yet, or no longer."""

    number: int
    aggregator: Aggregator
    port: Port
    port_priority: int = 0xFF
    bound: bool = True
    lacpdu_rx: int = 0
    lacpdu_tx: int = 0


@dataclass(slots=True, frozen=True)
class Pdu:
    """struct lacpdu: the sender as an actor, and what it believes of the receiver."""

    actor: Partner
    partner: Partner


# Of a port's slave


def disable_port(port: Port) -> None:
    """__disable_port()."""
    bonds.set_inactive_flags(port.slave, notify=False)


def enable_port(port: Port) -> None:
    """__enable_port(): if its link is up."""
    if port.slave.link == UP and port.slave.is_up:
        bonds.set_active_flags(port.slave, notify=False)


def link_speed(port: Port) -> int:
    """__get_link_speed(): enum ad_link_speed_type, 0 for one that there is not."""
    return SPEEDS.get(port.slave.speed, 0) if port.slave.link == UP else 0


def _duplex(port: Port) -> int:
    """__get_duplex()."""
    return int(port.slave.link == UP and port.slave.duplex == Duplex.FULL)


def update_actor_keys(port: Port, *, reset: bool = False) -> None:
    """ad_update_actor_keys(): the key follows speed and duplex; another speed begins anew."""
    old = port.actor_oper_key
    port.actor_admin_key &= ~(SPEED_KEY | DUPLEX_KEY)
    speed = duplex = 0
    if not reset:
        speed, duplex = link_speed(port), _duplex(port)
        port.actor_admin_key |= speed << 1 | duplex
    port.actor_oper_key = port.actor_admin_key
    if old == port.actor_oper_key:
        return
    port.vars = port.vars | LACP_ENABLED if duplex else port.vars & ~LACP_ENABLED
    if not reset and speed and duplex and (old & SPEED_KEY) >> 1 != speed:
        port.vars |= BEGIN


# Of aggregators


def aggregators(bond: Bond) -> Iterable[Aggregator]:
    """One a slave, in their order."""
    return (slave.ad.aggregator for slave in bond.slaves if slave.lacp is not None)


def active_aggregator(bond: Bond) -> Aggregator | None:
    """__get_active_agg()."""
    return next((one for one in aggregators(bond) if one.is_active), None)


def active_info(bond: Bond) -> Aggregator | None:
    """__bond_3ad_get_active_agg_info(): that of a port which is in an active one."""
    for slave in bond.slaves:
        one = slave.ad.port.aggregator if slave.lacp is not None else None
        if one is not None and one.is_active:
            return one
    return None


def set_ready(one: Aggregator) -> None:
    """__set_agg_ports_ready(): all ports are ready when all say so."""
    ready = all(port.vars & READY_N for port in one.ports)
    for port in one.ports:
        port.vars = port.vars | READY if ready else port.vars & ~READY


def _better(best: Aggregator | None, one: Aggregator, policy: int) -> Aggregator:
    """ad_agg_selection_test(): which of the two is rather to be the active one."""
    if best is None or (not one.is_individual and best.is_individual):
        return one
    if one.is_individual and not best.is_individual:
        return best
    if one.has_partner != best.has_partner:
        return one if one.has_partner else best
    measures: list[Callable[[Aggregator], int]] = []
    if policy == PRIO:
        measures.append(lambda agg: sum(port.actor_priority for port in agg.enabled))
    if policy in (PRIO, COUNT):
        measures.append(lambda agg: len(agg.enabled))
    for measure in measures:
        ours, theirs = measure(one), measure(best)
        if ours != theirs:
            return one if ours > theirs else best
    return one if one.bandwidth > best.bandwidth else best


def _stays(bond: Bond, active: Aggregator | None, best: Aggregator) -> bool:
    """Whether the one that was active stays so, though another is better (BOND_AD_STABLE)."""
    if bond.params.ad_select != STABLE or active is None or not active.enabled:
        return False
    if not active.has_partner and best.has_partner:
        return False
    return not (not active.actor_oper_key and best.actor_oper_key)


def select(bond: Bond) -> bool:
    """ad_agg_selection_logic(): chooses the active aggregator; whether frames may be spread otherwise now."""
    active = active_aggregator(bond)
    best = active if active is not None and active.device_up else None
    changed = False
    for one in aggregators(bond):
        one.is_active = False
        if one.enabled and one.device_up:
            best = _better(best, one, bond.params.ad_select)
    if best is not None and active is not None and (best is active or _stays(bond, active, best)):
        best = None
        active.is_active = True
    if best is not None:
        best.is_active = changed = True
        for port in active.ports if active is not None else ():
            disable_port(port)
    active = active_aggregator(bond)
    if active is not None and not active.has_partner:
        for port in active.ports:
            enable_port(port)
        changed = True
    set_carrier(bond)
    bond.changed()
    return changed


def set_carrier(bond: Bond) -> bool:
    """bond_3ad_set_carrier(): whether it may have changed, which the kernel says even if it has not."""
    if not bond.has_slaves:
        return False
    active = active_aggregator(bond)
    if active is None:
        link_watch.carrier_off(bond.dev)
        return True
    links = active.usable if bond.params.lacp_strict else len(active.enabled)
    if links < bond.params.min_links:
        link_watch.carrier_off(bond.dev)
    else:
        link_watch.carrier_on(bond.dev)
    return True
