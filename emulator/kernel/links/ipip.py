"""ipip: IPv4, or labels, in IPv4 (net/ipv4/ipip.c).

What IPv6 says by itself is nothing that such a tunnel carries, so that is an error of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.tunnels import encap, ip_tunnel
from nlemu.emulator.kernel.tunnels.ip_tunnel import IpTunnel, IpTunnelKind, IpTunnelOps, Parms
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device

ADDRESS_SIZE = 4
NOARP, POINTOPOINT = int(IFF.NOARP), int(IFF.POINTOPOINT)
IPIP, MPLS = int(IpProto.IPIP), int(IpProto.MPLS)
FEATURES = features.SG | features.FRAGLIST | features.HIGHDMA | features.GSO_SOFTWARE | features.HW_CSUM


@dataclass(slots=True)
class IptunParams:
    """IFLA_INFO_DATA of ipip and sit; None: it was not there. Addresses are bytes."""

    link: int | None = None
    local: bytes | None = None
    remote: bytes | None = None
    ttl: int | None = None
    tos: int | None = None
    flags: int | None = None
    proto: int | None = None
    pmtudisc: int | None = None
    sixrd_prefix: bytes | None = None
    sixrd_relay_prefix: bytes | None = None
    sixrd_prefixlen: int | None = None
    sixrd_relay_prefixlen: int | None = None
    encap_type: int | None = None
    encap_flags: int | None = None
    encap_sport: int | None = None
    encap_dport: int | None = None
    collect_metadata: bool | None = None
    fwmark: int | None = None


def address(packed: bytes | None) -> int:
    """An address of IPv4, 0 for none; of more bytes than it has the first are taken."""
    return 0 if packed is None else int.from_bytes(packed[:ADDRESS_SIZE], "big")


def packed(number: int) -> bytes:
    """The other way."""
    return number.to_bytes(ADDRESS_SIZE, "big")


def read_iptun(data: IptunParams, parms: Parms) -> Parms:
    """ip_tunnel_netlink_parms()"""
    parms.link = data.link or 0
    parms.saddr, parms.daddr = address(data.local), address(data.remote)
    if data.ttl is not None:
        parms.ttl = data.ttl
        parms.df = bool(data.ttl)
    if data.tos is not None:
        parms.tos = data.tos
    if data.pmtudisc is None or data.pmtudisc:
        parms.df = True
    if data.proto is not None:
        parms.protocol = data.proto
    return parms


class IpipOps(IpTunnelOps):
    """ipip_netdev_ops."""

    def init(self, dev: Device) -> None:
        tunnel: IpTunnel = dev.priv
        ip_tunnel.set_ends(dev, tunnel.parms)
        tunnel.tun_hlen = 0
        tunnel.hlen = tunnel.encap_hlen

    def change_mtu(self, dev: Device, mtu: int) -> None:
        ip_tunnel.change_mtu(dev, mtu)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """ipip_tunnel_xmit(), of a packet of IPv6."""
        dev.stats.tx_errors += 1
        dev.changed()
        return Xmit.SUCCESS, None


OPS = IpipOps()


def setup(dev: Device) -> None:
    """ipip_tunnel_setup()."""
    dev.type = int(ARPHRD.TUNNEL)
    dev.flags = NOARP
    dev.addr_len = ADDRESS_SIZE
    dev.address = dev.broadcast = dev.perm_address = bytes(ADDRESS_SIZE)
    dev.features = dev.hw_features = FEATURES
    dev.priv = IpTunnel(dev, dev.net)


class Ipip(IpTunnelKind):
    """ipip_link_ops."""

    name = "ipip"
    option = "NET_IPIP"
    ops = OPS
    setup = staticmethod(setup)
    params = IptunParams

    def validate(self, params: LinkParams) -> None:
        data: IptunParams | None = params.data
        if data is not None and data.proto not in (None, 0, IPIP, MPLS):
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        data: IptunParams = params.data or IptunParams()
        tunnel: IpTunnel = dev.priv
        tunnel.wrap(encap.read(params.data))
        tunnel.collect_md = bool(data.collect_metadata)
        ip_tunnel.new_link(dev, self._parms(params.data), data.fwmark or 0, params)

    def _parms(self, data: IptunParams | None) -> Parms:
        """ipip_netlink_parms()"""
        parms = Parms(protocol=IPIP)
        return parms if data is None else read_iptun(data, parms)

    def change(self, dev: Device, data: IptunParams, params: LinkParams) -> None:
        tunnel: IpTunnel = dev.priv
        tunnel.wrap(encap.read(data))
        parms = self._parms(data)
        fwmark = tunnel.fwmark if data.fwmark is None else data.fwmark
        if data.collect_metadata or bool(dev.flags & POINTOPOINT) != bool(parms.daddr):
            raise Refusal(EINVAL)
        ip_tunnel.change_link(dev, parms, fwmark, mtu_said=params.mtu is not None)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        tunnel: IpTunnel = dev.priv
        return told(tunnel) | {"collect_metadata": True if tunnel.collect_md else None}


def told(tunnel: IpTunnel) -> dict[str, Any]:
    """What ipip and sit tell alike."""
    parms = tunnel.parms
    return {
        "link": parms.link, "local": packed(parms.saddr), "remote": packed(parms.daddr), "ttl": parms.ttl,
        "tos": parms.tos, "proto": parms.protocol, "pmtudisc": int(parms.df), "fwmark": tunnel.fwmark,
    } | tunnel.encap.told()


KIND = Ipip()
