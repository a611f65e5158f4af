"""Programs, NICs and figures as steps: what a line has to say, and what it changes."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import TraceError, step_of
from tests.emulator.kernel.world import set_up

AT = "0000:08:00.0"


@pytest.fixture
def steps() -> Steps:
    steps = Steps(Machine(netdevsim="dma"))
    do(steps, nic_new=AT, profile="mlx5_core", queues=4)
    set_up(nic(steps))
    return steps


def nic(steps: Steps) -> Device:
    dev = steps.machine.init_net.device(2)
    assert dev is not None
    return dev


def do(steps: Steps, **fields: Any) -> None:
    answer = steps.perform(step_of(fields))
    assert answer.error is None, answer.error


def refused(steps: Steps, **fields: Any) -> int | None:
    answer = steps.perform(step_of(fields))
    assert answer.error is not None
    return answer.error.errno


def complaint(steps: Steps, **fields: Any) -> str:
    with pytest.raises((StepError, TraceError)) as caught:
        steps.perform(step_of(fields))
    text = str(caught.value)
    assert "\n" not in text
    return text


# -- programs ---------------------------------------------------------------------------------------------


def test_a_program_has_a_name_until_it_ends(steps: Steps) -> None:
    do(steps, xsk="p", ifindex=2, queue=0)
    assert complaint(steps, zcrx="p", ifindex=2, queue=1) == "zcrx: there is a program 'p' already"
    do(steps, end="p")
    assert complaint(steps, end="p") == "end: there is no program 'p'"
    do(steps, xsk="p", ifindex=2, queue=0)


def test_a_refused_program_is_not_there(steps: Steps) -> None:
    assert refused(steps, xsk="p", ifindex=2, queue=99) == errno.EINVAL
    assert complaint(steps, end="p") == "end: there is no program 'p'"
    assert steps.machine.init_net._references == 1, "nor does it keep its namespace"


def test_what_is_shared_must_be_there(steps: Steps) -> None:
    assert complaint(steps, xsk="p", ifindex=2, queue=0, shared="q") == "xsk: there is no AF_XDP socket 'q'"
    do(steps, dmabuf="q")
    assert complaint(steps, xsk="p", ifindex=2, queue=0, shared="q") == "xsk: there is no AF_XDP socket 'q'"


def test_a_socket_that_lost_its_device_shares_nothing(steps: Steps) -> None:
    do(steps, xsk="p", ifindex=2, queue=0)
    do(steps, nic_del=AT)
    do(steps, nic_new=AT, profile="mlx5_core")
    assert refused(steps, xsk="q", ifindex=3, queue=0, shared="p") == errno.EBADF
    do(steps, end="p")


@pytest.mark.parametrize("first", ["xa", "xb"])
def test_a_shared_pool_goes_with_its_last_socket(steps: Steps, first: str) -> None:
    do(steps, xsk="xa", ifindex=2, queue=0, flags=4)
    do(steps, xsk="xb", ifindex=2, queue=0, shared="xa")
    do(steps, end=first)
    assert nic(steps).rx[0].pool is not None
    do(steps, end="xb" if first == "xa" else "xa")
    assert nic(steps).rx[0].pool is None and nic(steps).tx[0].pool is None


def test_a_socket_keeps_its_namespace(steps: Steps) -> None:
    do(steps, netns="pod")
    pod = steps.nets["pod"]
    do(steps, nic_new="0000:09:00.0", profile="mlx5_core", netns="pod", name="eth9")
    do(steps, xsk="p", netns="pod", ifindex=2, queue=0)
    do(steps, netns_del="pod")
    assert [net.dying for net in (pod,)] == [False]
    do(steps, end="p")
    assert pod.dying and steps.machine.init_net.by_name("dev2") is None, "the NIC came home under a free index"
    assert "0000:09:00.0" in steps.machine.nics.devices


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"xsk": "p", "queue": 0}, "'xsk' needs 'ifindex'"),
        ({"xsk": "p", "ifindex": 2, "queue": -1}, "'queue' should be a number"),
        ({"xsk": "p", "ifindex": 2, "queue": 0, "netns": "x"}, "xsk: there is no namespace 'x'"),
        ({"xdp": "p", "ifindex": 2, "frags": 1}, "'frags' should be true or false"),
        ({"zcrx": "p", "ifindex": 2, "queue": 0, "rx_buf_len": "4k"}, "'rx_buf_len' should be a number"),
        ({"dmabuf": ""}, "'dmabuf' should be a name"),
        ({"nic_new": "a", "profile": "mlx"}, "nic_new: profile: there is no 'mlx'"),
        ({"nic_new": "a", "profile": "gve", "queues": 1 << 16}, "nic_new: queues: "),
        ({"nic_new": "a", "profile": "gve", "functions": 0}, "nic_new: functions: from 1 to 8"),
        ({"nic_new": "a", "profile": "gve", "xdp_zc_max_segs": 0}, "nic_new: xdp_zc_max_segs: "),
        ({"nic_new": "a", "profile": "gve", "address": "02:00"}, "nic_new: address: six bytes"),
        ({"traffic": 9}, "traffic: there is no device 9 in 'init'"),
        ({"traffic": 2, "queue": 4, "rx_bytes": 1}, "traffic: queue: eth0 has 4 rx queues"),
        ({"stats": 2, "add": {"rx": 1}}, "stats: there is no counter 'rx'"),
        ({"stats": 2, "add": {"rx_packets": -1}}, "'add' should be an object in which -1 is a number"),
        ({"queue_stats": 2, "type": "both"}, "'type' should be rx or tx"),
        ({"queue_stats": 2, "type": "rx", "set": {"wake": 1}}, "queue_stats: 'wake': eth0 counts packets, bytes"),
        ({"queue_stats": 2, "type": "rx", "queue": 128}, "queue_stats: queue: eth0 has 128 rx queues"),
        ({"queue_stats": 1, "type": "rx"}, "queue_stats: the driver of lo keeps no counters a queue"),
        ({"napi": 3}, "napi: there is no NAPI instance 3"),
        ({"page_pool": 1}, "page_pool: there is no page pool 1"),
        ({"page_pool": 3, "put": 1}, "page_pool: put: 0 pages are out"),
    ],
)
def test_one_line_that_names_the_field(steps: Steps, fields: dict[str, Any], words: str) -> None:
    assert complaint(steps, **fields).startswith(words)


def test_refusals_of_nics(steps: Steps) -> None:
    assert refused(steps, nic_new=AT, profile="gve") == errno.EEXIST
    assert refused(steps, nic_new="b", profile="gve", name="eth0") == errno.EEXIST
    assert refused(steps, nic_new="b", profile="gve", address="01:00:00:00:00:01") == errno.EADDRNOTAVAIL
    assert refused(steps, nic_del="b") == errno.ENOENT
    assert list(steps.machine.nics.devices) == [AT]


def test_a_nic_that_comes_with_virtual_functions(steps: Steps) -> None:
    other = "0000:0a:00.0"
    words = "nic_new: vfs: such a NIC has at most 2"
    assert complaint(steps, nic_new=other, profile="mlx5_core", vfs=3, total_vfs=2).startswith(words)
    assert complaint(steps, nic_new=other, profile="gve", vfs=1).startswith("nic_new: vfs: such a NIC has at most 0")
    assert other not in steps.machine.nics.devices
    do(steps, nic_new=other, profile="bnxt_en", vfs=2)  # though it is down
    assert list(steps.machine.nics.devices) == [AT, other, "0000:0a:02.0", "0000:0a:02.1"]
    do(steps, nic_del=other)
    assert list(steps.machine.nics.devices) == [AT]


# -- figures ----------------------------------------------------------------------------------------------


def test_traffic_shows_on_the_link_and_on_the_queue(steps: Steps) -> None:
    dev = nic(steps)
    revision = dev.revision
    do(steps, traffic=2, queue=1, rx_packets=3, rx_bytes=300)
    do(steps, traffic=2, queue=1, rx_packets=1, tx_packets=7)
    assert (dev.stats.rx_packets, dev.stats.rx_bytes, dev.stats.tx_packets) == (4, 300, 7)
    assert dev.revision > revision, "what was encoded of it is out of date"
    rx, tx = dev.priv.rx[1], dev.priv.tx[1]
    assert (rx.packets, rx.bytes, tx.packets) == (4, 300, 7)


def test_a_driver_that_does_not_count_by_queue(steps: Steps) -> None:
    do(steps, traffic=1, rx_packets=3)
    lo = steps.machine.init_net.loopback
    assert lo.stats.rx_packets == 3


def test_set_and_add(steps: Steps) -> None:
    do(steps, stats=2, set={"rx_errors": 5}, add={"collisions": 2})
    do(steps, stats=2, add={"rx_errors": (1 << 64) - 1})
    assert (nic(steps).stats.rx_errors, nic(steps).stats.collisions) == (4, 2), "64 bits, and round again"


def test_nothing_is_changed_by_a_line_that_is_wrong(steps: Steps) -> None:
    complaint(steps, stats=2, set={"rx_errors": 5}, add={"nonsense": 2})
    assert nic(steps).stats.rx_errors == 0


def test_base_statistics(steps: Steps) -> None:
    do(steps, queue_stats=2, type="tx", set={"packets": 9})
    do(steps, queue_stats=2, type="rx", queue=2, add={"alloc_fail": 1})
    assert nic(steps).priv.base_tx.packets == 9 and nic(steps).priv.rx[2].alloc_fail == 1


def test_pages_leave_a_pool_and_come_back(steps: Steps) -> None:
    pool = nic(steps).page_pools[-1]
    do(steps, page_pool=pool.id, take=65, add={"alloc_waive": 2})
    assert (pool.inflight, pool.out, pool.stats.alloc_slow, pool.stats.alloc_waive) == (128, 65, 2, 2)
    do(steps, page_pool=pool.id, put=5)
    assert (pool.out, pool.ring) == (60, 5)
    set_up(nic(steps), False)
    assert pool.detach_time is not None and pool.inflight == 60, "it waits for its pages"
    do(steps, page_pool=pool.id, put=60)
    do(steps, sleep=1.0)
    assert complaint(steps, page_pool=pool.id).startswith("page_pool: there is no page pool")


def test_an_interrupt_and_a_thread(steps: Steps) -> None:
    napi = nic(steps).napi_list[0]
    do(steps, napi=napi.napi_id, irq=0, pid=4711)
    assert (napi.irq, napi.pid) == (0, 4711)
