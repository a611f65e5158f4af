"""XDP programs and their links as programs have them, line by line as on Linux.

`7.2.13.txt` is what programs/bpf.py printed there, on Linux 7.2.13 configured as distributions do. Here nobody runs it,
who may load nothing into this machine's kernel.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("7.2.13.txt").read_text().splitlines()


def test_every_question_is_answered_as_on_linux() -> None:
    assert nobody.answers("bpf") == RECORDED


def test_a_link_lives_as_long_as_somebody_has_it() -> None:
    """Also one that was handed over, and one whose maker is gone."""
    script = """
veth = make("xdp0", b"veth")
told = Told(number_of(load()))
stay, go = os.pipe()
made, answer = os.pipe()
if not (child := os.fork()):
    os.close(go)
    os.write(answer, str(link(load(), veth)).encode())
    os.read(stay, 1)
    os._exit(0)
os.read(made, 8)
say(told.of(veth))
os.close(go)
os.waitpid(child, 0)
say(told.of(veth))
ours, theirs = socket.socketpair()
one = link(load(), veth)
socket.send_fds(ours, [b"x"], [int(one)])
os.close(int(one))
say(told.of(veth))
theirs.close()
say(told.of(veth))
"""
    assert nobody.answers("bpf", script) == ["5:1 2:01 4:1", "2:00", "5:2 2:01 4:2", "2:00"]


def test_who_has_lost_the_right_loads_nothing() -> None:
    """But may attach what there is, as on Linux."""
    script = """
veth, whole = make("xdp0", b"veth"), load()
os.setresuid(1000, 1000, 1000)
say(load(), isinstance(link(whole, veth), int))
"""
    assert nobody.answers("bpf", script) == ["EPERM True"]
