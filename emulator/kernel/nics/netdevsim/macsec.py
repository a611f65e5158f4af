"""What a netdevsim port offloads of MACsec: it keeps a table, and does nothing (drivers/net/netdevsim/macsec.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import ENOENT, ENOSPC
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.macsec.offload import MacsecOps
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.macsec.secy import RxSc, Secy

MAX_SECYS = 3
"""NSIM_MACSEC_MAX_SECY_COUNT"""
MAX_CHANNELS = 1
"""NSIM_MACSEC_MAX_RXSC_COUNT"""


@dataclass(slots=True)
class Entry:
    """struct nsim_secy. An entry that is not used has the identifier 0, and is found by it."""

    sci: int = 0
    used: bool = False
    channels: list[int] = field(default_factory=list)


class NetdevsimMacsec(MacsecOps):
    """nsim_macsec_ops, of one port."""

    def __init__(self) -> None:
        self.entries = [Entry() for _ in range(MAX_SECYS)]

    def _find(self, secy: Secy) -> Entry:
        """nsim_macsec_find_secy(): ENOENT."""
        for entry in self.entries:
            if entry.sci == secy.sci:
                return entry
        raise Refusal(ENOENT)

    def _find_channel(self, secy: Secy, channel: RxSc) -> Entry:
        """nsim_macsec_find_rxsc() too: ENOENT. A place that is free has the identifier 0."""
        entry = self._find(secy)
        if channel.sci not in (entry.channels or [0]):
            raise Refusal(ENOENT)
        return entry

    def add_secy(self, secy: Secy) -> None:
        for at, entry in enumerate(self.entries):
            if not entry.used:
                self.entries[at] = Entry(secy.sci, True)
                return
        raise Refusal(ENOSPC)

    def update_secy(self, secy: Secy) -> None:
        self._find(secy)

    def delete_secy(self, secy: Secy) -> None:
        self.entries[self.entries.index(self._find(secy))] = Entry()

    def add_channel(self, secy: Secy, channel: RxSc) -> None:
        entry = self._find(secy)
        if len(entry.channels) == MAX_CHANNELS:
            raise Refusal(ENOSPC)
        entry.channels.append(channel.sci)

    def update_channel(self, secy: Secy, channel: RxSc) -> None:
        self._find_channel(secy, channel)

    def delete_channel(self, secy: Secy, channel: RxSc) -> None:
        self._find_channel(secy, channel).channels.clear()

    def touch_rx_sa(self, secy: Secy, channel: RxSc) -> None:
        self._find_channel(secy, channel)

    def touch_tx_sa(self, secy: Secy) -> None:
        self._find(secy)
