"""What IPv6 sends by itself, and how it is counted.

Packets here are a length: nobody reads them, but counters tell of them, those of the link, of IPv6 and of ICMPv6, at
both ends of a pair. All are ICMPv6 messages to a group: a solicitation for an address that may be somebody else's, one
for routers, a report of groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import l3mdev, qdisc, rx_handler
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.inet.neighbour import Records, Sending, group_lladdr
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.if_ether import ETH_HLEN
from nlemu.protocol.uapi.snmp import Icmp6Mib, IpstatsMib

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

TENTATIVE, OPTIMISTIC = int(IFA_F.TENTATIVE), int(IFA_F.OPTIMISTIC)
IPV6_HEADER = 40
OPTION = 8
"""A link-layer address of six bytes, or a nonce, as an option of neighbour discovery."""
NEIGHBOUR_SOLICITATION = IPV6_HEADER + 24 + OPTION
"""With a nonce: enhanced duplicate address detection, RFC 7527."""
ROUTER_SOLICITATION = IPV6_HEADER + 8
NEIGHBOUR_ADVERTISEMENT = IPV6_HEADER + 24
REPORT = IPV6_HEADER + 8 + 8
"""A report of MLDv2: hop-by-hop options with a router alert, and the message without its records."""
RECORD = 20
"""A record of one group without sources."""


def router_solicitation(dev: Device) -> int:
    """The length of one, in bytes: ndisc_send_rs() says its link-layer address where it has one, which two bytes are
    before, in units of eight."""
    return ROUTER_SOLICITATION + (-(-(dev.addr_len + 2) // OPTION) * OPTION if dev.addr_len else 0)


def send(dev: Device, group: int, size: int, records: Records = ()) -> bool:
    """Sends a packet of that many bytes, IPv6 header included, to a group; whether the driver took it, or said so. The
    group becomes a neighbour. records: what a report says of groups."""
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        return True
    counters(idev)[IpstatsMib.OUTREQUESTS] += 1
    _leave(dev, idev, group, size)
    lladdr = group_lladdr(ip6.AF_INET6, group)
    dev.kernel.sending = Sending(ip6.AF_INET6, group, lladdr, size, dev.address, records)
    try:
        return _send(dev, idev, size)
    finally:
        dev.kernel.sending = None


def _leave(dev: Device, idev: Inet6Device, group: int, size: int) -> None:
    """ip6_finish_output2(): a packet to a group leaves by that device."""
    neighbour.note_group(dev, group)
    stats = counters(idev)
    stats[IpstatsMib.OUTPKTS] += 1
    stats[IpstatsMib.OUTOCTETS] += size
    stats[IpstatsMib.OUTMCASTPKTS] += 1
    stats[IpstatsMib.OUTMCASTOCTETS] += size
    dev.changed()


def pass_on(dev: Device, sending: Sending) -> Xmit:
    """ip6_output(): the packet that is being sent leaves by a device that is not who sends it."""
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        return Xmit.DROP
    _leave(dev, idev, sending.group, sending.size)
    xmit, receiver = qdisc.transmit(dev, sending.size + dev.hard_header_len)
    if receiver is not None:
        rx_handler.receive(receiver, sending.size + ETH_HLEN, dev.address)
    return xmit


def _send(dev: Device, idev: Inet6Device, size: int) -> bool:
    """The packet goes out, and what comes of it arrives."""
    xmit, receiver = qdisc.transmit(dev, size + dev.hard_header_len)
    sent = xmit == Xmit.SUCCESS
    if sent:
        assert idev.icmp6_stats is not None
        idev.icmp6_stats[Icmp6Mib.OUTMSGS] += 1
    if receiver is not None:
        rx_handler.receive(receiver, size + ETH_HLEN, dev.address)
    return sent


def advertise(dev: Device) -> None:
    """ndisc_send_unsol_na(): everybody on the link hears of each address that is sure to be its own."""
    idev: Inet6Device | None = dev.ip6
    for ifa in () if idev is None else tuple(idev.addresses):
        if not ifa.flags & TENTATIVE or ifa.flags & OPTIMISTIC:
            send(dev, ip6.ALL_NODES, NEIGHBOUR_ADVERTISEMENT + (OPTION if dev.addr_len else 0))


def _knows_groups(dev: Device) -> bool:
    """Whether there is the route that addrconf_add_mroute() makes."""
    fib = ip6.of(dev.net).fib
    table = fib.table(l3mdev.table_of(dev)) if l3mdev.table_of(dev) else fib.local
    node = None if table is None else table.node(ip6.MULTICAST, 8)
    return node is not None and node.through(dev, 0) is not None


def receive(dev: Device, size: int) -> None:
    """ipv6_rcv() and ip6_mc_input(): a packet to a group, which is for us if the device has joined it; size: with what
    stands behind it in its frame. While there is no route for groups through the device, which IPv6 makes when it is
    ready and when an address is added, it leads nowhere."""
    dev.changed()
    idev: Inet6Device | None = dev.ip6
    sending = dev.kernel.sending
    if idev is None or (sending is not None and sending.family != ip6.AF_INET6):
        return
    stats = counters(idev)
    stats[IpstatsMib.INPKTS] += 1
    stats[IpstatsMib.INOCTETS] += size
    stats[IpstatsMib.NOECTPKTS] += 1
    if _knows_groups(dev):
        _heard(dev, idev, size if sending is None else min(size, sending.size))
        if sending is not None and sending.group in idev.listener.members:
            assert idev.icmp6_stats is not None
            stats[IpstatsMib.INDELIVERS] += 1
            idev.icmp6_stats[Icmp6Mib.INMSGS] += 1
    else:
        stats[IpstatsMib.INNOROUTES] += 1


def _heard(dev: Device, idev: Inet6Device, size: int) -> None:
    """IPSTATS_MIB_INMCAST of ip6_mc_input(). What comes to a slave of a VRF and is not about neighbours or routers, a
    report, is its master's by then (vrf_ip6_rcv())."""
    sending, master = dev.kernel.sending, l3mdev.master_of(dev)
    if sending is not None and sending.records and master is not None:
        if master.ip6 is None:
            return
        idev = master.ip6
        master.changed()
    stats = counters(idev)
    stats[IpstatsMib.INMCASTPKTS] += 1
    stats[IpstatsMib.INMCASTOCTETS] += size


def counters(idev: Inet6Device) -> list[int]:
    """The counters of a device, from now on kept. The first of each sort is how many there are."""
    if idev.stats is None:
        idev.stats = [0] * len(IpstatsMib)
        idev.stats[IpstatsMib.NUM] = len(IpstatsMib)
        idev.icmp6_stats = [0] * len(Icmp6Mib)
        idev.icmp6_stats[Icmp6Mib.NUM] = len(Icmp6Mib)
    return idev.stats
