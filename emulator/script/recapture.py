"""Replays a capture: works out the world in which it begins, performs its requests there, and compares the answers.

Relaxed is the way to compare what was captured elsewhere; strict compares bytes. What cannot be answered is counted and
not failed: protocols that there are not, families that are not emulated, links of kinds that are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from nlemu.emulator.kernel.core.build import DEFAULT, Build
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.before import work_out
from nlemu.emulator.script.capture import Binder, Bound
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.relaxed import Relaxed
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import Step
from nlemu.emulator.world.perform import Performer
from nlemu.emulator.world.world import World
from nlemu.protocol.captures.events import CaptureError, Event
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import describe, title
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR, split
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE, by_number
from nlemu.protocol.schema.family import Family

Events = Callable[[], Iterator[Event]]
"""Reads a capture from its beginning: it is read twice."""


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
    """What came of a capture. cut_off: where and why it could not be read on."""

    world: World
    notes: list[str]
    bound: Bound
    compared: list[Compared] = field(default_factory=list)
    cut_off: str | None = None
    bugs: int = 0

    @property
    def equal(self) -> bool:
        """Whether all that was compared is equal."""
        return not any(one.lines for one in self.compared)

    def summary(self) -> list[tuple[str, int, int, int]]:
        """By command: requests that were equal, that differ, that were not compared."""
        table: dict[str, Counter[str]] = {}
        for one in self.compared:
            row = table.setdefault(one.command, Counter())
            row["skipped" if one.skipped else "different" if one.lines else "equal"] += 1
        return [(name, row["equal"], row["different"], row["skipped"]) for name, row in table.items()]


def replay_capture(
    events: Events, *, build: Build = DEFAULT, world: World | None = None, strict: bool = False, protocol: int = ROUTE
) -> Replayed:
    """Replays a capture. world: in which it begins; without one it is worked out. Raises CaptureError for one that
    cannot be read at all, WorldError for a world that cannot be made."""
    cut_off: list[str] = []
    before = work_out(whole(events, cut_off), protocol)
    given = world is not None
    world = before.finish() if world is None else world
    binder = Binder(protocol)
    binder.bind(whole(events, cut_off))
    bound = binder.steps()
    families = {**before.observer.world.families, **world.families}
    machine = Machine(families=families, build=build)
    performer = Performer(machine, world, lenient=not given)
    performer.perform()
    for name, index in before.next_index.items():
        machine.nets[name].begin_at(index)
    result = Replayed(world, [*before.notes, *performer.missing], bound, cut_off=cut_off[0] if cut_off else None)
    Replay(machine, bound, result, strict).run()
    result.bugs = machine.bugs
    return result


def whole(events: Events, cut_off: list[str]) -> Iterator[Event]:
    """The events as far as they can be read."""
    try:
        yield from events()
    except CaptureError as error:
        if not cut_off:
            cut_off.append(str(error))


class Replay:
    """The performance of a capture's steps."""

    def __init__(self, machine: Machine, bound: Bound, result: Replayed, strict: bool) -> None:
        self.machine, self.bound, self.result, self.strict = machine, bound, result, strict
        self.steps = Steps(machine)
        self.relaxed = Relaxed(ports={})
        self.protocols: dict[str, int] = {}
        numbers = {family.name: number for family, number in machine.families.numbers.items()}
        self.families = by_number(numbers)
        self.emulated = {number for number in machine.families.by_number}

    def run(self) -> None:
        """Performs and compares everything."""
        for step, place in zip(self.bound.steps, self.bound.places, strict=True):
            if step.verb == "open":
                self.protocols[step.subject] = step["proto"]
            if step.verb != "send":
                self.quietly(step)
                continue
            self.result.compared.append(self.send(step, place))

    def quietly(self, step: Step) -> str | None:
        """Performs a step that nothing answers; why it could not be."""
        try:
            answer = self.steps.perform(step)
        except StepError as error:
            return str(error)
        return None if answer.error is None else str(answer.error.strerror)

    def send(self, step: Step, place: str) -> Compared:
        """Performs a request, and compares what answers it."""
        protocol = self.protocols.get(step.subject, ROUTE)
        data = bytes.fromhex(step["hex"])
        one = Compared(place, self.command(data, protocol))
        if step.subject not in self.steps.sockets:
            one.skipped = f"there is no netlink protocol {protocol}"
            return one
        reason = self.not_emulated(data, protocol)
        if reason is not None:
            one.skipped = reason
            return one
        answer = self.steps.perform(step)
        expected = [bytes.fromhex(text) for text in step.got.get(step.subject, ())]
        received = answer.got.get(step.subject, [])
        got = [datagram for datagram in received if isinstance(datagram, bytes)]
        if not expected:
            one.skipped = "the capture has no answer to it"
            return one
        one.lines = self.strictly(expected, got, protocol) if self.strict else self.freely(expected, got, protocol)
        return one

    def command(self, data: bytes, protocol: int) -> str:
        """What a request is, by name."""
        if len(data) < HEADER_SIZE:
            return "too short"
        for _, message in split(data):
            return title(read(message, protocol, self.families)).removesuffix(" request")
        return "no message"

    def not_emulated(self, data: bytes, protocol: int) -> str | None:
        """Why a request cannot be answered, if it is of a family that is not here."""
        if protocol != GENERIC_NETLINK or len(data) < HEADER_SIZE:
            return None
        kind = NLMSGHDR.unpack_from(data)[1]
        family: Family | None = self.machine.families.by_number.get(kind)
        return None if family is not None else f"generic netlink family {kind} is not emulated"

    def strictly(self, expected: list[bytes], got: list[bytes], protocol: int) -> list[str]:
        """How datagrams differ, byte for byte."""
        lines = []
        for wanted, received in zip_longest(expected, got):
            if wanted != received:
                lines += [f"- {line}" for line in self.described(wanted, protocol)]
                lines += [f"+ {line}" for line in self.described(received, protocol)]
        return lines

    def described(self, datagram: bytes | None, protocol: int) -> list[str]:
        """A datagram for people."""
        return ["nothing"] if datagram is None else describe(datagram, protocol, self.families)

    def freely(self, expected: list[bytes], got: list[bytes], protocol: int) -> list[str]:
        """How messages differ, however they are divided into datagrams."""
        lines: list[str] = []
        wanted, received = (
            [message for datagram in datagrams for _, message in split(datagram)] for datagrams in (expected, got)
        )
        for one, other in zip_longest(wanted, received):
            if one is None or other is None:
                lines += [f"- {line}" for line in self.described(one, protocol)[:1]]
                lines += [f"+ {line}" for line in self.described(other, protocol)[:1]]
                continue
            found = self.relaxed.differences(one, other, protocol, self.families, self.families)
            if found:
                lines += [f"  {describe(one, protocol, self.families)[0]}", *found]
        return lines
