"""Dummy devices: an Ethernet device that swallows what it is given (drivers/net/dummy.c).

It always has a carrier, unless somebody takes that away, so it runs as soon as it is up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features, link_watch
from nlemu.emulator.kernel.devices.address import (
    check_address,
    check_new_address,
    ether_setup,
    randomize_address,
    set_ethernet_mac,
)
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.ethtool.link import SOFTWARE_STAMPS, TsInfo
from nlemu.protocol.uapi.if_ import IFF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

FEATURES = (
    features.SG
    | features.FRAGLIST
    | features.GSO_SOFTWARE
    | features.HW_CSUM
    | features.HIGHDMA
    | features.GSO_ENCAP_ALL
)
NOARP = int(IFF.NOARP)
MULTICAST = int(IFF.MULTICAST)


class DummyOps(DeviceOps):
    """dummy_netdev_ops and dummy_ethtool_ops."""

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        info.so_timestamping = SOFTWARE_STAMPS

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        dev.stats.sent(size)
        return Xmit.SUCCESS, None

    def change_carrier(self, dev: Device, carrier: bool) -> None:
        if carrier:
            link_watch.carrier_on(dev)
        else:
            link_watch.carrier_off(dev)


OPS = DummyOps()


def setup(dev: Device) -> None:
    """dummy_setup()."""
    ether_setup(dev)
    dev.request_ops_lock = True
    dev.flags = dev.flags & ~MULTICAST | NOARP
    dev.live_address_change = True
    dev.no_queue = True
    dev.features = dev.hw_features = FEATURES
    randomize_address(dev)
    dev.min_mtu = 0
    dev.max_mtu = 0


class Dummy(Kind):
    """dummy_link_ops."""

    name = "dummy"
    option = "DUMMY"
    ops = OPS
    setup = staticmethod(setup)

    def validate(self, params: LinkParams) -> None:
        check_new_address(params.address)


KIND = Dummy()
