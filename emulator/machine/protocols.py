"""The netlink protocols that a machine has: one declaration each.

To add one, write what receives for it and declare it here; nothing else is edited. What opens sockets (the daemon, the
launcher, the steps of a trace), what lists them (`nlemu ctl state`) and what the socket layer asks (groups, privileges)
all walk this table. A protocol that only has to be there, as USERSOCK, through which programs talk to each other, is
one line:

    USERSOCK = Protocol(number=NetlinkProtocol.USERSOCK, nonroot_send=True)

and one that answers names its receiver, which is a function of a request:

    def receive(call: Call) -> Dump | None:
        if call.type != GETSA:
            raise Refusal(errno.EINVAL)
        return Dump(call, iter(()))           # nothing to list

    XFRM = Protocol(number=NetlinkProtocol.XFRM, option="XFRM_USER", groups=XFRMNLGRP_MAX, receive=receive)

Which of them a machine has depends on its build (emulator/kernel/core/build.py): a socket of any other is refused with
EPROTONOSUPPORT, as by a kernel without that option.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.machine import (
    connector,
    fib_lookup,
    generic,
    kobject_uevent,
    nfnetlink,
    rtnetlink,
    sock_diag,
    xfrm,
)
from nlemu.emulator.netlink.protocol import Protocol
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from nlemu.protocol.uapi.nfnetlink import NfnlGroup
from nlemu.protocol.uapi.rtnetlink import RTNLGRP, RTNLGRP_MAX
from nlemu.protocol.uapi.sock_diag import SockDiagGroup
from nlemu.protocol.uapi.xfrm import XfrmGroup

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.machine.endpoint import Endpoint

GENERIC_GROUPS = 64  # mc_groups_longs * BITS_PER_LONG, with fewer than that given out
MULTICAST_ROUTERS = frozenset({int(RTNLGRP.IPV4_MROUTE_R), int(RTNLGRP.IPV6_MROUTE_R)})


def _join_route(endpoint: Endpoint, group: int) -> None:
    """rtnetlink_bind()."""
    if group in MULTICAST_ROUTERS:
        _want_admin(endpoint, group)


def _join_generic(endpoint: Endpoint, group: int) -> None:
    """genl_bind()."""
    if group in endpoint.machine.privileged_groups:
        _want_admin(endpoint, group)


def _want_admin(endpoint: Endpoint, group: int) -> None:
    if not endpoint.credentials.net_admin:
        raise OSError(errno.EPERM, f"listening to group {group} wants CAP_NET_ADMIN")


ROUTE = Protocol(
    number=NetlinkProtocol.ROUTE, groups=RTNLGRP_MAX, nonroot_recv=True, may_join=_join_route,
    receive=rtnetlink.receive,
)
USERSOCK = Protocol(number=NetlinkProtocol.USERSOCK, nonroot_send=True)
SOCK_DIAG = Protocol(
    number=NetlinkProtocol.SOCK_DIAG, groups=max(SockDiagGroup), nonroot_recv=True, receive=sock_diag.receive
)
XFRM = Protocol(
    number=NetlinkProtocol.XFRM, option="XFRM_USER", groups=max(XfrmGroup), receive=xfrm.receive
)
FIB_LOOKUP = Protocol(
    number=NetlinkProtocol.FIB_LOOKUP, option="INET", receive_datagram=fib_lookup.receive
)
CONNECTOR = Protocol(
    number=NetlinkProtocol.CONNECTOR, option="CONNECTOR", groups=connector.GROUPS, nonroot_recv=True,
    may_join=connector.may_join, receive_datagram=connector.receive, first_namespace_only=True,
)
NETFILTER = Protocol(
    number=NetlinkProtocol.NETFILTER, option="NETFILTER_NETLINK", groups=max(NfnlGroup),
    receive=nfnetlink.receive_message, receive_datagram=nfnetlink.receive,
)
KOBJECT_UEVENT = Protocol(
    number=NetlinkProtocol.KOBJECT_UEVENT, groups=1, nonroot_recv=True, receive=kobject_uevent.receive
)
GENERIC = Protocol(
    number=NetlinkProtocol.GENERIC, groups=GENERIC_GROUPS, nonroot_recv=True, may_join=_join_generic,
    receive=generic.receive,
)

PROTOCOLS: tuple[Protocol, ...] = (
    ROUTE, USERSOCK, SOCK_DIAG, XFRM, FIB_LOOKUP, CONNECTOR, NETFILTER, KOBJECT_UEVENT, GENERIC,
)
"""In the order of their numbers."""


def protocols_of(build: Build) -> dict[int, Protocol]:
    """Those that a kernel of that build has, by number."""
    return {
        int(protocol.number): protocol
        for protocol in PROTOCOLS
        if protocol.option is None or build.has(protocol.option)
    }
