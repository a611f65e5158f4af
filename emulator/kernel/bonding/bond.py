"""Bonds and their slaves: what one is made of (include/net/bonding.h).

A bond is one device to those above, and several to those below: its slaves, which all have its MAC address and its MTU.
Its mode says which of them carry frames. In active-backup mode one is active and the others wait; in the modes of load
balancing one is preferred; in the others all take part, with LACP (lacp.py) those of one aggregator.

A bond believes of each slave that its link is up or down, or is about to be either. It looks every so often
(monitor.py); what it then believes decides which slave is active (active.py) and whether the bond itself has a carrier.
What shall be done how is set by options (options.py), each of which may be set in some modes, while the bond is down,
or while it has no slaves.

Work of a bond is put off: every delayed work of it waits at most once, whoever wants it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices.device import Stats
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.if_bonding import BondLink, BondMode, BondState
from nlemu.protocol.uapi.if_ether import ETH_ALEN
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bonding.lacp import Lacp, LacpSlave
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel

KEY = "bond"
NSEC_PER_MSEC = 1_000_000
JIFFY = 1
"""In milliseconds, on the recorded machine."""
MAX_TARGETS = 16
"""BOND_MAX_ARP_TARGETS, BOND_MAX_NS_TARGETS"""
SPEED_UNKNOWN = 0xFFFFFFFF
UP, FAIL, DOWN, BACK = int(BondLink.UP), int(BondLink.FAIL), int(BondLink.DOWN), int(BondLink.BACK)
NOCHANGE = -1
"""BOND_LINK_NOCHANGE"""
BACKUP = int(BondState.BACKUP)
USES_PRIMARY = frozenset({BondMode.ACTIVEBACKUP, BondMode.TLB, BondMode.ALB})
BALANCES = frozenset({BondMode.TLB, BondMode.ALB})
USES_HASH = frozenset({BondMode.B8023AD, BondMode.XOR, BondMode.TLB, BondMode.ALB})


@dataclass(slots=True)
class Params:
    """struct bond_params, as bonding_defaults has it. updelay, downdelay and peer_notif_delay are multiples of miimon;
    miimon and arp_interval in milliseconds, 0 for neither."""

    mode: int = BondMode.ROUNDROBIN
    xmit_policy: int = 0
    miimon: int = 0
    num_peer_notif: int = 1
    missed_max: int = 2
    arp_interval: int = 0
    arp_validate: int = 0
    arp_all_targets: int = 0
    fail_over_mac: int = 0
    updelay: int = 0
    downdelay: int = 0
    peer_notif_delay: int = 0
    lacp_active: int = 1
    lacp_rate: int = 0
    lacp_strict: int = 0
    min_links: int = 0
    ad_select: int = 0
    primary: str = ""
    primary_reselect: int = 0
    arp_targets: list[bytes] = field(default_factory=list)
    ns_targets: list[bytes] = field(default_factory=list)
    all_slaves_active: int = 0
    resend_igmp: int = 1
    lp_interval: int = 1
    packets_per_slave: int = 1
    tlb_dynamic_lb: int = 1
    ad_actor_sys_prio: int = 65535
    ad_user_port_key: int = 0
    ad_actor_system: bytes = bytes(ETH_ALEN)
    coupled_control: int = 1
    broadcast_neighbor: int = 0


class Delayed:
    """struct delayed_work."""

    __slots__ = ("_job", "_kernel", "_run")

    def __init__(self, kernel: Kernel, run: Callable[[], None]) -> None:
        self._kernel, self._run = kernel, run
        self._job: Job | None = None

    def queue(self, delay: int) -> None:
        """queue_delayed_work(): in that many milliseconds; nothing happens while it waits already."""
        if self._job is None:
            self._job = self._kernel.work.at(self._kernel.clock.now + delay * NSEC_PER_MSEC, self._do)

    def cancel(self) -> None:
        """cancel_delayed_work_sync()."""
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _do(self) -> None:
        self._job = None
        self._run()


class Slave:
    """struct slave. link: BondLink, what the bond believes; link_new_state: what it is about to believe; backup:
    BondState; inactive: frames that come in are dropped; delay: how many more looks until a change is believed; speed,
    duplex: as ethtool tells them; original_mtu, perm_hwaddr: what it had before; counted: its counters when the bond
    last added them to its own."""

    def __init__(self, bond: Bond, dev: Device) -> None:
        self.bond, self.dev = bond, dev
        self.delay = 0
        self.last_link_up = 0
        self.last_tx = self.last_rx = 0
        self.link = self.link_new_state = NOCHANGE
        self.backup = int(BondState.ACTIVE)
        self.inactive = False
        self.rx_disabled = False
        self.should_notify = False
        self.should_notify_link = False
        self.speed = SPEED_UNKNOWN
        self.duplex = int(Duplex.UNKNOWN)
        self.original_mtu = dev.mtu
        self.link_failure_count = 0
        self.queue_id = 0
        self.perm_hwaddr = b""
        self.prio = 0
        self.counted = Stats()
        self.lacp: LacpSlave | None = None

    @property
    def is_up(self) -> bool:
        """bond_slave_is_up()."""
        return self.dev.running and self.dev.carrier

    @property
    def active(self) -> bool:
        """bond_is_active_slave()."""
        return self.backup != BACKUP

    @property
    def can_tx(self) -> bool:
        """bond_slave_can_tx()."""
        return self.is_up and self.link == UP and self.active

    @property
    def ad(self) -> LacpSlave:
        """SLAVE_AD_INFO(): of a slave in LACP's mode, where it cannot be NULL."""
        assert self.lacp is not None
        return self.lacp


class Bond:
    """struct bonding. members: its slaves, in the order in which they came; curr_active, primary, current_arp: some of
    them; force_primary: the primary one is to be active, whatever primary_reselect says; usable: those that frames are
    spread over, None before it is known; send_peer_notif: how many more times peers are told; igmp_retrans: how many
    more times groups are reported; rlb_enabled: what comes in is balanced too; lp_counter: ticks since switches
    learned; primary_is_promisc: the active slave takes all frames, since promisc_ticks; given: which addresses each
    slave got from the bond (dev_uc_sync()), given_groups: which groups (dev_mc_sync()); dev_addr: what has stood in its
    address, also where it counts for less now."""

    def __init__(self, dev: Device) -> None:
        self.dev = dev
        self.dev_addr = bytes(MAX_ADDR_LEN)
        self.params = Params()
        self.members: dict[Device, Slave] = {}
        self.curr_active: Slave | None = None
        self.current_arp: Slave | None = None
        self.primary: Slave | None = None
        self.usable: list[Slave] | None = None
        self.force_primary = False
        self.notifier_ctx = False
        self.send_peer_notif = 0
        self.igmp_retrans = 0
        self.rr_tx_counter = 0
        self.rlb_enabled = False
        self.lp_counter = 0
        self.primary_is_promisc = False
        self.promisc_ticks = 0
        self.lacp: Lacp | None = None
        self.given: dict[Device, set[bytes]] = {}
        self.given_groups: dict[Device, set[bytes]] = {}
        nothing = Delayed(dev.kernel, _nothing)
        self.mii_work = self.arp_work = self.alb_work = self.ad_work = nothing
        self.mcast_work = self.slave_arr_work = self.peer_notify_work = nothing

    @property
    def slaves(self) -> Iterator[Slave]:
        """bond_for_each_slave(): in the order in which they came, as of when the walk began."""
        return iter(tuple(self.members.values()))

    @property
    def has_slaves(self) -> bool:
        """bond_has_slaves()."""
        return bool(self.members)

    @property
    def mode(self) -> int:
        """BOND_MODE()."""
        return self.params.mode

    @property
    def uses_primary(self) -> bool:
        """bond_uses_primary()."""
        return self.params.mode in USES_PRIMARY

    @property
    def balances(self) -> bool:
        """bond_is_lb()."""
        return self.params.mode in BALANCES

    @property
    def needs_speed_duplex(self) -> bool:
        """bond_needs_speed_duplex()."""
        return self.params.mode == BondMode.B8023AD or self.balances

    @property
    def can_use_hash(self) -> bool:
        """bond_mode_can_use_xmit_hash()."""
        return self.params.mode in USES_HASH

    @property
    def uses_hash(self) -> bool:
        """bond_mode_uses_xmit_hash()."""
        return self.params.mode in (BondMode.B8023AD, BondMode.XOR) or (
            self.balances and not self.params.tlb_dynamic_lb
        )

    @property
    def active_dev(self) -> Device | None:
        """bond_option_active_slave_get_rcu(): the active slave, in modes that have one."""
        return self.curr_active.dev if self.uses_primary and self.curr_active is not None else None

    @property
    def works(self) -> tuple[Delayed, ...]:
        """All that may have been put off."""
        return (
            self.mii_work, self.arp_work, self.alb_work, self.ad_work, self.mcast_work, self.slave_arr_work,
            self.peer_notify_work,
        )

    def changed(self) -> None:
        """What the bond's message shows, or those of its slaves, is different now."""
        self.dev.changed()
        for lower in self.members:
            lower.changed()


def _nothing() -> None:
    """Of work that is not made yet."""


def bond_of(dev: Device) -> Bond | None:
    """netif_is_bond_master(): the bond that the device stands for."""
    return dev.priv if isinstance(dev.priv, Bond) else None


def slave_of(dev: Device) -> Slave | None:
    """bond_slave_get_rtnl(): the slave that the device is."""
    slave: Slave | None = dev.attached.get(KEY)
    return slave


# The states of a slave, and who is told


def lower_state_changed(slave: Slave) -> None:
    """bond_lower_state_changed()."""
    slave.dev.changed()
    slave.dev.kernel.notify(NetdevEvent.CHANGELOWERSTATE, slave.dev)


def set_active(slave: Slave) -> None:
    """bond_set_active_slave()."""
    if slave.backup:
        slave.backup = int(BondState.ACTIVE)
        lower_state_changed(slave)


def set_backup(slave: Slave) -> None:
    """bond_set_backup_slave()."""
    if not slave.backup:
        slave.backup = int(BondState.BACKUP)
        lower_state_changed(slave)


def set_state(slave: Slave, state: int, *, notify: bool = True) -> None:
    """bond_set_slave_state(): told now, or by notify_states() unless it has been changed back by then."""
    if slave.backup == state:
        return
    slave.backup = int(state)
    slave.dev.changed()
    if notify:
        lower_state_changed(slave)
        slave.should_notify = False
    else:
        slave.should_notify = not slave.should_notify


def set_inactive_flags(slave: Slave, *, notify: bool = True) -> None:
    """bond_set_slave_inactive_flags()."""
    if not slave.bond.balances:
        set_state(slave, BondState.BACKUP, notify=notify)
    if not slave.bond.params.all_slaves_active:
        slave.inactive = True
    if slave.bond.mode == BondMode.B8023AD:
        slave.rx_disabled = True


def set_active_flags(slave: Slave, *, notify: bool = True) -> None:
    """bond_set_slave_active_flags()."""
    set_state(slave, BondState.ACTIVE, notify=notify)
    slave.inactive = False
    if slave.bond.mode == BondMode.B8023AD:
        slave.rx_disabled = False


def notify_states(bond: Bond) -> None:
    """bond_slave_state_notify()."""
    for slave in bond.slaves:
        if slave.should_notify:
            lower_state_changed(slave)
            slave.should_notify = False


def commit_link(slave: Slave, *, notify: bool = True) -> None:
    """bond_commit_link_state()."""
    if slave.link_new_state == NOCHANGE:
        return
    slave.link = slave.link_new_state
    slave.dev.changed()
    if notify:
        lower_state_changed(slave)
        slave.should_notify_link = False
    else:
        slave.should_notify_link = not slave.should_notify_link


def set_link(slave: Slave, state: int, *, notify: bool = True) -> None:
    """bond_set_slave_link_state()."""
    slave.link_new_state = int(state)
    commit_link(slave, notify=notify)


def notify_links(bond: Bond) -> None:
    """bond_slave_link_notify()."""
    for slave in bond.slaves:
        if slave.should_notify_link:
            lower_state_changed(slave)
            slave.should_notify_link = False
