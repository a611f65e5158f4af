"""The loopback device: the first of every namespace, and the last to go (drivers/net/loopback.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features, settings
from nlemu.emulator.kernel.devices.address import NO_ADDRESS, set_ethernet_mac
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import alloc_device, register
from nlemu.emulator.kernel.devices.states import NameAssignment
from nlemu.emulator.kernel.ethtool.link import SOFTWARE_STAMPS, TsInfo
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN
from nlemu.protocol.uapi.netdevice import GSO_MAX_SIZE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

MTU = 64 * 1024
FEATURES = (
    features.SG
    | features.FRAGLIST
    | features.GSO_SOFTWARE
    | features.HW_CSUM
    | features.RXCSUM
    | features.SCTP_CRC
    | features.HIGHDMA
    | features.VLAN_CHALLENGED
    | features.LOOPBACK
)


class LoopbackOps(DeviceOps):
    """loopback_ops."""

    has_rx_mode = False

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def get_link(self, dev: Device) -> bool:
        return True

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        info.so_timestamping = SOFTWARE_STAMPS


OPS = LoopbackOps()


def setup(dev: Device) -> None:
    """loopback_setup()."""
    dev.mtu = MTU
    dev.hard_header_len = ETH_HLEN
    dev.addr_len = ETH_ALEN
    dev.address = dev.broadcast = NO_ADDRESS
    dev.type = int(ARPHRD.LOOPBACK)
    dev.flags = int(IFF.LOOPBACK)
    dev.live_address_change = True
    dev.no_queue = True
    dev.netns_immutable = True
    dev.hw_features = features.GSO_SOFTWARE
    dev.features = FEATURES
    settings.set_tso_max_size(dev, GSO_MAX_SIZE)


def create(net: Net) -> None:
    """loopback_net_init(): the loopback device of a new namespace."""
    dev = alloc_device(net, "lo", OPS, setup, assignment=NameAssignment.PREDICTABLE)
    net.loopback = dev
    register(dev)
