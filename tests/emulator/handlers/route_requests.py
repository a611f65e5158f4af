"""A client's words to rtnetlink, in bytes: for tests that speak to a machine in process."""

from __future__ import annotations

import struct

from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.machine.endpoint import DEFAULT_READ, Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.frame import message
from nlemu.protocol.schema.attributes import pack
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTM

REQUEST, ACK, DUMP = int(NLM_F.REQUEST), int(NLM_F.ACK), int(NLM_F.DUMP)
CREATE_NEW = int(NLM_F.REQUEST | NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL)
IFNAME, LINKINFO, EXT_MASK, INFO_KIND, INFO_DATA = 3, 18, 29, 1, 2
NETKIT_MODE = 5


def route_socket(machine: Machine, net: Net | None = None, *, groups: int = 0) -> Endpoint:
    """An rtnetlink socket that is told what is wrong with its requests."""
    options = [(NetlinkOpt.CAP_ACK, 1), (NetlinkOpt.EXT_ACK, 1)]
    return Endpoint(machine, net or machine.init_net, NetlinkProtocol.ROUTE, options=options, groups=groups)


def link(cmd: int, *attrs: bytes, flags: int = REQUEST | ACK, index: int = 0, up: bool | None = None) -> bytes:
    """A link message; up: whether IFF_UP is to be set."""
    change = 0 if up is None else 1
    header = struct.pack("<BBHiII", 0, 0, 0, index, int(bool(up)), change)
    return message(cmd, flags, 1, 0, header + b"".join(attrs))


def kind(name: str, *data: bytes) -> bytes:
    """IFLA_LINKINFO."""
    inside = pack(INFO_KIND, name.encode() + b"\0")
    if data:
        inside += pack(INFO_DATA, b"".join(data))
    return pack(LINKINFO, inside)


def ask(endpoint: Endpoint, request: bytes) -> list[bytes]:
    """Sends a request and reads all that there is, once the machine has done what it does later."""
    endpoint.send(request)
    answers = drain(endpoint)
    endpoint.machine.settle()
    return answers + drain(endpoint)


def drain(endpoint: Endpoint, size: int = DEFAULT_READ) -> list[bytes]:
    """All that there is to read, by a reader with that much room."""
    answers = []
    while (answer := endpoint.receive(size)) is not None:
        answers.append(answer)
    return answers


def errno_of(answer: bytes) -> int:
    """The errno of an ack, positive."""
    kind, errno = struct.unpack_from("<H", answer, 4)[0], struct.unpack_from("<i", answer, 16)[0]
    assert kind == 2
    return -int(errno)


def new_link(endpoint: Endpoint, name: str, of: str = "dummy", *data: bytes) -> int:
    """Makes a link and returns its index."""
    answers = ask(endpoint, link(RTM.NEWLINK, pack(IFNAME, name.encode() + b"\0"), kind(of, *data), flags=CREATE_NEW))
    assert errno_of(answers[-1]) == 0
    dev = endpoint.net.by_name(name)
    assert dev is not None
    return dev.ifindex
