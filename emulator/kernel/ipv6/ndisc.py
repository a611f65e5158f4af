"""Neighbours of IPv6: nd_tbl of net/ipv6/ndisc.c.

A proxy makes its device listen to the group that solicitations for its address go to.
"""

from __future__ import annotations

from errno import EINVAL, ENOBUFS
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.neighbour import AF_INET6
from nlemu.emulator.kernel.inet.neighbour_tables import NeighbourTable
from nlemu.emulator.kernel.ipv6 import mld
from nlemu.emulator.kernel.ipv6.netns import AddrType, classify, solicited_node
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

MULTICAST, UNICAST, LOCAL = int(RTN.MULTICAST), int(RTN.UNICAST), int(RTN.LOCAL)


def _allows(dev: Device) -> None:
    """ndisc_allow_add(): EINVAL."""
    if dev.ip6 is None or dev.ip6.conf[Ipv6Devconf.DISABLE_IPV6]:
        raise Refusal(EINVAL, "IPv6 is disabled on this device")


def _key(dev: Device, address: int) -> int:
    return address


def _address_type(net: Net, address: int) -> int:
    """ndisc_constructor()."""
    return MULTICAST if classify(address)[0] & AddrType.MULTICAST else UNICAST


def _pconstructor(dev: Device | None, address: int) -> None:
    """pndisc_constructor(): ENOBUFS for no device, or one without IPv6."""
    if dev is None or dev.ip6 is None:
        raise Refusal(ENOBUFS)
    mld.join(dev, solicited_node(address))


def _pdestructor(dev: Device | None, address: int) -> None:
    """pndisc_destructor()."""
    if dev is not None and dev.ip6 is not None:
        mld.leave(dev, dev.ip6.listener, solicited_node(address))


TABLE = NeighbourTable(AF_INET6, _allows, _key, _address_type, LOCAL, _pconstructor, _pdestructor)
