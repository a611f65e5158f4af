"""AF_XDP sockets as programs have them, line by line as on Linux.

`7.2.13.txt` is what programs/xsk.py printed there, on Linux 7.2.13 configured as distributions do.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("7.2.13.txt").read_text().splitlines()
WORLD = nobody.ROOT / "fixtures/worlds/receive.toml"


def test_every_question_is_answered_as_on_linux() -> None:
    assert nobody.answers("xsk") == RECORDED


def test_a_leased_queue_is_bound_with_zero_copy() -> None:
    """A pod binds the queue that it has of a NIC, by its netkit device; the one that it has of nobody it cannot."""
    script = """
nk0 = socket.if_nametoindex("nk0")
up(nk0)
one = whole()
say(bind(whole(), nk0, 0, ZEROCOPY), bind(one, nk0, 1, ZEROCOPY | WAKEUP), get(one, OPTIONS, 4))
say(called(libc.sendto(one, None, 0, 0x40, None, 0)), bind(whole(), nk0, 1))
"""
    told = nobody.answers("xsk", script, ["--world", str(WORLD), "--netns", "pod"])
    assert told == ["ENOTSUP 0 4:01000000", "0 EBUSY"]


def test_a_socket_that_was_handed_over() -> None:
    """As device plugins hand it to a pod: who gets it maps its rings, asks it, and keeps its queue."""
    script = """
veth = make("x0", b"veth")
ours, theirs = socket.socketpair()
stay, go = os.pipe()
if not os.fork():
    os.close(go)
    fd = socket.recv_fds(theirs, 1, 1)[1][0]
    mapped = mmap.mmap(fd, PAGE, mmap.MAP_SHARED, offset=AT[TX])
    say(mapped[196], get(fd, OPTIONS, 4), bind(fd, veth), str(get(fd, MMAP_OFFSETS, 200))[:4])
    theirs.send(b"x")
    os.read(stay, 1)
    os._exit(0)
fd = whole()
say(bind(fd, veth))
socket.send_fds(ours, [b"x"], [fd])
os.close(fd)
ours.recv(1)
say(bind(whole(), veth))
os.close(go)
os.wait()
say(bind(whole(), veth))
"""
    assert nobody.answers("xsk", script) == ["0", "1 4:00000000 EBUSY 128:", "EBUSY", "0"]


def test_it_lives_in_the_namespace_where_it_was_opened() -> None:
    nobody.need("ip")
    script = """
fd = whole()
veth = make("x0", b"veth")
libc.unshare(0x40000000)
say(bind(fd, veth), bind(whole(), veth))
"""
    assert nobody.answers("xsk", script) == ["0 ENODEV"]


def test_who_may_not_have_raw_sockets_has_none() -> None:
    script = "os.setresuid(1000, 1000, 1000)\nsay(xsk(), xsk(socket.SOCK_DGRAM))"
    assert nobody.answers("xsk", script) == ["EPERM EPERM"]
