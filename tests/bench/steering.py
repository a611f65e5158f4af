"""Measures how packets are steered: 10,000 rules listed, one asked for and one made, and a table of 4,096 entries told.

In this process, beside a queue-get of the same NIC, which is the yardstick; then the same with 1,000 NICs more, for
none of it may cost more among many. Printed are medians in microseconds, and how many queue-gets each one is. Of
GRXCLSRLALL the cost is that of a rule.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import struct
import time
from collections.abc import Callable
from typing import Any

from nlemu.emulator.kernel.devices.flags import change_flags
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.launch.ioctls.caller import Caller, name_of
from nlemu.emulator.launch.ioctls.ethtool.door import ioctl
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.encode.conversation import Conversation, specification
from nlemu.protocol.schema import ethtool_ioctls, flow_specs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import EthtoolIoctl, FlowType
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from nlemu.protocol.uapi.socket import AF_INET
from tests.bench.memory import Memory

RULES, ENTRIES, OTHERS = 10_000, 4096, 1000
RXNFC, SPEC, TCP = map(prepare, (ethtool_ioctls.ethtool_rxnfc, flow_specs.rx_flow_spec, flow_specs.tcpip4_spec))
PLACE = 4096
"""Where the structure is, in the caller's memory; the request stands before it."""


class Bench:
    """A machine with a NIC that has that many rules, and a table of that many entries."""

    def __init__(self, others: int) -> None:
        self.machine = Machine()
        profile = PROFILES["bnxt_en"]
        assert profile.rss is not None
        wide = dataclasses.replace(profile, rss=dataclasses.replace(profile.rss, table=ENTRIES))
        for number in range(others):
            self.machine.nics.plug(f"{number:04x}:09:00.0", profile, self.machine.init_net)
        self.nic = self.machine.nics.plug("ffff:08:00.0", wide, self.machine.init_net, queues=8)
        change_flags(self.nic, self.nic.flags | IFF.UP)
        self.nic.ops.rules = dataclasses.replace(self.nic.ops.rules, room=2 * RULES)  # type: ignore[attr-defined]
        self.memory = Memory(PLACE + RXNFC.size + 4 * RULES)
        self.memory.write(0, name_of(self.nic.name) + struct.pack("=Q", PLACE))
        self.caller = Caller(self.machine.init_net, self.memory, AF_INET, lambda net: True)
        self.port = 0
        numbers = {family.name: number for family, number in self.machine.families.numbers.items()}
        self.netdev, self.ethtool = (Conversation(specification(name), numbers[name]) for name in ("netdev", "ethtool"))
        self.socket = Endpoint(self.machine, self.machine.init_net, int(NetlinkProtocol.GENERIC))
        for _ in range(RULES):
            self.insert()
        self.machine.settle()

    def ask(self, command: int, **fields: Any) -> float:
        """An ioctl about rules, in seconds."""
        empty = RXNFC.unpack(bytes(RXNFC.size))
        self.memory.write(PLACE, RXNFC.pack(empty._replace(cmd=command, **fields)))
        start = time.perf_counter()
        ioctl(self.caller, 0)
        return time.perf_counter() - start

    def insert(self) -> float:
        """Another rule, which the driver has a place for."""
        self.port = self.port % 65535 + 1
        values = TCP.pack(ip4src=0, ip4dst=self.port, psrc=0, pdst=self.port, tos=0).ljust(flow_specs.UNION, b"\0")
        masks = TCP.pack(ip4src=0, ip4dst=0xFFFFFFFF, psrc=0, pdst=0xFFFF, tos=0).ljust(flow_specs.UNION, b"\0")
        spec = SPEC.unpack(bytes(SPEC.size))._replace(
            flow_type=FlowType.TCP_V4, h_u=values, m_u=masks, ring_cookie=7, location=0xFFFFFFFF
        )
        return self.ask(EthtoolIoctl.SRXCLSRLINS, fs=SPEC.pack(spec))

    def another(self) -> float:
        """One made; it goes again, so that there stay as many."""
        cost = self.insert()
        location = SPEC.unpack(RXNFC.unpack(self.memory.read(PLACE, RXNFC.size)).fs).location
        self.ask(EthtoolIoctl.SRXCLSRLDEL, fs=SPEC.pack(SPEC.unpack(bytes(SPEC.size))._replace(location=location)))
        return cost

    def listed(self) -> float:
        """All of them; the cost of one."""
        cost = self.ask(EthtoolIoctl.GRXCLSRLALL, rule_cnt=RULES)
        assert RXNFC.unpack(self.memory.read(PLACE, RXNFC.size)).rule_cnt == RULES
        return cost / RULES

    def shown(self) -> float:
        """One of them."""
        spec = SPEC.unpack(bytes(SPEC.size))._replace(location=RULES // 2)
        return self.ask(EthtoolIoctl.GRXCLSRULE, fs=SPEC.pack(spec))

    def asked(self, conversation: Conversation, operation: str, values: dict[str, Any]) -> float:
        """A request by netlink, without the making of it."""
        request = conversation.ask(operation, values)
        start = time.perf_counter()
        self.socket.send(request.data)
        reply, ack = self.socket.receive(), self.socket.receive()
        cost = time.perf_counter() - start
        assert reply is not None and ack is not None
        conversation.hear(reply)
        conversation.hear(ack)
        assert request.done and request.replies
        return cost

    def queue_get(self) -> float:
        """The yardstick."""
        return self.asked(self.netdev, "queue-get", {"ifindex": self.nic.ifindex, "type": "rx", "id": 7})

    def rss_get(self) -> float:
        """The whole table."""
        return self.asked(self.ethtool, "rss-get", {"header": {"dev-index": self.nic.ifindex}})


def measure(step: Callable[[], float], rounds: int) -> float:
    """The median, in microseconds."""
    return 1e6 * statistics.median(step() for _ in range(rounds))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    benches = (Bench(0), Bench(OTHERS))
    told: dict[str, list[float]] = {}
    for name in ("queue_get", "rss_get", "listed", "shown", "another"):
        told[name] = [measure(getattr(bench, name), options.rounds) for bench in benches]
    if options.json:
        print(json.dumps(told))
        return
    print(f"{'':10} {'alone':>10} {f'among {OTHERS}':>12}   in queue-gets")
    for name, (alone, among) in told.items():
        print(f"{name:10} {alone:10.2f} {among:12.2f}   {alone / told['queue_get'][0]:.2f}")


if __name__ == "__main__":
    main()
