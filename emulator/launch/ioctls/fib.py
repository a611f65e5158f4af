"""Routes before rtnetlink: SIOCADDRT and SIOCDELRT, which `route` of net-tools and of busybox ask.

ip_rt_ioctl() of net/ipv4/fib_frontend.c with its struct rtentry, ipv6_route_ioctl() of net/ipv6/route.c with its struct
in6_rtmsg. Either becomes what a message would have said, and is then a route like others; no text is left of a refusal.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import routes as routes4
from nlemu.emulator.kernel.ipv4.fib_info import Gateway, Metrics, limited
from nlemu.emulator.kernel.ipv4.routes import Wanted4
from nlemu.emulator.kernel.ipv6 import routes as routes6
from nlemu.emulator.kernel.ipv6.fib import MAIN as MAIN6
from nlemu.emulator.kernel.ipv6.routes import Wanted6
from nlemu.emulator.launch.ioctls.caller import text_of
from nlemu.emulator.launch.ioctls.devinet import SOCKADDR_IN
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.route import RTF
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE, RTAX, RTN, RTPROT
from nlemu.protocol.uapi.socket import AF_INET
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.launch.ioctls.caller import Caller

USER_HZ = 100
"""What clock_t counts."""
RTENTRY = struct.Struct("=8x16s16s16sHh20xh6xQQQH6x")
"""struct rtentry: destination, gateway, mask, flags, metric, where a device's name is, MTU, window, round-trip time."""
IN6_RTMSG = struct.Struct("=16s16s16sIHHI4xQIi")
"""struct in6_rtmsg: destination, source, gateway, type, their lengths, metric, life, flags, device."""
COMMANDS6 = frozenset({Sioc.ADDRT, Sioc.DELRT})
COMMANDS = COMMANDS6 | {Sioc.RTMSG}


class Rtentry(NamedTuple):
    """struct rtentry."""

    dst: bytes
    gateway: bytes
    genmask: bytes
    flags: int
    pad2: int
    metric: int
    dev: int
    mtu: int
    window: int
    irtt: int


def ioctl4(caller: Caller, command: int, place: int) -> int:
    """ip_rt_ioctl(). OSError EFAULT, EPERM, EAFNOSUPPORT, EINVAL, ENODEV, and what is wrong with the route."""
    entry = Rtentry(*RTENTRY.unpack(caller.memory.read(place, RTENTRY.size)))
    if command == Sioc.RTMSG:
        raise OSError(errno.EINVAL, "SIOCRTMSG")
    caller.want_admin()
    coming = command == Sioc.ADDRT
    (routes4.insert if coming else routes4.delete)(caller.net, _wanted4(caller, entry, coming=coming))
    return 0


def _wanted4(caller: Caller, entry: Rtentry, *, coming: bool) -> Wanted4:
    """rtentry_to_fib_config()."""
    family, _, raw = SOCKADDR_IN.unpack(entry.dst)
    if family != AF_INET:
        raise OSError(errno.EAFNOSUPPORT, "a destination of another family")
    wanted = Wanted4(int.from_bytes(raw, "big"), 32, nlflags=routes4.CREATE, type=RTN.UNICAST, table=0)
    if not entry.flags & RTF.HOST:
        wanted.length = _length(entry.genmask, wanted.dst)
    if coming:
        wanted.protocol = RTPROT.BOOT
    if entry.metric:
        wanted.priority = entry.metric - 1 & 0xFFFFFFFF
    if entry.flags & RTF.REJECT:
        wanted.scope, wanted.type, wanted.table = RT_SCOPE.HOST, RTN.UNREACHABLE, routes4.MAIN
        return wanted
    wanted.scope = RT_SCOPE.NOWHERE
    if entry.dev:
        _by_device(caller, text_of(caller.memory.read(entry.dev, IFNAMSIZ - 1)), wanted)
    family, _, raw = SOCKADDR_IN.unpack(entry.gateway)
    gateway = int.from_bytes(raw, "big")
    if family == AF_INET and gateway:
        wanted.gateway = Gateway(AF_INET, gateway)
        kind = routes4.address_type(caller.net, gateway, wanted.table or routes4.LOCAL_TABLE)
        if entry.flags & RTF.GATEWAY and kind == RTN.UNICAST:
            wanted.scope = RT_SCOPE.UNIVERSE
    wanted.table = wanted.table or routes4.MAIN
    if coming:
        if entry.flags & RTF.GATEWAY and wanted.gateway is None:
            raise OSError(errno.EINVAL, "no gateway")
        if wanted.scope == RT_SCOPE.NOWHERE:
            wanted.scope = RT_SCOPE.LINK
        wanted.metrics = _metrics(entry)
    return wanted


def _length(genmask: bytes, dst: int) -> int:
    """bad_mask(), inet_mask_len(): the length of a prefix, of a mask that may lack its family if it is 0."""
    family, _, raw = SOCKADDR_IN.unpack(genmask)
    mask = int.from_bytes(raw, "big")
    if family != AF_INET and (mask or family):
        raise OSError(errno.EAFNOSUPPORT, "a mask of another family")
    rest: int = ip4.BROADCAST & ~mask
    if dst & rest or rest & rest + 1:
        raise OSError(errno.EINVAL, "a bad mask")
    return mask.bit_count()


def _by_device(caller: Caller, label: str, wanted: Wanted4) -> None:
    """The device of that name; and if an alias is meant, its address as that to send from. OSError ENODEV."""
    name, colon, _ = label.partition(":")
    dev: Device | None = caller.net.by_name(name)
    if dev is None:
        raise OSError(errno.ENODEV, name)
    wanted.oif, wanted.table = dev.ifindex, l3mdev.table_of(dev)
    if colon:
        found = () if dev.ip4 is None else [ifa for ifa in dev.inet.addresses if ifa.label == label]
        if not found:
            raise OSError(errno.ENODEV, label)
        wanted.prefsrc = found[0].local


def _metrics(entry: Rtentry) -> Metrics:
    told = (
        (RTF.WINDOW, RTAX.WINDOW, entry.window), (RTF.IRTT, RTAX.RTT, entry.irtt << 3),
        (RTF.MTU, RTAX.ADVMSS, entry.mtu - 40),
    )
    return tuple(
        (int(metric), limited(metric, value & 0xFFFFFFFF)) for flag, metric, value in told if entry.flags & flag
    )


def ioctl6(caller: Caller, command: int, place: int) -> int:
    """ipv6_route_ioctl(). OSError EFAULT, EPERM, and what is wrong with the route."""
    dst, src, gateway, kind, length, src_length, metric, life, flags, ifindex = IN6_RTMSG.unpack(
        caller.memory.read(place, IN6_RTMSG.size)
    )
    caller.want_admin()
    now = caller.net.kernel.clock.now
    wanted = Wanted6(
        int.from_bytes(dst, "big"), length, src_length, metric, 0, kind, ifindex,
        int.from_bytes(gateway, "big") if flags & RTF.GATEWAY else None,
        reject=bool(flags & RTF.REJECT), cached=bool(flags & (RTF.CACHE | RTF.PCPU)),
        expires=now + life * NSEC_PER_SEC // USER_HZ if flags & RTF.EXPIRES else None,
        table=l3mdev.table_by_index(caller.net, ifindex) or MAIN6, src=int.from_bytes(src, "big"),
    )
    if command == Sioc.DELRT:
        routes6.delete(caller.net, wanted)
        return 0
    wanted.metric = wanted.metric or routes6.PRIO_USER
    routes6.validate(caller.net, wanted)
    routes6.add(caller.net, wanted)
    return 0
