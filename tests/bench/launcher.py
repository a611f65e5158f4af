"""Measures `nlemu run`: a call that is handed over, a round trip that is not, and the start.

    python -m tests.bench.launcher [--rounds N]

A call handed over: getsockname() of a netlink socket, beside that of an ordinary one, which is looked at and let
through, and getppid(), which is neither; and a short write to the standard output, with and without `nlemu run`. A
round trip: a getfamily by send() and recv(), on a netlink socket under `nlemu run`, and on the daemon's own Unix
socket, one after the other in every round. The start: `nlemu run -- true` to its end, and `nlemu serve` until it can
be reached. All of it again with `nlemu run --dir`, where the daemon answers. Medians, in microseconds and seconds; on
a busy machine look twice.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLIENT = """
import json, os, socket, struct, sys, time
COUNT = 3000
attribute = struct.pack("=HHHxx", 6, 1, 16)
request = struct.pack("=IHHIIBBH", 28, 16, 1, 1, 0, 3, 2, 0) + attribute
def timed(call):
    best = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(COUNT):
            call()
        best.append((time.perf_counter() - start) / COUNT * 1e6)
    return min(best)
def trip():
    sock.send(request)
    sock.recv(65536)
def written():
    kept = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    took = timed(lambda: os.write(1, b"x"))
    os.dup2(kept, 1)
    return took
if sys.argv[1] == "netlink":
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    sock.bind((0, 0))
    other = socket.socket()
    print(json.dumps({"trapped": timed(sock.getsockname), "ordinary": timed(other.getsockname), "trip": timed(trip),
                      "write": written(), "untouched": timed(os.getppid),
                      "recvmsg": timed(lambda: (sock.send(request), sock.recvmsg(65536)))}))
else:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(sys.argv[1])
    print(json.dumps({"raw": timed(trip), "plain write": written()}))
"""
NLEMU = [sys.executable, "-m", "nlemu"]


def client(*prefix: str, argument: str) -> dict[str, float]:
    """What the client measures, run by that command."""
    done = subprocess.run([*prefix, sys.executable, "-c", CLIENT, argument], capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def start_of_run(*options: str) -> float:
    begin = time.perf_counter()
    subprocess.run([*NLEMU, "run", *options, "--", "true"], check=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures nlemu run.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place:
        for index in range(rounds):
            directory = Path(place) / str(index)
            begin = time.perf_counter()
            daemon = subprocess.Popen([*NLEMU, "serve", "--dir", str(directory)], stderr=subprocess.PIPE)
            try:
                assert daemon.stderr is not None
                daemon.stderr.readline()
                found.setdefault("serve", []).append(time.perf_counter() - begin)
                measured = client(argument=str(directory / "init" / "generic"))
                options = "--dir", str(directory)
                shared = client(*NLEMU, "run", *options, "--", argument="netlink")
                measured |= {f"{name}, --dir": value for name, value in shared.items()}
                measured["run, --dir"] = start_of_run(*options)
            finally:
                daemon.terminate()
                daemon.communicate()
            measured |= client(*NLEMU, "run", "--", argument="netlink")
            for name, value in (*measured.items(), ("run", start_of_run())):
                found.setdefault(name, []).append(value)
    median = {name: statistics.median(values) for name, values in found.items()}
    for how in ("", ", --dir"):
        names = ("trapped", "ordinary", "untouched", "write", "trip", "recvmsg", "run")
        of = {name: median[name + how] for name in names}
        print(f"nlemu run{how.replace(',', '')}")
        print(f"  a call handed over      {of['trapped']:8.1f} us   looked at and let through {of['ordinary']:.1f} us, "
              f"neither {of['untouched']:.2f} us")
        print(f"  a write to stdout       {of['write']:8.1f} us   without nlemu run {median['plain write']:.1f} us")
        print(f"  send and recv           {of['trip']:8.1f} us   on the daemon's socket {median['raw']:.1f} us: "
              f"{median['raw'] / of['trip']:.2f} of its rate")
        print(f"  send and recvmsg        {of['recvmsg']:8.1f} us")
        print(f"  nlemu run -- true       {of['run']:8.3f} s    nlemu serve {median['serve']:.3f} s: "
              f"{of['run'] / median['serve']:.2f} times")


if __name__ == "__main__":
    main()
