"""Who a task is, as /proc/PID/status tells it: what Linux 7.2.13 printed for the same commands, as root."""

from __future__ import annotations

import pytest

from nlemu.emulator.launch.files.status import lines
from nlemu.emulator.launch.trap.credentials import Cred, UserNamespace
from tests.emulator.launch import nobody

NO_GROUPS = "Groups:\t "
ROOT = f"""Uid:\t0\t0\t0\t0
Gid:\t0\t0\t0\t0
{NO_GROUPS}
CapInh:\t0000000000000000
CapPrm:\t000001ffffffffff
CapEff:\t000001ffffffffff
CapBnd:\t000001ffffffffff
CapAmb:\t0000000000000000
"""
NOBODY = f"""Uid:\t65534\t65534\t65534\t65534
Gid:\t0\t0\t0\t0
{NO_GROUPS}
CapInh:\t0000000000000000
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapBnd:\t000001ffffffffff
CapAmb:\t0000000000000000
"""
TOLD = "grep -E '^(Uid|Gid|Groups|Cap...):' /proc/self/status"


@pytest.mark.usefixtures("supervision")
@pytest.mark.parametrize(
    ("command", "told"),
    [
        (TOLD, ROOT), (f'unshare -Ur sh -c "{TOLD}"', ROOT),
        (f'setpriv --reuid 65534 --clear-groups sh -c "{TOLD}"', NOBODY),
    ],
)
def test_who_a_program_is(command: str, told: str) -> None:
    assert nobody.shell(command) == told


@pytest.mark.usefixtures("supervision")
def test_of_others_and_of_threads_and_of_many_at_once() -> None:
    """Of another program, of one that ends, of one's own threads; and each reads its own."""
    script = """
import os, signal, threading
def ids(path):
    return [line.split()[1] for line in open(path) if line.startswith(("Uid", "CapEff"))]
child = os.fork()
if not child:
    os.setresuid(1234, 1234, 1234)
    mine = open("/proc/self/status")
    signal.pause()
while ids(f"/proc/{child}/status")[0] != "1234":
    os.sched_yield()
kept = open("/proc/self/status")
print(ids(f"/proc/{child}/status"), ids(f"/proc/{child}/task/{child}/status"), flush=True)
os.kill(child, 9); os.waitpid(child, 0)
if not os.fork():
    os.setresuid(77, 77, 77)
    print(ids("/proc/self/status"), flush=True)
    os._exit(0)
os.wait()
print([line.split()[1] for line in kept if line.startswith("Uid")])
def tell():
    print(ids("/proc/thread-self/status"), ids(f"/proc/self/task/{threading.get_native_id()}/status"))
thread = threading.Thread(target=tell)
thread.start(); thread.join()
"""
    everything = "000001ffffffffff"
    assert nobody.run(nobody.python(), "-c", script).splitlines() == [
        "['1234', '0000000000000000'] ['1234', '0000000000000000']", "['77', '0000000000000000']", "['0']",
        f"['0', '{everything}'] ['0', '{everything}']",
    ]


def test_ids_are_called_as_the_reader_calls_them() -> None:
    space = UserNamespace()
    owner = Cred.root(space)
    inner = UserNamespace(space, 1000)
    inner.users = ((0, 1000, 1),)
    assert lines(owner, inner)["Uid"] == "Uid:\t65534\t65534\t65534\t65534\n"
    assert lines(owner.with_uids((1000, 1000, 1000, 1000)), inner)["Uid"] == "Uid:\t0\t0\t0\t0\n"
