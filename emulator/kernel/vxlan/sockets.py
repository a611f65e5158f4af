"""The sockets of VXLANs, and the groups that they join: vxlan_sock_add() of vxlan_core.c, vxlan_multicast.c.

Devices whose sockets are in the same namespace share one, if they use the same port and agree in what is done with what
comes; if not, the second who comes up is refused, for the port is taken. A socket remembers which groups it has joined,
so devices that share one join a group once.
"""

from __future__ import annotations

from errno import EADDRINUSE, EINVAL, ENOBUFS, ENODEV
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv4 import groups as groups4
from nlemu.emulator.kernel.ipv6 import mld
from nlemu.emulator.kernel.tunnels import udp as udp_tunnel
from nlemu.emulator.kernel.tunnels.address import TunnelAddress
from nlemu.emulator.kernel.vxlan.vxlan import RECEIVED, Flag, Socket, Vni, Vxlan, of_net
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net


def add(vxlan: Vxlan) -> None:
    """vxlan_sock_add(): a device with metadata listens in both families. EADDRINUSE."""
    metadata = vxlan.has(Flag.COLLECT_METADATA)
    ipv6 = vxlan.has(Flag.IPV6) or metadata
    try:
        if ipv6:
            vxlan.ipv6 = _get(vxlan, AF_INET6)
        if not ipv6 or metadata:
            vxlan.ipv4 = _get(vxlan, AF_INET)
    except Refusal:
        release(vxlan)
        raise


def _get(vxlan: Vxlan, family: int) -> Socket:
    """__vxlan_sock_add()."""
    known = of_net(vxlan.net).sockets
    port, flags = vxlan.config.dst_port, vxlan.config.flags & RECEIVED
    for one in known:
        if (one.family, one.port, one.flags) == (family, port, flags):
            one.users += 1
            return one
    new = Socket(family, port, flags)
    udp_tunnel.bind(vxlan.net, family, port, new)
    known.append(new)
    return new


def release(vxlan: Vxlan) -> None:
    """vxlan_sock_release(). With the last device a socket leaves the groups that it is still in."""
    for one in (vxlan.ipv4, vxlan.ipv6):
        if one is None:
            continue
        one.users -= 1
        if not one.users:
            of_net(vxlan.net).sockets.remove(one)
            udp_tunnel.release(vxlan.net, one.family, one.port)
            for ifindex, group in tuple(one.groups):
                _leave(vxlan.net, one, ifindex, group)
    vxlan.ipv4 = vxlan.ipv6 = None


def _socket(vxlan: Vxlan, family: int) -> Socket:
    one = vxlan.ipv6 if family == AF_INET6 else vxlan.ipv4
    assert one is not None
    return one


def igmp_join(vxlan: Vxlan, address: TunnelAddress) -> None:
    """vxlan_igmp_join(): ENODEV, EADDRINUSE, ENOBUFS, EINVAL."""
    sock, net, ifindex, group = _socket(vxlan, address.family), vxlan.net, vxlan.ifindex, address.number
    dev = net.device(ifindex)
    if dev is None:
        raise Refusal(ENODEV)
    if (ifindex, group) in sock.groups:
        raise Refusal(EADDRINUSE)
    if address.family == AF_INET6:
        if dev.ip6 is None:
            raise Refusal(EINVAL)
        mld.join(dev, group)
    else:
        if dev.ip4 is None:
            raise Refusal(ENODEV)
        if len(sock.groups) >= groups4.MAX_MEMBERSHIPS:
            raise Refusal(ENOBUFS)
        groups4.join(dev, dev.ip4, group)
    sock.groups.add((ifindex, group))


def igmp_leave(vxlan: Vxlan, address: TunnelAddress) -> None:
    """vxlan_igmp_leave(); of a group that the socket is not in nothing is said."""
    sock = _socket(vxlan, address.family)
    if (vxlan.ifindex, address.number) in sock.groups:
        _leave(vxlan.net, sock, vxlan.ifindex, address.number)


def _leave(net: Net, sock: Socket, ifindex: int, group: int) -> None:
    sock.groups.remove((ifindex, group))
    dev = net.device(ifindex)
    if dev is None:
        return
    if sock.family == AF_INET6:
        if dev.ip6 is not None:
            mld.leave(dev, dev.ip6.listener, group)
    elif dev.ip4 is not None:
        groups4.leave(dev, dev.ip4, group)


def group_used(vxlan: Vxlan, address: TunnelAddress) -> bool:
    """vxlan_group_used(): whether another device that is up, and has the same socket, wants that group."""
    family = vxlan.remote.family
    sock = vxlan.ipv6 if family == AF_INET6 else vxlan.ipv4
    if sock is not None and sock.users == 1:
        return False
    for other in of_net(vxlan.net).devices:
        if other is vxlan or not other.dev.running or other.ifindex != vxlan.ifindex:
            continue
        if (other.ipv6 if family == AF_INET6 else other.ipv4) is not sock:
            continue
        theirs = [other.remote, *(vni.remote for vni in (other.vnis or {}).values())]
        if any(one.multicast and one == address for one in theirs):
            return True
    return False


def _own_groups(vxlan: Vxlan) -> list[Vni]:
    """The VNIs that have a group of their own."""
    return [vni for vni in (vxlan.vnis or {}).values() if vni.remote.multicast]


def multicast_join(vxlan: Vxlan) -> None:
    """vxlan_multicast_join(): all groups of the device, or none. What igmp_join() refuses, unless it is in already."""
    joined = []
    default = [vxlan.remote] if vxlan.remote.multicast else []
    own = [vni.remote for vni in _own_groups(vxlan) if vni.remote != vxlan.remote]
    try:
        for address in default + own:
            try_join(vxlan, address)
            joined.append(address)
    except Refusal:
        for address in joined[len(default):]:
            igmp_leave(vxlan, address)
        raise


def try_join(vxlan: Vxlan, address: TunnelAddress) -> None:
    """vxlan_igmp_join(), for whom a group that was joined before is as good."""
    try:
        igmp_join(vxlan, address)
    except Refusal as refused:
        if refused.errno != EADDRINUSE:
            raise


def multicast_leave(vxlan: Vxlan) -> None:
    """vxlan_multicast_leave()."""
    for address in ([vxlan.remote] if vxlan.remote.multicast else []) + [vni.remote for vni in _own_groups(vxlan)]:
        if not group_used(vxlan, address):
            igmp_leave(vxlan, address)
