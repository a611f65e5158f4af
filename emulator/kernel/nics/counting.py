"""What a NIC counts: of queues for netdev, and by names for ethtool, both as its profile says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.nics.beside import TESTS
from nlemu.emulator.kernel.nics.private_flags import NicPrivateFlags
from nlemu.emulator.kernel.nics.profiles import Profile
from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats
from nlemu.protocol.uapi.ethtool import StringSet

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


class NicCounting(NicPrivateFlags, DeviceOps):
    """The methods of netdev_stat_ops, and those of ethtool_ops that count; what else of a driver has names."""

    profile: Profile

    # netdev_stat_ops

    def get_queue_stats_rx(self, dev: Device, index: int, stats: RxStats) -> None:
        _fill(stats, self.profile.rx_counters, dev.priv.rx.get(index))

    def get_queue_stats_tx(self, dev: Device, index: int, stats: TxStats) -> None:
        _fill(stats, self.profile.tx_counters, dev.priv.tx.get(index))

    def get_base_stats(self, dev: Device, rx: RxStats, tx: TxStats) -> None:
        """And what queues counted that are not in use now."""
        state = dev.priv
        for total, counters, base, queues in (
            (rx, self.profile.rx_counters, state.base_rx, state.rx),
            (tx, self.profile.tx_counters, state.base_tx, state.tx),
        ):
            idle = [kept for index, kept in queues.items() if index >= state.count]
            for name in counters:
                setattr(total, name, sum(getattr(kept, name) or 0 for kept in (base, *idle)))

    # ethtool_ops

    def get_strings(self, dev: Device, string_set: int) -> tuple[str, ...]:
        if string_set == StringSet.PRIV_FLAGS:
            return self.flag_names(dev)
        if string_set == StringSet.TEST:
            return TESTS.get(self.driver, ())
        return self.profile.counters.names(dev) if string_set == StringSet.STATS else ()

    def get_ethtool_stats(self, dev: Device) -> tuple[int, ...]:
        return self.profile.counters.values(dev)


def _fill(stats: RxStats | TxStats, counters: tuple[str, ...], kept: RxStats | TxStats | None) -> None:
    for name in counters:
        setattr(stats, name, 0 if kept is None else getattr(kept, name) or 0)
