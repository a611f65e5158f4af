"""Statistics of hardware are asked for: rtnl_stats_set() of net/core/rtnetlink.c. A device that was asked counts as
asked, whether or not anything counts for it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.stats.get import check_header, device
from nlemu.emulator.kernel.devices import hw_stats
from nlemu.emulator.netlink.registry import doit_of
from nlemu.emulator.netlink.request import check_length, read
from nlemu.protocol.families.route.stats import SET, SETSTATS, Asked
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call


@doit_of(SETSTATS, AF_UNSPEC)
def setstats(call: Call) -> None:
    """rtnl_stats_set(): EINVAL with texts, ENODEV, what whoever counts refuses; what is asked for already is nothing
    new."""
    check_length(call, SET)
    check_header(call)
    if call.fixed.family != AF_UNSPEC:
        raise Refusal(errno.EINVAL, "Address family should be AF_UNSPEC")
    dev = device(call)
    if call.fixed.filter_mask:
        raise Refusal(errno.EINVAL, "Filter mask must be 0 for stats set")
    wanted = read(call, SET).get(Asked.l3_stats)
    if wanted is None or bool(wanted) == (dev.hw_counts is not None):
        return
    if wanted:
        hw_stats.enable(dev)
    else:
        hw_stats.disable(dev)
    call.machine.announcer.hw_stats(dev)
