"""sit: IPv6, and more, in IPv4 (net/ipv6/sit.c).

It is older than the other tunnels through IPv4, and keeps to rules of its own: its ends alone, and the device below,
tell it from others, and its MTU follows the way to the other end only where there is one. A packet's own address may
say where it goes (6to4, 6rd), and a device may speak to whoever is on the other side of an IPv4 network (ISATAP).
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EEXIST, EINVAL
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices import features, l3mdev, link_watch
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register, unregister
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.links.ip_gre import send
from nlemu.emulator.kernel.links.ipip import IptunParams, address, packed, read_iptun, told
from nlemu.emulator.kernel.tunnels import encap, ip_tunnel
from nlemu.emulator.kernel.tunnels.ip_tunnel import (
    IP_HEADER,
    LL_MAX_HEADER,
    MAX_HEADROOM,
    IpTunnel,
    IpTunnelKind,
    IpTunnelNet,
    IpTunnelOps,
    Parms,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device

NAME = "sit"
ADDRESS_SIZE = 4
IPV6_MIN_MTU, IP6_MAX_MTU = 1280, 0xFFFF + 40
TTL = 64
ISATAP = 0x0100
"""SIT_ISATAP in the flags, which are in network order but for it."""
PROTOCOLS = (int(IpProto.IPV6), int(IpProto.IPIP), int(IpProto.MPLS), 0)
POINTOPOINT = int(IFF.POINTOPOINT)
FEATURES = features.SG | features.FRAGLIST | features.HIGHDMA | features.GSO_SOFTWARE | features.HW_CSUM


@dataclass(slots=True, frozen=True)
class SixRd:
    """struct ip_tunnel_6rd: which addresses of IPv6 have one of IPv4 in them. By default those of 6to4."""

    prefix: int = 0x2002 << 112
    relay: int = 0
    length: int = 16
    relay_length: int = 0

    def check(self) -> None:
        """Whether it can be: EINVAL."""
        if self.relay_length > 32 or self.length + 32 - self.relay_length > 64:
            raise Refusal(EINVAL)
        if ip6.prefix_of(self.prefix, self.length) != self.prefix:
            raise Refusal(EINVAL)
        mask = 0xFFFFFFFF << 32 - self.relay_length & 0xFFFFFFFF if self.relay_length else 0
        if self.relay & mask != self.relay:
            raise Refusal(EINVAL)


@dataclass(slots=True, eq=False)
class SitTunnel(IpTunnel):
    """One of them."""

    sixrd: SixRd = SixRd()


def read_sixrd(data: IptunParams | None) -> SixRd | None:
    """ipip6_netlink_6rd_parms(): None when nothing is said of it."""
    if data is None:
        return None
    lengths = data.sixrd_prefixlen, data.sixrd_relay_prefixlen
    if data.sixrd_prefix is None and data.sixrd_relay_prefix is None and lengths == (None, None):
        return None
    prefix = int.from_bytes((data.sixrd_prefix or b"")[:16], "big")
    return SixRd(prefix, address(data.sixrd_relay_prefix), lengths[0] or 0, lengths[1] or 0)


def locate(known: IpTunnelNet, parms: Parms) -> IpTunnel | None:
    """ipip6_tunnel_locate(), without making one."""
    wanted = parms.saddr, parms.daddr, parms.link
    return next((one for one in known.tunnels if (one.parms.saddr, one.parms.daddr, one.parms.link) == wanted), None)


def bind(tunnel: IpTunnel) -> None:
    """ipip6_tunnel_bind_dev(): a VRF says nothing of what is below it."""
    dev, room = tunnel.dev, LL_MAX_HEADER
    if tunnel.parms.daddr:
        dev.flags |= POINTOPOINT
    below = ip_tunnel.way_out(tunnel, tunnel.parms)
    if below is not None and not l3mdev.is_master(below):
        dev.mtu = max(below.mtu - tunnel.header, IPV6_MIN_MTU)
        room = below.hard_header_len + below.needed_headroom
    dev.needed_headroom = min(tunnel.header + room, MAX_HEADROOM)
    dev.changed()


def update_sixrd(tunnel: SitTunnel, sixrd: SixRd) -> None:
    """ipip6_tunnel_update_6rd(): EINVAL."""
    sixrd.check()
    tunnel.sixrd = sixrd
    tunnel.dev.changed()
    link_watch.state_change(tunnel.dev)


class SitOps(IpTunnelOps):
    """ipip6_netdev_ops."""

    def init(self, dev: Device) -> None:
        bind(dev.priv)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """ipip6_tunnel_xmit(), of a packet to a group: without another end it leads nowhere."""
        tunnel: SitTunnel = dev.priv
        if tunnel.parms.protocol not in (0, int(IpProto.IPV6)) or not tunnel.parms.daddr:
            dev.stats.tx_errors += 1
        else:
            send(tunnel, size)
        dev.changed()
        return Xmit.SUCCESS, None


OPS = SitOps()


def setup(dev: Device) -> None:
    """ipip6_tunnel_setup()."""
    dev.type = int(ARPHRD.SIT)
    dev.mtu = ETH_DATA_LEN - IP_HEADER
    dev.min_mtu = IPV6_MIN_MTU
    dev.max_mtu = IP6_MAX_MTU - IP_HEADER
    dev.flags = int(IFF.NOARP)
    dev.addr_len = ADDRESS_SIZE
    dev.address = dev.broadcast = dev.perm_address = bytes(ADDRESS_SIZE)
    dev.features = dev.hw_features = FEATURES
    dev.priv = SitTunnel(dev, dev.net)


class Sit(IpTunnelKind):
    """sit_link_ops."""

    name = NAME
    option = "IPV6_SIT"
    ops = OPS
    setup = staticmethod(setup)
    params = IptunParams

    def validate(self, params: LinkParams) -> None:
        data: IptunParams | None = params.data
        if data is not None and data.proto is not None and data.proto not in PROTOCOLS:
            raise Refusal(EINVAL)

    def _parms(self, data: IptunParams | None) -> Parms:
        """ipip6_netlink_parms()"""
        parms = Parms(protocol=int(IpProto.IPV6), ttl=TTL)
        if data is None:
            return parms
        parms.i_flags = data.flags or 0
        return read_iptun(data, parms)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        data: IptunParams | None = params.data
        tunnel: SitTunnel = dev.priv
        tunnel.net = params.named_net or dev.net
        tunnel.wrap(encap.read(data))
        tunnel.parms = self._parms(data)
        tunnel.fwmark = 0 if data is None else data.fwmark or 0
        known = ip_tunnel.known_with(tunnel)
        if locate(known, tunnel.parms) is not None:
            raise Refusal(EEXIST)
        ip_tunnel.set_ends(dev, tunnel.parms)
        dev.isatap = bool(tunnel.parms.i_flags & ISATAP)
        register(dev)
        known.tunnels.insert(0, tunnel)
        if params.mtu is not None and IPV6_MIN_MTU <= params.mtu <= IP6_MAX_MTU - dev.hard_header_len:
            dev.mtu = params.mtu
            dev.changed()
        sixrd = read_sixrd(data)
        if sixrd is not None:
            try:
                update_sixrd(tunnel, sixrd)
            except Refusal:
                unregister(dev)
                raise

    def del_link(self, dev: Device, kill: KillList) -> None:
        """ipip6_dellink(): as in Linux, the fallback of the namespace that it is in is meant."""
        if ip_tunnel.of_net(dev.net, NAME).fallback is not dev:
            queue_unregister(dev, kill)

    def change(self, dev: Device, data: IptunParams, params: LinkParams) -> None:
        tunnel: SitTunnel = dev.priv
        known = ip_tunnel.known_with(tunnel)
        if known.fallback is dev:
            raise Refusal(EINVAL)
        tunnel.wrap(encap.read(data))
        parms = self._parms(data)
        fwmark = tunnel.fwmark if data.fwmark is None else data.fwmark
        if bool(dev.flags & POINTOPOINT) != bool(parms.daddr):
            raise Refusal(EINVAL)
        other = locate(known, parms)
        if other is not None and other.dev is not dev:
            raise Refusal(EEXIST)
        self._update(tunnel, parms, fwmark)
        sixrd = read_sixrd(data)
        if sixrd is not None:
            update_sixrd(tunnel, sixrd)

    def _update(self, tunnel: SitTunnel, parms: Parms, fwmark: int) -> None:
        """ipip6_tunnel_update()"""
        own = tunnel.parms
        own.saddr, own.daddr, own.ttl, own.tos, own.df = parms.saddr, parms.daddr, parms.ttl, parms.tos, parms.df
        ip_tunnel.set_ends(tunnel.dev, own)
        if (own.link, tunnel.fwmark) != (parms.link, fwmark):
            own.link, tunnel.fwmark = parms.link, fwmark
            bind(tunnel)
        tunnel.dev.changed()
        link_watch.state_change(tunnel.dev)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        tunnel: SitTunnel = dev.priv
        sixrd = tunnel.sixrd
        return told(tunnel) | {
            "flags": tunnel.parms.i_flags, "sixrd_prefix": sixrd.prefix.to_bytes(16, "big"),
            "sixrd_relay_prefix": packed(sixrd.relay), "sixrd_prefixlen": sixrd.length,
            "sixrd_relay_prefixlen": sixrd.relay_length,
        }


KIND = Sit()
