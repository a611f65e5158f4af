"""tun and tap: what the traces and the recorded program do not reach."""

from __future__ import annotations

from contextlib import AbstractContextManager
from errno import E2BIG, EBADFD, EBUSY, EEXIST, EINVAL, EIO

import pytest

from nlemu.emulator.kernel import tun_file
from nlemu.emulator.kernel.devices import flags, links, qdisc, settings
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.tun import MAX_QUEUES
from nlemu.emulator.kernel.tun_file import Caller, TunFile
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_tun import TunIff

ROOT = Caller(0, frozenset({0}), lambda net: True, True)
TUN, TAP = int(TunIff.TUN | TunIff.NO_PI), int(TunIff.TAP | TunIff.NO_PI)
MULTI = int(TunIff.MULTI_QUEUE)
IPV4 = bytes([0x45]) + bytes(19)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def refused(errno: int) -> AbstractContextManager[pytest.ExceptionInfo[Refusal]]:
    return pytest.raises(Refusal, check=lambda refusal: refusal.errno == errno)


def opened(kernel: Kernel, name: str = "t", how: int = TUN) -> TunFile:
    file = TunFile(kernel.init_net)
    file.set_iff(name, how, ROOT)
    return file


def test_what_goes_out_waits_until_there_is_no_room(kernel: Kernel) -> None:
    """A queue has room for as many packets as the device's queue length says, and none is ever read."""
    file = opened(kernel)
    dev = file.device()
    settings.set_txqlen(dev, 2)
    flags.open_device(dev)
    assert [qdisc.transmit(dev, 60)[0] for _ in range(3)] == [Xmit.SUCCESS] * 3
    assert (file.waiting, dev.stats.tx_dropped, dev.stats.tx_packets) == (2, 1, 0)


def test_without_a_program_what_goes_out_is_lost(kernel: Kernel) -> None:
    file = opened(kernel)
    dev = file.device()
    tun_file.set_persist(dev, True)
    file.close()
    flags.open_device(dev)
    assert dev.ops.transmit(dev, 60) == (Xmit.DROP, None)
    assert dev.stats.tx_dropped == 1


def test_as_many_queues_as_there_can_be(kernel: Kernel) -> None:
    files = [opened(kernel, how=TAP | MULTI) for _ in range(MAX_QUEUES)]
    with refused(E2BIG):
        opened(kernel, how=TAP | MULTI)
    files[3].set_queue(int(TunIff.DETACH_QUEUE))
    with refused(E2BIG):
        opened(kernel, how=TAP | MULTI)
    files[7].close()
    opened(kernel, how=TAP | MULTI)
    dev = files[0].device()
    assert (dev.real_num_tx_queues, dev.real_num_rx_queues) == (MAX_QUEUES - 1,) * 2


def test_a_name_that_cannot_be_leaves_nothing_behind(kernel: Kernel) -> None:
    """A file whose device could not be registered can ask for another."""
    file = TunFile(kernel.init_net)
    file.set_ifindex(1)
    with refused(EBUSY):
        file.set_iff("t", TUN, ROOT)
    file.set_ifindex(9)
    assert file.set_iff("t", TUN, ROOT) == "t"
    assert file.device().ifindex == 9
    with refused(EEXIST):
        file.set_iff("u", TUN, ROOT)
    assert [dev.name for dev in kernel.init_net] == ["lo", "t"]


def test_a_filter_that_was_attached_keeps_the_next_from_joining(kernel: Kernel) -> None:
    """tun_attach() of 7.2.13 goes out where the filter could be attached: a success that attaches nothing."""
    file = opened(kernel, how=int(TunIff.TAP))
    dev = file.device()
    tun_file.set_persist(dev, True)
    tun_file.attach_filter(dev, bytes(16))
    assert not file.get_iff()[1] & TunIff.NOFILTER
    file.close()
    other = TunFile(kernel.init_net)
    assert other.set_iff("t", int(TunIff.TAP), ROOT) == "t"
    with refused(EBADFD):
        other.device()
    other.set_iff("t", int(TunIff.TAP | TunIff.NOFILTER), ROOT)
    tun_file.detach_filter(dev)
    assert other.device() is dev


def test_a_program_hears_that_its_device_is_gone(kernel: Kernel) -> None:
    file = opened(kernel)
    heard: list[bool] = []
    file.on_gone = lambda: heard.append(True)
    links.delete_link(file.device())
    assert heard == [True]
    with refused(EBADFD):
        file.write(IPV4)
    file.close()


def test_what_comes_in_is_counted_where_it_can_be_received(kernel: Kernel) -> None:
    file = opened(kernel)
    dev = file.device()
    with refused(EIO):
        file.write(IPV4)
    flags.open_device(dev)
    assert file.write(IPV4) == len(IPV4)
    with refused(EINVAL):
        file.write(b"\x10")
    assert (dev.stats.rx_packets, dev.stats.rx_bytes, dev.stats.rx_dropped) == (1, 20, 2)


def test_who_may_open_what_belongs_to_somebody(kernel: Kernel) -> None:
    file = opened(kernel)
    dev = file.device()
    tun_file.set_owner(dev, 7)
    tun_file.set_group(dev, 8)
    for uid, groups, foreign in ((7, {8}, False), (7, {1, 8}, False), (7, {9}, True), (6, {8}, True)):
        caller = Caller(uid, frozenset(groups), lambda net: False, False)
        assert tun_file.not_capable(dev, caller) is foreign
    assert not tun_file.not_capable(dev, ROOT)
    with refused(EINVAL):
        tun_file.set_owner(dev, tun_file.NOBODY)
