"""The netlink protocols that a machine has: a line each.

To add one, write a module with what receives for it and name it here; nothing else is edited. What opens sockets (the
daemon, the launcher, the steps of a trace), what lists them (`nlemu ctl state`) and what the socket layer asks (groups,
privileges) all walk this table. A protocol that only has to be there, as USERSOCK, through which programs talk to each
other, is that line alone:

    Protocol(NetlinkProtocol.USERSOCK, nonroot_send=True)

and one that answers has a module that ends with the kernel's side of it:

    def receive(call: Call) -> Dump | None:
        if call.type != GETSA:
            raise Refusal(errno.EINVAL)
        return Dump(call, iter(()))           # nothing to list

    KERNEL = KernelSocket(groups=XFRMNLGRP_MAX, receive=receive)

Which of them a machine has depends on its build (emulator/kernel/core/build.py): a socket of any other is refused with
EPROTONOSUPPORT, as by a kernel without that option.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.netlink.protocol import Protocol
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build

HERE = __package__

PROTOCOLS: tuple[Protocol, ...] = (
    Protocol(NetlinkProtocol.ROUTE, module=f"{HERE}.rtnetlink", nonroot_recv=True),
    Protocol(NetlinkProtocol.USERSOCK, nonroot_send=True),
    Protocol(NetlinkProtocol.SOCK_DIAG, module=f"{HERE}.sock_diag", nonroot_recv=True),
    Protocol(NetlinkProtocol.XFRM, option="XFRM_USER", module=f"{HERE}.xfrm"),
    Protocol(NetlinkProtocol.FIB_LOOKUP, option="INET", module=f"{HERE}.fib_lookup"),
    Protocol(
        NetlinkProtocol.CONNECTOR, option="CONNECTOR", module=f"{HERE}.connector", nonroot_recv=True,
        first_namespace_only=True,
    ),
    Protocol(NetlinkProtocol.NETFILTER, option="NETFILTER_NETLINK", module=f"{HERE}.nfnetlink"),
    Protocol(NetlinkProtocol.KOBJECT_UEVENT, module=f"{HERE}.kobject_uevent", nonroot_recv=True),
    Protocol(NetlinkProtocol.GENERIC, module=f"{HERE}.generic", nonroot_recv=True),
)
"""In the order of their numbers."""


def protocols_of(build: Build) -> dict[int, Protocol]:
    """Those that a kernel of that build has, by number."""
    return {
        int(protocol.number): protocol
        for protocol in PROTOCOLS
        if protocol.option is None or build.has(protocol.option)
    }
