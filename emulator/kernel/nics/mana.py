"""mana, the NIC of Azure: what it does otherwise than a profile can say (drivers/net/ethernet/microsoft/mana).

What is spread, and how, is set while the port is up.
"""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.ethtool.settings import Coalesce, Rings
from nlemu.emulator.kernel.nics.nic import NicOps
from nlemu.emulator.kernel.nics.rings import power_of_two
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LEAST_RING = 128
"""MIN_RX_BUFFERS_PER_QUEUE, MIN_TX_BUFFERS_PER_QUEUE"""
AT_ONCE = 4
"""MANA_RXCOMP_OOB_NUM_PPI: as many packets there are to a completion."""


class ManaOps(NicOps):
    """mana_devops and mana_ethtool_ops."""

    def check_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """mana_set_rxfh()."""
        if not dev.running:
            raise Refusal(EOPNOTSUPP)
        super().check_rxfh(dev, wanted)

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """mana_set_ringparam()."""
        for name in ("tx", "rx"):
            size = getattr(rings, name)
            if size < LEAST_RING:
                raise Refusal(EINVAL, f"{name}:{size} less than the min:{LEAST_RING}")
        rings.rx, rings.tx = power_of_two(rings.rx), power_of_two(rings.tx)
        return True

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        """mana_set_coalesce()."""
        if coalesce.rx_cqe_frames not in (1, AT_ONCE):
            raise Refusal(EINVAL, f"rx-frames must be 1 or {AT_ONCE}, got {coalesce.rx_cqe_frames}")
        super().set_coalesce(dev, coalesce)
