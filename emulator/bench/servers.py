"""Whom is spoken to: a daemon, and servers that send every datagram back, each in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BLOCKING = """
import os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print("nlemu: serving", file=sys.stderr, flush=True)
    client, _ = listener.accept()
    while datagram := client.recv(65536):
        client.send(datagram)
"""
"""The least that a server in Python can be: one client, and nothing else."""

ECHOES = {"trio echo": ("-m", "nlemu.emulator.daemon.echo"), "blocking echo": ("-c", BLOCKING)}


class DidNotStart(Exception):
    """A server did not start: one line."""


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python that says a line on its standard error when it can be reached, until the block ends."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        assert server.stderr is not None
        try:
            said = server.stderr.readline()
            if not said.startswith("nlemu: serving"):
                raise DidNotStart(f"{' '.join(arguments)}: {said.strip() or 'it said nothing'}")
            yield server
        finally:
            server.terminate()


@contextmanager
def daemon(place: Path) -> Iterator[subprocess.Popen[str]]:
    """`nlemu serve` on that directory."""
    with process("-m", "nlemu", "serve", "--dir", os.fspath(place)) as server:
        yield server


@contextmanager
def echo(name: str, place: Path) -> Iterator[socket.socket]:
    """A connection to one of ECHOES, which listens at that path."""
    with process(*ECHOES[name], os.fspath(place)), connect(place) as client:
        yield client


def connect(path: Path) -> socket.socket:
    """A connection that keeps datagrams apart."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(os.fspath(path))
    return client


def resident(pid: int) -> int:
    """How many bytes of memory a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")
