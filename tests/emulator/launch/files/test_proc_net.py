"""Every file below /proc/net of a new network namespace, line by line as on Linux.

`proc_net-7.2.13.txt` is what programs/proc_net.py printed there, on Linux 7.2.13 configured as distributions do.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("proc_net-7.2.13.txt").read_text().splitlines()
NOT_EMULATED = (
    "can/", "ip_vs", "pfkey", "netfilter/", "protocols", "stat/", "fib_triestat",
)
"""Of subsystems that are not emulated; and what tells how large the kernel's own structures are."""
PROGRAM = (nobody.PROGRAMS / "proc_net.py").read_text()


def told(lines: list[str]) -> list[str]:
    """The lines that are compared."""
    return [
        line for line in lines
        if not line.removeprefix("file ").startswith(NOT_EMULATED) and not re.search(r"can\w*_rcv", line)
    ]


def test_every_file_is_as_on_linux() -> None:
    nobody.need("unshare")
    got = nobody.run("unshare", "-n", nobody.python(), "-c", PROGRAM).splitlines()
    assert told(got) == told(RECORDED)
    assert got == told(got)


def test_nothing_there_is_this_machines() -> None:
    """By whatever way: of threads, by a directory that was opened, from within."""
    script = """
import os, socket
listening = socket.create_server(("127.0.0.1", 0))
where = ["/proc/net", "/proc/self/net", f"/proc/{os.getpid()}/task/{os.getpid()}/net", "/proc/thread-self/net",
         "/proc/self/root/proc/net", "//proc//net"]
names = [sorted(os.listdir(place)) for place in where]
print(len({str(one) for one in names}), len(names[0]) > 40, "nf_conntrack" in names[0])
folder = os.open("/proc/self/net", os.O_RDONLY | os.O_DIRECTORY)
print(open(os.open("tcp", os.O_RDONLY, dir_fd=folder)).read().count(chr(10)))
print([open(place + "/tcp").read().count(chr(10)) for place in where])
os.chdir("/proc/self/net")
print(open("unix").read().count(chr(10)), open("dev_snmp6/lo").readline().split())
for name in ("nf_conntrack", "ip_tables_names", "dev_snmp6/eth0", "stat"):
    try:
        open(name)
    except OSError as error:
        print(name, error.errno)
print(os.path.islink("/proc/net"), os.readlink("/proc/net"))
"""
    assert nobody.run(nobody.python(), "-c", script).splitlines() == [
        "1 True False", "1", "[1, 1, 1, 1, 1, 1]", "1 ['ifIndex', '1']", "nf_conntrack 2", "ip_tables_names 2",
        "dev_snmp6/eth0 2", "stat 2", "True self/net",
    ]


def test_vlans_are_listed() -> None:
    nobody.need("ip")
    got = nobody.shell(
        "ip link add d0 type dummy; ip link add link d0 name d0.7 type vlan id 7; tail -n +3 /proc/net/vlan/config"
    )
    assert got == "d0.7           | 7  | d0\n"


def test_netlink_sockets_are_listed() -> None:
    """With what waits in them, and how much was lost."""
    script = """
import os, socket, struct
s = socket.socket(16, 3, 0)
s.bind((0, 0))
s.setsockopt(1, 8, 4096)
s.setsockopt(270, 1, 1)
for seq in range(40):
    s.send(struct.pack("=IHHIIBxHiII", 32, 19, 5, seq, 0, 0, 0, 1, 0, 0))
t = socket.socket(16, 3, 0)
rows = [line.split() for line in open("/proc/net/netlink").read().splitlines()]
mine = [row for row in rows if row[2] == str(os.getpid())]
print(len(mine), mine[0][1], mine[0][3], 0 < int(mine[0][4]) <= 8192, int(mine[0][8]) > 0,
      int(mine[0][9]) == os.fstat(s.fileno()).st_ino, [row[1] for row in rows if row[2] == "0"])
print(open("/proc/net/sockstat").readline())
"""
    got = nobody.run(nobody.python(), "-c", script).splitlines()
    assert got[0] == "1 0 00000001 True True True ['0', '4', '6', '10', '11', '12', '15', '16']"
    assert got[1] == "sockets: used 1"
