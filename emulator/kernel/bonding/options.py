"""The options of a bond: which there are, when each may be set, to what, and what that does (bond_options.c).

An option may be of use in some modes alone, and settable only while the bond is down or while it has no slaves; all of
that is looked at before the value. A value is one of a few that have names, or lies in a range. Whoever sets an option
by netlink says a number, by sysfs a text: a number, a name, or what the option itself makes of it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from errno import EACCES, EBUSY, EINVAL, ENODEV, ENOTEMPTY, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding import active, lacp, lacp_ports, spread
from nlemu.emulator.kernel.bonding.bond import MAX_TARGETS, Bond, slave_of
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.core.names import valid_name
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bonding import BondMode

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

INT_MAX, USHRT_MAX = 0x7FFFFFFF, 0xFFFF
DEFAULT_MIIMON = 100
"""BOND_DEFAULT_MIIMON"""
NO_ARP = frozenset({BondMode.B8023AD, BondMode.TLB, BondMode.ALB})
ONLY_LACP = frozenset(BondMode) - {BondMode.B8023AD}
ONLY_ROUNDROBIN = frozenset(BondMode) - {BondMode.ROUNDROBIN}
ONLY_PRIMARY = frozenset(BondMode) - {BondMode.ACTIVEBACKUP, BondMode.TLB, BondMode.ALB}
ONLY_BALANCING = frozenset(BondMode) - {BondMode.TLB, BondMode.ALB}
TEXTS = {
    EINVAL: "invalid option value",
    EACCES: "option not supported in mode",
    ENOTEMPTY: "unable to set option because the bond device has slaves",
    EBUSY: "unable to set option because the bond is up",
}
"""bond_opt_error_interpret()"""

Number = Callable[[Bond, int], None]
Raw = Callable[[Bond, str], None]
Names = Mapping[str, int]


@dataclass(frozen=True)
class Option:
    """struct bond_option. values: the names of numbers; low, high: the range of others, if any; default: what "default"
    stands for; unsupported: modes in which it cannot be set. set: what a number does; raw: what a text does that
    stands for no number."""

    set: Number | None = None
    raw: Raw | None = None
    values: Names = field(default_factory=dict)
    low: int = 0
    high: int | None = None
    default: int | None = None
    unsupported: frozenset[BondMode] = frozenset()
    no_slaves: bool = False
    if_down: bool = False

    def takes(self, value: int) -> bool:
        """bond_opt_parse() of a number."""
        return value in self.values.values() or (self.high is not None and self.low <= value <= self.high)

    def parse(self, text: str) -> int:
        """bond_opt_parse() of a text. EINVAL."""
        text = text.split("\n", 1)[0]
        if all(one.isdigit() or one.isspace() for one in text):
            words = text.split()
            value = int(words[0]) if words else None
        else:
            word = text.split()[0][:32]
            value = self.default if word == "default" and self.default is not None else self.values.get(word)
        if value is None or not self.takes(value):
            raise Refusal(EINVAL)
        return value

    def name_of(self, value: int) -> str:
        """bond_opt_get_val(): the name of a number."""
        return next(name for name, number in self.values.items() if number == value)


def check(bond: Bond, option: Option) -> None:
    """bond_opt_check_deps(). EACCES, ENOTEMPTY, EBUSY."""
    if bond.mode in option.unsupported:
        raise Refusal(EACCES)
    if option.no_slaves and bond.has_slaves:
        raise Refusal(ENOTEMPTY)
    if option.if_down and bond.dev.up:
        raise Refusal(EBUSY)


def set_number(bond: Bond, name: str, value: int, at: str | None = None) -> None:
    """__bond_opt_set() with a number. at: what is blamed."""
    option = OPTIONS[name]
    with Interpreted(at):
        check(bond, option)
        assert option.set is not None
        if option.values or option.high is not None:
            value = value - (1 << 32) if value > INT_MAX else value
            if not option.takes(value):
                raise Refusal(EINVAL)
        option.set(bond, value)
    bond.changed()


def set_raw(bond: Bond, name: str, text: str, at: str | None = None) -> None:
    """__bond_opt_set() with a text, of an option that makes something of it."""
    option = OPTIONS[name]
    with Interpreted(at, named=True):
        check(bond, option)
        assert option.raw is not None
        option.raw(bond, text)
    bond.changed()


def set_text(bond: Bond, name: str, text: str) -> None:
    """bond_opt_tryset_rtnl(): as sysfs has it; then everybody is told that an option was set."""
    option = OPTIONS[name]
    check(bond, option)
    if option.raw is not None:
        option.raw(bond, text)
    else:
        assert option.set is not None
        option.set(bond, option.parse(text))
    bond.changed()
    if bond.dev.reg_state == RegState.REGISTERED:
        bond.dev.kernel.notify(NetdevEvent.CHANGEINFODATA, bond.dev)


class Interpreted:
    """bond_opt_error_interpret(): a refusal gets its text. named: a device was named."""

    def __init__(self, at: str | None, *, named: bool = False) -> None:
        self.at, self.named = at, named

    def __enter__(self) -> None:
        """Nothing has been refused yet."""

    def __exit__(self, kind: object, refused: BaseException | None, trace: object) -> None:
        if not isinstance(refused, Refusal) or refused.text:
            return
        text = TEXTS.get(refused.errno)
        if refused.errno == ENODEV and self.named:
            text = "interface does not exist"
        if text is not None:
            raise Refusal(refused.errno, text, at=self.at) from refused


# What setting one does


def _param(name: str) -> Number:
    """An option that is kept and nothing else."""

    def keep(bond: Bond, value: int) -> None:
        setattr(bond.params, name, value)

    return keep


def _set_mode(bond: Bond, mode: int) -> None:
    params = bond.params
    if mode in NO_ARP:
        params.arp_interval = 0
        params.miimon = params.miimon or DEFAULT_MIIMON
    if mode == BondMode.ALB:
        params.tlb_dynamic_lb = 1
    params.arp_validate = 0
    params.mode = mode
    params.broadcast_neighbor = 0
    spread.set_xdp_features(bond)


def _set_miimon(bond: Bond, value: int) -> None:
    params = bond.params
    params.miimon = value
    if value and params.arp_interval:
        params.arp_interval = params.arp_validate = 0
    if bond.dev.up:
        if value:
            bond.arp_work.cancel()
            bond.mii_work.queue(0)
        else:
            bond.mii_work.cancel()


def _delay(name: str) -> Number:
    """_bond_option_delay_set(): kept as how many looks it is. EPERM when there are none."""

    def keep(bond: Bond, value: int) -> None:
        if not bond.params.miimon:
            raise Refusal(EPERM)
        setattr(bond.params, name, value // bond.params.miimon)

    return keep


def _nothing(bond: Bond, value: int) -> None:
    """bond_option_use_carrier_set()."""


def _set_arp_interval(bond: Bond, value: int) -> None:
    params = bond.params
    params.arp_interval = value
    if value:
        params.miimon = 0
    if bond.dev.up:
        if value:
            bond.mii_work.cancel()
            bond.arp_work.queue(0)
        else:
            bond.arp_work.cancel()


def add_target4(bond: Bond, target: bytes) -> None:
    """_bond_option_arp_ip_target_add(). EINVAL."""
    targets = bond.params.arp_targets
    if target in (b"\xff" * 4, bytes(4)) or target in targets or len(targets) == MAX_TARGETS:
        raise Refusal(EINVAL)
    targets.append(target)


def _set_arp_targets(bond: Bond, text: str) -> None:
    """+ADDRESS or -ADDRESS. EPERM, EINVAL."""
    try:
        target = ipaddress.IPv4Address(text[1:].strip()).packed
    except ValueError:
        raise Refusal(EPERM) from None
    if text[0] == "+":
        add_target4(bond, target)
    elif text[0] == "-":
        if target in (b"\xff" * 4, bytes(4)) or target not in bond.params.arp_targets:
            raise Refusal(EINVAL)
        bond.params.arp_targets.remove(target)
    else:
        raise Refusal(EPERM)


def add_target6(bond: Bond, target: bytes) -> None:
    """bond_option_ns_ip6_targets_set(). EINVAL."""
    address, targets = ipaddress.IPv6Address(target), bond.params.ns_targets
    wrong = address.is_unspecified or address.is_loopback or address.is_multicast
    if wrong or target in targets or len(targets) == MAX_TARGETS:
        raise Refusal(EINVAL)
    targets.append(target)


def _device(bond: Bond, name: str) -> Device:
    dev = bond.dev.net.by_name(name)
    if dev is None:
        raise Refusal(ENODEV)
    return dev


def _set_active(bond: Bond, text: str) -> None:
    """bond_option_active_slave_set(). ENODEV, EINVAL."""
    words = text.split() if not text.startswith("\n") else []
    if not words:
        active.change(bond, None)
        active.select(bond)
        return
    slave = slave_of(_device(bond, words[0][:15]))
    if slave is None or slave.bond is not bond:
        raise Refusal(EINVAL)
    if slave is bond.curr_active:
        return
    if bond.curr_active is None or slave.link != 0 or not slave.is_up:
        raise Refusal(EINVAL)
    active.change(bond, slave)


def _set_primary(bond: Bond, text: str) -> None:
    name = text.split("\n", 1)[0]
    if not name:
        bond.primary, bond.params.primary = None, ""
        active.select(bond)
        return
    for slave in bond.slaves:
        if slave.dev.name == name:
            bond.primary, bond.params.primary, bond.force_primary = slave, name, True
            active.select(bond)
            return
    if bond.primary is not None:
        bond.primary = None
        active.select(bond)
    bond.params.primary = name[:15]


def _set_reselect(bond: Bond, value: int) -> None:
    bond.params.primary_reselect = value
    active.select(bond)


def _set_all_slaves_active(bond: Bond, value: int) -> None:
    if value == bond.params.all_slaves_active:
        return
    bond.params.all_slaves_active = value
    for slave in bond.slaves:
        if not slave.active:
            slave.inactive = not value


def _set_min_links(bond: Bond, value: int) -> None:
    bond.params.min_links = value
    active.set_carrier(bond)


def _set_lacp_active(bond: Bond, value: int) -> None:
    bond.params.lacp_active = value
    lacp_ports.update_state(bond, lacp.ACTIVITY, bool(value))


def _set_lacp_rate(bond: Bond, value: int) -> None:
    bond.params.lacp_rate = value
    lacp_ports.update_state(bond, lacp.TIMEOUT, bool(value))


def _set_lacp_strict(bond: Bond, value: int) -> None:
    bond.params.lacp_strict = value
    lacp.set_carrier(bond)


def _set_sys_prio(bond: Bond, value: int) -> None:
    bond.params.ad_actor_sys_prio = value
    lacp_ports.update_actor_settings(bond)


def set_system(bond: Bond, address: bytes) -> None:
    """bond_option_ad_actor_system_set(). EINVAL."""
    if address[0] & 1:
        raise Refusal(EINVAL)
    bond.params.ad_actor_system = address
    lacp_ports.update_actor_settings(bond)


def _set_system_text(bond: Bond, text: str) -> None:
    """mac_pton()."""
    parts = text.strip().split(":")
    if len(parts) != 6 or any(len(part) != 2 for part in parts):
        raise Refusal(EINVAL)
    set_system(bond, bytes(int(part, 16) for part in parts))


def _set_queue_id(bond: Bond, text: str) -> None:
    """NAME:NUMBER. EPERM for whatever is wrong with it."""
    name, colon, number = text.partition(":")
    digits = number.strip()
    wanted = int(digits) & USHRT_MAX if digits.isdecimal() else None
    if not colon or wanted is None or not valid_name(name) or wanted > bond.dev.real_num_tx_queues:
        raise Refusal(EPERM)
    dev = bond.dev.net.by_name(name)
    chosen = None
    for slave in bond.slaves:
        if slave.dev is dev:
            chosen = slave
        elif wanted and slave.queue_id == wanted:
            raise Refusal(EPERM)
    if chosen is None:
        raise Refusal(EPERM)
    chosen.queue_id = wanted


def _set_slaves(bond: Bond, text: str) -> None:
    """+NAME, -NAME. EPERM, ENODEV, and what enslaving refuses."""
    from nlemu.emulator.kernel.bonding import slaves

    words = text.split()
    command = words[0][:16] if words else ""
    if len(command) < 2 or command[0] not in "+-" or not valid_name(command[1:]):
        raise Refusal(EPERM)
    dev = _device(bond, command[1:])
    if command[0] == "+":
        slaves.enslave(bond, dev)
    else:
        slaves.release(bond, dev)


def set_prio(bond: Bond, dev: Device, value: int) -> None:
    """bond_option_prio_set(): of a slave. EACCES."""
    slave = slave_of(dev)
    if slave is None:
        raise Refusal(ENODEV)
    slave.prio = value
    if bond.primary is None:
        active.select(bond)


def set_port_prio(bond: Bond, dev: Device, value: int) -> None:
    """bond_option_actor_port_prio_set(): of a slave."""
    slave = slave_of(dev)
    if slave is None:
        raise Refusal(ENODEV)
    slave.ad.port_priority = value
    lacp_ports.update_actor_settings(bond)


OFF_ON = {"off": 0, "on": 1}
OFF = {"off": 0}
MODES = {
    "balance-rr": 0, "active-backup": 1, "balance-xor": 2, "broadcast": 3, "802.3ad": 4, "balance-tlb": 5,
    "balance-alb": 6,
}
POLICIES = {"layer2": 0, "layer3+4": 1, "layer2+3": 2, "encap2+3": 3, "encap3+4": 4, "vlan+srcmac": 5}
VALIDATE = {
    "none": 0, "active": 1, "backup": 2, "all": 3, "filter": 4, "filter_active": 5, "filter_backup": 6,
}
PEERS = Option(_param("num_peer_notif"), values={"off": 0, "maxval": 255}, high=255, default=1)

OPTIONS: dict[str, Option] = {
    "mode": Option(_set_mode, values=MODES, default=0, no_slaves=True, if_down=True),
    "packets_per_slave": Option(
        _param("packets_per_slave"), values={"maxval": USHRT_MAX}, high=USHRT_MAX, default=1,
        unsupported=ONLY_ROUNDROBIN,
    ),
    "xmit_hash_policy": Option(_param("xmit_policy"), values=POLICIES, default=0),
    "arp_validate": Option(_param("arp_validate"), values=VALIDATE, default=0, unsupported=NO_ARP),
    "arp_all_targets": Option(_param("arp_all_targets"), values={"any": 0, "all": 1}, default=0),
    "fail_over_mac": Option(
        _param("fail_over_mac"), values={"none": 0, "active": 1, "follow": 2}, default=0, no_slaves=True
    ),
    "arp_interval": Option(
        _set_arp_interval, values=OFF | {"maxval": INT_MAX}, high=INT_MAX, default=0, unsupported=NO_ARP
    ),
    "arp_missed_max": Option(
        _param("missed_max"), values={"minval": 1, "maxval": 255}, low=1, high=255, default=2, unsupported=NO_ARP
    ),
    "arp_ip_target": Option(raw=_set_arp_targets),
    "ns_ip6_target": Option(),
    "downdelay": Option(_delay("downdelay"), values=OFF | {"maxval": INT_MAX}, high=INT_MAX, default=0),
    "updelay": Option(_delay("updelay"), values=OFF | {"maxval": INT_MAX}, high=INT_MAX, default=0),
    "lacp_active": Option(_set_lacp_active, values=OFF_ON, default=1, if_down=True, unsupported=ONLY_LACP),
    "lacp_rate": Option(_set_lacp_rate, values={"slow": 0, "fast": 1}, if_down=True, unsupported=ONLY_LACP),
    "lacp_strict": Option(_set_lacp_strict, values=OFF_ON, default=0, unsupported=ONLY_LACP),
    "min_links": Option(_set_min_links, values=OFF | {"maxval": INT_MAX}, high=INT_MAX, default=0),
    "ad_select": Option(
        _param("ad_select"), values={"stable": 0, "bandwidth": 1, "count": 2, "actor_port_prio": 3}, default=0,
        if_down=True,
    ),
    "num_unsol_na": PEERS,
    "num_grat_arp": PEERS,
    "miimon": Option(_set_miimon, values=OFF | {"maxval": INT_MAX}, high=INT_MAX, default=0),
    "prio": Option(unsupported=ONLY_PRIMARY),
    "primary": Option(raw=_set_primary, unsupported=ONLY_PRIMARY),
    "primary_reselect": Option(_set_reselect, values={"always": 0, "better": 1, "failure": 2}, default=0),
    "use_carrier": Option(_nothing, values={"on": 1}, default=1),
    "active_slave": Option(raw=_set_active, unsupported=ONLY_PRIMARY),
    "queue_id": Option(raw=_set_queue_id),
    "all_slaves_active": Option(_set_all_slaves_active, values=OFF_ON, default=0),
    "resend_igmp": Option(_param("resend_igmp"), values=OFF | {"maxval": 255}, high=255, default=1),
    "lp_interval": Option(
        _param("lp_interval"), values={"minval": 1, "maxval": INT_MAX}, low=1, high=INT_MAX, default=1
    ),
    "slaves": Option(raw=_set_slaves),
    "tlb_dynamic_lb": Option(
        _param("tlb_dynamic_lb"), values=OFF_ON, default=1, if_down=True, unsupported=ONLY_BALANCING
    ),
    "ad_actor_sys_prio": Option(
        _set_sys_prio, values={"minval": 1, "maxval": USHRT_MAX}, low=1, high=USHRT_MAX, default=USHRT_MAX,
        unsupported=ONLY_LACP,
    ),
    "actor_port_prio": Option(unsupported=ONLY_LACP),
    "ad_actor_system": Option(raw=_set_system_text, unsupported=ONLY_LACP),
    "ad_user_port_key": Option(
        _param("ad_user_port_key"), values={"minval": 0, "maxval": 1023}, high=1023, default=0, if_down=True,
        unsupported=ONLY_LACP,
    ),
    "peer_notif_delay": Option(_delay("peer_notif_delay"), values=OFF | {"maxval": 300000}, high=300000),
    "coupled_control": Option(_param("coupled_control"), values=OFF_ON, default=1, if_down=True, unsupported=ONLY_LACP),
    "broadcast_neighbor": Option(_param("broadcast_neighbor"), values=OFF_ON, default=0, unsupported=ONLY_LACP),
}
"""bond_opts[]; those without a function take what only netlink can say."""


def set_value(bond: Bond, name: str, put: Callable[..., None], *value: object, at: str | None = None) -> None:
    """__bond_opt_set() of an option whose value is neither a number nor a text."""
    with Interpreted(at):
        check(bond, OPTIONS[name])
        put(bond, *value)
    bond.changed()
