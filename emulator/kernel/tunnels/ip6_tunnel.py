"""Tunnels through IPv6: struct ip6_tnl and what ip6tnl, ip6gre and vti6 have in common (net/ipv6/ip6_tunnel.c).

What a tunnel's ends allow stands in its flags: whether it can send and receive, or each packet says. One that can send
looks for the way to its other end, which says how large packets may be and how much room there must be before them.
By itself it makes the address of its device from a number drawn by lot.

Addresses and keys are numbers here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EINVAL
from typing import TYPE_CHECKING, cast

from nlemu.emulator.kernel.devices.kind import Kind
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import queue_unregister
from nlemu.emulator.kernel.devices.states import AddressAssignment
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv6 import lookup as lookup6
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AddrType
from nlemu.emulator.kernel.tunnels import address, xmit
from nlemu.emulator.kernel.tunnels.encap import Encap
from nlemu.emulator.kernel.tunnels.ip_tunnel import MAX_HEADROOM
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_MIN_MTU
from nlemu.protocol.uapi.if_tunnel import TunnelEncap
from nlemu.protocol.uapi.in_ import IpProto
from nlemu.protocol.uapi.ip6_tunnel import Ip6TnlFlag

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.register import KillList

IP6_HEADER, ADDRESS_SIZE, ENCAP_LIMIT = 40, 16, 8
IPV6_MIN_MTU, IP_MAX_MTU, IP6_MAX_MTU = 1280, 0xFFFF, 0xFFFF + IP6_HEADER
ETHER, POINTOPOINT, TENTATIVE = int(ARPHRD.ETHER), int(IFF.POINTOPOINT), int(IFA_F.TENTATIVE)
XMIT, RCV, PER_PACKET = int(Ip6TnlFlag.CAP_XMIT), int(Ip6TnlFlag.CAP_RCV), int(Ip6TnlFlag.CAP_PER_PACKET)
CAPABILITIES = XMIT | RCV | PER_PACKET
WITHOUT_LIMIT = int(Ip6TnlFlag.IGN_ENCAP_LIMIT)
HH_DATA_MOD = 16
CAST = AddrType.UNICAST | AddrType.MULTICAST


@dataclass(slots=True)
class Parms6:
    """struct __ip6_tnl_parm: ends, keys and what the outer header has. flags: Ip6TnlFlag; i_flags, o_flags: GreFlag,
    of what comes in and goes out; the last four: of erspan."""

    link: int = 0
    i_flags: int = 0
    o_flags: int = 0
    i_key: int = 0
    o_key: int = 0
    laddr: int = 0
    raddr: int = 0
    flags: int = 0
    proto: int = 0
    hop_limit: int = 0
    encap_limit: int = 0
    flowinfo: int = 0
    fwmark: int = 0
    collect_md: bool = False
    erspan_ver: int = 0
    index: int = 0
    dir: int = 0
    hwid: int = 0


@dataclass(slots=True, eq=False)
class Ip6Tunnel:
    """struct ip6_tnl. tun_hlen: of its own header, encap_hlen: of what is around it; hlen: of both; heads: it puts the
    outer header in itself."""

    dev: Device
    net: Net
    parms: Parms6 = field(default_factory=Parms6)
    encap: Encap = field(default_factory=Encap)
    tun_hlen: int = 0
    encap_hlen: int = 0
    hlen: int = 0
    heads: bool = False

    @property
    def header(self) -> int:
        """t_hlen: of all headers, IPv6's too; in bytes."""
        return self.hlen + IP6_HEADER

    @property
    def limit(self) -> int:
        """How long the option is that says how deep tunnels may be in each other."""
        return 0 if self.parms.flags & WITHOUT_LIMIT else ENCAP_LIMIT

    def wrap(self, encap: Encap | None) -> None:
        """ip6_tnl_encap_setup(), if something was said: EINVAL, after which nothing is around it. There are no labels
        around IPv6."""
        if encap is None:
            return
        self.encap = Encap()
        hlen = encap.hlen
        if encap.type == TunnelEncap.MPLS:
            raise Refusal(EINVAL)
        self.encap, self.encap_hlen, self.hlen = encap, hlen, hlen + self.tun_hlen


@dataclass(slots=True)
class Ip6TunnelNet:
    """The tunnels of a kind, or of several alike, in a namespace, the newest first. fallback: the device that takes
    what is for no other."""

    tunnels: list[Ip6Tunnel] = field(default_factory=list)
    fallback: Device | None = None


def of_net(net: Net, name: str) -> Ip6TunnelNet:
    """net_generic(): by the name of the kind."""
    found = net.generic.get(name)
    if found is None:
        found = net.generic[name] = Ip6TunnelNet()
    return cast("Ip6TunnelNet", found)


def number(packed: bytes | None) -> int:
    """An address of IPv6, 0 for none."""
    return 0 if packed is None else int.from_bytes(packed[:ADDRESS_SIZE], "big")


def packed(address_: int) -> bytes:
    """The other way."""
    return address_.to_bytes(ADDRESS_SIZE, "big")


def draw_address(dev: Device) -> None:
    """What setup makes of a device whose addresses are those of ends: eth_random_addr()."""
    octets = bytearray(dev.kernel.random.randbytes(6))
    octets[0] = octets[0] & 0xFE | 0x02
    dev.addr_len = ADDRESS_SIZE
    dev.address = dev.broadcast = bytes(ADDRESS_SIZE)
    dev.perm_address = bytes(octets).ljust(ADDRESS_SIZE, b"\0")
    dev.addr_assign_type = AddressAssignment.RANDOM


def capabilities(parms: Parms6, laddr: int, raddr: int) -> int:
    """ip6_tnl_get_cap(): what those ends allow."""
    local, remote = ip6.classify(laddr)[0], ip6.classify(raddr)[0]
    if not local or not remote:
        return PER_PACKET
    if not local & CAST or not remote & CAST or (local | remote) & AddrType.LOOPBACK:
        return 0
    if (local | remote) & AddrType.LINKLOCAL and not parms.link:
        return 0
    return (XMIT if local & AddrType.UNICAST else 0) | (RCV if remote & AddrType.UNICAST else 0)


def set_ends(tunnel: Ip6Tunnel) -> None:
    """The ends as the addresses of the device, unless that is one of Ethernet; and what they allow."""
    dev, parms = tunnel.dev, tunnel.parms
    if dev.type != ETHER:
        dev.address, dev.broadcast = packed(parms.laddr), packed(parms.raddr)
    able = capabilities(parms, parms.laddr, parms.raddr)
    parms.flags = parms.flags & ~CAPABILITIES | able
    if able & XMIT and able & RCV and dev.type != ETHER:
        dev.flags |= POINTOPOINT
    else:
        dev.flags &= ~POINTOPOINT
    dev.changed()


def way_out(tunnel: Ip6Tunnel) -> Device | None:
    """rt6_lookup(): the device that leads to the other end, if it can be sent to at all."""
    parms = tunnel.parms
    if not parms.flags & XMIT:
        return None
    try:
        return lookup6.find_way(tunnel.net, Flow(parms.raddr, parms.laddr, oif=parms.link)).dev
    except Refusal:
        return None


def change_mtu(dev: Device, mtu: int) -> None:
    """ip6_tnl_change_mtu(): EINVAL."""
    tunnel: Ip6Tunnel = dev.priv
    proto = tunnel.parms.proto
    least = IPV6_MIN_MTU if proto == IpProto.IPV6 else ETH_MIN_MTU
    most = IP6_MAX_MTU if proto in (0, IpProto.IPV6) else IP_MAX_MTU
    if not least <= mtu <= most - dev.hard_header_len - tunnel.header:
        raise Refusal(EINVAL)
    dev.mtu = mtu
    dev.changed()


def try_mtu(dev: Device, mtu: int | None) -> None:
    """That of a request for a new one, if it has one: what cannot be is passed over."""
    try:
        if mtu is not None:
            change_mtu(dev, mtu)
    except Refusal:
        return


def relink(known: Ip6TunnelNet, tunnel: Ip6Tunnel) -> None:
    """It is the newest then."""
    known.tunnels.remove(tunnel)
    known.tunnels.insert(0, tunnel)


class Ip6TunnelOps(DeviceOps):
    """What the drivers have in common. There are no ethtool_ops."""

    has_rx_mode = False

    def uninit(self, dev: Device) -> None:
        known = known_with(dev.priv)
        if dev.priv in known.tunnels:
            known.tunnels.remove(dev.priv)
        if known.fallback is dev:
            known.fallback = None

    def get_iflink(self, dev: Device) -> int:
        """ip6_tnl_get_iflink()"""
        tunnel: Ip6Tunnel = dev.priv
        return tunnel.parms.link


class Ip6TunnelKind(Kind):
    """What the kinds have in common. table: by which name its tunnels are kept in a namespace, with those alike."""

    table = ""

    def del_link(self, dev: Device, kill: KillList) -> None:
        """ip6_tnl_dellink() and its like: as in Linux, the fallback of the namespace that it is in is meant."""
        if of_net(dev.net, self.table).fallback is not dev:
            queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """ip6_tnl_exit_rtnl_net() and its like: those that are there, of all kinds alike, then those that were made
        from there."""
        for dev in net:
            if isinstance(dev.kind, Ip6TunnelKind) and dev.kind.table == self.table:
                queue_unregister(dev, kill)
        for tunnel in of_net(net, self.table).tunnels:
            if tunnel.dev.net is not net:
                queue_unregister(tunnel.dev, kill)

    def get_link_net(self, dev: Device) -> Net | None:
        """ip6_tnl_get_link_net()"""
        net: Net = dev.priv.net
        return net


def known_with(tunnel: Ip6Tunnel) -> Ip6TunnelNet:
    """Those in the namespace that it was made from."""
    kind = tunnel.dev.kind
    assert isinstance(kind, Ip6TunnelKind)
    return of_net(tunnel.net, kind.table)


# What is sent


def may_send(tunnel: Ip6Tunnel, laddr: int, raddr: int) -> bool:
    """ip6_tnl_xmit_ctl(): the near end is one of our addresses, the other is not."""
    parms = tunnel.parms
    if parms.collect_md:
        return True
    able = parms.flags & XMIT or (parms.flags & PER_PACKET and capabilities(parms, laddr, raddr) & XMIT)
    if not able:
        return False
    own = ip6.find(tunnel.net, laddr, tunnel.net.device(parms.link) if parms.link else None)
    if own is None or own.flags & TENTATIVE:
        return False
    if parms.flags & Ip6TnlFlag.ALLOW_LOCAL_REMOTE or ip6.classify(raddr)[0] & AddrType.MULTICAST:
        return True
    other = ip6.find(tunnel.net, raddr)
    return other is None or bool(other.flags & TENTATIVE)


def send(tunnel: Ip6Tunnel, size: int) -> None:
    """ip6_tnl_xmit(), of a packet to a group, by a tunnel that has another end. A Refusal says that there is no way,
    which the carrier counts."""
    parms, dev = tunnel.parms, tunnel.dev
    source, remote = address.ipv6(packed(parms.laddr)), address.ipv6(packed(parms.raddr))
    try:
        if not may_send(tunnel, parms.laddr, parms.raddr):
            raise Refusal(EINVAL)
        through = xmit.find_way(dev, tunnel.net, source, remote, parms.link)
    except Refusal:
        dev.stats.tx_carrier_errors += 1
        raise
    room = reserved_space(through) + tunnel.header
    dev.needed_headroom = max(dev.needed_headroom, min(room, MAX_HEADROOM))
    xmit.send(dev, through, remote, size, tunnel.header + tunnel.limit)


def reserved_space(dev: Device) -> int:
    """LL_RESERVED_SPACE(): the room that a device wants before packets, in bytes."""
    return (dev.hard_header_len + dev.needed_headroom) // HH_DATA_MOD * HH_DATA_MOD + HH_DATA_MOD


def fail(dev: Device) -> None:
    """What is counted of a packet that is thrown away."""
    dev.stats.tx_errors += 1
    dev.stats.tx_dropped += 1
    dev.changed()
