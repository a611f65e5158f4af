"""A fault that closes a program's socket from the other side: it reads an end, waiting or not, and can open another."""

from __future__ import annotations

import os
import tempfile

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

WORLD = """\
[[fault]]
fault = "route.newlink"
hang_up = "WHEN"
"""
PROGRAM = """\
import os, signal, socket, struct
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
name = b"red" + bytes(1)
kind = struct.pack("=HH", 10, 1) + b"dummy" + bytes(1) + bytes(2)
attributes = struct.pack("=HH", 8, 3) + name + struct.pack("=HH", 4 + len(kind), 18) + kind
body = bytes(16) + attributes
request = struct.pack("=IHHII", 16 + len(body), 16, 0x605, 1, 0) + body
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
sock.bind((0, 0))
sock.send(request)
print(sock.recv(4096), WAITS)
print(os.path.exists("/sys/class/net/red"))
other = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
other.send(request)
print(struct.unpack_from("=i", other.recv(4096), 16)[0])
"""


@pytest.mark.parametrize(("when", "made", "errno"), [("asked", False, 0), ("done", True, -17)])
def test_a_program_reads_an_end(when: str, made: bool, errno: int) -> None:
    program = PROGRAM.replace("WAITS", "sock.recv(4096, socket.MSG_DONTWAIT)")
    with tempfile.NamedTemporaryFile("w", suffix=".toml", dir="/tmp") as world:  # where everybody may read
        os.fchmod(world.fileno(), 0o644)
        world.write(WORLD.replace("WHEN", when))
        world.flush()
        done = nobody.nlemu("run", "--world", world.name, "--", nobody.python(), "-c", program)
    assert done.stdout.splitlines() == ["b'' b''", str(made), str(errno)], done.stderr
