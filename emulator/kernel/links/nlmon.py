"""nlmon: a device at which a program listens to the netlink of its namespace (drivers/net/nlmon.c).

It has no address and sends nothing. While it is up it is a tap (net/netlink/af_netlink.c: netlink_add_tap()): each
datagram that a socket of the namespace sends to the kernel, or that is queued for it, goes out through the device as
well, and is counted as received. What a program that captures there would read is not kept.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

NLMSG_GOODSIZE = 3776
"""include/linux/netlink.h: a page without what stands behind the data of a buffer."""


class NlmonOps(DeviceOps):
    """nlmon_ops and nlmon_ethtool_ops."""

    has_rx_mode = False

    def open(self, dev: Device) -> None:
        dev.net.taps = (dev, *dev.net.taps)

    def stop(self, dev: Device) -> None:
        dev.net.taps = tuple(tap for tap in dev.net.taps if tap is not dev)

    def get_link(self, dev: Device) -> bool:
        return True

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        stats = dev.stats
        stats.rx_packets += 1
        stats.rx_bytes += size
        return Xmit.SUCCESS, None


OPS = NlmonOps()


def setup(dev: Device) -> None:
    """nlmon_setup()."""
    dev.type = int(ARPHRD.NETLINK)
    dev.no_queue = True
    dev.features = features.SG | features.FRAGLIST | features.HIGHDMA
    dev.flags = int(IFF.NOARP)
    dev.mtu = NLMSG_GOODSIZE
    dev.min_mtu = NLMSG_HDRLEN


class Nlmon(Kind):
    """nlmon_link_ops."""

    name = "nlmon"
    option = "NLMON"
    ops = OPS
    setup = staticmethod(setup)

    def validate(self, params: LinkParams) -> None:
        if params.address is not None:
            raise Refusal(EINVAL)


KIND = Nlmon()
