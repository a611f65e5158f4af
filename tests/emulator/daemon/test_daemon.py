"""The daemon as a process: signals, the lock, and what a killed one leaves to the next."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.emulator.daemon.edge import NLCTRL, PATIENCE, getfamily, type_of

RUN = """
import sys
from nlemu.emulator.daemon import server
try:
    server.run(sys.argv[1], ready=lambda: print("ready", flush=True))
except server.DirectoryError as error:
    sys.exit(str(error))
"""


@contextmanager
def process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    daemon = subprocess.Popen(
        [sys.executable, "-c", RUN, str(directory)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield daemon
    finally:
        daemon.kill()
        daemon.communicate()


def ready(daemon: subprocess.Popen[str]) -> None:
    assert daemon.stdout is not None and daemon.stdout.readline() == "ready\n"


def ask(directory: Path) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(PATIENCE)
        client.connect(str(directory / "init" / "generic"))
        client.send(getfamily())
        return client.recv(65536)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_nothing_is_left(place: Path, number: signal.Signals) -> None:
    with process(place / "d") as daemon:
        ready(daemon)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(PATIENCE)
            client.connect(str(place / "d" / "init" / "generic"))
            client.send(getfamily())
            assert type_of(client.recv(65536)) == NLCTRL
            daemon.send_signal(number)
            out, err = daemon.communicate(timeout=PATIENCE)
            assert (daemon.returncode, out, err) == (0, "", "")
            assert client.recv(1) == b""
        assert list(place.iterdir()) == []


def test_a_signal_ends_it_while_clients_ask_without_a_pause(place: Path) -> None:
    """And while none of them reads: nothing that a client does holds the end up."""
    with process(place / "d") as daemon:
        ready(daemon)
        clients = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(8)]
        for client in clients:
            client.connect(str(place / "d" / "init" / "generic"))
            client.setblocking(False)
        asked = 0
        while daemon.poll() is None:
            for client in clients:
                with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                    client.send(getfamily())
                    asked += 1
            if asked > 4000 and not daemon.returncode:
                daemon.terminate()
                asked = -(1 << 60)
        assert daemon.returncode == 0
        for client in clients:
            client.close()
        assert list(place.iterdir()) == []


def test_a_killed_daemons_directory_is_taken_over(place: Path) -> None:
    with process(place / "d") as daemon:
        ready(daemon)
        with process(place / "d") as second:
            _, err = second.communicate(timeout=PATIENCE)
            assert second.returncode == 1
            assert err == f"{place / 'd'}: another daemon serves this directory\n"
        assert type_of(ask(place / "d")) == NLCTRL
        daemon.kill()
        daemon.wait(PATIENCE)
        assert (place / "d" / "control").exists(), "a killed daemon leaves its sockets"
        with process(place / "d") as third:
            ready(third)
            assert type_of(ask(place / "d")) == NLCTRL
            third.send_signal(signal.SIGTERM)
            third.communicate(timeout=PATIENCE)
        assert [path.name for path in place.rglob("*")] == ["d"], "it was there before the third came"
