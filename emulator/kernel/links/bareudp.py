"""bareudp: packets of one protocol through UDP, and nothing between (drivers/net/bareudp.c).

Where a packet goes metadata says, so the device has no other end, no table and no address. It is told a port and a
protocol; with multiproto_mode also the protocol that goes along with that one, IPv6 with IPv4. A port is one device's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EBUSY, EINVAL
from typing import TYPE_CHECKING, Any, cast

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.tunnels import udp
from nlemu.emulator.kernel.tunnels.ip_tunnel import IP_MAX_MTU, IPV4_MIN_MTU
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN, ETH_P

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NAME = "bareudp"
UDP_HEADER = 8
"""BAREUDP_BASE_HLEN"""
FEATURES = features.SG | features.HW_CSUM | features.FRAGLIST | features.RXCSUM | features.GSO_SOFTWARE
FLAGS = int(IFF.POINTOPOINT | IFF.NOARP | IFF.MULTICAST)
ACCOMPANIED = (ETH_P.MPLS_UC, ETH_P.IP)
"""The protocols that another goes along with."""


@dataclass(slots=True)
class BareudpParams:
    """IFLA_INFO_DATA of a bareudp device; None: it was not there."""

    port: int | None = None
    ethertype: int | None = None
    srcport_min: int | None = None
    multiproto_mode: bool | None = None


@dataclass(slots=True, eq=False)
class Bareudp:
    """struct bareudp_dev. net: where its socket is."""

    dev: Device
    net: Net
    port: int = 0
    ethertype: int = 0
    srcport_min: int = 0
    multiproto_mode: bool = False


@dataclass(slots=True)
class BareudpNet:
    """struct bareudp_net. devices: whose sockets are here, the newest first."""

    devices: list[Bareudp] = field(default_factory=list)


def of_net(net: Net) -> BareudpNet:
    """net_generic(net, bareudp_net_id)."""
    found = net.generic.get(NAME)
    if found is None:
        found = net.generic[NAME] = BareudpNet()
    return cast("BareudpNet", found)


class BareudpOps(DeviceOps):
    """bareudp_netdev_ops. There are no ethtool_ops."""

    has_rx_mode = False

    def open(self, dev: Device) -> None:
        one: Bareudp = dev.priv
        udp.bind_both(one.net, one.port, one)

    def stop(self, dev: Device) -> None:
        one: Bareudp = dev.priv
        udp.release_both(one.net, one.port)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """bareudp_xmit(): no frame here has metadata."""
        dev.stats.tx_errors += 1
        dev.changed()
        return Xmit.SUCCESS, None


def setup(dev: Device) -> None:
    """bareudp_setup()."""
    dev.features = dev.hw_features = FEATURES
    dev.mtu, dev.min_mtu, dev.max_mtu = ETH_DATA_LEN, IPV4_MIN_MTU, IP_MAX_MTU - UDP_HEADER
    dev.type = int(ARPHRD.NONE)
    dev.flags = FLAGS
    dev.no_queue = True
    dev.priv = Bareudp(dev, dev.net)


class BareudpKind(Kind):
    """bareudp_link_ops. There is neither changelink nor get_link_net."""

    name = NAME
    option = "BAREUDP"
    ops = BareudpOps()
    setup = staticmethod(setup)
    devtype = NAME
    params = BareudpParams

    def validate(self, params: LinkParams) -> None:
        if params.data is None:
            raise Refusal(EINVAL, "Not enough attributes provided to perform the operation")

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """bareudp2info() and bareudp_configure(). Refusal EINVAL, EBUSY, with texts."""
        data: BareudpParams = params.data
        assert params.link_net is not None
        if data.port is None:
            raise Refusal(EINVAL, "port not specified")
        if data.ethertype is None:
            raise Refusal(EINVAL, "ethertype not specified")
        known = of_net(params.link_net).devices
        if any(other.port == data.port for other in known):
            raise Refusal(EBUSY, "Another bareudp device using the same port already exists")
        if data.multiproto_mode and data.ethertype not in ACCOMPANIED:
            text = "Cannot set multiproto mode for this ethertype (only IPv4 and unicast MPLS are supported)"
            raise Refusal(EINVAL, text)
        one: Bareudp = dev.priv
        one.net, one.port, one.ethertype = params.link_net, data.port, data.ethertype
        one.srcport_min, one.multiproto_mode = data.srcport_min or 0, bool(data.multiproto_mode)
        register(dev)
        known.insert(0, one)

    def del_link(self, dev: Device, kill: KillList) -> None:
        of_net(dev.priv.net).devices.remove(dev.priv)
        queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """bareudp_exit_rtnl_net(): those whose sockets are there, wherever they are."""
        for one in tuple(of_net(net).devices):
            self.del_link(one.dev, kill)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        one: Bareudp = dev.priv
        return {
            "port": one.port, "ethertype": one.ethertype, "srcport_min": one.srcport_min,
            "multiproto_mode": True if one.multiproto_mode else None,
        }


KIND = BareudpKind()
