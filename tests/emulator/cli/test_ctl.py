"""nlemu ctl: the control verbs, their tables and their JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlemu.emulator.cli import OK, REFUSED, USAGE, main
from nlemu.emulator.cli.ctl import QUEUES_MAX
from nlemu.emulator.kernel.devices import queue


class Ctl:
    """``nlemu ctl`` on a daemon: the exit code and what was printed."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory, self.capsys = directory, capsys

    def __call__(self, *arguments: str, code: int = OK) -> list[str]:
        assert main(["ctl", "--dir", str(self.directory), *arguments]) == code
        out, err = self.capsys.readouterr()
        if code == OK:
            assert err == ""
            return out.splitlines()
        assert out == ""
        return err.splitlines()

    def json(self, *arguments: str) -> Any:
        (line,) = self("--json", *arguments)
        return json.loads(line)


@pytest.fixture
def ctl(machine: Path, capsys: pytest.CaptureFixture[str]) -> Ctl:
    return Ctl(machine, capsys)


def test_namespaces(ctl: Ctl) -> None:
    assert ctl("netns", "add", "pod") == []
    assert ctl.json("netns", "list") == ["init", "pod"]
    head, *rows = ctl("netns", "list")
    assert head.split() == ["NETNS", "DEVICES", "INODE"]
    assert [row.split()[:2] for row in rows] == [["init", "1"], ["pod", "1"]]
    assert (ctl.directory / "pod" / "generic").is_socket()
    assert ctl("netns", "del", "pod") == []
    assert ctl.json("netns", "list") == ["init"]
    assert not (ctl.directory / "pod").exists()


def test_devices(ctl: Ctl) -> None:
    assert ctl("nsim", "new", "10", "--ports", "2", "--queues", "4") == []
    lines = ctl("state")
    start = lines.index("devices")
    assert lines[start + 1].split() == [
        "NETNS",
        "INDEX",
        "NAME",
        "KIND",
        "STATE",
        "FLAGS",
        "MTU",
        "ADDRESS",
        "RX/TX",
    ]
    assert [line.split()[1:3] for line in lines[start + 2 : start + 5]] == [
        ["1", "lo"],
        ["2", "eth0"],
        ["3", "eth1"],
    ]
    assert lines[start + 3].endswith("4/4")
    assert ctl("nsim", "del", "10") == []
    assert [dev["name"] for dev in ctl.json("state")["namespaces"]["init"]["devices"]] == ["lo"]


def test_time_passes_and_a_machine_is_made_fresh(ctl: Ctl) -> None:
    assert ctl("sleep", "1.5") == [] == ctl("advance", "3600")
    ctl("netns", "add", "pod")
    assert ctl.json("reset") is True
    assert ctl.json("netns", "list") == ["init"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["netns", "add", "init"], "'init'"),
        (["netns", "add", "a/b"], "'a/b'"),
        (["netns", "add", "control"], "'control'"),
        (["netns", "del", "nosuch"], "'nosuch'"),
        (["netns", "del", "init"], "namespace"),
        (["nsim", "del", "77"], "there is no netdevsim device 77"),
        (["nsim", "new", "4294967295"], "a netdevsim device has a number from 0 to 2147483647"),
        (["do", "zcrx=p", "ifindex=1", "queue=0"], "Operation not supported"),
        (["nic", "del", "0000:09:00.0"], "there is no NIC at 0000:09:00.0"),
        (["operations", "netdev.queue-crate"], "none like 'netdev.queue-crate'; is netdev.queue-create meant?"),
    ],
)
def test_a_refusal_is_one_line(ctl: Ctl, arguments: list[str], words: str) -> None:
    before = ctl.json("state")["namespaces"]
    (line,) = ctl(*arguments, code=REFUSED)
    assert line.startswith("nlemu ctl: ")
    assert words in line
    assert ctl.json("state")["namespaces"] == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nsim", "new", "x"], "argument ID: takes a number from 0 to 4294967295, and not 'x'"),
        (["nsim", "new", "5", "--queues", "0"], "argument --queues: takes a number from 1 to 65535, and not '0'"),
        (["nsim", "new", "5", "--queues", "65536"], "argument --queues: takes a number from 1 to 65535"),
        (["sleep", "soon"], "argument SECONDS: takes a number of seconds, and not 'soon'"),
        (["sleep", "inf"], "argument SECONDS: takes a number of seconds, and not 'inf'"),
    ],
)
def test_wrong_arguments(ctl: Ctl, arguments: list[str], words: str) -> None:
    assert words in ctl(*arguments, code=USAGE)[-1]


def test_as_many_queues_as_the_kernel_makes() -> None:
    assert QUEUES_MAX == queue.MAX_QUEUES


def test_the_directory_may_come_from_the_environment(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NLEMU_DIR", str(machine))
    assert main(["ctl", "--json", "netns", "list"]) == OK
    assert json.loads(capsys.readouterr().out) == ["init"]
