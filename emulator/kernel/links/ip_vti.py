"""vti: tunnels for what IPsec protects (net/ipv4/ip_vti.c). No policy is looked at: what is sent has no way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.links.ipip import address, packed
from nlemu.emulator.kernel.tunnels import ip_tunnel
from nlemu.emulator.kernel.tunnels.ip_tunnel import IpTunnel, IpTunnelKind, IpTunnelOps, Parms
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device

ADDRESS_SIZE = 4


@dataclass(slots=True)
class VtiParams:
    """IFLA_INFO_DATA of a vti; None: it was not there. Addresses are bytes."""

    link: int | None = None
    ikey: int | None = None
    okey: int | None = None
    local: bytes | None = None
    remote: bytes | None = None
    fwmark: int | None = None


class VtiOps(IpTunnelOps):
    """vti_netdev_ops."""

    def init(self, dev: Device) -> None:
        ip_tunnel.set_ends(dev, dev.priv.parms)
        dev.flags = int(IFF.NOARP)
        dev.addr_len = ADDRESS_SIZE

    def change_mtu(self, dev: Device, mtu: int) -> None:
        ip_tunnel.change_mtu(dev, mtu)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """vti_tunnel_xmit(), where no policy says how."""
        dev.stats.tx_carrier_errors += 1
        dev.stats.tx_errors += 1
        dev.changed()
        return Xmit.SUCCESS, None


OPS = VtiOps()


def setup(dev: Device) -> None:
    """vti_tunnel_setup()."""
    dev.type = int(ARPHRD.TUNNEL)
    dev.address = dev.broadcast = dev.perm_address = bytes(ADDRESS_SIZE)
    dev.priv = IpTunnel(dev, dev.net)


class Vti(IpTunnelKind):
    """vti_link_ops."""

    name = "vti"
    option = "NET_IPVTI"
    ops = OPS
    setup = staticmethod(setup)
    params = VtiParams

    def _parms(self, data: VtiParams | None) -> Parms:
        """vti_netlink_parms()"""
        parms = Parms(protocol=int(IpProto.IPIP))
        if data is None:
            return parms
        parms.vti = True
        parms.link, parms.i_key, parms.o_key = data.link or 0, data.ikey or 0, data.okey or 0
        parms.saddr, parms.daddr = address(data.local), address(data.remote)
        return parms

    def new_link(self, dev: Device, params: LinkParams) -> None:
        data: VtiParams | None = params.data
        ip_tunnel.new_link(dev, self._parms(data), 0 if data is None else data.fwmark or 0, params)

    def change(self, dev: Device, data: VtiParams, params: LinkParams) -> None:
        fwmark = dev.priv.fwmark if data.fwmark is None else data.fwmark
        ip_tunnel.change_link(dev, self._parms(data), fwmark, mtu_said=params.mtu is not None)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        tunnel: IpTunnel = dev.priv
        parms = tunnel.parms
        return {
            "link": parms.link, "ikey": parms.i_key, "okey": parms.o_key, "local": packed(parms.saddr),
            "remote": packed(parms.daddr), "fwmark": tunnel.fwmark,
        }


KIND = Vti()
