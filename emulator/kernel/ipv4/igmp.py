"""Reports of the groups that a device listens to in IPv4: IGMPv3, net/ipv4/igmp.c.

A group that is joined, or left, is reported twice: two ticks later, and then at some time within a second. All hosts,
224.0.0.1, are never spoken of. Whether the device is up is not asked before it is time to send: then no route leads
there, and what was to be reported counts as reported. A device that goes down leaves all of its groups and says
nothing, but remembers for when it is up again; and where links fail over every group is reported at once, in a packet
of its own. Nobody asks here (no queries), so no older version is ever spoken.

As in IPv6 a report is a length, which counters tell of: those of the links that it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.devices import qdisc, rx_handler
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.inet.membership import Changes
from nlemu.emulator.kernel.inet.neighbour import AF_INET, Records, Sending, group_lladdr
from nlemu.emulator.kernel.ipv4.conf import MIN_MTU
from nlemu.protocol.uapi.if_ether import ETH_HLEN
from nlemu.protocol.uapi.ip import Ipv4Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.device import InetDevice

ALL_HOSTS = 0xE0000001
"""IGMP_ALL_HOSTS, 224.0.0.1"""
ALL_ROUTERS = 0xE0000016
"""IGMPV3_ALL_MCR, 224.0.0.22: whom reports go to."""
ROBUSTNESS = 2
"""net.ipv4.igmp_qrv: how often everything is said."""
NSEC_PER_MSEC = NSEC_PER_SEC // 1000
SOON = 2 * NSEC_PER_MSEC
"""igmp_ifc_start_timer() without a delay: two ticks of the recorded machine."""
REPORT = 20 + 4 + 8
"""The header of IPv4 with a router alert, and that of the report."""
RECORD = 8
"""A record of one group without sources."""


class Reporter(Changes):
    """What one device has still to report. count: how often in all, at `job`."""

    __slots__ = ("count", "job")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.job: Job | None = None


def added(dev: Device, idev: InetDevice, group: int) -> None:
    """igmpv3_del_delrec() and igmp_group_added(): that it was left is forgotten, once."""
    reporter = idev.reporter
    if group == ALL_HOSTS:
        return
    for at in reversed(range(len(reporter.left))):
        if reporter.left[at][0] == group:
            del reporter.left[at]
            break
    if not idev.dead:
        reporter.joined[group] = ROBUSTNESS
        _changed(dev, idev)


def dropped(dev: Device, idev: InetDevice, group: int) -> None:
    """igmp_group_dropped() and igmpv3_add_delrec()."""
    if group != ALL_HOSTS and not idev.dead:
        idev.reporter.left.append((group, ROBUSTNESS))
        _changed(dev, idev)


def forget(idev: InetDevice, group: int) -> None:
    """The device has left it: nothing is to be said of its having come."""
    idev.reporter.joined.pop(group, None)


def stop(idev: InetDevice) -> None:
    """ip_mc_down(): nothing more is reported for now."""
    reporter = idev.reporter
    reporter.count = 0
    if reporter.job is not None:
        reporter.job.cancel()
        reporter.job = None


def rejoin(dev: Device, idev: InetDevice) -> None:
    """ip_mc_rejoin_groups(): each group is reported at once, the newest first."""
    for group in reversed(tuple(idev.groups)):
        if group != ALL_HOSTS:
            _report(dev, ((group, True),))


def _changed(dev: Device, idev: InetDevice) -> None:
    """igmp_ifc_event(): what has changed will be reported."""
    idev.reporter.count = ROBUSTNESS
    _later(dev, idev, SOON)


def _later(dev: Device, idev: InetDevice, delay: int) -> None:
    reporter = idev.reporter
    if reporter.job is not None:
        reporter.job.cancel()
    reporter.job = dev.kernel.work.at(dev.kernel.clock.now + delay, lambda: _report_changes(dev, idev))


def _report_changes(dev: Device, idev: InetDevice) -> None:
    """igmp_ifc_timer_expire() and igmpv3_send_cr()."""
    reporter = idev.reporter
    reporter.job = None
    _report(dev, reporter.take(idev.groups))
    if reporter.count:
        reporter.count -= 1
        if reporter.count:
            interval = idev.conf[Ipv4Devconf.IGMPV3_UNSOLICITED_REPORT_INTERVAL] or 1
            _later(dev, idev, SOON + dev.kernel.random.randrange(interval) * NSEC_PER_MSEC)


def _report(dev: Device, groups: Records) -> None:
    """igmpv3_newpack(), igmpv3_sendpack(): groups in one report, which fit for as long as somebody counts them
    on fingers; by no route if the device is down, or has no IPv4."""
    if not groups or not dev.up or dev.ip4 is None or dev.mtu < MIN_MTU:
        return
    neighbour.note_group4(dev, ALL_ROUTERS)
    size = REPORT + len(groups) * RECORD
    dev.changed()
    lladdr = group_lladdr(AF_INET, ALL_ROUTERS)
    dev.kernel.sending = Sending(AF_INET, ALL_ROUTERS, lladdr, size, dev.address, groups)
    try:
        _, receiver = qdisc.transmit(dev, size + dev.hard_header_len)
        if receiver is not None:
            rx_handler.receive(receiver, size + ETH_HLEN, dev.address)
    finally:
        dev.kernel.sending = None
