"""/proc/net: what is told of a namespace (net-procfs.c, igmp.c, mcast.c ...).

Every file there is the emulated namespace's, or there is none: nothing below /proc/net tells of this machine. What the
model has is computed from it; what it has not is as empty as in a namespace in which nobody has done anything. Files of
subsystems that are not emulated at all (conntrack, IPVS, CAN, keys) are missing, as where they are not built in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.launch.files import bonding, counters, fib_trie, sockets_listed, tables, vlan
from nlemu.emulator.launch.files.tree import Directory, Node, file_of
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv6.device import Inet6Device
    from nlemu.emulator.machine.machine import Machine

MAF_LOADED, MAF_NOREPORT = 0x04, 0x08  # include/net/if_inet6.h
READY = int(InetDeviceFlag.READY)

HEAD = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier"
    " compressed\n"
)


def dev(net: Net) -> str:
    """dev_seq_show()."""
    lines = [HEAD]
    for device in net:
        stats = device.stats
        frame = (
            stats.rx_length_errors + stats.rx_over_errors + stats.rx_crc_errors + stats.rx_frame_errors
        )
        carrier = (
            stats.tx_carrier_errors + stats.tx_aborted_errors + stats.tx_window_errors + stats.tx_heartbeat_errors
        )
        lines.append(
            f"{device.name:>6}: {stats.rx_bytes:7} {stats.rx_packets:7} {stats.rx_errors:4} "
            f"{stats.rx_dropped + stats.rx_missed_errors:4} {stats.rx_fifo_errors:4} {frame:5} "
            f"{stats.rx_compressed:10} {stats.multicast:9} {stats.tx_bytes:8} "
            f"{stats.tx_packets:7} {stats.tx_errors:4} {stats.tx_dropped:4} "
            f"{stats.tx_fifo_errors:4} {stats.collisions:5} {carrier:7} {stats.tx_compressed:10}\n"
        )
    return "".join(lines)


def _loaded(idev: Inet6Device) -> bool:
    """Whether the device has been told of the groups of IPv6: from the beginning, until it goes down, and again when it
    is ready."""
    first = idev.listener.members.get(ip6.INTERFACE_NODES)
    return bool(idev.flags & READY) or (first is not None and first.cstamp == idev.tstamp)


def igmp(net: Net) -> str:
    """igmp_mc_seq_show()."""
    lines = ["Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"]
    for device in net:
        if device.ip4 is None or not device.ip4.groups:
            continue
        lines.append(f"{device.ifindex}\t{device.name:<10}: {len(device.ip4.groups):5} {'V3':>7}\n")
        for group, membership in reversed(device.ip4.groups.items()):
            number = int.from_bytes(group.to_bytes(4, "big"), "little")
            lines.append(f"\t\t\t\t{number:08X} {membership.users:5} 0:00000000\t\t0\n")
    return "".join(lines)


def igmp6(net: Net) -> str:
    """igmp6_mc_seq_show()."""
    lines = []
    for device in net:
        if device.ip6 is None:
            continue
        loaded = MAF_LOADED if _loaded(device.ip6) else 0
        for group, membership in reversed(device.ip6.listener.members.items()):
            near = ip6.classify(group)[1] < ip6.SCOPE_LINK
            flags = (0 if near else loaded) | (MAF_NOREPORT if near or group == ip6.ALL_NODES else 0)
            lines.append(f"{device.ifindex:<4} {device.name:<15} {group:032x} {membership.users:5} {flags:08X} 0\n")
    return "".join(lines)


def dev_mcast(net: Net) -> str:
    """dev_mc_seq_show()."""
    return "".join(
        f"{device.ifindex:<4} {device.name:<15} {count:<5} {int(address in device.global_groups):<5} {address.hex()}\n"
        for device in net if device.type == ARPHRD.ETHER for address, count in device.multicast.items()
    )


def if_inet6(net: Net) -> str:
    """if6_seq_show(). The kernel's order is that of a hash with a random key."""
    return "".join(
        f"{ifa.address:032x} {device.ifindex:02x} {ifa.length:02x} {ifa.scope:02x} {ifa.flags & 0xFF:02x} "
        f"{device.name:>8}\n"
        for device in net
        if device.ip6 is not None
        for ifa in device.ip6.addresses
    )


def anycast6(net: Net) -> str:
    """ac6_seq_show()."""
    return "".join(
        f"{device.ifindex:<4} {device.name:<15} {address:032x} {found.users:5}\n"
        for device in net
        if device.ip6 is not None
        for address, found in reversed(device.ip6.anycasts.items())
    )


PACKET_TYPES = (
    ("0800", "ip_rcv", "INET"), ("0004", "llc_rcv", "BRIDGE"), ("88f5", "mrp_rcv", "VLAN_8021Q_MVRP"),
    ("0806", "arp_rcv", "INET"), ("8847", "mpls_forward", "MPLS_ROUTING"), ("86dd", "ipv6_rcv", "IPV6"),
)
"""Who takes packets of which type, in the order of the kernel's table, and with which option."""


def ptype(net: Net) -> str:
    """ptype_seq_show()."""
    return "Type Device      Function\n" + "".join(
        f"{number}          {function}\n"
        for number, function, option in PACKET_TYPES
        if net.kernel.build.has(option)
    )


def psched(net: Net) -> str:
    """psched_show(): how long the ticks of the packet scheduler are, in nanoseconds."""
    return f"{1000:08x} {64:08x} {1_000_000:08x} {1_000_000_000:08x}\n"


def softnet_stat(net: Net) -> str:
    """softnet_seq_show(): a line a processor, which says its number and that nothing has come."""
    return "".join(f"{'00000000 ' * 12}{cpu:08x}{' 00000000' * 2}\n" for cpu in range(net.kernel.cpus))


def rt6_stats(net: Net) -> str:
    """rt6_stats_seq_show()."""
    return f"{' '.join(['0000'] * 7)}\n"


def rt_acct(net: Net) -> str:
    """rt_acct_proc_show(): numbers of bytes and packets by realm, in binary."""
    return "\0" * 4096


def _said(text: str, net: Net) -> str:
    return text


HEADS = {
    "ip6_mr_cache": f"Group{' ' * 28}Origin{' ' * 27}Iif      Pkts  Bytes     Wrong  Oifs",
    "ip6_mr_vif": "Interface      BytesIn  PktsIn  BytesOut PktsOut Flags",
    "ip_mr_cache": "Group    Origin   Iif     Pkts    Bytes    Wrong Oifs",
    "ip_mr_vif": "Interface      BytesIn  PktsIn  BytesOut PktsOut Flags Local    Remote",
}
"""Of multicast routers, of which there are none (ipmr.c, ip6mr.c)."""

FILES: dict[str, Callable[[Net], str]] = {
    "dev": dev, "dev_mcast": dev_mcast, "if_inet6": if_inet6, "igmp": igmp, "igmp6": igmp6, "anycast6": anycast6,
    "fib_trie": fib_trie.fib_trie,
    "route": tables.route, "rt_cache": tables.rt_cache, "ipv6_route": tables.ipv6_route, "arp": tables.arp,
    "rt6_stats": rt6_stats, "rt_acct": rt_acct,
    "snmp": counters.snmp, "netstat": counters.netstat, "snmp6": counters.snmp6,
    "ptype": ptype, "psched": psched, "softnet_stat": softnet_stat,
    **{name: partial(_said, line + "\n") for name, line in (sockets_listed.EMPTY | HEADS).items()},
}
"""By name, below /proc/net."""
WITH_OPTION: dict[str, tuple[str, Callable[[Net], str]]] = {
    "xfrm_stat": ("XFRM_STATISTICS", counters.xfrm_stat), "tls_stat": ("TLS", counters.tls_stat),
}
"""Those that come with an option of the kernel."""
OF_MACHINES: dict[str, Callable[[Net, Machine], str]] = {
    "netlink": sockets_listed.netlink, "sockstat": sockets_listed.sockstat, "sockstat6": sockets_listed.sockstat6,
}
"""Those that tell of sockets of the machine."""


def proc_net(net: Net, machine: Machine) -> Directory:
    """/proc/PID/net."""
    entries: dict[str, Callable[[], Node]] = {name: partial(file_of, read, net) for name, read in FILES.items()}
    entries |= {name: partial(file_of, partial(read, net), machine) for name, read in OF_MACHINES.items()}
    entries |= {
        name: partial(file_of, read, net)
        for name, (option, read) in WITH_OPTION.items() if net.kernel.build.has(option)
    }
    entries["dev_snmp6"] = lambda: Directory(
        {device.name: partial(file_of, counters.dev_snmp6, device) for device in net if device.ip6 is not None}
    )
    entries["vlan"] = lambda: vlan.proc_vlan(net)
    if net.kernel.build.has("BONDING"):
        entries["bonding"] = lambda: bonding.proc_bonding(net)
    return Directory(entries)
