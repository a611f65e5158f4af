"""Measures a queue-get against an echo: same machine, same run, same client, alternating.

Round trips: one request, one answer, next request. Pipeline: 32 requests, then their 32 answers. The client is this
process, with blocking sockets and nothing else to do, so what differs is the server. Printed are medians of several
rounds, and how many times the echo's rate the daemon's is. On a busy machine the processes share a processor and the
ratios shrink: look twice.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DEPTH = 32
LARGEST = 65536

NETDEV = 20  # the family's number on the recorded machine
QUEUE_GET = 10
REQUEST, ACK = 1, 4
RTM_NEWLINK, RTM_SETLINK = 16, 19
ERROR = 2
IFF_UP = 1


def queue_get(ifindex: int, queue: int, seq: int) -> bytes:
    """netdev queue-get of a receive queue."""
    attributes = struct.pack("<HHIHHIHHI", 8, 1, queue, 8, 2, ifindex, 8, 3, 0)
    return struct.pack("<IHHIIBBH", 20 + len(attributes), NETDEV, REQUEST, seq, 0, QUEUE_GET, 1, 0) + attributes


def set_up(ifindex: int) -> bytes:
    """RTM_SETLINK: the device comes up."""
    return struct.pack("<IHHII BBHiII", 32, RTM_SETLINK, REQUEST | ACK, 1, 0, 0, 0, 0, ifindex, IFF_UP, IFF_UP)


def connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(str(path))
    return client


def control(directory: Path, step: dict[str, object]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(directory / "control"))
        client.sendall(json.dumps(step).encode() + b"\n")
        answer = json.loads(client.makefile("rb").readline())
    if "ok" not in answer:
        raise SystemExit(f"the daemon refuses {step}: {answer['error']}")


@contextmanager
def server(module: str, argument: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", f"tests.bench.{module}", str(argument)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise SystemExit(f"tests.bench.{module} did not start")
        yield
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def round_trips(client: socket.socket, request: bytes, seconds: float) -> float:
    """Round trips a second."""
    send, recv, clock = client.send, client.recv, time.perf_counter
    done, start = 0, clock()
    while (now := clock()) - start < seconds:
        for _ in range(DEPTH):
            send(request)
            recv(LARGEST)
        done += DEPTH
    return done / (now - start)


def pipeline(client: socket.socket, request: bytes, seconds: float) -> float:
    """Requests a second, DEPTH of them under way."""
    send, recv, clock = client.send, client.recv, time.perf_counter
    done, start = 0, clock()
    while (now := clock()) - start < seconds:
        for _ in range(DEPTH):
            send(request)
        for _ in range(DEPTH):
            recv(LARGEST)
        done += DEPTH
    return done / (now - start)


MEASURES: dict[str, Callable[[socket.socket, bytes, float], float]] = {"round trips": round_trips, "pipeline": pipeline}


def measure(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """By measure: the medians of the echo and the daemon, in requests a second, and their ratio."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(server("echo", place / "echo"))
        stack.enter_context(server("daemon", place / "daemon"))
        control(place / "daemon", {"nsim_new": [10, 1, 4]})
        ifindex = 2
        with connect(place / "daemon" / "init" / "route") as route:
            route.send(set_up(ifindex))
            _expect(route.recv(LARGEST), ERROR)
        clients = {
            "echo": stack.enter_context(connect(place / "echo")),
            "daemon": stack.enter_context(connect(place / "daemon" / "init" / "generic")),
        }
        request = queue_get(ifindex, 0, 1)
        clients["daemon"].send(request)
        _expect(clients["daemon"].recv(LARGEST), NETDEV)
        rates: dict[str, dict[str, list[float]]] = {name: {"echo": [], "daemon": []} for name in MEASURES}
        for _ in range(rounds):
            for name, run in MEASURES.items():
                for side, client in clients.items():
                    rates[name][side].append(run(client, request, seconds))
    table: dict[str, dict[str, float]] = {}
    for name, sides in rates.items():
        # Of each round by itself: what else the machine did then, it did to both.
        ratios = [daemon / echo for echo, daemon in zip(sides["echo"], sides["daemon"], strict=True)]
        table[name] = {side: round(statistics.median(values)) for side, values in sides.items()}
        table[name]["ratio"] = round(statistics.median(ratios), 2)
    return table


def _expect(answer: bytes, kind: int) -> None:
    """The answer has to be a message of that type, and an ack must be no error."""
    _, found, _, _, _, code = struct.unpack_from("<IHHIIi", answer)
    if found != kind or (kind == ERROR and code):
        raise SystemExit(f"an unexpected answer: {answer.hex()}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.2, help="how long each time (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    table = measure(options.rounds, options.seconds)
    if options.json:
        print(json.dumps(table))
        return
    print(f"{'a second':<12} {'echo':>9} {'queue-get':>9} {'ratio':>6}")
    for name, row in table.items():
        print(f"{name:<12} {row['echo']:>9.0f} {row['daemon']:>9.0f} {row['ratio']:>6.2f}")


if __name__ == "__main__":
    main()
