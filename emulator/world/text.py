"""A world as text, in as many words as are wanted."""

from __future__ import annotations

from nlemu.emulator.world.anonymous import anonymous as masked
from nlemu.emulator.world.file import write
from nlemu.emulator.world.reduce import missing_of, reduced
from nlemu.emulator.world.world import World


def text_of(
    world: World, *, anonymous: bool = False, counters: bool = False, everything: bool = False
) -> tuple[str, list[str]]:
    """The text of a world, and what of it cannot be made again, a line each. anonymous: other names of devices and
    hardware addresses; counters: with what was counted; everything: also what a new machine has anyhow."""
    if anonymous:
        world = masked(world)
    return write(world if everything else reduced(world, counters=counters)), missing_of(world)
