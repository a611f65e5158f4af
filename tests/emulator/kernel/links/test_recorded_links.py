"""The model does what the recorded machine did, and says so in the same order: each step of a trace by hand, as the
verb it comes to, against the notifications that the trace has for that step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices import address, flags, links, move, rename, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.netkit import NetkitParams
from nlemu.emulator.kernel.links.veth import VethParams
from nlemu.emulator.kernel.queues import lease
from nlemu.protocol.refusal import Refusal
from tests.emulator.kernel.notifications import Notifications, recorded

L2, SINGLE = 0, 1


def mac(last: int) -> bytes:
    return bytes((2, 0, 0, 0, 0, last))


class Play:
    """A machine, and a trace to compare with. A step is the verbs of that step, then `said()`."""

    def __init__(self, trace: str, ears: dict[str, str]) -> None:
        self.kernel = Kernel()
        self.notifications = Notifications()
        self.kernel.announcer = self.notifications
        self.trace = trace
        self.ears = ears

    def net(self, name: str = "init") -> Net:
        return self.kernel.nets[name]

    def dev(self, name: str, net: str = "init") -> Device:
        dev = self.net(net).by_name(name)
        assert dev is not None
        return dev

    def new(self, kind: str, params: LinkParams, net: str = "init") -> Device:
        target = self.net(net)
        self.kernel.kinds[kind].validate(params)
        return links.new_link(target, self.kernel.kinds[kind], params, origin="us")

    def set_up(self, dev: Device, up: bool = True) -> None:
        flags.change_flags(dev, flags.combine_flags(dev, int(up), 1))

    def said(self, step: int) -> None:
        """Each listener heard in this step what it did in the trace."""
        self.kernel.settle()
        for sock, name in self.ears.items():
            said, truth = self.notifications.taken(self.net(name)), recorded(self.trace, sock)[step]
            where = f"{self.trace} step {step}, {sock}"
            assert [item["what"] for item in said] == [item["what"] for item in truth], where
            for ours, theirs in zip(said, truth, strict=True):
                assert dict(ours.items() - theirs.items()) == dict(theirs.items() - ours.items()), where

    def refused(self, errno: int, verb: Callable[[], object]) -> None:
        with pytest.raises(Refusal) as caught:
            verb()
        assert caught.value.errno == errno


def test_netkit_pairs() -> None:
    play = Play("r02_netkit_pair", {"m": "init"})
    play.new("netkit", LinkParams())
    play.said(3)
    peer = LinkParams(name="p1", address=mac(11))
    play.new("netkit", LinkParams(name="h1", address=mac(10), data=NetkitParams(mode=L2, peer_info=peer)))
    play.said(4)
    play.new("netkit", LinkParams(name="h2", data=NetkitParams(policy=2, peer_policy=2)))
    play.said(5)
    play.new("netkit", LinkParams(name="h3", data=NetkitParams(scrub=0, peer_scrub=0)))
    play.said(6)


def test_single_netkit() -> None:
    play = Play("r04_netkit_single", {"m": "init"})
    play.new("netkit", LinkParams(name="nk", address=mac(12), data=NetkitParams(mode=L2, pairing=SINGLE)))
    play.said(3)
    play.new("netkit", LinkParams(name="nl3", num_rx_queues=64, data=NetkitParams(pairing=SINGLE)))
    play.said(4)
    links.delete_link(play.dev("nk"))
    play.said(9)


def test_settings() -> None:
    play = Play("r06_setlink", {"m": "init"})
    peer = LinkParams(name="p", address=mac(2))
    dev = play.new("netkit", LinkParams(name="h", address=mac(1), data=NetkitParams(mode=L2, peer_info=peer)))
    play.kernel.settle()
    play.notifications.taken(play.net())
    rename.change_name(dev, "renamed")
    play.said(4)
    play.refused(17, lambda: rename.change_name(dev, "p"))
    play.refused(22, lambda: rename.change_name(dev, "a/b"))
    settings.set_mtu(dev, recorded("r06_setlink", "m")[7][0]["mtu"])
    play.said(7)
    play.refused(22, lambda: settings.set_mtu(dev, 10))
    address.set_mac(dev, mac(9))
    play.said(9)
    play.refused(99, lambda: address.set_mac(dev, b"\x01\0\0\0\0\0"))
    settings.set_txqlen(dev, recorded("r06_setlink", "m")[11][0]["txqlen"])
    play.said(11)
    settings.set_alias(dev, "the host end\0")
    settings.set_group(dev, 12)
    play.said(12)
    play.said(13)
    settings.set_mtu(dev, 1400)
    rename.change_name(dev, "again")
    play.said(14)
    play.set_up(dev)
    play.said(15)
    play.set_up(play.dev("p"))
    play.said(16)
    rename.change_name(dev, "uprenamed")
    play.said(17)
    play.set_up(dev, False)
    play.said(18)


def test_deleting() -> None:
    play = Play("r07_dellink", {"m": "init"})
    play.kernel.netdevsim_bus.new_device(10)
    play.said(3)
    play.kernel.advance(0.2)
    pair = LinkParams(name="h", data=NetkitParams(peer_info=LinkParams(name="p")))
    play.new("netkit", pair)
    play.said(4)
    links.delete_link(play.dev("p"))
    play.said(5)
    play.new("netkit", pair)
    play.said(6)
    # Link-watch was busy less than a second ago, so the state of these is not known yet when they come up.
    play.set_up(play.dev("p"))
    play.said(7)
    play.set_up(play.dev("h"))
    play.said(8)
    links.delete_link(play.dev("h"))
    play.said(9)
    play.refused(95, lambda: links.delete_link(play.dev("lo")))
    play.refused(95, lambda: links.delete_link(play.dev("eth0")))
    play.new("netkit", LinkParams(name="g0", group=7))
    group = recorded("r07_dellink", "m")[15][0]["group"]
    for dev in play.net():
        dev.group = group if dev.kind is not None else 0
    play.notifications.taken(play.net())
    links.delete_group(play.net(), group)
    play.said(16)
    assert [dev.name for dev in play.net()] == ["lo", "eth0"]


def test_namespaces() -> None:
    play = Play("r08_namespaces", {"m": "init", "m1": "one", "m2": "two"})
    one, two = play.kernel.new_net("one"), play.kernel.new_net("two")
    for net in (one, two):
        play.notifications.taken(net)
    play.net().set_id(one, 5)
    play.said(9)
    play.refused(17, lambda: play.net().set_id(one, 6))
    play.refused(17, lambda: play.net().set_id(two, 5))
    play.net().set_id(two, -1)
    play.said(13)
    assert [nsid for nsid, _ in play.net().ids] == [0, 5]
    peer = LinkParams(name="p", address=mac(2))
    params = LinkParams(name="h", address=mac(1), data=NetkitParams(mode=L2, peer_info=peer), peer_net=one)
    play.new("netkit", params)
    play.said(16)
    assert one.id_alloc(play.net()) == 0  # as the dump of that step has to
    play.said(18)
    move.change_net_namespace(play.dev("p", "one"), two, "p")
    play.said(19)


def test_veth_and_dummy() -> None:
    play = Play("r09_veth_dummy", {"m": "init"})
    dummy = play.new("dummy", LinkParams(name="d", address=mac(1)))
    play.said(3)
    peer = LinkParams(name="w", address=mac(3))
    params = LinkParams(name="v", address=mac(2), num_tx_queues=1, num_rx_queues=1, data=VethParams(peer))
    veth = play.new("veth", params)
    play.said(4)
    play.set_up(dummy)
    play.said(5)
    play.kernel.link_watch.sync(play.dev("w"))  # as the read of that step does
    play.said(6)
    play.set_up(play.dev("w"))
    play.said(7)
    play.set_up(veth)
    play.said(8)
    links.delete_link(play.dev("w"))
    play.said(9)
    links.delete_link(dummy)
    play.said(10)
    play.refused(22, lambda: play.new("dummy", LinkParams(address=b"\1")))


def test_a_namespace_dies() -> None:
    play = Play("n08_cross_namespace", {"m": "init", "gm": "guest"})
    guest = play.kernel.new_net("guest")
    play.notifications.taken(guest)
    play.kernel.netdevsim_bus.new_device(10, 1, 4)
    play.said(8)
    play.kernel.advance(0.2)
    play.set_up(play.dev("eth0"))
    play.said(9)
    host = play.new("netkit", LinkParams(name="host", num_rx_queues=3, data=NetkitParams(mode=L2)))
    play.said(10)
    nk0 = play.dev("nk0")
    move.change_net_namespace(nk0, guest)
    play.said(11)
    play.set_up(host)
    play.said(12)
    play.set_up(nk0)
    play.said(13)
    assert lease.create_queue(guest, 3, 2, 1, 0) == 1
    play.kernel.settle()
    del play.ears["gm"]
    play.kernel.delete_net("guest")
    play.said(26)
    assert play.dev("eth0").rx[1].lease is None
    assert play.net().by_name("host") is None


def test_unplug() -> None:
    play = Play("n09_unplug", {"m": "init"})
    play.kernel.netdevsim_bus.new_device(10, 1, 3)
    play.said(5)
    play.kernel.advance(0.2)
    play.set_up(play.dev("eth0"))
    play.said(6)
    said = recorded("n09_unplug", "m")
    single = NetkitParams(pairing=SINGLE)
    play.new("netkit", LinkParams(name="one", num_rx_queues=said[7][0]["num_rx_queues"], data=single))
    play.said(7)
    play.new("netkit", LinkParams(name="pair", num_rx_queues=2))
    play.said(8)
    for number, (lessee, queue) in enumerate(((3, 1), (3, 2), (4, 0)), 9):
        lease.create_queue(play.net(), lessee, 2, queue)
        play.said(number)
    play.new("netkit", LinkParams(name="other", num_rx_queues=said[12][0]["num_rx_queues"], data=single))
    play.said(12)
    play.kernel.netdevsim_bus.del_device(10)
    play.said(13)
    assert [dev.name for dev in play.net()] == ["lo", "other"]
