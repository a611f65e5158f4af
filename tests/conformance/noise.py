"""What Linux itself would not say twice: which bytes of two answers may differ, and why.

Each rule is about an attribute or a field, never about an offset:

- hardware addresses that the kernel made up, and the ids of netdevsim's switches. They are not ignored: the first time
  one is seen on both sides the two become a pair, and from then on they must stand for each other everywhere, in
  addresses derived from them too;
- clocks: when an address was made or changed, when IPv6 was last told of an interface, and its reachable time, which
  is random;
- what is left of a lifetime, by a second or two;
- process ids of NAPI threads;
- how much a device has carried: IPv6 solicits routers, probes for duplicates and reports its groups after random
  delays, so chance decides how many packets went out before a link went down;
- when duplicate address detection ends: it runs beside link-watch, on another work queue, and often after such a
  delay. So the IPv6 addresses that are told of may stand anywhere among what one step brings, and that routers have
  been solicited (IF_RS_SENT) may show one message earlier or later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from protocol.facts import Fact, facts
from protocol.known import Families

TIMES = ("cacheinfo.cstamp", "cacheinfo.tstamp", "cacheinfo.reachable-time")
LIFETIMES = ("cacheinfo.ifa-prefered", "cacheinfo.ifa-valid")
ADDRESSES = ("address", "perm-address")
SWITCH = "phys-switch-id"
THREADS = ("pid",)

COUNTERS = re.compile(r"\.(stats|stats64|icmp6stats)\.[a-z0-9-]+$")

NEWADDR, INET6, UNASKED = (
    "1400",
    "0a",
    "00000000",
)  # message type, family and sequence number, as they stand in hex
SOLICITED = "af-spec.inet6.flags"
RS_SENT = 0x10

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

    def prepare(self, ours: Sequence[str], theirs: Sequence[str], protocol: int) -> None:
        """Learns from all that a socket had to read after a step, before any of it is compared."""
        for one, other in zip(ours, theirs, strict=False):
            if (
                one != other
                and len(one) == len(other)
                and not one.startswith("!")
                and not other.startswith("!")
            ):
                self.learn(bytes.fromhex(one), bytes.fromhex(other), protocol)

    def learn(self, ours: bytes, theirs: bytes, protocol: int) -> None:
        """Pairs the addresses that two datagrams in the same place show for the first time."""
        for one, other in zip(
            self._addresses(ours, protocol), self._addresses(theirs, protocol), strict=False
        ):
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
            if name == SWITCH or (
                name in ADDRESSES and len(payload) == 6 and payload[0] & (LOCAL | GROUP) == LOCAL
            ):
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
            solicited = fact.path.endswith(SOLICITED) and ours[fact.start] ^ said[fact.start] == RS_SENT
            if solicited or self._by_chance(fact) or self._aged(fact, ours, theirs):
                said[fact.start : fact.end] = ours[fact.start : fact.end]
        return bytes(said)

    @staticmethod
    def _aged(fact: Fact, ours: bytes, theirs: bytes) -> bool:
        if not fact.path.endswith(LIFETIMES):
            return False
        one, other = (int.from_bytes(said[fact.start : fact.end], "little") for said in (ours, theirs))
        return abs(one - other) <= 2

    @staticmethod
    def _by_chance(fact: Fact) -> bool:
        return (
            bool(COUNTERS.search(fact.path))
            or fact.path.endswith(TIMES)
            or fact.path.rpartition(": ")[2] in THREADS
        )

    def ordered(self, said: Sequence[str], *, ours: bool) -> list[str]:
        """Datagrams of one socket, those about new IPv6 addresses last and sorted among themselves."""
        addresses = [
            text for text in said if text[8:12] == NEWADDR and text[16:24] == UNASKED and text[32:34] == INET6
        ]
        if not addresses:
            return list(said)
        addresses.sort(key=lambda text: text if ours else self.translate(bytes.fromhex(text)).hex())
        return [*(text for text in said if text not in addresses), *addresses]

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
        other = self.translate(other)
        return one == other or one == self.hushed(one, other, protocol)
