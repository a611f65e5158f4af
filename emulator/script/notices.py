"""What a capture heard told to everybody, held against what is told here.

A capture hears the whole host: a notification may come from a request of the capture, from the kernel by itself (a
carrier, an address that was tried out), or from something that is in no capture of netlink, as an ioctl or the radio of
a wireless NIC. So not all of them are expected. Each of ours is looked for in the capture: one of the same thing that
says the same is equal. One of the same thing that says something else is different, if both come from the same request:
the numbers in its header say so, or it stands before that request's ack, or at least before the next. What is left is a
difference where a request that was performed is known to have caused it, and counted elsewhere.

Nobody hears what nobody listens to, and an nlmon device hears a copy for each who does. So kinds of messages that the
capture never has are not expected of it, nor anything before the first and behind the last of its kind; and copies that
follow each other are one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from nlemu.emulator.script.apart import Comparison
from nlemu.emulator.script.capture import Bound
from nlemu.emulator.script.relaxed import Relaxed
from nlemu.emulator.world.world import FIRST
from nlemu.protocol.decode.glance import first
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import one_line
from nlemu.protocol.families.route.addr import Ifa
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.families.route.neigh import Nda
from nlemu.protocol.families.route.route import Rta
from nlemu.protocol.families.route.rule import Fra
from nlemu.protocol.frame import HEADER_SIZE, split
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE, Families
from nlemu.protocol.names.words import dashed
from nlemu.protocol.uapi.rtnetlink import RTM

PROTOCOLS = (ROUTE, GENERIC_NETLINK)
"""Of which notifications are compared."""
COLUMNS = 160
"""Of a notification that only one side has."""
CANDIDATES = 16
"""How many notifications of one thing are tried for one that says the same."""
IDENTITY: dict[str, tuple[tuple[int, ...], int, tuple[int, ...]]] = {
    "link": ((), 16, (Link.ifname.number,)), "addr": ((1,), 8, (Ifa.address.number, Ifa.local.number)),
    "route": ((1, 4, 7), 12, (Rta.dst.number,)), "neigh": ((), 12, (Nda.dst.number,)),
    "rule": ((), 12, (Fra.priority.number,)),
}
"""By what a thing is told from others, by the end of the message's name: bytes of its structure (lengths of prefixes,
of routes table and type as well), the structure's size, attributes. What was drawn (addresses) is anything."""
DRAWN = (b"\xfe\x80" + bytes(6), b"\xff\x02" + bytes(9) + b"\x01\xff")
"""How addresses begin that follow from a hardware address."""

NONE: deque[Notice] = deque()
Home = tuple[str, int]
"""A namespace and a protocol."""
Key = tuple[object, ...]


@dataclass(eq=False)
class Notice:
    """A message that was told: at which step (what came before it, in a capture), by the request of which step if that
    is known, and where it stands in the capture."""

    data: bytes
    home: Home
    name: str
    key: Key
    at: int
    cause: int | None
    place: str = ""
    taken: bool = False

    @property
    def kind(self) -> Key:
        """What somebody listens to: messages of that name, and of that address family."""
        return self.key[:2]


@dataclass
class Verdict:
    """What came of comparing. different: pairs of a notification's name and lines, with its place. outside: what the
    capture heard and no request here told, by name; unheard: what is told here, and the capture does not have, of kinds
    that it has."""

    equal: int = 0
    different: list[tuple[str, str, list[str]]] = field(default_factory=list)
    outside: Counter[str] = field(default_factory=Counter)
    unheard: Counter[str] = field(default_factory=Counter)


@dataclass
class Notices:
    """Notifications of both sides. families: under the numbers of the capture, and under ours; performed: the steps
    whose requests were performed here; passed_over: what is not compared."""

    expected: Families
    found: Families
    relaxed: Relaxed
    strict: bool
    passed_over: Callable[[bytes, Home], bool]
    performed: set[int] = field(default_factory=set)
    ours: list[Notice] = field(default_factory=list)

    def hear(self, datagrams: Iterable[bytes], home: Home, at: int, place: str, cause: int | None = None) -> None:
        """What is told here, behind what stands there in the capture. cause: the step whose request it comes from."""
        for datagram in datagrams:
            self.ours += (notice(message, home, self.found, at, cause, place) for _, message in split(datagram))

    def compare(self, bound: Bound, last: int) -> Verdict:
        """Everything that the capture heard up to its last step, and what was told here."""
        verdict = Verdict()
        for stream in streams(bound, self.expected, last):
            self._compare(stream, verdict)
        return verdict

    def _compare(self, heard: list[Notice], verdict: Verdict) -> None:
        home = heard[0].home
        waiting: dict[Key, deque[Notice]] = {}
        first: dict[Key, int] = {}
        last: dict[Key, int] = {}
        for one in heard:
            waiting.setdefault(one.key, deque()).append(one)
            first.setdefault(one.kind, one.at)
            last[one.kind] = one.at
        comparison = Comparison(home[1], self.expected, self.found)
        for mine in once(one for one in self.ours if one.home == home):
            if self.passed_over(mine.data, home):
                continue
            there = waiting.get(mine.key, NONE)
            twin = next((one for one in self._first(there) if self._same(one, mine, comparison)), None)
            if twin is not None:
                verdict.equal += 1
            elif (twin := next((one for one in self._first(there) if related(one, mine)), None)) is not None:
                verdict.different.append((mine.name, twin.place, self._lines(twin, mine, comparison)))
            elif mine.cause is not None and first.get(mine.kind, mine.at + 1) <= mine.at < last.get(mine.kind, 0):
                verdict.different.append((mine.name, mine.place, [f"+ {shown(mine, self.found)}"]))
            elif mine.kind in first:
                verdict.unheard[mine.name] += 1
            if twin is not None:
                twin.taken = True
                there.remove(twin)
        for one in heard:
            if one.taken or self.passed_over(one.data, home):
                continue
            if one.cause in self.performed:
                verdict.different.append((one.name, one.place, [f"- {shown(one, self.expected)}"]))
            else:
                verdict.outside[one.name] += 1

    def _first(self, there: deque[Notice]) -> Iterator[Notice]:
        return islice(there, CANDIDATES)

    def _same(self, one: Notice, mine: Notice, comparison: Comparison) -> bool:
        if self.strict:
            return one.data == mine.data
        return self.relaxed.agrees(
            one.data, mine.data, comparison.protocol, comparison.expected, comparison.found
        )

    def _lines(self, one: Notice, mine: Notice, comparison: Comparison) -> list[str]:
        if self.strict:
            return comparison.strictly([one.data], [mine.data])
        return comparison.freely([one.data], [mine.data], self.relaxed)


def related(one: Notice, mine: Notice) -> bool:
    """Whether two notifications come from the same request."""
    if one.cause is not None:
        return one.cause == mine.cause
    return mine.cause is not None and one.at == mine.at + 1


def notice(
    data: bytes, home: Home, families: Families, at: int, cause: int | None, place: str = ""
) -> Notice:
    """A message that was told."""
    if home[1] != ROUTE:
        message = read(data, home[1], families)
        name = message.name or f"type {message.header.type}"
        return Notice(data, home, name, (name, b""), at, cause, place)
    name = name_of(int.from_bytes(data[4:6], "little"))
    identity = identity_of(name)
    key: list[object] = [name, data[HEADER_SIZE : HEADER_SIZE + 1]]
    if identity is not None:
        head, size, numbers = identity
        key += [data[HEADER_SIZE + at : HEADER_SIZE + at + 1] for at in head]
        key += [known(first(data, HEADER_SIZE + size, number)) for number in numbers]
    return Notice(data, home, name, tuple(key), at, cause, place)


@cache
def identity_of(name: str) -> tuple[tuple[int, ...], int, tuple[int, ...]] | None:
    """By what the things are told apart that a message of that name tells of."""
    return next((one for end, one in IDENTITY.items() if name.endswith(end)), None)


@cache
def name_of(kind: int) -> str:
    """The name of a message of rtnetlink of that type."""
    return dashed(RTM(kind).name) if kind in RTM.__members__.values() else f"type {kind}"


def shown(one: Notice, families: Families) -> str:
    """A notification in a line that is not too long."""
    line = one_line(read(one.data, one.home[1], families))
    return line if len(line) <= COLUMNS else f"{line[: COLUMNS - 3]}..."


def known(value: bytes) -> object:
    """What a value says of which thing it is: nothing, if it may have been drawn."""
    return "drawn" if value.startswith(DRAWN) else value


def once(notices: Iterable[Notice]) -> Iterator[Notice]:
    """Without copies of the one before."""
    before = b""
    for one in notices:
        if one.data != before:
            yield one
        before = one.data


def streams(bound: Bound, families: Families, last: int) -> list[list[Notice]]:
    """What the capture heard up to that step, by namespace and protocol, and by socket where it knows who heard it."""
    found: dict[tuple[Home, str | None], list[Notice]] = {}
    for told in bound.told:
        if told.protocol not in PROTOCOLS or told.after > last + 1:
            continue
        home = told.datagram.network or FIRST, told.protocol
        asked = None if told.cause is None else bound.asked_at.get(id(told.cause))
        found.setdefault((home, told.socket), []).extend(
            notice(message, home, families, told.after, asked, told.datagram.place)
            for _, message in split(told.datagram.data)
        )
    return [list(once(stream)) for stream in found.values()]
