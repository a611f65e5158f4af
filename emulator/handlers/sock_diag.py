"""SOCK_DIAG of a machine whose only sockets are netlink's (net/core/sock_diag.c, net/*/diag.c).

A program's own sockets of other families are not the emulator's: under `nlemu run` they are the real kernel's, and
nothing is told of them here. So each of those families is listed empty, and a single socket is not found. Filters
(INET_DIAG_REQ_BYTECODE) are not looked at: nothing passes them.

Netlink's own sockets are listed as far as they are known: by protocol, then by port id, where the kernel has them in
the order of a hash table. Their inodes are 0, and neither memory nor rings are told.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families import sock_diag
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import walk
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.uapi.sock_diag import (
    AF_MAX,
    INET_DIAG_REQ_PROTOCOL,
    NDIAG_PROTO_ALL,
    DiagFamily,
    InetProto,
    SockDiag,
)

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Body, Call, Fill, Messages

INET_REQUEST = 56  # sizeof(struct inet_diag_req_v2)
INET_REQUEST_COMPAT = 60  # sizeof(struct inet_diag_req)
MAX_LINKS = 32
SOCK_DGRAM, SOCK_RAW = 2, 3
CLOSED = 7  # TCP_CLOSE: what a socket is that knows no states, until it is connected
INET_OPTIONS = {
    InetProto.TCP: "INET_TCP_DIAG", InetProto.UDP: "INET_UDP_DIAG", InetProto.RAW: "INET_RAW_DIAG",
    InetProto.MPTCP: "INET_MPTCP_DIAG",
}
"""Of each protocol that inet_diag has a handler for, the option."""


@dataclass(frozen=True)
class Rule:
    """How the sockets of one family are asked for (struct sock_diag_handler). size: of its request, in bytes.
    check: what a request may not say; look_up: a single socket, by default EOPNOTSUPP; dump: of all of them;
    destroy: whether a socket can be destroyed."""

    option: str
    size: int
    check: Callable[[Call], None] | None = None
    look_up: Callable[[Call], None] | None = None
    messages: Callable[[Call], Messages] | None = None
    destroy: Callable[[Call], None] | None = None


@doit(sock_diag.BY_FAMILY)
def look_up(call: Call) -> Body | None:
    """__sock_diag_cmd(): sock_diag_handler.dump of the family, for a single socket."""
    rule = rule_of(call)
    if rule.look_up is None:
        raise Refusal(errno.EOPNOTSUPP)
    rule.look_up(call)
    return None


@doit(sock_diag.DESTROY)
def destroy(call: Call) -> Body | None:
    """sock_diag_handler.destroy of the family."""
    rule = rule_of(call, SockDiag.DESTROY)
    assert rule.destroy is not None
    rule.destroy(call)
    return None


@dumpit(sock_diag.BY_FAMILY)
def dump(call: Call) -> Dump:
    """sock_diag_handler.dump of the family, for all its sockets."""
    rule = rule_of(call)
    return Dump(call, iter(()) if rule.messages is None else rule.messages(call))


@doit(sock_diag.TCPDIAG_GETSOCK)
def look_up_tcp(call: Call) -> Body | None:
    """inet_diag_rcv_msg_compat(): as the first inet_diag was asked."""
    _check_compat(call)
    raise Refusal(errno.ENOENT)


@dumpit(sock_diag.TCPDIAG_GETSOCK)
def dump_tcp(call: Call) -> Messages:
    """inet_diag_dump_compat()."""
    _check_compat(call)
    return iter(())


def _check_compat(call: Call) -> None:
    if not call.machine.build.has("INET_DIAG"):
        raise Refusal(errno.EOPNOTSUPP)
    if len(call.message) < NLMSG_HDRLEN + INET_REQUEST_COMPAT:
        raise Refusal(errno.EINVAL)


def rule_of(call: Call, kind: int = SockDiag.BY_FAMILY) -> Rule:
    """__sock_diag_cmd(): the rule of the family, for a request that is long enough. EINVAL, ENOENT, EOPNOTSUPP."""
    message_size = len(call.message) - NLMSG_HDRLEN
    if message_size < (sock_diag.REQUEST.size or 0):
        raise Refusal(errno.EINVAL)
    family = call.message[NLMSG_HDRLEN]
    if family >= AF_MAX:
        raise Refusal(errno.EINVAL)
    rule = RULES.get(family)
    if rule is None or not call.machine.build.has(rule.option):
        raise Refusal(errno.ENOENT)
    if kind == SockDiag.DESTROY and rule.destroy is None:
        raise Refusal(errno.EOPNOTSUPP)
    if message_size < rule.size:
        raise Refusal(errno.EINVAL)
    if rule.check is not None:
        rule.check(call)
    return rule


# INET, INET6


def inet_protocol(call: Call) -> int:
    """inet_diag_get_protocol(): of the header, or a larger number in an attribute. EINVAL when that is not one."""
    protocol = call.message[NLMSG_HDRLEN + 1]
    for number, start, end in walk(call.message, NLMSG_HDRLEN + INET_REQUEST, len(call.message)):
        if number == INET_DIAG_REQ_PROTOCOL:
            if end - start != 4:
                raise Refusal(errno.EINVAL)
            protocol = int.from_bytes(call.message[start:end], "little")
    return protocol


def has_inet(call: Call, protocol: int) -> bool:
    """inet_diag_lock_handler()."""
    option = INET_OPTIONS.get(InetProto(protocol)) if protocol in tuple(InetProto) else None
    return option is not None and call.machine.build.has(option)


def look_up_inet(call: Call) -> None:
    """inet_diag_cmd_exact(): ENOENT, be it the protocol or the socket that there is not."""
    inet_protocol(call)
    raise Refusal(errno.ENOENT)


def destroy_inet(call: Call) -> None:
    """The same for SOCK_DESTROY: some protocols cannot."""
    protocol = inet_protocol(call)
    if has_inet(call, protocol) and protocol == InetProto.MPTCP:
        raise Refusal(errno.EOPNOTSUPP)
    raise Refusal(errno.ENOENT)


def dump_inet(call: Call) -> Messages:
    """inet_diag_dump_start(), and inet_diag_dump(): ENOENT in the dump for a protocol that there is not."""
    return _dump_inet(call, inet_protocol(call))


def _dump_inet(call: Call, protocol: int) -> Iterator[Fill]:
    if not has_inet(call, protocol):
        raise Refusal(errno.ENOENT)
    yield from ()


# UNIX, PACKET


def look_up_unix(call: Call) -> None:
    """unix_diag_get_exact(): ENOENT, or EINVAL for no inode."""
    asked = sock_diag.UNIX_REQUEST.decode(call.message, NLMSG_HDRLEN, len(call.message))
    raise Refusal(errno.ENOENT if asked.ino else errno.EINVAL)


def check_packet(call: Call) -> None:
    """packet_diag_handler_dump(): EINVAL."""
    if call.message[NLMSG_HDRLEN + 1]:
        raise Refusal(errno.EINVAL)


# NETLINK


def dump_netlink(call: Call) -> Messages:
    """netlink_diag_dump(): in the dump, ENOENT for a protocol that cannot be."""
    protocol = call.message[NLMSG_HDRLEN + 1]
    if protocol != NDIAG_PROTO_ALL and protocol >= MAX_LINKS:
        raise Refusal(errno.ENOENT)
    for number, spec in call.machine.protocols.items():
        if protocol not in (NDIAG_PROTO_ALL, number):
            continue
        if spec.listens(call.net is call.machine.init_net):
            yield _netlink_fill(call, SOCK_DGRAM, number, 0)
        for endpoint in sorted(call.machine.ports, key=lambda endpoint: endpoint.portid):
            if endpoint.net is call.net and endpoint.protocol == number:
                yield _netlink_fill(call, SOCK_RAW, number, endpoint.portid)


def _netlink_fill(call: Call, kind: int, protocol: int, portid: int) -> Fill:
    told = (DiagFamily.NETLINK, kind, protocol, CLOSED, portid, 0, 0, 0, portid)
    return lambda: sock_diag.NETLINK_SOCKET.encode(told)


RULES: dict[int, Rule] = {
    DiagFamily.UNIX: Rule("UNIX_DIAG", 24, look_up=look_up_unix),
    DiagFamily.INET: Rule("INET_DIAG", INET_REQUEST, look_up=look_up_inet, messages=dump_inet, destroy=destroy_inet),
    DiagFamily.INET6: Rule("INET_DIAG", INET_REQUEST, look_up=look_up_inet, messages=dump_inet, destroy=destroy_inet),
    DiagFamily.NETLINK: Rule("NETLINK_DIAG", 20, messages=dump_netlink),
    DiagFamily.PACKET: Rule("PACKET_DIAG", 20, check=check_packet),
    DiagFamily.VSOCK: Rule("VSOCKETS_DIAG", 24),
    DiagFamily.XDP: Rule("XDP_SOCKETS_DIAG", 20),
}
"""By family."""
