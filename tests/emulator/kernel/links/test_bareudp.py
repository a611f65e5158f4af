"""bareudp: whose a port is, beyond the recorded ones."""

from __future__ import annotations

from errno import EADDRINUSE, EBUSY

import pytest

from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import KillList, unregister
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.bareudp import KIND, BareudpParams, of_net
from nlemu.emulator.kernel.tunnels import udp
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def new(kernel: Kernel, port: int) -> Device:
    params = LinkParams(link_net=kernel.init_net, data=BareudpParams(port=port, ethertype=ETH_P.IP))
    return links.new_link(kernel.init_net, KIND, params)


def raise_(dev: Device) -> None:
    flags.apply_flags(dev, dev.flags | int(IFF.UP))


def test_a_port_is_listened_on_in_both_families_or_in_none(kernel: Kernel) -> None:
    dev = new(kernel, 7000)
    udp.bind(kernel.init_net, AF_INET6, 7000, object())
    with pytest.raises(Refusal) as caught:
        raise_(dev)
    assert caught.value.errno == EADDRINUSE
    assert set(udp.taken(kernel.init_net)) == {(AF_INET6, 7000, b"")}
    udp.release(kernel.init_net, AF_INET6, 7000)
    raise_(dev)
    assert set(udp.taken(kernel.init_net)) == {(AF_INET, 7000, b""), (AF_INET6, 7000, b"")}
    unregister(dev)
    assert not udp.taken(kernel.init_net)


def test_a_port_is_one_device_s_while_that_is_there(kernel: Kernel) -> None:
    dev = new(kernel, 7000)
    with pytest.raises(Refusal) as caught:
        new(kernel, 7000)
    assert caught.value.errno == EBUSY
    links.delete_link(dev)
    new(kernel, 7000)


def test_port_0_is_one_that_nobody_asks_for(kernel: Kernel) -> None:
    dev = new(kernel, 0)
    raise_(dev)
    assert not udp.taken(kernel.init_net)
    udp.bind(kernel.init_net, AF_INET, 0, object())
    flags.apply_flags(dev, dev.flags & ~int(IFF.UP))


def test_what_was_made_from_a_namespace_goes_with_it(kernel: Kernel) -> None:
    devices = [new(kernel, 7000), new(kernel, 7001)]
    kill: KillList = {}
    KIND.exit_rtnl(kernel.init_net, kill)
    assert list(kill) == devices[::-1]
    assert not of_net(kernel.init_net).devices
