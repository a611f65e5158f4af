"""Whether a datagram says what was expected, but for what a second life of the same world may call otherwise.

Numbers that a kernel gives (indices, port ids, numbers of families) and addresses that it draws are compared
consistently: the first pair that is met fixes what one stands for, and from then on it has to stand for that. Of the
time fields of a cacheinfo nothing is compared, and of a reachable time, which is drawn; counters of packets that
differ are named and are no fault, since packets are in no capture of netlink. Everything else is exact: each fact of a
message (protocol/decode/facts.py), in its order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

from nlemu.emulator.script.shapes import Shapes
from nlemu.protocol.decode.facts import Fact, facts
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR
from nlemu.protocol.names.known import Families

TIMES = frozenset(
    {
        "cstamp", "tstamp", "confirmed", "used", "updated", "rta-lastuse", "rta-expires", "rta-ts", "rta-tsage",
        "rta-used", "reachable-time",
    }
)
"""Fields of a cacheinfo that tell a time, or one that was drawn."""
RESTS = frozenset({"ifa-prefered", "ifa-valid"})
"""Fields that tell how long something is still there, if it is not there for ever. So do the timers of bridges, which
are zero while they do not run."""
ENDLESS = frozenset({"0", "4294967295"})
INDICES = frozenset({"ifi-index", "ifa-index", "ndm-ifindex", "ifindex", "dev-index", "oif", "iif", "link", "master"})
DRAWN = frozenset({"address", "perm-address", "lladdr", "dst", "local", "prefsrc", "phys-switch-id", "napi-id"})
"""Attributes whose value a kernel draws or counts, where it looks like that."""
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
SHORTER = re.compile(r"\((\d+) bytes where \d+ belong\)")
OWN = re.compile(r"fe80::|ff02::1:ff|[0-9a-f]{64}|\d+$")
"""Addresses that follow from a hardware address, an id of 32 bytes, a number."""


@dataclass
class Relaxed:
    """What stands for what, so far. ports: port ids of sockets, expected and ours."""

    ports: Mapping[int, int] = field(default_factory=dict)
    told: set[tuple[str, str]] | None = None
    """What the capture tells anywhere, by message and path: an attribute of ours that its kernel never tells is newer
    than that kernel. None: there is nothing newer."""
    newer: set[tuple[str, str]] = field(default_factory=set)
    """Such attributes, as far as they were met."""
    counted: set[str] = field(default_factory=set)
    """The paths of counters of packets that differed: packets are in no capture of netlink, so it is no fault."""
    forward: dict[tuple[str, str], str] = field(default_factory=dict)
    backward: dict[tuple[str, str], str] = field(default_factory=dict)
    shapes: Shapes = field(default_factory=lambda: Shapes(kind_of, counted_by))
    _agreed: set[tuple[str, bytes, bytes]] = field(default_factory=set)
    """Bytes at a path that were found to stand for each other."""
    _learnt: list[tuple[tuple[str, str], tuple[str, str]]] | None = None
    """What was learnt since something is tried."""

    def agrees(
        self, expected: bytes, got: bytes, protocol: int, families: Families | None, own: Families | None
    ) -> bool:
        """Whether nothing differs. If something does, nothing was learnt of what stands for what."""
        if expected == got:
            return True
        learnt: list[tuple[tuple[str, str], tuple[str, str]]] = []
        self._learnt = learnt
        newer, counted = set(self.newer), set(self.counted)
        different = self.differences(expected, got, protocol, families, own)
        self._learnt = None
        if different:
            self.newer, self.counted = newer, counted
            self._agreed.clear()
            for there, back in learnt:
                self.forward.pop(there, None)
                self.backward.pop(back, None)
        return not different

    def differences(
        self, expected: bytes, got: bytes, protocol: int, families: Families | None, own: Families | None
    ) -> list[str]:
        """Lines with "-" and "+" for what differs; none if they say the same."""
        if expected == got or self._alike(expected, got) or self._of_one_shape(expected, got, protocol):
            return []
        one, other = facts(expected, protocol, families), facts(got, protocol, own)
        if not any(SHORTER.search(fact.text) for fact in one):
            self.shapes.learn(expected, protocol, one)
        shorter = beyond(one)
        if shorter:
            one = [fact for fact in one if fact.path not in shorter]
            other = [fact for fact in other if fact.path not in shorter]
        return list(self._compared(one, other))

    def _alike(self, expected: bytes, got: bytes) -> bool:
        """Whether two messages differ in sequence number and port id alone, and these may stand for each other."""
        if expected[:8] != got[:8] or expected[HEADER_SIZE:] != got[HEADER_SIZE:]:
            return False
        ports = [str(NLMSGHDR.unpack_from(one)[4]) for one in (expected, got)]
        return self.same(*(Fact("port", port, 12, HEADER_SIZE) for port in ports))

    def _of_one_shape(self, expected: bytes, got: bytes, protocol: int) -> bool:
        """Whether two messages differ only where they may, and what stands there may stand for each other."""
        found = self.shapes.find(expected, protocol) if len(expected) == len(got) else None
        if found is None:
            return False
        shape, number = found
        differing = number ^ int.from_bytes(got, "little")
        if differing & shape.fixed:
            return False
        for place in shape.places:
            pair = place.path, expected[place.start : place.end], got[place.start : place.end]
            if pair not in self._agreed:
                if not self.same(place.fact(expected), place.fact(got)):
                    return False
                self._agreed.add(pair)
        self.counted |= {name for name, bits in shape.counters.items() if differing & bits}
        return True

    def _compared(self, one: list[Fact], other: list[Fact]) -> Iterator[str]:
        other = self._without_newer(one, other)
        if [fact.path for fact in one] != [fact.path for fact in other]:
            yield from by_path(one, other, self)
            return
        for expected, got in zip_longest(one, other):
            if expected is not None and got is not None and not self.same(expected, got):
                if COUNTERS.match(expected.path):
                    self.counted.add(expected.path.split(".")[-2])
                    continue
                yield f"- {expected.path}: {expected.text}"
                yield f"+ {got.path}: {got.text}"

    def _without_newer(self, one: list[Fact], other: list[Fact]) -> list[Fact]:
        """Ours without the attributes that the capture's kernel does not have."""
        if self.told is None or not one or one[0].text != other[0].text:
            return other
        kept = []
        for fact in other:
            where = one[0].text, plain(fact.path)
            if fact.path.startswith(".") and where not in self.told:
                self.newer.add((where[0], where[1].split(".")[1]) if nothing_of(where, self.told) else where)
            else:
                kept.append(fact)
        return kept

    def same(self, expected: Fact, got: Fact) -> bool:
        """Whether two facts of one path say the same."""
        kind = kind_of(expected)
        if kind is None:
            return expected.text == got.text
        if kind == "time":
            return True
        if kind == "rest":
            return (expected.text in ENDLESS) == (got.text in ENDLESS)
        if kind == "seq":
            return True  # each program counts as it likes; which request an answer belongs to is known by now
        if kind == "port" and expected.text.isdigit() and int(expected.text) in self.ports:
            return str(self.ports[int(expected.text)]) == got.text
        if expected.text == got.text == "0":
            return True
        there, back = (kind, expected.text), (kind, got.text)
        if self._learnt is not None and there not in self.forward and back not in self.backward:
            self._learnt.append((there, back))
        if self.forward.setdefault(there, got.text) != got.text:
            return False
        return self.backward.setdefault(back, expected.text) == expected.text


NUMBERS = re.compile(r"\[\d+\]")


def plain(path: str) -> str:
    """A path without the numbers of members."""
    return NUMBERS.sub("", path)


def nothing_of(where: tuple[str, str], told: set[tuple[str, str]]) -> bool:
    """Whether not even the attribute at the top of a path is told."""
    message, path = where
    top = "." + path.split(".")[1]
    return not any(one == message and (there == top or there.startswith(f"{top}.")) for one, there in told)


def all_told(datagram: bytes, protocol: int, families: Families | None) -> set[tuple[str, str]]:
    """What a message tells, by its name and the path."""
    found = facts(datagram, protocol, families)
    return {(found[0].text, plain(fact.path)) for fact in found} if found else set()


COUNTERS = re.compile(r"\.(stats64|stats|af-spec\.inet6\.(stats|icmp6stats))\.")
"""What counts packets: of a link, of IPv6 on it."""


def counted_by(path: str) -> str | None:
    """What it is that a path counts packets of; None if it counts none."""
    return path.split(".")[-2] if COUNTERS.match(path) else None


def beyond(told: list[Fact]) -> set[str]:
    """The paths of what is not there in structures that are shorter than they are declared: the kernel that wrote them
    is older, and did not have these fields."""
    paths: set[str] = set()
    for fact in told:
        cut = SHORTER.search(fact.text)
        if cut:
            end = fact.start + int(cut[1])
            paths.add(fact.path)
            paths |= {one.path for one in told if one.path.startswith(f"{fact.path}.") and one.end > end}
    return paths


def kind_of(fact: Fact) -> str | None:
    """What sort of number or address a fact tells, if it is one that may have another name."""
    leaf = fact.path.rpartition(".")[2].rpartition(": ")[2]
    if leaf in TIMES and ("cacheinfo" in fact.path):
        return "time"
    if leaf in RESTS or (leaf.endswith("-timer") and "linkinfo" in fact.path):
        return "rest"
    if leaf == "seq" and fact.end - fact.start == 4 and fact.path in ("seq", "request.seq"):
        return "seq"
    if leaf == "port" and not fact.path.rpartition("port")[0].endswith("."):
        return "port"
    if leaf in INDICES and "stats" not in fact.path:
        return "index"
    if leaf in DRAWN and (MAC.fullmatch(fact.text) or OWN.match(fact.text)):
        return leaf if leaf in ("napi-id", "phys-switch-id") else "address"
    if leaf in ("family-id",):
        return "family"
    return None


def by_path(expected: list[Fact], got: list[Fact], relaxed: Relaxed) -> Iterator[str]:
    """The differences of two messages that do not have the same attributes."""
    if expected and got and expected[0].text != got[0].text:  # another message altogether
        yield f"- {expected[0].path}: {expected[0].text}"
        yield f"+ {got[0].path}: {got[0].text}"
        return
    left = {fact.path: fact for fact in expected}
    right = {fact.path: fact for fact in got}
    for path, fact in left.items():
        if path not in right:
            yield f"- {path}: {fact.text}"
        elif not relaxed.same(fact, right[path]):
            if COUNTERS.match(path):
                relaxed.counted.add(path.split(".")[-2])
                continue
            yield f"- {path}: {fact.text}"
            yield f"+ {path}: {right[path].text}"
    for path, fact in right.items():
        if path not in left:
            yield f"+ {path}: {fact.text}"
    if left.keys() == right.keys() and list(left) != list(right):
        one, other = next((a, b) for a, b in zip(left, right, strict=True) if a != b)
        yield f"- order: {one} stands here"
        yield f"+ order: {other} stands here"
