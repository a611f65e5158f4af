"""Reporters of health (net/devlink/health.c): asked for, set, tested, made to recover; what they find, and what they
kept. Ports have none here."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.beyond import find_whole, refuse
from nlemu.emulator.handlers.devlink.fmsg import pieces, whole
from nlemu.emulator.handlers.devlink.instance import dump, each, fill_handle, find, in_pieces, named
from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink, DlHealthReporter
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.health import Dumped, Reporter
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Values

TRAMPLED = "Dump trampled, please retry"
NSEC_PER_MSEC = 1_000_000
INITIAL_JIFFIES = -300_000
"""Milliseconds are jiffies, on the recorded machine, and those begin five minutes before they are 0."""
U32_MASK = 0xFFFFFFFF
BOOT_TIME = 1_700_000_000 * NSEC_PER_SEC
"""What ktime_get_real_ns() says at boot."""


def fill_reporter(instance: Instance, reporter: Reporter) -> Values:
    """devlink_nl_health_reporter_fill()."""
    recovers, kept = reporter.ops.recovers, reporter.dumped
    taken = None if kept is None else kept.taken
    return fill_handle(instance) | {
        Devlink.health_reporter: {
            DlHealthReporter.health_reporter_name: reporter.name,
            DlHealthReporter.health_reporter_state: reporter.state,
            DlHealthReporter.health_reporter_err_count: reporter.errors,
            DlHealthReporter.health_reporter_recover_count: reporter.recoveries,
            DlHealthReporter.health_reporter_graceful_period: reporter.graceful_period if recovers else None,
            DlHealthReporter.health_reporter_burst_period: reporter.burst_period if recovers else None,
            DlHealthReporter.health_reporter_auto_recover: int(reporter.auto_recover) if recovers else None,
            DlHealthReporter.health_reporter_dump_ts:
                None if taken is None else taken // NSEC_PER_MSEC + INITIAL_JIFFIES & U32_MASK,
            DlHealthReporter.health_reporter_dump_ts_ns: None if taken is None else BOOT_TIME + taken,
            DlHealthReporter.health_reporter_auto_dump: int(reporter.auto_dump),
        },
    }


def find_reporter(call: Call, instance: Instance) -> Reporter:
    """devlink_health_reporter_get_from_info(): one of a port that there is, or else of the device. EINVAL."""
    reporter = named(call, Devlink.health_reporter_name, instance.reporters)
    if reporter is None or (Devlink.port_index in call.attrs and call.attrs[Devlink.port_index] in instance.ports):
        raise Refusal(errno.EINVAL)
    return reporter


@doit(c.HEALTH_REPORTER_GET)
def reporter_get(call: Call) -> Values:
    """devlink_nl_health_reporter_get_doit()."""
    instance = find(call)
    return fill_reporter(instance, find_reporter(call, instance))


@dumpit(c.HEALTH_REPORTER_GET)
def reporter_dump(call: Call) -> Dump:
    """devlink_nl_health_reporter_get_dumpit(): those of a port are asked for alone."""
    of_port = Devlink.port_index in call.attrs
    return dump(call, each(fill_reporter, lambda instance: () if of_port else instance.reporters))


@doit(c.HEALTH_REPORTER_SET)
def reporter_set(call: Call) -> None:
    """devlink_nl_health_reporter_set_doit()."""
    reporter, attrs = find_reporter(call, find_whole(call)), call.attrs
    reporter.set(
        attrs.get(Devlink.health_reporter_graceful_period), attrs.get(Devlink.health_reporter_burst_period),
        attrs.get(Devlink.health_reporter_auto_recover), attrs.get(Devlink.health_reporter_auto_dump),
    )


@doit(c.HEALTH_REPORTER_RECOVER)
def reporter_recover(call: Call) -> None:
    """devlink_nl_health_reporter_recover_doit()."""
    find_reporter(call, find_whole(call)).recover()


@doit(c.HEALTH_REPORTER_DIAGNOSE)
def reporter_diagnose(call: Call) -> None:
    """devlink_nl_health_reporter_diagnose_doit(): as many messages as it takes."""
    whole(call, find_reporter(call, find_whole(call)).diagnose())


@doit(c.HEALTH_REPORTER_DUMP_CLEAR)
def reporter_clear(call: Call) -> None:
    """devlink_nl_health_reporter_dump_clear_doit()."""
    find_reporter(call, find_whole(call)).dumped = None


@doit(c.HEALTH_REPORTER_TEST)
def reporter_test(call: Call) -> None:
    """devlink_nl_health_reporter_test_doit(): no driver here has one."""
    find_reporter(call, find_whole(call))
    raise Refusal(errno.EOPNOTSUPP)


@dumpit(c.HEALTH_REPORTER_DUMP_GET)
def reporter_dump_get(call: Call) -> Dump:
    """devlink_nl_health_reporter_dump_get_dumpit(): what is kept, taken now if nothing is. EINVAL: an instance that is
    not there is a reporter that is not; EAGAIN: it was cleared in the meantime."""
    at = 0
    begun_with: Dumped | None = None

    def fill() -> bytes | None:
        nonlocal at, begun_with
        try:
            instance = find(call)
        except Refusal:
            raise Refusal(errno.EINVAL) from None
        if not instance.whole and Devlink.health_reporter_name in call.attrs:
            refuse(call)
        reporter = find_reporter(call, instance)
        if not at:
            begun_with = reporter.take_dump()
        kept = reporter.dumped
        if kept is None or begun_with is None or kept.taken != begun_with.taken:
            raise Refusal(errno.EAGAIN, TRAMPLED)
        body, count = pieces(call, kept.fmsg, at, begun.left)
        if not count:
            return None
        at += count
        begun.full = True
        return body

    begun = in_pieces(call, fill)
    return begun
