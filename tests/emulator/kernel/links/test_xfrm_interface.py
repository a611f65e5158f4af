"""Interfaces that policies of IPsec are bound to: their numbers, beyond the recorded ones."""

from __future__ import annotations

from errno import EEXIST, EINVAL

import pytest

from nlemu.emulator.kernel.devices import links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import KillList, unregister
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.xfrm_interface import KIND, XfrmParams, of_net
from nlemu.protocol.refusal import Refusal


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def new(kernel: Kernel, **data: int | bool) -> Device:
    params = LinkParams(link_net=kernel.init_net, data=XfrmParams(**data))  # type: ignore[arg-type]
    return links.new_link(kernel.init_net, KIND, params)


def test_a_number_is_one_interface_s(kernel: Kernel) -> None:
    one, two = new(kernel, if_id=1), new(kernel, if_id=2)
    with pytest.raises(Refusal) as caught:
        new(kernel, if_id=2)
    assert caught.value.errno == EEXIST
    KIND.change(one, XfrmParams(if_id=3), LinkParams())
    assert set(of_net(kernel.init_net).interfaces) == {2, 3}
    with pytest.raises(Refusal) as caught:
        KIND.change(one, XfrmParams(if_id=2), LinkParams())
    assert caught.value.errno == EEXIST
    unregister(two)
    KIND.change(one, XfrmParams(if_id=2), LinkParams())
    assert of_net(kernel.init_net).interfaces == {2: one.priv}


def test_the_device_below_stays(kernel: Kernel) -> None:
    one = new(kernel, if_id=1, link=1)
    with pytest.raises(Refusal) as caught:
        KIND.change(one, XfrmParams(if_id=2), LinkParams())
    assert (caught.value.errno, one.priv.if_id) == (EINVAL, 1)


def test_one_alone_goes_by_metadata(kernel: Kernel) -> None:
    dev = new(kernel, collect_metadata=True)
    with pytest.raises(Refusal):
        new(kernel, collect_metadata=True)
    with pytest.raises(Refusal) as caught:
        KIND.change(dev, XfrmParams(if_id=4), LinkParams())
    assert caught.value.text == "collect_md can't be changed"
    dev.ops.transmit(dev, 10)
    assert (dev.stats.tx_carrier_errors, dev.stats.tx_errors) == (0, 1)


def test_what_was_made_from_a_namespace_goes_with_it(kernel: Kernel) -> None:
    devices = [new(kernel, collect_metadata=True), new(kernel, if_id=2), new(kernel, if_id=1)]
    kill: KillList = {}
    KIND.exit_rtnl(kernel.init_net, kill)
    assert list(kill) == devices[::-1]
