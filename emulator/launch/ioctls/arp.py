"""Neighbours of IPv4 before rtnetlink: SIOCSARP, SIOCGARP and SIOCDARP, which `arp` asks (arp_ioctl() of
net/ipv4/arp.c).

What is set is stale, or permanent where ATF_PERM says so. Without a name the device is that by which the address is
reached; with ATF_PUBL the entry is a proxy, and without a mask the setting proxy_arp.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet import neighbour, neighbour_proxy, neighbour_update
from nlemu.emulator.kernel.inet.neighbour_update import FAILED, STALE, VALID, Wanted
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import lookup, settings
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.launch.ioctls.caller import name_of, text_of
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.if_arp import ATF
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.neighbour import NUD
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE
from nlemu.protocol.uapi.socket import AF_INET
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.launch.ioctls.caller import Caller

ARPREQ = struct.Struct("=HH4s8xH14siHH4s8x16s")
"""struct arpreq: protocol address, hardware address, flags, mask, and the name of a device."""
COMMANDS = frozenset({Sioc.SARP, Sioc.GARP, Sioc.DARP})
NOARP, PERMANENT = int(NUD.NOARP), int(NUD.PERMANENT)


@dataclass(slots=True)
class Arpreq:
    """struct arpreq, as far as anything looks at it."""

    family: int
    address: int
    ha_family: int
    lladdr: bytes
    flags: int
    mask: int
    name: str


def ioctl(caller: Caller, command: int, place: int) -> int:
    """arp_ioctl(). OSError EPERM, EFAULT, EPFNOSUPPORT, EINVAL, ENODEV, ENXIO, and what the model refuses."""
    if command != Sioc.GARP:
        caller.want_admin()
    raw = caller.memory.read(place, ARPREQ.size)
    family, port, pa, ha_family, ha, flags, mask_family, mask_port, mask, name = ARPREQ.unpack(raw)
    asked = Arpreq(
        family, int.from_bytes(pa, "big"), ha_family, ha, flags, int.from_bytes(mask, "big"),
        text_of(name[: IFNAMSIZ - 1]),
    )
    if family != AF_INET:
        raise OSError(errno.EPFNOSUPPORT, "another family")
    if not flags & ATF.PUBL and flags & (ATF.NETMASK | ATF.DONTPUB):
        raise OSError(errno.EINVAL, "only of what is published")
    if not flags & ATF.NETMASK:
        asked.mask = ip4.BROADCAST
    elif asked.mask not in (0, ip4.BROADCAST):
        raise OSError(errno.EINVAL, "neither one address nor all")
    if command == Sioc.GARP:
        dev, entry = _found(caller.net, asked)
        lladdr = entry.lladdr[: dev.addr_len][: len(ha)]
        caller.memory.write(place, ARPREQ.pack(
            family, port, pa, dev.type, lladdr + ha[len(lladdr) :], _told(entry.state), mask_family, mask_port,
            asked.mask.to_bytes(4, "big"), name_of(dev.name),
        ))
        return 0
    named = _device(caller.net, asked)
    if flags & ATF.PUBL:
        _publish(caller.net, asked, named, on=command == Sioc.SARP)
        return 0
    assert named is not None
    (_set if command == Sioc.SARP else _delete)(named, asked)
    return 0


def _told(state: int) -> int:
    """arp_state_to_flags()."""
    if state & PERMANENT:
        return ATF.PERM | ATF.COM
    return ATF.COM if state & VALID else 0


def _by_name(net: Net, asked: Arpreq) -> Device:
    """arp_req_dev_by_name(): ENODEV, EINVAL."""
    dev = net.by_name(asked.name)
    if dev is None:
        raise OSError(errno.ENODEV, asked.name)
    asked.ha_family = asked.ha_family or dev.type
    if asked.flags & ATF.COM and asked.ha_family != dev.type:
        raise OSError(errno.EINVAL, "another kind of device")
    return dev


def _device(net: Net, asked: Arpreq) -> Device | None:
    """arp_req_dev(): None for a proxy of all devices."""
    if asked.name:
        return _by_name(net, asked)
    if asked.flags & ATF.PUBL:
        return None
    return lookup.find_way(net, Flow(asked.address), RT_SCOPE.LINK).dev


def _found(net: Net, asked: Arpreq) -> tuple[Device, neighbour.Neighbour]:
    """arp_req_get(): ENODEV, ENXIO."""
    if not asked.name:
        raise OSError(errno.ENODEV, "no device is named")
    dev = _by_name(net, asked)
    entry = neighbour.of(net).find(dev, AF_INET, asked.address)
    if entry is None or entry.state & NOARP:
        raise OSError(errno.ENXIO, "no such neighbour")
    return dev, entry


def _publish(net: Net, asked: Arpreq, dev: Device | None, *, on: bool) -> None:
    """arp_req_set_public(), arp_req_delete_public()."""
    if on and dev is None and asked.flags & ATF.COM:
        same = [
            other for other in net
            if other.type == asked.ha_family and other.address == asked.lladdr[: other.addr_len]
        ]
        if not same:
            raise OSError(errno.ENODEV, "nobody has that address")
        dev = same[0]
    if asked.mask and on:
        neighbour_proxy.add(net, dev, AF_INET, asked.address, flags=0, protocol=0, permanent=False)
    elif asked.mask:
        neighbour_proxy.delete(net, dev, AF_INET, asked.address)
    elif dev is None:
        ip4.of(net).conf_all[Ipv4Devconf.PROXY_ARP] = int(on)  # without a word: arp_req_set_proxy()
    elif dev.ip4 is not None:
        settings.put_conf(dev, Ipv4Devconf.PROXY_ARP, int(on))
    else:
        raise OSError(errno.ENXIO, "no IPv4 here")


def _set(dev: Device, asked: Arpreq) -> None:
    """arp_req_set()."""
    if asked.ha_family != dev.type:
        raise OSError(errno.EINVAL, "another kind of device")
    permanent = bool(asked.flags & ATF.PERM)
    lladdr = asked.lladdr if permanent or asked.flags & ATF.COM else None
    neighbour_update.add(
        Wanted(dev, AF_INET, asked.address, PERMANENT if permanent else STALE, lladdr),
        create=True, exclusive=False, replace=True, portid=0,
    )


def _delete(dev: Device, asked: Arpreq) -> None:
    """arp_invalidate(): of what needs no address nothing can fail, and it goes, but nobody hears a good word."""
    known = neighbour.of(dev.net)
    entry = known.find(dev, AF_INET, asked.address)
    if entry is None:
        raise OSError(errno.ENXIO, "no such neighbour")
    failed = bool(entry.state & ~NOARP)
    if failed:
        neighbour_update.update(entry, None, FAILED, 0, override=True, portid=0)
    known.remove(entry)
    if not failed:
        raise OSError(errno.ENXIO, "it was not asked for")
