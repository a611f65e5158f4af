"""What was asked of a machine, and what came of it: requests with their values and their outcome, to assert on.

It is made of a recording in memory (recording.py) when somebody asks, so that keeping it costs no more than the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.nearest import meant
from nlemu.protocol.captures.events import Datagram
from nlemu.protocol.captures.pairing import Pairing
from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.decode.printer import errno_name, extack, one_line, values_of
from nlemu.protocol.names.known import Families, by_number
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine

DUMP = int(NLM_F.DUMP)


@dataclass
class Asked:
    """A request. operation: family and name; text: all of it in one line; values: its header's fields and its
    attributes, by name; netns, port: of the socket; dump: it asked for all there is; errno: the name of the one that it
    was refused with, None where it was not; extack: what the refusal said besides; replies: the values of what was
    answered; answered: something was."""

    operation: str
    text: str
    netns: str
    port: int | None
    values: dict[Any, Any]
    dump: bool = False
    errno: str | None = None
    extack: dict[Any, Any] = field(default_factory=dict)
    replies: list[dict[Any, Any]] = field(default_factory=list)
    answered: bool = False

    def __getitem__(self, name: str) -> Any:
        """A value by its name. KeyError."""
        return self.values[name]

    def __str__(self) -> str:
        outcome = self.errno or ("ok" if self.answered else "no answer")
        said = f": {self.extack['msg']}" if "msg" in self.extack else ""
        return f"{self.netns} {self.text}{' (dump)' if self.dump else ''} -> {outcome}{said}"


def remembered(machine: Machine, pattern: str, last: int | None = None) -> list[dict[str, Any]]:
    """The requests that a machine remembers, of operations by that name, the last of them, for the control socket.
    StepError: nobody keeps them, or no operation has such a name."""
    if machine.remembered is None:
        raise StepError("requests: nothing is kept; `nlemu serve --history` keeps it")
    families = by_number({family.name: number for family, number in machine.families.numbers.items()})
    asked = [one for one in found(tuple(machine.remembered), families) if fnmatchcase(one.operation, pattern)]
    if not asked:
        try:
            check(pattern, [f"{op.family.name}.{op.name}" for op in machine.operations()])
        except LookupError as error:
            raise StepError(f"requests: {error}") from None
    return [asdict(one) for one in asked[-last if last else 0 :]]


def operation_name(message: Message) -> str:
    """What a message is called: family and name, as faults and `nlemu ctl operations` call it."""
    family = message.family.name if message.family is not None else "route"
    return f"{family}.{message.op.name if message.op is not None else message.name}"


def requests(traffic: Iterable[Datagram], families: Families) -> list[Asked]:
    """The requests among datagrams, in the order in which they were sent."""
    return list(found(traffic, families))


def found(traffic: Iterable[Datagram], families: Families) -> Iterator[Asked]:
    """The same. Each is given away when all of its answers have been seen."""
    pairing, asked = Pairing(), dict[int, Asked]()
    for datagram in traffic:
        for paired in pairing.messages(datagram):
            if isinstance(paired, bytes) or paired.notification:
                continue
            before = paired.request
            message = read(
                paired.data, datagram.protocol or 0, families, None if before is None else before.data
            )
            if before is None:
                asked[paired.number] = Asked(
                    operation_name(message), one_line(message), datagram.network or "", datagram.port,
                    told_by(message), message.header.flags & DUMP == DUMP,
                )
            elif before.number in asked:
                answer(asked[before.number], message)
    yield from asked.values()


def answer(asked: Asked, message: Message) -> None:
    """What an answer adds to what is known of a request."""
    asked.answered = True
    if message.header.type in (NlmsgType.ERROR, NlmsgType.DONE):
        if message.errno:
            asked.errno, asked.extack = str(errno_name(message.errno)), extack(message)
    else:
        asked.replies.append(told_by(message))


def told_by(message: Message) -> dict[Any, Any]:
    """The values of a message: its header's fields, and its attributes."""
    values = values_of(message)
    return {**values.get("header", {}), **values.get("attributes", {})}


def check(pattern: str, known: Collection[str]) -> None:
    """LookupError: no operation has such a name."""
    if not any(fnmatchcase(one, pattern) for one in known):
        raise LookupError(f"there is no operation {pattern!r}{meant(pattern, known) or ', such as route.newlink'}")


class Requests(list[Asked]):
    """Requests, the first one first. known: tells the operations that there are, for whoever asks for another."""

    def __init__(self, asked: Iterable[Asked] = (), known: Callable[[], Collection[str]] | None = None) -> None:
        super().__init__(asked)
        self._known = known

    def of(self, pattern: str, **values: Any) -> Requests:
        """Those of an operation, "route.newlink" or "route.*", that say so: ``of("route.newlink", ifname="red")``.
        Raises LookupError for an operation that there is not, of which nobody could ask."""
        those = [one for one in self if fnmatchcase(one.operation, pattern)]
        if not those and self._known is not None:
            check(pattern, self._known())
        return Requests(
            one for one in those
            if all(one.values.get(name.replace("_", "-")) == value for name, value in values.items())
        )

    @property
    def refused(self) -> Requests:
        """Those that were refused."""
        return Requests(one for one in self if one.errno is not None)

    def __str__(self) -> str:
        return "\n".join(map(str, self))
