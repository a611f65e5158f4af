"""Replays a capture: works out the world in which it begins, performs its requests there, and compares the answers.

Relaxed is the way to compare what was captured elsewhere; strict compares bytes. What cannot be answered is counted and
not failed: protocols that there are not, families that are not emulated, links of kinds that are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.build import BUILDS, DEFAULT, Build
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script import explanation
from nlemu.emulator.script.apart import Comparison
from nlemu.emulator.script.before import Before
from nlemu.emulator.script.capture import Binder, Bound
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.evidence import Evidence
from nlemu.emulator.script.notices import PROTOCOLS, Home, Notices, Verdict
from nlemu.emulator.script.relaxed import Relaxed, all_told
from nlemu.emulator.script.steps import Answer, Steps
from nlemu.emulator.script.trace import Step, step_of
from nlemu.emulator.script.unwatched import growing, unwatched
from nlemu.emulator.world.links import NEW, STAND_IN
from nlemu.emulator.world.observe import values_of
from nlemu.emulator.world.perform import Performer
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.world import FIRST, World, WorldError
from nlemu.protocol.captures.events import CaptureError, Datagram, Event
from nlemu.protocol.captures.pairing import Pairing, notifies
from nlemu.protocol.decode.devices import named
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import title
from nlemu.protocol.encode.conversation import NlError
from nlemu.protocol.encode.request import BadValue
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR, split
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE, Families, by_number
from nlemu.protocol.schema.family import Family
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP_MAX

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.script.explanation import Reason

SECOND = 1_000_000_000
AFTERWARDS = 2.0
"""Seconds that pass behind the last request, for what is told later."""
ROOM = 64 << 20
"""Of the receive buffers of sockets that hear everything."""
UNKNOWN_KIND = b"Unknown device type"
Events = Callable[[], Iterator[Event]]
"""Reads a capture from its beginning."""


SOCKETS = frozenset({int(NetlinkProtocol.SOCK_DIAG)})
"""Protocols that tell of all sockets of a machine, of which a capture knows next to nothing."""


@dataclass
class Compared:
    """A request of the capture and what came of it. command: what it is; lines: how the answers differ; skipped: why it
    was not performed or not compared."""

    place: str
    command: str
    lines: list[str] = field(default_factory=list)
    skipped: str | None = None


@dataclass
class Replayed:
    """What came of a capture. cut_off: where and why it could not be read on. told: what came of notifications."""

    world: World
    notes: list[str]
    bound: Bound
    compared: list[Compared] = field(default_factory=list)
    cut_off: str | None = None
    counted: list[str] = field(default_factory=list)
    """Counters of packets that differed."""
    newer: dict[str, list[str]] = field(default_factory=dict)
    """By message, attributes that this kernel tells and the capture's never."""
    told: Verdict = field(default_factory=Verdict)
    bugs: int = 0
    build: Build = DEFAULT
    older: bool = False
    """Whether the capture's kernel was taken to be older."""
    refused: list[tuple[str, Reason]] = field(default_factory=list)
    """Why requests were refused, and the places of those, where that was wanted (explained())."""

    @property
    def different(self) -> int:
        """How many requests were answered otherwise, and notifications told otherwise."""
        return sum(bool(one.lines) for one in self.compared) + len(self.told.different)

    @property
    def lines(self) -> int:
        """How many lines tell the differences."""
        return sum(len(one.lines) for one in self.compared) + sum(len(lines) for _, _, lines in self.told.different)

    @property
    def fit(self) -> tuple[int, int, int]:
        """How far the kernel is from the capture's, the less the nearer: what of the world could not be made or had to
        be assumed, answers that differ, lines that tell differences."""
        return len(self.notes), self.different, self.lines

    @property
    def equal(self) -> bool:
        """Whether all that was compared is equal."""
        return not self.different

    def summary(self) -> list[tuple[str, int, int, int]]:
        """By command: requests that were equal, that differ, that were not compared."""
        table: dict[str, Counter[str]] = {}
        for one in self.compared:
            row = table.setdefault(one.command, Counter())
            row["skipped" if one.skipped else "different" if one.lines else "equal"] += 1
        return [(name, row["equal"], row["different"], row["skipped"]) for name, row in table.items()]


def replay_capture(
    events: Events, *, build: Build | None = None, world: World | None = None, strict: bool = False,
    protocol: int = ROUTE, heed: Callable[[str], None] | None = None,
) -> Replayed:
    """Replays a capture. world: in which it begins; without one it is worked out. build: the kernel; without one it is
    the one of those that there are whose answers are the most like the capture's. heed: hears in words how far it is.
    Raises WorldError for a world that cannot be made."""
    capture = Capture(events, world, strict, protocol)
    capture.heed = heed or capture.heed
    return capture.replay(build) if build is not None else capture.fitting()


def explained(
    events: Events, *, build: Build | None = None, world: World | None = None, protocol: int = ROUTE
) -> Replayed:
    """The same, with a reason for every request that is refused."""
    capture = Capture(events, world, strict=False, protocol=protocol)
    best = capture.best() if build is None else None
    capture.explains = True
    return capture.replay(build or DEFAULT) if best is None else capture.replay(best.build, best.older)


def unheeded(told: str) -> None:
    """Nobody wants to know how far it is."""


@dataclass
class Capture:
    """A capture that is replayed, perhaps on several kernels: read and bound to sockets once. explains: refusals are
    given a reason. heed: hears how far it is."""

    events: Events
    world: World | None
    strict: bool
    protocol: int
    explains: bool = False
    heed: Callable[[str], None] = unheeded
    cut_off: list[str] = field(default_factory=list)
    _told: dict[frozenset[tuple[int, str]], set[tuple[str, str]]] = field(default_factory=dict)

    @cached_property
    def _taken(self) -> tuple[Bound, Before]:
        """What one passage through it tells."""
        pairing, binder, evidence = Pairing(), Binder(self.protocol), Evidence(self.protocol)
        with growing():
            for number, event in enumerate(whole(self.events, self.cut_off), 1):
                self.heed(f"reading: {number} events")
                messages = list(pairing.messages(event)) if isinstance(event, Datagram) else ()
                binder.take(event, messages)
                evidence.take(event, messages)
            return binder.steps(), evidence.finish()

    @property
    def bound(self) -> Bound:
        """Its requests, on sockets."""
        return self._taken[0]

    @property
    def before(self) -> Before:
        """What there was before."""
        return self._taken[1]

    def told(self, families: Families) -> set[tuple[str, str]]:
        """What the capture tells anywhere, of messages and attributes."""
        key = frozenset((number, family.name) for number, family in families.items())
        if key not in self._told:
            self._told[key] = {
                one for protocol, messages in self._bodies().items() for message in messages
                for one in all_told(message, protocol, families)
            }
        return self._told[key]

    def _bodies(self) -> dict[int, set[bytes]]:
        """All that is told, by protocol, each once whatever its sequence number and port id."""
        found: dict[int, set[bytes]] = {}
        protocols = {step.subject: int(step["proto"]) for step in self.bound.steps if step.verb == "open"}
        for step in self.bound.steps:
            for datagram in step.got.get(step.subject, ()) if step.verb == "send" else ():
                found.setdefault(protocols[step.subject], set()).update(unnumbered(bytes.fromhex(datagram)))
        for told in self.bound.told:
            found.setdefault(told.protocol, set()).update(unnumbered(told.datagram.data))
        return found

    def replay(
        self, build: Build, older: bool = False, requests: int | None = None, doubted: bool = False
    ) -> Replayed:
        """Replays it on that kernel, or only so many of its requests; if that is doubted, only where one of these is
        answered otherwise. older: the capture's kernel may be older, so that attributes that it never tells are not
        expected."""
        self._taken  # noqa: B018 -- read before it is left alone
        with unwatched():
            return replay_on(build, self, older, requests, doubted)

    def fitting(self) -> Replayed:
        """The whole of it, on the kernel whose answers are the most like the capture's: that is the first, if it
        answers everything alike. Raises WorldError where none can make the world."""
        try:
            first = self.replay(next(iter(BUILDS.values())), requests=FIRST_REQUESTS, doubted=True)
        except WorldError:
            return self.whole(self.best())
        ended = len(first.compared) == self.bound.requests
        if ended and first.equal:
            return first
        best = self.best(first if len(first.compared) <= FIRST_REQUESTS else None)
        return first if ended and (first.build, first.older) == (best.build, best.older) else self.whole(best)

    def best(self, tried: Replayed | None = None) -> Replayed:
        """The beginning of it, on that one of all kernels whose answers are the most like the capture's. tried: what
        came of it on one. Raises WorldError where none can make the world."""
        best: Replayed | None = None
        refused: WorldError | None = None
        for older in (False, True):
            for one in BUILDS.values():
                try:
                    if tried is not None and tried.build is one and not older:
                        result = tried
                    else:
                        result = self.replay(one, older, FIRST_REQUESTS)
                except WorldError as error:  # it has not all that the world asks for
                    refused = refused or error
                    continue
                result.older = older
                if best is None or result.fit < best.fit:
                    best = result
                if not best.different:
                    return best
        if best is None:
            assert refused is not None
            raise refused
        return best

    def whole(self, result: Replayed) -> Replayed:
        """The whole of it, as it was begun."""
        return self.replay(result.build, result.older) if len(result.compared) < self.bound.requests else result


def replay_on(build: Build, capture: Capture, older: bool, requests: int | None, doubted: bool) -> Replayed:
    """Replays a capture on that kernel, see Capture.replay()."""
    bound, before, cut_off = capture.bound, deepcopy(capture.before), capture.cut_off
    given = capture.world is not None
    world = before.finish() if capture.world is None else capture.world
    for step in bound.steps:
        if step.verb == "open":
            world.namespace(step.get("netns", FIRST))
    families = {**before.observer.world.families, **world.families}
    machine = Machine(families=families, build=build)
    performer = Performer(machine, world, lenient=not given)
    performer.perform()
    for name, index in before.next_index.items():
        machine.nets[name].begin_at(index)
    notes = [*before.notes, *performer.missing]
    result = Replayed(world, notes, bound, cut_off=cut_off[0] if cut_off else None, build=build)
    replay = Replay(machine, capture, result, older)
    if capture.explains:
        explanation.begin(machine, lambda why: result.refused.append((bound.places[replay.at], why)))
    replay.stand_ins |= {machine.nets[net].by_name(name) for net, name in performer.stand_ins}
    replay.run(requests, doubted)
    result.counted = sorted(replay.relaxed.counted)
    for message, path in sorted(replay.relaxed.newer):
        result.newer.setdefault(message, []).append(path.lstrip("."))
    result.bugs = machine.bugs
    return result


def unnumbered(datagram: bytes) -> Iterator[bytes]:
    """The messages of a datagram, without sequence numbers and port ids."""
    return (message[:8] + bytes(8) + message[HEADER_SIZE:] for _, message in split(datagram))


def whole(events: Events, cut_off: list[str]) -> Iterator[Event]:
    """The events as far as they can be read."""
    try:
        yield from events()
    except CaptureError as error:
        if not cut_off:
            cut_off.append(str(error))


def by_descriptor(data: bytes, protocol: int) -> str | None:
    """Why a request cannot be repeated, if it means something by a number that only the program knew."""
    if protocol != ROUTE:
        return None
    for header, message in split(data):
        if header.type in NAMING and has_descriptor(message[4:8], message[HEADER_SIZE:]):
            return "it names a namespace by a descriptor or a process, which the capture does not know"
    return None


@lru_cache(maxsize=1024)
def has_descriptor(kind: bytes, body: bytes) -> bool:
    """Whether a request of that type, with those flags, has such a number in it."""
    message = read(bytes(4) + kind + bytes(8) + body, ROUTE)
    return any(node.name in DESCRIPTORS for node in message.attributes)


DESCRIPTORS = frozenset({"net-ns-fd", "net-ns-pid", "fd", "pid"})
NAMING = frozenset(
    int(one)
    for one in (RTM.NEWLINK, RTM.DELLINK, RTM.GETLINK, RTM.SETLINK, RTM.NEWNSID, RTM.DELNSID, RTM.GETNSID)
)
"""Messages that may have them."""
HEAD = 20
"""What of a message tells its operation: its header, and what the structure behind it begins with."""
FIRST_REQUESTS = 200
"""By the answers to how many requests the kernel is chosen."""


class Replay:
    """The performance of a capture's steps."""

    def __init__(self, machine: Machine, capture: Capture, result: Replayed, newer_allowed: bool) -> None:
        self.machine, self.capture, self.result, self.strict = machine, capture, result, capture.strict
        self.bound = capture.bound
        self.listening = {socket.name for socket in self.bound.sockets.values() if socket.groups}
        """Sockets that are told what they did not ask for."""
        self.newer_allowed = newer_allowed and not self.strict
        self.steps = Steps(machine)
        self.relaxed = Relaxed(ports={})
        self.protocols: dict[str, int] = {}
        numbers = {family.name: number for family, number in machine.families.numbers.items()}
        self.families = by_number(numbers)
        self.stand_ins: set[Device | None] = set()
        """Devices that stand for some of kinds that are not emulated."""
        self.networks: dict[str, str] = {}
        """Of each socket the namespace."""
        self.commands: dict[tuple[int, bytes, bytes], str] = {}
        """Names of operations, by what tells them."""
        self.homes: dict[str, Home] = {}
        """Sockets that hear everything, by name."""
        self.at = 0
        self.notices = Notices(
            self.families, self.families, self.relaxed, self.strict,
            lambda message, home: bool(self.stand_ins) and self.of_stand_in(message, home[1], home[0]),
        )

    def run(self, requests: int | None = None, doubted: bool = False) -> None:
        """Performs and compares everything, or so many requests. doubted: these only if one of them is answered
        otherwise."""
        if self.newer_allowed:
            self.relaxed.told = self.capture.told(self.families)
        bound, last = self.bound, None
        self.listen()
        for at, (step, place, time) in enumerate(zip(bound.steps, bound.places, bound.times, strict=True)):
            self.at = at
            if time is not None:
                if last is not None and time > last:
                    self.machine.advance((time - last) / SECOND)
                last = time if last is None else max(time, last)
            if step.verb == "open":
                self.protocols[step.subject] = step["proto"]
                self.networks[step.subject] = step.get("netns", FIRST)
            if step.verb != "send":
                self.quietly(step)
                continue
            done, build = len(self.result.compared), self.result.build.name
            self.capture.heed(f"request {done + 1} of {bound.requests}, on {build}")
            self.result.compared.append(self.send(step, place))
            if len(self.result.compared) == requests and not (doubted and self.result.equal):
                break
        if self.homes:
            self.machine.advance(AFTERWARDS)
            self.hear(self.steps.rest())
            self.result.told = self.notices.compare(bound, self.at)

    def listen(self) -> None:
        """Opens a socket that hears everything, in each namespace and of each protocol of which the capture heard
        something."""
        for told in self.bound.told:
            home = told.datagram.network or FIRST, told.protocol
            if told.protocol not in PROTOCOLS or home in self.homes.values():
                continue
            name = f"everything {len(self.homes)}"
            generic = sorted(set(self.machine.families.group_ids.values()))
            groups = generic if told.protocol == GENERIC_NETLINK else range(1, RTNLGRP_MAX + 1)
            opts = [[int(NetlinkOpt.ADD_MEMBERSHIP), group] for group in groups]
            fields = {"open": name, "netns": home[0], "proto": home[1], "opts": opts, "rcvbuf": ROOM}
            if self.quietly(step_of(fields)) is None:
                self.homes[name] = home

    def hear(self, answer: Answer, *, asked: bool = False) -> None:
        """Keeps what is told. asked: a request was performed just now, from which comes what was told at once."""
        for name, home in self.homes.items():
            received = answer.got.pop(name, None)
            if received is None:
                continue
            datagrams = [one for one in received if isinstance(one, bytes)]
            at_once = answer.at_once.get(name, 0) if asked else 0
            place = self.bound.places[self.at] if self.bound.places else ""
            self.notices.hear(datagrams[:at_once], home, self.at, place, self.at)
            self.notices.hear(datagrams[at_once:], home, self.at, place)

    def quietly(self, step: Step) -> str | None:
        """Performs a step that nothing answers; why it could not be."""
        try:
            answer = self.steps.perform(step)
        except StepError as error:
            return str(error)
        self.hear(answer)
        return None if answer.error is None else str(answer.error.strerror)

    def send(self, step: Step, place: str) -> Compared:
        """Performs a request, and compares what answers it."""
        protocol = self.protocols.get(step.subject, ROUTE)
        asked = self.bound.asked[self.at]
        data = asked.datagram.data
        one = Compared(place, self.command(data, protocol))
        if step.subject not in self.steps.sockets:
            one.skipped = f"there is no netlink protocol {protocol}"
            return one
        reason = self.not_emulated(data, protocol) or by_descriptor(data, protocol)
        if reason is not None:
            one.skipped = reason
            return one
        answer = self.steps.perform(step)
        self.hear(answer, asked=True)
        self.notices.performed.add(self.at)
        reason = self.kind_not_emulated(answer, step.subject, data, protocol)
        if reason is not None:
            one.skipped = reason
            return one
        expected = [datagram.data for datagram in asked.answers]
        received = answer.got.get(step.subject, [])
        got = [datagram for datagram in received if isinstance(datagram, bytes)]
        if step.subject in self.listening:
            got = list(self.answers(got, data, protocol, step.subject))
        if place in self.bound.partly:
            one.skipped = "its answer could not be read as a whole"
            return one
        if not expected:
            one.skipped = "the capture has no answer to it"
            return one
        comparison = Comparison(protocol, self.families, self.families)
        if self.strict:
            one.lines = comparison.strictly(expected, got)
        else:
            def passed_over(message: bytes) -> bool:
                return bool(self.stand_ins) and self.of_stand_in(message, protocol, self.networks[step.subject])

            one.lines = comparison.freely(expected, got, self.relaxed, passed_over)
        return one

    def answers(self, got: list[bytes], request: bytes, protocol: int, socket: str) -> Iterator[bytes]:
        """What of that answers the request, on a socket that listens as well."""
        port = self.steps.sockets[socket].portid
        asked = {header.seq: header for header, _ in split(request)}
        event = Datagram(b"", protocol, "")
        for datagram in got:
            for header, message in split(datagram):
                mine = asked.get(header.seq) if header.portid == port else None
                if mine is not None and not notifies(event, header, mine):
                    yield message

    def command(self, data: bytes, protocol: int) -> str:
        """What a request is, by name."""
        if len(data) < HEADER_SIZE:
            return "too short"
        for _, message in split(data):
            key = protocol, message[4:8], message[HEADER_SIZE:HEAD]
            if key not in self.commands:
                self.commands[key] = title(read(message, protocol, self.families)).removesuffix(" request")
            return self.commands[key]
        return "no message"

    def kind_not_emulated(self, answer: Answer, socket: str, data: bytes, protocol: int) -> str | None:
        """Why a link could not be made, if it is of a kind that is not emulated. A dummy is made in its place, so that
        what the capture does with it can go on."""
        if protocol != ROUTE or not any(
            isinstance(one, bytes) and UNKNOWN_KIND in one for one in answer.got.get(socket, ())
        ):
            return None
        values = values_of(read(data, protocol))
        name, kind = values.get("ifname"), values.get("linkinfo", {}).get("kind")
        net = self.machine.nets[self.networks[socket]]
        session = Session(self.machine, net)
        try:
            session.ask("rt-link", "newlink", {"ifname": name, "linkinfo": {"kind": STAND_IN}}, NEW)
        except (NlError, BadValue):
            pass
        finally:
            session.close()
        self.stand_ins.add(net.by_name(str(name)))
        return f"links of kind {kind} are not emulated; a dummy stands for {name}"

    def of_stand_in(self, message: bytes, protocol: int, network: str) -> bool:
        """Whether a message is about a device that stands for another."""
        if protocol != ROUTE:
            return False
        indices, names = named(read(message, protocol))
        net = self.machine.nets[network]
        there = {dev for dev in self.stand_ins if dev is not None and dev.net is net}
        return any(dev.ifindex in indices or dev.name in names for dev in there)

    def not_emulated(self, data: bytes, protocol: int) -> str | None:
        """Why a request cannot be answered, if it is of a family that is not here."""
        if protocol in SOCKETS:
            return "which sockets there were is not known"
        if protocol != GENERIC_NETLINK or len(data) < HEADER_SIZE:
            return None
        kind = NLMSGHDR.unpack_from(data)[1]
        family: Family | None = self.machine.families.by_number.get(kind)
        return None if family is not None else f"generic netlink family {kind} is not emulated"
