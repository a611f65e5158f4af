"""Random requests: what the declarations let a client say, said well and said badly.

Well-formed values come from the policies, so a command that is declared is also asked; but nothing of the emulator
encodes them. And whatever was built may be spoilt: a length, a flag, a number, a bit.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from fixtures.recorder.encode import NESTED, REQUEST, attr
from nlemu.protocol.schema.attributes import Attr
from nlemu.protocol.schema.kinds import (
    Bitfield32,
    Bytes,
    Flag,
    Integer,
    Nest,
    NestArray,
    Structure,
    Text,
    Variable,
)
from nlemu.protocol.schema.policy import Policy

BYTE_ORDER = 0x4000
MANY = (
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    16,
    31,
    32,
    63,
    64,
    100,
    127,
    128,
    255,
    256,
    1500,
    4096,
    32767,
    32768,
    65535,
    65536,
)
EDGES = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 1 << 32, (1 << 63) - 1, (1 << 64) - 1)

Chooser = Callable[[Attr[Any]], int | str | None]
"""What an attribute should be told of the world: an index that is there, a name that is known; None: anything."""


class RandomRequests:
    """A speaker. Takes its source of randomness, and who tells it of the world."""

    def __init__(self, rng: random.Random, choose: Chooser) -> None:
        self.rng = rng
        self.choose = choose

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def number(self, attribute: Attr[Any], bits: int) -> int:
        """A value for an integer: around its limits, or anywhere."""
        rng = self.rng
        limits = [at + by for at in (attribute.min, attribute.max) if at is not None for by in (-1, 0, 1)]
        if limits and self.chance(0.4):
            value = rng.choice(limits)
        elif self.chance(0.85):
            value = rng.choice(MANY[:8] if self.chance(0.7) else MANY)
        else:
            value = rng.choice(EDGES)
        return value & (1 << bits) - 1

    def payload(self, attribute: Attr[Any], depth: int = 0) -> bytes:
        """A payload of the attribute's kind."""
        kind, rng = attribute.kind, self.rng
        told = self.choose(attribute)
        if isinstance(told, str):
            return told.encode("utf-8", "surrogateescape") + b"\0"
        match kind:
            case Integer():
                size = kind.size or 4
                value = self.number(attribute, 8 * size) if told is None else told & (1 << 8 * size) - 1
                return value.to_bytes(size, "little" if not kind.name.startswith("be") else "big")
            case Variable():
                value = self.number(attribute, 64) if told is None else told
                return (
                    struct.pack("<I", value)
                    if value < 1 << 32 and self.chance(0.8)
                    else struct.pack("<Q", value)
                )
            case Text():
                size = rng.choice((0, 1, 2, 5, 15, 16, 17, 127, 128, 300))
                text = bytes(rng.choice(b"abcxyz0189%d./ :") for _ in range(size))
                return text + (b"\0" if self.chance(0.9) else b"")
            case Flag():
                return b""
            case Bitfield32():
                return struct.pack("<II", rng.choice(MANY), rng.choice(MANY))
            case NestArray() if kind.member is not None and depth < 3:
                flag = kind.member.flag
                return b"".join(attr(index | flag, rng.randbytes(4)) for index in range(rng.randrange(3)))
            case Nest():
                policy = kind.policy or (kind.set.spec.policy if kind.set is not None else None)
                if policy is None or depth > 3 or self.chance(0.05):
                    return self.garbage()
                return self.attributes(policy, (), depth + 1, 0.6)
            case Structure():
                return rng.randbytes((kind.size or 0) + rng.choice((0, 0, 0, -1, 4)))
            case Bytes():
                return rng.randbytes(rng.choice((0, 1, 4, 6, 6, 6, 8, 14, 16, 20, 32, 33, attribute.length)))
        return rng.randbytes(4)

    def attribute(self, attribute: Attr[Any], depth: int = 0) -> bytes:
        """The attribute with a value, now and then misshapen."""
        payload, number = self.payload(attribute, depth), attribute.number
        if attribute.kind.nested:
            number |= NESTED
        if self.chance(0.04):
            number ^= self.rng.choice((NESTED, BYTE_ORDER))
        if self.chance(0.03):
            payload = payload[: self.rng.randrange(len(payload) + 1)]
        elif self.chance(0.03):
            payload += self.rng.randbytes(self.rng.choice((1, 2, 4, 8)))
        return attr(number, payload)

    def attributes(
        self, policy: Policy, required: Sequence[Attr[Any]], depth: int = 0, keep: float = 0.3
    ) -> bytes:
        """Attributes that a policy allows: nearly always what is required, and some of the others."""
        needed = {one.number for one in required}
        chosen = [one for one in policy.rules.values() if self.chance(0.97 if one.number in needed else keep)]
        if self.chance(0.1):
            self.rng.shuffle(chosen)
        said = []
        for one in chosen:
            said += [
                self.attribute(one, depth) for _ in range(self.rng.choice((1, 2, 3)) if one.multi else 1)
            ]
        if self.chance(0.05) and said:
            said.append(self.rng.choice(said))
        if self.chance(0.05):
            number = self.rng.choice(
                (0, policy.top + 1, policy.top + 2, 200, 1000, self.rng.randrange(policy.top + 3))
            )
            said.append(attr(number, self.rng.randbytes(self.rng.choice((0, 1, 4, 8)))))
        return b"".join(said)

    def garbage(self) -> bytes:
        """Bytes that may look like attributes."""
        rng = self.rng
        if self.chance(0.5):
            return rng.randbytes(rng.choice((0, 1, 2, 3, 4, 7, 8, 12, 16)))
        return b"".join(
            attr(rng.randrange(80), rng.randbytes(rng.randrange(12))) for _ in range(rng.randrange(4))
        )

    def spoil(self, message: bytes, offset: int) -> bytes:
        """A message with something wrong; its attributes begin at the offset."""
        rng = self.rng
        data = bytearray(message)
        length, kind, flags, seq, port = struct.unpack_from("<IHHII", data)
        match rng.randrange(9):
            case 0:  # leftover bytes behind the last attribute
                data += rng.randbytes(rng.choice((1, 2, 3, 4, 5)))
                length = len(data)
            case 1:  # cut short
                del data[rng.randrange(min(16, len(data)), len(data) + 1) :]
                length = len(data)
            case 2:  # a length that lies
                length = rng.choice((0, 15, 16, length - 4, length - 1, length + 1, length + 4))
            case 3:  # odd flags
                flags ^= 1 << rng.randrange(1, 16)
            case 4:
                flags = rng.choice((REQUEST, REQUEST | 0x100, REQUEST | 0x200, REQUEST | 0x304, 0, 4, 0xFFFF))
            case 5 if len(data) > offset:  # a bit among the attributes
                data[rng.randrange(offset, len(data))] ^= 1 << rng.randrange(8)
            case 6 if len(data) > 20:  # a bit of the fixed header
                data[rng.randrange(16, min(offset, len(data)))] ^= 1 << rng.randrange(8)
            case 7:  # an attribute that nobody knows
                data += attr(rng.choice((0, 70, 71, 100, 500, 0x3FFF)), rng.randbytes(rng.choice((0, 1, 4))))
                length = len(data)
            case _:
                data += self.garbage()
                data += bytes(-len(data) % 4)
                length = len(data)
        struct.pack_into("<IHHII", data, 0, length & 0xFFFFFFFF, kind, flags, seq, port)
        return bytes(data)
