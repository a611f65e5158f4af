"""What Linux itself would not say twice: which bytes of two answers may differ, and why.

Each rule is about an attribute or a field, never about an offset:

- hardware addresses that the kernel made up, and the ids of netdevsim's switches. They are not ignored: the first time one is seen on both sides the two
  become a pair, and from then on they must stand for each other everywhere, in addresses derived from them too;
- clocks: when an address was made or changed, when IPv6 was last told of an interface, and its reachable time, which is
  random;
- process ids of NAPI threads;
- how much a device has carried: IPv6 solicits routers and reports its groups at random intervals. Only where both have
  counted something: that nothing was ever sent is not noise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from protocol.facts import Fact, facts
from protocol.known import Families

TIMES = ("cacheinfo.cstamp", "cacheinfo.tstamp", "cacheinfo.reachable-time")
ADDRESSES = ("address", "perm-address")
SWITCH = "phys-switch-id"
THREADS = ("pid",)

COUNTERS = re.compile(r"\.(stats|stats64|icmp6stats)\.[a-z0-9-]+$")

LOCAL = 0x02
GROUP = 0x01


def eui64(address: bytes) -> bytes:
    """The interface identifier that IPv6 derives from a hardware address."""
    return bytes([address[0] ^ LOCAL]) + address[1:3] + b"\xff\xfe" + address[3:]


class Noise:
    """What two machines have been seen to make up, in one walk. Takes the addresses that the walk itself gave."""

    def __init__(self, families: Families | None, given: frozenset[bytes] = frozenset()) -> None:
        self.families = families
        self.given = given
        self.pairs: dict[bytes, bytes] = {}

    def learn(self, ours: bytes, theirs: bytes, protocol: int) -> None:
        """Pairs the addresses that two datagrams in the same place show for the first time."""
        for one, other in zip(self._addresses(ours, protocol), self._addresses(theirs, protocol), strict=False):
            if one == other or one in self.given or other in self.given:
                continue
            if other in self.pairs or one in self.pairs.values():
                continue
            self.pairs[other] = one
            if len(one) == 6:
                self.pairs[eui64(other)] = eui64(one)

    def _addresses(self, datagram: bytes, protocol: int) -> Iterator[bytes]:
        for fact in facts(datagram, protocol, self.families):
            name, payload = fact.path.rpartition(".")[2], datagram[fact.start : fact.end]
            if name == SWITCH or name in ADDRESSES and len(payload) == 6 and payload[0] & (LOCAL | GROUP) == LOCAL:
                yield payload

    def translate(self, theirs: bytes) -> bytes:
        """Their datagram with our addresses."""
        for other, one in self.pairs.items():
            theirs = theirs.replace(other, one)
        return theirs

    def hushed(self, ours: bytes, theirs: bytes, protocol: int) -> bytes:
        """What they said with our values where chance decides; both are as long."""
        said = bytearray(theirs)
        for fact in facts(theirs, protocol, self.families):
            if self._by_chance(fact, ours, theirs):
                said[fact.start : fact.end] = ours[fact.start : fact.end]
        return bytes(said)

    @staticmethod
    def _by_chance(fact: Fact, ours: bytes, theirs: bytes) -> bool:
        if COUNTERS.search(fact.path):
            return any(ours[fact.start : fact.end]) and any(theirs[fact.start : fact.end])
        return fact.path.endswith(TIMES) or fact.path.rpartition(": ")[2] in THREADS

    def quiet(self, ours: str | None, theirs: str | None, protocol: int) -> str | None:
        """What they said as we would have heard it."""
        if theirs is None or theirs.startswith("!"):
            return theirs
        said = self.translate(bytes.fromhex(theirs))
        if ours is not None and len(ours) == len(theirs) and not ours.startswith("!"):
            said = self.hushed(bytes.fromhex(ours), said, protocol)
        return said.hex()

    def same(self, ours: str | None, theirs: str | None, protocol: int) -> bool:
        """Whether two machines said the same; None is nothing, and "!" with an errno a receive that failed."""
        if ours == theirs:
            return True
        if ours is None or theirs is None or ours.startswith("!") or theirs.startswith("!"):
            return False
        one, other = bytes.fromhex(ours), bytes.fromhex(theirs)
        if len(one) != len(other):
            return False
        self.learn(one, other, protocol)
        other = self.translate(other)
        return one == other or one == self.hushed(one, other, protocol)
