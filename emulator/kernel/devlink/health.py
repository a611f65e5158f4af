"""Reporters of health: what went wrong in a device, what it looked like then, and what was done about it
(net/devlink/health.c).

A driver reports an error to a reporter. The reporter keeps a dump of the moment, if it may and has none yet, and
recovers, if it may: not while an error before is not recovered from, nor, where there is a period of grace, until so
much time has passed since the last recovery; but within a burst period that began with it as often as need be.

What a driver tells is a list of items: nests that begin and end, names, values of some type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from errno import ECANCELED, EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkVarAttrType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.clock import Clock

NSEC_PER_MSEC = 1_000_000
NO_BURST = "health: Cannot set burst period without a grace period."
HEALTHY, ERROR = 0, 1
"""enum devlink_health_reporter_state."""
PIECE = 3776 - 16 - 4 - 4 - 4
"""DEVLINK_FMSG_MAX_SIZE: how much of a long binary value stands in one item."""


class Mark(Enum):
    """Items without a value."""

    OBJECT = "object"
    PAIR = "pair"
    ARRAY = "array"
    END = "end"


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and as what it is told."""

    type: DevlinkVarAttrType
    value: int | str | bytes


Item = Mark | str | Value
"""A text is a name."""


class Fmsg:
    """struct devlink_fmsg: items in their order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    @contextmanager
    def nest(self, *marks: Item) -> Iterator[None]:
        """What stands inside, in as many nests as marks are not names."""
        self.items += marks
        yield
        self.end(sum(isinstance(mark, Mark) for mark in marks))

    def end(self, count: int = 1) -> None:
        """So many nests end."""
        self.items += [Mark.END] * count

    def put(self, type: DevlinkVarAttrType, value: int | str | bytes) -> None:
        """A value alone, as arrays have them."""
        self.items.append(Value(type, value))

    def pair(self, name: str, type: DevlinkVarAttrType, value: int | str | bytes) -> None:
        """A name and its value."""
        with self.nest(Mark.PAIR, name):
            self.put(type, value)

    def binary(self, name: str, value: bytes) -> None:
        """devlink_fmsg_binary_pair_put(): an array of as many pieces as it takes."""
        with self.nest(Mark.PAIR, name, Mark.ARRAY):
            for at in range(0, len(value), PIECE):
                self.put(DevlinkVarAttrType.BINARY, value[at : at + PIECE])


@dataclass(eq=False, slots=True)
class Dumped:
    """What a reporter keeps of an error. taken: when, in nanoseconds since boot."""

    fmsg: Fmsg
    taken: int


class ReporterOps:
    """struct devlink_health_reporter_ops: what a driver does. recovers: it can do something about errors."""

    name = ""
    recovers = False

    def recover(self, message: str | None) -> None:
        """recover(). message: what the driver said of the error, None when user space asks. Refusal: it failed."""

    def dump(self, fmsg: Fmsg, message: str | None) -> None:
        """dump()."""

    def diagnose(self, fmsg: Fmsg) -> None:
        """diagnose()."""


@dataclass(eq=False, slots=True)
class Reporter:
    """struct devlink_health_reporter. tell: what says DEVLINK_CMD_HEALTH_REPORTER_RECOVER. Periods are in
    milliseconds."""

    ops: ReporterOps
    clock: Clock
    tell: Callable[[Reporter], None]
    graceful_period: int = 0
    burst_period: int = 0
    auto_dump: bool = True
    state: int = HEALTHY
    errors: int = 0
    recoveries: int = 0
    dumped: Dumped | None = None
    auto_recover: bool = field(init=False)
    _last_recovery: int | None = None

    def __post_init__(self) -> None:
        self.auto_recover = self.ops.recovers

    @property
    def name(self) -> str:
        """By which requests name it."""
        return self.ops.name

    def set(
        self, graceful: int | None, burst: int | None, auto_recover: int | None, auto_dump: int | None
    ) -> None:
        """devlink_nl_health_reporter_set_doit(). EOPNOTSUPP: it does not recover; EINVAL: a burst period without one of
        grace, and what was said of the latter holds."""
        if not self.ops.recovers and not graceful is burst is auto_recover is None:
            raise Refusal(EOPNOTSUPP)
        if graceful is not None:
            self.graceful_period = graceful
            if not graceful:
                self.burst_period = 0
        if burst is not None:
            if not self.graceful_period and burst:
                raise Refusal(EINVAL, NO_BURST)
            self.burst_period = burst
        if auto_recover is not None:
            self.auto_recover = bool(auto_recover)
        if auto_dump is not None:
            self.auto_dump = bool(auto_dump)

    def report(self, message: str) -> None:
        """devlink_health_report(): a driver says that something went wrong. ECANCELED: nothing is done about it."""
        before = self.state
        self.errors += 1
        self.state = ERROR
        self.tell(self)
        if self._aborts(before):
            raise Refusal(ECANCELED)
        if self.auto_dump:
            self.take_dump(message)
        if self.auto_recover:
            self.recover(message)

    def recover(self, message: str | None = None) -> None:
        """devlink_health_reporter_recover(). EOPNOTSUPP; what the driver refuses."""
        if self.state == HEALTHY:
            return
        if not self.ops.recovers:
            raise Refusal(EOPNOTSUPP)
        self.ops.recover(message)
        self.recoveries += 1
        if not self._in_burst():
            self._last_recovery = self.clock.now
        self.state = HEALTHY
        self.tell(self)

    def take_dump(self, message: str | None = None) -> Dumped:
        """devlink_health_do_dump(): the one that there is, or a new one."""
        if self.dumped is None:
            fmsg = Fmsg()
            with fmsg.nest(Mark.OBJECT):
                self.ops.dump(fmsg, message)
            self.dumped = Dumped(fmsg, self.clock.now)
        return self.dumped

    def diagnose(self) -> Fmsg:
        """What it finds now."""
        fmsg = Fmsg()
        with fmsg.nest(Mark.OBJECT):
            self.ops.diagnose(fmsg)
        return fmsg

    def _within(self, period: int) -> bool:
        last = self._last_recovery
        return last is not None and self.clock.now < last + period * NSEC_PER_MSEC

    def _in_burst(self) -> bool:
        """devlink_health_reporter_in_burst()."""
        return self._within(self.burst_period)

    def _aborts(self, before: int) -> bool:
        """devlink_health_recover_abort()."""
        if not self.auto_recover:
            return False
        if before != HEALTHY:
            return True
        return not self._in_burst() and self._within(self.burst_period + self.graceful_period)
