"""The other side: requests from names and values, replies to names and values, without any I/O.

A client knows a family by its specification: operations, attributes and enums by name. ``specifications()`` has one
for every declared generic netlink family, and for rtnetlink those into which the kernel's specifications divide it.
How values are written is told in protocol/encode/request.py, how they are read in protocol/decode/printer.py.

``Conversation`` keeps the requests that wait for an answer, takes datagrams as they come, and sorts them out: replies,
ends, errors, and notifications that came in between.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nlemu.protocol.decode.message import Message, at_offset, read
from nlemu.protocol.decode.printer import PLAIN, Style, path_text
from nlemu.protocol.encode.request import BadValue, encode
from nlemu.protocol.frame import Header, split
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE, recorded_machine, route
from nlemu.protocol.schema.family import Family, Operation
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP


class NlError(Exception):
    """The kernel refused an operation. ``errno`` is the positive number, ``extack`` what it said besides, by name."""

    def __init__(self, errno: int, extack: Mapping[str, Any] | None = None, operation: str = "") -> None:
        super().__init__(errno, extack, operation)
        self.errno, self.operation = errno, operation
        self.extack = dict(extack or {})

    def __str__(self) -> str:
        """As the kernel's tool puts it: text, errno, and the rest of the extack as a dict."""
        others = {key: value for key, value in self.extack.items() if key != "msg"}
        said = f"{self.extack['msg']}: " if "msg" in self.extack else ""
        return f"Netlink error: {said}{os.strerror(self.errno)}" + (f" {others}" if others else "")


# -- specifications ---------------------------------------------------------------------------------------

ROUTE_SPECIFICATIONS: Mapping[str, Sequence[RTM]] = {
    "rt-addr": (RTM.NEWADDR, RTM.DELADDR, RTM.GETADDR, RTM.GETMULTICAST, RTM.GETANYCAST),
    "rt-addrlabel": (RTM.NEWADDRLABEL, RTM.DELADDRLABEL, RTM.GETADDRLABEL),
    "rt-link": (
        RTM.NEWLINK, RTM.DELLINK, RTM.GETLINK, RTM.SETLINK, RTM.GETSTATS, RTM.SETSTATS, RTM.NEWLINKPROP,
        RTM.DELLINKPROP,
    ),
    "rt-mdb": (RTM.NEWMDB, RTM.DELMDB, RTM.GETMDB),
    "rt-vlan": (RTM.NEWVLAN, RTM.DELVLAN, RTM.GETVLAN),
    "rt-neigh": (RTM.NEWNEIGH, RTM.DELNEIGH, RTM.GETNEIGH, RTM.GETNEIGHTBL, RTM.SETNEIGHTBL),
    "rt-netconf": (RTM.GETNETCONF,),
    "rt-nexthop": (RTM.NEWNEXTHOP, RTM.DELNEXTHOP, RTM.GETNEXTHOP, RTM.GETNEXTHOPBUCKET),
    "rt-nsid": (RTM.NEWNSID, RTM.DELNSID, RTM.GETNSID),
    "rt-route": (RTM.NEWROUTE, RTM.DELROUTE, RTM.GETROUTE),
    "rt-rule": (RTM.NEWRULE, RTM.DELRULE, RTM.GETRULE),
    "rt-tc": (
        RTM.NEWQDISC, RTM.DELQDISC, RTM.GETQDISC, RTM.GETTCLASS, RTM.GETTFILTER, RTM.GETCHAIN, RTM.GETACTION,
    ),
    "rt-tunnel": (RTM.NEWTUNNEL, RTM.DELTUNNEL, RTM.GETTUNNEL),
}
"""What each specification of rtnetlink has of its messages. Those of namespaces' ids, of netconf, labels, next hop
objects, groups of bridges, tunnels and traffic control are our own, and so is it that anycast addresses are among
addresses."""


@dataclass(frozen=True)
class Specification:
    """A family as a client knows it: operations by name, those that can be asked for first, then notifications."""

    name: str
    protocol: int
    family: Family
    messages: Mapping[str, Operation]

    @property
    def operations(self) -> dict[str, Operation]:
        """What can be asked for."""
        return {name: op for name, op in self.messages.items() if op.do is not None or op.dump is not None}

    @property
    def groups(self) -> Mapping[str, int]:
        """Multicast groups by name; of generic netlink they have numbers only on a machine, so 0 here."""
        if self.protocol == ROUTE:
            return {
                f"rtnlgrp-{group.name.lower().replace('_', '-')}": int(group) for group in RTNLGRP if group
            }
        return dict.fromkeys(self.family.groups, 0)

    def operation(self, name: str) -> Operation:
        """The operation of that name. Raises BadValue."""
        if name not in self.operations:
            raise BadValue(
                f"{self.name} has no operation {name!r}; it has {', '.join(self.operations) or 'none'}"
            )
        return self.operations[name]


@cache
def specifications() -> Mapping[str, Specification]:
    """Every family that can be spoken to, by the name of its specification."""
    found = {
        name: Specification(name, ROUTE, route(), {op.name: op for op in messages_of(route(), commands)})
        for name, commands in ROUTE_SPECIFICATIONS.items()
    }
    for family in recorded_machine().values():
        messages = [*family.operations.values(), *family.events.values()]
        if family.operations.keys().isdisjoint(family.events):  # else requests and replies are numbered apart
            messages.sort(key=lambda op: op.cmd)
        found[family.name] = Specification(
            family.name, GENERIC_NETLINK, family, {op.name: op for op in messages}
        )
    return {name: found[name] for name in sorted(found) if found[name].messages}


def messages_of(family: Family, commands: Iterable[int]) -> Iterable[Operation]:
    """What a family declares of those commands: what is asked and what is told."""
    for command in commands:
        for declared in (family.operations, family.events):
            if command in declared:
                yield declared[command]


def specification(name: str) -> Specification:
    """The specification of that name. Raises BadValue."""
    known = specifications()
    if name not in known:
        raise BadValue(f"there is no family {name!r}; there are {', '.join(known)}")
    return known[name]


# -- replies ----------------------------------------------------------------------------------------------


@dataclass
class Request:
    """A request that was sent, and what came of it so far.

    ``ended`` is the header of the message that ended it, ``warning`` the extack of that message if all went well.
    """

    op: Operation
    data: bytes
    dump: bool
    replies: list[dict[Any, Any]] = field(default_factory=list)
    done: bool = False
    error: NlError | None = None
    ended: Header | None = None
    warning: dict[str, Any] | None = None
    interrupted: bool = False


@dataclass(frozen=True)
class Notification:
    """News of a multicast group: which message, and what it holds."""

    name: str
    values: dict[Any, Any]


class Conversation:
    """What one socket asks and hears in one family.

    ``number`` is the family's on the machine that is spoken to (of rtnetlink it means nothing); ``style`` how values
    are told. A request ends with an ack, an error or the end of its dump.
    """

    def __init__(
        self, specification: Specification, number: int = 0, style: Style = PLAIN, seq: int = 1
    ) -> None:
        self.specification, self.number, self.style = specification, number, style
        self.requests: dict[int, Request] = {}
        self.notifications: deque[Notification] = deque()
        self.families = {number: specification.family}
        self._seq = seq

    def ask(
        self, name: str, values: Mapping[str, Any] | None = None, *, dump: bool = False, flags: int = 0
    ) -> Request:
        """A request, to be sent: its bytes are in ``data``. Raises BadValue."""
        op = self.specification.operation(name)
        wanted = int(NLM_F.REQUEST | NLM_F.ACK) | (int(NLM_F.DUMP) if dump else 0) | flags
        data = encode(op, values or {}, number=self.number, seq=self._seq, flags=wanted)
        request = self.requests[self._seq] = Request(op, data, dump)
        self._seq = (self._seq + 1) & 0xFFFFFFFF or 1
        return request

    def hear(self, datagram: bytes) -> None:
        """Takes a datagram that was received: requests get on, notifications are queued."""
        for header, one in split(datagram):
            request = self.requests.get(header.seq)
            asked = None if request is None else request.data
            heard = read(one, self.specification.protocol, self.families, asked)
            if heard.errno is not None:
                if request is not None:
                    self._end(header.seq, request, heard)
            elif heard.op is not None and heard.family is self.specification.family:
                if request is not None:
                    request.replies.append(self.values(heard))
                    request.interrupted |= bool(header.flags & NLM_F.DUMP_INTR)
                else:
                    self.notifications.append(Notification(heard.name or "", self.values(heard)))

    def _end(self, seq: int, request: Request, heard: Message) -> None:
        assert heard.errno is not None
        request.done, request.ended = True, heard.header
        del self.requests[seq]
        told = extack(heard, self.style)
        if heard.errno:
            request.error = NlError(heard.errno, told, request.op.name)
        elif told:
            request.warning = told
        if heard.header.type == NlmsgType.DONE:
            request.interrupted |= bool(heard.header.flags & NLM_F.DUMP_INTR)

    def values(self, heard: Message) -> dict[Any, Any]:
        """A message's attributes by name, and the fields of the structure that it begins with."""
        values = self.style.members(heard.attributes)
        if heard.fixed is not None and heard.protocol == ROUTE:
            values.update(self.style.value(heard.fixed))
        return values


EXTACK_NAMES = {"offs": "bad-attr-offs"}
POLICY_NAMES = {"min-value-s": "min-value", "max-value-s": "max-value", "min-value-u": "min-value",
                "max-value-u": "max-value"}


def extack(heard: Message, style: Style = PLAIN) -> dict[str, Any]:
    """An extack as the kernel's tool tells it: the offset as a path if it can be found, the limits as they are."""
    told: dict[str, Any] = {}
    for node in heard.attributes:
        if node.name == "policy":
            told["policy"] = {
                POLICY_NAMES.get(child.name, child.name): style.value(child) for child in node.children
            }
        else:
            told[EXTACK_NAMES.get(node.name, node.name)] = style.value(node)
    asked = heard.request
    if asked is None or asked.op is None:
        return told
    missing = asked.op.set.spec.by_number.get(told.get("miss-type", 0))
    if missing is not None and "miss-nest" not in told:
        told["miss-type"] = missing.name
    path = at_offset(asked, told.get("bad-attr-offs", 0))
    if path:
        del told["bad-attr-offs"]
        told["bad-attr"] = path_text(path)
    return told
