"""Faults as steps: whom they are for, by the names that `nlemu dissect` and `serve -v` show, and what they do.

An operation is called by family and name ("netdev.queue-create"), an ioctl by its constant; "route.*" is all of a
family. `where` looks at a request's attributes and header by their names, "linkinfo.kind" inside a nest; `device` is
one that the request names, or its index. What a fault does `then` is another step, done when it strikes.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from nlemu.emulator.machine.faults.aim import IOCTLS, Aim
from nlemu.emulator.machine.faults.fault import Fate, Fault, HangUp
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.history import operation_name
from nlemu.emulator.script.nearest import meant
from nlemu.emulator.script.trace import TraceError, step_of
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import values_of
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import by_number
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.uapi.ethtool import EthtoolIoctl
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.script.steps import Steps
    from nlemu.emulator.script.trace import Step

NAMES, INDICES = ("ifname", "dev-name"), ("ifi-index", "ifindex", "dev-index", "index", "ndm-ifindex", "ifa-index")
"""What a device is called in messages."""
DOES = ("errno", "split", "then", "hang_up", "restart")
"""What a fault can do, one of which it has to."""
EXAMPLES = "netdev.queue-create, route.* or ETHTOOL_SRXCLSRLINS"

Values = Mapping[Any, Any]


class FaultSteps:
    """Faults that come, are listed, and go."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.verbs: dict[str, Callable[[Step], None]] = {
            "fault": self._fault, "interrupt": self._fault, "notice": self._notice, "lose": self._lose,
            "heal": self._heal,
        }

    @property
    def machine(self) -> Machine:
        """Whose faults they are."""
        return self.steps.machine

    def _fault(self, step: Step) -> None:
        operations = tuple(found(self.machine, step.subject))
        if not operations:
            meant_by = meant(step.subject, [*names(self.machine), *IOCTLS])
            raise StepError(
                f"{step.verb}: there is no operation {step.subject!r}{meant_by or f', such as {EXAMPLES}'}"
            )
        dumps = step.verb == "interrupt" or bool(step.get("after") or step.get("split"))
        if dumps and not any(isinstance(one, Operation) and one.dump is not None for one in operations):
            raise StepError(f"{step.verb}: {step.subject} cannot be dumped")
        if step.verb == "fault" and not any(step.get(what) for what in DOES):
            raise StepError(f"fault: it does nothing without one of {', '.join(DOES)}")
        if any(step.get(what) for what in ("hang_up", "restart")) and not all(
            isinstance(one, Operation) for one in operations
        ):
            raise StepError("fault: an ioctl has no socket of ours to be closed")
        self.machine.faults.add(Fault(
            self._name(step), self._aim(step, operations),
            errno=getattr(errno, step["errno"]) if step.get("errno") else 0, text=step.get("text"), at=step.get("at"),
            interrupt=step.verb == "interrupt", after=step.get("after", 0), split=step.get("split", 0),
            then=self._then(step), hang_up=HangUp(step["hang_up"]) if step.get("hang_up") else None,
            restart=step.get("restart", False), step=step.fields,
        ))

    def _notice(self, step: Step) -> None:
        family, _, name = step.subject.partition(".")
        known = {(one.family.name, one.name) for one in self.machine.operations()} | set(notifications(self.machine))
        if not any(fnmatchcase(one, family) and fnmatchcase(two, name) for one, two in known):
            meant_by = meant(step.subject, [f"{one}.{two}" for one, two in notifications(self.machine)])
            raise StepError(
                f"notice: nothing is told by the name {step.subject!r}{meant_by or ', such as route.newlink'}"
            )
        fate = Fate(step["fate"])
        if (fate is Fate.DELAY) is not ("seconds" in step.fields):
            raise StepError("notice: seconds belong to a delay, and a delay needs them")
        self.machine.notices.add(
            Fault(
                self._name(step), self._aim(step, None), fate=fate, seconds=step.get("seconds", 0.0), step=step.fields,
            )
        )

    def _aim(self, step: Step, operations: tuple[Operation | EthtoolIoctl | Sioc, ...] | None) -> Aim:
        if step.get("netns") is not None:
            self.steps.net(step.verb, step["netns"])
        looks = operations is None or bool(step.get("where")) or step.get("device") is not None
        if looks and operations is not None and not all(isinstance(one, Operation) for one in operations):
            raise StepError(f"{step.verb}: an ioctl has no attributes to look at")
        return Aim(
            operations, step.get("netns"), step.get("port"), Look(self.machine, step) if looks else None,
            step.get("skip", 0), step.get("count", 1), step.get("chance", 1.0), step.get("seed", 0),
        )

    def _name(self, step: Step) -> str:
        taken = {fault.name for fault in (*self.machine.faults.listed, *self.machine.notices.listed)}
        name: str | None = step.get("name")
        if name is None:
            return next(one for one in map(str, range(1, len(taken) + 2)) if one not in taken)
        if name in taken:
            raise StepError(f"{step.verb}: there is a fault {name!r} already")
        return name

    def _then(self, step: Step) -> Callable[[], str | None] | None:
        fields = step.get("then")
        if fields is None:
            return None
        try:
            then = step_of(fields)
        except TraceError as error:
            raise StepError(f"{step.verb}: then: {error}") from None

        def perform() -> str | None:
            try:
                self.steps.do(then)
            except (StepError, OSError) as error:
                return getattr(error, "strerror", None) or str(error)
            return None

        return perform

    def _lose(self, step: Step) -> None:
        self.steps.socket("lose", step.subject).lose(step.get("count", 1))

    def _heal(self, step: Step) -> None:
        if step.subject is True:
            self.machine.faults.clear()
            self.machine.notices.clear()
        elif not (self.machine.faults.remove(step.subject) or self.machine.notices.remove(step.subject)):
            raise StepError(f"heal: there is no fault {step.subject!r}")


class Look:
    """Whether a message is one that a step speaks of."""

    def __init__(self, machine: Machine, step: Step) -> None:
        self.machine, self.device, self.where = machine, step.get("device"), step.get("where") or {}
        self.notice: str | None = step.subject if step.verb == "notice" else None

    def __call__(self, protocol: int, data: bytes) -> bool:
        families = by_number({family.name: number for family, number in self.machine.families.numbers.items()})
        for _, one in split(data):
            message = read(one, protocol, families)
            if self.notice is not None and not fnmatchcase(operation_name(message), self.notice):
                continue
            values = values_of(message)
            told = {**values.get("header", {}), **values.get("attributes", {})}
            if self.device is not None and not self._about(told):
                continue
            if all(same(value, expected) for path, expected in self.where.items() for value in [at(told, path)]):
                return True
        return False

    def _about(self, told: Values) -> bool:
        """Whether it names the device, by name or by index."""
        indices = {self.device} if isinstance(self.device, int) else {
            dev.ifindex for net in self.machine.nets.values() for dev in net if dev.name == self.device
        }
        return any(
            (key in NAMES and value == self.device) or (key in INDICES and value in indices)
            for key, value in flat(told)
        )


def found(machine: Machine, pattern: str) -> Iterator[Operation | EthtoolIoctl | Sioc]:
    """The operations and ioctls that a name means."""
    exact = machine.operation(pattern) or IOCTLS.get(pattern)
    if exact is not None:
        yield exact
    elif "*" in pattern:
        yield from (op for op in machine.operations() if fnmatchcase(f"{op.family.name}.{op.name}", pattern))
        yield from (command for name, command in IOCTLS.items() if fnmatchcase(name, pattern))


def names(machine: Machine) -> Iterator[str]:
    """The operations, as faults call them."""
    yield from (f"{op.family.name}.{op.name}" for op in machine.operations())


def notifications(machine: Machine) -> Iterator[tuple[str, str]]:
    """What families tell of their own accord, by family and name."""
    from nlemu.protocol.families.messages import messages

    for family in (*messages().values(), *machine.families.numbers):
        yield from ((family.name, op.name) for op in family.operations.values())


def at(told: Values, path: str) -> Any:
    """What stands at a path of names; None for nothing."""
    value: Any = told
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def same(value: Any, expected: Any) -> bool:
    """Whether a value is what a step says, which may write numbers as texts."""
    if isinstance(value, list) and not isinstance(expected, list):
        return expected in value
    return bool(value == expected) or (value is not None and str(value) == str(expected))


def flat(told: Values) -> Iterator[tuple[Any, Any]]:
    """All names and values, those inside others too."""
    for key, value in told.items():
        yield key, value
        if isinstance(value, Mapping):
            yield from flat(value)


def listed(machine: Machine) -> list[dict[str, Any]]:
    """The faults, as the control socket lists them: the line that set each, how many it was for, has struck, and will
    strike yet; and why what was to happen then did not."""
    return [
        {"name": fault.name, "kind": kind(fault), "step": fault.step, "met": fault.aim.met, "struck": fault.aim.struck,
         "left": fault.aim.left, **({} if fault.failed is None else {"failed": fault.failed})}
        for fault in (*machine.faults.listed, *machine.notices.listed)
    ]


def kind(fault: Fault) -> str:
    """What it does, in a word."""
    if fault.fate is not None:
        return fault.fate.value
    if fault.restart or fault.hang_up is not None:
        return "restart" if fault.restart else "hang up"
    return "interrupt" if fault.interrupt else "split" if fault.split else "refuse" if fault.errno else "then"
