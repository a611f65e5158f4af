"""gve: what it does otherwise than a profile can say (drivers/net/ethernet/google/gve).

A table and a key, and nothing to be said of what is hashed. What the device refuses is told in one sentence, whatever
it is.
"""

from __future__ import annotations

from errno import EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.nics.nic import NicOps
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


class GveOps(NicOps):
    """gve_netdev_ops and gve_ethtool_ops."""

    def check_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """gve_adminq_configure_rss(), and gve_set_rxfh() after it."""
        if wanted.function and wanted.function not in self.facts.functions:
            raise Refusal(EOPNOTSUPP, "gve: Fail to configure RSS config")
