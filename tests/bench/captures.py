"""Measures captures: dissecting one beside tshark, and replaying one beside the daemon's pipeline.

`python -m tests.bench.captures [MEGABYTES ...]` (20 and 200 without). A real capture is repeated until the file has
that size, and each program reads it to its end with its output thrown away: seconds of processor time (the machine may
be busy), megabytes a minute of it, and the most memory that was resident. tshark is run as nobody, once with a line a
frame and once with everything (-V). A replay is measured by the difference of a long one and a short one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nlemu.protocol.captures.source import Source
from tests.emulator.launch.nobody import NOBODY, environment
from tests.protocol.captures.files import CAPTURES

MEGABYTE = 1_000_000
SIZES = (20, 200)
NLEMU = (sys.executable, "-m", "nlemu")
REPLAYED = 20_000


def repeated(path: Path, size: int, name: str = "lease.pcap") -> int:
    """Writes a capture of at least that many bytes: the lease, or another, again and again; its size."""
    data = (CAPTURES / name).read_bytes()
    with path.open("wb") as stream:
        stream.write(data[:24])
        written = 24
        while written < size:
            written += stream.write(data[24:])
    path.chmod(0o644)
    return written


def measured(*command: str, user: int | None = None) -> tuple[float, int]:
    """Seconds of processor time that a program takes, and the most KiB that it had."""
    who = {} if user is None or os.getuid() else {"user": user, "group": user, "extra_groups": ()}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who,  # type: ignore[call-overload]
        env={**os.environ, **environment(), "PATH": os.environ["PATH"]},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def dissecting(folder: Path, megabytes: int) -> None:
    """Every way of showing a capture of that size."""
    capture = folder / "capture.pcap"
    size = repeated(capture, megabytes * MEGABYTE) / MEGABYTE
    ways = {
        "nlemu dissect --brief": (*NLEMU, "dissect", "--brief", str(capture)),
        "nlemu dissect --json": (*NLEMU, "dissect", "--json", str(capture)),
        "nlemu dissect": (*NLEMU, "dissect", str(capture)),
    }
    if tshark := shutil.which("tshark"):
        ways["tshark"] = (tshark, "-r", str(capture))
        ways["tshark -V"] = (tshark, "-r", str(capture), "-V")
    for name, command in ways.items():
        took, memory = measured(*command, user=NOBODY if name.startswith("tshark") else None)
        print(f"{size:6.0f} MB  {name:24}{took:8.1f} s {size / took * 60:8.0f} MB a minute {memory / 1024:8.0f} MiB")


def replaying(folder: Path) -> None:
    """Requests a second of a replay, those of a capture repeated: without what it takes to begin."""
    from nlemu.protocol.captures.events import Datagram, Way
    from nlemu.protocol.captures.formats import events

    capture = folder / "replay.pcap"
    took = []
    for megabytes in (0.1, 2):
        repeated(capture, int(megabytes * MEGABYTE))
        with capture.open("rb") as stream:
            found = (one for one in events(Source(stream, capture.name)) if isinstance(one, Datagram))
            count = sum(one.way is Way.TO_KERNEL for one in found)
        took.append((count, measured(*NLEMU, "replay", str(capture))[0]))
    (few, short), (many, long) = took
    print(f"replay of {many} requests: {(many - few) / (long - short):.0f} a second")


def main() -> None:
    """Measures, and prints what came of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for megabytes in map(int, sys.argv[1:]) if sys.argv[1:] else SIZES:
            dissecting(folder, megabytes)
        replaying(folder)


if __name__ == "__main__":
    main()
