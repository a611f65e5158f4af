"""netdevsim: what its network devices are when they begin (nsim_setup() of drivers/net/netdevsim/netdev.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.address import ether_setup, randomize_address
from nlemu.emulator.kernel.devices.features import HW_MACSEC, word
from nlemu.emulator.kernel.devices.states import NetmemTx
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_ether import ETH_MAX_MTU
from nlemu.protocol.uapi.netdev import XdpAct
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

FEATURES = word(
    NetifF.HIGHDMA, NetifF.SG, NetifF.FRAGLIST, NetifF.HW_CSUM, NetifF.LRO, NetifF.TSO, NetifF.HW_VLAN_CTAG_FILTER,
    NetifF.HW_VLAN_STAG_FILTER,
)
HW_FEATURES = word(
    NetifF.HW_TC, NetifF.SG, NetifF.FRAGLIST, NetifF.HW_CSUM, NetifF.LRO, NetifF.TSO, NetifF.LOOPBACK,
    NetifF.HW_VLAN_CTAG_FILTER, NetifF.HW_VLAN_STAG_FILTER,
)


def setup_function(dev: Device) -> None:
    """nsim_setup(): all that the device of a virtual function's port has."""
    ether_setup(dev)
    randomize_address(dev)
    dev.flags &= ~int(IFF.MULTICAST)
    dev.live_address_change = True
    dev.features |= FEATURES
    dev.hw_features |= HW_FEATURES
    dev.max_mtu = ETH_MAX_MTU
    dev.xdp_features = int(XdpAct.BASIC | XdpAct.HW_OFFLOAD)


def setup_plain(dev: Device) -> None:
    """And what nsim_init_netdevsim() adds."""
    setup_function(dev)
    if dev.kernel.build.has("MACSEC"):  # nsim_macsec_init()
        dev.features |= HW_MACSEC
    dev.queue_mgmt_ops = True


def setup_dma(dev: Device) -> None:
    """The same of the driver that can do DMA."""
    setup_plain(dev)
    dev.xdp_features |= int(XdpAct.REDIRECT | XdpAct.NDO_XMIT | XdpAct.XSK_ZEROCOPY)
    dev.netmem_tx = NetmemTx.DMA
