"""NAPI ids, their order, and what outlives an instance: as the recorded machine showed it."""

from __future__ import annotations

from nlemu.emulator.kernel.nics.netdevsim.bus import del_device, new_device
from nlemu.emulator.kernel.queues.napi import MIN_NAPI_ID, NapiTable
from nlemu.emulator.kernel.queues.napi import Napi as NapiInstance
from nlemu.protocol.uapi.netdev import NapiThreaded
from tests.emulator.kernel.world import set_up, world


def ids(w: object) -> list[int]:
    return [napi.napi_id for napi in w.port.napi_list]  # type: ignore[attr-defined]


def test_ids_begin_above_the_processors_and_are_listed_from_the_highest() -> None:
    w = world(queues=2)
    assert ids(w) == [66, 65]
    assert [w.port.rx[index].napi.napi_id for index in range(2)] == [65, 66]  # type: ignore[union-attr]
    assert MIN_NAPI_ID == 65


def test_an_interface_that_goes_down_and_up_has_its_ids_and_settings_again() -> None:
    w = world(queues=2)
    napi = w.kernel.napis.find(w.kernel.init_net, 66)
    assert napi is not None
    napi.set_defer_hard_irqs(100)
    napi.set_gro_flush_timeout(123456)
    napi.set_irq_suspend_timeout(1 << 40)
    set_up(w.port, False)
    assert ids(w) == []
    assert w.kernel.napis.find(w.kernel.init_net, 66) is None
    assert w.port.rx[1].napi is None
    set_up(w.port)
    again = w.kernel.napis.find(w.kernel.init_net, 66)
    assert again is not None
    assert ids(w) == [66, 65]
    assert (again.defer_hard_irqs, again.gro_flush_timeout, again.irq_suspend_timeout) == (
        100,
        123456,
        1 << 40,
    )


def test_ids_are_the_machines_not_the_devices() -> None:
    w = world(queues=2)
    new_device(w.kernel, 11, 1, 1)
    other = w.kernel.init_net.by_name("eth1")
    assert other is not None
    set_up(other)
    assert [napi.napi_id for napi in other.napi_list] == [67]
    del_device(w.kernel, 11)
    new_device(w.kernel, 11, 1, 1)
    other = w.kernel.init_net.by_name("eth1")
    assert other is not None
    set_up(other)
    assert [napi.napi_id for napi in other.napi_list] == [68]


def test_an_instance_is_found_only_in_its_namespace() -> None:
    w = world()
    net = w.kernel.new_net("guest")
    assert w.kernel.napis.find(net, 65) is None
    assert w.kernel.napis.find(w.kernel.init_net, 64) is None


def test_threads_come_and_go_with_the_setting_and_with_the_instance() -> None:
    w = world(queues=2)
    high, low = w.port.napi_list
    low.set_threaded(NapiThreaded.ENABLED)
    high.set_threaded(NapiThreaded.BUSY_POLL)
    assert (low.threaded, low.pid, high.threaded, high.pid) == (1, 60, 2, 61)
    low.set_threaded(NapiThreaded.BUSY_POLL)
    assert (low.threaded, low.pid) == (2, 60)
    low.set_threaded(NapiThreaded.ENABLED)
    set_up(w.port, False)
    set_up(w.port)
    high, low = w.port.napi_list
    assert (low.threaded, low.pid, high.threaded, high.pid) == (1, 62, 2, 63)
    low.set_threaded(NapiThreaded.DISABLED)
    assert (low.threaded, low.pid) == (0, None)


def test_the_counter_wraps_and_steps_over_ids_in_use() -> None:
    table = NapiTable()
    first = NapiInstance()
    table.give_id(first)
    table._last = 0xFFFFFFFF
    second = NapiInstance()
    table.give_id(second)
    assert (first.napi_id, second.napi_id) == (65, 66)


def test_an_instance_keeps_its_place_among_those_that_are_listed() -> None:
    w = world(queues=3)
    config = w.port.napi_config
    middle = w.port.napi_list[1]
    middle.disable()
    middle.delete()
    assert ids(w) == [67, 65]
    assert config[1].napi_id == 66
    new = NapiInstance()
    new.add_config(w.port, 1)
    new.enable()
    assert ids(w) == [67, 66, 65]
