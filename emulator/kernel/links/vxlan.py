"""vxlan: Ethernet through UDP (drivers/net/vxlan/vxlan_core.c).

What a VXLAN is, and what becomes of a request, is in kernel/vxlan; here is its device. It stands on another device if
it was given one, which bounds its MTU when it is made and changed, and takes it along when it goes.
"""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EINVAL, ENODEV, ERANGE
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import adjacency, features, links, settings
from nlemu.emulator.kernel.devices.address import (
    check_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
    valid_ethernet,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams, of_link
from nlemu.emulator.kernel.devices.links import delete_links
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import (
    KillList,
    queue_unregister,
    register,
    unregister,
)
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ethtool.link import LinkSettings, carrier_as_link, get_link_settings
from nlemu.emulator.kernel.vxlan import fdb, mdb, params, sockets, vnis, xmit
from nlemu.emulator.kernel.vxlan.fdb import Flushed
from nlemu.emulator.kernel.vxlan.params import VxlanParams
from nlemu.emulator.kernel.vxlan.vxlan import (
    AGE_INTERVAL,
    DRIVER,
    VXLAN_N_VID,
    Config,
    Flag,
    Remote,
    Vxlan,
    headroom,
    of_net,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import V7_3
from nlemu.protocol.uapi.ethtool import Duplex
from nlemu.protocol.uapi.ethtool import Port as Connector
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN, ETH_MAX_MTU, ETH_MIN_MTU
from nlemu.protocol.uapi.if_link import VxlanDf
from nlemu.protocol.uapi.netdevice import GSO_MAX_SIZE
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

IFLA_ADDRESS, IFLA_MTU = 1, 4
FEATURES = features.SG | features.HW_CSUM | features.FRAGLIST | features.RXCSUM | features.GSO_SOFTWARE
SPEED_UNKNOWN = -1
RAW_FLAGS = int(IFF.POINTOPOINT | IFF.NOARP | IFF.MULTICAST)


class VxlanOps(DeviceOps):
    """vxlan_netdev_ether_ops and vxlan_ethtool_ops."""

    driver = DRIVER
    driver_version = "0.1"

    def init(self, dev: Device) -> None:
        if dev.priv.has(Flag.VNIFILTER):
            dev.priv.vnis = {}

    def uninit(self, dev: Device) -> None:
        mdb.flush(dev.priv, mdb.Flushed())
        if dev.priv.vnis is not None:
            vnis.clear(dev.priv)

    def open(self, dev: Device) -> None:
        vxlan: Vxlan = dev.priv
        sockets.add(vxlan)
        try:
            sockets.multicast_join(vxlan)
        except Refusal:
            sockets.release(vxlan)
            raise
        if vxlan.config.age_interval:
            fdb.start_aging(vxlan, AGE_INTERVAL)

    def stop(self, dev: Device) -> None:
        vxlan: Vxlan = dev.priv
        sockets.multicast_leave(vxlan)
        fdb.stop_aging(vxlan)
        fdb.flush(vxlan, Flushed(ignore_default=True, state_mask=fdb.STATIC))
        sockets.release(vxlan)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        vxlan: Vxlan = dev.priv
        below = vxlan.net.device(vxlan.ifindex)
        if below is not None and mtu > below.mtu - headroom(vxlan.config.flags):
            raise Refusal(EINVAL)
        dev.mtu = mtu

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        xmit.transmit(dev, size)
        return Xmit.SUCCESS, None

    def get_link(self, dev: Device) -> bool:
        return carrier_as_link(dev)

    def get_link_ksettings(self, dev: Device) -> LinkSettings:
        vxlan: Vxlan = dev.priv
        below = vxlan.net.device(vxlan.ifindex)
        if below is None:
            return LinkSettings(speed=SPEED_UNKNOWN, duplex=Duplex.UNKNOWN, port=Connector.OTHER)
        return get_link_settings(below)


class VxlanRawOps(VxlanOps):
    """vxlan_netdev_raw_ops: of a device that carries packets of any protocol, and has no addresses."""

    has_rx_mode = False
    validate_address = DeviceOps.validate_address
    set_mac = DeviceOps.set_mac


OPS = VxlanOps()
RAW_OPS = VxlanRawOps()


def setup(dev: Device) -> None:
    """vxlan_setup()."""
    ether_setup(dev)
    randomize_address(dev)
    dev.features = FEATURES
    dev.vlan_features = FEATURES
    dev.hw_features = FEATURES | features.GSO_ENCAP_ALL | features.GSO_PARTIAL
    dev.gso_partial_features = features.GSO_ENCAP_ALL
    if dev.kernel.build.release >= V7_3:
        settings.set_tso_max_size(dev, GSO_MAX_SIZE)
    dev.no_queue = True
    dev.change_proto_down = True
    dev.min_mtu = ETH_MIN_MTU
    dev.max_mtu = ETH_MAX_MTU
    dev.priv = Vxlan(dev, dev.net)


def raw_setup(dev: Device) -> None:
    """vxlan_raw_setup()."""
    dev.type = int(ARPHRD.NONE)
    dev.hard_header_len = 0
    dev.addr_len = 0
    dev.flags = RAW_FLAGS
    dev.ops = RAW_OPS


def apply(dev: Device, config: Config, below: Device | None, *, changing: bool) -> None:
    """vxlan_config_apply(). below: the device to stand on; None also for one that stays the same."""
    vxlan: Vxlan = dev.priv
    flags, most = config.flags, ETH_MAX_MTU
    if not changing:
        if flags & Flag.GPE:
            raw_setup(dev)
        else:
            dev.live_address_change = True
        if config.mtu:
            dev.mtu = config.mtu
    vxlan.vni, vxlan.remote = config.vni, config.remote
    room = ETH_HLEN
    if below is not None:
        vxlan.ifindex = config.remote_ifindex
        settings.inherit_tso_max(dev, below)
        room = below.hard_header_len + below.needed_headroom
        dev.needed_tailroom = below.needed_tailroom
        most = max(below.mtu - headroom(flags), ETH_MIN_MTU)
        if not changing and not config.mtu:
            dev.mtu = most
    dev.mtu = min(dev.mtu, most)
    if flags & Flag.COLLECT_METADATA:
        flags |= Flag.IPV6
    dev.needed_headroom = room + headroom(flags)
    vxlan.config = config
    dev.changed()


def follow(event: NetdevEvent, dev: Device, info: Info) -> None:
    """vxlan_netdevice_event(): a device goes, and those that stand on it go with it."""
    delete_links([vxlan.dev for vxlan in of_net(dev.net).devices if vxlan.ifindex == dev.ifindex])


class VxlanKind(Kind):
    """vxlan_link_ops."""

    name = "vxlan"
    option = "VXLAN"
    ops = OPS
    setup = staticmethod(setup)
    devtype = "vxlan"
    params = VxlanParams
    notifiers = ((Stage.LATE, follow, (NetdevEvent.UNREGISTER,)),)

    def validate(self, params: LinkParams) -> None:
        if params.address is not None:
            if len(params.address) != ETH_ALEN:
                text = "Provided link layer address is not Ethernet"
                raise Refusal(EINVAL, text, at=of_link(IFLA_ADDRESS))
            if not valid_ethernet(params.address):
                text = "Provided Ethernet address is not unicast"
                raise Refusal(EADDRNOTAVAIL, text, at=of_link(IFLA_ADDRESS))
        if params.mtu is not None and not ETH_MIN_MTU <= params.mtu <= ETH_MAX_MTU:
            raise Refusal(EINVAL, "MTU must be between 68 and 65535", at=of_link(IFLA_MTU))
        data: VxlanParams | None = params.data
        if data is None:
            raise Refusal(EINVAL, "Required attributes not provided to perform the operation")
        if data.id is not None and data.id >= VXLAN_N_VID:
            raise Refusal(ERANGE, "VXLAN ID must be lower than 16777216", at="id")
        if data.port_range is not None and data.port_range.high < data.port_range.low:
            raise Refusal(EINVAL, "Invalid source port range", at="port_range")
        if data.df is not None and data.df > max(VxlanDf):
            raise Refusal(EINVAL, "Invalid DF attribute", at="df")

    def new_link(self, dev: Device, params_: LinkParams) -> None:
        config = params.Reader(params_.data, params_, None).read()
        net = params_.link_net
        assert net is not None
        self._create(net, dev, config)

    def _create(self, net: Net, dev: Device, config: Config) -> None:
        """__vxlan_dev_create(). It is told of here, before the request's own flags are set."""
        vxlan: Vxlan = dev.priv
        vxlan.net = net
        apply(dev, config, params.validate(net, config, vxlan), changing=False)
        register(dev)
        try:
            self._link(net, vxlan)
        except Refusal:
            unregister(dev)
            raise
        of_net(net).join(vxlan)

    def _link(self, net: Net, vxlan: Vxlan) -> None:
        dev, below = vxlan.dev, None
        if vxlan.ifindex:
            below = net.device(vxlan.ifindex)
            if below is None:
                raise Refusal(ENODEV)
            adjacency.link(below, dev)
            vxlan.below = below
        try:
            links.configure_link(dev, None)
            if not vxlan.remote.any:
                fdb.add_default(vxlan, fdb.default_remote(vxlan, vxlan.remote, vxlan.vni), append=False)
        except Refusal:
            if below is not None:
                adjacency.unlink(below, dev)
            raise

    def del_link(self, dev: Device, kill: KillList) -> None:
        vxlan: Vxlan = dev.priv
        fdb.flush(vxlan, Flushed())
        of_net(vxlan.net).leave(vxlan)
        queue_unregister(dev, kill)
        if vxlan.below is not None:
            adjacency.unlink(vxlan.below, dev)
            vxlan.below = None

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """vxlan_exit_rtnl(): those whose sockets are there, wherever they are."""
        for vxlan in tuple(of_net(net).devices):
            self.del_link(vxlan.dev, kill)

    def change(self, dev: Device, data: VxlanParams, params_: LinkParams) -> None:
        vxlan: Vxlan = dev.priv
        config = params.Reader(data, params_, vxlan.config).read()
        below = params.validate(vxlan.net, config, vxlan)
        if below is vxlan.below:
            below = None
        moves = below is not None
        if below is not None:
            adjacency.link(below, dev)
        old = vxlan.remote
        moved = old != config.remote
        regroup = dev.up and (moved or vxlan.ifindex != config.remote_ifindex)
        try:
            if moved:
                self._move_default(vxlan, config)
        except Refusal:
            if below is not None:
                adjacency.unlink(below, dev)
            raise
        if regroup and old.multicast:
            sockets.igmp_leave(vxlan, old) if not sockets.group_used(vxlan, old) else None
        if dev.running and config.age_interval != vxlan.config.age_interval:
            fdb.start_aging(vxlan, 0)
        if moves:
            if vxlan.below is not None:
                adjacency.unlink(vxlan.below, dev)
            vxlan.below = below
        apply(dev, config, below, changing=True)
        if regroup and config.remote.multicast:
            sockets.multicast_join(vxlan)

    def _move_default(self, vxlan: Vxlan, config: Config) -> None:
        """The entry for nobody in particular leads to another remote."""
        old = vxlan.remote
        if not config.remote.any:
            remote = Remote(config.remote, vxlan.config.dst_port, config.vni, config.remote_ifindex)
            fdb.add_default(vxlan, remote, append=True)
        if not old.any:
            fdb.delete_default(vxlan, old, vxlan.vni)
        if vxlan.vnis is not None:
            vnis.follow_default(vxlan, old, config.remote)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        vxlan: Vxlan = dev.priv
        config, remote, local = vxlan.config, vxlan.remote, vxlan.config.saddr
        said = {
            "id": vxlan.vni,
            "group": remote.packed if remote.family == AF_INET and not remote.any else None,
            "group6": remote.packed if remote.family == AF_INET6 and not remote.any else None,
            "link": vxlan.ifindex or None,
            "local": local.packed if local.family == AF_INET and not local.any else None,
            "local6": local.packed if local.family == AF_INET6 and not local.any else None,
            "ageing": config.age_interval,
            "limit": config.addrmax,
            "port": config.dst_port,
            "udp_csum": int(not vxlan.has(Flag.UDP_ZERO_CSUM_TX)),
            "port_range": {"low": config.port_min, "high": config.port_max},
            "vnifilter": 1 if vxlan.has(Flag.VNIFILTER) else None,
            "reserved_bits": config.reserved_bits,
        }
        said |= {name: getattr(config, name) for name in ("ttl", "tos", "df", "label", "label_policy")}
        said |= {name: int(vxlan.has(flag)) for name, flag in SHOWN_FLAGS.items()}
        return said | {name: True if vxlan.has(flag) else None for name, flag in SHOWN_IF_SET.items()}

    def get_link_net(self, dev: Device) -> Net | None:
        net: Net = dev.priv.net
        return net


SHOWN_FLAGS = {
    "ttl_inherit": Flag.TTL_INHERIT, "learning": Flag.LEARN, "proxy": Flag.PROXY, "rsc": Flag.RSC,
    "l2miss": Flag.L2MISS, "l3miss": Flag.L3MISS, "collect_metadata": Flag.COLLECT_METADATA,
    "udp_zero_csum6_tx": Flag.UDP_ZERO_CSUM6_TX, "udp_zero_csum6_rx": Flag.UDP_ZERO_CSUM6_RX,
    "remcsum_tx": Flag.REMCSUM_TX, "remcsum_rx": Flag.REMCSUM_RX, "localbypass": Flag.LOCALBYPASS,
}
SHOWN_IF_SET = {"gbp": Flag.GBP, "gpe": Flag.GPE, "remcsum_nopartial": Flag.REMCSUM_NOPARTIAL}
KIND = VxlanKind()
