"""ip6tnl: IPv6, or IPv4, in IPv6 (net/ipv6/ip6_tunnel.c)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import EEXIST, EINVAL
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices import features, link_watch
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.tunnels import encap, ip6_tunnel
from nlemu.emulator.kernel.tunnels.ip6_tunnel import (
    IP6_MAX_MTU,
    IPV6_MIN_MTU,
    Ip6Tunnel,
    Ip6TunnelKind,
    Ip6TunnelNet,
    Ip6TunnelOps,
    Parms6,
)
from nlemu.emulator.kernel.tunnels.ip_tunnel import MAX_HEADROOM
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN, ETH_MIN_MTU
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device

NAME = "ip6tnl"
FEATURES = features.SG | features.FRAGLIST | features.HIGHDMA | features.GSO_SOFTWARE | features.HW_CSUM


@dataclass(slots=True)
class Ip6tnlParams:
    """IFLA_INFO_DATA of an ip6tnl; None: it was not there. Addresses are bytes."""

    link: int | None = None
    local: bytes | None = None
    remote: bytes | None = None
    ttl: int | None = None
    encap_limit: int | None = None
    flowinfo: int | None = None
    flags: int | None = None
    proto: int | None = None
    encap_type: int | None = None
    encap_flags: int | None = None
    encap_sport: int | None = None
    encap_dport: int | None = None
    collect_metadata: bool | None = None
    fwmark: int | None = None


def read(data: Ip6tnlParams | None) -> Parms6:
    """ip6_tnl_netlink_parms()"""
    if data is None:
        return Parms6()
    return Parms6(
        link=data.link or 0, laddr=ip6_tunnel.number(data.local), raddr=ip6_tunnel.number(data.remote),
        hop_limit=data.ttl or 0, encap_limit=data.encap_limit or 0, flowinfo=data.flowinfo or 0, flags=data.flags or 0,
        proto=data.proto or 0, collect_md=bool(data.collect_metadata), fwmark=data.fwmark or 0,
    )


def locate(known: Ip6TunnelNet, parms: Parms6) -> Ip6Tunnel | None:
    """ip6_tnl_locate(), without making one."""
    wanted = parms.laddr, parms.raddr, parms.link
    return next((one for one in known.tunnels if (one.parms.laddr, one.parms.raddr, one.parms.link) == wanted), None)


def configure(tunnel: Ip6Tunnel) -> None:
    """ip6_tnl_link_config()"""
    dev = tunnel.dev
    ip6_tunnel.set_ends(tunnel)
    tunnel.hlen = tunnel.encap_hlen
    below = ip6_tunnel.way_out(tunnel)
    if below is None and tunnel.parms.flags & ip6_tunnel.XMIT and tunnel.parms.link:
        below = tunnel.net.device(tunnel.parms.link)
    if below is None:
        return
    dev.needed_headroom = min(below.hard_header_len + below.needed_headroom + tunnel.header, MAX_HEADROOM)
    dev.mtu = max(min(below.mtu, IP6_MAX_MTU) - tunnel.header - tunnel.limit, IPV6_MIN_MTU)


class Ip6tnlOps(Ip6TunnelOps):
    """ip6_tnl_netdev_ops."""

    def init(self, dev: Device) -> None:
        tunnel: Ip6Tunnel = dev.priv
        tunnel.hlen = tunnel.encap_hlen
        dev.mtu = ETH_DATA_LEN - tunnel.header - tunnel.limit
        dev.min_mtu, dev.max_mtu = ETH_MIN_MTU, IP6_MAX_MTU - tunnel.header
        configure(tunnel)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        ip6_tunnel.change_mtu(dev, mtu)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """ip6_tnl_start_xmit(), of a packet to a group of IPv6: without another end it leads nowhere."""
        tunnel: Ip6Tunnel = dev.priv
        if tunnel.parms.proto not in (0, int(IpProto.IPV6)) or tunnel.parms.collect_md:
            ip6_tunnel.fail(dev)
        elif not tunnel.parms.raddr:
            dev.stats.tx_carrier_errors += 1
            ip6_tunnel.fail(dev)
        else:
            try:
                ip6_tunnel.send(tunnel, size)
            except Refusal:
                ip6_tunnel.fail(dev)
        dev.changed()
        return Xmit.SUCCESS, None


OPS = Ip6tnlOps()


def setup(dev: Device) -> None:
    """ip6_tnl_dev_setup()."""
    dev.type = int(ARPHRD.TUNNEL6)
    dev.flags = int(IFF.NOARP)
    dev.features = dev.hw_features = FEATURES
    ip6_tunnel.draw_address(dev)
    dev.priv = Ip6Tunnel(dev, dev.net)


class Ip6tnl(Ip6TunnelKind):
    """ip6_link_ops."""

    name = table = NAME
    option = "IPV6_TUNNEL"
    ops = OPS
    setup = staticmethod(setup)
    params = Ip6tnlParams

    def validate(self, params: LinkParams) -> None:
        data: Ip6tnlParams | None = params.data
        if data is not None and data.proto not in (None, 0, int(IpProto.IPV6), int(IpProto.IPIP)):
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        tunnel: Ip6Tunnel = dev.priv
        tunnel.net = params.named_net or dev.net
        tunnel.wrap(encap.read(params.data))
        tunnel.parms = read(params.data)
        known = ip6_tunnel.known_with(tunnel)
        if tunnel.parms.collect_md:
            if any(one.parms.collect_md for one in known.tunnels):
                raise Refusal(EEXIST)
        elif locate(known, tunnel.parms) is not None:
            raise Refusal(EEXIST)
        register(dev)
        known.tunnels.insert(0, tunnel)
        ip6_tunnel.try_mtu(dev, params.mtu)

    def change(self, dev: Device, data: Ip6tnlParams, params: LinkParams) -> None:
        tunnel: Ip6Tunnel = dev.priv
        known = ip6_tunnel.known_with(tunnel)
        tunnel.wrap(encap.read(data))
        parms = read(data)
        if parms.collect_md:
            raise Refusal(EINVAL)
        other = locate(known, parms)
        if other is not None and other.dev is not dev:
            raise Refusal(EEXIST)
        tunnel.parms = replace(parms, collect_md=tunnel.parms.collect_md)
        configure(tunnel)
        ip6_tunnel.relink(known, tunnel)
        dev.changed()
        link_watch.state_change(dev)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        tunnel: Ip6Tunnel = dev.priv
        parms = tunnel.parms
        return told(tunnel) | {"proto": parms.proto}


def told(tunnel: Ip6Tunnel) -> dict[str, Any]:
    """What ip6tnl and ip6gre tell alike."""
    parms = tunnel.parms
    return {
        "link": parms.link, "local": ip6_tunnel.packed(parms.laddr), "remote": ip6_tunnel.packed(parms.raddr),
        "ttl": parms.hop_limit, "encap_limit": parms.encap_limit, "flowinfo": parms.flowinfo, "flags": parms.flags,
        "fwmark": parms.fwmark, "collect_metadata": True if parms.collect_md else None,
    } | tunnel.encap.told()


KIND = Ip6tnl()
