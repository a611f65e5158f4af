"""The netdevsim bus: plugging, ports, unplugging, and where its devices go."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, ENOENT, ENOSPC

import pytest

from nlemu.emulator.kernel.core.build import RECORDED_7_2
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, NullAnnouncer, Stage
from nlemu.emulator.kernel.devices.device import DevlinkPort, Parent
from nlemu.emulator.kernel.devices.states import NetmemTx
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.netdevsim.bus import del_device, new_device
from nlemu.emulator.kernel.nics.netdevsim.wire import link_ports, unlink_port
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netdev import XdpAct
from tests.emulator.kernel.world import set_up, world


def names(kernel: Kernel) -> list[tuple[int, str]]:
    return [(dev.ifindex, dev.name) for dev in kernel.init_net if dev is not kernel.init_net.loopback]


def errno_of(caught: pytest.ExceptionInfo[Refusal]) -> int:
    return caught.value.errno


def test_ports_are_physical_devices() -> None:
    kernel = Kernel()
    new_device(kernel, 10, 2, 4)
    assert names(kernel) == [(2, "eth0"), (3, "eth1")]
    dev = kernel.init_net.device(3)
    assert dev is not None
    assert dev.parent == Parent("netdevsim10", "netdevsim")
    assert dev.devlink_port == DevlinkPort("netdevsim", "netdevsim10", 0, 1)
    assert dev.ops.get_phys_port_name(dev) == "p2"
    assert len(dev.ops.get_port_parent_id(dev) or b"") == 32
    assert (dev.num_tx_queues, dev.num_rx_queues, dev.real_num_rx_queues) == (4, 4, 4)
    assert (dev.mtu, dev.min_mtu, dev.max_mtu, dev.txqlen) == (1500, 68, 65535, 1000)
    assert dev.address[0] & 3 == 2
    assert not any(dev.perm_address)
    assert dev.xdp_features == XdpAct.BASIC | XdpAct.HW_OFFLOAD


def test_features_are_those_recorded() -> None:
    """Those of a kernel without MACsec."""
    kernel = Kernel(build=RECORDED_7_2)
    new_device(kernel, 10, 1, 2)
    dev = kernel.init_net.by_name("eth0")
    assert dev is not None
    active = {bit for bit in range(64) if dev.features >> bit & 1}
    assert active == {0, 3, 5, 6, 9, 11, 14, 15, 16, 47, 52}
    hw = {bit for bit in range(64) if dev.hw_features >> bit & 1}
    assert hw == {0, 3, 6, 9, 11, 14, 15, 16, 19, 41, 42, 47, 49, 52, 57, 59}


def test_the_driver_that_can_do_dma() -> None:
    plain, dma = world(up=False).port, world(up=False, netdevsim="dma").port
    assert dma.xdp_features == 31
    assert (dma.netmem_tx, dma.xdp_zc_max_segs) == (NetmemTx.DMA, 1)
    assert plain.netmem_tx == NetmemTx.NONE
    assert plain.ops.queue_dma_device(plain, 0) is None
    assert dma.ops.queue_dma_device(dma, 0) is dma.ops.queue_dma_device(dma, 1) is not None


def test_two_machines_of_one_seed_are_alike() -> None:
    assert world(up=False).port.address == world(up=False).port.address


def test_numbers_of_devices() -> None:
    kernel = Kernel()
    new_device(kernel, 10)
    for number, errno in ((10, ENOSPC), (-1, EINVAL), (1 << 31, EINVAL)):
        with pytest.raises(Refusal) as caught:
            new_device(kernel, number)
        assert errno_of(caught) == errno
    for number, errno in ((99, ENOENT), (1 << 31, EINVAL)):
        with pytest.raises(Refusal) as caught:
            del_device(kernel, number)
        assert errno_of(caught) == errno
    del_device(kernel, 10)
    assert names(kernel) == []
    new_device(kernel, 10)
    assert names(kernel) == [(3, "eth0")]
    dev = kernel.init_net.device(3)
    assert dev is not None
    assert dev.devlink_port is not None
    assert dev.devlink_port.instance == 1


def test_a_device_that_cannot_be_driven_stays_on_the_bus() -> None:
    kernel = Kernel()
    new_device(kernel, 12, 0, 1)
    new_device(kernel, 13, 1, 0)
    new_device(kernel, 14, 2, 65536)
    assert names(kernel) == []
    with pytest.raises(Refusal) as caught:
        new_device(kernel, 13)
    assert errno_of(caught) == ENOSPC
    assert kernel.netdevsim_bus.new_port(12, 0).name == "eth0"
    for number in (12, 13, 14):
        del_device(kernel, number)
    assert names(kernel) == []


def test_single_ports() -> None:
    kernel = Kernel()
    bus = kernel.netdevsim_bus
    new_device(kernel, 10, 1, 2)
    address = bytes.fromhex("020304050607")
    assert bus.new_port(10, 5).ops.get_phys_port_name(bus.devices[10].ports[5]) == "p6"
    assert bus.new_port(10, 6, address).perm_address == address
    last = bus.new_port(10, 0xFFFFFFFF)
    assert last.ops.get_phys_port_name(last) == "p0"
    for index, perm_address, errno in (
        (0, None, EEXIST),
        (7, bytes.fromhex("010304050607"), EINVAL),
        (7, bytes(6), EINVAL),
        (-1, None, EINVAL),
    ):
        with pytest.raises(Refusal) as caught:
            bus.new_port(10, index, perm_address)
        assert errno_of(caught) == errno
    bus.del_port(10, 5)
    for device, index, errno in ((10, 9, ENOENT), (10, -1, EINVAL), (11, 0, ENOENT)):
        with pytest.raises(Refusal) as caught:
            bus.del_port(device, index)
        assert errno_of(caught) == errno
    assert names(kernel) == [(2, "eth0"), (4, "eth2"), (5, "eth3")]


def test_the_last_port_is_unplugged_first() -> None:
    kernel = Kernel()
    new_device(kernel, 10, 3)
    gone: list[int] = []

    def on_event(event: NetdevEvent, dev: object, info: Info) -> None:
        if event == NetdevEvent.UNREGISTER:
            gone.append(dev.ifindex)  # type: ignore[attr-defined]

    kernel.register_notifier(Stage.DRIVERS, on_event)
    del_device(kernel, 10)
    assert gone == [4, 3, 2]


def test_a_dying_namespace_gives_its_device_back_anew() -> None:
    kernel = Kernel()
    guest = kernel.new_net("guest")
    new_device(kernel, 10, 1)
    new_device(kernel, 14, 2, net=guest)
    kernel.netdevsim_bus.new_port(14, 9)
    assert [dev.name for dev in guest] == ["lo", "eth0", "eth1", "eth2"]
    old = guest.by_name("eth0")
    assert old is not None
    kernel.delete_net("guest")
    kernel.settle()
    # As many ports as the device was made with; ports that came later are forgotten.
    assert names(kernel) == [(2, "eth0"), (3, "eth1"), (4, "eth2")]
    new = kernel.init_net.device(3)
    assert new is not None
    assert new is not old
    assert new.address != old.address
    assert new.ops.get_port_parent_id(new) == old.ops.get_port_parent_id(old)
    assert new.devlink_port == DevlinkPort("netdevsim", "netdevsim14", 1, 0)
    devices = kernel.netdevsim_bus.devices
    assert {number: device.reloads for number, device in devices.items()} == {10: 0, 14: 1}


def test_carrier_is_lost_when_a_port_goes_down() -> None:
    dev = world().port
    carriers = [dev.carrier]
    for up in (False, True):
        set_up(dev, up)
        carriers.append(dev.carrier)
    assert carriers == [True, False, False]


def test_a_wire_between_two_ports() -> None:
    w = world()
    new_device(w.kernel, 11)
    other = w.kernel.init_net.by_name("eth1")
    assert other is not None
    set_up(w.port, False)
    set_up(w.port)
    carriers = [w.port.carrier]
    link_ports(w.port, other)
    assert (w.port.iflink, other.iflink) == (other.ifindex, w.port.ifindex)
    with pytest.raises(Refusal) as caught:
        link_ports(w.port, other)
    assert errno_of(caught) == EBUSY
    set_up(other)
    carriers.append(w.port.carrier and other.carrier)
    unlink_port(other)
    carriers.append(w.port.carrier or other.carrier)
    assert carriers == [False, True, False]
    assert w.port.iflink == w.port.ifindex
    for wrong in (other, w.kernel.init_net.loopback):
        with pytest.raises(Refusal) as caught:
            unlink_port(wrong)
        assert errno_of(caught) == EINVAL
    link_ports(w.port, other)
    del_device(w.kernel, 11)
    assert w.port.iflink == w.port.ifindex


def test_nobody_needs_to_listen() -> None:
    w = world()
    w.kernel.announcer = NullAnnouncer()
    del_device(w.kernel, 10)
    assert w.port.page_pools == []


def test_virtual_functions_go_with_a_reload_and_what_was_set_stays() -> None:
    """nsim_dev_reload_destroy(): a namespace dies, and the device begins anew in the first one."""
    kernel = Kernel()
    device = new_device(kernel, 10, net=kernel.new_net("pod"))
    device.set_vfs(2)
    port = device.ports[0]
    port.ops.set_vf_mac(port, 1, b"\2\0\0\0\0\7")
    kernel.delete_net("pod")
    kernel.settle()
    assert (device.net, device.num_vfs) == (kernel.init_net, 0)
    port = device.ports[0]
    with pytest.raises(Refusal) as caught:
        port.ops.vf_config(port, 1)
    assert errno_of(caught) == EINVAL
    device.set_vfs(2)
    assert port.ops.vf_config(port, 1).mac == b"\2\0\0\0\0\7"
    kernel.netdevsim_bus.new_device(11, 1, 0)
    with pytest.raises(Refusal) as caught:
        kernel.netdevsim_bus.set_vfs(11, 1)
    assert errno_of(caught) == ENOENT, "nothing drives it"
