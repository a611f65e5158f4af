"""The switch in a card, its modes, and the devices that represent virtual functions in it."""

from __future__ import annotations

from collections.abc import Callable
from errno import EINVAL, EOPNOTSUPP

import pytest

from nlemu.emulator.kernel.core.jhash import jhash
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.move import change_net_namespace
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.eswitch import LEGACY, SWITCHDEV, Eswitch
from nlemu.emulator.kernel.nics.function import BusFunction
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.refusal import Refusal
from tests.emulator.kernel.world import set_up

AT = "0000:08:00.1"
MAC = bytes.fromhex("020000000077")


def card_of(profile: str, count: int = 0) -> tuple[BusFunction, Eswitch, Device]:
    kernel = Kernel()
    dev = kernel.nics.plug(AT, PROFILES[profile], kernel.init_net)
    set_up(dev)
    card = kernel.nics.functions[AT]
    sriov.configure(kernel.nics, card, count)
    assert card.eswitch is not None
    return card, card.eswitch, dev


def refused(verb: Callable[..., object], *arguments: object) -> tuple[int, str | None]:
    with pytest.raises(Refusal) as caught:
        verb(*arguments)
    return caught.value.errno, caught.value.text


def names(dev: Device) -> dict[str, str | None]:
    """What devices are called, and their ports."""
    return {one.name: one.ops.get_phys_port_name(one) for one in dev.net if one.name != "lo"}


@pytest.mark.parametrize("profile", ["mlx5_core", "bnxt_en"])
def test_functions_that_are_there_are_represented(profile: str) -> None:
    _, switch, dev = card_of(profile, 2)
    assert names(dev) == {"eth0": "p1", "eth1": None, "eth2": None}
    assert switch.set_mode(SWITCHDEV) is None
    assert names(dev) == {"eth0": "p1", "eth1": None, "eth2": None, "eth3": "pf1vf0", "eth4": "pf1vf1"}
    one = switch.representors[0]
    assert one.ops.get_port_parent_id(one) == dev.ops.get_port_parent_id(dev)
    assert one.parent == dev.parent and one.ops.num_vf(one) == 2 and not one.ops.has_vfs
    set_up(one)
    assert one.carrier
    switch.set_mode(LEGACY)
    assert names(dev) == {"eth0": "p1", "eth1": None, "eth2": None} and not switch.representors


@pytest.mark.parametrize(("profile", "first"), [("mlx5_core", True), ("bnxt_en", False), ("ice", False)])
def test_functions_that_come_and_go_are_represented(profile: str, first: bool) -> None:
    card, switch, dev = card_of(profile)
    switch.set_mode(SWITCHDEV)
    nics = dev.kernel.nics
    sriov.configure(nics, card, 1)
    representor, function = switch.representors[0], nics.devices[card.sriov.vfs[0].name] if card.sriov else dev
    assert (representor.ifindex < function.ifindex) is first
    sriov.configure(nics, card, 0)
    assert len(dev.net) == 2 and switch.mode == SWITCHDEV and not switch.representors
    sriov.configure(nics, card, 1)
    nics.unplug(AT)
    assert len(dev.net) == 1


def test_the_mode_of_ice_changes_only_without_functions_and_it_says_so() -> None:
    card, switch, dev = card_of("ice", 1)
    text = "ice: Changing eswitch mode is allowed only if there is no VFs created"
    assert refused(switch.set_mode, SWITCHDEV) == (EOPNOTSUPP, text)
    assert switch.set_mode(LEGACY) is None
    sriov.configure(dev.kernel.nics, card, 0)
    assert switch.set_mode(SWITCHDEV) == "ice: Changed eswitch mode to switchdev"
    assert refused(switch.set_mode, 7) == (EINVAL, "ice: Unknown eswitch mode")
    assert switch.set_mode(LEGACY) == "ice: Changed eswitch mode to legacy"


def test_what_else_can_be_set() -> None:
    _, switch, _ = card_of("mlx5_core")
    assert (switch.inline, switch.encap) == (0, 1)
    switch.set_mode(LEGACY)
    assert refused(switch.set_mode, 7) == (EINVAL, None)
    switch.set_inline(0)
    assert refused(switch.set_inline, 1) == (EOPNOTSUPP, "mlx5_core: Inline mode can't be set")
    assert refused(switch.set_encap, 2) == (EOPNOTSUPP, None)
    switch.set_encap(0)
    assert repr(switch.encap).endswith("NONE: 0>")
    for profile in ("bnxt_en", "ice"):
        _, switch, _ = card_of(profile)
        assert (switch.inline, switch.encap) == (None, None)
        assert refused(switch.set_inline, 0) == refused(switch.set_encap, 0) == (EOPNOTSUPP, None)
    _, switch, _ = card_of("bnxt_en")
    assert refused(switch.set_mode, LEGACY) == (EINVAL, None), "it is the mode already"


def test_what_cannot_be_set_of_functions_while_the_kernel_switches() -> None:
    _, switch, dev = card_of("mlx5_core", 1)
    switch.set_mode(SWITCHDEV)
    ops = dev.ops
    for verb, value in ((ops.set_vf_trust, True), (ops.set_vf_spoofchk, True), (ops.set_vf_link_state, 1)):
        assert refused(verb, dev, 0, value)[0] == EOPNOTSUPP
    assert refused(ops.set_vf_vlan, dev, 0, 5, 0, 0x8100)[0] == EOPNOTSUPP
    ops.set_vf_vlan(dev, 0, 0, 0, 0x8100)
    ops.set_vf_mac(dev, 0, MAC)
    assert ops.vf_config(dev, 0).mac == MAC
    card, switch, dev = card_of("ice")
    switch.set_mode(SWITCHDEV)
    sriov.configure(dev.kernel.nics, card, 1)
    assert refused(dev.ops.set_vf_trust, dev, 0, True)[0] == EOPNOTSUPP
    dev.ops.set_vf_spoofchk(dev, 0, False)


def test_a_driver_begins_with_the_mode_legacy() -> None:
    card, switch, dev = card_of("mlx5_core")
    switch.set_mode(SWITCHDEV)
    dev.kernel.nics.release(card)
    gone = card.eswitch
    dev.kernel.nics.probe(card)
    again = card.eswitch
    assert gone is None and again is not None and again.mode == LEGACY


@pytest.mark.parametrize("profile", ["gve", "fbnic", "e1000e", "virtio_net", "iavf"])
def test_cards_without_one(profile: str) -> None:
    kernel = Kernel()
    kernel.nics.plug(AT, PROFILES[profile], kernel.init_net)
    assert kernel.nics.functions[AT].eswitch is None


def test_what_representors_can_do() -> None:
    _, switch, dev = card_of("mlx5_core", 1)
    switch.set_mode(SWITCHDEV)
    one = switch.representors[0]
    assert one.ops.driver == "mlx5e_rep" and one.ops.has("get_channels") and not one.ops.has("get_pauseparam")
    pod = dev.kernel.new_net("pod")
    with pytest.raises(Refusal):
        change_net_namespace(one, pod)
    _, switch, dev = card_of("bnxt_en", 1)
    switch.set_mode(SWITCHDEV)
    one = switch.representors[0]
    assert one.ops.driver == "bnxt_en" and not one.ops.has("get_channels")
    assert one.address[:3] == dev.address[:3] and one.address == one.perm_address


def test_the_hash_of_an_address() -> None:
    """Two values that lookup3.c itself names, and the one without bytes."""
    words = b"Four score and seven years ago"
    assert (jhash(words), jhash(words, 1), jhash(b"")) == (0x17770551, 0xCD628161, 0xDEADBEEF)
