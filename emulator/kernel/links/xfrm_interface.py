"""xfrm: interfaces that policies of IPsec are bound to by number (net/xfrm/xfrm_interface_core.c).

No policy is looked at here: whatever is sent has no way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EEXIST, EINVAL
from typing import TYPE_CHECKING, Any, cast

from nlemu.emulator.kernel.devices import features, link_watch, settings
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.tunnels.ip_tunnel import IP_MAX_MTU
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN, ETH_MIN_MTU

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NAME = "xfrm"
FEATURES = features.SG | features.FRAGLIST | features.GSO_SOFTWARE | features.HW_CSUM
NO_ID = "if_id must be non zero"


@dataclass(slots=True)
class XfrmParams:
    """IFLA_INFO_DATA of an xfrm interface; None: it was not there."""

    link: int | None = None
    if_id: int | None = None
    collect_metadata: bool | None = None


@dataclass(slots=True, eq=False)
class XfrmInterface:
    """struct xfrm_if: net: where it was made from; if_id: 0 for one that goes by metadata."""

    dev: Device
    net: Net
    link: int = 0
    if_id: int = 0

    @property
    def collect_md(self) -> bool:
        """Whether each packet says its number."""
        return not self.if_id


@dataclass(slots=True)
class XfrmNet:
    """struct xfrmi_net: by number."""

    interfaces: dict[int, XfrmInterface] = field(default_factory=dict)


def of_net(net: Net) -> XfrmNet:
    """net_generic(net, xfrmi_net_id)."""
    found = net.generic.get(NAME)
    if found is None:
        found = net.generic[NAME] = XfrmNet()
    return cast("XfrmNet", found)


class XfrmOps(DeviceOps):
    """xfrmi_netdev_ops. There are no ethtool_ops."""

    has_rx_mode = False

    def init(self, dev: Device) -> None:
        one: XfrmInterface = dev.priv
        dev.features |= FEATURES
        dev.hw_features |= FEATURES
        below = one.net.device(one.link)
        if below is not None:
            settings.inherit_room(dev, below)

    def uninit(self, dev: Device) -> None:
        one: XfrmInterface = dev.priv
        known = of_net(one.net).interfaces
        if known.get(one.if_id) is one:
            del known[one.if_id]

    def get_iflink(self, dev: Device) -> int:
        one: XfrmInterface = dev.priv
        return one.link

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """xfrmi_xmit(), where no policy says how."""
        one: XfrmInterface = dev.priv
        if not one.collect_md:
            dev.stats.tx_carrier_errors += 1
        dev.stats.tx_errors += 1
        dev.stats.tx_dropped += 1
        dev.changed()
        return Xmit.SUCCESS, None


OPS = XfrmOps()


def setup(dev: Device) -> None:
    """xfrmi_dev_setup()."""
    dev.type = int(ARPHRD.NONE)
    dev.mtu, dev.min_mtu, dev.max_mtu = ETH_DATA_LEN, ETH_MIN_MTU, IP_MAX_MTU
    dev.flags = int(IFF.NOARP)
    dev.priv = XfrmInterface(dev, dev.net)


class Xfrm(Kind):
    """xfrmi_link_ops."""

    name = NAME
    option = "XFRM_INTERFACE"
    ops = OPS
    setup = staticmethod(setup)
    params = XfrmParams

    def new_link(self, dev: Device, params: LinkParams) -> None:
        data: XfrmParams = params.data or XfrmParams()
        net = params.named_net or dev.net
        number = data.if_id or 0
        if data.collect_metadata and (data.link or number):
            raise Refusal(EINVAL, "link and if_id must be zero")
        if not data.collect_metadata and not number:
            raise Refusal(EINVAL, NO_ID)
        known = of_net(net).interfaces
        if number in known:
            raise Refusal(EEXIST)
        one: XfrmInterface = dev.priv
        one.net, one.link, one.if_id = net, data.link or 0, number
        register(dev)
        known[number] = one

    def del_link(self, dev: Device, kill: KillList) -> None:
        queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """xfrmi_exit_rtnl(): those that were made from there; the one that goes by metadata last."""
        known = of_net(net).interfaces
        for number in sorted(known, key=lambda one: (not one, one)):
            queue_unregister(known[number].dev, kill)

    def change(self, dev: Device, data: XfrmParams, params: LinkParams) -> None:
        """xfrmi_changelink(): that the device below cannot be another is said after all else was told."""
        one: XfrmInterface = dev.priv
        number = data.if_id or 0
        if not number:
            raise Refusal(EINVAL, NO_ID)
        if data.collect_metadata or one.collect_md:
            raise Refusal(EINVAL, "collect_md can't be changed")
        known = of_net(one.net).interfaces
        if known.get(number, one) is not one:
            raise Refusal(EEXIST)
        same = one.link == (data.link or 0)
        if same:
            del known[one.if_id]
            one.if_id = number
            known[number] = one
        dev.changed()
        link_watch.state_change(dev)
        if not same:
            raise Refusal(EINVAL)

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        one: XfrmInterface = dev.priv
        return {"link": one.link, "if_id": one.if_id, "collect_metadata": True if one.collect_md else None}

    def get_link_net(self, dev: Device) -> Net | None:
        net: Net = dev.priv.net
        return net


KIND = Xfrm()
