"""ifb: a device that packets of other devices are redirected to, to be queued there (drivers/net/ifb.c).

Nothing here redirects packets, so what comes is what the stack itself sends, and that is dropped: ifb counts it as
received, because for a redirected packet it is the beginning of the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features, settings
from nlemu.emulator.kernel.devices.address import (
    check_address,
    check_new_address,
    ether_setup,
    randomize_address,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.protocol.uapi.ethtool import StringSet
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netdevice import GSO_MAX_SIZE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

TX_QUEUE_LEN = 32
"""TX_Q_LIMIT"""
FEATURES = (
    features.HW_CSUM
    | features.SG
    | features.FRAGLIST
    | features.GSO_SOFTWARE
    | features.GSO_ENCAP_ALL
    | features.HIGHDMA
    | features.HW_VLAN_TX
)
QUEUE_STATS = ("packets", "bytes")
NOARP = int(IFF.NOARP)
MULTICAST = int(IFF.MULTICAST)


class IfbOps(DeviceOps):
    """ifb_netdev_ops and ifb_ethtool_ops. There is no ndo_set_mac_address."""

    has_rx_mode = False

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        dev.stats.received(size)
        dev.stats.rx_dropped += 1
        return Xmit.SUCCESS, None

    def get_strings(self, dev: Device, string_set: int) -> tuple[str, ...]:
        if string_set != StringSet.STATS:
            return ()
        return tuple(
            f"{direction}_queue_{queue}_{stat}"
            for direction in ("rx", "tx") for queue in range(dev.num_tx_queues) for stat in QUEUE_STATS
        )

    def get_ethtool_stats(self, dev: Device) -> tuple[int, ...]:
        """ifb_get_ethtool_stats(). A guess: all that comes is on the first queue."""
        return (dev.stats.rx_packets, dev.stats.rx_bytes, *(0,) * (2 * len(QUEUE_STATS) * dev.num_tx_queues - 2))


OPS = IfbOps()


def setup(dev: Device) -> None:
    """ifb_setup()."""
    ether_setup(dev)
    dev.txqlen = TX_QUEUE_LEN
    dev.features = dev.hw_features = FEATURES
    dev.vlan_features = FEATURES & ~features.HW_VLAN_TX
    dev.flags = dev.flags & ~MULTICAST | NOARP
    randomize_address(dev)
    dev.min_mtu = 0
    dev.max_mtu = 0
    settings.set_tso_max_size(dev, GSO_MAX_SIZE)


class Ifb(Kind):
    """ifb_link_ops. Those that the driver makes at boot (ifb.numifbs) are not there."""

    name = "ifb"
    option = "IFB"
    ops = OPS
    setup = staticmethod(setup)

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)


KIND = Ifb()
