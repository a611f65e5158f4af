"""What a bridge hears of groups, of hosts behind its ports and of itself."""

from __future__ import annotations

from typing import Any

import pytest

from nlemu.emulator.kernel.bridge import ports
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, PortFlag, port_of
from nlemu.emulator.kernel.bridge.mdb import Address
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2
from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.ipv4 import groups as groups4
from nlemu.emulator.kernel.ipv6 import mld
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.bridge import KIND as BRIDGE
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.protocol.uapi.if_ether import ETH_P

GROUP, GROUP4 = 0xFF05 << 112 | 7, 0xEF010101
ADDRESS = Address(ETH_P.IPV6, GROUP.to_bytes(16, "big"), b"", 0)
ADDRESS4 = Address(ETH_P.IP, GROUP4.to_bytes(4, "big"), b"", 0)


@pytest.fixture
def port() -> Port:
    """Of a bridge, with a host behind it; all are up and have spoken."""
    kernel = Kernel(build=DISTRIBUTION_7_2)
    dev = links.new_link(kernel.init_net, BRIDGE, LinkParams(name="br0"))
    behind = links.new_link(kernel.init_net, VETH, LinkParams(name="a"))
    host = kernel.init_net.by_name("veth0")
    assert host is not None and isinstance(dev.priv, Bridge)
    ports.add(dev.priv, behind)
    for one in (dev, behind, host):
        flags.open_device(one)
    kernel.work.advance(40)
    found = port_of(behind)
    assert found is not None
    return found


def host_of(port: Port) -> Any:
    return port.dev.net.by_name("veth0")


def wanted(port: Port) -> set[Address]:
    return {one.address for one in port.groups}


def test_a_host_joins_and_leaves(port: Port) -> None:
    host, kernel = host_of(port), port.dev.kernel
    mld.join(host, GROUP)
    groups4.join(host, host.ip4, GROUP4)
    kernel.work.advance(0.1)
    assert {ADDRESS, ADDRESS4} <= wanted(port)
    kernel.work.advance(5)
    mld.leave(host, host.ip6.listener, GROUP)
    kernel.work.advance(1.5)
    assert ADDRESS in wanted(port)
    kernel.work.advance(2)
    assert ADDRESS not in wanted(port) and ADDRESS4 in wanted(port)
    assert ADDRESS not in port.bridge.mdb


def test_a_port_that_leaves_fast(port: Port) -> None:
    host, kernel = host_of(port), port.dev.kernel
    port.flags |= PortFlag.MULTICAST_FAST_LEAVE
    mld.join(host, GROUP)
    kernel.work.advance(5)
    mld.leave(host, host.ip6.listener, GROUP)
    kernel.work.advance(0.1)
    assert ADDRESS not in wanted(port)


def test_the_bridge_hears_itself(port: Port) -> None:
    br = port.bridge
    mld.join(br.dev, GROUP)
    br.dev.kernel.work.advance(5)
    assert br.mdb[ADDRESS].host_joined and ADDRESS not in wanted(port)


def test_what_is_not_said_again_ends(port: Port) -> None:
    br = port.bridge
    br.multicast.membership_interval = 1000
    mld.join(host_of(port), GROUP)
    br.dev.kernel.work.advance(9)
    assert ADDRESS in wanted(port)
    br.dev.kernel.work.advance(5)
    assert ADDRESS not in wanted(port)


def test_a_bridge_that_does_not_snoop(port: Port) -> None:
    port.bridge.snooping = False
    mld.join(host_of(port), GROUP)
    port.dev.kernel.work.advance(5)
    assert ADDRESS not in wanted(port)


def test_the_local_network_is_not_kept(port: Port) -> None:
    """224.0.0.106, which the bridge has joined itself, and all nodes."""
    assert all(address.proto == ETH_P.IPV6 for address in port.bridge.mdb)
