"""Worlds with cards that have virtual functions: named ones, others, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world import file
from nlemu.emulator.world.export import export
from nlemu.emulator.world.perform import Performer
from nlemu.emulator.world.reduce import reduced
from nlemu.emulator.world.world import WorldError
from nlemu.protocol.uapi.devlink import DevlinkEswitchMode

WORLD = Path(__file__).resolve().parents[3] / "fixtures" / "worlds" / "functions.toml"


def machine_of(content: str) -> Machine:
    machine = Machine()
    Performer(machine, file.parse(content, "w")).perform()
    return machine


def there(machine: Machine) -> dict[str, tuple[str, str]]:
    """By address: what the device is called, and where it is."""
    return {at: (dev.name, dev.net.name) for at, dev in machine.nics.devices.items()}


NAMED = {
    "0000:08:00.0": ("eth0", "init"), "0000:09:00.0": ("eth1", "init"), "0000:08:00.3": ("net1", "pod"),
    "0000:08:00.2": ("eth2", "init"), "0000:08:00.4": ("eth3", "init"),
}


def test_functions_are_called_as_the_world_says_and_the_rest_after_it() -> None:
    machine = machine_of(WORLD.read_text())
    assert there(machine) == NAMED
    card = machine.nics.functions["0000:08:00.0"].sriov
    assert card is not None and card.autoprobe


def test_a_machine_with_functions_is_made_again() -> None:
    machine = machine_of(WORLD.read_text())
    card = machine.nics.functions["0000:09:00.0"]
    sriov.enable(machine.nics, card, 1)
    again = machine_of(file.write(reduced(export(machine))))
    assert there(again) == there(machine)
    assert {at: dev.address for at, dev in again.nics.devices.items()} == {
        at: dev.address for at, dev in machine.nics.devices.items()
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("vfs = 3", "vfs = 17"), "w:7: link.vfs: such a NIC has at most 16"),
        (("vfs = 3", "vfs = 17\ntotal-vfs = 16"), "w:7: link.vfs: such a NIC has at most 16"),
        (('nic = "mlx5_core"', 'nic = "gve"'), "w:7: link.vfs: such a NIC has at most 0"),
        (("vf = 1", "vf = 3"), "w:21: link.vf: init/eth0 has no virtual function 3"),
        (("init/eth0", "init/lo"), "w:20: link.physfn: there is no NIC 'init/lo'"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(change: tuple[str, str], told: str) -> None:
    with pytest.raises(WorldError) as caught:
        machine_of(WORLD.read_text().replace(*change))
    assert str(caught.value) == told


SWITCHED = WORLD.read_text().replace("vfs = 3", 'vfs = 3\neswitch = "switchdev"') + """
[[link]]
name = "rep1"
physfn = "eth0"
representor = 1
up = true
"""


def ports(machine: Machine) -> dict[str, str | None]:
    """Of representors: what the device is called, and its port."""
    found = machine.nics.functions["0000:08:00.0"].eswitch
    assert found is not None
    return {dev.name: dev.ops.get_phys_port_name(dev) for _, dev in sorted(found.representors.items())}


def test_representors_are_called_as_the_world_says_and_made_again() -> None:
    machine = machine_of(SWITCHED)
    assert ports(machine) == {"eth4": "pf0vf0", "rep1": "pf0vf1", "eth5": "pf0vf2"}
    again = machine_of(file.write(reduced(export(machine))))
    assert ports(again) == ports(machine)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("switchdev", "fast"), "w:8: link.eswitch: legacy or switchdev, and not 'fast'"),
        (("switchdev", "legacy"), "w:28: link.representor: the switch of eth0 is not in the mode switchdev"),
        (("representor = 1", "representor = 3"), "w:28: link.representor: eth0 has no virtual function 3"),
    ],
)
def test_representors_that_cannot_be(change: tuple[str, str], told: str) -> None:
    with pytest.raises(WorldError) as caught:
        machine_of(SWITCHED.replace(*change))
    assert str(caught.value) == told


def test_ports_of_functions_of_a_simulated_device_are_made_again() -> None:
    machine = Machine()
    device = machine.netdevsim_bus.new_device(1)
    machine.netdevsim_bus.set_vfs(1, 2)
    device.set_eswitch_mode(DevlinkEswitchMode.SWITCHDEV)
    again = machine_of(file.write(reduced(export(machine)))).netdevsim_bus.devices[1]
    assert list(again.ports) == [0, 128, 129] and again.num_vfs == 2
    assert again.eswitch_mode == DevlinkEswitchMode.SWITCHDEV
    assert [(dev.name, dev.ifindex, dev.address) for dev in again.ports.values()] == [
        (dev.name, dev.ifindex, dev.address) for dev in device.ports.values()
    ]
