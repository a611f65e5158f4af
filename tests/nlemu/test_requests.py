"""The history of a kernel: what was asked, by whom, and what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlemu import NLM_F, Kernel, NlError
from nlemu.emulator.cli import main
from nlemu.emulator.client.control import ControlError
from tests.emulator.launch.nobody import need


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel(record=True) as one:
        yield one


def make(kernel: Kernel, name: str) -> None:
    links = kernel.family("rt-link")
    links.do("newlink", {"ifname": name, "linkinfo": {"kind": "dummy"}}, NLM_F.CREATE | NLM_F.EXCL)


def test_values_and_outcome(kernel: Kernel) -> None:
    make(kernel, "red")
    with pytest.raises(NlError):
        make(kernel, "red")
    first, second = kernel.requests.of("route.newlink")
    assert (first["ifname"], first["linkinfo"]["kind"], first.errno, first.answered) == ("red", "dummy", None, True)
    assert (second.errno, second.netns) == ("EEXIST", "init")
    assert kernel.requests.refused == [second]
    assert str(second).startswith("init newlink request  ") and str(second).endswith("-> EEXIST")


def test_replies_and_dumps(kernel: Kernel) -> None:
    make(kernel, "red")
    kernel.family("rt-link").dump("getlink")
    (asked,) = kernel.requests.of("route.getlink")
    assert asked.dump and [reply["ifname"] for reply in asked.replies] == ["lo", "red"]


def test_they_are_found_by_what_they_say(kernel: Kernel) -> None:
    for name in ("red", "blue"):
        make(kernel, name)
    assert [one["ifname"] for one in kernel.requests.of("route.*", ifname="blue")] == ["blue"]


def test_what_a_refusal_said(kernel: Kernel) -> None:
    kernel.do(nsim_new=[1, 1, 4])
    with pytest.raises(NlError):
        kernel.family("netdev").do("queue-create", {"ifindex": 2, "type": "rx", "lease": {
            "ifindex": 2, "queue": {"id": 1, "type": "rx"}}})
    (asked,) = kernel.requests.of("netdev.queue-create")
    assert asked.errno is not None and "msg" in asked.extack


def test_it_can_begin_anew(kernel: Kernel) -> None:
    make(kernel, "red")
    kernel.forget()
    assert kernel.requests == []
    make(kernel, "blue")
    assert [one["ifname"] for one in kernel.requests] == ["blue"]


def test_programs_are_heard_too(kernel: Kernel) -> None:
    kernel.run(need("ip"), "link", "add", "red", "type", "dummy")
    made = kernel.requests.of("route.newlink", ifname="red")
    assert [(one["linkinfo"]["kind"], one.errno) for one in made] == [("dummy", None)]


def test_a_daemon_remembers_if_it_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nlemu = [sys.executable, "-m", "nlemu"]
    started = subprocess.run(
        [*nlemu, "serve", "--dir", tmp_path / "d", "--detach", "--history"], check=True, capture_output=True, text=True
    )
    try:
        with Kernel(tmp_path / "d") as kernel:
            make(kernel, "red")
            make(kernel, "blue")
            assert [one["ifname"] for one in kernel.requests] == ["red", "blue"]
            assert main(["ctl", "--dir", str(tmp_path / "d"), "requests", "route.new*", "--last", "1"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        assert line == "init newlink request  ifname: blue, linkinfo: {kind: dummy} -> ok"
    finally:
        os.kill(int(started.stdout), signal.SIGTERM)


def test_without_a_recording_there_is_none() -> None:
    with Kernel() as kernel, pytest.raises(ControlError, match="serve --history"):
        kernel.requests  # noqa: B018


def test_an_operation_that_there_is_not_was_not_asked_for_either(kernel: Kernel) -> None:
    assert kernel.requests.of("route.newlink") == []
    assert kernel.requests.of("route.*") == []
    for asked in (lambda: kernel.requests.of("getlink"), lambda: kernel.do(requests="getlink")):
        with pytest.raises((LookupError, ControlError), match="'getlink'; is route"):
            asked()


def test_an_interrupted_dump_is_seen(kernel: Kernel) -> None:
    with kernel.interrupt("route.getlink"):
        kernel.family("rt-link").dump("getlink")
    assert [" dump-intr " in line for line in kernel.traffic()] == [False, True, False]
