"""Values of attributes: each is made of a world, by its dice and of what is in it.

A maker is a function of the world to the bytes of a payload; the functions here make makers. Values that stand several
times are likelier. Addresses are few, so that what is said of one meets what was said of it before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from fixtures.recorder import encode as e
from nlemu.emulator.kernel.devices import adjacency
from nlemu.emulator.kernel.devices.device import Device
from tests.conformance.world import World

Make = Callable[[World], bytes]
"""What makes a payload."""

DEPTH = 4
"""How high a stack may grow, mostly."""
GROUPS4 = (*[bytes((239, 1, 1, 1)), bytes((239, 1, 1, 2))] * 4, bytes((224, 0, 0, 1)))
GROUPS6 = tuple(bytes.fromhex(f"ff{scope}" + "00" * 13 + "07") for scope in ("02", "05", "0e", "0e"))


def packed(layout: str, *values: int) -> Make:
    """One of these, in that layout of struct."""
    return lambda world: struct.pack(layout, world.rng.choice(values))


def u8(*values: int) -> Make:
    return packed("<B", *values)


def u16(*values: int) -> Make:
    return packed("<H", *values)


def be16(*values: int) -> Make:
    return packed(">H", *values)


def u32(*values: int) -> Make:
    return packed("<I", *values)


def s32(*values: int) -> Make:
    return packed("<i", *values)


def be32(*values: int) -> Make:
    return packed(">I", *values)


def u64(*values: int) -> Make:
    return packed("<Q", *values)


def pair(layout: str, *values: tuple[int, int]) -> Make:
    """Two numbers that belong together."""
    return lambda world: struct.pack(layout, *world.rng.choice(values))


def one_of(*payloads: bytes) -> Make:
    return lambda world: world.rng.choice(payloads)


def nothing(world: World) -> bytes:
    """Of a flag, which is there or not."""
    return b""


def mac(world: World) -> bytes:
    return world.mac()


def v4(world: World) -> bytes:
    """An address of a host, seldom nobody's or a group's."""
    if world.chance(0.15):
        return world.rng.choice((bytes(4), *GROUPS4))
    return bytes((10, world.rng.randrange(2), 0, world.rng.randrange(1, 5)))


def v6(world: World) -> bytes:
    """The same of IPv6."""
    if world.chance(0.15):
        return world.rng.choice((bytes(16), *GROUPS6))
    return bytes.fromhex("20010db8") + bytes(11) + bytes((world.rng.randrange(1, 5),))


def group4(world: World) -> bytes:
    return world.rng.choice(GROUPS4) if world.chance(0.6) else v4(world)


def group6(world: World) -> bytes:
    return world.rng.choice(GROUPS6) if world.chance(0.6) else v6(world)


def height(dev: Device) -> int:
    """On how many devices, one below the other, it stands."""
    return adjacency.level(dev, adjacency.lowers)


def below(world: World, kinds: Sequence[str] = ()) -> int:
    """The index of a device to stand on: one of those kinds, mostly, and seldom in a stack that is too high already."""
    if world.chance(0.06):
        return world.ifindex()
    devices = [dev for dev in world.devices() if height(dev) <= DEPTH or world.chance(0.05)]
    if kinds and world.chance(0.9):
        devices = [dev for dev in devices if dev.kind is not None and dev.kind.name in kinds] or devices
    return world.rng.choice(devices).ifindex


def device(*kinds: str) -> Make:
    """A device's index, or 0."""

    def make(world: World) -> bytes:
        index = 0 if world.chance(0.15) else below(world, kinds)
        return struct.pack("<I", index)

    return make


def many(make: Make, number: int, most: int = 3) -> Make:
    """Attributes of that number, some of them."""
    return lambda world: b"".join(e.attr(number, make(world)) for _ in range(world.rng.randrange(most + 1)))


def listed(make: Make, most: int = 3) -> Make:
    """Attributes that are numbered from 0 on."""
    return lambda world: b"".join(e.attr(number, make(world)) for number in range(world.rng.randrange(most + 1)))
