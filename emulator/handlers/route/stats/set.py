"""Statistics of hardware are asked for: rtnl_stats_set() of net/core/rtnetlink.c. A device that was asked counts as
asked, whether or not anything counts for it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.stats.get import HW_S_INFO, OFFLOAD, body, check_header, device
from nlemu.emulator.netlink.registry import doit_of
from nlemu.emulator.netlink.request import check_length, read
from nlemu.protocol.families.route.stats import SET, SETSTATS, Asked
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call

STATS = int(RTNLGRP.STATS)


@doit_of(SETSTATS, AF_UNSPEC)
def setstats(call: Call) -> None:
    """rtnl_stats_set(): EINVAL with texts, ENODEV; what is asked for already is nothing new."""
    check_length(call, SET)
    check_header(call)
    if call.fixed.family != AF_UNSPEC:
        raise Refusal(errno.EINVAL, "Address family should be AF_UNSPEC")
    dev = device(call)
    if call.fixed.filter_mask:
        raise Refusal(errno.EINVAL, "Filter mask must be 0 for stats set")
    wanted = read(call, SET).get(Asked.l3_stats)
    if wanted is None or bool(wanted) == dev.offload_xstats_l3:
        return
    dev.offload_xstats_l3 = bool(wanted)
    if isinstance(call.machine.announcer, RtnlNotify):
        call.machine.announcer.notify(dev.net, STATS, RTM.NEWSTATS, lambda: body(dev, OFFLOAD, HW_S_INFO))
