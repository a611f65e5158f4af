"""The bridge in a link: br_af_ops of net/bridge/br_netlink.c. It takes nothing here, and has room set aside for
nothing."""

from __future__ import annotations

from nlemu.emulator.handlers.route.link.af import LinkAf

AF_BRIDGE = 7


class Bridge(LinkAf):
    """br_af_ops"""

    number = AF_BRIDGE
    initcall = 1


AF = Bridge()
