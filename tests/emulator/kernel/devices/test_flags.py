"""Going up and down and other flags: what is told, to whom, in which order."""

from __future__ import annotations

from collections.abc import Callable
from errno import EADDRNOTAVAIL, EBUSY, ENOTCONN

import pytest

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import address, flags, register, rx_mode, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.netkit import KIND as NETKIT
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from tests.emulator.kernel.notifications import Notifications

UP = int(IFF.UP)


class Diary(Notifications):
    """Announcements and events in one list."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self.entries: list[tuple[object, ...]] = []
        kernel.announcer = self
        kernel.register_notifier(Stage.IPV4, self.event)

    def event(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        self.entries.append((event.name, dev.name))

    def link_new(self, dev: Device, change: int, **more: object) -> None:
        self.entries.append(("new", dev.name, change, flags.get_flags(dev) & UP))

    def link_going(self, dev: Device, change: int, **more: object) -> Callable[[], None]:
        self.entries.append(("built", dev.name))
        return lambda: self.entries.append(("sent", dev.name))

    def read(self) -> list[tuple[object, ...]]:
        entries, self.entries = self.entries, []
        return entries


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def dummy(kernel: Kernel) -> Device:
    return new_link(kernel.init_net, DUMMY, LinkParams(name="d"))


def test_the_life_of_a_device(kernel: Kernel) -> None:
    diary = Diary(kernel)
    dev = dummy(kernel)
    assert diary.read() == [("POST_INIT", "d"), ("REGISTER", "d"), ("new", "d", 0xFFFFFFFF, 0)]
    flags.change_flags(dev, dev.flags | UP)
    assert diary.read() == [("PRE_UP", "d"), ("new", "d", UP, UP), ("UP", "d")]
    flags.close_device(dev)
    assert diary.read() == [("GOING_DOWN", "d"), ("new", "d", 0x41, 0), ("DOWN", "d")]
    flags.open_device(dev)
    assert diary.read() == [("PRE_UP", "d"), ("new", "d", 0x41, UP), ("UP", "d")]
    flags.change_flags(dev, dev.flags & ~UP)
    assert diary.read() == [("GOING_DOWN", "d"), ("new", "d", UP, 0), ("DOWN", "d")]
    register.unregister(dev)
    assert diary.read() == [("UNREGISTER", "d"), ("built", "d"), ("PRE_UNINIT", "d"), ("sent", "d")]
    flags.close_device(dev)
    assert diary.read() == []


def test_several_go_together(kernel: Kernel) -> None:
    new_link(kernel.init_net, NETKIT, LinkParams(name="a"))
    devs = [dev for dev in kernel.init_net if dev.kind is not None]
    for dev in devs:
        flags.open_device(dev)
    kernel.settle()
    diary = Diary(kernel)
    register.unregister_many(dict.fromkeys(devs))
    names = [dev.name for dev in devs]
    said = diary.read()
    assert [entry for entry in said if entry[0] == "GOING_DOWN"] == [("GOING_DOWN", name) for name in names]
    assert said.index(("GOING_DOWN", names[1])) < said.index(("new", names[0], 0x41, 0))
    assert said.index(("DOWN", names[1])) < said.index(("UNREGISTER", names[0]))
    assert said.index(("sent", names[0])) < said.index(("UNREGISTER", names[1]))


def test_a_created_link_that_is_to_be_up(kernel: Kernel) -> None:
    diary = Diary(kernel)
    new_link(kernel.init_net, DUMMY, LinkParams(name="d", flags=UP, change=UP))
    assert diary.read()[2:] == [("PRE_UP", "d"), ("new", "d", 0xFFFFFFFF, UP), ("UP", "d")]


def test_a_created_link_that_cannot_be_up_leaves_no_trace(kernel: Kernel) -> None:
    diary = Diary(kernel)

    def refuse(event: NetdevEvent, dev: Device, info: Info) -> None:
        if event == NetdevEvent.PRE_UP:
            raise Refusal(EBUSY)

    kernel.register_notifier(Stage.IPV6, refuse)
    with pytest.raises(Refusal):
        new_link(kernel.init_net, DUMMY, LinkParams(name="d", flags=UP, change=UP))
    assert not [entry for entry in diary.read() if entry[0] in ("new", "built", "sent")]
    assert kernel.init_net.by_name("d") is None


def test_a_refusal_to_open(kernel: Kernel) -> None:
    dev = dummy(kernel)
    dev.address = bytes(6)
    with pytest.raises(Refusal) as caught:
        flags.change_flags(dev, dev.flags | UP)
    assert caught.value.errno == EADDRNOTAVAIL
    assert (dev.running, dev.up) == (False, False)


def test_half_a_pair_cannot_be_opened(kernel: Kernel) -> None:
    dev = new_link(kernel.init_net, NETKIT, LinkParams())
    dev.priv.peer = None
    with pytest.raises(Refusal) as caught:
        flags.open_device(dev)
    assert caught.value.errno == ENOTCONN


def test_promiscuity(kernel: Kernel) -> None:
    dev = dummy(kernel)
    diary = Diary(kernel)
    promisc = int(IFF.PROMISC)
    flags.change_flags(dev, dev.flags | promisc)
    assert diary.read() == [("new", "d", promisc, 0)]
    assert dev.promiscuity == 1 and flags.get_flags(dev) & promisc
    flags.set_promiscuity(dev, 1)
    assert diary.read() == [("new", "d", promisc, 0)]
    flags.change_flags(dev, dev.flags & ~promisc)
    assert dev.promiscuity == 1 and dev.flags & promisc and not flags.get_flags(dev) & promisc
    diary.read()
    rx_mode.change_allmulti(dev, 1)
    assert diary.read() == [] and dev.allmulti == 1 and not flags.get_flags(dev) & int(IFF.ALLMULTI)


def test_flags_that_are_not_user_spaces(kernel: Kernel) -> None:
    dev = dummy(kernel)
    flags.change_flags(dev, 0)
    assert dev.flags == int(IFF.BROADCAST)
    assert flags.combine_flags(dev, 5, 0) == 5
    assert flags.combine_flags(dev, UP, UP) == int(IFF.BROADCAST) | UP


def test_another_flag_while_up_is_a_change(kernel: Kernel) -> None:
    dev = dummy(kernel)
    flags.open_device(dev)
    diary = Diary(kernel)
    flags.change_flags(dev, dev.flags & ~int(IFF.NOARP))
    assert diary.read() == [("new", "d", int(IFF.NOARP), UP), ("CHANGE", "d")]


def test_settings_that_are_told(kernel: Kernel) -> None:
    dev = dummy(kernel)
    diary = Diary(kernel)
    settings.set_mtu(dev, 1500)
    assert diary.read() == []
    settings.set_mtu(dev, 9000)
    assert diary.read() == [("PRECHANGEMTU", "d"), ("new", "d", 0, 0), ("CHANGEMTU", "d")]
    address.set_mac(dev, dev.address)
    assert diary.read() == [("PRE_CHANGEADDR", "d"), ("new", "d", 0, 0), ("CHANGEADDR", "d")]
    settings.set_txqlen(dev, 5)
    assert diary.read() == [("new", "d", 0, 0), ("CHANGE_TX_QUEUE_LEN", "d")]
    settings.set_group(dev, 5)
    settings.set_alias(dev, "x")
    assert diary.read() == []


def test_a_refused_mtu_is_put_back(kernel: Kernel) -> None:
    dev = dummy(kernel)

    def refuse(event: NetdevEvent, dev: Device, info: Info) -> None:
        if event == NetdevEvent.CHANGEMTU and dev.mtu == 9000:
            assert info.mtu == 1500
            raise Refusal(EBUSY)

    kernel.register_notifier(Stage.IPV6, refuse)
    with pytest.raises(Refusal):
        settings.set_mtu(dev, 9000)
    assert dev.mtu == 1500


def test_mtu_is_a_signed_number_there(kernel: Kernel) -> None:
    with pytest.raises(Refusal) as caught:
        settings.set_mtu(dummy(kernel), 0xFFFFFFFF)
    assert caught.value.text == "mtu less than device minimum"


def test_a_notifier_may_refuse_a_device(kernel: Kernel) -> None:
    diary = Diary(kernel)

    def refuse(event: NetdevEvent, dev: Device, info: Info) -> None:
        if event == NetdevEvent.REGISTER:
            raise Refusal(EBUSY)

    kernel.register_notifier(Stage.IPV6, refuse)
    with pytest.raises(Refusal):
        dummy(kernel)
    assert kernel.init_net.by_name("d") is None and len(kernel.init_net) == 1
    assert ("new", "d", 0xFFFFFFFF, 0) not in diary.read()


def test_the_chain_is_in_the_order_of_booting(kernel: Kernel) -> None:
    said: list[str] = []

    def hear(name: str) -> Callable[[NetdevEvent, Device, Info], None]:
        return lambda event, dev, info: said.append(name)

    for stage in (Stage.IPV6, Stage.NETDEV, Stage.IPV4, Stage.ETHTOOL, Stage.RTNETLINK):
        kernel.register_notifier(stage, hear(stage.name))
    kernel.register_notifier(Stage.IPV4, hear("another"))
    kernel.notify(NetdevEvent.REBOOT, kernel.init_net.loopback)
    assert said == ["RTNETLINK", "NETDEV", "ETHTOOL", "IPV4", "another", "IPV6"]
