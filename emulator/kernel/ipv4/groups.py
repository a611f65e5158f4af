"""Groups that a device listens to in IPv4: struct ip_mc_list, net/ipv4/igmp.c.

A device that is up listens to 224.0.0.1, all hosts; it stops when it goes down. Other groups are joined by sockets,
and the one socket that the kernel has for this is joined to every address that is a group and says so
(IFA_F_MCAUTOJOIN). It remembers what it has joined by device and group, and a device that leaves does not make it
forget: the number of its memberships is limited, and those of devices that are gone count.

What is joined and left is reported (igmp.py), but for 224.0.0.1.
"""

from __future__ import annotations

from errno import EADDRINUSE, EINVAL, ENOBUFS
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.membership import Membership
from nlemu.emulator.kernel.inet.neighbour import AF_INET, group_lladdr
from nlemu.emulator.kernel.ipv4 import igmp
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.igmp import ALL_HOSTS
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.device import InetDevice

MAX_MEMBERSHIPS = 20
"""net.ipv4.igmp_max_memberships: of one socket."""


def join(dev: Device, idev: InetDevice, group: int) -> None:
    """ip_mc_inc_group()."""
    membership = idev.groups.get(group)
    if membership is not None:
        membership.users += 1
        return
    membership = idev.groups[group] = Membership(1, dev.kernel.clock.now)
    _added(dev, idev, group, membership)
    dev.kernel.announcer.group4(RTM.NEWMULTICAST, dev, group, membership)


def leave(dev: Device, idev: InetDevice, group: int) -> None:
    """ip_mc_dec_group()."""
    membership = idev.groups.get(group)
    if membership is None:
        return
    membership.users -= 1
    if not membership.users:
        del idev.groups[group]
        _dropped(dev, idev, group, membership)
        igmp.forget(idev, group)
        dev.kernel.announcer.group4(RTM.DELMULTICAST, dev, group, membership)


def up(dev: Device, idev: InetDevice) -> None:
    """ip_mc_up()."""
    join(dev, idev, ALL_HOSTS)
    remap(dev, idev)


def down(dev: Device, idev: InetDevice) -> None:
    """ip_mc_down()."""
    unmap(dev, idev)
    igmp.stop(idev)
    leave(dev, idev, ALL_HOSTS)


def unmap(dev: Device, idev: InetDevice) -> None:
    """ip_mc_unmap(): the device is about to be one of another type."""
    for group, membership in idev.groups.items():
        _dropped(dev, idev, group, membership)


def remap(dev: Device, idev: InetDevice) -> None:
    """ip_mc_remap(): it is one, where the groups have other addresses."""
    for group, membership in reversed(idev.groups.items()):
        _added(dev, idev, group, membership)


def _added(dev: Device, idev: InetDevice, group: int, membership: Membership) -> None:
    """igmp_group_added(): the device lets its frames in, and says so."""
    membership.load(dev, group_lladdr(AF_INET, group))
    igmp.added(dev, idev, group)


def _dropped(dev: Device, idev: InetDevice, group: int, membership: Membership) -> None:
    """igmp_group_dropped()."""
    membership.unload(dev, group_lladdr(AF_INET, group))
    igmp.dropped(dev, idev, group)


def destroy(dev: Device, idev: InetDevice) -> None:
    """ip_mc_destroy_dev(): nobody is told of the other groups."""
    down(dev, idev)
    idev.groups.clear()


def autojoin(dev: Device, group: int) -> None:
    """ip_mc_join_group() by the socket of the kernel. EINVAL when it is no group, EADDRINUSE, ENOBUFS."""
    if not ip4.is_multicast(group):
        raise Refusal(EINVAL)
    memberships = ip4.of(dev.net).autojoined
    if (dev.ifindex, group) in memberships:
        raise Refusal(EADDRINUSE)
    if len(memberships) >= MAX_MEMBERSHIPS:
        raise Refusal(ENOBUFS)
    memberships.add((dev.ifindex, group))
    join(dev, dev.inet, group)


def autoleave(dev: Device, group: int) -> None:
    """ip_mc_leave_group() by that socket; a group that it has not joined is nothing to it."""
    memberships = ip4.of(dev.net).autojoined
    if (dev.ifindex, group) in memberships:
        memberships.remove((dev.ifindex, group))
        leave(dev, dev.inet, group)
