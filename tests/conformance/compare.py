"""What differs between what two machines made of the same steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from nlemu.emulator.script.replay import Difference
from nlemu.emulator.script.report import explain
from nlemu.protocol.names.known import Families, numbered
from tests.conformance.machines import Fields, Outcome
from tests.conformance.noise import Noise, uncounted
from tests.conformance.samples import Counts, Place, Sample

FAMILIES = {"nlctrl": 16, "netdev": 20, "ethtool": 21}
"""The numbers of the recorded machine."""

GIVEN = re.compile("02c0de[0-9a-f]{6}")
"""The hardware addresses that walks give."""


Comparison = tuple[list[Difference], Counts]
"""Where two machines differ, and what they counted differently."""

NLMSG_ERROR = b"\2\0"
ECHOED = 20
"""Where the request stands in an error."""


def families() -> Families:
    return numbered(FAMILIES)


def noise_of(steps: Sequence[Fields]) -> Noise:
    """The noise of a walk: nothing has been seen yet."""
    said = "".join(step["hex"] for step in steps if "send" in step)
    return Noise(families(), frozenset(bytes.fromhex(one) for one in GIVEN.findall(said)))


def protocols(steps: Sequence[Fields]) -> dict[str, int]:
    """The protocol of each socket that the steps open."""
    return {step["open"]: step["proto"] for step in steps if "open" in step}


def compare(
    steps: Sequence[Fields], ours: Sequence[Outcome], theirs: Sequence[Outcome]
) -> Comparison:
    """Where they differ, and what they counted differently, which is not among the differences."""
    counts: dict[Place, tuple[int, int]] = {}
    return list(differences(steps, ours, theirs, counts)), counts


def differences(
    steps: Sequence[Fields],
    ours: Sequence[Outcome],
    theirs: Sequence[Outcome],
    counts: dict[Place, tuple[int, int]] | None = None,
) -> Iterator[Difference]:
    """Where they differ, step by step: `expected` is what Linux said, `got` the emulator. What they count differently
    is left out, and put into counts."""
    noise, protocol = noise_of(steps), protocols(steps)
    for number, (step, one, other) in enumerate(zip(steps, ours, theirs, strict=True), 1):
        if "patch_fd" in step:
            one, other = (without_descriptors(step, outcome) for outcome in (one, other))
        if one.error != other.error:
            yield Difference(number, None, 0, _mark(other.error), _mark(one.error))
        sockets = list(dict.fromkeys([*other.got, *one.got]))
        for socket in sockets:  # a listener may be told what another socket shows the meaning of
            noise.prepare(
                one.got.get(socket, ()), other.got.get(socket, ()), protocol.get(socket, 0), links=True
            )
        raced = any(uncounted(outcome.got.get(socket, ())) for outcome in (one, other) for socket in sockets)
        for socket in sockets:
            spoken = protocol.get(socket, 0)
            said, heard = one.got.get(socket, ()), other.got.get(socket, ())
            noise.prepare(said, heard, spoken)
            pairs = zip_longest(
                noise.ordered(said, spoken, ours=True), noise.ordered(heard, spoken, ours=False)
            )
            for index, (mine, yours) in enumerate(pairs):
                if not noise.same(mine, yours, spoken):
                    yield Difference(number, socket, index, noise.quiet(mine, yours, spoken), mine)
                elif counts is not None and not raced and mine and yours and mine != yours:
                    for path, one_count, other_count in noise.counts(mine, yours, spoken):
                        counts[Place(number, socket, index, path)] = one_count, other_count


def without_descriptors(step: Fields, outcome: Outcome) -> Outcome:
    """The outcome without the number of a descriptor, where an error repeats the request: it is the sender's own."""
    said = []
    for text in outcome.got.get(step["send"], ()):
        data = bytearray.fromhex(text) if not text.startswith("!") else bytearray()
        if data[4:6] == NLMSG_ERROR:
            for offset, _ in step["patch_fd"]:
                if len(data) >= ECHOED + offset + 4:
                    data[ECHOED + offset : ECHOED + offset + 4] = bytes(4)
        said.append(data.hex() or text)
    return Outcome(outcome.error, {**outcome.got, step["send"]: tuple(said)})


def _mark(error: str | None) -> str | None:
    return None if error is None else "!" + error


def _named(steps: Sequence[Fields], number: int) -> str:
    step = steps[number - 1]
    about = step.get("about") or next(f"{verb} {step[verb]}" for verb in step)
    return f"step {number} ({about}): "


def told(steps: Sequence[Fields], difference: Difference) -> list[str]:
    """A difference for people: "-" is what Linux said, "+" the emulator."""
    where = _named(steps, difference.step) + (
        "the step itself" if difference.socket is None else f"{difference.socket} [{difference.index}]"
    )
    protocol = protocols(steps).get(difference.socket or "", 0)
    return [where, *(f"  {line}" for line in explain(difference, protocol, families()))]


def counted(steps: Sequence[Fields], sample: Sample) -> list[str]:
    """The same of a counter, with all that was counted in every run."""
    place = sample.place
    return [
        f"{_named(steps, place.step)}{place.socket} [{place.index}] {place.path}",
        f"  - {' '.join(map(str, sample.theirs))}",
        f"  + {' '.join(map(str, sample.ours))}",
    ]
