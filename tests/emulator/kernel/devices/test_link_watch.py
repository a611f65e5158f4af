"""When a change of the carrier becomes an operational state, and when it is told."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.devices import flags, link_watch, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.devices.register import unregister
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.netkit import KIND as NETKIT
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.protocol.uapi.if_ import IfOper
from tests.emulator.kernel.notifications import Notifications


@pytest.fixture
def kernel() -> Kernel:
    kernel = Kernel()
    kernel.announcer = Notifications()
    return kernel


def heard(kernel: Kernel) -> list[tuple[str, str, int, int]]:
    notifications = kernel.announcer
    assert isinstance(notifications, Notifications)
    links = [item for item in notifications.taken(kernel.init_net) if item["what"] in ("new", "del")]
    return [(item["what"], item["name"], item["change"], item["operstate"]) for item in links]


def dummy(kernel: Kernel) -> Device:
    dev = new_link(kernel.init_net, DUMMY, LinkParams(name="d"))
    flags.open_device(dev)
    kernel.settle()
    heard(kernel)
    return dev


def test_the_first_event_is_served_at_once_the_next_a_second_later(kernel: Kernel) -> None:
    dev = dummy(kernel)
    settings.change_carrier(dev, False)
    assert heard(kernel) == []
    kernel.settle()
    assert heard(kernel) == [("new", "d", 0, IfOper.DOWN)]
    settings.change_carrier(dev, False)
    kernel.settle()
    assert heard(kernel) == []
    # Its queues stand still and are about to start: that cannot wait.
    settings.change_carrier(dev, True)
    kernel.settle()
    assert heard(kernel) == [("new", "d", 0, IfOper.UP)]
    settings.change_carrier(dev, False)
    kernel.settle()
    kernel.advance(0.9)
    assert heard(kernel) == []
    kernel.advance(0.1)
    assert heard(kernel) == [("new", "d", 0, IfOper.DOWN)]
    assert (dev.carrier_up_count, dev.carrier_down_count) == (1, 2)


def test_reading_serves_the_device(kernel: Kernel) -> None:
    dev = dummy(kernel)
    settings.change_carrier(dev, False)
    kernel.link_watch.sync(dev)
    assert heard(kernel) == [("new", "d", 0, IfOper.DOWN)]
    kernel.settle()
    assert heard(kernel) == []


def test_a_device_that_is_down_gets_its_state_silently(kernel: Kernel) -> None:
    dev = new_link(kernel.init_net, DUMMY, LinkParams())
    heard(kernel)
    settings.change_carrier(dev, False)
    kernel.settle()
    assert heard(kernel) == [] and dev.operstate == IfOper.DOWN


def test_a_hundred_a_second(kernel: Kernel) -> None:
    pairs = [new_link(kernel.init_net, NETKIT, LinkParams()) for _ in range(80)]
    states = [dev for dev in kernel.init_net if dev.kind is not None]
    kernel.settle()
    assert len([dev for dev in states if dev.operstate]) == 100
    # An urgent one does not wait for its turn.
    peer = pairs[-1].ops.get_peer(pairs[-1])
    assert peer is not None and peer.operstate == IfOper.UNKNOWN
    flags.open_device(pairs[-1])
    flags.open_device(peer)
    kernel.settle()
    assert peer.operstate == pairs[-1].operstate == IfOper.UP
    assert len([dev for dev in states if dev.operstate]) == 102
    kernel.advance(1)
    assert all(dev.operstate for dev in states)


def test_lower_layer_down_is_looked_up_in_the_own_namespace(kernel: Kernel) -> None:
    one = kernel.new_net("one")
    dev = new_link(kernel.init_net, NETKIT, LinkParams(peer_net=one))
    assert dev.iflink == dev.ifindex == 2
    kernel.settle()
    assert dev.operstate == IfOper.DOWN
    near = new_link(kernel.init_net, NETKIT, LinkParams())
    kernel.advance(1)
    assert near.operstate == IfOper.LOWERLAYERDOWN


def test_link_mode_holds_the_state_back(kernel: Kernel) -> None:
    dev = dummy(kernel)
    settings.set_link_mode(dev, 1)
    settings.change_carrier(dev, False)
    settings.change_carrier(dev, True)
    kernel.settle()
    assert dev.operstate == IfOper.DORMANT
    link_watch.request_operstate(dev, IfOper.UP)
    assert dev.operstate == IfOper.UP
    assert heard(kernel)[-1] == ("new", "d", 0, IfOper.UP)
    link_watch.request_operstate(dev, IfOper.DOWN)
    assert dev.operstate == IfOper.UP


def test_a_device_that_goes_is_forgotten(kernel: Kernel) -> None:
    dev = dummy(kernel)
    settings.change_carrier(dev, False)
    unregister(dev)
    heard(kernel)
    kernel.settle()
    kernel.advance(2)
    assert heard(kernel) == []


def test_an_end_with_its_peers_index_is_not_urgent(kernel: Kernel) -> None:
    """Seen on the real kernel: the ends are in different namespaces and happen to have the same index, so the one that
    comes up last looks like a device without a lower one, and its queues have not been set up yet either."""
    one = kernel.new_net("one")
    near = new_link(kernel.init_net, VETH, LinkParams(peer_net=one))
    far = near.ops.get_peer(near)
    assert far is not None and far.ifindex == near.ifindex
    kernel.settle()
    flags.open_device(near)
    kernel.settle()
    heard(kernel)
    flags.open_device(far)
    kernel.settle()
    assert heard(kernel) == [("new", near.name, 0, IfOper.UP)]
    assert far.operstate == IfOper.DOWN
    kernel.advance(1)
    assert (far.operstate, heard(kernel)) == (IfOper.UP, [])


def test_a_pair_made_up(kernel: Kernel) -> None:
    """Seen on the real kernel, where it was `ip link add na up type netkit`."""
    new_link(kernel.init_net, NETKIT, LinkParams(name="na", flags=1, change=1))
    kernel.settle()
    everything = 0xFFFFFFFF
    assert heard(kernel) == [
        ("new", "nk0", everything, IfOper.DOWN),
        ("new", "na", everything, IfOper.UNKNOWN),
        ("new", "na", 0, IfOper.LOWERLAYERDOWN),
    ]
