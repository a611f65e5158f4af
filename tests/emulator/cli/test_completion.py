"""nlemu completion: what shells make of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nlemu.emulator.cli import main
from tests.emulator.launch.nobody import need

from .conftest import ROOT, environment, nlemu


@pytest.fixture
def command(tmp_path: Path) -> dict[str, str]:
    """An environment in which `nlemu` is this checkout."""
    script = tmp_path / "nlemu"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nlemu "$@"\n')
    script.chmod(0o755)
    return environment(PATH=f"{tmp_path}:{os.environ['PATH']}", HOME=str(tmp_path))


def completed(line: str, command: dict[str, str]) -> list[str]:
    """What bash is told of a line."""
    asked = {
        "_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(Path(command["HOME"]) / "told"),
    }
    subprocess.run(
        [sys.executable, "-m", "nlemu"], env=command | asked, cwd=ROOT, timeout=60, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    return [word.strip() for word in (Path(command["HOME"]) / "told").read_text().split("\v") if word.strip()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nlemu diss", ["dissect", "dissector"]),
        ("nlemu ctl nic ", ["new", "del", "-h", "--help"]),
        ("nlemu ctl nic new a --profile f", ["fbnic"]),
        ("nlemu serve --kernel 7.2.13-", ["7.2.13-recorded"]),
        ("nlemu ctl fault route.newlink --errno ENOM", ["ENOMSG", "ENOMEM", "ENOMEDIUM"]),
        ("nlemu dissect --fam", ["--family"]),
    ],
)
def test_what_could_come_next(line: str, words: list[str], command: dict[str, str]) -> None:
    assert set(completed(line, command)) == set(words)


def test_what_a_daemon_knows(machine: Path, command: dict[str, str]) -> None:
    assert nlemu("ctl", "--dir", machine, "netns", "add", "pod").returncode == 0
    here = command | {"NLEMU_DIR": str(machine)}
    assert completed("nlemu ynl --netns p", here) == ["pod"]
    assert completed("nlemu ctl fault netdev.queue-c", here) == ["netdev.queue-create"]
    assert completed("nlemu ctl fault netdev.queue-c", command) == []


def test_in_fish(command: dict[str, str]) -> None:
    need("fish")
    told = subprocess.run(
        ["fish", "-c", 'nlemu completion fish | source; complete -C "nlemu conv"'], env=command, cwd=ROOT, timeout=60,
        capture_output=True, text=True, check=True,
    )
    assert [line.split("\t")[0] for line in told.stdout.splitlines()] == ["convert"]


def test_in_zsh(command: dict[str, str]) -> None:
    need("zsh")
    script = 'autoload -U compinit && compinit -u && eval "$(nlemu completion zsh)" && print ${_comps[nlemu]}'
    told = subprocess.run(
        ["zsh", "-fc", script], env=command, cwd=ROOT, timeout=60, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "_python_argcomplete"


def test_in_bash(command: dict[str, str]) -> None:
    script = 'eval "$(nlemu completion bash)" && complete -p nlemu'
    told = subprocess.run(
        ["bash", "-c", script], env=command, cwd=ROOT, timeout=60, capture_output=True, text=True, check=True
    )
    assert "-F _python_argcomplete nlemu" in told.stdout


def test_another_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "choose from 'bash', 'zsh', 'fish'" in capsys.readouterr().err
