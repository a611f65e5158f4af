"""Replays a trace: performs its steps on a fresh machine of the recorded kind, and compares what comes of them.

Everything a socket had to read is compared, datagram by datagram and whole; so is the errno of a step that the kernel
refused. A step that the emulator cannot perform yet is neither equal nor different: it is told apart, and the replay
goes on, because what follows may still be told.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from nlemu.emulator.kernel.core.build import Build, recorded_on
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.pauses import catch_up, let_time_pass
from nlemu.emulator.script.steps import Answer, Steps
from nlemu.emulator.script.trace import Header, Step, Trace, matches, text_of


@dataclass(frozen=True)
class Difference:
    """Where a machine and the recorded kernel differ.

    step: counted from 1. socket: None for the errno of the step itself. index: which of its datagrams, from 0.
    expected, got: as written in a trace (hex, or "!" and an errno); None for a datagram that is not there.
    """

    step: int
    socket: str | None
    index: int
    expected: str | None
    got: str | None


@dataclass
class Result:
    """What came of a replay.

    actual: the trace with the machine's own answers. datagrams: how many were recorded. not_yet: the steps that could
    not be performed, counted from 1 like those of differences, and why. bugs: how many requests ended in a bug of ours.
    """

    trace: Trace
    actual: Trace
    datagrams: int = 0
    differences: list[Difference] = field(default_factory=list)
    not_yet: dict[int, str] = field(default_factory=dict)
    bugs: int = 0

    @property
    def equal(self) -> bool:
        """Whether everything was performed, and nothing differed."""
        return not self.differences and not self.not_yet

    @property
    def different(self) -> int:
        """How many steps differ."""
        return len({difference.step for difference in self.differences})


def machine_of(header: Header, build: Build | None = None) -> Machine:
    """A machine of the kind that a trace was recorded on, or of that build. Raises NoBuild for a kernel that is not
    here."""
    build = recorded_on(header.kernel, header.config) if build is None else build
    return Machine(
        cpus=header.cpus, families=header.families, netdevsim=header.netdevsim or "plain", build=build
    )


def replay(trace: Trace, build: Build | None = None) -> Result:
    """Performs all steps on a machine of its own, of the kernel that the trace names or of that build, and compares.
    Raises NoBuild."""
    machine = machine_of(trace.header, build)
    steps = Steps(machine)
    actual: list[Step] = []
    result = Result(trace, Trace(trace.header, actual, trace.name))
    for number, step in enumerate(trace.steps, 1):
        try:
            catch_up(steps, step)
            answer = steps.perform(step)
            let_time_pass(steps, step, answer)
        except StepError as error:  # unknown as yet, or it builds on one that was
            result.not_yet[number] = str(error)
            answer = Answer()
        else:
            result.differences.extend(compare(number, step, answer))
        result.datagrams += sum(len(datagrams) for datagrams in step.got.values())
        actual.append(written(step, answer))
    result.bugs = machine.bugs
    return result


def compare(number: int, step: Step, answer: Answer) -> list[Difference]:
    """The differences between what a step says came of it, and what did."""
    differences = []
    error = 0 if answer.error is None else answer.error.errno or 0
    if error != step.error:
        differences.append(Difference(number, None, 0, error_text(step.error), error_text(error)))
    for socket in [*step.got, *(socket for socket in answer.got if socket not in step.got)]:
        expected: Sequence[str] = step.got.get(socket, ())
        got = answer.got.get(socket, ())
        for index, (pattern, received) in enumerate(zip_longest(expected, got)):
            if pattern is None or received is None or not matches(pattern, received):
                text = None if received is None else text_of(received)
                differences.append(Difference(number, socket, index, pattern, text))
    return differences


def written(step: Step, answer: Answer) -> Step:
    """The step as a trace of the machine would have it. Bytes that are not the same at every boot stay open."""
    got: dict[str, list[str]] = {}
    for socket, received in answer.got.items():
        patterns = step.got.get(socket, ())
        got[socket] = [
            pattern if pattern is not None and matches(pattern, datagram) else text_of(datagram)
            for datagram, pattern in zip_longest(received, patterns[: len(received)])
        ]
    return step.answered(got, 0 if answer.error is None else answer.error.errno or 0)


def error_text(number: int) -> str | None:
    """An errno as traces write it; None for none."""
    return "!" + errno.errorcode.get(number, str(number)) if number else None


def protocol_of(trace: Trace, difference: Difference) -> int:
    """The netlink protocol of the socket that a difference is about; 0 where it is about none."""
    for step in reversed(trace.steps[: difference.step]):
        if step.verb == "open" and step.subject == difference.socket:
            return int(step["proto"])
    return 0
