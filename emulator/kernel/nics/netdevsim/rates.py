"""netdevsim: rates of virtual functions' ports and of nodes (nsim_leaf_tx_share_set() and its like, of
drivers/net/netdevsim/dev.c).

Its links are as fast as 5000 Mbit/s and know nothing between two whole ones. What a port may send is what rtnetlink
tells of the virtual function, too.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.nics.netdevsim.ethtool import state_of
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlemu.emulator.kernel.devlink.rate import Rate
    from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice

FASTEST = 5000
"""NSIM_LINK_SPEED_MAX, in Mbit/s."""
UNIT = 125000
"""NSIM_LINK_SPEED_UNIT: one Mbit in bytes."""
NO_UNITS = "netdevsim: TX rate value not in link speed units of 1Mbps."
TOO_FAST = "netdevsim: TX rate value exceed link maximum speed 5000Mbps."
ONLY_SWITCHDEV = "netdevsim: Node creation allowed only in switchdev mode."
OF_FUNCTION = {"share": "min_tx_rate", "max": "max_tx_rate"}


def units(rate: int) -> int:
    """nsim_rate_bytes_to_units(): bytes a second in Mbit/s. EINVAL."""
    if rate % UNIT:
        raise Refusal(EINVAL, NO_UNITS)
    if rate // UNIT > FASTEST:
        raise Refusal(EINVAL, TOO_FAST)
    return rate // UNIT


def set_rate(device: BusDevice, rate: Rate, field: str, value: int | Sequence[int] | Rate | None) -> None:
    """One of `share`, `max`, `classes` and `parent`. EINVAL."""
    told = OF_FUNCTION.get(field)
    if told is not None:
        assert isinstance(value, int)
        speed = units(value)
        if rate.port is not None:
            port = device.ports[rate.port]
            vf = state_of(port).vf
            assert vf is not None
            setattr(device.vfs[vf], told, speed)
            for dev in device.ports.values():
                dev.changed()
    setattr(rate, field, value)
