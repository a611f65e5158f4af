"""Filters, chains and actions: nobody has made any, so their dumps are empty (tc_dump_tfilter(), tc_dump_chain() of
net/sched/cls_api.c, tc_dump_action() of net/sched/act_api.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.protocol.families.route.tc import GETACTION, GETCHAIN, GETTFILTER
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages


@dumpit_of(GETTFILTER, AF_UNSPEC)
@dumpit_of(GETCHAIN, AF_UNSPEC)
@dumpit_of(GETACTION, AF_UNSPEC)
def nothing(call: Call) -> Messages:
    """There is none."""
    return iter(())
