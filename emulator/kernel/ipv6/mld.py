"""Groups that a device listens to, and the reports that say so: multicast listener discovery, net/ipv6/mcast.c.

A group that is joined is reported twice, a moment later and then at some time within a second; when the first address
of the link has passed, all groups are reported twice more, at once and within a second. Groups that every device
listens to are never reported, and one that does no neighbour discovery has no others by itself: like IPv4's, the
kernel has a socket that joins the groups that are addresses and say so (IFA_F_MCAUTOJOIN).

A group that was left is reported as often as one that was joined. A device that goes down leaves all of its groups and
says nothing, but it remembers: when it is up again, those that it has not joined by then are reported as left.
"""

from __future__ import annotations

from errno import EADDRINUSE, EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.inet.membership import Changes, Groups, Membership
from nlemu.emulator.kernel.inet.neighbour import AF_INET6, Records, group_lladdr
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import packets
from nlemu.emulator.kernel.ipv6.conf import MIN_MTU
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.snmp import IpstatsMib

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

ROBUSTNESS = 2
"""MLD_QRV_DEFAULT: how often everything is said."""
NSEC_PER_MSEC = NSEC_PER_SEC // 1000
SOON = 2 * NSEC_PER_MSEC
"""mld_ifc_start_work() without a delay: two ticks of the recorded machine."""


class Listener(Changes):
    """What one device keeps of it. members: its groups, the oldest first."""

    __slots__ = ("change", "change_count", "initial", "initial_count", "members")

    def __init__(self) -> None:
        super().__init__()
        self.members = Groups()
        self.change: Job | None = None
        self.change_count = 0
        self.initial: Job | None = None
        self.initial_count = 0


def join(dev: Device, group: int) -> None:
    """ipv6_dev_mc_inc(): the first who joins a group has it reported, if the device is up."""
    listener = _of(dev)
    membership = listener.members.get(group)
    if membership is not None:
        membership.users += 1
        return
    membership = listener.members[group] = Membership(1, dev.kernel.clock.now)
    _added(dev, listener, group)
    dev.kernel.announcer.group6(RTM.NEWMULTICAST, dev, group, membership)


def leave(dev: Device, listener: Listener, group: int) -> None:
    """ipv6_dev_mc_dec(): that the last one left is reported as that the first one came, but on a device that is down
    too."""
    membership = listener.members.get(group)
    if membership is None:
        return
    membership.users -= 1
    if not membership.users:
        del listener.members[group]
        membership.unload(dev, group_lladdr(AF_INET6, group))
        listener.joined.pop(group, None)
        _dropped(dev, listener, group)
        dev.kernel.announcer.group6(RTM.DELMULTICAST, dev, group, membership)


def up(dev: Device) -> None:
    """ipv6_mc_up(): the device can carry packets, again perhaps: all groups are reported anew."""
    listener = _of(dev)
    for group in listener.members:
        _added(dev, listener, group)


def down(dev: Device, listener: Listener) -> None:
    """ipv6_mc_down(): all groups are left, and nothing more is reported for now."""
    for group, membership in listener.members.items():
        membership.unload(dev, group_lladdr(AF_INET6, group))
        _dropped(dev, listener, group)
    for job in (listener.change, listener.initial):
        if job is not None:
            job.cancel()
    listener.change = listener.initial = None
    listener.change_count = listener.initial_count = 0


def destroy(dev: Device, listener: Listener) -> None:
    """ipv6_mc_destroy_dev(): all nodes are left, and of the other groups nobody is told."""
    down(dev, listener)
    leave(dev, listener, ip6.ALL_NODES)
    listener.members.clear()


def autojoin(dev: Device, group: int) -> None:
    """ipv6_sock_mc_join() by the socket of the kernel. EINVAL when it is no group, EADDRINUSE."""
    if not ip6.classify(group)[0] & ip6.AddrType.MULTICAST:
        raise Refusal(EINVAL)
    memberships = ip6.of(dev.net).autojoined
    if (dev.ifindex, group) in memberships:
        raise Refusal(EADDRINUSE)
    memberships.add((dev.ifindex, group))
    join(dev, group)


def autoleave(dev: Device, group: int) -> None:
    """ipv6_sock_mc_drop() by that socket; a group that it has not joined is nothing to it."""
    memberships = ip6.of(dev.net).autojoined
    if (dev.ifindex, group) in memberships:
        memberships.remove((dev.ifindex, group))
        leave(dev, _of(dev), group)


def _reported(group: int) -> bool:
    """Whether reports speak of it (MAF_NOREPORT): not of all nodes, nor of groups that reach no further than the
    device."""
    return group != ip6.ALL_NODES and ip6.classify(group)[1] >= ip6.SCOPE_LINK


def dad_complete(dev: Device) -> None:
    """ipv6_mc_dad_complete(): reports so far came from no address; now there is one."""
    listener = _of(dev)
    listener.initial_count = ROBUSTNESS
    _report_initially(dev, listener)


def rejoin(dev: Device) -> None:
    """ipv6_mc_rejoin_groups(): all groups are reported at once, since links failed over."""
    _report(dev, _all(_of(dev)))


def _of(dev: Device) -> Listener:
    idev: Inet6Device = dev.inet6
    return idev.listener


def _added(dev: Device, listener: Listener, group: int) -> None:
    """mld_del_delrec() and igmp6_group_added(): that it was left is forgotten, once."""
    for at in reversed(range(len(listener.left))):
        if listener.left[at][0] == group:
            del listener.left[at]
            listener.joined[group] = ROBUSTNESS
            break
    if ip6.classify(group)[1] >= ip6.SCOPE_LINK:
        listener.members[group].load(dev, group_lladdr(AF_INET6, group))
    if dev.up and _reported(group):
        listener.joined[group] = ROBUSTNESS
        _changed(dev, listener)


def _dropped(dev: Device, listener: Listener, group: int) -> None:
    """igmp6_group_dropped() and igmp6_leave_group()."""
    if _reported(group):
        listener.left.append((group, ROBUSTNESS))
        _changed(dev, listener)


def _changed(dev: Device, listener: Listener) -> None:
    """mld_ifc_event(): what has changed will be reported."""
    listener.change_count = ROBUSTNESS
    listener.change = _later(dev, listener.change, SOON, lambda: _report_changes(dev, listener))


def _report_changes(dev: Device, listener: Listener) -> None:
    """mld_ifc_work() and mld_send_cr()."""
    listener.change = None
    _report(dev, listener.take(listener.members))
    if listener.change_count:
        listener.change_count -= 1
        if listener.change_count:
            listener.change = _later(dev, None, _some_time(dev), lambda: _report_changes(dev, listener))


def _report_initially(dev: Device, listener: Listener) -> None:
    """mld_dad_work()."""
    listener.initial = None
    _report(dev, _all(listener))
    if listener.initial_count:
        listener.initial_count -= 1
        if listener.initial_count:
            listener.initial = _later(dev, None, _some_time(dev), lambda: _report_initially(dev, listener))


def _all(listener: Listener) -> Records:
    """mld_send_report(): all groups, the newest first."""
    return tuple((group, True) for group in reversed(listener.members) if _reported(group))


def _report(dev: Device, groups: Records) -> None:
    """mld_sendpack(): groups in one report, which fit for as long as somebody counts them on fingers. One that
    the driver drops is counted as discarded; a solicitation is not. add_grec() finds no room where IPv6 has none."""
    if groups and dev.ip6 is not None and dev.mtu >= MIN_MTU:
        size = packets.REPORT + len(groups) * packets.RECORD
        sent = packets.send(dev, ip6.ALL_MLD2_ROUTERS, size, groups)
        if not sent:
            packets.counters(dev.ip6)[IpstatsMib.OUTDISCARDS] += 1


def _some_time(dev: Device) -> int:
    """unsolicited_report_interval(), of which a random part goes by; in nanoseconds."""
    idev: Inet6Device = dev.inet6
    interval = idev.conf[Ipv6Devconf.MLDV2_UNSOLICITED_REPORT_INTERVAL] or 1
    return SOON + dev.kernel.random.randrange(interval) * NSEC_PER_MSEC


def _later(dev: Device, job: Job | None, delay: int, run: Callable[[], None]) -> Job:
    if job is not None:
        job.cancel()
    return dev.kernel.work.at(dev.kernel.clock.now + delay, run)
