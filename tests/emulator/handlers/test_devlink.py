"""devlink of NICs: instances, ports, versions, the switch, and what is told of them."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world.session import Session
from nlemu.protocol.encode.conversation import NlError
from nlemu.protocol.families.devlink.commands import CONFIG, devlink
from nlemu.protocol.uapi.devlink import DevlinkCmd
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol

AT = "0000:08:00.0"
CARD = {"bus-name": "pci", "dev-name": AT}
UPLINK = {"bus-name": "auxiliary", "dev-name": "mlx5_core.eth.0", "port-index": 65535}


class World:
    """A machine with a card, and a socket that asks devlink."""

    def __init__(self, profile: str = "mlx5_core", vfs: int = 0) -> None:
        self.machine = Machine()
        self.machine.nics.plug(AT, PROFILES[profile], self.machine.init_net)
        if vfs:
            sriov.enable(self.machine.nics, self.machine.nics.functions[AT], vfs)
        self.session = Session(self.machine, self.machine.init_net, NetlinkProtocol.GENERIC)

    def ask(self, operation: str, **more: Any) -> list[dict[Any, Any]]:
        values = {**CARD, **{word.replace("_", "-"): value for word, value in more.items()}}
        return self.session.ask("devlink", operation, values)

    def refused(self, operation: str, **more: Any) -> tuple[int, str]:
        with pytest.raises(NlError) as caught:
            self.ask(operation, **more)
        return caught.value.errno, str(caught.value.extack.get("msg", ""))

    def dump(self, operation: str) -> list[str]:
        found = []
        for message in self.session.dump("devlink", operation):
            values = {one.name: one.value for one in message.attributes}
            found.append(f"{values['bus-name']}/{values['dev-name']}")
        return found


def test_instances_are_numbered_with_the_simulated_ones() -> None:
    world = World()
    world.machine.netdevsim_bus.new_device(1, 1, 1)
    world.machine.nics.plug("0000:09:00.0", PROFILES["ice"], world.machine.init_net)
    assert world.dump("get") == [
        f"pci/{AT}", "auxiliary/mlx5_core.eth.0", "netdevsim/netdevsim1", "pci/0000:09:00.0",
    ]
    (told,) = world.ask("get")
    assert told["index"] == 0
    world.machine.nics.unplug(AT)
    assert world.dump("get") == ["netdevsim/netdevsim1", "pci/0000:09:00.0"]
    world.machine.nics.plug(AT, PROFILES["mlx5_core"], world.machine.init_net)
    (told,) = world.ask("get")
    assert told["index"] == 4, "numbers are not used again, names of auxiliary devices are"
    assert world.dump("get")[-1] == "auxiliary/mlx5_core.eth.0"


@pytest.mark.parametrize("profile", ["gve", "e1000e", "virtio_net", "iavf"])
def test_drivers_without_one(profile: str) -> None:
    world = World(profile)
    assert world.dump("get") == [] and world.refused("get")[0] == errno.ENODEV


@pytest.mark.parametrize(
    ("profile", "driver", "words"),
    [
        ("mlx5_core", "mlx5_core", ["MT_0000000838", "28.43.2026"]),
        ("bnxt_en", "bnxt_en", ["1760", "231.1.162.1", "231.0.153.0"]),
        ("ice", "ice", ["1.3682.0", "4.60", "0x8001e8b1"]), ("fbnic", "fbnic", []),
    ],
)
def test_versions(profile: str, driver: str, words: list[str]) -> None:
    (told,) = World(profile).ask("info-get")
    assert told["info-driver-name"] == driver
    versions = [
        one["info-version-value"] for sort in ("fixed", "running") for one in told.get(f"info-version-{sort}", [])
    ]
    assert list(dict.fromkeys(versions)) == words


def test_ports_of_a_card_and_its_functions() -> None:
    world = World(vfs=1)
    (told,) = world.session.ask("devlink", "port-get", UPLINK)
    assert (told["port-flavour"], told["port-netdev-name"], told["port-number"]) == ("physical", "eth0", 0)
    function = {"bus-name": "auxiliary", "dev-name": "mlx5_core.eth.1", "port-index": 2 << 16}
    (told,) = world.session.ask("devlink", "port-get", function)
    assert (told["port-flavour"], told["port-netdev-name"]) == ("virtual", "eth1") and "port-number" not in told
    assert world.refused("port-get", port_index=1)[0] == errno.ENODEV
    world.ask("eswitch-set", eswitch_mode="switchdev")
    (told,) = world.ask("port-get", port_index=1)
    assert told["port-flavour"] == "pci-vf" and told["port-netdev-name"] == "eth2"
    assert [told[f"port-{word}"] for word in ("controller-number", "pci-pf-number", "pci-vf-number", "external")] == [
        0, 0, 0, 0,
    ]
    dev = world.machine.init_net.by_name("eth2")
    assert dev is not None and dev.devlink_port is not None
    assert (dev.devlink_port.bus, dev.devlink_port.dev, dev.devlink_port.index) == ("pci", AT, 1)


def test_the_address_of_a_function_by_its_port() -> None:
    world = World(vfs=1)
    world.ask("eswitch-set", eswitch_mode="switchdev")
    mac = bytes.fromhex("020000000055")

    def give(address: bytes) -> tuple[int, str]:
        return world.refused("port-set", port_index=1, port_function={"hw-addr": address})

    world.ask("port-set", port_index=1, port_function={"hw-addr": mac})
    (told,) = world.ask("port-get", port_index=1)
    assert bytes.fromhex(str(told["port-function"]["hw-addr"]).replace(":", "")) == mac
    dev = world.machine.init_net.by_name("eth0")
    assert dev is not None and dev.ops.vf_config(dev, 0).mac == mac
    assert give(b"\x03" + mac[1:]) == (errno.EINVAL, "Non-unicast hardware address unsupported")
    assert give(mac[:5]) == (errno.EINVAL, "Address must be 6 bytes for Ethernet device")
    with pytest.raises(NlError) as caught:
        world.session.ask("devlink", "port-set", {**UPLINK, "port-function": {"hw-addr": mac}})
    assert caught.value.extack["msg"] == "Port doesn't support function attributes"


def test_the_mode_of_the_switch() -> None:
    world = World(vfs=1)
    (told,) = world.ask("eswitch-get")
    assert [told[f"eswitch-{word}"] for word in ("mode", "inline-mode", "encap-mode")] == ["legacy", "none", "basic"]
    world.ask("eswitch-set", eswitch_mode="switchdev", eswitch_encap_mode="none")
    (told,) = world.ask("eswitch-get")
    assert (told["eswitch-mode"], told["eswitch-encap-mode"]) == ("switchdev", "none")
    text = "mlx5_core: Inline mode can't be set"
    assert world.refused("eswitch-set", eswitch_mode="legacy", eswitch_inline_mode="link") == (errno.EOPNOTSUPP, text)
    (told,) = world.ask("eswitch-get")
    assert told["eswitch-mode"] == "legacy", "what was done before the refusal stays"
    function = {"bus-name": "pci", "dev-name": "0000:08:00.2"}
    with pytest.raises(NlError) as caught:
        world.session.ask("devlink", "eswitch-get", function)
    assert caught.value.errno == errno.EPERM


def test_a_driver_that_knows_nothing_of_a_switch() -> None:
    world = World("fbnic")
    (told,) = world.ask("eswitch-get")
    assert not [word for word in told if str(word).startswith("eswitch")]
    assert world.refused("eswitch-set", eswitch_mode="legacy")[0] == errno.EOPNOTSUPP
    world.ask("eswitch-set")


def test_what_is_told_when_a_card_comes_and_goes() -> None:
    """In this order as devlink would tell it; which comes first of a port and its device is the driver's to say."""
    world = World("gve")
    machine, group = world.machine, world.machine.families.group_ids[devlink, CONFIG]
    listener = Session(machine, machine.init_net, NetlinkProtocol.GENERIC)
    listener.endpoint.setsockopt(NetlinkOpt.ADD_MEMBERSHIP, group)
    at = "0000:09:00.0"
    machine.nics.plug(at, PROFILES["bnxt_en"], machine.init_net, queues=1)
    machine.nics.unplug(at)
    heard = [DevlinkCmd(data[16]).name for data in listener.received()]
    assert list(dict.fromkeys(heard)) == ["NEW", "PORT_NEW", "PORT_DEL", "DEL"]
    assert heard.count("NEW") == heard.count("PORT_DEL") == heard.count("DEL") == 1
