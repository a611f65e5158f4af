"""nlemu ctl batch, and the verbs that are lines of the control socket; nlemu stop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlemu.emulator.cli import NO_DAEMON, OK, REFUSED, USAGE, main
from nlemu.emulator.cli.steps import AIM, FAULTS, NICS
from nlemu.emulator.script.verbs import AIM as AIMED
from nlemu.emulator.script.verbs import VERBS

from .conftest import finish, nlemu, start

LINES = """\
# a NIC in a pod
netns add pod
nic new 0000:08:00.0 --profile mlx5_core --queues 8 --netns pod

{"netns": "other"}   
fault route.newlink --errno ENOMEM --where ifname=red --count 0 --name 7
netns list
"""  # noqa: W291


def ctl(machine: Path, *arguments: str) -> int:
    return main(["ctl", "--dir", str(machine), *arguments])


def test_a_file_of_verbs(machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lines").write_text(LINES)
    assert ctl(machine, "batch", str(tmp_path / "lines")) == OK
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["NETNS", "init", "pod", "other"]
    assert ctl(machine, "faults", "--json") == OK
    (fault,) = json.loads(capsys.readouterr().out)
    assert (fault["name"], fault["kind"]) == ("7", "refuse")
    assert ctl(machine, "state", "--json") == OK
    (_, nic) = json.loads(capsys.readouterr().out)["namespaces"]["pod"]["devices"]
    assert (nic["driver"], nic["rx_queues"]) == ("mlx5_core", 8)
    assert ctl(machine, "heal", "7") == ctl(machine, "heal") == ctl(machine, "nic", "del", "0000:08:00.0") == OK


def test_a_line_that_is_refused_ends_it(machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lines").write_text("netns add pod\nnetns add pod\nnetns add other\n")
    assert ctl(machine, "batch", str(tmp_path / "lines")) == REFUSED
    assert capsys.readouterr().err.endswith("lines:2: netns: there is a namespace 'pod' already\n")
    assert ctl(machine, "netns", "del", "pod") == OK
    assert ctl(machine, "batch", "--force", str(tmp_path / "lines")) == REFUSED
    assert capsys.readouterr().err.splitlines()[-1] == "nlemu ctl: 1 lines were refused"
    assert ctl(machine, "netns", "list", "--json") == OK
    assert json.loads(capsys.readouterr().out) == ["init", "pod", "other"]


@pytest.mark.parametrize(
    ("line", "told"),
    [("netns ad pod", "'ad'; is add meant?"), ("watch", "does not go into a batch"), ('"unclosed', "No closing")],
)
def test_what_is_no_line(
    machine: Path, tmp_path: Path, line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lines").write_text(line + "\n")
    assert ctl(machine, "batch", str(tmp_path / "lines")) == USAGE
    assert told in capsys.readouterr().err


def test_every_field_of_the_control_socket_has_an_option() -> None:
    assert set(AIM) == set(AIMED) - {"where"}
    for spoken in (*NICS.values(), *FAULTS.values()):
        verb = VERBS[spoken.step]
        assert set(spoken.takes) | ({"where"} if spoken.where else set()) == {*verb.needs, *verb.takes}, spoken.step
        assert set(spoken.needs) == set(verb.needs)


def test_a_daemon_is_stopped(tmp_path: Path) -> None:
    process = start("serve", "--dir", tmp_path / "own")
    assert process.stderr is not None
    process.stderr.readline()
    stopped = nlemu("stop", "--dir", tmp_path / "own")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (OK, "", "")
    assert not (tmp_path / "own").exists()
    assert finish(process)[0] == OK
    assert nlemu("stop", "--dir", tmp_path / "own").returncode == NO_DAEMON
