"""Which refusals can come of a request: what the walk over the source finds, and what it does not."""

from __future__ import annotations

from pathlib import Path
from types import FunctionType

import pytest

from nlemu.emulator.coverage.code.reach import Reach, name_of
from nlemu.emulator.coverage.code.sites import Site
from nlemu.emulator.coverage.report import met, report
from nlemu.emulator.coverage.watch import Watch
from nlemu.emulator.handlers.netdev.queue import queue_create
from nlemu.emulator.handlers.route.link.new import newlink
from nlemu.emulator.kernel.links import modelled
from nlemu.emulator.script import replay
from nlemu.emulator.script.trace import read

TRACES = Path(__file__).resolve().parents[3] / "fixtures" / "traces"


def sites(*kinds: str, of: object = newlink) -> list[Site]:
    assert isinstance(of, FunctionType)
    had = [name_of(type(one)) for kind in modelled() if kind.name in kinds for one in (kind, kind.ops)]
    return [one for one in Reach(had).refusals([of]) if isinstance(one, Site)]


def said(found: list[Site]) -> set[tuple[str | None, str | None]]:
    return {(one.errno, one.text) for one in found}


def test_a_handler_s_own_refusals_are_found_and_those_of_what_it_calls() -> None:
    found = sites()
    assert ("EOPNOTSUPP", "Unknown device type") in said(found)  # rtnl_newlink() itself
    assert ("EINVAL", "mtu less than device minimum") in said(found)  # far below, in the model
    (deep,) = [one for one in found if one.text == "mtu less than device minimum"]
    assert deep.kernel == "dev_validate_mtu()"


def test_only_kinds_of_links_that_there_were_count() -> None:
    invalid = ("ERANGE", "8021q: Invalid VLAN id")
    assert invalid not in said(sites("dummy"))
    assert invalid in said(sites("vlan"))


def test_attributes_that_a_handler_asks_for_are_found() -> None:
    assert isinstance(queue_create, FunctionType)
    names = [one for one in Reach(()).refusals([queue_create]) if isinstance(one, str)]
    assert {"ifindex", "queue", "type", "id"} <= set(names)


def test_a_request_does_not_come_to_what_is_not_on_its_way() -> None:
    files = {Path(one.file).name for one in sites("veth", "vlan")}
    assert "vlan.py" in files
    assert {"sock_diag.py", "bitset.py", "wireguard.py"}.isdisjoint(files)


MISSED = frozenset({"absent.py", "modes.py", "ndisc.py", "bus.py"})
"""Files with a refusal that the walk is known not to find, which docs/coverage.md says: 7 of 1,284."""


@pytest.mark.parametrize("trace", ["a*", "b*", "e*", "n*", "v*"])
def test_what_was_recorded_of_linux_was_foreseen(trace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals of a real kernel: they stand among those that the walk finds."""
    watch, make = Watch(), replay.machine_of
    monkeypatch.setattr(replay, "machine_of", lambda header, build=None: watch.begin(make(header, build)))
    for path in sorted(TRACES.glob(f"{trace}.jsonl")):
        replay.replay(read(path))
    found = [line for used in report(watch.seen).used for line in used.kernel]
    missed = [line for line in found if not line.foreseen]
    assert [str(line) for line in missed if (line.place or "").rpartition("/")[2].split(":")[0] not in MISSED] == []
    assert met(found) > 10 * len(missed)
