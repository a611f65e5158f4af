"""Pairs of links: made, dumped and deleted behind the daemon's socket, and on this machine's kernel in a namespace of
its own; and many namespaces, each with one end of a pair that leases a queue of a NIC.

The daemon's are netkits and the kernel's are veths, which more kernels have; both are two devices a request.
"""

from __future__ import annotations

import ctypes
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nlemu.emulator.bench.figures import Figure
from nlemu.emulator.bench.rates import netlink
from nlemu.emulator.bench.requests import LARGEST, Refused, ask, delete, dumped, make
from nlemu.emulator.bench.servers import connect, daemon
from nlemu.emulator.kernel.devices.flags import change_flags
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.links.netkit import NetkitParams
from nlemu.emulator.kernel.queues import lease
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.uapi.netlink import NetlinkProtocol

CLONE_NEWNET = 0x40000000
NAMES = {"made": "make a pair", "dumped": "dump a link", "deleted": "delete a pair"}


def measure(pairs: int, deleted: int) -> Iterator[Figure]:
    """Microseconds for each of so many pairs; so many of them are deleted."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "d"
        with daemon(place), connect(place / "init" / "route") as sock:
            ours = work(sock, "netkit", pairs, deleted)
    theirs = on_kernel(pairs, min(deleted, 100))
    for name, taken in ours.items():
        yield Figure("links", f"{NAMES[name]} of {pairs:,}", taken, "us",
                     yardsticks={"kernel": theirs[name]} if name in theirs else {})


def work(sock: socket.socket, kind: str, pairs: int, deleted: int) -> dict[str, float]:
    """Microseconds of making a pair, of dumping a link, and of deleting a pair."""
    made = [make(kind, f"p{number}") for number in range(pairs)]
    gone = [delete(f"p{number}") for number in range(deleted)]
    for request in (make(kind, "first"), delete("first")):  # what is imported with the first of a kind is not measured
        ask(sock, request)
    clock = time.perf_counter
    start = clock()
    for request in made:
        ask(sock, request)
    taken = {"made": (clock() - start) / pairs}
    links, dump = dumped(sock.send, lambda: sock.recv(LARGEST))
    if links < 2 * pairs:
        raise Refused(f"{links} links after {pairs} pairs were made")
    start = clock()
    for request in gone:
        ask(sock, request)
    taken["deleted"] = (clock() - start) / deleted
    return {name: 1e6 * seconds for name, seconds in taken.items()} | {"dumped": dump}


def on_kernel(pairs: int, deleted: int) -> dict[str, float]:
    """The work on this machine's kernel, by a process that has a namespace of its own; nothing where that is not
    allowed, or where there are no veths."""
    command = [sys.executable, "-m", __name__, str(pairs), str(deleted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, float] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def namespaces(count_of: int) -> Iterator[Figure]:
    """So many namespaces, in this process: made with one end of a pair that leases a queue, told, and torn down."""
    machine = Machine(netdevsim="dma")
    nic = machine.netdevsim_bus.new_device(1, 1, count_of + 1).ports[0]
    change_flags(nic, nic.flags | 1)
    kind, clock = machine.kinds["netkit"], time.perf_counter
    start = clock()
    for number in range(count_of):
        net = machine.new_net(f"n{number}")
        peer = LinkParams(name="eth0", num_rx_queues=2)
        params = LinkParams(name=f"p{number}", peer_net=net, data=NetkitParams(peer_info=peer))
        end = new_link(machine.init_net, kind, params)
        inside = end.ops.get_peer(end)
        assert inside is not None
        lease.create_queue(net, inside.ifindex, nic.ifindex, number + 1, net.id_alloc(machine.init_net))
        machine.settle()
    yield Figure("namespaces", f"make one of {count_of:,}, with a pair and a lease", 1e6 * (clock() - start) / count_of,
                 "us")
    sock = Endpoint(machine, machine.init_net, NetlinkProtocol.ROUTE)
    _, dump = dumped(sock.send, lambda: sock.receive(LARGEST) or b"")
    yield Figure("namespaces", f"dump a link of {count_of:,}", dump, "us")
    start = clock()
    for number in range(count_of):
        machine.delete_net(f"n{number}")
        machine.settle()
    yield Figure("namespaces", f"tear one of {count_of:,} down", 1e6 * (clock() - start) / count_of, "us")


if __name__ == "__main__":
    if ctypes.CDLL(None).unshare(CLONE_NEWNET):
        sys.exit("a network namespace of one's own wants root")
    with netlink(NetlinkProtocol.ROUTE) as own:
        print(json.dumps(work(own, "veth", *map(int, sys.argv[1:]))))
