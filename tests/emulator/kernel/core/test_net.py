"""Namespaces: indexes, walks, ids, and how they end."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL

import pytest

from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.devices.move import change_net_namespace
from nlemu.emulator.kernel.devices.register import unregister
from nlemu.emulator.kernel.devices.rename import add_altname
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.netkit import KIND as NETKIT
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.protocol.refusal import Refusal
from tests.emulator.kernel.notifications import Notifications


@pytest.fixture
def kernel() -> Kernel:
    kernel = Kernel()
    kernel.announcer = Notifications()
    return kernel


def dummy(kernel: Kernel, name: str = "dummy%d", ifindex: int = 0, net: str = "init") -> Device:
    return new_link(kernel.nets[net], DUMMY, LinkParams(name=name, ifindex=ifindex))


def refused(verb: object, *args: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verb(*args)  # type: ignore[operator]
    return caught.value


def test_indexes_go_round(kernel: Kernel) -> None:
    first, second = dummy(kernel), dummy(kernel)
    assert (first.ifindex, second.ifindex) == (2, 3)
    unregister(second)
    assert dummy(kernel).ifindex == 4
    assert dummy(kernel, ifindex=6).ifindex == 6
    assert [dummy(kernel).ifindex for _ in range(2)] == [5, 7]
    assert refused(dummy, kernel, "x", 6).errno == EBUSY
    assert refused(dummy, kernel, "x", -1).errno == EINVAL
    assert kernel.init_net.by_name("x") is None


def test_after_survives_changes(kernel: Kernel) -> None:
    devs = [dummy(kernel, ifindex=index) for index in (9, 5, 7)]
    net = kernel.init_net
    assert [dev.ifindex for dev in net] == [1, 9, 5, 7]
    assert net.after(0) is net.loopback
    assert net.after(1) is devs[1]
    unregister(devs[1])
    assert net.after(5) is devs[2]
    assert net.after(9) is None


def test_dump_sequence(kernel: Kernel) -> None:
    seq = kernel.init_net.dev_base_seq
    dev = dummy(kernel)
    assert kernel.init_net.dev_base_seq == seq + 1
    unregister(dev)
    assert kernel.init_net.dev_base_seq == seq + 2
    kernel.init_net.dev_base_seq = 0xFFFFFFFF
    dummy(kernel)
    assert kernel.init_net.dev_base_seq == 1


def test_ids(kernel: Kernel) -> None:
    one, two, init = kernel.new_net("one"), kernel.new_net("two"), kernel.init_net
    assert init.id_of(one) is None
    assert init.id_alloc(two) == 0 and init.id_alloc(one) == 1 and init.id_alloc(two) == 0
    assert init.by_id(1) is one and init.by_id(7) is None and one.id_of(init) is None
    assert refused(init.set_id, one, 9).at == "peer"
    one.set_id(init, 3)
    refusal = refused(one.set_id, two, 3)
    assert (refusal.errno, refusal.at) == (EEXIST, "nsid")
    kernel.delete_net("two")
    assert init.by_id(0) is None and init.id_of(two) == 0
    kernel.settle()
    assert init.id_of(two) is None
    notifications = kernel.announcer
    assert isinstance(notifications, Notifications)
    assert notifications.taken(init)[-1] == {"what": "nsid gone", "nsid": 0}
    assert init.id_alloc(kernel.new_net("three")) == 0


def test_a_name_is_free_at_once_and_the_namespace_lives_while_it_is_held(kernel: Kernel) -> None:
    net = kernel.new_net("one")
    net.hold()
    kernel.delete_net("one")
    kernel.settle()
    assert (net.dying, len(net)) == (False, 1)
    assert kernel.new_net("one") is not net
    net.release()
    assert (net.dying, len(net)) == (True, 1)
    kernel.settle()
    assert len(net) == 0


def test_physical_devices_go_home(kernel: Kernel) -> None:
    one = kernel.new_net("one")
    kernel.netdevsim_bus.new_device(1)
    kernel.netdevsim_bus.new_device(2)
    eth0, eth1 = (kernel.init_net.by_name(name) for name in ("eth0", "eth1"))
    assert eth0 is not None and eth1 is not None
    for dev in (eth0, eth1):
        change_net_namespace(dev, one)
    dummy(kernel, "dev2")
    taken = dummy(kernel)
    kernel.delete_net("one")
    kernel.settle()
    # Their names are free over there, so they keep them; their indexes are not all.
    assert eth0.net is eth1.net is kernel.init_net
    assert (eth0.name, eth1.name) == ("eth0", "eth1")
    assert taken.ifindex not in (eth0.ifindex, eth1.ifindex)


def test_physical_devices_whose_name_is_taken_get_another(kernel: Kernel) -> None:
    one = kernel.new_net("one")
    kernel.netdevsim_bus.new_device(1)
    eth0 = kernel.init_net.by_name("eth0")
    assert eth0 is not None
    change_net_namespace(eth0, one)
    add_altname(eth0, "alt")
    for name in ("eth0", "dev2", "alt"):
        dummy(kernel, name)
    kernel.delete_net("one")
    kernel.settle()
    assert (eth0.name, eth0.altnames) == ("dev0", ())


def test_other_halves_go_too(kernel: Kernel) -> None:
    one = kernel.new_net("one")
    for kind, name in ((VETH, "v"), (NETKIT, "n")):
        new_link(kernel.init_net, kind, LinkParams(name=name, peer_net=one))
    new_link(one, VETH, LinkParams())
    assert len(one) == 5 and len(kernel.init_net) == 3
    kernel.delete_net("one")
    kernel.settle()
    assert [dev.name for dev in kernel.init_net] == ["lo"] and len(one) == 0


def test_moving_is_refused(kernel: Kernel) -> None:
    one = kernel.new_net("one")
    dev = dummy(kernel, "d")
    there = dummy(kernel, "d", 9, net="one")
    move = change_net_namespace
    assert refused(move, kernel.init_net.loopback, one).text == "The interface netns is immutable"
    assert refused(move, dev, one).text == "An interface with the same name exists in the target netns"
    refusal = refused(move, dev, one, "lo")
    assert (refusal.errno, refusal.text) == (
        EEXIST, "Unable to use 'lo' for the new interface name in the target netns",
    )
    refusal = refused(move, dev, one, "e", 9)
    assert (refusal.errno, refusal.text) == (EBUSY, "The ifindex 9 is not available in the target netns")
    add_altname(dev, "alt")
    add_altname(there, "alt")
    refusal = refused(move, dev, one, "e")
    assert refusal.text == "An interface with the altname alt exists in the target netns"
    assert dev.net is kernel.init_net


def test_moving_closes_and_may_change_the_index(kernel: Kernel) -> None:
    one = kernel.new_net("one")
    dev = dummy(kernel, "d")
    dummy(kernel, "x", 2, net="one")
    flags.open_device(dev)
    change_net_namespace(dev, one, "ignored, the name is free")
    assert (dev.name, dev.ifindex, dev.up, dev.qdisc) == ("d", 3, False, "noop")
    assert one.device(3) is dev and kernel.init_net.device(2) is None
    change_net_namespace(dev, kernel.init_net, None, 40)
    assert dev.ifindex == 40


def test_a_peer_shows_where_the_other_end_is(kernel: Kernel) -> None:
    one = kernel.new_net("one")
    dev = new_link(kernel.init_net, NETKIT, LinkParams())
    peer = dev.ops.get_peer(dev)
    assert peer is not None
    revision = dev.revision
    change_net_namespace(peer, one)
    assert dev.revision > revision
    assert dev.kind is not None and dev.kind.get_link_net(dev) is one
