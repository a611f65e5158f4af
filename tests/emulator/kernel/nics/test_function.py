"""The functions of cards: where they are, which driver has them, and what their ports are called."""

from __future__ import annotations

from errno import EBUSY, EEXIST, ENODEV

import pytest

from nlemu.emulator.kernel.devices.uevents import devpath
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics import pci
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.refusal import Refusal

AT = "0000:08:00.0"
UEVENT = 15


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_known_on_its_bus(name: str) -> None:
    profile = PROFILES[name]
    assert profile.bus == "virtio" or name in pci.IDENTITIES


@pytest.mark.parametrize(
    ("at", "profile", "place"),
    [
        (AT, "mlx5_core", "/devices/pci0000:08/0000:08:00.0/net/eth0"),
        ("virtio2", "virtio_net", "/devices/pci0000:00/0000:00:04.0/virtio2/net/eth0"),
        ("virtio30", "virtio_net", "/devices/pci0000:00/0000:00:00.1/virtio30/net/eth0"),
        ("b", "gve", "/devices/b/net/eth0"),
    ],
)
def test_where_it_is(at: str, profile: str, place: str) -> None:
    kernel = Kernel()
    assert devpath(kernel.nics.plug(at, PROFILES[profile], kernel.init_net)) == place


def test_a_virtio_device_takes_an_address_of_pci() -> None:
    kernel = Kernel()
    kernel.nics.plug("virtio2", PROFILES["virtio_net"], kernel.init_net)
    with pytest.raises(Refusal) as caught:
        kernel.nics.plug("0000:00:04.0", PROFILES["gve"], kernel.init_net)
    assert caught.value.errno == EEXIST


@pytest.mark.parametrize(
    ("profile", "name", "switch"),
    [
        ("mlx5_core", "p1", "0600050003040002"),
        ("bnxt_en", "p1", "060005feff040002"),
        ("ice", "p1", "020004ffff050006"),
        ("fbnic", None, None),
        ("e1000e", None, None),
    ],
)
def test_ports_of_a_card_have_numbers_and_one_switch(profile: str, name: str | None, switch: str | None) -> None:
    kernel = Kernel()
    mac = bytes.fromhex("020004050006")
    kernel.nics.plug(AT, PROFILES[profile], kernel.init_net, mac=mac)
    dev = kernel.nics.plug(AT[:-1] + "1", PROFILES[profile], kernel.init_net)
    assert dev.ops.get_phys_port_name(dev) == name
    told = dev.ops.get_port_parent_id(dev)
    assert (None if told is None else told.hex()) == switch
    assert dev.ops.has("get_phys_port_name") is dev.ops.has("get_port_parent_id") is (name is not None)


def test_virtio_is_asked_for_a_name_and_has_none() -> None:
    kernel = Kernel()
    dev = kernel.nics.plug("virtio2", PROFILES["virtio_net"], kernel.init_net)
    assert dev.ops.has("get_phys_port_name") and not dev.ops.has("get_port_parent_id")
    assert dev.ops.get_phys_port_name(dev) is None


def test_a_driver_lets_go_and_takes_again() -> None:
    kernel = Kernel()
    pod = kernel.new_net("pod")
    dev = kernel.nics.plug(AT, PROFILES["mlx5_core"], pod, name="nic0", queues=3)
    function = kernel.nics.functions[AT]
    with pytest.raises(Refusal) as caught:
        kernel.nics.probe(function)
    assert caught.value.errno == EBUSY
    kernel.nics.release(function)
    assert (list(pod), kernel.nics.devices, function.driver) == ([pod.loopback], {}, "")
    with pytest.raises(Refusal) as caught:
        kernel.nics.release(function)
    assert caught.value.errno == ENODEV
    kernel.nics.probe(function)
    again = kernel.nics.devices[AT]
    assert (again.name, again.net, again.real_num_rx_queues) == ("eth0", kernel.init_net, 3)
    assert again.address == dev.address and again is not dev
    kernel.nics.release(function)
    kernel.nics.unplug(AT)
    assert not kernel.nics.functions and kernel.nics.at(AT) is None


def test_what_cannot_be_registered_leaves_nothing() -> None:
    kernel = Kernel()
    with pytest.raises(Refusal) as caught:
        kernel.nics.plug(AT, PROFILES["gve"], kernel.init_net, name="lo")
    assert caught.value.errno == EEXIST
    assert not kernel.nics.functions and kernel.nics.at(AT) is None


def test_uevents_of_a_function_and_its_driver() -> None:
    machine = Machine()
    listener = Endpoint(machine, machine.init_net, UEVENT, groups=1)
    machine.nics.plug(AT, PROFILES["ice"], machine.init_net, queues=1)
    machine.nics.unplug(AT)
    heard = []
    while (message := listener.receive()) is not None:
        heard.append(message.split(b"\0")[0].decode())
    place = "/devices/pci0000:08/0000:08:00.0"
    queues = [f"{place}/net/eth0/queues/rx-0", f"{place}/net/eth0/queues/tx-0"]
    assert [one for one in heard if "queues" not in one] == [
        f"add@{place}", f"add@{place}/ptp/ptp0", f"add@{place}/net/eth0", f"bind@{place}",
        f"remove@{place}/net/eth0", f"remove@{place}/ptp/ptp0", f"unbind@{place}", f"remove@{place}",
    ]
    assert [one for one in heard if "queues" in one] == [
        f"{what}@{queue}" for what in ("add", "remove") for queue in queues
    ]


def test_a_uevent_says_what_card_it_is() -> None:
    machine = Machine()
    listener = Endpoint(machine, machine.init_net, UEVENT, groups=1)
    machine.nics.plug(AT, PROFILES["ice"], machine.init_net)
    message = listener.receive()
    assert message is not None
    assert message.decode().split("\0")[1:-2] == [
        "ACTION=add", "DEVPATH=/devices/pci0000:08/0000:08:00.0", "SUBSYSTEM=pci", "PCI_CLASS=20000",
        "PCI_ID=8086:1592", "PCI_SUBSYS_ID=8086:0002", "PCI_SLOT_NAME=0000:08:00.0",
        "MODALIAS=pci:v00008086d00001592sv00008086sd00000002bc02sc00i00",
    ]
