"""The services of docker/compose.yaml, each in a sandbox, run by an ordinary user on what compose.yaml says."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Iterator

import pytest

from tests.containers.arrangement import Engine, engine, health_check, services
from tests.emulator.launch import nobody

PROBE = """
import os, socket, stat

# Every socket that there is, wherever it lies.
for top in sorted(os.listdir("/")):
    if top in ("proc", "dev", "usr", "opt"):
        continue
    found = [os.path.join(place, name) for place, _, names in os.walk("/" + top) for name in names]
    for path in sorted(found):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            print(path)

# And no way around.
for path in ("/run/nlemu/control", "/run/netlink/control", "/run/netlink/../control", "/run/netlink/../red/route",
             "/run/netlink/../blue/route", "/proc/1/root/run/nlemu/control", "\\0/run/nlemu/control"):
    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(path)
        except OSError:
            continue
        print("reached", path)
"""

MOVE = """
import os, struct, sys
sys.path.insert(0, "/")
from client import *
sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sock.connect("/run/netlink/route")
os.open("/run/netlink", os.O_RDONLY)
NET_NS_PID, NET_NS_FD = 19, 28
for kind in (NET_NS_FD, NET_NS_PID):
    for number in range(64):
        try:
            list(ask(sock, NEWLINK, ACK, IFINFO[:4] + struct.pack("=i", 2) + IFINFO[8:]
                     + attribute(kind, struct.pack("=I", number))))
        except OSError:
            continue
        print("moved", kind, number)
main("/run/netlink")
"""


@pytest.fixture(scope="module")
def place() -> Iterator[pathlib.Path]:
    """A directory that everybody may look into, with a short path."""
    with tempfile.TemporaryDirectory(prefix="nlemu-") as directory:
        pathlib.Path(directory).chmod(0o755)
        yield pathlib.Path(directory)


@pytest.fixture(scope="module")
def running(place: pathlib.Path) -> Iterator[Engine]:
    """The daemon, healthy, and the namespaces made."""
    made = engine(place)
    daemon = made.start("daemon")
    try:
        assert daemon.process.stderr is not None
        assert daemon.process.stderr.readline() == "nlemu: serving /run/nlemu\n"
        assert made.run("daemon", *health_check())[0] == 0
        assert made.run("namespaces") == (0, "", "")
        yield made
    finally:
        status = daemon.stop()
    assert status == 0
    assert not list(made.volume("sockets").iterdir()), "nothing is left in the volume"


def test_each_sees_its_own_devices(running: Engine) -> None:
    assert running.run("red") == (0, "1 lo\n2 red0\n", "")
    assert running.run("blue") == (0, "1 lo\n2 blue0\n", "")
    again = services()["red"]["entrypoint"]
    assert running.run("red", *again) == (0, "1 lo\n2 red0\n", "")


def test_the_daemon_sees_them_all(running: Engine) -> None:
    status, output, _ = running.run("namespaces", "nlemu", "ctl", "netns", "list")
    assert status == 0
    assert [line.split()[0] for line in output.splitlines()[1:]] == ["init", "red", "blue"]


def test_it_is_an_ordinary_user(running: Engine) -> None:
    status, output, errors = running.run("red", "python", "-c", "import os; print(os.getuid() != 0)")
    assert (status, output) == (0, "True\n"), errors


@pytest.mark.parametrize("name", ["red", "blue"])
def test_nothing_else_can_be_reached(running: Engine, name: str) -> None:
    assert running.run(name, "python", "-c", PROBE) == (0, "/run/netlink/generic\n/run/netlink/route\n", "")


def test_the_probe_can_find_more(running: Engine) -> None:
    """In the daemon's own volume it does: so it looks in the right places."""
    status, output, _ = running.run("namespaces", "python", "-c", PROBE)
    assert status == 0
    sockets = {f"/run/nlemu/{name}/route" for name in ("init", "red", "blue")}
    assert set(output.splitlines()) > sockets | {"/run/nlemu/control", "reached /run/nlemu/control"}


def test_a_message_cannot_name_what_is_outside(running: Engine) -> None:
    """Neither a descriptor nor a process of the sender means anything to a daemon in another container."""
    running.run("blue")
    assert running.run("blue", "python", "-B", "-c", MOVE) == (0, "1 lo\n2 blue0\n", "")


def test_programs_that_only_know_netlink(running: Engine) -> None:
    """Without NLEMU_DIR they have a kernel of their own; the daemon cannot see their processes, and is said not to."""
    nobody.need("ip")
    status, output, errors = running.run("red", "env", "-u", "NLEMU_DIR", "nlemu", "run", "--", "ip", "-o", "link")
    assert (status, errors) == (0, ""), errors
    assert [line.split(":")[1] for line in output.splitlines()] == [" lo"]
    status, output, errors = running.run("namespaces", "nlemu", "run", "--dir", "/run/nlemu", "--", "ip", "link")
    assert (status, output) == (1, "")
    assert errors.startswith("nlemu run: the daemon does not supervise")


def test_starting_again(running: Engine) -> None:
    """What makes the namespaces finds them made."""
    assert running.run("namespaces") == (0, "", "")


def test_no_health_without_a_daemon(place: pathlib.Path, running: Engine) -> None:
    elsewhere = Engine(place / "image", running.image, running.proc)
    status, _, errors = elsewhere.run("daemon", *health_check())
    assert status == 5 and errors.startswith("nlemu ctl: no daemon serves /run/nlemu")
