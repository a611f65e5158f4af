"""A capture written as a trace of this project: its sockets opened, its requests as steps with what answered them.

What was told to everybody is of no request. It stands at the step before it, as read by a socket that listens: the one
that read it, where the capture knows, or one for each namespace and protocol. Times are kept beside (`time`, `times`).
The header says that it was captured: such a trace is replayed as a capture is, in a world that is worked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nlemu.emulator.script.capture import Bound, Told
from nlemu.emulator.script.captured import CAPTURED, TIME, TIMES
from nlemu.emulator.script.trace import Header, Step, Trace, step_of
from nlemu.emulator.world.world import FIRST
from nlemu.protocol.uapi.netlink import NetlinkOpt


def trace_of(bound: Bound, about: str, families: Mapping[str, int], kernel: str = "unknown", cpus: int = 1) -> Trace:
    """A capture that was bound, as a trace. families: their numbers, as far as it tells them."""
    return Trace(
        Header(about, kernel, cpus, families, config="distribution", extra={CAPTURED: True}), Transcript(bound).steps()
    )


@dataclass
class Transcript:
    """A capture that is being written down. opened: the sockets that are open by then."""

    bound: Bound
    written: list[dict[str, Any]] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=lambda: {FIRST})

    def steps(self) -> list[Step]:
        """All its steps."""
        bound, told = self.bound, iter([*self.bound.told, None])
        next_told = next(told)
        for at in range(len(bound.steps) + 1):
            while next_told is not None and next_told.after <= at:
                self.tell(next_told)
                next_told = next(told)
            if at < len(bound.steps):
                self.write(bound.steps[at], bound.times[at], bound.answered.get(at, ()))
        return [step_of(fields) for fields in self.written]

    def write(self, step: Step, time: int | None, times: tuple[int | None, ...]) -> None:
        """A step of the capture, with its times."""
        fields = dict(step.fields)
        if step.verb == "open":
            if step.subject in self.opened:  # it listened before it asked
                return
            self.opened.add(step.subject)
            self.namespace(step.get("netns", FIRST))
        if step.verb == "close":
            self.opened.discard(step.subject)
        if time is not None and step.verb == "send":
            fields[TIME] = time
        if any(one is not None for one in times):
            fields[TIMES] = {step.subject: list(times)}
        self.written.append(fields)

    def namespace(self, name: str) -> None:
        """A namespace is there before a socket is opened in it."""
        if name not in self.namespaces:
            self.namespaces.add(name)
            self.written.append({"netns": name})

    def tell(self, told: Told) -> None:
        """Something told, at the step before it."""
        net = told.datagram.network or FIRST
        name = told.socket or f"told-{told.protocol}-{net}"
        if name not in self.opened:
            self.opened.add(name)
            self.namespace(net)
            socket = self.bound.sockets.get(name)
            groups = [] if socket is None else [[int(NetlinkOpt.ADD_MEMBERSHIP), group] for group in socket.groups]
            self.written.append({"open": name, "netns": net, "proto": told.protocol, "opts": groups})
        last = self.written[-1]
        last.setdefault("got", {}).setdefault(name, []).append(told.datagram.data.hex())
        if told.datagram.time is not None:
            last.setdefault(TIMES, {}).setdefault(name, []).append(told.datagram.time)
