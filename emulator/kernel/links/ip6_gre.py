"""ip6gre, ip6gretap and ip6erspan: anything, or Ethernet, in GRE over IPv6 (net/ipv6/ip6_gre.c).

An ip6gre device without another end puts the outer header in itself (header_ops), and then its length is that of the
device's own. All three kinds are in one table, so that no two alike may have the same ends and key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import EEXIST, EINVAL
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.address import (
    check_address,
    check_new_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
)
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.links.ip6_tnl import told
from nlemu.emulator.kernel.links.ip_gre import (
    DIR_MASK,
    ERSPAN_HEADERS,
    HWID_MASK,
    INDEX_MASK,
    WORD,
    calc_hlen,
    check_session,
    known_flags,
)
from nlemu.emulator.kernel.tunnels import encap, ip6_tunnel
from nlemu.emulator.kernel.tunnels.ip6_tunnel import (
    ETHER,
    IPV6_MIN_MTU,
    Ip6Tunnel,
    Ip6TunnelKind,
    Ip6TunnelNet,
    Ip6TunnelOps,
    Parms6,
)
from nlemu.emulator.kernel.tunnels.ip_tunnel import LL_MAX_HEADER, MAX_HEADROOM
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN, ETH_HLEN
from nlemu.protocol.uapi.if_tunnel import GreFlag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NAME = "ip6gre"
IP6GRE = int(ARPHRD.IP6GRE)
CSUM, KEY, SEQ = int(GreFlag.CSUM), int(GreFlag.KEY), int(GreFlag.SEQ)
UNWANTED = int(GreFlag.VERSION | GreFlag.ROUTING)
FEATURES = features.SG | features.FRAGLIST | features.HIGHDMA | features.HW_CSUM


@dataclass(slots=True)
class Gre6Params:
    """IFLA_INFO_DATA of ip6gre, ip6gretap and ip6erspan; None: it was not there. Addresses are bytes."""

    link: int | None = None
    iflags: int | None = None
    oflags: int | None = None
    ikey: int | None = None
    okey: int | None = None
    local: bytes | None = None
    remote: bytes | None = None
    ttl: int | None = None
    encap_limit: int | None = None
    flowinfo: int | None = None
    flags: int | None = None
    encap_type: int | None = None
    encap_flags: int | None = None
    encap_sport: int | None = None
    encap_dport: int | None = None
    collect_metadata: bool | None = None
    fwmark: int | None = None
    erspan_index: int | None = None
    erspan_ver: int | None = None
    erspan_dir: int | None = None
    erspan_hwid: int | None = None


def find(known: Ip6TunnelNet, parms: Parms6, kind: int) -> Ip6Tunnel | None:
    """ip6gre_tunnel_find(): kind: the type of its device (ARPHRD_*). That a key is one need no flag say."""
    wanted = parms.laddr, parms.raddr, parms.i_key, parms.link, kind
    for one in known.tunnels:
        theirs = one.parms
        if (theirs.laddr, theirs.raddr, theirs.i_key, theirs.link, one.dev.type) == wanted:
            return one
    return None


class GreOps(Ip6TunnelOps):
    """ip6gre_netdev_ops."""

    def measure(self, tunnel: Ip6Tunnel) -> int:
        """ip6gre_calc_hlen()"""
        dev = tunnel.dev
        tunnel.tun_hlen = calc_hlen(tunnel.parms.o_flags)
        tunnel.hlen = tunnel.tun_hlen + tunnel.encap_hlen
        if tunnel.heads:
            dev.hard_header_len = tunnel.header
        else:
            dev.needed_headroom = LL_MAX_HEADER + tunnel.header
        return tunnel.header

    def configure(self, tunnel: Ip6Tunnel, *, set_mtu: bool) -> None:
        """ip6gre_tnl_link_config()"""
        dev = tunnel.dev
        ip6_tunnel.set_ends(tunnel)
        header = self.measure(tunnel)
        below = ip6_tunnel.way_out(tunnel)
        if below is not None:
            dev.needed_headroom = min(below.hard_header_len + header, MAX_HEADROOM)
            if set_mtu:
                dev.mtu = max(below.mtu - header - tunnel.limit - link_header(dev), IPV6_MIN_MTU)
        dev.changed()

    def init(self, dev: Device) -> None:
        tunnel: Ip6Tunnel = dev.priv
        self.begin(tunnel)
        if tunnel.parms.collect_md:
            return
        dev.address, dev.broadcast = ip6_tunnel.packed(tunnel.parms.laddr), ip6_tunnel.packed(tunnel.parms.raddr)
        tunnel.heads = not tunnel.parms.raddr

    def begin(self, tunnel: Ip6Tunnel) -> None:
        """ip6gre_tunnel_init_common()"""
        dev, parms = tunnel.dev, tunnel.parms
        dev.mtu = ETH_DATA_LEN - self.measure(tunnel) - link_header(dev) - tunnel.limit
        segments = not parms.o_flags & SEQ and not (parms.o_flags & CSUM and tunnel.encap.type)
        more = FEATURES | (features.GSO_SOFTWARE if segments else 0)
        dev.features |= more
        dev.hw_features |= more

    def change_mtu(self, dev: Device, mtu: int) -> None:
        ip6_tunnel.change_mtu(dev, mtu)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """ip6gre_tunnel_xmit(), ip6erspan_tunnel_xmit(), of a packet to a group of IPv6."""
        tunnel: Ip6Tunnel = dev.priv
        parms = tunnel.parms
        if tunnel.heads and not any(neighbour.sent_to(dev)):
            return Xmit.DROP, None  # ip6gre_header() finds nobody to send it to: the device never sees it
        if parms.collect_md:
            dev.stats.tx_dropped += 1
        elif not ip6_tunnel.may_send(tunnel, parms.laddr, parms.raddr):
            ip6_tunnel.fail(dev)
        else:
            try:
                ip6_tunnel.send(tunnel, size)
            except Refusal:
                ip6_tunnel.fail(dev)
        dev.changed()
        return Xmit.SUCCESS, None


def link_header(dev: Device) -> int:
    """How long the header of Ethernet is inside, in bytes."""
    return ETH_HLEN if dev.type == ETHER else 0


class TapOps(GreOps):
    """ip6gre_tap_netdev_ops. There are no ethtool_ops."""

    def init(self, dev: Device) -> None:
        self.begin(dev.priv)

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)


class ErspanOps(TapOps):
    """ip6erspan_netdev_ops"""

    def measure(self, tunnel: Ip6Tunnel) -> int:
        """ip6erspan_calc_hlen()"""
        tunnel.tun_hlen = 2 * WORD
        tunnel.hlen = tunnel.tun_hlen + tunnel.encap_hlen + ERSPAN_HEADERS[tunnel.parms.erspan_ver]
        tunnel.dev.needed_headroom = LL_MAX_HEADER + tunnel.header
        return tunnel.header

    def begin(self, tunnel: Ip6Tunnel) -> None:
        """ip6erspan_tap_init(): as in Linux, without features."""
        tunnel.dev.mtu = ETH_DATA_LEN - self.measure(tunnel) - link_header(tunnel.dev) - tunnel.limit
        self.configure(tunnel, set_mtu=True)


def gre_setup(dev: Device) -> None:
    """ip6gre_tunnel_setup()."""
    dev.type = IP6GRE
    dev.flags = int(IFF.NOARP)
    ip6_tunnel.draw_address(dev)
    dev.priv = Ip6Tunnel(dev, dev.net)


def tap_setup(dev: Device) -> None:
    """ip6gre_tap_setup(), ip6erspan_tap_setup()."""
    ether_setup(dev)
    dev.max_mtu = 0
    dev.live_address_change = True
    dev.priv = Ip6Tunnel(dev, dev.net)


class Ip6gre(Ip6TunnelKind):
    """ip6gre_link_ops."""

    name = table = NAME
    option = "IPV6_GRE"
    ops: GreOps = GreOps()
    setup = staticmethod(gre_setup)
    params = Gre6Params

    def validate(self, params: LinkParams) -> None:
        data: Gre6Params | None = params.data
        if data is not None and ((data.iflags or 0) | (data.oflags or 0)) & UNWANTED:
            raise Refusal(EINVAL)

    def read(self, data: Gre6Params | None) -> Parms6:
        """ip6gre_netlink_parms()"""
        if data is None:
            return Parms6()
        return Parms6(
            link=data.link or 0, i_flags=known_flags(data.iflags or 0), o_flags=known_flags(data.oflags or 0),
            i_key=data.ikey or 0, o_key=data.okey or 0, laddr=ip6_tunnel.number(data.local),
            raddr=ip6_tunnel.number(data.remote), flags=data.flags or 0, hop_limit=data.ttl or 0,
            encap_limit=data.encap_limit or 0, flowinfo=data.flowinfo or 0, fwmark=data.fwmark or 0,
            collect_md=bool(data.collect_metadata),
        )

    def takes_metadata(self, tunnel: Ip6Tunnel) -> bool:
        """Whether it is the one that does, among those alike: ip6gre and ip6gretap, or ip6erspan."""
        kind = tunnel.dev.kind
        return tunnel.parms.collect_md and isinstance(kind, Ip6erspan) == isinstance(self, Ip6erspan)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        tunnel: Ip6Tunnel = dev.priv
        tunnel.net = params.named_net or dev.net
        tunnel.parms = self.read(params.data)
        known = ip6_tunnel.known_with(tunnel)
        if tunnel.parms.collect_md:
            if any(self.takes_metadata(one) for one in known.tunnels):
                raise Refusal(EEXIST)
        elif find(known, tunnel.parms, dev.type) is not None:
            raise Refusal(EEXIST)
        tunnel.wrap(encap.read(params.data))
        if dev.type == ETHER and params.address is None:
            randomize_address(dev)
        register(dev)
        ip6_tunnel.try_mtu(dev, params.mtu)
        self.ops.configure(tunnel, set_mtu=params.mtu is None)
        known.tunnels.insert(0, tunnel)

    def change(self, dev: Device, data: Gre6Params, params: LinkParams) -> None:
        tunnel: Ip6Tunnel = dev.priv
        known = ip6_tunnel.known_with(tunnel)
        if known.fallback is dev:
            raise Refusal(EINVAL)
        tunnel.wrap(encap.read(data))
        parms = self.read(data)
        other = find(known, parms, IP6GRE)
        if other is not None and other.dev is not dev:
            raise Refusal(EEXIST)
        tunnel.parms = replace(parms, collect_md=tunnel.parms.collect_md)
        self.ops.configure(tunnel, set_mtu=params.mtu is None)
        ip6_tunnel.relink(known, tunnel)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        tunnel: Ip6Tunnel = dev.priv
        parms = tunnel.parms
        version = parms.erspan_ver
        known = version in (1, 2)
        return told(tunnel) | {
            "iflags": parms.i_flags, "oflags": parms.o_flags | (KEY if known and not parms.collect_md else 0),
            "ikey": parms.i_key, "okey": parms.o_key, "erspan_ver": version if known else None,
            "erspan_index": parms.index if version == 1 else None, "erspan_dir": parms.dir if version == 2 else None,
            "erspan_hwid": parms.hwid if version == 2 else None,
        }


class Ip6gretap(Ip6gre):
    """ip6gre_tap_ops."""

    name = "ip6gretap"
    ops = TapOps()
    setup = staticmethod(tap_setup)

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)
        data: Gre6Params | None = params.data
        if data is not None and data.remote is not None and not ip6_tunnel.number(data.remote):
            raise Refusal(EINVAL)
        super().validate(params)

    def del_link(self, dev: Device, kill: KillList) -> None:
        queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """ip6gre does it."""


class Ip6erspan(Ip6gretap):
    """ip6erspan_tap_ops."""

    name = "ip6erspan"
    ops = ErspanOps()

    def validate(self, params: LinkParams) -> None:
        data: Gre6Params | None = params.data
        if data is None:
            return
        super().validate(params)
        check_session(data)
        version = data.erspan_ver
        wrong = version not in (None, 1, 2) or (version == 1 and (data.erspan_index or 0) & ~INDEX_MASK) or (
            version == 2 and ((data.erspan_dir or 0) & ~DIR_MASK or (data.erspan_hwid or 0) & ~HWID_MASK)
        )
        if wrong:
            raise Refusal(EINVAL)

    def read(self, data: Gre6Params | None) -> Parms6:
        """ip6erspan_set_version(), after the rest."""
        parms = super().read(data)
        if data is None:
            return parms
        parms.erspan_ver = 1 if data.erspan_ver is None else data.erspan_ver
        if parms.erspan_ver == 1:
            parms.index = data.erspan_index or 0
        elif parms.erspan_ver == 2:
            parms.dir, parms.hwid = data.erspan_dir or 0, data.erspan_hwid or 0
        return parms


KINDS = (Ip6gre(), Ip6gretap(), Ip6erspan())
