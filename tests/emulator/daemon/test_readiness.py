"""What a service manager is told, and when."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from nlemu.emulator.daemon.readiness import notify

ROOT = Path(__file__).resolve().parents[3]


def manager(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(address)
    sock.settimeout(60)
    return sock


def test_a_daemon_tells_that_it_can_be_reached_and_that_it_ends(tmp_path: Path) -> None:
    directory, address = tmp_path / "d", str(tmp_path / "notify")
    with closing(manager(address)) as sock:
        process = subprocess.Popen(
            [sys.executable, "-m", "nlemu", "serve", "--dir", str(directory)], cwd=ROOT,
            env={**os.environ, "NOTIFY_SOCKET": address}, stderr=subprocess.DEVNULL,
        )
        assert sock.recv(4096).decode().splitlines() == ["READY=1", f"MAINPID={process.pid}"]
        with closing(socket.socket(socket.AF_UNIX)) as control:
            control.connect(str(directory / "control"))
        process.send_signal(signal.SIGTERM)
        assert sock.recv(4096) == b"STOPPING=1"
        assert process.wait(60) == 0


def test_an_abstract_name(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"nlemu-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with closing(manager(f"\0{name}")) as sock:
        assert notify("READY=1")
        assert sock.recv(4096) == b"READY=1"


def test_nobody_waits(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "vsock:2:1")
    assert not notify("READY=1") and not caplog.records


def test_a_manager_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not notify("READY=1")
    assert "the service manager cannot be told: No such file or directory" in caplog.text
