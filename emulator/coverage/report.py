"""What a suite has exercised, beside what there is: for each operation that it used, attributes and refusals.

What there is is read off the declarations (declared.py) and the source of the handlers (code/reach.py); what was met
and not foreseen by these is counted in, and marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from types import FunctionType
from typing import NamedTuple

from nlemu.emulator.coverage import declared
from nlemu.emulator.coverage.code.known import Function, of_value
from nlemu.emulator.coverage.code.reach import Reach, name_of
from nlemu.emulator.coverage.code.sites import Site
from nlemu.emulator.coverage.seen import Met, Seen
from nlemu.emulator.coverage.watch import OURS
from nlemu.emulator.kernel.links import modelled
from nlemu.emulator.machine import generic, nfnetlink, rtnetlink, sock_diag, xfrm  # noqa: F401 - they load handlers
from nlemu.emulator.netlink.registry import doits, doits_of, dumpits, dumpits_of
from nlemu.emulator.script import explanation
from nlemu.protocol.families.messages import messages
from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.schema.family import Family, Half, Operation
from nlemu.protocol.uapi.socket import AF_UNSPEC

WHAT = {
    "kernel": "a function of the kernel", "required": "required attributes", "type": "types and lengths",
    "range": "ranges", "unknown": "unknown attributes", "header": "headers", "privilege": "privileges",
}
"""Who refuses, in words, in the order of reports."""
POLICIES = tuple(what for what in WHAT if what != "kernel")


@dataclass(frozen=True)
class Line:
    """One refusal. what: who refuses, a key of WHAT; errno: its name, None where it depends; text: of the extended ack,
    "..." in it is put in as it is made; about: the attribute; function: of the kernel; place: file and line of ours;
    met: how often; foreseen: whether the walk found it."""

    what: str
    errno: str | None = None
    text: str | None = None
    about: str | None = None
    function: str | None = None
    place: str | None = None
    met: int = 0
    foreseen: bool = True

    def __str__(self) -> str:
        if self.what == "kernel":
            head = self.errno or "an errno"
            return f"{head}{f', {self.text!r}' if self.text else ''} in {self.function or self.place}"
        return f"{WHAT[self.what]}{f': {self.about}' if self.about else ''}"


class Share(NamedTuple):
    """How many of the things of one sort a suite has met. part: those; whole: all there are."""

    part: int
    whole: int

    def __str__(self) -> str:
        return f"{self.part}/{self.whole}"


@dataclass
class Used:
    """An operation that was used. asked: how often; refused: how often that ended in a refusal; faults: how often in
    one that a test had set; absent: how often because it is not emulated; sent, all: attributes; lines: refusals."""

    name: str
    asked: int = 0
    refused: int = 0
    faults: int = 0
    absent: int = 0
    sent: set[str] = field(default_factory=set)
    all: set[str] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)

    def of(self, what: Iterable[str]) -> list[Line]:
        """Its refusals of some kinds."""
        wanted = set(what)
        return [line for line in self.lines if line.what in wanted]

    @property
    def kernel(self) -> list[Line]:
        """What the kernel's functions refuse."""
        return self.of(("kernel",))

    @property
    def policies(self) -> list[Line]:
        """What its declaration refuses."""
        return self.of(POLICIES)

    @property
    def sums(self) -> dict[str, Share]:
        """The shares of its attributes, and of the refusals of the kernel's functions and of its declaration."""
        kernel, policies = self.kernel, self.policies
        return {
            "attributes": Share(len(self.sent), len(self.all)),
            "kernel": Share(met(kernel), len(kernel)), "policies": Share(met(policies), len(policies)),
        }


@dataclass
class Report:
    """used: operations that were; unused: those of the same families that were not; heard, unheard: notifications of
    these families, the former with how often; kinds: kinds of links that there were."""

    used: list[Used]
    unused: list[str]
    heard: dict[str, int]
    unheard: list[str]
    kinds: list[str]

    @property
    def lines(self) -> list[Line]:
        """All refusals."""
        return [line for used in self.used for line in used.lines]

    @property
    def sums(self) -> dict[str, Share]:
        """The shares of operations and notifications, and of what the operations that were used add up to."""
        used = [one.sums for one in self.used]
        return {
            "operations": Share(len(used), len(used) + len(self.unused)),
            "notifications": Share(len(self.heard), len(self.heard) + len(self.unheard)),
        } | {
            name: Share(sum(one[name].part for one in used), sum(one[name].whole for one in used))
            for name in ("attributes", "kernel", "policies")
        }


def met(lines: Iterable[Line]) -> int:
    """How many of some refusals were met."""
    return sum(1 for line in lines if line.met)


@cache
def operations() -> dict[str, Operation]:
    """Every operation that can be asked for, by family and name."""
    return {
        f"{family.name}.{op.name}": op for family in families() for op in family.operations.values()
        if op.do is not None or op.dump is not None
    }


@cache
def families() -> tuple[Family, ...]:
    """Every family there is."""
    return (*messages().values(), *REGISTERED)


def report(seen: Seen) -> Report:
    """Puts together what is known of a suite. Takes some seconds: it reads the emulator's own source."""
    kinds = {kind.name: kind for kind in modelled()}
    named = [kinds[name] for name in seen.kinds if name in kinds]
    reach = Reach({*seen.devices, *(name_of(type(one)) for kind in named for one in (kind, kind.ops))})
    used: dict[str, Used] = {}
    for (name, _, _), count in seen.asked.items():
        if name in operations():
            used.setdefault(name, Used(name)).asked += count
    for name, one in used.items():
        fill(one, operations()[name], seen, reach)
    names = {name.partition(".")[0] for name in used}
    told = sorted(name for name in notifications() if name.partition(".")[0] in names)
    return Report(
        sorted(used.values(), key=lambda one: one.name),
        sorted(name for name in operations() if name.partition(".")[0] in names and name not in used),
        dict(sorted(seen.notices.items())), [name for name in told if name not in seen.notices],
        sorted(seen.kinds & kinds.keys() | {
            kind.name for kind in kinds.values() if name_of(type(kind)) in seen.devices and kind.name
        }),
    )


def fill(used: Used, operation: Operation, seen: Seen, reach: Reach) -> None:
    """What there is to say of an operation that was used."""
    used.sent = seen.attributes.get(used.name, set())
    handlers: dict[FunctionType, None] = {}
    wanted: dict[tuple[str, str | None], Line] = {}
    for name, dump, family in seen.asked:
        if name != used.name:
            continue
        for half, function in halves(operation, dump, family):
            for known in of_value(function):
                if isinstance(known, Function):
                    handlers[known.function] = None
            if half is None:
                continue
            used.all |= {path for path, _ in declared.attributes(half.accepts, operation.set, used.sent, seen.kinds)}
            changes = declared.is_route(operation) and operation.cmd & 3 != ASKS
            for what, about in declared.refusals(operation, half, used.sent, seen.kinds, changes=changes):
                wanted.setdefault((what, about), Line(what, about=about))
    used.all |= used.sent
    found = list(reach.refusals(handlers))
    sites = [site for site in found if isinstance(site, Site) and not (site.text or "").startswith(OURS)]
    for attribute in found:
        if isinstance(attribute, str) and not any(what == "required" and ends(at, attribute) for what, at in wanted):
            wanted["required", attribute] = Line("required", about=attribute)
    lines = [Line("kernel", site.errno, site.text, None, site.kernel, place(site)) for site in sites]
    for one, count in seen.refused.items():
        if one.operation != used.name:
            continue
        used.refused += count
        if one.what == "fault":
            used.faults += count
        elif one.what == "absent":
            used.absent += count
        elif one.what == "kernel":
            meet(lines, sites, one, count)
        elif one.what in POLICIES:
            key = one.what, one.text if one.what == "header" else one.about
            if one.what == "unknown" or one.what == "privilege":
                key = one.what, None
            if key not in wanted and one.what == "required":  # a handler asks for it, inside of a nest perhaps
                key = next((other for other in wanted if other[0] == "required" and ends(one.about, other[1])), key)
            line = wanted.get(key) or Line(one.what, about=key[1], foreseen=False)
            function = one.functions[0] if one.functions else None
            wanted[key] = replace(
                line, errno=one.errno, text=one.text, function=function, place=one.place, met=line.met + count
            )
    used.lines = lines + sorted(wanted.values(), key=lambda line: (list(WHAT).index(line.what), line.about or ""))


ASKS = 2
"""enum rtnl_kinds: the place of what asks in each block of four message types."""


def ends(path: str | None, name: str | None) -> bool:
    """Whether a path of attributes leads to one of that name."""
    return path is not None and path.rpartition(".")[2] == name


def meet(lines: list[Line], sites: list[Site], one: Met, count: int) -> None:
    """A refusal of a function of the kernel, among those that were foreseen, or behind them."""
    file, _, number = one.place.rpartition(":")
    near = [at for at, site in enumerate(sites) if shown(site.file) == file]
    here = [at for at in near if sites[at].first <= int(number) <= sites[at].last]
    found = (
        *(at for at in here if sites[at].is_met_by(one.errno, one.text)),
        *(at for at in here if sites[at].errno == one.errno),  # who caught it put another text in
        *(at for at in near if sites[at].is_met_by(one.errno, one.text)),  # made there, raised elsewhere
        *(at for at, site in enumerate(sites) if one.text and site.text == one.text and site.errno == one.errno),
    )
    if found:
        lines[found[0]] = replace(lines[found[0]], met=lines[found[0]].met + count)
        return
    function = one.functions[0] if one.functions else None
    lines.append(Line("kernel", one.errno, one.text, None, function, one.place, count, foreseen=False))


shown = cache(explanation.shown)
"""A file of ours as the checkout has it."""


def place(site: Site) -> str:
    """File and line of a site."""
    return f"{shown(site.file)}:{site.first}"


def halves(operation: Operation, dump: bool, family: int) -> Iterator[tuple[Half | None, object]]:
    """How a request is read, and who answers it."""
    if not operation.registered:
        if dump and operation.dump is not None:
            yield operation.dump, dumpits.get(operation)
        else:
            yield operation.do or operation.dump, doits.get(operation)
        return
    for one in (family, AF_UNSPEC):
        registered = operation.registered.get(one)
        half = None if registered is None else registered.dump if dump else registered.do
        if half is None:
            continue
        if not half.every:
            yield half, (dumpits_of if dump else doits_of).get((operation, one))
        for each in half.every:
            inner = operation.registered.get(each)
            yield None if inner is None else inner.dump, dumpits_of.get((operation, each))
        return


def notifications() -> Iterator[str]:
    """What families tell of their own accord, by family and name."""
    for family in families():
        yield from (f"{family.name}.{op.name}" for op in family.events.values())
        if family.name == "route":
            yield from (
                f"route.{op.name}" for op in family.operations.values() if op.name.startswith(("new", "del"))
            )
