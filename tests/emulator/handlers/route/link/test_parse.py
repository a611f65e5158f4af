"""Which namespace a link message means, and who may mean it."""

from __future__ import annotations

import errno
import struct

import pytest

from nlemu.emulator.machine.endpoint import Credentials, Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.schema.attributes import pack
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTM
from tests.emulator.handlers.route_requests import (
    CREATE_NEW,
    IFNAME,
    ask,
    errno_of,
    kind,
    link,
    new_link,
    route_socket,
)

NET_NS_PID, NET_NS_FD, TARGET_NETNSID = 19, 28, 46
ROOTLESS = Credentials(1000, admin=False, net_admin=True)
"""Someone who may do everything in a namespace of their own, and nothing elsewhere."""


def word(number: int, value: int) -> bytes:
    return pack(number, struct.pack("<I", value))


def new(*attrs: bytes, name: str = "d") -> bytes:
    return link(RTM.NEWLINK, pack(IFNAME, name.encode() + b"\0"), kind("dummy"), *attrs, flags=CREATE_NEW)


def test_a_process_is_where_its_socket_is() -> None:
    machine = Machine()
    guest = machine.new_net("guest")
    other = Endpoint(machine, guest, NetlinkProtocol.ROUTE, pid=4711)
    endpoint = route_socket(machine)
    assert errno_of(ask(endpoint, new(word(NET_NS_PID, 4711)))[-1]) == 0
    assert guest.by_name("d") is not None and machine.init_net.by_name("d") is None
    assert errno_of(ask(endpoint, new(word(NET_NS_PID, 4712), name="e"))[-1]) == errno.ESRCH
    other.close()
    assert errno_of(ask(endpoint, new(word(NET_NS_PID, 4711), name="e"))[-1]) == errno.ESRCH


def test_descriptors_are_those_of_the_sender() -> None:
    machine = Machine()
    guest = machine.new_net("guest")
    endpoint, stranger = route_socket(machine), route_socket(machine)
    endpoint.descriptors = {5: guest, 6: object()}
    assert errno_of(ask(endpoint, new(word(NET_NS_FD, 5)))[-1]) == 0
    assert guest.by_name("d") is not None
    assert errno_of(ask(endpoint, new(word(NET_NS_FD, 6), name="e"))[-1]) == errno.EINVAL
    assert errno_of(ask(stranger, new(word(NET_NS_FD, 5), name="e"))[-1]) == errno.EBADF


@pytest.mark.parametrize(
    ("cmd", "refused"), [(RTM.NEWLINK, errno.EPERM), (RTM.GETLINK, errno.EACCES), (RTM.DELLINK, errno.EACCES)]
)
def test_who_rules_only_their_own_namespace_reaches_no_other(cmd: RTM, refused: int) -> None:
    machine = Machine()
    guest = machine.new_net("guest")
    nsid = guest.id_alloc(machine.init_net)
    assert nsid is not None
    options = [(NetlinkOpt.CAP_ACK, 1)]
    endpoint = Endpoint(machine, guest, NetlinkProtocol.ROUTE, options=options, credentials=ROOTLESS)
    assert new_link(endpoint, "own")
    there = word(TARGET_NETNSID, nsid)
    request = new(there) if cmd == RTM.NEWLINK else link(cmd, there, pack(IFNAME, b"lo\0"))
    assert errno_of(ask(endpoint, request)[-1]) == refused
    assert len(machine.init_net) == 1
