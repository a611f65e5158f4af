"""geneve: Ethernet, or packets, through UDP with options (drivers/net/geneve.c).

A Geneve tunnel leads to one other end, or wherever metadata says. Unlike a VXLAN it has no table, and stands on no
device: the way to the other end, if there is one when it is made, bounds its MTU then, and never again. Tunnels of one
port share a socket, and of those with metadata there is one for a port and an address alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from errno import EADDRNOTAVAIL, EBUSY, EINVAL, ELOOP, EOPNOTSUPP, EPERM, ERANGE
from typing import TYPE_CHECKING, Any, cast

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.address import (
    check_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
    valid_ethernet,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams, of_link
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ethtool.link import carrier_as_link
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.tunnels import address as tunnel_address
from nlemu.emulator.kernel.tunnels import udp, xmit
from nlemu.emulator.kernel.tunnels.address import TunnelAddress
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN, ETH_MIN_MTU
from nlemu.protocol.uapi.if_link import GeneveDf
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

KEY = "geneve"
IFLA_ADDRESS = 1
GENEVE_N_VID = 1 << 24
UDP_PORT = 6081
IP_MAX_MTU = 0xFFFF
IPV4_HEADER, IPV6_HEADER, BASE_HEADER = 20, 40, 8 + 8
"""GENEVE_BASE_HLEN: of UDP, and its own without options."""
FLOWLABEL_MASK = 0x000FFFFF
FEATURES = features.SG | features.HW_CSUM | features.FRAGLIST | features.RXCSUM | features.GSO_SOFTWARE
RAW_FLAGS = int(IFF.POINTOPOINT | IFF.NOARP)
STAYS = (
    "Changing VNI, Port, endpoint IP address family, external, inner_proto_inherit, gro_hint and UDP checksum"
    " attributes are not supported"
)


@dataclass(slots=True)
class GeneveParams:
    """IFLA_INFO_DATA of a Geneve tunnel; None: it was not there. Addresses are bytes, but local, a number; port_range
    has low and high."""

    id: int | None = None
    remote: bytes | None = None
    ttl: int | None = None
    tos: int | None = None
    port: int | None = None
    collect_metadata: bool | None = None
    remote6: bytes | None = None
    udp_csum: int | None = None
    udp_zero_csum6_tx: int | None = None
    udp_zero_csum6_rx: int | None = None
    label: int | None = None
    ttl_inherit: int | None = None
    df: int | None = None
    inner_proto_inherit: bool | None = None
    port_range: Any = None
    gro_hint: bool | None = None
    local: bytes | None = None
    local6: bytes | None = None


NO_REMOTE = tunnel_address.of_family(AF_INET)


@dataclass(slots=True)
class Config:
    """struct geneve_config. remote, local: both of the same family; csum: what is sent has a checksum; rx_csum: what of
    IPv6 comes must have one; dualstack: it listens in both families."""

    vni: int = 0
    remote: TunnelAddress = NO_REMOTE
    local: TunnelAddress = NO_REMOTE
    ttl: int = 0
    tos: int = 0
    label: int = 0
    port: int = UDP_PORT
    csum: bool = False
    rx_csum: bool = False
    ttl_inherit: bool = False
    df: int = 0
    collect_md: bool = False
    dualstack: bool = False
    inner_proto_inherit: bool = False
    gro_hint: bool = False
    port_min: int = 1
    port_max: int = 0xFFFF

    @property
    def family(self) -> int:
        """ip_tunnel_info_af()"""
        return self.remote.family

    @property
    def bare(self) -> bool:
        """is_tnl_info_zero(): nothing is said of where packets go, or how."""
        return not (self.vni or self.tos or self.csum or self.ttl or self.label) and self.remote.any

    def turn_to(self, family: int) -> None:
        """It is of that family from now on; what was said of the other is forgotten."""
        if self.family != family:
            self.remote = self.local = tunnel_address.of_family(family)


@dataclass(slots=True, eq=False)
class Socket:
    """struct geneve_sock: devices that have the same address, port and hint share one. local: where it sends from,
    which is nowhere of its own where it hears a group or everybody (heard)."""

    family: int
    port: int
    local: bytes
    gro_hint: bool
    heard: bytes = b""
    users: int = 1

    @property
    def said(self) -> tuple[int, int, bytes, bool]:
        """What makes two of them the same."""
        return self.family, self.port, self.local, self.gro_hint


@dataclass(slots=True)
class Geneve:
    """struct geneve_dev. net: where its sockets are."""

    dev: Device
    net: Net
    config: Config = field(default_factory=Config)
    sockets: list[Socket] = field(default_factory=list)


@dataclass(slots=True)
class GeneveNet:
    """struct geneve_net. devices: whose sockets are here, the newest first."""

    devices: list[Geneve] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)


def of_net(net: Net) -> GeneveNet:
    """net_generic(net, geneve_net_id)."""
    found = net.generic.get(KEY)
    if found is None:
        found = net.generic[KEY] = GeneveNet()
    return cast("GeneveNet", found)


# What a request says


def read(data: GeneveParams, old: Config | None) -> Config:
    """geneve_nl2info(): what is said, over what there was. EINVAL, EOPNOTSUPP, with texts."""
    config, changing = Config() if old is None else replace(old), old is not None
    if data.collect_metadata:
        _stays("collect_metadata", changing)
        config.collect_md = config.dualstack = True
    ipv4 = data.local is not None or data.remote is not None
    if ipv4 and (data.local6 is not None or data.remote6 is not None):
        raise Refusal(EINVAL, "Cannot specify both IPv4/IPv6 Remote/Local addresses")
    _read_remote(config, data, changing=changing)
    _read_local(config, data, changing=changing)
    if data.id is not None:
        _stays("id", changing and data.id != config.vni)
        config.vni = data.id
    if data.ttl_inherit is not None:
        config.ttl_inherit = bool(data.ttl_inherit)
    elif data.ttl is not None:
        config.ttl, config.ttl_inherit = data.ttl, False
    if data.tos is not None:
        config.tos = data.tos
    if data.df is not None:
        config.df = data.df
    if data.label is not None:
        config.label = data.label & FLOWLABEL_MASK
        if config.label and config.family != AF_INET6:
            raise Refusal(EINVAL, "Label attribute only applies for IPv6 Geneve devices", at="label")
    for name in (
        "port", "port_range", "udp_csum", "udp_zero_csum6_tx", "udp_zero_csum6_rx", "inner_proto_inherit", "gro_hint",
    ):
        _stays(name, changing and getattr(data, name) is not None)
    _read_rest(config, data)
    return config


def _stays(name: str, wrong: bool) -> None:
    if wrong:
        raise Refusal(EOPNOTSUPP, STAYS, at=name)


def _read_remote(config: Config, data: GeneveParams, *, changing: bool) -> None:
    if data.remote is not None:
        _stays("remote", changing and config.family == AF_INET6)
        config.remote = tunnel_address.ipv4(data.remote)
        if config.remote.multicast:
            raise Refusal(EINVAL, "Remote IPv4 address cannot be Multicast", at="remote")
    if data.remote6 is not None:
        _stays("remote6", changing and config.family == AF_INET)
        config.turn_to(AF_INET6)
        config.remote = tunnel_address.ipv6(data.remote6)
        _check6(config.remote, "Remote", "remote6")
        config.csum = config.rx_csum = True


def _read_local(config: Config, data: GeneveParams, *, changing: bool) -> None:
    if data.local is not None:
        local = tunnel_address.ipv4(data.local)
        if changing:
            _stays("local", config.family == AF_INET6 or local != config.local)
        elif local.multicast:
            raise Refusal(EINVAL, "Local IPv4 address cannot be Multicast", at="local")
        else:
            config.local, config.dualstack = local, False
    if data.local6 is not None:
        local = tunnel_address.ipv6(data.local6)
        if changing:
            _stays("local6", config.family == AF_INET or local != config.local)
            return
        config.turn_to(AF_INET6)
        _check6(local, "Local", "local6")
        config.local, config.dualstack = local, False


def _check6(address: TunnelAddress, which: str, name: str) -> None:
    """EINVAL, with texts."""
    if address.link_local:
        raise Refusal(EINVAL, f"{which} IPv6 address cannot be link-local", at=name)
    if ip6.classify(address.number)[0] & ip6.AddrType.MULTICAST:
        raise Refusal(EINVAL, f"{which} IPv6 address cannot be Multicast", at=name)


def _read_rest(config: Config, data: GeneveParams) -> None:
    """What only a new device can be told."""
    if data.port is not None:
        config.port = data.port
    if data.port_range is not None:
        config.port_min, config.port_max = data.port_range.low, data.port_range.high
    if data.udp_csum:
        config.csum = True
    if data.udp_zero_csum6_tx:
        config.csum = False
    if data.udp_zero_csum6_rx:
        config.rx_csum = False
    if data.inner_proto_inherit:
        config.inner_proto_inherit = True
    if data.gro_hint:
        config.gro_hint = True


def _conflict(one: Config, other: Config) -> bool:
    """geneve_saddr_conflict(): whether what comes could be for both."""
    return one.family == other.family and (one.local.any or other.local.any or one.local == other.local)


def check_others(net: Net, config: Config) -> None:
    """geneve_find_dev(), and what geneve_configure() makes of it: EBUSY, EPERM with texts."""
    same_port = external = exists = False
    for other in of_net(net).devices:
        theirs = other.config
        if theirs.port != config.port:
            continue
        if config.dualstack or theirs.dualstack or _conflict(config, theirs):
            same_port, external = True, external or theirs.collect_md
        if theirs.vni == config.vni and _ends(theirs) == _ends(config):
            exists = True
    if exists:
        raise Refusal(EBUSY)
    if config.collect_md and same_port:
        text = "There can be only one externally controlled device on a destination port and a source address"
        raise Refusal(EPERM, text)
    if not config.collect_md and external:
        text = (
            "There already exists an externally controlled device on this destination port and the source address"
        )
        raise Refusal(EPERM, text)


def _ends(config: Config) -> bytes:
    """key.u as memory: the source, then the destination, of either family."""
    return (config.local.packed + config.remote.packed).ljust(32, b"\0")


# The device


class GeneveOps(DeviceOps):
    """geneve_netdev_ops and geneve_ethtool_ops."""

    driver = "geneve"
    driver_version = "0.6"
    has_rx_mode = False

    def open(self, dev: Device) -> None:
        geneve: Geneve = dev.priv
        config = geneve.config
        ipv6 = config.family == AF_INET6 or config.dualstack
        try:
            if ipv6:
                geneve.sockets.append(_get_socket(geneve, AF_INET6))
            if not ipv6 or config.dualstack:
                geneve.sockets.append(_get_socket(geneve, AF_INET))
        except Refusal:
            _release_sockets(geneve)
            raise

    def stop(self, dev: Device) -> None:
        _release_sockets(dev.priv)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        dev.mtu = max(min(mtu, dev.max_mtu), dev.min_mtu)

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """geneve_xmit(): with metadata, which no frame here has, it is dropped."""
        geneve: Geneve = dev.priv
        config = geneve.config
        if config.collect_md:
            dev.stats.tx_dropped += 1
            dev.changed()
            return Xmit.SUCCESS, None
        try:
            through = xmit.find_way(dev, geneve.net, config.local, config.remote)
        except Refusal as refused:
            xmit.count_error(dev, refused)
            return Xmit.SUCCESS, None
        around = IPV4_HEADER if config.family == AF_INET else IPV6_HEADER
        xmit.send(dev, through, config.remote, size, around + BASE_HEADER)
        return Xmit.SUCCESS, None

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)


def _get_socket(geneve: Geneve, family: int) -> Socket:
    """geneve_sock_add(): EADDRINUSE, EADDRNOTAVAIL."""
    config, known = geneve.config, of_net(geneve.net).sockets
    local = config.local if config.family == family else tunnel_address.of_family(family)
    new = Socket(family, config.port, local.packed, config.gro_hint, local.packed)
    for one in known:
        if one.said == new.said:
            one.users += 1
            return one
    udp.bind(geneve.net, family, config.port, new, local.packed)
    if family == AF_INET and not local.any and not udp.sends_from(geneve.net, local.number):
        new.local = bytes(len(local.packed))
    known.insert(0, new)
    return new


def _release_sockets(geneve: Geneve) -> None:
    """geneve_sock_release()"""
    for one in geneve.sockets:
        one.users -= 1
        if not one.users:
            of_net(geneve.net).sockets.remove(one)
            udp.release(geneve.net, one.family, one.port, one.heard)
    geneve.sockets.clear()


OPS = GeneveOps()


def setup(dev: Device) -> None:
    """geneve_setup()."""
    ether_setup(dev)
    dev.features = FEATURES
    dev.hw_features = FEATURES | features.GSO_ENCAP_ALL | features.GSO_PARTIAL
    dev.gso_partial_features = features.GSO_ENCAP_ALL
    dev.min_mtu = ETH_MIN_MTU
    dev.max_mtu = IP_MAX_MTU - BASE_HEADER - dev.hard_header_len
    dev.live_address_change = True
    dev.no_queue = True
    randomize_address(dev)
    dev.priv = Geneve(dev, dev.net)


def configure(net: Net, dev: Device, config: Config) -> None:
    """geneve_configure(): EINVAL, EPERM with texts, EBUSY."""
    if config.collect_md and not config.bare:
        text = "Device is externally controlled, so attributes (VNI, Port, and so on) must not be specified"
        raise Refusal(EINVAL, text)
    geneve: Geneve = dev.priv
    geneve.net = net
    check_others(net, config)
    around = IPV4_HEADER if not config.collect_md and config.family == AF_INET else IPV6_HEADER
    dev.max_mtu -= around
    dev.needed_headroom = BASE_HEADER + ETH_HLEN + around + ETH_HLEN
    geneve.config = config
    if config.inner_proto_inherit:
        dev.type = int(ARPHRD.NONE)
        dev.hard_header_len = 0
        dev.addr_len = 0
        dev.flags = RAW_FLAGS
    register(dev)
    of_net(net).devices.insert(0, geneve)


def configure_link(dev: Device, config: Config, mtu: int | None) -> None:
    """geneve_link_config(): the MTU that is said, or that of the way to the other end."""
    if mtu is not None:
        dev.ops.change_mtu(dev, mtu)
        dev.changed()
        return
    if config.family == AF_INET6 and dev.ip6 is None:
        return
    try:
        through = xmit.find_way(dev, dev.priv.net, tunnel_address.of_family(config.family), config.remote)
    except Refusal as refused:
        if refused.errno != ELOOP:
            return
        through = dev
    around = IPV4_HEADER if config.family == AF_INET else IPV6_HEADER
    below = through.mtu - around - BASE_HEADER - ETH_HLEN
    if below > 0:
        dev.ops.change_mtu(dev, below)
        dev.changed()


class GeneveKind(Kind):
    """geneve_link_ops. There is no get_link_net."""

    name = "geneve"
    option = "GENEVE"
    ops = OPS
    setup = staticmethod(setup)
    devtype = "geneve"
    params = GeneveParams

    def validate(self, params: LinkParams) -> None:
        if params.address is not None:
            if len(params.address) != ETH_ALEN:
                text = "Provided link layer address is not Ethernet"
                raise Refusal(EINVAL, text, at=of_link(IFLA_ADDRESS))
            if not valid_ethernet(params.address):
                text = "Provided Ethernet address is not unicast"
                raise Refusal(EADDRNOTAVAIL, text, at=of_link(IFLA_ADDRESS))
        data: GeneveParams | None = params.data
        if data is None:
            raise Refusal(EINVAL, "Not enough attributes provided to perform the operation")
        if data.id is not None and data.id >= GENEVE_N_VID:
            raise Refusal(ERANGE, "Geneve ID must be lower than 16777216", at="id")
        if data.df is not None and data.df > max(GeneveDf):
            raise Refusal(EINVAL, "Invalid DF attribute", at="df")
        if data.port_range is not None and data.port_range.high < data.port_range.low:
            raise Refusal(EINVAL, "Invalid source port range", at="port_range")

    def new_link(self, dev: Device, params: LinkParams) -> None:
        config = read(params.data, None)
        assert params.link_net is not None
        configure(params.link_net, dev, config)
        configure_link(dev, config, params.mtu)

    def del_link(self, dev: Device, kill: KillList) -> None:
        of_net(dev.priv.net).devices.remove(dev.priv)
        queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """geneve_exit_rtnl_net(): those whose sockets are there, wherever they are."""
        for geneve in tuple(of_net(net).devices):
            self.del_link(geneve.dev, kill)

    def change(self, dev: Device, data: GeneveParams, params: LinkParams) -> None:
        geneve: Geneve = dev.priv
        if geneve.config.collect_md:
            raise Refusal(EOPNOTSUPP)
        config = read(data, geneve.config)
        if config.remote != geneve.config.remote:
            configure_link(dev, config, params.mtu)
        geneve.config = config
        dev.changed()

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        config: Config = dev.priv.config
        ipv4, ends = config.family == AF_INET, not config.collect_md
        local = not config.dualstack and (config.collect_md or not config.local.any)
        return {
            "id": config.vni,
            "remote": config.remote.packed if ends and ipv4 else None,
            "udp_csum": int(config.csum) if ends and ipv4 else None,
            "remote6": config.remote.packed if ends and not ipv4 else None,
            "udp_zero_csum6_tx": int(not config.csum) if ends and not ipv4 else None,
            "local": config.local.packed if local and ipv4 else None,
            "local6": config.local.packed if local and not ipv4 else None,
            "ttl": config.ttl,
            "tos": config.tos,
            "label": config.label,
            "df": config.df,
            "port": config.port,
            "collect_metadata": True if config.collect_md else None,
            "udp_zero_csum6_rx": int(not config.rx_csum),
            "ttl_inherit": int(config.ttl_inherit),
            "inner_proto_inherit": True if config.inner_proto_inherit else None,
            "port_range": {"low": config.port_min, "high": config.port_max},
            "gro_hint": True if config.gro_hint else None,
        }


KIND = GeneveKind()
