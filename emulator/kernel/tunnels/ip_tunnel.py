"""Tunnels through IPv4: struct ip_tunnel and what ipip, gre, gretap, erspan and vti have in common (ip_tunnel.c).

A tunnel has two ends, one of which may be missing, perhaps a key, and perhaps a device below. In a namespace no two of
a kind have the same, and one alone may take everything that metadata tells of. When it is made, and whenever its device
below is another, the way to the other end is looked up: it says how large packets may be, and how much room there must
be before them. The tunnel stays in the namespace that it was made from, wherever its device moves.

Addresses and keys are numbers here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from errno import EEXIST, EINVAL
from typing import TYPE_CHECKING, cast

from nlemu.emulator.kernel.devices import link_watch, settings
from nlemu.emulator.kernel.devices.address import randomize_address
from nlemu.emulator.kernel.devices.kind import Kind
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import queue_unregister, register, unregister
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import lookup as lookup4
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.tunnels.encap import Encap
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN, ETH_MIN_MTU
from nlemu.protocol.uapi.if_tunnel import GreFlag

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import LinkParams
    from nlemu.emulator.kernel.devices.register import KillList

IP_MAX_MTU, IPV4_MIN_MTU = 0xFFFF, 68
IP_HEADER = 20
LL_MAX_HEADER = 32
"""The room that is kept where nobody knows the device below."""
MAX_HEADROOM = 512
"""ip_tunnel_limit_headroom()"""
HASH_BITS, GOLDEN_RATIO = 7, 0x61C88647
ETHER, KEY = int(ARPHRD.ETHER), int(GreFlag.KEY)
POINTOPOINT, BROADCAST = int(IFF.POINTOPOINT), int(IFF.BROADCAST)


@dataclass(slots=True)
class Parms:
    """struct ip_tunnel_parm_kern: ends, keys and what the outer header has. i_flags, o_flags: GreFlag, of what comes in
    and goes out; vti: it has keys though no flag says so; df: what is sent is not to be fragmented."""

    link: int = 0
    i_flags: int = 0
    o_flags: int = 0
    i_key: int = 0
    o_key: int = 0
    saddr: int = 0
    daddr: int = 0
    protocol: int = 0
    ttl: int = 0
    tos: int = 0
    df: bool = False
    vti: bool = False


@dataclass(slots=True, eq=False)
class IpTunnel:
    """struct ip_tunnel. tun_hlen: of its own header, encap_hlen: of what is around it; hlen: of both; extra: what its
    kind keeps besides."""

    dev: Device
    net: Net
    parms: Parms = field(default_factory=Parms)
    fwmark: int = 0
    collect_md: bool = False
    ignore_df: bool = False
    encap: Encap = field(default_factory=Encap)
    tun_hlen: int = 0
    encap_hlen: int = 0
    hlen: int = 0

    @property
    def header(self) -> int:
        """t_hlen: of all headers, IPv4's too; in bytes."""
        return self.hlen + IP_HEADER

    def wrap(self, encap: Encap | None) -> None:
        """ip_tunnel_encap_setup(), if something was said: EINVAL, after which nothing is around it."""
        if encap is None:
            return
        self.encap = Encap()
        hlen = encap.hlen
        self.encap, self.encap_hlen, self.hlen = encap, hlen, hlen + self.tun_hlen


@dataclass(slots=True)
class IpTunnelNet:
    """struct ip_tunnel_net: the tunnels of a kind, the newest first. fallback: the device that takes what is for no
    other."""

    tunnels: list[IpTunnel] = field(default_factory=list)
    fallback: Device | None = None


def of_net(net: Net, kind: str) -> IpTunnelNet:
    """net_generic(net, ip_tnl_net_id)."""
    found = net.generic.get(kind)
    if found is None:
        found = net.generic[kind] = IpTunnelNet()
    return cast("IpTunnelNet", found)


def known_with(tunnel: IpTunnel) -> IpTunnelNet:
    """Those of its kind in the namespace that it was made from."""
    kind = tunnel.dev.kind
    assert kind is not None
    return of_net(tunnel.net, kind.name)


def _bucket(parms: Parms) -> int:
    """ip_bucket(): tunnels are looked for among those of the same hash alone, and the hash is of a key that nothing may
    say to be one."""
    remote = 0 if ip4.is_multicast(parms.daddr) else parms.daddr
    key = 0 if parms.vti and not parms.i_flags & KEY else parms.i_key
    raw = int.from_bytes((key ^ remote).to_bytes(4, "big"), "little")
    return (raw * GOLDEN_RATIO & 0xFFFFFFFF) >> 32 - HASH_BITS


def find(known: IpTunnelNet, parms: Parms, kind: int) -> IpTunnel | None:
    """ip_tunnel_find(): kind: the type of its device (ARPHRD_*)."""
    for one in known.tunnels:
        theirs = one.parms
        ends = (theirs.saddr, theirs.daddr, theirs.link) == (parms.saddr, parms.daddr, parms.link)
        if ends and one.dev.type == kind and _key_matches(theirs, parms) and _bucket(theirs) == _bucket(parms):
            return one
    return None


def _key_matches(theirs: Parms, parms: Parms) -> bool:
    """ip_tunnel_key_match()"""
    if not parms.i_flags & KEY:
        return not theirs.i_flags & KEY
    return bool(theirs.i_flags & KEY) and theirs.i_key == parms.i_key


def way_out(tunnel: IpTunnel, parms: Parms) -> Device | None:
    """The device that leads to the other end, or else the one below."""
    below = None
    if parms.daddr:
        flow = Flow(parms.daddr, parms.saddr, tos=parms.tos, oif=parms.link, mark=tunnel.fwmark)
        try:
            below = lookup4.find_way(tunnel.net, flow).dev
        except Refusal:
            below = None
    if below is None and parms.link:
        below = tunnel.net.device(parms.link)
    return below


def bind(tunnel: IpTunnel) -> int:
    """ip_tunnel_bind_dev(): the MTU that is right for it."""
    dev, parms = tunnel.dev, tunnel.parms
    room, mtu = LL_MAX_HEADER, ETH_DATA_LEN
    below = way_out(tunnel, parms)
    if parms.daddr and dev.type != ETHER:
        dev.flags |= POINTOPOINT
    if below is not None:
        room = below.hard_header_len + below.needed_headroom
        mtu = min(below.mtu, IP_MAX_MTU)
    dev.needed_headroom = min(tunnel.header + room, MAX_HEADROOM)
    dev.changed()
    return max(mtu - tunnel.header - _link_header(dev), IPV4_MIN_MTU)


def _link_header(dev: Device) -> int:
    return dev.hard_header_len if dev.type == ETHER else 0


def largest_mtu(tunnel: IpTunnel) -> int:
    """What __ip_tunnel_change_mtu() takes at most."""
    return IP_MAX_MTU - tunnel.header - _link_header(tunnel.dev)


def change_mtu(dev: Device, mtu: int) -> None:
    """ip_tunnel_change_mtu(): EINVAL."""
    if not ETH_MIN_MTU <= mtu <= largest_mtu(dev.priv):
        raise Refusal(EINVAL)
    dev.mtu = mtu


def new_link(dev: Device, parms: Parms, fwmark: int, params: LinkParams) -> None:
    """ip_tunnel_newlink(): EEXIST."""
    tunnel: IpTunnel = dev.priv
    tunnel.net = params.named_net or dev.net
    known = known_with(tunnel)
    if tunnel.collect_md:
        if any(one.collect_md for one in known.tunnels):
            raise Refusal(EEXIST)
    elif find(known, parms, dev.type) is not None:
        raise Refusal(EEXIST)
    tunnel.parms, tunnel.fwmark = parms, fwmark
    register(dev)
    if dev.type == ETHER and params.address is None:
        randomize_address(dev)
    mtu = bind(tunnel)
    if params.mtu is not None:
        mtu = min(max(dev.mtu, ETH_MIN_MTU), largest_mtu(tunnel))
    try:
        settings.set_mtu(dev, mtu)
    except Refusal:
        unregister(dev)
        raise
    known.tunnels.insert(0, tunnel)


def change_link(dev: Device, parms: Parms, fwmark: int, *, mtu_said: bool) -> None:
    """ip_tunnel_changelink(): EINVAL, EEXIST."""
    tunnel: IpTunnel = dev.priv
    known = known_with(tunnel)
    if known.fallback is dev:
        raise Refusal(EINVAL)
    other = find(known, parms, dev.type)
    if other is not None and other.dev is not dev:
        raise Refusal(EEXIST)
    if other is None and dev.type != ETHER and (dev.flags ^ flags_for(parms)) & (POINTOPOINT | BROADCAST):
        raise Refusal(EINVAL)
    update(tunnel, parms, fwmark, set_mtu=not mtu_said)


def flags_for(parms: Parms) -> int:
    """What the flags of a device must be for that other end: IFF_*."""
    if ip4.is_multicast(parms.daddr):
        return BROADCAST
    return POINTOPOINT if parms.daddr else 0


def update(tunnel: IpTunnel, parms: Parms, fwmark: int, *, set_mtu: bool) -> None:
    """ip_tunnel_update()"""
    dev, known = tunnel.dev, known_with(tunnel).tunnels
    known.remove(tunnel)
    own = tunnel.parms = replace(
        tunnel.parms, saddr=parms.saddr, daddr=parms.daddr, i_key=parms.i_key, o_key=parms.o_key
    )
    if dev.type != ETHER:
        set_ends(dev, own)
    known.insert(0, tunnel)
    own.ttl, own.tos, own.df = parms.ttl, parms.tos, parms.df
    if (own.link, tunnel.fwmark) != (parms.link, fwmark):
        own.link, tunnel.fwmark = parms.link, fwmark
        mtu = bind(tunnel)
        if set_mtu:
            dev.mtu = mtu
    dev.changed()
    link_watch.state_change(dev)


def set_ends(dev: Device, parms: Parms) -> None:
    """The ends as the addresses of the device."""
    dev.address, dev.broadcast = parms.saddr.to_bytes(4, "big"), parms.daddr.to_bytes(4, "big")
    dev.changed()


class IpTunnelOps(DeviceOps):
    """What the drivers have in common. There are no ethtool_ops."""

    has_rx_mode = False

    def uninit(self, dev: Device) -> None:
        """ip_tunnel_uninit()"""
        known = known_with(dev.priv)
        if dev.priv in known.tunnels:
            known.tunnels.remove(dev.priv)
        if known.fallback is dev:
            known.fallback = None

    def get_iflink(self, dev: Device) -> int:
        """ip_tunnel_get_iflink()"""
        tunnel: IpTunnel = dev.priv
        return tunnel.parms.link


class IpTunnelKind(Kind):
    """What the kinds have in common."""

    def del_link(self, dev: Device, kill: KillList) -> None:
        """ip_tunnel_dellink(): the device that takes what is for no other stays."""
        if known_with(dev.priv).fallback is not dev:
            queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """ip_tunnel_delete_net(): those that are there, then those that were made from there."""
        for dev in net:
            if dev.kind is self:
                queue_unregister(dev, kill)
        for tunnel in of_net(net, self.name).tunnels:
            if tunnel.dev.net is not net:
                queue_unregister(tunnel.dev, kill)

    def get_link_net(self, dev: Device) -> Net | None:
        """ip_tunnel_get_link_net()"""
        net: Net = dev.priv.net
        return net
