"""Requests of rtnetlink are read as their operations declare: by a policy, strictly or liberally, or not at all.

What Linux answers to such requests is in the traces; here every operation of every protocol family has its row, so a
declaration that forgets its policy, or a reader that does not apply it, is seen.
"""

from __future__ import annotations

import errno
import struct

import pytest

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.netlink.registry import doits_of, dumpits_of
from nlemu.protocol.families.route.addr import Ifa
from nlemu.protocol.families.route.addrlabel import Ifal
from nlemu.protocol.families.route.family import route
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.families.route.neigh import Nda
from nlemu.protocol.families.route.neightbl import Ndta
from nlemu.protocol.families.route.netconf import Netconf
from nlemu.protocol.families.route.nexthop import Nha
from nlemu.protocol.families.route.nsid import Nsid
from nlemu.protocol.families.route.route import Rta
from nlemu.protocol.families.route.rule import Fra
from nlemu.protocol.families.route.stats import Asked
from nlemu.protocol.families.route.tc import Actions, Tca
from nlemu.protocol.frame import message, split
from nlemu.protocol.schema.attributes import Attr, pack
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkOpt, NlmsgType
from nlemu.protocol.uapi.rtnetlink import RTM, RTNL_FAMILY_IP6MR, RTNL_FAMILY_IPMR
from nlemu.protocol.uapi.socket import AF_BRIDGE, AF_INET, AF_INET6, AF_MPLS, AF_UNSPEC

REQUEST, ACK, DUMP = int(NLM_F.REQUEST), int(NLM_F.ACK), int(NLM_F.DUMP)
HEADERS = {RTM.NEWLINK: 16, RTM.NEWADDR: 8, RTM.NEWROUTE: 12, RTM.NEWNEIGH: 12, RTM.NEWRULE: 12, RTM.NEWNSID: 4,
           RTM.NEWLINKPROP: 16, RTM.GETMULTICAST & ~3: 8, RTM.GETANYCAST & ~3: 8, RTM.NEWADDRLABEL: 12,
           RTM.NEWNETCONF: 4, RTM.NEWNEXTHOP: 8, RTM.NEWQDISC: 20, RTM.GETTCLASS & ~3: 20, RTM.GETTFILTER & ~3: 20,
           RTM.GETCHAIN & ~3: 20, RTM.GETACTION & ~3: 4, RTM.NEWNEIGHTBL: 4, RTM.NEWSTATS: 12, RTM.NEWMDB: 8,
           RTM.NEWVLAN: 8, RTM.NEWTUNNEL: 8, RTM.NEWNEXTHOPBUCKET: 8}
"""The size of the structure that a request begins with, with its padding, by the first type of the block."""

Row = tuple[RTM, int, Attr[int]]

DOITS: tuple[Row, ...] = (
    (RTM.NEWLINK, AF_UNSPEC, Link.mtu),
    (RTM.DELLINK, AF_UNSPEC, Link.group),
    (RTM.GETLINK, AF_UNSPEC, Link.ext_mask),
    (RTM.SETLINK, AF_UNSPEC, Link.mtu),
    (RTM.NEWLINKPROP, AF_UNSPEC, Link.mtu),
    (RTM.DELLINKPROP, AF_UNSPEC, Link.mtu),
    (RTM.NEWADDR, AF_INET, Ifa.flags),
    (RTM.NEWADDR, AF_INET6, Ifa.flags),
    (RTM.DELADDR, AF_INET, Ifa.flags),
    (RTM.DELADDR, AF_INET6, Ifa.flags),
    (RTM.GETADDR, AF_INET6, Ifa.flags),
    (RTM.NEWROUTE, AF_INET, Rta.oif),
    (RTM.NEWROUTE, AF_INET6, Rta.oif),
    (RTM.DELROUTE, AF_INET, Rta.oif),
    (RTM.DELROUTE, AF_INET6, Rta.oif),
    (RTM.GETROUTE, AF_INET, Rta.oif),
    (RTM.GETROUTE, AF_INET6, Rta.oif),
    (RTM.NEWROUTE, AF_MPLS, Rta.oif),
    (RTM.DELROUTE, AF_MPLS, Rta.oif),
    (RTM.GETROUTE, AF_MPLS, Rta.oif),
    (RTM.GETROUTE, RTNL_FAMILY_IPMR, Rta.oif),
    (RTM.GETROUTE, RTNL_FAMILY_IP6MR, Rta.table),
    (RTM.NEWADDRLABEL, AF_INET6, Ifal.label),
    (RTM.DELADDRLABEL, AF_INET6, Ifal.label),
    (RTM.GETADDRLABEL, AF_INET6, Ifal.label),
    (RTM.GETNETCONF, AF_INET, Netconf.ifindex),
    (RTM.GETNETCONF, AF_INET6, Netconf.ifindex),
    (RTM.GETNETCONF, AF_MPLS, Netconf.ifindex),
    (RTM.NEWNEXTHOP, AF_UNSPEC, Nha.id),
    (RTM.NEWNEXTHOP, AF_INET, Nha.id),
    (RTM.NEWNEXTHOP, AF_INET6, Nha.id),
    (RTM.DELNEXTHOP, AF_UNSPEC, Nha.id),
    (RTM.GETNEXTHOP, AF_UNSPEC, Nha.id),
    (RTM.GETNEXTHOPBUCKET, AF_UNSPEC, Nha.id),
    (RTM.NEWQDISC, AF_UNSPEC, Tca.chain),
    (RTM.DELQDISC, AF_UNSPEC, Tca.chain),
    (RTM.GETQDISC, AF_UNSPEC, Tca.chain),
    (RTM.NEWNEIGH, AF_UNSPEC, Nda.probes),
    (RTM.SETNEIGHTBL, AF_UNSPEC, Ndta.thresh1),
    (RTM.NEWRULE, AF_INET, Fra.priority),
    (RTM.DELRULE, AF_INET, Fra.priority),
    (RTM.NEWNSID, AF_UNSPEC, Nsid.pid),
    (RTM.GETNSID, AF_UNSPEC, Nsid.pid),
)
"""Type, protocol family, and an attribute of four bytes that the policy knows."""
UNREAD_DOITS = {
    (RTM.SETLINK, AF_BRIDGE), (RTM.DELLINK, AF_BRIDGE), (RTM.DELNEIGH, AF_UNSPEC), (RTM.GETSTATS, AF_UNSPEC),
    (RTM.SETSTATS, AF_UNSPEC), (RTM.GETMDB, AF_BRIDGE), (RTM.NEWNEIGH, AF_BRIDGE), (RTM.DELNEIGH, AF_BRIDGE),
    (RTM.NEWVLAN, AF_BRIDGE), (RTM.DELVLAN, AF_BRIDGE), (RTM.NEWTUNNEL, AF_BRIDGE), (RTM.DELTUNNEL, AF_BRIDGE),
    (RTM.NEWMDB, AF_BRIDGE), (RTM.DELMDB, AF_BRIDGE),
}
"""These look for attributes one by one, and have no policy; or at the header and the device before the attributes."""
ALWAYS_STRICT = {(RTM.GETNEIGH, AF_UNSPEC), (RTM.GETNEIGH, AF_BRIDGE)}

DUMPITS: tuple[Row, ...] = (
    (RTM.GETLINK, AF_UNSPEC, Link.ext_mask),
    (RTM.GETLINK, AF_BRIDGE, Link.ext_mask),
    (RTM.GETADDR, AF_INET, Ifa.target_netnsid),
    (RTM.GETADDR, AF_INET6, Ifa.target_netnsid),
    (RTM.GETMULTICAST, AF_INET, Ifa.target_netnsid),
    (RTM.GETMULTICAST, AF_INET6, Ifa.target_netnsid),
    (RTM.GETANYCAST, AF_INET6, Ifa.target_netnsid),
    (RTM.GETROUTE, AF_INET, Rta.table),
    (RTM.GETROUTE, AF_INET6, Rta.table),
    (RTM.GETROUTE, AF_MPLS, Rta.table),
    (RTM.GETROUTE, RTNL_FAMILY_IPMR, Rta.table),
    (RTM.GETROUTE, RTNL_FAMILY_IP6MR, Rta.table),
    (RTM.GETNEIGH, AF_UNSPEC, Nda.ifindex),
    (RTM.GETNSID, AF_UNSPEC, Nsid.target_nsid),
)
FORGIVEN = {(RTM.GETLINK, AF_BRIDGE), (RTM.GETNEIGH, AF_UNSPEC)}
"""Dumps of which a liberal socket's request is read, and told of, but not refused. That of all links is one too, but
its DONE stands in a datagram of its own, which does not know any more what was wrong with the request."""
BARE_DUMPITS = {(RTM.GETLINK, AF_INET6): "ipv6: Invalid data after header",
                (RTM.GETRULE, AF_UNSPEC): "Invalid data after header in fib rule dump request",
                (RTM.GETNEIGHTBL, AF_UNSPEC): "Invalid data after header in neighbor table dump request",
                (RTM.GETMDB, AF_BRIDGE): "Invalid data after header in mdb dump request",
                (RTM.GETADDRLABEL, AF_INET6): "ipv6: Invalid data after header for address label dump request",
                (RTM.GETNETCONF, AF_INET): "ipv4: Invalid data after header in netconf dump request",
                (RTM.GETNETCONF, AF_INET6): "ipv6: Invalid data after header in netconf dump request",
                (RTM.GETNETCONF, AF_MPLS): "mpls_router: Invalid data after header in netconf dump request"}
"""Dumps that take no attribute at all."""

ALWAYS_READ = {
    (RTM.GETNEXTHOP, AF_UNSPEC): Nha.oif, (RTM.GETNEXTHOP, AF_INET): Nha.oif, (RTM.GETNEXTHOP, AF_INET6): Nha.oif,
    (RTM.GETNEXTHOPBUCKET, AF_UNSPEC): Nha.oif,
    (RTM.GETQDISC, AF_UNSPEC): Tca.chain, (RTM.GETTFILTER, AF_UNSPEC): Tca.chain, (RTM.GETCHAIN, AF_UNSPEC): Tca.chain,
    (RTM.GETSTATS, AF_UNSPEC): Asked.filters, (RTM.GETACTION, AF_UNSPEC): Actions.time_delta,
    (RTM.GETTCLASS, AF_UNSPEC): None,
}
"""Dumps whose request is read in the same way of every socket, with an attribute of theirs; or None if none is read."""

READ_BY_SIZE = {(RTM.GETNEIGH, AF_BRIDGE), (RTM.GETVLAN, AF_BRIDGE), (RTM.GETTUNNEL, AF_BRIDGE)}
"""Dumps that read for themselves: one takes one header or another (r77), one is always strict (b04), one looks at its
header alone (t13)."""

FAILED = "Attribute failed policy validation"
STRICT_TEXTS = {(RTM.NEWLINKPROP, AF_UNSPEC): "invalid attribute length",
                (RTM.DELLINKPROP, AF_UNSPEC): "invalid attribute length",
                (RTM.GETROUTE, RTNL_FAMILY_IP6MR): "invalid attribute length",
                (RTM.NEWNEXTHOP, AF_UNSPEC): "invalid attribute length",
                (RTM.NEWNEXTHOP, AF_INET): "invalid attribute length",
                (RTM.NEWNEXTHOP, AF_INET6): "invalid attribute length",
                (RTM.DELNEXTHOP, AF_UNSPEC): "invalid attribute length",
                (RTM.GETNEXTHOP, AF_UNSPEC): "invalid attribute length",
                (RTM.GETNEXTHOPBUCKET, AF_UNSPEC): "invalid attribute length"}
"""What a validator says that is strict with every socket."""
ENDS = (NlmsgType.ERROR, NlmsgType.DONE)


def ask(kind: RTM, family: int, *attrs: bytes, strict: bool = False, dump: bool = False, size: int | None = None,
        header: bytes = b"") -> tuple[int, str | None]:
    """The errno and the text that end the answer to such a request."""
    machine = Machine()
    sock = Endpoint(machine, machine.init_net, 0)
    sock.setsockopt(NetlinkOpt.CAP_ACK, 1)
    sock.setsockopt(NetlinkOpt.EXT_ACK, 1)
    sock.setsockopt(NetlinkOpt.GET_STRICT_CHK, int(strict))
    fixed = (bytes([family]) + header).ljust(HEADERS[RTM(kind & ~3)] if size is None else size, b"\0")
    sock.send(message(kind, REQUEST | (DUMP if dump else ACK), 1, 0, fixed + b"".join(attrs)))
    while (datagram := sock.receive()) is not None:
        for head, data in split(datagram):
            if head.type in ENDS:
                return -struct.unpack_from("<i", data, 16)[0], text_of(data, head.type, head.flags)
    raise AssertionError("there is no end")


def text_of(data: bytes, kind: int, flags: int) -> str | None:
    if not flags & NLM_F.ACK_TLVS:
        return None
    at = 20 if kind == NlmsgType.DONE else 36
    while at < len(data):
        length, number = struct.unpack_from("<HH", data, at)
        if number == 1:
            return data[at + 4 : at + length - 1].decode()
        at += length + 3 & ~3
    return None


def short(attr: Attr[int]) -> bytes:
    """The attribute with a payload of two bytes, which is too short for any policy."""
    return pack(attr.number, b"\1\0")


def name(row: Row) -> str:
    return f"{row[0].name.lower()}-{row[1]}"


def test_every_operation_has_its_row() -> None:
    ask(RTM.GETLINK, AF_UNSPEC)  # handlers are imported when a socket opens
    rows = {(int(kind), family) for kind, family, _ in DOITS} | UNREAD_DOITS | ALWAYS_STRICT
    answered = {(op.cmd, family) for op, family in doits_of}
    # Rules are registered for no family, and read only for one that has them.
    assert {(kind, AF_UNSPEC if kind in (RTM.NEWRULE, RTM.DELRULE) else family) for kind, family in rows} == answered
    rows = {(int(kind), family) for kind, family, _ in DUMPITS} | set(BARE_DUMPITS) | set(ALWAYS_READ) | READ_BY_SIZE
    assert rows == {(op.cmd, family) for op, family in dumpits_of}


@pytest.mark.parametrize("row", DOITS, ids=name)
def test_a_doit_reads_by_its_policy(row: Row) -> None:
    kind, family, attr = row
    number, text = ask(kind, family, short(attr))
    rules = kind in (RTM.NEWRULE, RTM.DELRULE)
    assert number in (errno.ERANGE, errno.EINVAL)
    assert text == ("Error parsing msg" if rules else STRICT_TEXTS.get((kind, family), FAILED))


@pytest.mark.parametrize("row", DOITS, ids=name)
def test_a_doit_refuses_a_header_that_is_cut_short(row: Row) -> None:
    kind, family, _ = row
    if HEADERS[RTM(kind & ~3)] == 4:  # one byte is the whole of it
        return
    op = route.operations[kind]
    half = (op.registered.get(family) or op.registered[AF_UNSPEC]).do
    assert half is not None
    assert ask(kind, family, size=4) == (errno.EINVAL, half.cut)


@pytest.mark.parametrize("row", DUMPITS, ids=name)
def test_a_dump_reads_strictly_if_it_is_to(row: Row) -> None:
    kind, family, attr = row
    assert ask(kind, family, short(attr), strict=True, dump=True) == (errno.ERANGE, FAILED)
    unknown = pack(200, bytes(4))
    assert ask(kind, family, unknown, strict=True, dump=True) == (errno.EINVAL, "Unknown attribute type")


@pytest.mark.parametrize("row", DUMPITS, ids=name)
def test_a_liberal_sockets_dump_is_not_refused(row: Row) -> None:
    kind, family, attr = row
    number, text = ask(kind, family, short(attr), dump=True)
    assert number == 0
    assert text == (FAILED if (kind, family) in FORGIVEN else None)


@pytest.mark.parametrize("kind, family", ALWAYS_READ)
@pytest.mark.parametrize("strict", [False, True])
def test_some_dumps_read_the_same_of_everybody(kind: RTM, family: int, strict: bool) -> None:
    attr = ALWAYS_READ[kind, family]
    if attr is None:
        assert ask(kind, family, pack(1, b"x"), dump=True, strict=strict) == (0, None)
    else:
        assert ask(kind, family, short(attr), dump=True, strict=strict)[0] in (errno.ERANGE, errno.EINVAL)


@pytest.mark.parametrize("kind, family", BARE_DUMPITS)
def test_some_dumps_take_no_attribute(kind: RTM, family: int) -> None:
    attr = pack(1, bytes(4))
    assert ask(kind, family, attr, dump=True) == (0, None)
    assert ask(kind, family, attr, strict=True, dump=True) == (errno.EINVAL, BARE_DUMPITS[kind, family])


STRICT_DUMPS = [
    (kind, family) for kind, family in (*((kind, family) for kind, family, _ in DUMPITS), *BARE_DUMPITS)
    if kind not in (RTM.GETNSID, RTM.GETNETCONF, RTM.GETMDB)  # whose header holds no more than one field
]


@pytest.mark.parametrize("kind, family", STRICT_DUMPS)
def test_a_strict_dump_says_nothing_in_its_header(kind: RTM, family: int) -> None:
    number, text = ask(kind, family, strict=True, dump=True, header=b"\xff" * 11)
    assert number == errno.EINVAL and text is not None and "header for" in text


def test_neighbours_are_asked_for_strictly_by_everybody() -> None:
    device = bytes(3) + b"\1"
    assert ask(RTM.GETNEIGH, AF_INET, short(Nda.ifindex), header=device) == (errno.ERANGE, FAILED)
    assert ask(RTM.GETNEIGH, AF_INET) == (errno.EINVAL, "No device specified")
    assert ask(RTM.GETNEIGH, AF_INET, pack(Nda.dst.number, bytes(4)), pack(Nda.ifindex.number, bytes(4)),
               header=device) == (errno.EINVAL, "Unsupported attribute in neighbor get request")


def test_a_family_that_is_not_registered_falls_back_to_none_at_all() -> None:
    machine = Machine()
    sock = Endpoint(machine, machine.init_net, 0)
    request = message(RTM.GETLINK, REQUEST, 1, 0, b"\x4d".ljust(16, b"\0") + pack(Link.ifname.number, b"lo\0"))
    sock.send(request)
    answer = sock.receive()
    assert answer is not None and answer[4:6] == int(RTM.NEWLINK).to_bytes(2, "little")


def test_what_no_family_answers_is_not_supported() -> None:
    assert ask(RTM.NEWADDR, 77) == (errno.EOPNOTSUPP, None)
    assert ask(RTM.GETANYCAST, AF_INET, dump=True) == (errno.EOPNOTSUPP, None)


@pytest.mark.parametrize(
    ("family", "length", "text"),
    [
        (AF_INET, 32, "ipv4: Unsupported rtm_flags for route get request"),
        (AF_INET6, 128, "ipv6: Invalid flags for get route request"),
        (AF_MPLS, 20, "mpls_router: Invalid flags for get route request"),
    ],
)
@pytest.mark.parametrize("flags", [0x200, 0x10000000, 0x40000000])  # RTM_F_CLONED, and two that have no name
def test_unknown_flags_of_a_strict_request_for_one_route(family: int, length: int, text: str, flags: int) -> None:
    """As Linux 7.2.13 answers."""
    header = struct.pack("=7BI", length, 0, 0, 0, 0, 0, 0, flags)
    dst = pack(Rta.dst.number, bytes(16 if length == 128 else 4))
    assert ask(RTM.GETROUTE, family, dst, strict=True, header=header) == (errno.EINVAL, text)
