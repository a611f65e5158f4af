"""What simulated devices could do and the emulator does not: refused, by name, where the kernel would begin with it.

Where there is no instance, or none of that name, the kernel refuses, and so do we.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from nlemu.emulator.handlers.devlink.instance import Fills, dump, find
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.nics.instance import Instance
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.emulator.netlink.dump import Dump


def refuse(call: Call) -> NoReturn:
    """Refusal: see `Machine.refuse_not_emulated()`."""
    call.machine.refuse_not_emulated(f"devlink {call.op.name}")


def refuse_to_do(call: Call) -> None:
    """The same once the instance is found."""
    find(call)
    refuse(call)


for op in (
    c.DPIPE_TABLE_GET, c.DPIPE_ENTRIES_GET, c.DPIPE_HEADERS_GET, c.DPIPE_TABLE_COUNTERS_SET,
    c.RESOURCE_SET, c.RESOURCE_DUMP, c.RELOAD, c.REGION_NEW, c.REGION_DEL, c.HEALTH_REPORTER_SET,
    c.HEALTH_REPORTER_RECOVER, c.HEALTH_REPORTER_DIAGNOSE, c.HEALTH_REPORTER_DUMP_CLEAR, c.HEALTH_REPORTER_TEST,
    c.FLASH_UPDATE, c.TRAP_SET, c.TRAP_GROUP_SET, c.TRAP_POLICER_SET, c.RATE_NEW,
):
    doit(op)(refuse_to_do)


@dumpit(c.REGION_READ)
def region_read(call: Call) -> Messages:
    """devlink_nl_region_read_dumpit(), which begins with the instance."""
    find(call)
    yield partial(refuse, call)


@dumpit(c.HEALTH_REPORTER_DUMP_GET)
def reporter_dump(call: Call) -> Messages:
    """devlink_nl_health_reporter_dump_get_dumpit(): an instance that is not there is a reporter that is not. EINVAL."""
    try:
        find(call)
    except Refusal:
        raise Refusal(errno.EINVAL) from None
    if Devlink.health_reporter_name not in call.attrs:
        raise Refusal(errno.EINVAL)
    yield partial(refuse, call)


@dumpit(c.RESOURCE_DUMP)
def resource_dump(call: Call) -> Dump:
    """The same of a dump, once it comes to an instance."""

    def told(instance: Instance) -> Fills:
        return iter((partial(refuse, call),))

    return dump(call, told)
