"""Where a program's ioctl() arrives: which socket it is made on, and whose it is (sock_ioctl() of net/socket.c).

The kernel's are about the namespace of the socket; these are about that of the caller. Programs make the socket where
they are.
"""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.launch.ioctls import addrconf, arp, bridge, devinet, fib, interface, vlan
from nlemu.emulator.launch.ioctls.caller import Caller
from nlemu.emulator.launch.ioctls.ethtool import door as ethtool
from nlemu.emulator.launch.namespaces import nsfs
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.credentials import CAP_NET_ADMIN
from nlemu.emulator.launch.trap.filter import LAST_SOCKET_IOCTL
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, So
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.launch.trap.borrow import Borrowed

INET_OPS = (AF_INET, AF_PACKET)
"""Families whose sockets know addresses, routes and neighbours of IPv4: inet_ioctl(), packet_ioctl()."""

OF_FAMILIES: tuple[tuple[tuple[int, ...], frozenset[int], Callable[[Caller, int, int], int]], ...] = (
    (INET_OPS, devinet.COMMANDS, devinet.ioctl),
    (INET_OPS, fib.COMMANDS, fib.ioctl4),
    (INET_OPS, arp.COMMANDS, arp.ioctl),
    ((AF_INET6,), fib.COMMANDS6, fib.ioctl6),
    ((AF_INET6,), addrconf.COMMANDS, addrconf.ioctl),
)
"""Who answers which commands, of which sockets; what is not here is asked of the devices."""


def ioctl(call: Call) -> Answer:
    """An ioctl of a namespace's file, or of the interface range; others are none of ours, nor is what is asked of
    anything but a socket."""
    command = call.args[1] & 0xFFFFFFFF
    if command in nsfs.COMMANDS:
        return nsfs.ioctl(call)
    if not Sioc.ADDRT <= command <= LAST_SOCKET_IOCTL:
        return PASS
    with call.borrow(call.cint(0)) as borrowed:
        if not stat.S_ISSOCK(borrowed.mode):
            return PASS
        family = family_of(call, borrowed)
    supervisor = call.supervisor
    caller = Caller(
        supervisor.tasks.net(call.tid), call, family, lambda net: supervisor.capable(call.tid, CAP_NET_ADMIN, net),
        supervisor.machine.faults,
    )
    try:
        return answer(caller, command, call.args[2])
    finally:
        supervisor.settle()


def family_of(call: Call, borrowed: Borrowed) -> int:
    """The family of a socket (AF_*). Netlink's are ours; of one that cannot be borrowed it is not known, and taken for
    IPv4's, as most programs that ask have."""
    if borrowed.inode in call.supervisor.channels:
        return AF_NETLINK
    if borrowed.fd < 0:
        return AF_INET
    with socket.fromfd(borrowed.fd, socket.AF_UNIX, socket.SOCK_STREAM) as copy:
        return copy.getsockopt(socket.SOL_SOCKET, So.DOMAIN)


def answer(caller: Caller, command: int, place: int) -> int:
    """sock_ioctl(), as far as it is about interfaces. A fault that waits strikes before rights are looked at, but for
    SIOCETHTOOL's commands. OSError, Refusal."""
    if caller.faults:
        caller.faults.refuse_ioctl(command, caller.net)
    if command == Sioc.GIFCONF:
        return devinet.ifconf(caller, place)
    for families, commands, ioctl_of in OF_FAMILIES:
        if caller.family in families and command in commands:
            return ioctl_of(caller, command, place)
    if command == Sioc.GIFNAME:
        return interface.ifname(caller, place)
    if command in bridge.COMMANDS:
        return bridge.ioctl(caller, command, place)
    if command in vlan.COMMANDS:
        return vlan.ioctl(caller, place)
    if command == Sioc.ETHTOOL:
        return ethtool.ioctl(caller, place)
    return interface.ioctl(caller, command, place)


CALLS = {"ioctl": ioctl}
