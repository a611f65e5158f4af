"""vti6: tunnels for what IPsec protects (net/ipv6/ip6_vti.c). No policy is looked at: what is sent has no way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import EEXIST, EINVAL
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices import link_watch
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.tunnels import ip6_tunnel
from nlemu.emulator.kernel.tunnels.ip6_tunnel import (
    IP6_HEADER,
    IP_MAX_MTU,
    Ip6Tunnel,
    Ip6TunnelKind,
    Ip6TunnelNet,
    Ip6TunnelOps,
    Parms6,
)
from nlemu.emulator.kernel.tunnels.ip_tunnel import IPV4_MIN_MTU, LL_MAX_HEADER
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NAME = "vti6"


@dataclass(slots=True)
class Vti6Params:
    """IFLA_INFO_DATA of a vti6; None: it was not there. Addresses are bytes."""

    link: int | None = None
    ikey: int | None = None
    okey: int | None = None
    local: bytes | None = None
    remote: bytes | None = None
    fwmark: int | None = None


def read(data: Vti6Params | None) -> Parms6:
    """vti6_netlink_parms()"""
    if data is None:
        return Parms6()
    return Parms6(
        link=data.link or 0, laddr=ip6_tunnel.number(data.local), raddr=ip6_tunnel.number(data.remote),
        i_key=data.ikey or 0, o_key=data.okey or 0, fwmark=data.fwmark or 0,
    )


def locate(known: Ip6TunnelNet, parms: Parms6) -> Ip6Tunnel | None:
    """vti6_locate(), without making one: the device below does not tell two apart."""
    wanted = parms.laddr, parms.raddr
    return next((one for one in known.tunnels if (one.parms.laddr, one.parms.raddr) == wanted), None)


def configure(tunnel: Ip6Tunnel, *, keep_mtu: bool) -> None:
    """vti6_link_config()"""
    dev = tunnel.dev
    ip6_tunnel.set_ends(tunnel)
    if keep_mtu and dev.mtu:
        dev.mtu = min(max(dev.mtu, dev.min_mtu), dev.max_mtu)
        return
    below = ip6_tunnel.way_out(tunnel)
    if below is None and tunnel.parms.link:
        below = tunnel.net.device(tunnel.parms.link)
    mtu = ETH_DATA_LEN - LL_MAX_HEADER if below is None else below.mtu
    dev.mtu = max(mtu - IP6_HEADER, IPV4_MIN_MTU)


class Vti6Ops(Ip6TunnelOps):
    """vti6_netdev_ops."""

    def init(self, dev: Device) -> None:
        configure(dev.priv, keep_mtu=True)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """vti6_tnl_xmit(), where no policy says how."""
        dev.stats.tx_carrier_errors += 1
        ip6_tunnel.fail(dev)
        return Xmit.SUCCESS, None


OPS = Vti6Ops()


def setup(dev: Device) -> None:
    """vti6_dev_setup()."""
    dev.type = int(ARPHRD.TUNNEL6)
    dev.min_mtu, dev.max_mtu = IPV4_MIN_MTU, IP_MAX_MTU - IP6_HEADER
    dev.flags = int(IFF.NOARP)
    ip6_tunnel.draw_address(dev)
    dev.priv = Ip6Tunnel(dev, dev.net)


class Vti6(Ip6TunnelKind):
    """vti6_link_ops."""

    name = table = NAME
    option = "IPV6_VTI"
    ops = OPS
    setup = staticmethod(setup)
    params = Vti6Params

    def new_link(self, dev: Device, params: LinkParams) -> None:
        tunnel: Ip6Tunnel = dev.priv
        tunnel.net = params.named_net or dev.net
        tunnel.parms = replace(read(params.data), proto=int(IpProto.IPV6))
        known = ip6_tunnel.known_with(tunnel)
        if locate(known, tunnel.parms) is not None:
            raise Refusal(EEXIST)
        register(dev)
        known.tunnels.insert(0, tunnel)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """vti6_exit_rtnl_net(): those that were made from there; others go with their namespace, or leave it."""
        for tunnel in ip6_tunnel.of_net(net, NAME).tunnels:
            queue_unregister(tunnel.dev, kill)

    def change(self, dev: Device, data: Vti6Params, params: LinkParams) -> None:
        tunnel: Ip6Tunnel = dev.priv
        known = ip6_tunnel.known_with(tunnel)
        if known.fallback is dev:
            raise Refusal(EINVAL)
        parms = read(data)
        other = locate(known, parms)
        if other is not None and other.dev is not dev:
            raise Refusal(EEXIST)
        tunnel.parms = replace(parms, flags=tunnel.parms.flags)
        configure(tunnel, keep_mtu=params.mtu is not None)
        ip6_tunnel.relink(known, tunnel)
        dev.changed()
        link_watch.state_change(dev)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        tunnel: Ip6Tunnel = dev.priv
        parms = tunnel.parms
        return {
            "link": parms.link, "local": ip6_tunnel.packed(parms.laddr), "remote": ip6_tunnel.packed(parms.raddr),
            "ikey": parms.i_key, "okey": parms.o_key, "fwmark": parms.fwmark,
        }


KIND = Vti6()
