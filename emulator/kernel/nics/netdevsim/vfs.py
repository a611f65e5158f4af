"""netdevsim: virtual functions of a bus device (nsim_set_vf_*() of drivers/net/netdevsim/netdev.c).

A bus device has room for four, and none at first; how many there are is written to its file sriov_numvfs. They are no
devices: what is set of one is kept and told. What was set stays when they go, and is there again when they come back.
The bus device's mode stays "legacy", so no ports come with them.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.vf import VfConfig, VfOps
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_link import VfLinkState

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

MAX_VFS = 4
"""NSIM_BUS_DEV_MAX_VFS"""
VLAN_MAX, QOS_MAX = 4095, 7
U16 = 0xFFFF


class NetdevsimVfOps(VfOps):
    """The part of the driver that knows virtual functions. All refuse with EINVAL."""

    has_vfs = True

    def num_vf(self, dev: Device) -> int:
        """nsim_num_vf()."""
        count: int = dev.priv.bus_device.num_vfs
        return count

    def vf_config(self, dev: Device, vf: int) -> VfConfig:
        """nsim_get_vf_config()."""
        if vf >= self.num_vf(dev):
            raise Refusal(EINVAL)
        config: VfConfig = dev.priv.bus_device.vfs[vf]
        return config

    def set_vf_mac(self, dev: Device, vf: int, mac: bytes) -> None:
        """nsim_set_vf_mac(): no group's; none at all is one."""
        config = self.vf_config(dev, vf)
        if mac[0] & 1:
            raise Refusal(EINVAL)
        config.mac = mac

    def set_vf_vlan(self, dev: Device, vf: int, vlan: int, qos: int, proto: int) -> None:
        """nsim_set_vf_vlan()."""
        config = self.vf_config(dev, vf)
        if vlan > VLAN_MAX or qos > QOS_MAX:
            raise Refusal(EINVAL)
        config.vlan, config.qos, config.vlan_proto = vlan, qos, proto

    def set_vf_rate(self, dev: Device, vf: int, min_tx_rate: int, max_tx_rate: int) -> None:
        """nsim_set_vf_rate()."""
        config = self.vf_config(dev, vf)
        config.min_tx_rate, config.max_tx_rate = min_tx_rate & U16, max_tx_rate & U16

    def set_vf_spoofchk(self, dev: Device, vf: int, on: bool) -> None:
        """nsim_set_vf_spoofchk()."""
        self.vf_config(dev, vf).spoofchk = on

    def set_vf_link_state(self, dev: Device, vf: int, state: int) -> None:
        """nsim_set_vf_link_state()."""
        config = self.vf_config(dev, vf)
        if state not in tuple(VfLinkState):
            raise Refusal(EINVAL)
        config.link_state = state

    def set_vf_rss_query_en(self, dev: Device, vf: int, on: bool) -> None:
        """nsim_set_vf_rss_query_en()."""
        self.vf_config(dev, vf).rss_query_en = on

    def set_vf_trust(self, dev: Device, vf: int, on: bool) -> None:
        """nsim_set_vf_trust()."""
        self.vf_config(dev, vf).trusted = on
