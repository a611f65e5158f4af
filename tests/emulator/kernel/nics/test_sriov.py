"""Virtual functions of cards: how they come and go, and what the drivers of the cards keep of them and refuse."""

from __future__ import annotations

from collections.abc import Callable
from errno import (
    EACCES,
    EADDRNOTAVAIL,
    EBUSY,
    EEXIST,
    EINVAL,
    ENOENT,
    ENOMEM,
    EOPNOTSUPP,
    EPERM,
    EPROTONOSUPPORT,
    ERANGE,
)

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.vf import VfConfig
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics import pci, sriov
from nlemu.emulator.kernel.nics.function import BusFunction
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.refusal import Refusal
from tests.emulator.kernel.world import set_up

AT = "0000:08:00.0"
MAC = bytes.fromhex("020000000077")
Q, AD, VENDOR = 0x8100, 0x88A8, 0x1234
CARDS = ("mlx5_core", "bnxt_en", "ice")


def card_of(profile: str, count: int = 0, kernel: Kernel | None = None) -> tuple[BusFunction, Device]:
    kernel = kernel or Kernel()
    dev = kernel.nics.plug(AT, PROFILES[profile], kernel.init_net)
    set_up(dev)
    card = kernel.nics.functions[AT]
    sriov.configure(kernel.nics, card, count)
    return card, dev


def functions(card: BusFunction) -> list[BusFunction]:
    assert card.sriov is not None
    return card.sriov.vfs


def net_device(function: BusFunction) -> Device:
    assert function.dev is not None
    return function.dev


def refused(verb: Callable[..., object], *arguments: object) -> int:
    with pytest.raises(Refusal) as caught:
        verb(*arguments)
    return caught.value.errno


@pytest.mark.parametrize(
    ("profile", "driver", "first", "device"),
    [
        ("mlx5_core", "mlx5_core", "0000:08:00.2", 0x101E), ("bnxt_en", "bnxt_en", "0000:08:02.0", 0x1819),
        ("ice", "iavf", "0000:08:01.0", 0x1889), ("i40e", "iavf", "0000:08:02.0", 0x154C),
    ],
)
def test_they_come_behind_the_card_with_a_driver_and_a_device(
    profile: str, driver: str, first: str, device: int
) -> None:
    card, dev = card_of(profile, 2)
    one, other = functions(card)
    assert (one.address, other.address) == (first, pci.after(first, 1))
    assert (one.driver, one.identity.device, one.identity.vendor) == (driver, device, card.identity.vendor)
    assert one.physfn is card and (one.number, other.number) == (0, 1)
    assert [device.name for device in dev.net] == ["lo", "eth0", "eth1", "eth2"]
    found = net_device(one)
    assert found.parent is not None and found.parent.place == f"pci0000:08/{first}"
    assert found.ops.driver == driver and found.address != net_device(other).address != dev.address
    assert not any(found.perm_address), "nobody gave it one"
    assert dev.ops.num_vf(dev) == 2 and found.ops.num_vf(found) == 0
    set_up(found)
    assert found.carrier
    sriov.configure(dev.kernel.nics, card, 0)
    assert [device.name for device in dev.net] == ["lo", "eth0"] and list(dev.kernel.nics.functions) == [AT]


def test_how_many_can_be_asked_for() -> None:
    card, dev = card_of("mlx5_core", 2)
    nics = dev.kernel.nics
    before = functions(card).copy()
    sriov.configure(nics, card, 2)
    assert functions(card) == before
    assert refused(sriov.configure, nics, card, 3) == EBUSY
    assert refused(sriov.configure, nics, card, 17) == ERANGE
    nics.release(card)
    assert not functions(card), "they go with the card's driver"
    assert refused(sriov.configure, nics, card, 1) == ENOENT
    sriov.configure(nics, card, 0)


def test_a_card_that_is_down_makes_none_where_its_driver_says_so() -> None:
    card, dev = card_of("bnxt_en")
    set_up(dev, False)
    sriov.configure(dev.kernel.nics, card, 2)
    assert functions(card) == []
    set_up(dev)
    sriov.configure(dev.kernel.nics, card, 2)
    set_up(dev, False)
    sriov.configure(dev.kernel.nics, card, 0)
    assert len(functions(card)) == 2


@pytest.mark.parametrize("profile", [name for name in PROFILES if name not in sriov.SRIOV])
def test_cards_without_the_capability(profile: str) -> None:
    kernel = Kernel()
    dev = kernel.nics.plug(AT, PROFILES[profile], kernel.init_net)
    assert kernel.nics.functions[AT].sriov is None and not dev.ops.has_vfs
    for verb in (dev.ops.set_vf_mac, dev.ops.set_vf_spoofchk, dev.ops.vf_config):
        assert refused(verb, dev, 0, *((MAC,) if verb != dev.ops.vf_config else ())) == EOPNOTSUPP


def test_how_many_a_card_has_can_be_said() -> None:
    kernel = Kernel()
    kernel.nics.plug(AT, PROFILES["ice"], kernel.init_net, total_vfs=300)
    card = kernel.nics.functions[AT]
    sriov.configure(kernel.nics, card, 300)
    assert functions(card)[299].address == "0000:09:06.3", "on the next bus"
    assert functions(card)[299].place == "pci0000:08/0000:09:06.3"
    kernel.nics.plug("0000:0a:00.0", PROFILES["ice"], kernel.init_net, total_vfs=0)
    assert kernel.nics.functions["0000:0a:00.0"].sriov is None


def test_what_is_in_the_way() -> None:
    kernel = Kernel()
    card, _ = card_of("mlx5_core", kernel=kernel)
    kernel.nics.plug("0000:08:00.3", PROFILES["gve"], kernel.init_net)
    assert refused(sriov.configure, kernel.nics, card, 2) == EEXIST and not functions(card)
    kernel.nics.plug("0000:ff:1f.7", PROFILES["mlx5_core"], kernel.init_net)
    assert refused(sriov.configure, kernel.nics, kernel.nics.functions["0000:ff:1f.7"], 1) == ENOMEM


def test_without_a_look_for_drivers_none_has_them() -> None:
    card, dev = card_of("ice")
    assert card.sriov is not None
    card.sriov.autoprobe = False
    sriov.configure(dev.kernel.nics, card, 1)
    (one,) = functions(card)
    assert (one.dev, one.driver, len(dev.net)) == (None, "", 2)
    dev.kernel.nics.probe(one)
    assert one.driver == "iavf" and len(dev.net) == 3


def test_a_function_is_not_unplugged_by_itself() -> None:
    card, dev = card_of("ice", 1)
    assert refused(dev.kernel.nics.unplug, functions(card)[0].address) == ENOENT
    dev.kernel.nics.unplug(AT)
    assert not dev.kernel.nics.functions and len(dev.net) == 1


def test_uevents_of_functions() -> None:
    machine = Machine()
    card, _ = card_of("mlx5_core", kernel=machine)
    listener = Endpoint(machine, machine.init_net, 15, groups=1)
    sriov.configure(machine.nics, card, 1)
    sriov.configure(machine.nics, card, 0)
    heard = []
    while (message := listener.receive()) is not None:
        heard.append(message.split(b"\0")[0].decode().replace("/devices/pci0000:08/0000:08:", ""))
    assert [one for one in heard if "queues" not in one] == [
        "add@00.2", "change@00.2", "add@00.2/ptp/ptp1", "add@00.2/net/eth1", "bind@00.2", "change@00.0",
        "remove@00.2/net/eth1", "remove@00.2/ptp/ptp1", "unbind@00.2", "remove@00.2",
    ]


# What the drivers of cards keep


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("mlx5_core", VfConfig()),
        ("bnxt_en", VfConfig(vlan_proto=Q, rss_query_en=None)),
        ("ice", VfConfig(vlan_proto=Q, rss_query_en=None, spoofchk=True)),
        ("i40e", VfConfig(vlan_proto=Q, rss_query_en=None, spoofchk=True)),
    ],
)
def test_what_is_told_at_first_and_after_they_were_gone(profile: str, told: VfConfig) -> None:
    card, dev = card_of(profile, 2)
    own = net_device(functions(card)[1]).address
    told.mac = own if profile == "bnxt_en" else bytes(6)
    assert dev.ops.vf_config(dev, 1) == told
    dev.ops.set_vf_trust(dev, 1, True)
    dev.ops.set_vf_mac(dev, 1, MAC)
    dev.ops.set_vf_vlan(dev, 1, 5, 2, Q)
    assert dev.ops.vf_config(dev, 1) != told
    sriov.configure(dev.kernel.nics, card, 0)
    sriov.configure(dev.kernel.nics, card, 2)
    told.mac = net_device(functions(card)[1]).address if profile == "bnxt_en" else bytes(6)
    assert dev.ops.vf_config(dev, 1) == told


@pytest.mark.parametrize(
    ("profile", "beyond", "absent", "vlan", "proto"),
    [
        ("mlx5_core", 0, EINVAL, 0, EPROTONOSUPPORT), ("bnxt_en", EINVAL, EINVAL, EINVAL, EPROTONOSUPPORT),
        ("ice", EINVAL, EINVAL, 0, EPROTONOSUPPORT),
    ],
)
def test_what_is_refused(profile: str, beyond: int, absent: int, vlan: int, proto: int) -> None:
    """beyond: to set something of a function that is not there yet; absent: of one that cannot be; vlan: a priority
    without a VLAN."""
    _, dev = card_of(profile, 1)
    ops = dev.ops
    for wanted, number in ((beyond, 3), (absent, 400)):
        assert not wanted or refused(ops.set_vf_mac, dev, number, MAC) == wanted
    if not beyond:
        ops.set_vf_mac(dev, 3, MAC)
        assert ops.vf_config(dev, 3).mac == MAC
    assert refused(ops.set_vf_mac, dev, 0, b"\1" + MAC[1:]) == EINVAL
    assert refused(ops.set_vf_vlan, dev, 0, 4096, 0, Q) == EINVAL
    assert refused(ops.set_vf_vlan, dev, 0, 1, 8, Q) == EINVAL
    assert refused(ops.set_vf_vlan, dev, 0, 1, 0, VENDOR) == proto
    assert refused(ops.set_vf_vlan, dev, 0, 4096, 0, VENDOR) == (EINVAL if profile == "ice" else proto)
    if vlan:
        assert refused(ops.set_vf_vlan, dev, 0, 0, 3, Q) == vlan
    else:
        ops.set_vf_vlan(dev, 0, 0, 3, Q)
    assert refused(ops.set_vf_rss_query_en, dev, 0, True) == EOPNOTSUPP
    if profile == "mlx5_core":
        assert refused(ops.set_vf_vlan, dev, 0, 5, 0, AD) == EPROTONOSUPPORT
        ops.set_vf_link_state(dev, 0, 9)
        assert ops.vf_config(dev, 0).link_state == 0
    else:
        ops.set_vf_vlan(dev, 0, 5, 0, AD)
        assert ops.vf_config(dev, 0).vlan_proto == (AD if profile == "ice" else Q)
        assert refused(ops.set_vf_link_state, dev, 0, 9) == EINVAL


def test_rates() -> None:
    for profile, one, both in (("mlx5_core", 0, 0), ("bnxt_en", EINVAL, 0), ("ice", EINVAL, EINVAL)):
        _, dev = card_of(profile, 2)
        speed = PROFILES[profile].speed
        dev.ops.set_vf_rate(dev, 0, speed, 0)
        assert not one or refused(dev.ops.set_vf_rate, dev, 1, speed + 1, 0) == one
        if both:
            assert dev.ops.vf_config(dev, 0).min_tx_rate == speed
            assert refused(dev.ops.set_vf_rate, dev, 1, 1, 0) == both
        dev.ops.set_vf_rate(dev, 1, 0, 100)
        assert dev.ops.vf_config(dev, 1).max_tx_rate == 100


def test_a_card_without_least_rates() -> None:
    _, dev = card_of("i40e", 1)
    assert refused(dev.ops.set_vf_rate, dev, 0, 1, 0) == EINVAL
    assert refused(dev.ops.set_vf_rate, dev, 0, 0, PROFILES["i40e"].speed + 1) == EINVAL
    assert refused(dev.ops.set_vf_vlan, dev, 0, 5, 0, AD) == EPROTONOSUPPORT


def test_a_virtual_function_has_none_of_its_own() -> None:
    for profile, wanted in (("mlx5_core", EPERM), ("bnxt_en", EINVAL), ("ice", EOPNOTSUPP)):
        card, _ = card_of(profile, 1)
        own = net_device(functions(card)[0])
        assert refused(own.ops.set_vf_mac, own, 0, MAC) == wanted
        assert own.ops.has_vfs is (profile != "ice")


# Addresses of functions


@pytest.mark.parametrize(
    ("profile", "down", "up", "reopened"),
    [("mlx5_core", False, False, False), ("bnxt_en", False, True, True), ("ice", True, True, True)],
)
def test_when_a_function_takes_the_address_that_the_card_gave_it(
    profile: str, down: bool, up: bool, reopened: bool
) -> None:
    card, dev = card_of(profile, 2)
    one, other = (net_device(function) for function in functions(card))
    dev.ops.set_vf_mac(dev, 0, MAC)
    assert (one.address == MAC) is down
    set_up(one)
    assert (one.address == MAC) is reopened
    set_up(other)
    dev.ops.set_vf_mac(dev, 1, MAC)
    assert (other.address == MAC) is up
    dev.kernel.nics.release(functions(card)[0])
    dev.kernel.nics.probe(functions(card)[0])
    again = net_device(functions(card)[0])
    assert again.address == again.perm_address == MAC, "its driver finds it when it begins"


@pytest.mark.parametrize(("profile", "wanted"), [("mlx5_core", 0), ("bnxt_en", EADDRNOTAVAIL), ("ice", EACCES)])
def test_another_address_only_for_who_is_trusted(profile: str, wanted: int) -> None:
    card, dev = card_of(profile, 1)
    (function,) = functions(card)
    own, another = net_device(function), bytes.fromhex("020000000099")
    own.ops.set_mac(own, another)
    dev.ops.set_vf_mac(dev, 0, MAC)
    if wanted:
        assert refused(own.ops.set_mac, own, another) == wanted
        dev.ops.set_vf_trust(dev, 0, True)
    own.ops.set_mac(own, another)
    assert own.address == another


def test_the_address_that_a_function_chose_is_told_where_the_driver_knows_it() -> None:
    card, dev = card_of("ice", 1)
    own = net_device(functions(card)[0])
    assert dev.ops.vf_config(dev, 0).mac == bytes(6)
    set_up(own)
    assert dev.ops.vf_config(dev, 0).mac == own.address


def test_a_function_without_a_link() -> None:
    card, dev = card_of("ice", 1)
    own = net_device(functions(card)[0])
    dev.ops.set_vf_link_state(dev, 0, 2)
    set_up(own)
    seen = [own.carrier]
    for state in (1, 2):
        dev.ops.set_vf_link_state(dev, 0, state)
        seen.append(own.carrier)
    assert own.running and seen == [False, True, False]
