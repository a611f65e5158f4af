"""What chance decides is forgiven, and nothing else is."""

from __future__ import annotations

from fixtures.recorder import encode as e
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2
from nlemu.emulator.machine.machine import Machine
from tests.conformance.compare import differences
from tests.conformance.machines import Emulator, Fields, Outcome
from tests.conformance.noise import eui64

NEW = e.REQUEST | e.ACK | e.CREATE | e.EXCL
VETH = e.nest(e.LINKINFO, e.string(e.INFO_KIND, "veth"))
OPEN: Fields = {"open": "r", "proto": 0, "port": 1, "opts": [[e.ADD_MEMBERSHIP, 1], [e.ADD_MEMBERSHIP, 9]]}
MADE: list[Fields] = [
    OPEN,
    {"send": "r", "hex": e.link(e.NEWLINK, NEW, 1, VETH).hex()},
    *(
        {"send": "r", "hex": e.link(e.SETLINK, e.REQUEST | e.ACK, index, index=index, up=True).hex(), "settle": 3}
        for index in (2, 3)
    ),
    {"send": "r", "hex": e.link(e.GETLINK, e.REQUEST | e.DUMP, 9).hex()},
]


def outcomes(seed: int) -> list[Outcome]:
    return Emulator(Machine(seed=seed)).perform(MADE)


def replaced(said: list[Outcome], old: bytes, new: bytes, step: int) -> list[Outcome]:
    """What was said, with some bytes changed in what came of one step."""
    changed = {name: tuple(text.replace(old.hex(), new.hex()) for text in got) for name, got in said[step].got.items()}
    assert changed != said[step].got
    return [*said[:step], Outcome(said[step].error, changed), *said[step + 1 :]]


def made_up(said: list[Outcome]) -> bytes:
    """The hardware address that the kernel gave the second device."""
    dump = bytes.fromhex(said[-1].got["r"][0])
    at = dump.index(b"\x0a\0\x01\0", dump.index(b"veth1\0") if dump.index(b"veth1\0") < dump.index(b"veth0\0") else 0)
    address = dump[at + 4 : at + 10]
    return address if any(address) else dump[(at := dump.index(b"\x0a\0\x01\0", at + 4)) + 4 : at + 10]


def test_a_dump_is_as_late_as_it_is_read() -> None:
    """What does not fit into its first datagram is told when the step has settled, as by Linux."""
    ask = {"send": "r", "hex": e.link(e.GETLINK, e.REQUEST | e.DUMP, 9).hex()}
    up = {"send": "r", "hex": e.link(e.SETLINK, e.REQUEST | e.ACK, 8, index=31, up=True).hex()}
    asking = {"open": "r", "proto": 0, "port": 1}
    said = Emulator(Machine()).perform([asking, {"nsim_new": [1, 30, 1]}, up, {**ask, "settle": 60}, ask])
    early, late = said[-2].got["r"], said[-1].got["r"]
    assert len(early) == len(late) > 2
    assert early[-2:] == late[-2:]


def test_what_is_made_up_may_differ() -> None:
    one, other = outcomes(1), outcomes(2)
    assert one != other
    assert not list(differences(MADE, one, other))


def test_a_made_up_address_must_stay_what_it_was() -> None:
    one, other = outcomes(1), outcomes(2)
    address = made_up(other)
    assert list(differences(MADE, one, replaced(other, address, bytes([2, 0, 0, 0, 0, 9]), len(MADE) - 1)))


def test_an_address_that_is_derived_must_follow() -> None:
    one, other = outcomes(1), outcomes(2)
    derived = eui64(made_up(other))
    step = next(number for number, said in enumerate(other) if derived.hex() in "".join(said.got.get("r", ())))
    assert list(differences(MADE, one, replaced(other, derived, bytes(8), step)))


def test_what_is_left_of_an_address_must_follow() -> None:
    """A bond whose first port is a tunnel keeps the beginning of the address that was made up for it."""
    bond, ipip = (e.nest(e.LINKINFO, e.string(e.INFO_KIND, kind)) for kind in ("bond", "ipip"))
    steps: list[Fields] = [
        OPEN,
        {"send": "r", "hex": e.link(e.NEWLINK, NEW, 1, bond).hex(), "settle": 1},
        {"send": "r", "hex": e.link(e.NEWLINK, NEW, 2, ipip, e.u32(e.MASTER, 2)).hex(), "settle": 1},
    ]
    one, other = (Emulator(Machine(seed=seed, build=DISTRIBUTION_7_2)).perform(steps) for seed in (1, 2))
    left = made_up_by_bond(other[1])[:4]
    assert not list(differences(steps, one, other))
    assert list(differences(steps, one, replaced(other, b"\x08\0\1\0" + left, b"\x08\0\1\0\1\2\3\4", 2)))


def made_up_by_bond(said: Outcome) -> bytes:
    """The address that was told of first."""
    told = bytes.fromhex(said.got["r"][0])
    at = told.index(b"\x0a\0\1\0")
    return told[at + 4 : at + 10]


def test_any_other_byte_counts() -> None:
    one = outcomes(1)
    assert list(differences(MADE, one, replaced(one, b"veth0\0", b"vethx\0", len(MADE) - 1)))


def test_a_message_too_many_counts() -> None:
    one = outcomes(1)
    got = {"r": (*one[-1].got["r"], one[-1].got["r"][0])}
    assert list(differences(MADE, one, [*one[:-1], Outcome(None, got)]))
