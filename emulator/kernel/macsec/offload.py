"""Who does the work of MACsec in its place: struct macsec_ops of include/net/macsec.h.

A driver that can has an object of these (`DeviceOps.macsec_ops()`), which is told what comes, changes and goes, and may
refuse. It is told after the fact: who asks takes back what was refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.macsec.secy import RxSc, Secy


class MacsecOps:
    """Of one device; a method that is not overridden is a NULL pointer there, and grants all."""

    def add_secy(self, secy: Secy) -> None:
        """mdo_add_secy"""

    def update_secy(self, secy: Secy) -> None:
        """mdo_upd_secy"""

    def delete_secy(self, secy: Secy) -> None:
        """mdo_del_secy"""

    def add_channel(self, secy: Secy, channel: RxSc) -> None:
        """mdo_add_rxsc"""

    def update_channel(self, secy: Secy, channel: RxSc) -> None:
        """mdo_upd_rxsc"""

    def delete_channel(self, secy: Secy, channel: RxSc) -> None:
        """mdo_del_rxsc"""

    def touch_rx_sa(self, secy: Secy, channel: RxSc) -> None:
        """mdo_add_rxsa, mdo_upd_rxsa, mdo_del_rxsa"""

    def touch_tx_sa(self, secy: Secy) -> None:
        """mdo_add_txsa, mdo_upd_txsa, mdo_del_txsa"""
