"""Faults in worlds: they wait from the beginning, and what cannot be is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlemu import Kernel, NlError
from nlemu.emulator.script.beginning import begin
from nlemu.emulator.world.file import parse, write
from nlemu.emulator.world.world import WorldError

WORLD = """\
[[link]]
name = "red"
kind = "dummy"

[[fault]]
fault = "route.getlink"
errno = "ENOMEM"
device = "red"

[[fault]]
notice = "route.newlink"
fate = "lose"
name = "deaf"
"""


def test_they_wait_from_the_beginning(tmp_path: Path) -> None:
    place = tmp_path / "world.toml"
    place.write_text(WORLD)
    with Kernel(world=place, faults=[{"interrupt": "route.getaddr"}]) as kernel:
        for _ in range(2):
            assert [one["name"] for one in kernel.do(faults=True)] == ["1", "2", "deaf"]
            with pytest.raises(NlError, match="Cannot allocate memory"):
                kernel.family("rt-link").do("getlink", {"ifname": "red"})
            kernel.do(reset=True)


def test_making_the_world_does_not_meet_them() -> None:
    text = WORLD.replace("getlink", "newlink").replace('device = "red"', "")
    machine = begin(parse(text))
    assert [fault.aim.met for fault in machine.faults.listed] == [0]


def test_they_are_written_as_they_are_read() -> None:
    world = parse(WORLD)
    assert [one.fields for one in parse(write(world)).faults] == [one.fields for one in world.faults]


@pytest.mark.parametrize(("said", "why"), [
    ('fault = "route.nonsense"\nerrno = "EIO"', "w:5: fault: there is no operation 'route.nonsense'"),
    ('fault = "route.getlink"\nerrno = "EUNKNOWN"', "w:5: 'errno' should be"),
    ('fault = "route.getlink"', "w:5: fault: it does nothing"),
    ('errno = "EIO"', "w:5: begins with one of fault, interrupt, notice"),
    ('netns = "pod"', "w:5: begins with one of fault, interrupt, notice"),
    ('fault = "route.getlink"\nerrno = "EIO"\nnetns = "pod"', "w:5: fault: there is no namespace 'pod'"),
])
def test_what_cannot_be_is_refused_with_its_place(said: str, why: str) -> None:
    text = '[[link]]\nname = "red"\nkind = "dummy"\n\n[[fault]]\n' + said
    with pytest.raises(WorldError) as refused:
        begin(parse(text, "w"))
    assert str(refused.value).startswith(why)


def test_a_section_that_is_no_list_is_refused() -> None:
    with pytest.raises(WorldError, match=r"w:1: fault: begins with \[\[fault\]\]"):
        parse('[fault]\nfault = "route.getlink"', "w")
