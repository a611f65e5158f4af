"""A capture as a trace: its messages on sockets, as steps that can be performed again.

Whose socket a request came from is worked out before anything else is done with it, since sequence numbers recur: a
capture of an strace knows; in a packet capture the replies tell the port id, and requests that follow without an
answer are of a socket of their own. A socket is opened when it is first used, with the options that its answers show:
acks that are cut off (NETLINK_CAP_ACK), attributes behind them (NETLINK_EXT_ACK), dumps that were filtered or whose
request has a whole header (NETLINK_GET_STRICT_CHK).

A step is a request with the datagrams that answered it. What is told to everybody stands apart (Told): an nlmon device
sees the copies of all listeners, and not who they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nlemu.emulator.script.trace import Step, step_of
from nlemu.protocol.captures.events import Act, Datagram, Event, Unread, Way
from nlemu.protocol.captures.pairing import Paired, Pairing, Request
from nlemu.protocol.decode.message import read
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR, Header
from nlemu.protocol.names.known import ROUTE
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE, NetlinkOpt, NlmsgType

HEAD = HEADER_SIZE + 4
"""What of a message tells its name."""
RUNNING = 64
"""Requests that may wait for their acks at once."""
ACK, DUMP, CAPPED, ACK_TLVS = int(NLM_F.ACK), int(NLM_F.DUMP), int(NLM_F.CAPPED), int(NLM_F.ACK_TLVS)
DUMP_FILTERED = int(NLM_F.DUMP_FILTERED)
ERROR = int(NlmsgType.ERROR)
DEFAULTS = {int(NetlinkOpt.EXT_ACK): 1}
"""Options of a socket whose answers show nothing: most programs set this one."""


@dataclass(eq=False)
class Asked:
    """A datagram of requests: when, by which socket, and what answered it."""

    datagram: Datagram
    socket: Socket
    answers: list[Datagram] = field(default_factory=list)


@dataclass(eq=False)
class Told:
    """A datagram that answers no request: the request that it comes from, if that is known; by which socket it was
    read, where the capture knows; and how many steps were there before."""

    datagram: Datagram
    protocol: int
    socket: str | None = None
    cause: Asked | None = None
    after: int = 0


@dataclass(eq=False)
class Socket:
    """A socket of the capture: its port id once it is known, its options, and when it was first used."""

    name: str
    protocol: int
    port: int | None = None
    network: str | None = None
    options: dict[int, int] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)
    strict: bool | None = None
    """Whether it wants strict checking (NETLINK_GET_STRICT_CHK), as far as requests and answers show."""
    known: bool = False
    """Whether the capture told its options itself."""


@dataclass
class Bound:
    """A capture, bound to sockets. heard: notifications by name; unread: what could not be read, with its place."""

    steps: list[Step] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    """Of each step."""
    heard: Counter[str] = field(default_factory=Counter)
    told: list[Told] = field(default_factory=list)
    """The notifications."""
    sockets: dict[str, Socket] = field(default_factory=dict)
    """Those that the capture tells of, by name."""
    asked: dict[int, Asked] = field(default_factory=dict)
    """By the number of a step, what was asked."""
    asked_at: dict[int, int] = field(default_factory=dict)
    """By id() of what was asked, the number of its step."""
    answered: dict[int, tuple[int | None, ...]] = field(default_factory=dict)
    """By the number of a step, when each of its answers was read."""
    unread: list[str] = field(default_factory=list)
    others: Counter[int] = field(default_factory=Counter)
    """Requests of protocols that are not there, by protocol."""
    times: list[int | None] = field(default_factory=list)
    """Of each step, in nanoseconds."""
    ports: dict[str, int] = field(default_factory=dict)
    """The port id that each socket had in the capture."""
    requests: int = 0
    partly: set[str] = field(default_factory=set)
    """The places of requests whose answers could not be read as a whole."""


class Binder:
    """Takes the events of a capture, and binds them."""

    def __init__(self, protocol: int = ROUTE) -> None:
        self.protocol = protocol
        self.pairing = Pairing()
        self.order: list[Asked | Act | Told] = []
        self.sockets: dict[object, Socket] = {}
        self.asked: dict[int, Asked] = {}
        """By id() of the request's datagram."""
        self.bound = Bound()
        self.running: list[Asked] = []
        """Requests that want an ack, and have none yet."""

    def bind(self, events: Iterable[Event]) -> Bound:
        """Binds them all; raises what the events raise."""
        for event in events:
            self.take(event, self.pairing.messages(event) if isinstance(event, Datagram) else ())
        return self.bound

    def take(self, event: Event, messages: Iterable[Paired | bytes]) -> None:
        """Binds the next event. messages: those of a datagram, as a Pairing has them."""
        if isinstance(event, Datagram):
            self.datagram(event, messages)
        elif isinstance(event, Unread):
            self.bound.unread.append(f"{event.place}: {event.reason}")
            self.unread(event)
        elif event.verb in ("open", "opt", "port", "close"):
            self.act(event)

    def unread(self, event: Unread) -> None:
        """An answer that could not be read: what is known of it does not suffice to compare."""
        if event.way is not Way.TO_USER or event.socket is None:
            return
        asked = (one for one in reversed(self.order) if isinstance(one, Asked) and one.socket.name == event.socket)
        if (last := next(asked, None)) is not None:
            self.bound.partly.add(last.datagram.place)

    def act(self, event: Act) -> None:
        """Something done with a socket, of a capture that knows."""
        if event.verb == "open":
            self.sockets[event.socket] = Socket(
                event.socket, event.fields["proto"], event.fields.get("port"), event.fields.get("netns"), known=True
            )
            for name, value in event.fields.get("opts", ()):
                self.order.append(Act("opt", event.socket, event.place, {"name": name, "value": value}))
        socket = self.sockets.get(event.socket)
        if socket is None:
            return
        if event.verb == "port":
            socket.port = event.fields["port"]
        self.order.append(event)

    def datagram(self, event: Datagram, messages: Iterable[Paired | bytes]) -> None:
        """A datagram: a request of a socket, an answer to one, or something told."""
        protocol = self.protocol if event.protocol is None else event.protocol
        first = True
        for paired in messages:
            if isinstance(paired, bytes):
                continue
            if paired.request is None and not paired.notification:
                if first:
                    self.request(event, protocol)
                first = False
                continue
            answered = None if paired.request is None or paired.notification else self.asked_by(paired.request)
            if answered is None:
                if first:
                    self.heard(paired.data, protocol)
                    named = paired.request if paired.header.portid else None
                    cause = self.performing(event) if named is None else self.asked_by(named)
                    self.order.append(Told(event, protocol, event.socket, cause))
                first = False
                continue
            if not answered.answers or answered.answers[-1] is not event:
                answered.answers.append(event)
            self.learn(answered.socket, paired.header, paired.data, answered.datagram.data)
            if paired.header.type == ERROR and answered in self.running:
                self.running.remove(answered)
            first = False

    def heard(self, data: bytes, protocol: int) -> None:
        """A notification."""
        self.bound.heard[name_of(data[4:8], data[HEADER_SIZE:HEAD], protocol)] += 1

    def request(self, event: Datagram, protocol: int) -> None:
        """A datagram to the kernel. Its socket is that of the capture, or one of its own until an answer tells more."""
        self.bound.requests += 1
        if event.socket is not None and event.socket in self.sockets:
            socket = self.sockets[event.socket]
        else:
            socket = Socket("", protocol, event.port, event.network)
        asked = Asked(event, socket)
        self.asked[id(event)] = asked
        flags = NLMSGHDR.unpack_from(event.data)[2]
        if event.socket is None and flags & ACK and flags & DUMP != DUMP:
            self.running = [*self.running[-RUNNING:], asked]
        self.order.append(asked)

    def performing(self, event: Datagram) -> Asked | None:
        """The request that the kernel was at when it told something: packets are in the order in which they were
        sent, and what is told stands before the ack of what caused it. None if there are several, or none."""
        running = [one for one in self.running if one.datagram.network == event.network and event.socket is None]
        return running[0] if len(running) == 1 else None

    def asked_by(self, request: Request) -> Asked | None:
        """The datagram of a request."""
        return self.asked.get(id(request.datagram))

    def learn(self, socket: Socket, header: Header, data: bytes, request: bytes) -> None:
        """What an answer shows of the socket: its port id, its options."""
        if socket.port is None and header.portid:
            socket.port = header.portid
        if socket.known:
            return
        options = socket.options
        if header.type == ERROR:
            if header.flags & CAPPED and data[HEADER_SIZE : HEADER_SIZE + 4] != bytes(4):
                options[int(NetlinkOpt.CAP_ACK)] = 1
            if header.flags & ACK_TLVS:
                options[int(NetlinkOpt.EXT_ACK)] = 1
        if header.type >= NLMSG_MIN_TYPE and socket.protocol == ROUTE and NLMSGHDR.unpack_from(request)[2] & DUMP:
            vote = is_strict(request, bool(header.flags & DUMP_FILTERED))
            if vote is not None:
                socket.strict = vote and socket.strict is not False

    def steps(self) -> Bound:
        """The steps, once everything was bound. Requests of one port id are of one socket."""
        bound = self.bound
        bound.sockets = {socket.name: socket for socket in self.sockets.values()}
        opened: dict[object, Socket] = {}
        by_port: dict[tuple[int, int | None, str | None], Socket] = {}
        for one in self.order:
            if isinstance(one, Act):
                self.write_act(one, opened)
                continue
            if isinstance(one, Told):
                continue
            socket = one.socket
            if not socket.known:
                key = socket.protocol, socket.port, socket.network
                if socket.port is None:
                    key = socket.protocol, -1, socket.network
                known = by_port.setdefault(key, socket)
                known.options.update(socket.options)
                if socket.strict is not None:
                    known.strict = socket.strict and known.strict is not False
                socket = known
            one.socket = socket
        for one in self.order:
            if isinstance(one, Asked):
                self.write_request(one, opened)
            elif isinstance(one, Told):
                one.after = len(bound.steps)
                bound.told.append(one)
            elif one.verb == "close" and id(self.sockets[one.socket]) in opened:
                self.write({"close": one.socket}, one)  # its port id may be the next socket's
        return bound

    def write_act(self, act: Act, opened: dict[object, Socket]) -> None:
        """Remembers what was asked of a socket; it is opened so when it is first used."""
        socket = self.sockets[act.socket]
        if act.verb != "opt":
            return
        if act.fields["name"] == NetlinkOpt.ADD_MEMBERSHIP:
            socket.groups.append(act.fields["value"])
        else:
            socket.options[act.fields["name"]] = act.fields["value"]

    def write_request(self, asked: Asked, opened: dict[object, Socket]) -> None:
        """The step of a datagram of requests, and before it that of its socket."""
        socket, bound = asked.socket, self.bound
        if id(socket) not in opened:
            opened[id(socket)] = socket
            socket.name = socket.name or f"s{len(opened)}"
            options = socket.options if socket.known else {**DEFAULTS, **socket.options}
            if socket.strict:
                options[int(NetlinkOpt.GET_STRICT_CHK)] = 1
            fields: dict[str, Any] = {
                "open": socket.name, "netns": socket.network or "init", "proto": socket.protocol,
                "opts": [[name, value] for name, value in options.items() if name in OPTIONS],
            }
            if socket.port:
                fields["port"] = socket.port
                bound.ports[socket.name] = socket.port
            self.write(fields, asked.datagram)
            for name, value in options.items():
                if name not in OPTIONS:
                    self.write({"opt": socket.name, "name": name, "value": value}, asked.datagram)
            for group in socket.groups:
                self.write(
                    {"opt": socket.name, "name": int(NetlinkOpt.ADD_MEMBERSHIP), "value": group}, asked.datagram
                )
        got = [answer.data.hex() for answer in asked.answers]
        fields = {"send": socket.name, "hex": asked.datagram.data.hex()}
        if got:
            fields["got"] = {socket.name: got}
        bound.asked_at[id(asked)] = len(bound.steps)
        bound.answered[len(bound.steps)] = tuple(answer.time for answer in asked.answers)
        bound.asked[len(bound.steps)] = asked
        self.add(Step("send", fields), asked.datagram)  # made of bytes: nothing of it has to be checked

    def write(self, fields: Mapping[str, Any], event: Datagram | Act) -> None:
        """Adds the step that these fields describe."""
        self.add(step_of(dict(fields)), event)

    def add(self, step: Step, event: Datagram | Act) -> None:
        """Adds a step."""
        self.bound.steps.append(step)
        self.bound.places.append(event.place)
        self.bound.times.append(event.time)


OPTIONS = frozenset(
    int(option) for option in (NetlinkOpt.CAP_ACK, NetlinkOpt.EXT_ACK, NetlinkOpt.GET_STRICT_CHK)
)
"""Those with which a socket is opened; the others (memberships) are set afterwards."""


@lru_cache(maxsize=1024)
def name_of(kind: bytes, head: bytes, protocol: int) -> str:
    """The name of a message of that type and flags whose body begins so."""
    message = read(bytes(4) + kind + bytes(8) + head, protocol)
    return message.name or f"type {message.header.type}"


@lru_cache(maxsize=64)
def is_strict(request: bytes, filtered: bool) -> bool | None:
    """What a request of rtnetlink that was answered shows of its socket: whether it wants strict checking. None:
    nothing.

    Who asks strictly sends a whole header, in which nothing stands that is not meant; and a dump that is filtered says
    so. What is shorter, or says something in vain, would have been refused.
    """
    message = read(request, ROUTE)
    fixed = None if message.op is None else message.op.fixed
    if fixed is None or not message.header.flags & NLM_F.DUMP:
        return None
    size = fixed.size or 0
    if filtered or message.name == "getroute":  # routes are always filtered: who asks so wants no exceptions
        return filtered
    if message.header.length < HEADER_SIZE + size:
        return False
    return not any(request[HEADER_SIZE + 1 : HEADER_SIZE + size])
