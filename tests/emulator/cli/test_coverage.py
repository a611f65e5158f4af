"""`nlemu coverage`, and `--coverage` of what runs a machine."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.emulator.cli.conftest import finish, nlemu, start
from tests.emulator.launch.nobody import need


def test_a_run_tells_at_its_end() -> None:
    need("ip")
    done = nlemu("run", "--coverage", "--", "ip", "link", "add", "d0", "type", "dummy")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0].split() == ["OPERATION", "ASKED", "REFUSED", "ATTRIBUTES", "KERNEL", "DECLARED"]
    assert "operations" in done.stderr and "route.newlink" in done.stderr


def test_runs_are_added_up(tmp_path: Path) -> None:
    need("ip")
    for name in ("d0", "d1"):
        nlemu("run", f"--coverage={tmp_path}/all/", "--", "ip", "link", "add", name, "type", "dummy")
    done = nlemu("coverage", tmp_path / "all", "-o", tmp_path / "one.html", "-o", tmp_path / "one.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "one.json").read_text())["report"]["used"]["route.newlink"]["asked"] == 4
    assert "route.newlink: " in done.stdout and "never met" in done.stdout
    assert "<title>netlink coverage</title>" in (tmp_path / "one.html").read_text()
    sums = nlemu("coverage", "-q", tmp_path / "one.json").stdout.splitlines()
    assert sums[0].split()[:4] == ["operations", "1", "of", "50"]


def test_a_command_is_not_taken_for_a_file() -> None:
    done = nlemu("run", "--coverage", "pytest")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a command stands behind --" in done.stderr


def test_what_is_there_to_be_added_up_is_said(tmp_path: Path) -> None:
    assert "there is nothing to report" in nlemu("coverage", tmp_path).stderr
    assert "No such file" in nlemu("coverage", tmp_path / "none.json").stderr
    assert nlemu("coverage", tmp_path, "-o", "x.txt").returncode == 2


def test_a_daemon_is_asked_and_writes_at_its_end(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    daemon = start("serve", "--dir", directory, f"--coverage={tmp_path}/one.json")
    assert daemon.stderr is not None and "serving" in daemon.stderr.readline()
    nlemu("ynl", "--dir", directory, "--family", "netdev", "--dump", "dev-get")
    told = nlemu("ctl", "--dir", directory, "coverage", "--forget")
    assert "netdev.dev-get" in told.stdout
    nlemu("ynl", "--dir", directory, "--family", "netdev", "--dump", "queue-get")
    daemon.send_signal(signal.SIGTERM)
    assert finish(daemon)[0] == 0
    asked = {one[0] for one in json.loads((tmp_path / "one.json").read_text())["asked"]}
    assert "netdev.queue-get" in asked and "netdev.dev-get" not in asked
