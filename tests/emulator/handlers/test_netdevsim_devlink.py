"""devlink of simulated devices, beside what was recorded: what takes time, what no trace can say, and their debugfs."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from nlemu.emulator.kernel.devices.flags import change_flags
from nlemu.emulator.kernel.nics.netdevsim.debugfs import files, write
from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world.session import Session
from nlemu.protocol.encode.conversation import NlError
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NetlinkProtocol

DEVICE = {"bus-name": "netdevsim", "dev-name": "netdevsim1"}


class World:
    """A machine with a simulated device of one port, and a socket that asks devlink."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.device: BusDevice = self.machine.netdevsim_bus.new_device(1)
        self.session = Session(self.machine, self.machine.init_net, NetlinkProtocol.GENERIC)

    def ask(self, operation: str, **more: Any) -> list[dict[Any, Any]]:
        values = {**DEVICE, **{word.replace("_", "-"): value for word, value in more.items()}}
        return self.session.ask("devlink", operation, values)

    def refused(self, operation: str, **more: Any) -> tuple[int, str]:
        with pytest.raises(NlError) as caught:
            self.ask(operation, **more)
        return caught.value.errno, str(caught.value.extack.get("msg", ""))

    def trapped(self, name: str) -> tuple[int, int]:
        (told,) = self.ask("trap-get", trap_name=name)
        return told["stats"]["stats-rx-packets"], told["stats"]["stats-rx-bytes"]


def test_packets_are_trapped_while_a_port_is_up() -> None:
    """Ten a second and port, of 142 bytes, of each trap that does not drop; the group has all of its traps."""
    world = World()
    (port,) = world.device.ports.values()
    world.machine.advance(1)
    change_flags(port, port.flags | IFF.UP)
    assert world.trapped("fid_miss") == (0, 0)
    world.machine.advance(2)
    assert world.trapped("fid_miss") == (20, 2840) and world.trapped("blackhole_route") == (0, 0)
    world.ask("trap-set", trap_name="blackhole_route", trap_action="trap")
    world.machine.advance(1)
    change_flags(port, port.flags & ~IFF.UP)
    world.machine.advance(5)
    assert world.trapped("fid_miss") == (30, 4260) and world.trapped("blackhole_route") == (10, 1420)
    (group,) = world.ask("trap-group-get", trap_group_name="l2_drops")
    assert group["stats"]["stats-rx-packets"] == 30
    world.ask("reload")
    assert world.trapped("fid_miss") == (0, 0)


def test_a_port_stands_in_the_way_of_a_function_s() -> None:
    world = World()
    world.machine.netdevsim_bus.new_port(1, 129)
    world.machine.netdevsim_bus.set_vfs(1, 3)
    refused = world.refused("eswitch-set", eswitch_mode="switchdev")
    assert refused == (errno.EBUSY, "netdevsim: Failed to initialize VFs' netdevsim ports")
    assert sorted(world.device.ports) == [0, 129] and not world.device.rates.listed
    (told,) = world.ask("eswitch-get")
    assert told["eswitch-mode"] == "legacy"
    world.machine.netdevsim_bus.del_port(1, 129)
    world.ask("eswitch-set", eswitch_mode="switchdev")
    assert sorted(world.device.ports) == [0, 128, 129, 130]
    world.machine.netdevsim_bus.set_vfs(1, 0)
    assert sorted(world.device.ports) == [0]


def test_functions_that_find_no_room_are_not_there() -> None:
    world = World()
    world.ask("eswitch-set", eswitch_mode="switchdev")
    world.machine.netdevsim_bus.new_port(1, 128)
    with pytest.raises(Refusal) as caught:
        world.machine.netdevsim_bus.set_vfs(1, 1)
    assert caught.value.errno == errno.EBUSY and world.device.num_vfs == 0


def test_the_device_of_a_function_s_port() -> None:
    world = World()
    world.machine.netdevsim_bus.set_vfs(1, 1)
    world.ask("eswitch-set", eswitch_mode="switchdev")
    dev = world.device.ports[128]
    assert dev.ops.get_phys_port_name(dev) == "pf0vf0"
    assert dev.ops.get_port_parent_id(dev) == world.device.switch_id
    assert not dev.ops.has_vfs and not dev.queue_mgmt_ops


def test_files_of_debugfs() -> None:
    world = World()

    def read(*path: str) -> str:
        found: Any = files(world.device)
        for part in path:
            found = found[part]
        return str(found.read())

    def refused(path: str, text: str) -> int:
        with pytest.raises(Refusal) as caught:
            write(world.device, path, text)
        return caught.value.errno

    assert (read("max_macs"), read("test1"), read("test2")) == ("32\n", "Y\n", "1234\n")
    world.ask("param-set", param_name="max_macs", param_type="u32", param_value_cmode="driverinit",
              param_value_data=(7).to_bytes(4, "little"))
    assert read("max_macs") == "32\n"
    world.ask("reload")
    assert read("max_macs") == "7\n"
    write(world.device, "test2", "0x10\n")
    assert read("test2") == "16\n"
    write(world.device, "max_vfs", "2")
    assert read("max_vfs") == "2\n"
    with pytest.raises(Refusal):
        world.machine.netdevsim_bus.set_vfs(1, 3)
    world.machine.netdevsim_bus.set_vfs(1, 2)
    assert refused("max_vfs", "4") == errno.EBUSY and refused("max_vfs", "many") == errno.EINVAL
    assert refused("nothing", "1") == refused("health/nothing", "1") == refused("health", "1") == errno.ENOENT
    assert refused("fail_reload", "maybe") == errno.EINVAL and refused("health/break_health", "") == errno.EINVAL
    world.ask("eswitch-set", eswitch_mode="switchdev")
    world.ask("rate-new", rate_node_name="group", rate_tx_max=250000)
    world.ask("rate-set", port_index=128, rate_tx_share=125000, rate_parent_node_name="group")
    assert read("rate_nodes", "group", "tx_max") == "2\n" and read("ports", "128", "tx_share") == "1\n"
    assert read("ports", "128", "rate_parent") == "group" and read("ports", "128", "tc0_bw") == "0\n"
    assert refused("ports/128/tx_share", "2") == errno.EPERM
    write(world.device, "fail_reload", "1")
    assert world.refused("reload")[0] == errno.EINVAL
    assert refused("health/break_health", "it broke") == refused("take_snapshot", "1") == errno.ENOENT


def test_firmware_that_is_elsewhere() -> None:
    world = World()
    assert world.refused("flash-update", flash_update_file_name="fw.bin")[0] == errno.ENOENT
    world.machine.firmware_elsewhere = "fw.bin".__eq__
    world.ask("flash-update", flash_update_file_name="fw.bin")


def test_what_is_refused_of_nics_by_name() -> None:
    world = World()
    world.machine.nics.plug("0000:08:00.0", PROFILES["mlx5_core"], world.machine.init_net)
    card = {"bus_name": "pci", "dev_name": "0000:08:00.0"}
    for operation in ("reload", "resource-set", "region-new", "health-reporter-recover", "trap-set", "flash-update"):
        assert world.refused(operation, **card) == (errno.EOPNOTSUPP, f"nlemu: devlink {operation} is not emulated")


def test_a_namespace_dies_in_which_the_driver_fails_to_begin() -> None:
    """It is in the first one all the same, with nothing but itself."""
    world = World()
    pod = world.machine.new_net("pod")
    device = world.machine.netdevsim_bus.new_device(2, 1, 1, pod)
    device.fail_reload = True
    world.machine.delete_net("pod")
    world.machine.settle()
    assert device.net is world.machine.init_net and device.reload_failed and not device.ports
    device.fail_reload = False
    world.session.ask("devlink", "reload", {**DEVICE, "dev-name": "netdevsim2"})
    assert list(device.ports) == [0]


def test_what_corrects_errors_is_not_told_or_taken_with_any_errno() -> None:
    world = World()
    values = {"header": {"dev-index": next(iter(world.device.ports.values())).ifindex}}
    write(world.device, "ports/0/ethtool/get_err", "11")
    with pytest.raises(NlError) as told:
        world.session.ask("ethtool", "fec-get", values)
    write(world.device, "ports/0/ethtool/get_err", "0")
    write(world.device, "ports/0/ethtool/set_err", "16")
    with pytest.raises(NlError) as taken:
        modes = {"nomask": True, "bits": {"bit": [{"name": "RS"}]}}
        world.session.ask("ethtool", "fec-set", {**values, "modes": modes})
    assert (told.value.errno, taken.value.errno) == (errno.EAGAIN, errno.EBUSY)
    with pytest.raises(Refusal) as wrong:
        write(world.device, "ports/0/ethtool/get_err", "4294967296")
    assert wrong.value.errno == errno.ERANGE


def test_a_queue_of_a_port_is_reset_by_hand() -> None:
    world = World()
    (port,) = world.device.ports.values()
    for text in ("", "0", "x 1"):
        with pytest.raises(Refusal) as wrong:
            write(world.device, "ports/0/queue_reset", text)
        assert wrong.value.errno == errno.EINVAL
    with pytest.raises(Refusal):
        write(world.device, "ports/0/queue_reset", "0 1")  # while it is down
    change_flags(port, port.flags | IFF.UP)
    write(world.device, "ports/0/queue_reset", "0 1")
