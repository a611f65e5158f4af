"""queues/ and power/ of a device, as on Linux 7.2.13: what is shown and what is refused was recorded there, of a veth
with forty queues, on two processors."""

from __future__ import annotations

import errno

import pytest

from nlemu.emulator.kernel.devices import links, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.launch.files import sysfs
from nlemu.emulator.launch.files.tree import Directory, File, walk
from nlemu.emulator.machine.machine import Machine


@pytest.fixture
def veth() -> Device:
    return links.new_link(
        Machine().init_net, VETH, LinkParams(name="v0", num_tx_queues=40, num_rx_queues=40)
    )


@pytest.fixture
def dummy() -> Device:
    return links.new_link(Machine().init_net, DUMMY, LinkParams(name="d0"))


def file(dev: Device, path: str) -> File:
    found = walk(sysfs.device(dev), path.split("/"))
    assert isinstance(found, File), path
    return found


def read(dev: Device, path: str) -> str:
    return file(dev, path).read().decode()


def written(dev: Device, path: str, text: str) -> str:
    """What it holds after that was written; or the name of what is said to it."""
    try:
        file(dev, path).write(text.encode())
    except OSError as refused:
        return errno.errorcode[refused.errno or 0]
    return read(dev, path).removesuffix("\n")


def test_what_is_in_a_queues_directory(veth: Device) -> None:
    queues = walk(sysfs.device(veth), ["queues"])
    assert isinstance(queues, Directory)
    assert set(queues) == {f"{direction}-{index}" for direction in ("rx", "tx") for index in range(40)}
    sending, receiving = walk(queues, ["tx-0"]), walk(queues, ["rx-0"])
    assert isinstance(sending, Directory)
    assert isinstance(receiving, Directory)
    assert set(receiving) == {"rps_cpus", "rps_flow_cnt"}
    assert set(sending) == {"traffic_class", "tx_maxrate", "tx_timeout", "xps_cpus", "xps_rxqs"}


@pytest.mark.parametrize(
    ("text", "cpus", "queues"),
    [
        ("3\n", "3", "00,00000003"),
        ("ff\n", "EOVERFLOW", "00,000000ff"),
        ("\n", "0", "00,00000000"),
        ("1,0\n", "EOVERFLOW", "01,00000000"),
        ("zz\n", "EINVAL", "EINVAL"),
        ("1f,\n", "EOVERFLOW", "00,0000001f"),
        ("100000000\n", "EOVERFLOW", "EOVERFLOW"),
        ("0x3\n", "EINVAL", "EINVAL"),
        (" 3 \n", "3", "00,00000003"),
    ],
)
def test_masks(text: str, cpus: str, queues: str, veth: Device) -> None:
    assert written(veth, "queues/tx-0/xps_cpus", text) == cpus
    assert written(veth, "queues/rx-0/rps_cpus", text) == cpus
    assert written(veth, "queues/tx-0/xps_rxqs", text) == queues


@pytest.mark.parametrize(
    ("text", "entries"),
    [("0", "0"), ("1", "1"), ("2", "2"), ("33", "64"), ("4294967296", "EINVAL"), ("x", "EINVAL"),
     ("268435456", "EINVAL"), ("134217728", "134217728")],
)
def test_tables_of_flows(text: str, entries: str, veth: Device) -> None:
    """The last one is more memory than the guest had: ENOMEM there."""
    assert written(veth, "queues/rx-0/rps_flow_cnt", text) == entries


def test_a_queue_that_is_no_longer_used_forgets(veth: Device) -> None:
    written(veth, "queues/rx-5/rps_cpus", "3")
    written(veth, "queues/tx-0/xps_cpus", "3")
    written(veth, "queues/tx-1/xps_cpus", "3")
    for count in (1, 40):
        settings.set_real_num_queues(veth, count, count)
    assert [read(veth, f"queues/{name}") for name in ("rx-5/rps_cpus", "tx-0/xps_cpus", "tx-1/xps_cpus")] == [
        "0\n", "3\n", "0\n",
    ]


def test_of_one_queue_some_is_not_told(dummy: Device) -> None:
    for name in ("traffic_class", "xps_cpus"):
        with pytest.raises(OSError, match="one queue"):
            read(dummy, f"queues/tx-0/{name}")
    assert written(dummy, "queues/tx-0/tx_maxrate", "100") == errno.errorcode[errno.EOPNOTSUPP]


def test_a_nic_has_limits_of_bytes() -> None:
    """netdev_uses_bql()"""
    machine = Machine()
    nic = machine.nics.plug("0000:08:00.0", PROFILES["mlx5_core"], machine.init_net, queues=2)
    place = "queues/tx-1/byte_queue_limits"
    assert read(nic, f"{place}/limit_max") == "1879048192\n"
    assert written(nic, f"{place}/limit", "max") == "1879048192"
    assert written(nic, f"{place}/limit_min", "1879048193") == "EINVAL"
    assert written(nic, f"{place}/stall_thrs", "3") == "ERANGE"
    assert written(nic, f"{place}/hold_time", "7") == "7"
    assert written(nic, f"{place}/stall_max", "7") == "0"


def test_power(dummy: Device) -> None:
    assert read(dummy, "power/runtime_status") == "unsupported\n"
    assert written(dummy, "power/control", "on\n") == "on"
    assert written(dummy, "power/control", "nope") == "EINVAL"
    assert written(dummy, "power/autosuspend_delay_ms", "5") == "EIO"
