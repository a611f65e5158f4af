"""The network device of a virtual function's port, which comes when the switch is in switchdev mode
(nsim_init_netdevsim_vf() of drivers/net/netdevsim/netdev.c).

It has ethtool's settings and an address, and else little: no queues that can be asked for, no clock, no XDP program, no
wire. Of its timestamps Linux follows a null pointer; here it has no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.nics.netdevsim.ethtool import NetdevsimEthtoolOps, state_of

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


class NetdevsimFunctionOps(NetdevsimEthtoolOps):
    """nsim_vf_netdev_ops."""

    def get_phys_port_name(self, dev: Device) -> str | None:
        """devlink_compat_phys_port_name_get() of a virtual function's port."""
        return f"pf0vf{state_of(dev).vf}"

    def open(self, dev: Device) -> None:
        """Linux has no such method; packets are trapped from now on."""
        state_of(dev).bus_device.reports.began(dev)

    def stop(self, dev: Device) -> None:
        """And no more."""
        state_of(dev).bus_device.reports.ended(dev)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        """nsim_start_xmit() without a wire."""
        dev.stats.tx_dropped += 1
        return Xmit.SUCCESS, None
