"""The messages of a capture as evidence of the world before it: which of them have to be taken apart, and what is
learnt from those.

Most say nothing of what was before: a request that only asks, an error, a device that was shown already. That is seen
by their first bytes. Of the others many are like one before, and are taken apart once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from nlemu.emulator.script.before import MAKING, Before
from nlemu.emulator.world.observe import values_of
from nlemu.emulator.world.world import FIRST
from nlemu.protocol.captures.events import Act, Datagram, Event
from nlemu.protocol.captures.families import told as families_told
from nlemu.protocol.captures.pairing import Paired, Pairing, is_request
from nlemu.protocol.decode.glance import first
from nlemu.protocol.decode.message import read
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.frame import HEADER_SIZE
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE, Families, by_number
from nlemu.protocol.names.words import dashed
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE, NlmsgType
from nlemu.protocol.uapi.rtnetlink import RTM

REQUEST, DONE, ERROR, NEWLINK = int(NLM_F.REQUEST), int(NlmsgType.DONE), int(NlmsgType.ERROR), int(RTM.NEWLINK)
LINK_END = HEADER_SIZE + 16
"""Where the attributes of a link message begin."""
IFNAME, MTU, MTU_SIZE = Link.ifname.number, Link.mtu.number, 4
ASKED = {int(one): dashed(one.name) for one in (RTM.NEWLINK, RTM.SETLINK, RTM.DELLINK)} | {
    int(one): dashed(one.name) for one in RTM if dashed(one.name) in MAKING
}
"""Requests that make or change something, by type."""
TOLD = frozenset({NEWLINK} | {kind for kind, name in ASKED.items() if name in MAKING})
"""Types of messages that tell of something."""


class Evidence:
    """Takes the events of a capture, one after the other. protocol: of datagrams of which the capture does not say
    it."""

    def __init__(self, protocol: int = ROUTE) -> None:
        self.protocol = protocol
        self.before = Before()
        self.numbers: dict[str, int] = {}
        self.families: Families = by_number({})
        self.known: set[tuple[object, ...]] = set()
        """What was told already."""

    def take(self, event: Event, messages: Iterable[Paired | bytes]) -> None:
        """Learns from the next event. messages: those of a datagram, as a Pairing has them."""
        if not isinstance(event, Datagram):
            if isinstance(event, Act) and event.verb == "families":
                self.learn(event.fields)
            return
        protocol = self.protocol if event.protocol is None else event.protocol
        namespace = event.network or FIRST
        if protocol == ROUTE:
            for paired in messages:
                if not isinstance(paired, bytes):
                    self.route(paired, namespace)
        elif protocol == GENERIC_NETLINK:
            self.learn(families_told(event.data))
            for paired in messages:
                if not isinstance(paired, bytes) and paired.request is not None and paired.header.type != ERROR:
                    self.generic(paired, namespace)

    def finish(self) -> Before:
        """What was learnt."""
        self.before.observer.world.families.update(self.numbers)
        return self.before

    def learn(self, numbers: Mapping[str, int]) -> None:
        """Numbers of families."""
        if numbers and not numbers.items() <= self.numbers.items():
            self.numbers.update(numbers)
            self.families = by_number(self.numbers)

    def generic(self, paired: Paired, namespace: str) -> None:
        """A reply or a notification of generic netlink that belongs to a request."""
        if self.is_known(paired, GENERIC_NETLINK, namespace):
            return
        message = read(paired.data, GENERIC_NETLINK, self.families)
        if message.errno is None:
            self.before.named(message, namespace)

    def route(self, paired: Paired, namespace: str) -> None:
        """A message of rtnetlink."""
        kind, data = paired.header.type, paired.data
        if paired.header.flags & REQUEST:
            if kind in ASKED:
                self.before.asked(ASKED[kind], asked_values(data[4:8], data[HEADER_SIZE:]), namespace)
        elif kind == DONE:
            self.ended(paired, namespace)
        elif kind in TOLD:
            if kind == NEWLINK and (self.before.shows_again(paired, namespace) or self.came(paired, namespace)):
                return
            if not self.is_known(paired, ROUTE, namespace):
                self.before.told(read(data, ROUTE), namespace, paired)

    def came(self, paired: Paired, namespace: str) -> bool:
        """Whether a message shows a device that was not there before, of which no more is learnt than that."""
        data = paired.data
        name = first(data, LINK_END, IFNAME)
        if data[HEADER_SIZE : HEADER_SIZE + 1] != b"\0" or len(name) < 2 or name.find(b"\0") != len(name) - 1:
            return False
        if len(first(data, LINK_END, MTU)) != MTU_SIZE:
            return False
        text = name[:-1].decode(errors="replace")
        index = int.from_bytes(data[HEADER_SIZE + 4 : HEADER_SIZE + 8], "little")
        return self.before.comes(index, text, namespace, paired)

    def ended(self, paired: Paired, namespace: str) -> None:
        """The end of a dump: all that was asked for was listed."""
        if paired.request is None or read(paired.data, ROUTE).errno != 0:
            return
        name = read(paired.request.data, ROUTE).name or ""
        if name == "getlink":
            self.before.listed.add(namespace)
        self.before.dumped.add(name.replace("get", "new", 1))

    def is_known(self, paired: Paired, protocol: int, namespace: str) -> bool:
        """Whether a message tells what one before told, whatever its sequence number and port id: that is nothing new.
        It is known from now on."""
        header = paired.header
        if header.type < NLMSG_MIN_TYPE or is_request(paired.datagram, header):
            return False
        told_to = paired.request is not None and not paired.notification
        body = namespace, protocol, header.type, header.flags, told_to, paired.data[HEADER_SIZE:]
        if body in self.known:
            return True
        self.known.add(body)
        return False


@lru_cache(maxsize=1024)
def asked_values(kind: bytes, body: bytes) -> dict[str, Any]:
    """What a request of that type, with those flags, asks for. Nobody may change it."""
    return values_of(read(bytes(4) + kind + bytes(8) + body, ROUTE))


def work_out(events: Iterable[Event], protocol: int = ROUTE) -> Before:
    """What there was before a capture began. protocol: of datagrams of which the capture does not say it."""
    evidence, pairing = Evidence(protocol), Pairing()
    for event in events:
        evidence.take(event, pairing.messages(event) if isinstance(event, Datagram) else ())
    return evidence.finish()
