"""The daemon that is soaked, as whoever started it sees it: its process, its memory, its descriptors, its log."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nlemu.emulator.bench.servers import connect, resident
from nlemu.emulator.client.client import Client
from nlemu.emulator.client.control import Control, ControlError
from nlemu.protocol.encode.conversation import NlError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds until what is waited for counts as what does not come."""
ANSWER = 5.0
"""Seconds until an answer counts as lost."""
EXPECTED = ("no connection can be accepted", "not emulated:", "nlemu: serving", "the service manager cannot be told")
"""What its log may say."""


class Found(Exception):
    """Something is not as it has to be: one line or several."""


class Daemon:
    """`nlemu serve` on a directory below `place`, and a control connection to it. files: how many it may have open."""

    def __init__(self, place: Path, *, files: int, seed: int = 0) -> None:
        self.directory = place / "d"
        self.log = place / "log"
        self.files = files
        self._read = 0
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(str(place / "ready"))
        ready.settimeout(PATIENCE)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.inside", "--dir", str(self.directory), "--seed", str(seed)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
                env=os.environ | {"NOTIFY_SOCKET": str(place / "ready")},
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
            )
        try:
            ready.recv(1 << 10)
        except TimeoutError:
            raise Found(f"the daemon does not start: {self.log.read_text()}") from None
        finally:
            ready.close()
            os.unlink(place / "ready")
        self.control = Control(self.directory)

    def connect(self, netns: str = "init", protocol: str = "route") -> socket.socket:
        """A socket by a path."""
        sock = connect(self.directory / netns / protocol)
        sock.settimeout(PATIENCE)
        return sock

    def look(self) -> dict[str, Any]:
        """What it holds (inside.py)."""
        found: dict[str, Any] = self.control.do(look=True)
        return found

    def resident(self) -> float:
        """MiB."""
        return resident(self.process.pid) / (1 << 20)

    def open_files(self) -> int:
        """How many descriptors it has."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def limit(self, files: int) -> None:
        """From now on it may have so many descriptors."""
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (files, self.files))

    def try_to(self, **step: Any) -> Any:
        """Performs a step, or is refused, which is as good."""
        with suppress(ControlError):
            return self.control.do(**step)

    def answers(self) -> None:
        """A fresh client is answered. Found."""
        self.patiently("a fresh client", self._ask)

    def patiently(self, whom: str, ask: Callable[[], object]) -> None:
        """Asks until there is an answer, since others have faults injected that lose some. Found."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.control.do(heal=True)
            with suppress(TimeoutError, NlError):
                ask()
                return
        raise Found(f"{whom} is not answered")

    def _ask(self) -> None:
        with self.connect() as sock, Client(sock, "rt-link") as links:
            sock.settimeout(ANSWER)
            if not any(link["ifname"] == "lo" for link in links.dump("getlink")):
                raise Found("a fresh client sees no loopback")
        with self.connect(protocol="generic") as sock, Client(sock, "netdev") as netdev:
            sock.settimeout(ANSWER)
            netdev.dump("dev-get")

    def complaints(self) -> list[str]:
        """What its log has said since it was last asked, but for what is expected."""
        with open(self.log, errors="replace") as log:
            log.seek(self._read)
            lines = log.read().splitlines()
            self._read = log.tell()
        return [line for line in lines if line and not any(one in line for one in EXPECTED)]

    def end(self) -> tuple[float, float]:
        """SIGTERM; how many seconds it took by the clock, and of a processor. Found."""
        began, before = time.monotonic(), reaped()
        used = int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Found("SIGTERM does not end it") from None
        took = time.monotonic() - began
        said = self.complaints()
        if code or said:
            raise Found("\n  ".join([f"it ends with {code}", *said]))
        if self.directory.exists():
            left = [str(path.relative_to(self.directory)) for path in self.directory.rglob("*")]
            raise Found(f"it leaves {len(left)} files behind, such as {left[:3]}")
        return took, reaped() - before - used

    def kill(self) -> None:
        """The end of it, however it goes on."""
        self.control.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def reaped() -> float:
    """Seconds of processors that children took which have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
