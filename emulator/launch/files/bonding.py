"""Files of bonds: bonding/ and bonding_slave/ of a device, bonding_masters, and /proc/net/bonding (bond_sysfs.c,
bond_sysfs_slave.c, bond_procfs.c).

What is written to one of bonding/ is the text of an option; whoever listens is told that an option was set.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bonding import lacp, options
from nlemu.emulator.kernel.bonding.bond import SPEED_UNKNOWN, Bond, Slave, bond_of
from nlemu.emulator.kernel.core.names import valid_name
from nlemu.emulator.kernel.devices import link_watch
from nlemu.emulator.kernel.devices.register import alloc_device, register, unregister
from nlemu.emulator.kernel.links.bond import KIND as BOND
from nlemu.emulator.launch.files.tree import Directory, File, Node
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.if_bonding import BOND_DEFAULT_TX_QUEUES, BondMode

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

LINKS = {0: "up", 1: "going down", 2: "down", 3: "going back"}
"""bond_slave_link_status()"""
MODES = (
    "load balancing (round-robin)", "fault-tolerance (active-backup)", "load balancing (xor)",
    "fault-tolerance (broadcast)", "IEEE 802.3ad Dynamic link aggregation", "transmit load balancing",
    "adaptive load balancing",
)
"""bond_mode_name()"""
CHURNS = ("monitoring", "churned", "none")
"""bond_3ad_churn_desc()"""
DUPLEX = {int(Duplex.HALF): "half", int(Duplex.FULL): "full"}
Show = Callable[[Bond], str]


def masters_file(net: Net) -> File:
    """/sys/class/net/bonding_masters."""
    return File(partial(_show_masters, net), partial(_store_masters, net))


def _bonds(net: Net) -> list[Bond]:
    return [bond for dev in net if (bond := bond_of(dev)) is not None]


def _spaced(words: list[str]) -> str:
    return " ".join(words) + "\n" if words else ""


def _show_masters(net: Net) -> str:
    return _spaced([bond.dev.name for bond in _bonds(net)])


def _store_masters(net: Net, text: str) -> None:
    """bonding_store_bonds(): +NAME makes one, -NAME deletes it. EPERM, ENODEV, and what making one refuses."""
    words = text.split()
    command = words[0][:16] if words else ""
    name = command[1:]
    if len(command) < 2 or not valid_name(name) or command[0] not in "+-":
        raise OSError(errno.EPERM, "+NAME or -NAME")
    if command[0] == "+":
        dev = alloc_device(net, name, BOND.ops, BOND.setup, tx=BOND_DEFAULT_TX_QUEUES, rx=BOND_DEFAULT_TX_QUEUES)
        dev.kind = BOND
        register(dev)
        link_watch.carrier_off(dev)
        return
    bond = next((bond for bond in _bonds(net) if bond.dev.name == name), None)
    if bond is None:
        raise OSError(errno.ENODEV, name)
    unregister(bond.dev)


# bonding/


def _named(option: str, param: str) -> Show:
    """A value with a name: both are shown."""
    table = options.OPTIONS[option]

    def show(bond: Bond) -> str:
        value = getattr(bond.params, param)
        return f"{table.name_of(value)} {value}\n"

    return show


def _number(param: str) -> Show:
    return lambda bond: f"{getattr(bond.params, param)}\n"


def _delay(param: str) -> Show:
    return lambda bond: f"{getattr(bond.params, param) * bond.params.miimon}\n"


def _of_lacp(value: Callable[[Bond], object]) -> Show:
    """In other modes it is empty."""
    return lambda bond: f"{value(bond)}\n" if bond.mode == BondMode.B8023AD else ""


def _of_aggregator(value: Callable[[lacp.Aggregator], object], otherwise: object = 0) -> Show:
    """Of the active one; without it something else."""

    def show(bond: Bond) -> str:
        if bond.mode != BondMode.B8023AD:
            return ""
        one = lacp.active_info(bond)
        told = otherwise if one is None else value(one)
        return "" if told is None else f"{told}\n"

    return show


def _active_slave(bond: Bond) -> str:
    return "" if bond.active_dev is None else f"{bond.active_dev.name}\n"


def _targets(bond: Bond) -> str:
    return _spaced([str(ipaddress.IPv4Address(target)) for target in bond.params.arp_targets])


SHOWN: dict[str, Show] = {
    "slaves": lambda bond: _spaced([slave.dev.name for slave in bond.slaves]),
    "mode": _named("mode", "mode"),
    "fail_over_mac": _named("fail_over_mac", "fail_over_mac"),
    "arp_validate": _named("arp_validate", "arp_validate"),
    "arp_all_targets": _named("arp_all_targets", "arp_all_targets"),
    "arp_interval": _number("arp_interval"),
    "arp_ip_target": _targets,
    "downdelay": _delay("downdelay"),
    "updelay": _delay("updelay"),
    "peer_notif_delay": _delay("peer_notif_delay"),
    "lacp_active": _named("lacp_active", "lacp_active"),
    "lacp_rate": _named("lacp_rate", "lacp_rate"),
    "ad_select": _named("ad_select", "ad_select"),
    "xmit_hash_policy": _named("xmit_hash_policy", "xmit_policy"),
    "num_grat_arp": _number("num_peer_notif"),
    "num_unsol_na": _number("num_peer_notif"),
    "miimon": _number("miimon"),
    "primary": lambda bond: "" if bond.primary is None else f"{bond.primary.dev.name}\n",
    "primary_reselect": _named("primary_reselect", "primary_reselect"),
    "use_carrier": lambda bond: "1\n",
    "active_slave": _active_slave,
    "queue_id": lambda bond: _spaced([f"{slave.dev.name}:{slave.queue_id}" for slave in bond.slaves]),
    "all_slaves_active": _number("all_slaves_active"),
    "resend_igmp": _number("resend_igmp"),
    "min_links": _number("min_links"),
    "lp_interval": _number("lp_interval"),
    "packets_per_slave": _number("packets_per_slave"),
    "tlb_dynamic_lb": _number("tlb_dynamic_lb"),
    "ad_actor_sys_prio": _of_lacp(lambda bond: bond.params.ad_actor_sys_prio),
    "ad_actor_system": _of_lacp(lambda bond: bond.params.ad_actor_system.hex(":")),
    "ad_user_port_key": _of_lacp(lambda bond: bond.params.ad_user_port_key),
    "arp_missed_max": _number("missed_max"),
}
"""What can be written, too."""
TOLD: dict[str, Show] = {
    "mii_status": lambda bond: "up\n" if bond.dev.carrier else "down\n",
    "ad_aggregator": _of_aggregator(lambda one: one.identifier),
    "ad_num_ports": _of_aggregator(lambda one: len(one.enabled)),
    "ad_actor_key": _of_aggregator(lambda one: one.actor_oper_key),
    "ad_partner_key": _of_aggregator(lambda one: one.partner_oper_key),
    "ad_partner_mac": _of_aggregator(lambda one: one.partner_system.hex(":"), None),
}


def bonding(bond: Bond) -> Directory:
    """bonding/ of a bond."""
    entries: dict[str, Callable[[], Node]] = {
        name: partial(_option_file, bond, name, show) for name, show in SHOWN.items()
    }
    entries |= {name: partial(_told_file, partial(show, bond)) for name, show in TOLD.items()}
    return Directory(entries)


def _option_file(bond: Bond, name: str, show: Show) -> File:
    return File(lambda: show(bond), lambda text: options.set_text(bond, name, text))


def _told_file(read: Callable[[], str]) -> File:
    return File(read)


def bonding_slave(slave: Slave) -> Directory:
    """bonding_slave/ of a slave."""
    port = slave.lacp.port if slave.lacp is not None and slave.lacp.port.aggregator is not None else None
    aggregator = None if port is None else port.aggregator
    told: dict[str, Callable[[], object]] = {
        "state": lambda: "active" if slave.active else "backup",
        "mii_status": lambda: LINKS[slave.link],
        "link_failure_count": lambda: slave.link_failure_count,
        "perm_hwaddr": lambda: slave.perm_hwaddr.hex(":"),
        "queue_id": lambda: slave.queue_id,
        "ad_aggregator_id": lambda: "N/A" if aggregator is None else aggregator.identifier,
        "ad_actor_oper_port_state": lambda: "N/A" if port is None else port.actor_oper_state,
        "ad_partner_oper_port_state": lambda: "N/A" if port is None else port.partner.port_state,
    }
    return Directory({name: partial(_told_file, partial(_line, value)) for name, value in told.items()})


def _line(value: Callable[[], object]) -> str:
    return f"{value()}\n"


# /proc/net/bonding


def proc_bonding(net: Net) -> Directory:
    """/proc/net/bonding: a file a bond."""
    return Directory({bond.dev.name: partial(_told_file, partial(_proc_file, net, bond)) for bond in _bonds(net)})


def _proc_file(net: Net, bond: Bond) -> str:
    """bond_info_seq_show()."""
    version = f"Ethernet Channel Bonding Driver: v{net.kernel.build.release}\n\n"
    return version + _proc_master(bond) + "".join(_proc_slave(bond, slave) for slave in bond.slaves)


def _proc_master(bond: Bond) -> str:
    """bond_info_show_master()."""
    params, name_of = bond.params, options.OPTIONS
    lines = [f"Bonding Mode: {MODES[bond.mode]}"]
    if bond.mode == BondMode.ACTIVEBACKUP and params.fail_over_mac:
        lines[0] += f" (fail_over_mac {name_of['fail_over_mac'].name_of(params.fail_over_mac)})"
    if bond.uses_hash:
        policy = name_of["xmit_hash_policy"].name_of(params.xmit_policy)
        lines.append(f"Transmit Hash Policy: {policy} ({params.xmit_policy})")
    if bond.uses_primary:
        primary = "None"
        if bond.primary is not None:
            reselect = name_of["primary_reselect"].name_of(params.primary_reselect)
            primary = f"{bond.primary.dev.name} (primary_reselect {reselect})"
        current = "None" if bond.curr_active is None else bond.curr_active.dev.name
        lines += [f"Primary Slave: {primary}", f"Currently Active Slave: {current}"]
    lines += [
        f"MII Status: {'up' if bond.dev.carrier else 'down'}",
        f"MII Polling Interval (ms): {params.miimon}",
        f"Up Delay (ms): {params.updelay * params.miimon}",
        f"Down Delay (ms): {params.downdelay * params.miimon}",
        f"Peer Notification Delay (ms): {params.peer_notif_delay * params.miimon}",
    ]
    if params.arp_interval:
        targets = ", ".join(str(ipaddress.IPv4Address(target)) for target in params.arp_targets)
        targets6 = ", ".join(str(ipaddress.IPv6Address(target)) for target in params.ns_targets)
        lines += [
            f"ARP Polling Interval (ms): {params.arp_interval}",
            f"ARP Missed Max: {params.missed_max}",
            f"ARP IP target/s (n.n.n.n form):{' ' * bool(targets)}{targets}",
            f"NS IPv6 target/s (xx::xx form):{' ' * bool(targets6)}{targets6}",
        ]
    if bond.mode == BondMode.B8023AD:
        lines += _proc_lacp(bond)
    return "\n".join(lines) + "\n"


def _proc_lacp(bond: Bond) -> list[str]:
    params, system = bond.params, bond.lacp or lacp.Lacp()
    lines = [
        "\n802.3ad info",
        f"LACP active: {'on' if params.lacp_active else 'off'}",
        f"LACP rate: {'fast' if params.lacp_rate else 'slow'}",
        f"Min links: {params.min_links}",
        f"Aggregator selection policy (ad_select): {options.OPTIONS['ad_select'].name_of(params.ad_select)}",
        f"System priority: {system.sys_priority}",
        f"System MAC address: {system.sys_mac_addr.hex(':')}",
    ]
    one = lacp.active_info(bond)
    if one is None:
        return [*lines, f"bond {bond.dev.name} has no active aggregator"]
    return [
        *lines,
        "Active Aggregator Info:",
        f"\tAggregator ID: {one.identifier}",
        f"\tNumber of ports: {len(one.enabled)}",
        f"\tActor Key: {one.actor_oper_key}",
        f"\tPartner Key: {one.partner_oper_key}",
        f"\tPartner Mac Address: {one.partner_system.hex(':')}",
    ]


def _proc_slave(bond: Bond, slave: Slave) -> str:
    """bond_info_show_slave()."""
    lines = [
        f"\nSlave Interface: {slave.dev.name}",
        f"MII Status: {LINKS[slave.link]}",
        "Speed: Unknown" if slave.speed == SPEED_UNKNOWN else f"Speed: {slave.speed} Mbps",
        f"Duplex: {DUPLEX.get(slave.duplex, 'Unknown')}",
        f"Link Failure Count: {slave.link_failure_count}",
        f"Permanent HW addr: {slave.perm_hwaddr.hex(':')}",
        f"Slave queue ID: {slave.queue_id}",
    ]
    if bond.mode == BondMode.B8023AD:
        lines += _proc_port(slave.ad.port)
    return "\n".join(lines) + "\n"


def _proc_port(port: lacp.Port) -> list[str]:
    if port.aggregator is None:
        return ["Aggregator ID: N/A"]
    partner = port.partner
    return [
        f"Aggregator ID: {port.aggregator.identifier}",
        f"Actor Churn State: {CHURNS[port.churn_actor_state]}",
        f"Partner Churn State: {CHURNS[port.churn_partner_state]}",
        f"Actor Churned Count: {port.churn_actor_count}",
        f"Partner Churned Count: {port.churn_partner_count}",
        "details actor lacp pdu:",
        f"    system priority: {port.actor_system_priority}",
        f"    system mac address: {port.actor_system.hex(':')}",
        f"    port key: {port.actor_oper_key}",
        f"    port priority: {port.actor_priority}",
        f"    port number: {port.number}",
        f"    port state: {port.actor_oper_state}",
        "details partner lacp pdu:",
        f"    system priority: {partner.system_priority}",
        f"    system mac address: {partner.system.hex(':')}",
        f"    oper key: {partner.key}",
        f"    port priority: {partner.port_priority}",
        f"    port number: {partner.port_number}",
        f"    port state: {partner.port_state}",
    ]
