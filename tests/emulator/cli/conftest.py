"""A daemon of its own for the tests of the command line, and commands run as a user runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Nlemu = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60
"""Seconds until a command that does not end is given up."""


def environment(**variables: str) -> dict[str, str]:
    """The environment of a command: this checkout, no colours, no daemon that somebody has set."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NLEMU_DIR", "NO_COLOR")}
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", **variables}


def nlemu(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process of its own."""
    command = [sys.executable, "-m", "nlemu", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(**variables), timeout=PATIENCE
    )


def start(*arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
    """Starts a command that goes on. It can be interrupted, also where the tests run in a shell's background."""
    command = [sys.executable, "-m", "nlemu", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**variables),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Waits for it; its exit code, and what it wrote."""
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a daemon that all tests share."""
    directory = tmp_path_factory.mktemp("nlemu")
    process = start("serve", "--dir", directory)
    assert process.stderr is not None
    assert process.stderr.readline() == f"nlemu: serving {directory}\n"
    yield directory
    process.terminate()
    code, _, err = finish(process)
    assert (code, err) == (0, "")


@pytest.fixture
def machine(daemon: Path) -> Path:
    """The same, with a fresh machine."""
    assert nlemu("ctl", "--dir", daemon, "reset").returncode == 0
    return daemon
