"""There is an end to what one machine holds, and what is beyond it is refused with Linux's errno."""

from __future__ import annotations

from pathlib import Path

import pytest

import nlemu
from nlemu import NLM_F, NlError
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import step_of

NEW = NLM_F.CREATE | NLM_F.EXCL


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlemu.emulator.kernel.kernel.MOST_DEVICES", 4)
    with nlemu.Kernel() as kernel:
        links = kernel.family("rt-link")
        dummy = {"linkinfo": {"kind": "dummy"}}
        for _ in range(3):
            links.do("newlink", dummy, NEW)
        for asked in (dummy, {"linkinfo": {"kind": "veth"}}):
            with pytest.raises(NlError, match="Cannot allocate memory"):
                links.do("newlink", asked, NEW)
        assert len(links.dump("getlink")) == 4
        links.do("dellink", {"ifname": "dummy0"})
        with pytest.raises(NlError, match="Cannot allocate memory"):  # a pair is two, and the first goes again
            links.do("newlink", {"linkinfo": {"kind": "veth"}}, NEW)
        assert len(links.dump("getlink")) == 3
        links.do("newlink", dummy, NEW)


def test_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("nlemu.emulator.kernel.kernel.MOST_NAMESPACES", 2)
    steps = Steps(Machine())
    steps.do(step_of({"netns": "a"}))
    with pytest.raises(OSError, match="there are 2 namespaces and 2 devices"):
        steps.do(step_of({"netns": "b"}))
    steps.do(step_of({"netns_del": "a"}))
    steps.machine.settle()
    steps.do(step_of({"netns": "b"}))
    with pytest.raises(StepError):
        steps.do(step_of({"netns": "b"}))


def test_a_namespace_has_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlemu.emulator.kernel.kernel.MOST_DEVICES", 1)
    with nlemu.Kernel() as kernel:
        with pytest.raises(nlemu.ControlError, match="there are 1 namespaces and 1 devices") as told:
            kernel.do(netns="pod")
        assert told.value.errno == "ENOSPC"
