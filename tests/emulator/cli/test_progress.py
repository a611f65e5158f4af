"""Replays, sweeps and recordings say on a terminal how far they are, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.launch import nobody

ROOT = Path(__file__).resolve().parents[3]
TRACES = ROOT / "fixtures" / "traces"


def on_terminal(*arguments: str, **settings: str) -> tuple[str, str]:
    """What a command writes to its output, a pipe, and to its terminal."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT), **settings}
    with open(leader, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "nlemu", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=follower, env=environment, text=True,
        )
        os.close(follower)
        seen = b""
        while True:
            try:
                data = screen.read(4096)
            except OSError:  # EIO: nobody has it open any more
                break
            if not data:
                break
            seen += data
        output, _ = process.communicate(timeout=120)
    return output, seen.decode()


def elsewhere(*arguments: str) -> tuple[str, str]:
    """What it writes where there is no terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "nlemu", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120,
    )
    return done.stdout, done.stderr


def traces() -> list[str]:
    return [str(path) for path in sorted(TRACES.glob("n1*.jsonl"))[:3]]


def capture(place: Path) -> list[str]:
    path = place / "asked.hex"
    path.write_text("2000000012000103010000000000000011" + "00" * 15 + "\n")
    return [str(path)]


SWEEP = ["sweep", "--", "sh", "-c", "ip link add red type dummy"]


@pytest.mark.parametrize("what", ("traces", "capture", "sweep", "record"))
def test_it_is_seen_on_a_terminal_alone(what: str, tmp_path: Path) -> None:
    recording = ["record", "-o", str(tmp_path / "ip.pcapng"), "--", sys.executable, "-c", ASKS]
    if what in ("sweep", "record"):
        nobody.need("ip")
    arguments, shown = {
        "traces": (["replay", *traces()], f"\rtrace 1 of 3: {traces()[0]}"[:80]),
        "capture": (["replay", *capture(tmp_path)], "\rreading: 1 events"),
        "sweep": (SWEEP, "\rrun 1 of 2: route.newlink"),
        "record": (recording, "\rreading this machine's network, as it is before\033[K\r\033[K"),
    }[what]
    output, screen = on_terminal(*arguments)
    assert screen.startswith(shown), screen
    at_the_end = screen.rpartition("\033[K")[2]
    if what == "record":
        assert at_the_end.startswith(f"nlemu record: {tmp_path}/ip.pcapng: ") and "datagrams" in at_the_end
    else:
        assert at_the_end == "", screen
    assert elsewhere(*arguments) == (output, "")
    _, screen = on_terminal(*arguments, TERM="dumb")
    assert screen == ""


ASKS = "import socket; socket.if_nameindex()"
