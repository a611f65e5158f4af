"""What a suite has exercised: watched, written down, read back, added up, reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlemu import NLM_F, Client, Kernel, NlError
from nlemu.emulator.coverage.files import place, save, write
from nlemu.emulator.coverage.report import Line, Used, report
from nlemu.emulator.coverage.seen import CoverageError, Seen, combined, load
from nlemu.emulator.coverage.watch import Watch

MAKE = NLM_F.CREATE | NLM_F.EXCL


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    """Of a suite that makes links, is refused, hears of it, and sets a fault."""
    watch = Watch()
    with Kernel(coverage=watch, record=True) as kernel:
        links, netdev = kernel.family("rt-link"), kernel.family("netdev")
        news = kernel.listen("rt-link", "rtnlgrp-link")
        vlan = {"kind": "vlan", "data": {"id": 5000}}
        links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, MAKE)
        assert [one.name for one in news.notifications(0)] == ["newlink"]
        refused: tuple[tuple[Client, str, dict[str, object]], ...] = (
            (links, "newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}),
            (links, "newlink", {"link": 2, "linkinfo": vlan}),
            (netdev, "queue-create", {"ifindex": 2, "type": "rx"}),
            (netdev, "napi-get", {"id": 1 << 20}),
        )
        for family, name, values in refused:
            with pytest.raises(NlError):
                family.do(name, values, MAKE if family is links else 0)
        with kernel.fault("route.getlink", errno="ENOMEM"), pytest.raises(NlError):
            links.dump("getlink")
        assert kernel.why()  # who explains is told as well
    yield watch


@pytest.fixture(scope="module")
def used(watch: Watch) -> dict[str, Used]:
    return {one.name: one for one in report(watch.seen).used}


def line(used: Used, **known: object) -> Line:
    (found,) = [one for one in used.lines if all(getattr(one, name) == value for name, value in known.items())]
    return found


def test_requests_and_attributes_are_counted(used: dict[str, Used]) -> None:
    newlink = used["route.newlink"]
    assert (newlink.asked, newlink.refused, newlink.faults) == (3, 2, 0)
    assert newlink.sent == {"ifname", "link", "linkinfo", "linkinfo.kind", "linkinfo.data", "linkinfo.data(vlan).id"}
    assert "linkinfo.data(vlan).flags" in newlink.all
    assert not any("(vxlan)" in path for path in newlink.all)


def test_refusals_are_told_from_those_that_were_never_met(used: dict[str, Used]) -> None:
    newlink = used["route.newlink"]
    assert line(newlink, text="8021q: Invalid VLAN id").met == 1
    assert line(newlink, text="Unknown device type").met == 0
    assert line(used["netdev.queue-create"], what="required", about="lease").met == 1
    assert line(used["netdev.queue-create"], what="required", about="ifindex").met == 0
    assert line(used["netdev.queue-create"], what="privilege").met == 0
    assert all(one.foreseen for each in used.values() for one in each.lines)


def test_a_fault_is_no_refusal_of_the_kernel_s(used: dict[str, Used]) -> None:
    getlink = used["route.getlink"]
    assert (getlink.asked, getlink.refused, getlink.faults) == (1, 1, 1)
    assert not any(one.met for one in getlink.lines)


def test_notifications_are_those_that_reached_a_socket(watch: Watch) -> None:
    found = report(watch.seen)
    assert found.heard == {"route.newlink": 1}
    assert {"route.dellink", "netdev.dev-add-ntf"} <= set(found.unheard)
    assert "ethtool.rings-ntf" not in found.unheard  # of a family that was not used


def test_it_is_the_same_when_it_was_written_and_read(watch: Watch, tmp_path: Path) -> None:
    save(watch.seen, tmp_path / "one.json")
    assert load(tmp_path / "one.json") == watch.seen


def test_several_are_added_up(watch: Watch, tmp_path: Path) -> None:
    place = tmp_path / "all"
    place.mkdir()
    save(watch.seen, place)
    save(watch.seen, place)
    total = combined([place])
    assert total.asked["route.newlink", False, 0] == 2 * watch.seen.asked["route.newlink", False, 0]
    assert total.attributes == watch.seen.attributes


def test_a_report_can_be_added_up_again(watch: Watch, tmp_path: Path) -> None:
    write(watch.seen, report(watch.seen), tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text())["report"]
    assert told["used"]["route.newlink"]["refused"] == 2
    assert load(tmp_path / "report.json") == watch.seen


def test_the_page_says_it_and_loads_nothing(watch: Watch, tmp_path: Path) -> None:
    save(watch.seen, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "8021q: Invalid VLAN id" in page and "linkinfo.data(vlan).flags" in page
    assert "prefers-color-scheme" in page
    assert not any(word in page for word in ("http:", "https:", "src=", "<link", "@import"))


@pytest.mark.parametrize(("text", "why"), [
    ("{", "no JSON"), ("[]", "no coverage"), ('{"nlemu": "x"}', "no coverage"),
    ('{"nlemu-coverage": 1, "nlemu": "0.0.1"}', "it is of nlemu 0.0.1"),
])
def test_what_is_no_coverage_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(CoverageError, match=why):
        load(tmp_path / "one.json")


def test_damage_is_told(tmp_path: Path) -> None:
    told = Seen().told()
    del told["asked"]
    (tmp_path / "one.json").write_text(json.dumps(told))
    with pytest.raises(CoverageError, match="damaged"):
        load(tmp_path / "one.json")


def test_a_place_is_a_file_of_ours_or_a_directory(tmp_path: Path) -> None:
    assert place(f"{tmp_path}/new/") == tmp_path / "new"
    assert (tmp_path / "new").is_dir()
    with pytest.raises(CoverageError, match=r"takes FILE\.json"):
        place("pytest")


def test_nothing_is_watched_unless_somebody_wants_it() -> None:
    with Kernel() as kernel, pytest.raises(Exception, match="nobody watches"):
        kernel.do(coverage=True)
