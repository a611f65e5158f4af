"""Measures captures: dissecting one beside tshark, and replaying one beside the daemon's pipeline.

`python -m tests.bench.captures [MEGABYTES ...]` (20 and 200 without). A real capture is repeated until the file has
that size, and each program reads it to its end with its output thrown away: seconds of processor time (the machine may
be busy), megabytes a minute of it, and the most memory that was resident. tshark is run as nobody, once with a line a
frame and once with everything (-V). A replay is measured by the difference of a long one and a short one, beside a
daemon that is sent the same requests.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.emulator.launch.nobody import NOBODY, environment
from tests.protocol.captures.files import CAPTURES

MEGABYTE = 1_000_000
SIZES = (20, 200)
NLEMU = (sys.executable, "-m", "nlemu")
PIPELINE = 32


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


def lives(path: Path, rounds: int) -> list[bytes]:
    """Writes what a program says and hears that makes, sets, shows and deletes a device, again and again, on a machine
    of ours; its requests."""
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.script.recording import into_file
    from nlemu.protocol.encode.conversation import Conversation, specification

    asked: list[bytes] = []
    with path.open("wb") as stream:
        machine = into_file(stream).begin(Machine())
        endpoint = Endpoint(machine, machine.init_net, 0, portid=4000, options=[(11, 1), (1, 1)])
        conversation = Conversation(specification("rt-link"), 0)
        for _ in range(rounds):
            for operation, values, flags in LIFE:
                asked.append(conversation.ask(operation, values, flags=flags).data)
                endpoint.send(asked[-1])
                while endpoint.pending():
                    endpoint.receive()
                machine.settle()
    return asked


LIFE: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("newlink", {"ifname": "d0", "linkinfo": {"kind": "dummy"}}, 0x400),
    ("newlink", {"ifname": "d0", "mtu": 1400}, 0),
    *(("getlink", {"ifname": "d0"}, 0),) * 6,
    ("newlink", {"ifname": "d0", "ifi-flags": ["up"], "ifi-change": 1}, 0),
    ("dellink", {"ifname": "d0"}, 0),
)
"""What is asked in a round."""


def replaying(folder: Path) -> None:
    """Requests a second of a replay, without what it takes to begin; and of the daemon, which is sent the same requests
    as a pipeline of 32."""
    capture, took = folder / "replay.pcapng", []
    for rounds in (20, 400):
        asked = lives(capture, rounds)
        took.append((len(asked), measured(*NLEMU, "replay", str(capture))[0]))
    (few, short), (many, long) = took
    rate, daemon = (many - few) / (long - short), pipelined(folder / "d", asked)
    print(f"replay of {many} requests: {rate:.0f} a second, the daemon's pipeline {daemon:.0f}: {rate / daemon:.2f}")


def pipelined(directory: Path, asked: list[bytes]) -> float:
    """Requests a second of a daemon's processor time."""
    command = (*NLEMU, "serve", "--dir", str(directory))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (directory / "init" / "route").exists():
        if process.poll() is not None:
            raise SystemExit("the daemon did not start")
    begun = spent(process.pid)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(str(directory / "init" / "route"))
        waiting = 0
        for request in [*asked, None]:
            if request is not None:
                client.send(request)
                waiting += 1
            while waiting and (request is None or waiting == PIPELINE):
                waiting -= is_answer(client.recv(1 << 16))
    took = spent(process.pid) - begun
    process.terminate()
    process.wait()
    return len(asked) / took


def is_answer(datagram: bytes) -> bool:
    """Whether it is the ack or the error that ends an answer: every request asks for one."""
    return int.from_bytes(datagram[4:6], "little") == 2


def spent(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    return float(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


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
