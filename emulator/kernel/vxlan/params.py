"""What a request says of a VXLAN, and what becomes of it: vxlan_nl2conf(), vxlan_config_validate() of vxlan_core.c."""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import EEXIST, EINVAL, ENODEV, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.kind import LinkParams, of_link
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.tunnels import address as tunnel_address
from nlemu.emulator.kernel.tunnels.address import TunnelAddress
from nlemu.emulator.kernel.vxlan.vxlan import AGE_DEFAULT, DEFAULT_PORT, GPE_PORT, Config, Flag, Vxlan, in_use
from nlemu.protocol.refusal import Refusal, formatted
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

FLOWLABEL_MASK = 0x000FFFFF
ALLOWED_GPE = int(
    Flag.GPE | Flag.IPV6 | Flag.IPV6_LINKLOCAL | Flag.UDP_ZERO_CSUM_TX | Flag.UDP_ZERO_CSUM6_TX
    | Flag.UDP_ZERO_CSUM6_RX | Flag.COLLECT_METADATA | Flag.VNIFILTER | Flag.LOCALBYPASS | Flag.MC_ROUTE
)
"""VXLAN_F_ALLOWED_GPE"""
HEADER = 0xFFFFFFFFFFFFFFFF
"""All bits of a header: flags, then the VNI."""
BITS_VNI = 1 << 59 | 0xFFFFFF << 8
"""VXLAN_HF_VNI, VXLAN_VNI_MASK"""
BITS_REMCSUM = 1 << 53 | 0xFF
"""VXLAN_HF_RCO, and all of the VNI's word that is no VNI"""
BITS_GBP = (1 << 31 | 0xFFFFFF) << 32
"""VXLAN_GBP_USED_BITS"""
BITS_GPE = (1 << 29 | 1 << 28 | 1 << 26 | 1 << 24 | 0xFF) << 32
"""VXLAN_GPE_USED_BITS"""


@dataclass(slots=True)
class VxlanParams:
    """IFLA_INFO_DATA of a VXLAN; None: it was not there. Addresses are bytes; port_range has low and high; flags are
    numbers, or True where the attribute is a flag alone."""

    id: int | None = None
    group: bytes | None = None
    link: int | None = None
    local: bytes | None = None
    ttl: int | None = None
    tos: int | None = None
    learning: int | None = None
    ageing: int | None = None
    limit: int | None = None
    port_range: Any = None
    proxy: int | None = None
    rsc: int | None = None
    l2miss: int | None = None
    l3miss: int | None = None
    port: int | None = None
    group6: bytes | None = None
    local6: bytes | None = None
    udp_csum: int | None = None
    udp_zero_csum6_tx: int | None = None
    udp_zero_csum6_rx: int | None = None
    remcsum_tx: int | None = None
    remcsum_rx: int | None = None
    gbp: bool | None = None
    remcsum_nopartial: bool | None = None
    collect_metadata: int | None = None
    label: int | None = None
    gpe: bool | None = None
    ttl_inherit: bool | None = None
    df: int | None = None
    vnifilter: int | None = None
    localbypass: int | None = None
    label_policy: int | None = None
    reserved_bits: bytes | None = None
    mc_route: int | None = None


ID, GROUP, LOCAL, LIMIT, PORT_RANGE, PORT, GROUP6, LOCAL6, UDP_CSUM = 1, 2, 4, 9, 10, 15, 16, 17, 18
"""IFLA_VXLAN_*, by which the kernel looks for whom to blame among the attributes of the link."""
IFLA_MTU = 4
NAMED = frozenset({
    "ttl_inherit", "learning", "proxy", "rsc", "l2miss", "l3miss", "collect_metadata", "udp_zero_csum6_tx",
    "udp_zero_csum6_rx", "remcsum_tx", "remcsum_rx", "gbp", "gpe", "remcsum_nopartial",
})
"""The flags that vxlan_flag_attr_error() has names for."""
CHANGEABLE = frozenset({"learning", "localbypass", "mc_route"})


def _fixed(text: str, number: int) -> Refusal:
    """What cannot be changed. The kernel blames the attribute of the link that has the number of its own."""
    return Refusal(EOPNOTSUPP, text, at=of_link(number))


class Reader:
    """vxlan_nl2conf(): what is said, one after the other. old: what is changed; None for a new device."""

    def __init__(self, data: VxlanParams, params: LinkParams, old: Config | None) -> None:
        self.data, self.params, self.changing = data, params, old is not None
        self.config = Config() if old is None else replace(old)

    def read(self) -> Config:
        """EOPNOTSUPP, EINVAL, with texts."""
        data, config = self.data, self.config
        self._identity()
        for name in ("tos", "ttl"):
            self._plain(name)
        self._flag("ttl_inherit", Flag.TTL_INHERIT)
        if data.label is not None:
            config.label = data.label & FLOWLABEL_MASK
        self._plain("label_policy")
        self._flag("learning", Flag.LEARN, default=True)
        if data.ageing is not None:
            config.age_interval = data.ageing
        for name, flag in (
            ("proxy", Flag.PROXY), ("rsc", Flag.RSC), ("l2miss", Flag.L2MISS), ("l3miss", Flag.L3MISS)
        ):
            self._flag(name, flag)
        if data.limit is not None:
            self._refuse_change("Cannot change limit", LIMIT)
            config.addrmax = data.limit
        self._flag("collect_metadata", Flag.COLLECT_METADATA)
        self._ports()
        self._flag("localbypass", Flag.LOCALBYPASS, default=True)
        self._flag("udp_zero_csum6_tx", Flag.UDP_ZERO_CSUM6_TX)
        self._flag("udp_zero_csum6_rx", Flag.UDP_ZERO_CSUM6_RX)
        self._flag("remcsum_tx", Flag.REMCSUM_TX)
        self._header()
        self._flag("remcsum_nopartial", Flag.REMCSUM_NOPARTIAL)
        self._flag("mc_route", Flag.MC_ROUTE)
        if self.params.mtu is not None:
            self._refuse_change("Cannot change mtu", IFLA_MTU)
            config.mtu = self.params.mtu
        self._plain("df")
        self._flag("vnifilter", Flag.VNIFILTER)
        filters = data.vnifilter is not None and config.flags & Flag.VNIFILTER
        if filters and not config.flags & Flag.COLLECT_METADATA:
            raise Refusal(EINVAL, "vxlan vnifilter only valid in collect metadata mode", at="vnifilter")
        return config

    def _refuse_change(self, text: str, number: int) -> None:
        if self.changing:
            raise _fixed(text, number)

    def _plain(self, name: str) -> None:
        value = getattr(self.data, name)
        if value is not None:
            setattr(self.config, name, value)

    def _flag(self, name: str, flag: Flag, *, default: bool = False) -> None:
        """vxlan_nl2flag()."""
        value = getattr(self.data, name)
        if value is None:
            if default and not self.changing:
                self.config.flags |= flag
            return
        if self.changing and name not in CHANGEABLE:
            what = f"{name.upper()} flag" if name in NAMED else "flag"
            raise Refusal(EOPNOTSUPP, f"vxlan: cannot change {what}")
        self.config.flags = self.config.flags | flag if value else self.config.flags & ~flag

    def _identity(self) -> None:
        """Who it is, and between whom."""
        data, config = self.data, self.config
        if data.id is not None:
            if self.changing and data.id != config.vni:
                raise _fixed("Cannot change VNI", ID)
            config.vni = data.id
        text = "New group address family does not match old group"
        if data.group is not None:
            self._same_family(config.remote, AF_INET, text, GROUP)
            config.remote = tunnel_address.ipv4(data.group)
        elif data.group6 is not None:
            self._same_family(config.remote, AF_INET6, text, GROUP6)
            config.remote = tunnel_address.ipv6(data.group6)
        text = "New local address family does not match old"
        if data.local is not None:
            self._same_family(config.saddr, AF_INET, text, LOCAL)
            config.saddr = tunnel_address.ipv4(data.local)
        elif data.local6 is not None:
            self._same_family(config.saddr, AF_INET6, text, LOCAL6)
            config.saddr = tunnel_address.ipv6(data.local6)
        if data.link is not None:
            config.remote_ifindex = data.link

    def _same_family(self, old: TunnelAddress, family: int, text: str, number: int) -> None:
        if self.changing and old.family != family:
            raise _fixed(text, number)

    def _ports(self) -> None:
        data, config = self.data, self.config
        if data.port_range is not None:
            self._refuse_change("Cannot change port range", PORT_RANGE)
            config.port_min, config.port_max = data.port_range.low, data.port_range.high
        if data.port is not None:
            self._refuse_change("Cannot change port", PORT)
            config.dst_port = data.port
        if data.udp_csum is not None:
            self._refuse_change("Cannot change UDP_CSUM flag", UDP_CSUM)
            if not data.udp_csum:
                config.flags |= Flag.UDP_ZERO_CSUM_TX

    def _header(self) -> None:
        """What makes use of the header, and the bits of it that must be zero."""
        used = BITS_VNI
        for name, flag, bits in (
            ("remcsum_rx", Flag.REMCSUM_RX, BITS_REMCSUM), ("gbp", Flag.GBP, BITS_GBP), ("gpe", Flag.GPE, BITS_GPE),
        ):
            self._flag(name, flag)
            if getattr(self.data, name) is not None:
                used |= bits
        if self.data.reserved_bits is None:
            self.config.reserved_bits = (HEADER & ~used).to_bytes(8, "big")
            return
        if self.changing:
            raise Refusal(EOPNOTSUPP, "Cannot change reserved_bits", at="reserved_bits")
        reserved = int.from_bytes(self.data.reserved_bits, "big")
        if used & reserved:
            text = f"Used bits {used:#018x} cannot overlap reserved bits {reserved:#018x}"
            raise Refusal(EINVAL, formatted(text), at="reserved_bits")
        self.config.reserved_bits = self.data.reserved_bits


def validate(net: Net, config: Config, vxlan: Vxlan) -> Device | None:
    """vxlan_config_validate(): what is not said is filled in. The device below, if there is to be one. EINVAL, ENODEV,
    EPERM, EEXIST, with texts."""
    if config.flags & Flag.GPE and (
        config.flags & ~ALLOWED_GPE or not config.flags & Flag.COLLECT_METADATA
    ):
        raise Refusal(EINVAL, "VXLAN GPE does not support this combination of attributes")
    _check_addresses(config)
    ipv6 = config.saddr.family == AF_INET6
    if ipv6:
        config.flags |= Flag.IPV6
        if not config.flags & Flag.COLLECT_METADATA:
            _check_scopes(config)
    if config.label and not ipv6:
        raise Refusal(EINVAL, "Label attribute only applies to IPv6 VXLAN devices")
    if config.label_policy and not ipv6:
        raise Refusal(EINVAL, "Label policy only applies to IPv6 VXLAN devices")
    below = _below(net, config, ipv6=ipv6)
    if not config.dst_port:
        config.dst_port = GPE_PORT if config.flags & Flag.GPE else DEFAULT_PORT
    if not config.age_interval:
        config.age_interval = AGE_DEFAULT
    if in_use(net, vxlan, config, config.vni):
        raise Refusal(EEXIST, "A VXLAN device with the specified VNI already exists")
    return below


def _check_addresses(config: Config) -> None:
    family = config.remote.family or config.saddr.family or AF_INET
    if not config.remote.family:
        config.remote = tunnel_address.of_family(family)
    if not config.saddr.family:
        config.saddr = tunnel_address.of_family(config.remote.family)
    if config.saddr.family != config.remote.family:
        raise Refusal(EINVAL, "Local and remote address must be from the same family")
    if config.saddr.multicast:
        raise Refusal(EINVAL, "Local address cannot be multicast")


def _check_scopes(config: Config) -> None:
    """Of two addresses of IPv6."""
    kind = ip6.classify(config.remote.number)[0]
    if config.saddr.link_local:
        wrong = not kind & ip6.AddrType.LINKLOCAL and kind != ip6.AddrType.ANY
        config.flags |= Flag.IPV6_LINKLOCAL
    else:
        wrong = kind == ip6.AddrType.UNICAST | ip6.AddrType.LINKLOCAL
        config.flags &= ~Flag.IPV6_LINKLOCAL
    if wrong:
        raise Refusal(EINVAL, "Invalid combination of local and remote address scopes")


def _below(net: Net, config: Config, *, ipv6: bool) -> Device | None:
    if config.remote_ifindex:
        below = net.device(config.remote_ifindex)
        if below is None:
            raise Refusal(ENODEV, "Invalid local interface, device not found")
        if ipv6 and below.ip6 is not None and below.ip6.conf[Ipv6Devconf.DISABLE_IPV6]:
            raise Refusal(EPERM, "IPv6 support disabled by administrator")
        return below
    if config.remote.multicast:
        raise Refusal(EINVAL, "Local interface required for multicast remote destination")
    if config.flags & Flag.IPV6_LINKLOCAL:
        raise Refusal(EINVAL, "Local interface required for link-local local/remote addresses")
    return None
