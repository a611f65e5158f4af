"""Notifications of statistics: rtnl_offload_xstats_notify() of net/core/rtnetlink.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.stats.get import HW_S_INFO, OFFLOAD, body
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

STATS = int(RTNLGRP.STATS)


class StatsNotify(RtnlNotify):
    """RTNLGRP_STATS."""

    def hw_stats(self, dev: Device) -> None:
        """rtnl_offload_xstats_notify()."""
        self.notify(dev.net, STATS, RTM.NEWSTATS, lambda: body(dev, OFFLOAD, HW_S_INFO))
