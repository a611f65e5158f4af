"""Measures a lease and a bind on a NIC of 4 queues and on one of 1,024: they should cost the same.

In this process: a queue is leased to a netkit device, a program binds to it through the lease and lets go again, and
the lease ends with its device. The NIC is up, as a netdevsim and as a real one. Printed are the medians in
microseconds, and how many times the small NIC's cost the large one's is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.flags import change_flags
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import delete_link, new_link
from nlemu.emulator.kernel.links.netkit import NetkitParams
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.kernel.queues import devmem, lease, zcrx
from nlemu.emulator.kernel.queues.xsk import Rings, Umem, XdpSocket
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.uapi.ethtool import TcpDataSplit
from nlemu.protocol.uapi.if_link import NetkitPairing
from nlemu.protocol.uapi.if_xdp import XDP

SIZES = (4, 1024)


class Bench:
    """A machine with one NIC of that many queues, and a netkit device that leases its third queue."""

    def __init__(self, kind: str, queues: int) -> None:
        self.machine = Machine(netdevsim="dma")
        self.net = self.machine.init_net
        if kind == "netdevsim":
            self.machine.netdevsim_bus.new_device(1, 1, queues)
        else:
            self.machine.nics.plug("0000:08:00.0", PROFILES[kind], self.net, queues=queues)
        nic = self.net.device(2)
        assert nic is not None
        self.nic: Device = nic
        change_flags(nic, nic.flags | 1)
        nic.cfg.hds_config = TcpDataSplit.ENABLED
        self.turn = 0
        self.lessee = self.netkit()
        lease.create_queue(self.net, self.lessee.ifindex, 2, 2)
        self.machine.settle()

    def netkit(self) -> Device:
        params = LinkParams(num_rx_queues=2, data=NetkitParams(pairing=NetkitPairing.SINGLE))
        return new_link(self.net, self.machine.kinds["netkit"], params)

    def lease(self) -> float:
        """A lease alone; its device comes before and goes after."""
        dev = self.netkit()
        self.machine.settle()
        start = time.perf_counter()
        lease.create_queue(self.net, dev.ifindex, 2, 3)
        cost = time.perf_counter() - start
        delete_link(dev)
        self.machine.settle()
        return cost

    def af_xdp(self) -> float:
        start = time.perf_counter()
        sock = XdpSocket(self.net, Rings(64, 64, 64, 64))
        sock.set_umem(Umem())
        sock.bind(self.lessee.ifindex, 1, XDP.ZEROCOPY)
        sock.close()
        return time.perf_counter() - start

    def io_uring(self) -> float:
        start = time.perf_counter()
        zcrx.register(self.net, self.lessee.ifindex, 1).close()
        return time.perf_counter() - start

    def plain(self) -> float:
        """io_uring on a queue that nobody leases, another one each time."""
        self.turn = (self.turn + 1) % self.nic.real_num_rx_queues
        if self.turn in (2, 3):
            self.turn = 0
        start = time.perf_counter()
        zcrx.register(self.net, 2, self.turn).close()
        return time.perf_counter() - start

    def dmabuf(self) -> float:
        start = time.perf_counter()
        memory = self.machine.devmem
        memory.unbind(memory.bind_rx(self.lessee, [1], devmem.Dmabuf(), self))
        return time.perf_counter() - start


MEASURES: dict[str, Callable[[Bench], float]] = {
    "lease": Bench.lease,
    "AF_XDP": Bench.af_xdp,
    "io_uring": Bench.io_uring,
    "any queue": Bench.plain,
    "dmabuf": Bench.dmabuf,
}


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """By NIC and measure: the medians of either size in microseconds, and their ratio."""
    table = {}
    for kind in ("netdevsim", "mlx5_core"):
        benches = {size: Bench(kind, size) for size in SIZES}
        for name, run in MEASURES.items():
            costs: dict[int, list[float]] = {size: [] for size in SIZES}
            for _ in range(rounds):
                for size, bench in benches.items():
                    costs[size].append(run(bench))
            small, large = (statistics.median(costs[size]) * 1e6 for size in SIZES)
            table[f"{kind} {name}"] = {"4": round(small, 1), "1024": round(large, 1), "ratio": round(large / small, 2)}
    return table


def main() -> None:
    about = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.bench.queues", description=about)
    parser.add_argument("--rounds", type=int, default=500, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    table = measure(options.rounds)
    if options.json:
        print(json.dumps(table))
        return
    print(f"{'microseconds':<20} {'4 queues':>9} {'1,024':>9} {'ratio':>6}")
    for name, row in table.items():
        print(f"{name:<20} {row['4']:>9.1f} {row['1024']:>9.1f} {row['ratio']:>6.2f}")


if __name__ == "__main__":
    main()
