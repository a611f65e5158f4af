"""Machines that begin as a world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlemu.emulator.kernel.core.build import DEFAULT, Build, find_build
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world import file
from nlemu.emulator.world.perform import Performer
from nlemu.emulator.world.world import World, WorldError


def begin(world: World | str | Path | None, *, build: Build | None = None, **options: Any) -> Machine:
    """A machine on which a world is made, given as such or as a file. build: the kernel, instead of the one that the
    world names; options: as for Machine(). Raises WorldError, OSError, NoBuild."""
    if world is None:
        return Machine(build=build or DEFAULT, **options)
    if not isinstance(world, World):
        world = file.read(world)
    if build is None:
        build = DEFAULT if world.kernel is None else find_build(world.kernel)
    machine = Machine(build=build, families=world.families or None, **options)
    Performer(machine, world).perform()
    return machine


def check(path: str | Path, build: Build | None = None) -> None:
    """Refuses a world that cannot be made, before anything depends on it. Raises as begin() does."""
    begin(path, build=build)


__all__ = ["WorldError", "begin", "check"]
