"""Walks of programs: random users of random queues, on the emulator and on Linux with a netdevsim that can do DMA.

`python -m tests.conformance.programs --kernel bzImage-dma`. Two namespaces; NICs, netkit pairs and single ones come,
go, move, go down and up and change their queues while AF_XDP sockets, io_urings, XDP programs and dmabufs bind to
them, mostly where they may. Every walk has a guest of its own, for the kernel's ids of programs and dmabufs go on.

Device memory for sending is left out: unplugging its NIC crashes the kernel when its socket is closed.
"""

from __future__ import annotations

import argparse
import errno
import json
import pathlib
import random
import sys
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any

from fixtures.recorder import encode as e
from fixtures.recorder.guest import GuestError
from nlemu.emulator.kernel.core.build import DEFAULT, Build
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.queues.xsk import XdpSocket
from nlemu.emulator.machine.machine import Machine
from tests.conformance.compare import FAMILIES, Comparison, compare
from tests.conformance.machines import Emulator, Fields, Linux, Outcome
from tests.conformance.run import found

NETS = ("init", "b")
SETTLE = 2.5
NETDEV, ETHTOOL = FAMILIES["netdev"], FAMILIES["ethtool"]
ASK = e.REQUEST | e.ACK
FEATURES_GET, RINGS_GET, RINGS_SET, CHANNELS_GET, CHANNELS_SET = 11, 15, 16, 17, 18


class ProgramWalk:
    """One walk. `step()` makes and performs the next step on the emulator."""

    def __init__(self, seed: int, build: Build = DEFAULT) -> None:
        self.rng = random.Random(seed)
        self.emulator = Emulator(Machine(netdevsim="dma", build=build))
        self.machine = self.emulator.machine
        self.steps: list[dict[str, Any]] = []
        self.outcomes: list[Outcome] = []
        self.seq = self.names = 0
        self.perform(netns="b", settle=1)
        netdev = self.machine.families.find("netdev")
        assert netdev is not None
        groups = [self.machine.families.group_ids[netdev, name] for name in ("mgmt", "page-pool")]
        for number, net in enumerate(NETS):
            for name, proto, joined in (("g", 16, []), ("x", 16, []), ("p", 16, groups), ("r", 0, []), ("m", 0, [1])):
                opts = [*e.MODERN, *([e.ADD_MEMBERSHIP, group] for group in joined)]
                port = 1000 + 100 * number + ord(name)
                self.perform(open=f"{net}-{name}", netns=net, proto=proto, port=port, opts=opts)
        self.nic()
        self.netkit()
        self.rings(split=2)

    def perform(self, **fields: Any) -> None:
        self.steps.append(fields)
        self.outcomes.append(self.emulator.step(fields))

    def step(self) -> None:
        self.rng.choices(*zip(*WEIGHTS, strict=True))[0](self)

    # What there is

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def net(self) -> str:
        return self.rng.choice(NETS)

    def devices(self, net: str) -> list[Device]:
        return list(self.emulator.steps.nets[net])

    def device(self, *, physical: bool | None = None) -> tuple[str, Device] | None:
        """Some device and its namespace."""
        found = [
            (net, dev) for net in NETS for dev in self.devices(net)
            if physical is None or (dev.parent is not None) == physical
        ]
        return self.rng.choice(found) if found else None

    def target(self) -> tuple[str, int, int]:
        """Where a program binds: a namespace, a device's index and a queue, mostly ones that are there, often through a
        lease."""
        if self.chance(0.5):
            leases = [
                (net, dev.ifindex, queue.index) for net in NETS for dev in self.devices(net) if dev.parent is None
                for queue in dev.rx.made(dev.real_num_rx_queues) if queue.lease is not None
            ]
            if leases:
                return self.rng.choice(leases)
        found = self.device(physical=True) if self.chance(0.6) else self.device()
        if found is None or self.chance(0.03):
            return self.net(), self.rng.choice((0, 1, 99)), 0
        net, dev = found
        queue = self.rng.choice((7, 99)) if self.chance(0.05) else self.rng.randrange(dev.real_num_rx_queues)
        return net, dev.ifindex, queue

    def name(self) -> str:
        self.names += 1
        return f"p{self.names}"

    # Messages

    def say(self, sock: str, data: bytes, settle: float = SETTLE, **fields: Any) -> None:
        self.perform(send=sock, hex=data.hex(), **({"settle": settle} if settle else {}), **fields)

    def genl(self, net: str, family: int, cmd: int, *attrs: bytes, flags: int = ASK, who: str = "g", **kw: Any) -> None:
        self.seq += 1
        self.say(f"{net}-{who}", e.genl(family, cmd, flags, self.seq, *attrs), **kw)

    def link(self, net: str, cmd: int, *attrs: bytes, flags: int = ASK, **kw: Any) -> None:
        self.seq += 1
        fields = {name: kw.pop(name) for name in ("patch_fd",) if name in kw}
        self.say(f"{net}-r", e.link(cmd, flags, self.seq, *attrs, **kw), **fields)

    # Steps

    def nic(self) -> None:
        known = self.machine.netdevsim_bus.devices
        number = self.rng.choice((10, 11))
        if number in known:
            self.perform(nsim_del=number, settle=SETTLE)
        else:
            self.perform(nsim_new=[number, 1, self.rng.randint(1, 5)], settle=SETTLE)
            self.updown(up=True)

    def netkit(self) -> None:
        info = [e.string(e.INFO_KIND, "netkit")]
        if self.chance(0.75):
            info.append(e.nest(e.INFO_DATA, e.u32(e.NK_PAIRING, 1)))
        rooms = e.u32(e.NUM_RX_QUEUES, self.rng.randint(1, 5))
        flags = ASK | e.CREATE | e.EXCL
        self.link(self.net(), e.NEWLINK, rooms, e.nest(e.LINKINFO, *info), flags=flags)
        self.updown(up=True)

    def delete(self) -> None:
        found = self.device(physical=False)
        if found is not None:
            self.link(found[0], e.DELLINK, index=found[1].ifindex)

    def updown(self, up: bool | None = None) -> None:
        found = self.device()
        if up:
            down = [(net, dev) for net in NETS for dev in self.devices(net) if not dev.up and dev.ifindex != 1]
            found = down[-1] if down else None
        if found is not None:
            net, dev = found
            self.link(net, e.SETLINK, index=dev.ifindex, up=not dev.up)

    def mtu(self) -> None:
        found = self.device()
        if found is not None and found[1].ifindex != 1:
            size = e.u32(e.MTU, self.rng.choice((1500, 1500, 3814, 3815)))
            self.link(found[0], e.SETLINK, size, index=found[1].ifindex)

    def move(self) -> None:
        found = self.device()
        if found is not None and found[1].ifindex != 1:
            net, dev = found
            other = NETS[1 - NETS.index(net)]
            data = e.attr(e.NET_NS_FD, bytes(4))
            self.link(net, e.SETLINK, data, index=dev.ifindex, patch_fd=[[36, other]])
            self.updown(up=True)

    def rings(self, split: int | None = None) -> None:
        found = self.device(physical=True)
        if found is not None:
            split = self.rng.choice((1, 2, 2, 2)) if split is None else split
            wanted = [e.u8(11, split), e.u32(17, 0 if self.chance(0.8) else 64)]
            self.genl(found[0], ETHTOOL, RINGS_SET, e.nest(1, e.u32(1, found[1].ifindex)), *wanted)

    def channels(self) -> None:
        found = self.device(physical=True)
        if found is not None:
            count = e.u32(9, self.rng.randint(1, 5))
            self.genl(found[0], ETHTOOL, CHANNELS_SET, e.nest(1, e.u32(1, found[1].ifindex)), count)

    def lease(self) -> None:
        lessee, lessor = self.device(physical=False), self.device(physical=True)
        if lessee is None or lessor is None:
            return
        net, dev = lessee
        nsid = None
        if net != lessor[0]:
            nsid = self.emulator.steps.nets[net].id_of(self.emulator.steps.nets[lessor[0]])
        queue = self.rng.randrange(lessor[1].real_num_rx_queues)
        lent = e.lease(lessor[1].ifindex, queue, netns_id=nsid)
        self.genl(net, NETDEV, e.QUEUE_CREATE, e.u32(e.Q_IFINDEX, dev.ifindex), e.u32(e.Q_TYPE, e.RX), lent)

    def xsk(self) -> None:
        net, ifindex, queue = self.target()
        fields: dict[str, Any] = {"flags": self.rng.choice((0, 0, 2, 4, 4, 4, 4, 6, 12, 16, 20, 64))}
        sockets = [name for name, one in self.emulator.steps.programs.running.items() if isinstance(one, XdpSocket)]
        if sockets and self.chance(0.25):
            fields = {"flags": 0 if self.chance(0.9) else 2, "shared": self.rng.choice(sockets)}
        elif self.chance(0.1):
            fields["chunk_size"] = self.rng.choice((2048, 2048, 3000, 1024))
            fields["headroom"] = self.rng.choice((0, 200, 300, 1345))
        if self.chance(0.03):
            fields["uid"] = 1000
        self.perform(xsk=self.name(), netns=net, ifindex=ifindex, queue=queue, **fields)

    def zcrx(self) -> None:
        net, ifindex, queue = self.target()
        fields: dict[str, Any] = {}
        if self.chance(0.08):
            fields["rx_buf_len"] = self.rng.choice((2048, 4096, 5000))
        if self.chance(0.03):
            fields["uid"] = 1000
        self.perform(zcrx=self.name(), netns=net, ifindex=ifindex, queue=queue, **fields)

    def xdp(self) -> None:
        net, ifindex, _ = self.target()
        flags = self.rng.choice((0, 0, 2, 4, 6))
        self.perform(xdp=self.name(), netns=net, ifindex=ifindex, flags=flags, frags=self.chance(0.5))

    def bind(self) -> None:
        net, ifindex, queue = self.target()
        name = self.name()
        self.perform(dmabuf=name, pages=self.rng.choice((1, 16)))
        queues = [queue, *([self.rng.randrange(5)] if self.chance(0.4) else [])]
        named = [e.nest(2, e.u32(e.Q_ID, one), e.u32(e.Q_TYPE, e.RX)) for one in queues]
        who = self.rng.choice("gx")
        attrs = [e.u32(1, ifindex), e.u32(3, 0), *named]
        self.genl(net, NETDEV, e.BIND_RX, *attrs, who=who, patch_dmabuf=[[32, name]])

    def end(self) -> None:
        running = list(self.emulator.steps.programs.running)
        if running:
            self.perform(end=self.rng.choice(running), settle=SETTLE)

    def close(self) -> None:
        """The socket that owns some bindings goes, and comes again."""
        net = self.net()
        self.perform(close=f"{net}-x", settle=SETTLE)
        port = 1000 + 100 * NETS.index(net) + ord("x")
        self.perform(open=f"{net}-x", netns=net, proto=16, port=port, opts=e.MODERN)

    def look(self) -> None:
        for net in NETS:
            self.genl(net, NETDEV, e.QUEUE_GET, flags=e.REQUEST | e.DUMP, settle=0)
            self.genl(net, NETDEV, e.PP_GET, flags=e.REQUEST | e.DUMP, settle=0)

    def look_closer(self) -> None:
        """What else there is to see of queues and their devices."""
        net = self.net()
        commands = (e.DEV_GET, e.NAPI_GET, e.PP_STATS_GET, e.QSTATS_GET)
        if self.chance(0.6):
            scope = [e.u32(4, 1)] if self.chance(0.5) else []
            cmd = self.rng.choice(commands)
            self.genl(net, NETDEV, cmd, *(scope if cmd == e.QSTATS_GET else ()), flags=e.REQUEST | e.DUMP, settle=0)
            return
        found = self.device()
        if found is not None:
            header = e.nest(1, e.u32(1, found[1].ifindex))
            self.genl(found[0], ETHTOOL, self.rng.choice((RINGS_GET, CHANNELS_GET, FEATURES_GET)), header, settle=0)

    def look_at_links(self) -> None:
        for net in NETS:
            self.link(net, e.GETLINK, e.u32(e.EXT_MASK, 8), flags=e.REQUEST | e.DUMP)


WEIGHTS = (
    (ProgramWalk.nic, 3), (ProgramWalk.netkit, 6), (ProgramWalk.delete, 2), (ProgramWalk.updown, 5),
    (ProgramWalk.mtu, 2), (ProgramWalk.move, 3), (ProgramWalk.rings, 4), (ProgramWalk.channels, 4),
    (ProgramWalk.lease, 22), (ProgramWalk.xsk, 16), (ProgramWalk.zcrx, 14), (ProgramWalk.xdp, 3),
    (ProgramWalk.bind, 8), (ProgramWalk.end, 9), (ProgramWalk.close, 2), (ProgramWalk.look, 14),
    (ProgramWalk.look_at_links, 2), (ProgramWalk.look_closer, 8),
)


def walked(seed: int, steps: int, build: Build = DEFAULT) -> ProgramWalk:
    walk = ProgramWalk(seed, build)
    while len(walk.steps) < steps:
        walk.step()
    return walk


def performed(linux: Linux, steps: Sequence[Fields]) -> list[Outcome]:
    """What came of them on Linux. A step that makes no sense there, for an earlier one came to something else, is an
    error of its own."""
    outcomes = []
    for answer in linux.guest.steps([dict(step) for step in steps]):
        error = answer.get("error")
        got = {name: tuple(received) for name, received in answer.get("got", {}).items()}
        if error is not None and error not in errno.errorcode.values():
            error = "ENOTRECOVERABLE"
        outcomes.append(Outcome(error, got))
    return outcomes


def again(kernel: pathlib.Path, walk: ProgramWalk, run: int = 0) -> Comparison:
    """What differs on a guest of its own. GuestError when it is lost."""
    linux = Linux(kernel)
    try:
        machine = Machine(netdevsim="dma", seed=run, build=linux.build)
        ours = Emulator(machine).perform(walk.steps) if run else walk.outcomes
        return compare(walk.steps, ours, performed(linux, walk.steps))
    finally:
        linux.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.programs")
    parser.add_argument("--kernel", type=pathlib.Path, required=True, help="the image whose netdevsim can do DMA")
    parser.add_argument("--steps", type=int, default=2000, help="how many steps in all (%(default)s)")
    parser.add_argument("--length", type=int, default=400, help="steps of one walk (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first walk (%(default)s)")
    parser.add_argument("--save", type=pathlib.Path, help="where the steps of a walk that differs are written")
    options = parser.parse_args()
    linux = Linux(options.kernel)
    build = linux.build
    linux.close()
    done = different = datagrams = lost = 0
    seed = options.seed
    while done < options.steps:
        walk = walked(seed, options.length, build)
        once_more = partial(again, options.kernel, walk)
        try:
            one = found(f"{seed}", walk.steps, once_more(), once_more, walk.machine.bugs)
        except GuestError:  # the kernel, not the emulator, is stuck: it waits for ever for a device that went
            print(f"== seed {seed}: the guest is lost, and the walk with it", flush=True)
            lost += 1
            seed += 1
            continue
        done += len(walk.steps)
        datagrams += sum(len(got) for outcome in walk.outcomes for got in outcome.got.values())
        if one is not None or walk.machine.bugs:
            different += 1
            print(f"== seed {seed}: {walk.machine.bugs} bugs", flush=True)
        if one is not None:
            for line in islice(one.told(), 40):
                print(line, flush=True)
            if options.save is not None:
                options.save.mkdir(parents=True, exist_ok=True)
                lines = [json.dumps(step) + "\n" for step in one.steps]
                (options.save / f"{seed}.jsonl").write_text("".join(lines))
        seed += 1
    walks = seed - options.seed - lost
    seeds = f"seeds {options.seed} to {seed - 1}"
    print(f"{done} steps in {walks} walks, {datagrams} datagrams, {seeds}: {different} differ, {lost} lost")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
