"""What simulated devices say of routes, and who hears of it: fib_notify_on_flag_change of net.ipv4 and net.ipv6."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.kernel.nics.netdevsim.debugfs import write
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world.session import Session
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTM, RTM_F, RTNLGRP

NEW, SET = int(NLM_F.CREATE | NLM_F.EXCL), int(NLM_F.CREATE | NLM_F.REPLACE)
TRAP, FAILED = int(RTM_F.TRAP), int(RTM_F.OFFLOAD_FAILED)
FLAGS_AT = 16 + 8
"""rtm_flags, in a message."""
GROUPS = {"ipv4": RTNLGRP.IPV4_ROUTE, "ipv6": RTNLGRP.IPV6_ROUTE}
PREFIXES = {"ipv4": ("inet", "198.51.100.0", 24), "ipv6": ("inet6", "2001:db8:9::", 48)}


class World:
    """A machine with a simulated device, and a dummy device that is up; who listens to routes of a family."""

    def __init__(self, family: str, heard: str) -> None:
        self.machine, self.family = Machine(), family
        net = self.machine.init_net
        self.session = Session(self.machine, net)
        self.session.ask("rt-link", "newlink", {"ifname": "d0", "linkinfo": {"kind": "dummy"}}, NEW)
        self.dev = next(dev for dev in net if dev.name == "d0")
        self.session.ask("rt-link", "newlink", {"ifi-index": self.dev.ifindex, "ifi-flags": {"up"}, "ifi-change": 1})
        self.device = self.machine.netdevsim_bus.new_device(1)
        self.machine.advance(3)
        settings(net.kernel.build)[f"{family}/fib_notify_on_flag_change"].write(net, heard)
        options = [(NetlinkOpt.ADD_MEMBERSHIP, int(GROUPS[family]))]
        self.listener = Endpoint(self.machine, net, int(NetlinkProtocol.ROUTE), options=options)

    def add(self, metric: int = 100, flags: int = NEW) -> list[int]:
        """A route; what is told of the prefix in the end, as flags."""
        family, prefix, length = PREFIXES[self.family]
        self.session.ask("rt-route", "newroute", {
            "rtm-family": family, "rtm-dst-len": length, "rtm-table": 254, "rtm-protocol": "boot",
            "rtm-type": "unicast", "dst": prefix, "oif": self.dev.ifindex, "priority": metric,
        }, flags)
        self.machine.settle()
        told = []
        while (datagram := self.listener.receive()) is not None:
            assert int.from_bytes(datagram[4:6], "little") == RTM.NEWROUTE
            told.append(int.from_bytes(datagram[FLAGS_AT : FLAGS_AT + 4], "little"))
        return told


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_nobody_hears_of_it_at_first(family: str) -> None:
    assert World(family, "0").add() == [0]


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_whoever_wants_to_hears_that_it_is_taken_over_or_not(family: str) -> None:
    world = World(family, "1")
    assert world.add(100) == [0, TRAP]
    assert world.add(200) == [0], "one behind it is not taken over"
    assert world.add(50) == [0, TRAP, 0], "one before it is, and then the other is let go"
    write(world.device, "fib/fail_route_offload", "1")
    assert world.add(10) == [0, FAILED]


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_failures_alone(family: str) -> None:
    world = World(family, "2")
    assert world.add(100) == [0]
    write(world.device, "fib/fail_route_offload", "1")
    assert world.add(10) == [0, FAILED]
