"""Machines that begin as a world, with faults that wait from the first request on.

A fault is a line of the control socket (docs/faults.md), in a world's file or said beside it. Either all of them can
be, or there is no machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import TraceError, step_of
from nlemu.emulator.world import begin as of_world
from nlemu.emulator.world.world import World, WorldError

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.machine.machine import Machine

FAULTS = ("fault", "interrupt", "notice")
"""The lines that are faults."""


def begin(
    world: World | None, *, faults: Iterable[Mapping[str, Any]] = (), build: Build | None = None, **options: Any
) -> Machine:
    """A machine on which a world is made, and its faults; faults: more of them. Raises WorldError, which names the
    place of what cannot be, and NoBuild."""
    machine = of_world.begin(world, build=build, **options)
    told: list[tuple[str, Mapping[str, Any]]] = []
    if world is not None:
        told += [(fault.place, fault.fields) for fault in world.faults]
    told += [(f"faults[{number}]", one) for number, one in enumerate(faults)]
    steps = Steps(machine) if told else None
    for place, fields in told:
        assert steps is not None
        try:
            if not isinstance(fields, Mapping) or sum(name in fields for name in FAULTS) != 1:
                raise StepError(f"begins with one of {', '.join(FAULTS)}")
            steps.do(step_of(dict(fields)))
        except (StepError, TraceError) as error:
            raise WorldError(f"{place}: {error}") from None
    return machine
