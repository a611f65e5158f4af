"""MPLS in a link: mpls_af_ops of net/mpls/af_mpls.c. It takes nothing here, and says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link.af import LinkAf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

AF_MPLS = 28


class Mpls(LinkAf):
    """mpls_af_ops"""

    number = AF_MPLS
    initcall = 3
    option = "MPLS_ROUTING"

    def size(self, dev: Device) -> None:
        """No room is counted for it."""


AF = Mpls()
