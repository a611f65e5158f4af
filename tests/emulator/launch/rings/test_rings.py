"""io_urings that receive, as programs have them, line by line as on Linux.

`7.2.13.txt` is what programs/rings.py printed there, on Linux 7.2.13 configured as distributions do, whose netdevsim
has a DMA device.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("7.2.13.txt").read_text().splitlines()
WORLD = nobody.ROOT / "fixtures/worlds/receive.toml"


def told(script: str = nobody.MAIN, *options: str) -> list[str]:
    """With a netdevsim that has a DMA device."""
    return nobody.answers("rings", script, ["--netdevsim", "dma", *options])


def test_every_question_is_answered_as_on_linux() -> None:
    assert told() == RECORDED


def test_a_queue_is_taken_as_long_as_somebody_has_the_ring() -> None:
    """A child has it too, and a mapping keeps it; while it is taken, the NIC keeps its channels."""
    nobody.need("ethtool")
    script = """
import subprocess
nic = make_nic()
fewer = ["ethtool", "-L", "eth0", "combined", "2"]
first, second = ring(RECEIVES)[0], ring(RECEIVES)[0]
stay, go = os.pipe()
say(isinstance(register(first, nic, 3), tuple), register(second, nic, 3))
if not (child := os.fork()):
    os.close(go)
    os.read(stay, 1)
    os._exit(0)
mapping = mmap.mmap(first, PAGE, mmap.MAP_SHARED, offset=0)
os.close(first)
say(register(second, nic, 3), subprocess.run(fewer, capture_output=True).returncode)
os.close(go)
os.waitpid(child, 0)
say(register(second, nic, 3))
mapping.close()
say(isinstance(register(second, nic, 3), tuple))
os.close(second)
say(subprocess.run(fewer, capture_output=True).returncode)
"""
    assert told(script) == ["rings-set 0", "True EEXIST", "EEXIST 1", "EEXIST", "True", "0"]


def test_the_namespace_is_that_of_the_caller() -> None:
    """Not where the ring was made."""
    script = """
nic = make_nic()
one = int(ring(RECEIVES)[0])
libc.unshare(0x40000000)
say(register(one, nic, 3))
"""
    assert told(script) == ["rings-set 0", "ENODEV"]


def test_a_leased_queue_is_registered_from_the_lessee() -> None:
    """What all this is for: a pod that has one queue of a NIC, by its netkit device."""
    script = """
with open("/sys/class/net/nk0/ifindex") as file:
    nk0 = int(file.read())
one = int(ring(RECEIVES)[0])
say(register(one, nk0, 0), isinstance(register(one, nk0, 1), tuple), register(one, nk0, 1))
"""
    assert told(script, "--world", str(WORLD), "--netns", "pod") == ["ENOTSUP True EEXIST"]
