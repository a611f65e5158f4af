"""/proc/net: what is told of a namespace's interfaces, addresses and groups (net-procfs.c, igmp.c, mcast.c ...).

Only the files of interfaces, routes and neighbours are the emulator's; all others are this machine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.neighbour import AF_INET, AF_INET6, group_lladdr
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.launch.files import fib_trie, tables
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

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


def _link_groups(device: Device) -> Iterator[tuple[int, bytes]]:
    """The groups of a device at the level of the link: since when, and the address."""
    if device.type != ARPHRD.ETHER:
        return
    if device.ip6 is not None and _loaded(device.ip6):
        for group, membership in device.ip6.listener.members.items():
            if ip6.classify(group)[1] >= ip6.SCOPE_LINK:
                yield membership.cstamp, group_lladdr(AF_INET6, group)
    if device.ip4 is not None and device.up:
        for group, membership in device.ip4.groups.items():
            yield membership.cstamp, group_lladdr(AF_INET, group)


def dev_mcast(net: Net) -> str:
    """dev_mc_seq_show(). Groups of one address are counted, not told apart."""
    lines = []
    for device in net:
        users: dict[bytes, int] = {}
        for _, address in sorted(_link_groups(device), key=lambda one: one[0]):
            users[address] = users.get(address, 0) + 1
        lines += [
            f"{device.ifindex:<4} {device.name:<15} {count:<5} 0     {address.hex()}\n"
            for address, count in users.items()
        ]
    return "".join(lines)


def if_inet6(net: Net) -> str:
    """if6_seq_show(). The kernel's order is that of a hash with a random key."""
    return "".join(
        f"{ifa.address:032x} {device.ifindex:02x} {ifa.length:02x} {ifa.scope:02x} {ifa.flags & 0xFF:02x} "
        f"{device.name:>8}\n"
        for device in net
        if device.ip6 is not None
        for ifa in device.ip6.addresses
    )


FILES: dict[str, Callable[[Net], str]] = {
    "dev": dev, "dev_mcast": dev_mcast, "if_inet6": if_inet6, "igmp": igmp, "igmp6": igmp6,
    "fib_trie": fib_trie.fib_trie,
    "route": tables.route, "rt_cache": tables.rt_cache, "ipv6_route": tables.ipv6_route, "arp": tables.arp,
}
"""By name, below /proc/net."""
