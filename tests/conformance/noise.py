"""What Linux itself would not say twice: which bytes of two answers may differ, and why.

Each rule is about an attribute or a field, never about an offset:

- hardware addresses that the kernel made up, the ids of netdevsim's switches, and interface identifiers of IPv6 that
  are random (IN6_ADDR_GEN_MODE_RANDOM and STABLE_PRIVACY). They are not ignored: the first time
  one is seen on both sides the two become a pair, and from then on they must stand for each other everywhere, in
  addresses derived from them too;
- clocks: when an address was made or changed, when IPv6 was last told of an interface, and its reachable time, which
  is random;
- what is left of a lifetime, by a second or two, and of a bridge's timer by less than one;
- process ids of NAPI threads;
- how long a group of a bridge is still wanted, by two seconds and a half: it is reported anew after random delays;
- how much a device has carried: IPv6 solicits routers, probes for duplicates and reports its groups after random
  delays, so chance decides how many packets went out by a given step. These are not compared here but by samples.py,
  which asks both sides again;
- when duplicate address detection ends: it runs beside link-watch, on another work queue, and often after such a
  delay. So the IPv6 addresses and groups that are told of may stand anywhere among what one step brings, and that
  routers have been solicited (IF_RS_SENT, and with it the counters) may show one message earlier or later. Routes come
  with addresses and neighbours with packets, so the same holds for them, and for the groups of bridges, which come with
  reports;
- whether the groups of all routers, and of those that hear reports, are among the neighbours, for the same reason;
- when a bond has its groups reported anew: work that comes a thousandth of a second later and tries to get a lock, as
  link-watch does, which tells that the bond's link is lost; either is first. So that message is not compared, nor are
  counters in a step that has one;
- how often a bond that watches by ARP lost a link, by one: where it looks while the lock is taken by who asked for it,
  it counts what it sees, and sees it again (bond_loadbalance_arp_mon());
- what bridges learn from packets, and when: who has sent one is in their tables (not compared, as what a walk adds is),
  and counted there, and when they are looked through is when the oldest of those is to go;
- in which order neighbours are listed, which are kept in a table with a random key, and routes of IPv6, which are
  sorted by addresses that are made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nlemu.protocol.decode.facts import Fact, facts
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import ROUTE, Families

TIMES = (
    "cacheinfo.cstamp",
    "cacheinfo.tstamp",
    "cacheinfo.reachable-time",
    "cacheinfo.confirmed",
    "cacheinfo.used",
    "cacheinfo.updated",
    "cacheinfo.rta-lastuse",
)
LIFETIMES = {
    "cacheinfo.ifa-prefered": 2, "cacheinfo.ifa-valid": 2, "cacheinfo.rta-expires": 200, "-timer": 100,
    ".link-failure-count": 1,
}
"""What is left of one, and how far apart two may be: two seconds, of which a route counts hundredths; and one of
a timer of a bridge or of its ports, which count hundredths too, since messages take Linux some time. And how often a
link of a bond was lost, by one."""
REPORTED = 250
"""How far apart the times of a group may be, in hundredths of a second: two reports, a second each at most, and half of
one for messages."""
ADDRESSES = ("address", "perm-address")
SWITCH = "phys-switch-id"
CUT = 4
"""As much of an address as a bond keeps that becomes a tunnel of IPv4 with its first port (bond_setup_by_slave())."""
THREADS = (".pid",)
LEARNED = (".fdb-n-learned", ".gc-timer")
BY_CHANCE = TIMES + THREADS + LEARNED

COUNTERS = re.compile(r"\.(stats|stats64|icmp6stats)\.[a-z0-9-]+$")

NEWADDR, NEWROUTE, DELROUTE, NEWNEIGH, DELNEIGH, NEWMULTICAST = 20, 24, 25, 28, 29, 56
NEWMDB, DELMDB = 84, 85
INET6, BRIDGE = 10, 7
CACHEINFO = re.compile(rb"\x14\0\x03\0.{16}", re.DOTALL)
"""NDA_CACHEINFO with its times, by which nothing is to be sorted."""
RESENT = b"\x08\0\x2c\0\x05\0\0\0"
"""IFLA_EVENT that says IFLA_EVENT_IGMP_RESEND."""
LASTING = 0xC0  # NUD_PERMANENT, NUD_NOARP
GROUP_TIMER, TIMER = 32, b"\x08\0\x01\0"
"""Where MDBA_MDB_EATTR_TIMER stands in a MDBA_MDB_ENTRY_INFO, and its header."""
NEWLINK_TYPE = b"\x10\0"
NEWLINK = "1000"  # the message type, as it stands in hex
SOLICITED = "af-spec.inet6.flags"
RS_SENT = 0x10

ROUTERS = tuple(bytes.fromhex("ff02" + "00" * 13 + last) for last in ("02", "16"))
"""The groups to which IPv6 sends solicitations and reports."""
LINK_LOCAL = bytes.fromhex("fe80000000000000")
LOCAL = 0x02
GROUP = 0x01


def eui64(address: bytes) -> bytes:
    """The interface identifier that IPv6 derives from a hardware address."""
    return bytes([address[0] ^ LOCAL]) + address[1:3] + b"\xff\xfe" + address[3:]


def derived(address: bytes) -> tuple[bytes, ...]:
    """What IPv6 makes of a hardware address: an interface identifier, the end of a group, and that group's address."""
    return eui64(address), *solicited(address)


def solicited(made_up: bytes) -> tuple[bytes, ...]:
    """The end of the group that an address is solicited by, and that group's hardware address."""
    return b"\x00\x01\xff" + made_up[-3:], b"\x33\x33\xff" + made_up[-3:]


def message_of(fact: Fact) -> str:
    """Which message of its datagram a fact is about."""
    before, colon, _ = fact.path.partition(": ")
    return before if colon else ""


def has_no_order(message: bytes) -> bool:
    """Whether it is one of those that are listed as chance has it."""
    if len(message) <= 16:
        return False
    kind, family = message[4], message[16]
    return kind in (NEWNEIGH, DELNEIGH) or (kind in (NEWROUTE, DELROUTE) and family == INET6)


def about_routers(message: bytes) -> bool:
    """Whether it is about the neighbour that all routers are: it is known once they have been solicited, or reported
    to, which happens after a random delay, if the device is still up by then."""
    return message[4] in (NEWNEIGH, DELNEIGH) and any(group in message[28:] for group in ROUTERS)


def learned(message: bytes) -> bool:
    """Whether it is an entry of a forwarding table that came with a packet, or grows old like one."""
    state = int.from_bytes(message[24:26], "little")
    return message[4] in (NEWNEIGH, DELNEIGH) and message[16] == BRIDGE and not state & LASTING


def resent(message: bytes) -> bool:
    """Whether it is about a bond that has its groups reported anew."""
    return message[4:6] == NEWLINK_TYPE and RESENT in message[32:]


def unsure(message: bytes) -> bool:
    """Whether it is chance that it is said at all, or when."""
    return about_routers(message) or learned(message) or resent(message)


def uncounted(said: Sequence[str]) -> bool:
    """Whether counters are not to be compared in a step in which a socket heard that."""
    return any(not text.startswith("!") and resent(bytes.fromhex(text)) for text in said)


def told_at_any_time(message: bytes) -> bool:
    """Whether it is a notification that nobody asked for, of what IPv6 does beside all else."""
    unasked = not any(message[8:12])
    return unasked and (
        has_no_order(message)
        or message[4] in (NEWMDB, DELMDB)
        or (message[4] in (NEWADDR, NEWMULTICAST) and message[16] == INET6)
    )


class Noise:
    """What two machines have been seen to make up, in one walk. Takes the addresses that the walk itself gave."""

    def __init__(self, families: Families | None, given: frozenset[bytes] = frozenset()) -> None:
        self.families = families
        self.given = given
        self.pairs: dict[bytes, bytes] = {}

    def prepare(
        self, ours: Sequence[str], theirs: Sequence[str], protocol: int, *, links: bool = False
    ) -> None:
        """Learns from all that a socket had to read after a step, before any of it is compared: what two machines show
        for the first time, in the order in which they show it, are pairs. links: only from messages about links."""
        if links:
            ours, theirs = ([text for text in said if text[8:12] == NEWLINK] for said in (ours, theirs))
        if ours == theirs:
            return
        known = {*self.given, *self.pairs, *self.pairs.values()}
        new = [
            [made for made in dict.fromkeys(self._shown(said, protocol)) if made not in known]
            for said in (ours, theirs)
        ]
        for one, other in zip(*new, strict=False):
            if one != other and len(one) == len(other):
                self.pairs[other] = one
                if len(one) == 6:
                    self.pairs |= zip(derived(other), derived(one), strict=True)
                elif len(one) == 8:
                    self.pairs |= zip(solicited(other), solicited(one), strict=True)

    def _shown(self, said: Sequence[str], protocol: int) -> Iterator[bytes]:
        for text in said:
            if not text.startswith("!"):
                yield from self._made_up(bytes.fromhex(text), protocol)

    def _made_up(self, datagram: bytes, protocol: int) -> Iterator[bytes]:
        """Hardware addresses, ids of switches and of interfaces that a kernel may have made up."""
        for fact in facts(datagram, protocol, self.families):
            name, payload = fact.path.rpartition(".")[2], datagram[fact.start : fact.end]
            local = len(payload) == 6 and payload[0] & (LOCAL | GROUP) == LOCAL
            if name == SWITCH or (name in ADDRESSES and local):
                yield payload
            elif name in ADDRESSES and len(payload) == 16 and payload[0] & 3 == LOCAL and not any(payload[6:]):
                yield payload[:6]  # the permanent address of an IPv6 tunnel
            elif name in ADDRESSES and len(payload) == CUT and self._begins(payload):
                yield payload
            elif name in ADDRESSES and payload[:8] == LINK_LOCAL and payload[11:13] != b"\xff\xfe":
                yield payload[8:]

    def _begins(self, address: bytes) -> bool:
        """Whether an address that was made up begins so."""
        return any(made.startswith(address) for pair in self.pairs.items() for made in pair)

    def translate(self, theirs: bytes) -> bytes:
        """Their datagram with our addresses."""
        for other, one in self.pairs.items():
            theirs = theirs.replace(other, one)
        return theirs

    def hushed(self, ours: bytes, theirs: bytes, protocol: int) -> bytes:
        """What they said with our values where chance decides; both are as long."""
        said = bytearray(theirs)
        for fact in facts(theirs, protocol, self.families):
            raced = fact.path.endswith(SOLICITED) and self._raced(fact, ours, theirs)
            counted = COUNTERS.search(fact.path)
            if fact.path.endswith(".entry.info") and self._same_group(fact, ours, theirs):
                said[fact.start : fact.end] = ours[fact.start : fact.end]
            if raced or counted or fact.path.endswith(BY_CHANCE) or self._aged(fact, ours, theirs):
                said[fact.start : fact.end] = ours[fact.start : fact.end]
        return bytes(said)

    def counts(self, ours: str, theirs: str, protocol: int) -> Iterator[tuple[str, int, int]]:
        """The counters that two datagrams, which say the same otherwise, tell differently: path, ours, theirs. Without
        those of messages of which one was made before routers were solicited, and the other after."""
        one, other = bytes.fromhex(ours), bytes.fromhex(theirs)
        told = facts(one, protocol, self.families)
        raced = {
            message_of(fact)
            for fact in told
            if fact.path.endswith(SOLICITED) and self._raced(fact, one, other)
        }
        for fact in told:
            counts = [int.from_bytes(said[fact.start : fact.end], "little") for said in (one, other)]
            if counts[0] != counts[1] and COUNTERS.search(fact.path) and message_of(fact) not in raced:
                yield fact.path, counts[0], counts[1]

    @staticmethod
    def _raced(fact: Fact, ours: bytes, theirs: bytes) -> bool:
        return ours[fact.start] ^ theirs[fact.start] == RS_SENT

    @staticmethod
    def _same_group(fact: Fact, ours: bytes, theirs: bytes) -> bool:
        """Whether two MDBA_MDB_ENTRY_INFO are the same but for what is left of its time."""
        start, timer = fact.start, fact.start + GROUP_TIMER
        if timer + 4 > fact.end or any(said[timer - 4 : timer] != TIMER for said in (ours, theirs)):
            return False
        beside = [said[start:timer] + said[timer + 4 : fact.end] for said in (ours, theirs)]
        one, other = (int.from_bytes(said[timer : timer + 4], "little") for said in (ours, theirs))
        return beside[0] == beside[1] and abs(one - other) <= REPORTED

    @staticmethod
    def _aged(fact: Fact, ours: bytes, theirs: bytes) -> bool:
        apart = next((most for name, most in LIFETIMES.items() if fact.path.endswith(name)), None)
        if apart is None:
            return False
        one, other = (int.from_bytes(said[fact.start : fact.end], "little") for said in (ours, theirs))
        return abs(one - other) <= apart

    def ordered(self, said: Sequence[str], protocol: int, *, ours: bool) -> list[str]:
        """Datagrams of one socket, those that may come at any time last, and sorted like what has no order."""
        if protocol != ROUTE:
            return list(said)

        def key(data: bytes) -> bytes:
            timeless = CACHEINFO.sub(b"", data) if has_no_order(data) else data
            return timeless if ours else self.translate(timeless)

        kept: list[str] = []
        moved: list[bytes] = []
        for text in said:
            if text.startswith("!"):
                kept.append(text)
                continue
            messages: list[bytes] = [bytes(message) for _, message in split(bytes.fromhex(text))]
            if messages and all(map(unsure, messages)):
                continue
            if messages and all(told_at_any_time(message) for message in messages):
                moved.append(messages[0])
            elif len(messages) > 1 and any(map(has_no_order, messages)):
                listed = sorted((one for one in messages if has_no_order(one) and not unsure(one)), key=key)
                in_order = [one for one in messages if not has_no_order(one)]
                kept.append(b"".join((*listed, *in_order)).hex())
            else:
                kept.append(text)
        return [*kept, *(message.hex() for message in sorted(moved, key=key))]

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
