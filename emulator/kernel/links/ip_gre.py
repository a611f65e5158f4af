"""gre, gretap and erspan: anything, or Ethernet, in GRE over IPv4 (net/ipv4/ip_gre.c).

A gre device without another end, or whose other end is a group, puts the outer header in itself (header_ops), and then
its length is that of the device's own. Of erspan there are three versions, which say different things.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EADDRNOTAVAIL, EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING, Any, Protocol

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.address import (
    check_address,
    check_new_address,
    ether_setup,
    set_ethernet_mac,
)
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import groups
from nlemu.emulator.kernel.ipv4 import lookup as lookup4
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.links.ipip import address, packed
from nlemu.emulator.kernel.tunnels import address as tunnel_address
from nlemu.emulator.kernel.tunnels import encap, ip_tunnel, xmit
from nlemu.emulator.kernel.tunnels.ip_tunnel import IP_HEADER, IpTunnel, IpTunnelKind, IpTunnelOps, Parms
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_tunnel import GreFlag
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.devices.device import Device

GRE = int(IpProto.GRE)
IPGRE, ETHER, NONE = int(ARPHRD.IPGRE), int(ARPHRD.ETHER), int(ARPHRD.NONE)
NOARP, BROADCAST = int(IFF.NOARP), int(IFF.BROADCAST)
CSUM, KEY, SEQ = int(GreFlag.CSUM), int(GreFlag.KEY), int(GreFlag.SEQ)
UNWANTED = int(GreFlag.VERSION | GreFlag.ROUTING)
SINGLE = int(GreFlag.CSUM | GreFlag.ROUTING | GreFlag.KEY | GreFlag.SEQ | GreFlag.STRICT)
SEVERAL = (int(GreFlag.REC), int(GreFlag.VERSION))
WORD, ADDRESS_SIZE = 4, 4
FEATURES = features.SG | features.FRAGLIST | features.HIGHDMA | features.HW_CSUM
ID_MASK, INDEX_MASK, DIR_MASK, HWID_MASK = 0x3FF, 0xFFFFF, 0x1, 0x3F
ERSPAN_HEADERS = {0: 0, 1: 8, 2: 12}
"""erspan_hdr_len(): by version, in bytes."""
TOO_LATE = "Enabling collect_md on an existing device is not supported"


class Session(Protocol):
    """What a request says of an erspan session."""

    iflags: int | None
    oflags: int | None
    ikey: int | None
    okey: int | None
    collect_metadata: bool | None


@dataclass(slots=True)
class GreParams:
    """IFLA_INFO_DATA of gre, gretap and erspan; None: it was not there. Addresses are bytes."""

    link: int | None = None
    iflags: int | None = None
    oflags: int | None = None
    ikey: int | None = None
    okey: int | None = None
    local: bytes | None = None
    remote: bytes | None = None
    ttl: int | None = None
    tos: int | None = None
    pmtudisc: int | None = None
    encap_type: int | None = None
    encap_flags: int | None = None
    encap_sport: int | None = None
    encap_dport: int | None = None
    collect_metadata: bool | None = None
    ignore_df: int | None = None
    fwmark: int | None = None
    erspan_index: int | None = None
    erspan_ver: int | None = None
    erspan_dir: int | None = None
    erspan_hwid: int | None = None


@dataclass(slots=True, eq=False)
class GreTunnel(IpTunnel):
    """One of these three. heads: it puts the outer header in itself; joined: the device that listens to the group
    that is its other end, by index; the rest: of erspan."""

    heads: bool = False
    joined: int = 0
    erspan_ver: int = 1
    index: int = 0
    dir: int = 0
    hwid: int = 0


def known_flags(flags: int) -> int:
    """gre_flags_to_tnl_flags() and back: of some fields only whether there is anything in them."""
    return flags & SINGLE | sum(bits for bits in SEVERAL if flags & bits)


def calc_hlen(flags: int) -> int:
    """gre_calc_hlen(): of a header of GRE with those flags, in bytes."""
    return WORD + WORD * sum(bool(flags & one) for one in (CSUM, KEY, SEQ))


# The devices


def _segments(tunnel: GreTunnel) -> bool:
    """Whether segmentation can be left to the device below."""
    flags = tunnel.parms.o_flags
    return not flags & SEQ and not (flags & CSUM and tunnel.encap.type)


def init(dev: Device) -> None:
    """__gre_tunnel_init()"""
    tunnel: GreTunnel = dev.priv
    tunnel.tun_hlen = calc_hlen(tunnel.parms.o_flags)
    tunnel.parms.protocol = GRE
    tunnel.hlen = tunnel.tun_hlen + tunnel.encap_hlen
    dev.needed_headroom = tunnel.header
    more = FEATURES | (features.GSO_SOFTWARE if _segments(tunnel) else 0)
    dev.features |= more
    dev.hw_features |= more


class CommonOps(IpTunnelOps):
    """What all three drivers have."""

    def change_mtu(self, dev: Device, mtu: int) -> None:
        ip_tunnel.change_mtu(dev, mtu)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """ipgre_xmit(), of a packet to a group of IPv6, gre_tap_xmit(), erspan_xmit(): without another end it leads
        nowhere."""
        tunnel: GreTunnel = dev.priv
        if tunnel.heads and not any(neighbour.sent_to(dev)):
            return Xmit.DROP, None  # ipgre_header() finds nobody to send it to: the device never sees it
        if tunnel.collect_md:
            dev.stats.tx_dropped += 1
        elif not tunnel.parms.daddr:
            dev.stats.tx_errors += 1
        else:
            send(tunnel, size)
        dev.changed()
        return Xmit.SUCCESS, None


class GreOps(CommonOps):
    """ipgre_netdev_ops."""

    def init(self, dev: Device) -> None:
        tunnel: GreTunnel = dev.priv
        init(dev)
        ip_tunnel.set_ends(dev, tunnel.parms)
        dev.flags = NOARP
        dev.addr_len = ADDRESS_SIZE
        if tunnel.collect_md:
            return
        if ip4.is_multicast(tunnel.parms.daddr):
            if not tunnel.parms.saddr:
                raise Refusal(EINVAL)
            dev.flags = BROADCAST
        elif tunnel.parms.daddr:
            return
        tunnel.heads = True
        dev.hard_header_len = tunnel.header
        dev.needed_headroom = 0

    def open(self, dev: Device) -> None:
        """ipgre_open(): EADDRNOTAVAIL."""
        tunnel: GreTunnel = dev.priv
        parms = tunnel.parms
        if not ip4.is_multicast(parms.daddr):
            return
        try:
            through = lookup4.find_way(tunnel.net, Flow(parms.daddr, parms.saddr, oif=parms.link)).dev
        except Refusal as refused:
            raise Refusal(EADDRNOTAVAIL) from refused
        if through.ip4 is None:
            raise Refusal(EADDRNOTAVAIL)
        tunnel.joined = through.ifindex
        groups.join(through, through.ip4, parms.daddr)

    def stop(self, dev: Device) -> None:
        """ipgre_close()"""
        tunnel: GreTunnel = dev.priv
        through = tunnel.net.device(tunnel.joined) if tunnel.joined else None
        if ip4.is_multicast(tunnel.parms.daddr) and through is not None and through.ip4 is not None:
            groups.leave(through, through.ip4, tunnel.parms.daddr)


def send(tunnel: IpTunnel, size: int) -> None:
    """ip_tunnel_xmit()"""
    parms = tunnel.parms
    source, remote = tunnel_address.ipv4(packed(parms.saddr)), tunnel_address.ipv4(packed(parms.daddr))
    try:
        through = xmit.find_way(tunnel.dev, tunnel.net, source, remote, parms.link)
    except Refusal as refused:
        xmit.count_error(tunnel.dev, refused)
        return
    xmit.send(tunnel.dev, through, remote, size, tunnel.hlen + IP_HEADER)


class TapOps(CommonOps):
    """gre_tap_netdev_ops."""

    def init(self, dev: Device) -> None:
        init(dev)

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)


class ErspanOps(TapOps):
    """erspan_netdev_ops"""

    def init(self, dev: Device) -> None:
        tunnel: GreTunnel = dev.priv
        tunnel.tun_hlen = WORD if tunnel.erspan_ver == 0 else 2 * WORD
        tunnel.parms.protocol = GRE
        tunnel.hlen = tunnel.tun_hlen + tunnel.encap_hlen + ERSPAN_HEADERS[tunnel.erspan_ver]
        dev.features |= FEATURES
        dev.hw_features |= FEATURES


def gre_setup(dev: Device) -> None:
    """ipgre_tunnel_setup()."""
    dev.type = IPGRE
    dev.address = dev.broadcast = dev.perm_address = bytes(ADDRESS_SIZE)
    dev.priv = GreTunnel(dev, dev.net)


def tap_setup(dev: Device) -> None:
    """ipgre_tap_setup(), erspan_setup()."""
    ether_setup(dev)
    dev.max_mtu = 0
    dev.live_address_change = True
    dev.priv = GreTunnel(dev, dev.net)


# The kinds


class Gre(IpTunnelKind):
    """ipgre_link_ops."""

    name = "gre"
    option = "NET_IPGRE"
    ops: DeviceOps = GreOps()
    setup = staticmethod(gre_setup)
    params = GreParams
    updates = True
    """ipgre_link_update() follows a change."""

    def validate(self, params: LinkParams) -> None:
        data: GreParams | None = params.data
        if data is None:
            return
        if ((data.iflags or 0) | (data.oflags or 0)) & UNWANTED:
            raise Refusal(EINVAL)
        if data.collect_metadata and data.encap_type:
            raise Refusal(EINVAL)

    def read(self, dev: Device, data: GreParams | None) -> Parms:
        """ipgre_netlink_parms(): EINVAL, and what was said before that stays."""
        tunnel: GreTunnel = dev.priv
        parms = Parms(protocol=GRE)
        if data is None:
            return parms
        parms.link = data.link or 0
        parms.i_flags, parms.o_flags = known_flags(data.iflags or 0), known_flags(data.oflags or 0)
        parms.i_key, parms.o_key = data.ikey or 0, data.okey or 0
        parms.saddr, parms.daddr = address(data.local), address(data.remote)
        parms.ttl, parms.tos = data.ttl or 0, data.tos or 0
        if data.pmtudisc is None or data.pmtudisc:
            if tunnel.ignore_df:
                raise Refusal(EINVAL)
            parms.df = True
        if data.collect_metadata:
            tunnel.collect_md = True
            if dev.type == IPGRE:
                dev.type = NONE
        if data.ignore_df is not None:
            if data.ignore_df and parms.df:
                raise Refusal(EINVAL)
            tunnel.ignore_df = bool(data.ignore_df)
        return parms

    def new_link(self, dev: Device, params: LinkParams) -> None:
        data: GreParams | None = params.data
        dev.priv.wrap(encap.read(data))
        parms = self.read(dev, data)
        ip_tunnel.new_link(dev, parms, 0 if data is None else data.fwmark or 0, params)

    def change(self, dev: Device, data: GreParams, params: LinkParams) -> None:
        tunnel: GreTunnel = dev.priv
        if data.collect_metadata and not tunnel.collect_md:
            raise Refusal(EOPNOTSUPP, TOO_LATE)
        tunnel.wrap(encap.read(data))
        parms = self.read(dev, data)
        fwmark = tunnel.fwmark if data.fwmark is None else data.fwmark
        ip_tunnel.change_link(dev, parms, fwmark, mtu_said=params.mtu is not None)
        tunnel.parms.i_flags, tunnel.parms.o_flags = parms.i_flags, parms.o_flags
        if self.updates:
            update(dev, set_mtu=params.mtu is None)
        dev.changed()

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        tunnel: GreTunnel = dev.priv
        parms = tunnel.parms
        return {
            "link": parms.link, "iflags": parms.i_flags, "oflags": parms.o_flags, "ikey": parms.i_key,
            "okey": parms.o_key, "local": packed(parms.saddr), "remote": packed(parms.daddr), "ttl": parms.ttl,
            "tos": parms.tos, "pmtudisc": int(parms.df), "fwmark": tunnel.fwmark,
            "ignore_df": int(tunnel.ignore_df), "collect_metadata": True if tunnel.collect_md else None,
        } | tunnel.encap.told()


def update(dev: Device, *, set_mtu: bool) -> None:
    """ipgre_link_update(): its header may have another length now."""
    tunnel: GreTunnel = dev.priv
    longer = calc_hlen(tunnel.parms.o_flags) - tunnel.tun_hlen
    tunnel.tun_hlen += longer
    tunnel.hlen += longer
    if tunnel.heads or dev.type == ETHER:
        dev.hard_header_len += longer
    else:
        dev.needed_headroom += longer
    if set_mtu:
        dev.mtu = max(dev.mtu - longer, 68)
    if _segments(tunnel):
        dev.features |= features.GSO_SOFTWARE
        dev.hw_features |= features.GSO_SOFTWARE
    else:
        dev.features &= ~features.GSO_SOFTWARE
        dev.hw_features &= ~features.GSO_SOFTWARE
    dev.changed()


class Gretap(Gre):
    """ipgre_tap_ops."""

    name = "gretap"
    ops = TapOps()
    setup = staticmethod(tap_setup)

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)
        data: GreParams | None = params.data
        if data is not None and data.remote is not None and not address(data.remote):
            raise Refusal(EINVAL)
        super().validate(params)


def check_session(data: Session) -> None:
    """What erspan_validate() and ip6erspan_tap_validate() want alike: a sequence, and a key that is a session's.
    EINVAL."""
    if not data.collect_metadata and (data.iflags or 0) | (data.oflags or 0) != SEQ | KEY:
        raise Refusal(EINVAL)
    if ((data.ikey or 0) | (data.okey or 0)) & ~ID_MASK:
        raise Refusal(EINVAL)


class Erspan(Gretap):
    """erspan_link_ops."""

    name = "erspan"
    ops = ErspanOps()
    updates = False

    def validate(self, params: LinkParams) -> None:
        data: GreParams | None = params.data
        if data is None:
            return
        super().validate(params)
        if data.erspan_ver == 0:
            return
        check_session(data)

    def read(self, dev: Device, data: GreParams | None) -> Parms:
        """erspan_netlink_parms()"""
        parms = super().read(dev, data)
        tunnel: GreTunnel = dev.priv
        if data is None:
            return parms
        if data.erspan_ver is not None:
            tunnel.erspan_ver = data.erspan_ver
            if data.erspan_ver > 2:
                raise Refusal(EINVAL)
        if tunnel.erspan_ver == 1 and data.erspan_index is not None:
            tunnel.index = data.erspan_index
            if tunnel.index & ~INDEX_MASK:
                raise Refusal(EINVAL)
        if tunnel.erspan_ver == 2:
            if data.erspan_dir is not None:
                tunnel.dir = data.erspan_dir
                if tunnel.dir & ~DIR_MASK:
                    raise Refusal(EINVAL)
            if data.erspan_hwid is not None:
                tunnel.hwid = data.erspan_hwid
                if tunnel.hwid & ~HWID_MASK:
                    raise Refusal(EINVAL)
        return parms

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        """erspan_fill_info(): who tells of it makes it have a key."""
        tunnel: GreTunnel = dev.priv
        version = tunnel.erspan_ver
        if version > 2:
            return super().fill_info(dev)
        if version and not tunnel.collect_md:
            tunnel.parms.o_flags |= KEY
        return {
            **super().fill_info(dev), "erspan_ver": version, "erspan_index": tunnel.index if version == 1 else None,
            "erspan_dir": tunnel.dir if version == 2 else None, "erspan_hwid": tunnel.hwid if version == 2 else None,
        }


KINDS = (Gre(), Gretap(), Erspan())
