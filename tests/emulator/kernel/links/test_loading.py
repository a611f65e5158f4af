"""Kinds of links are imported when they are asked for, and it shows nowhere: not in what there is, nor in the order in
which their drivers hear of devices."""

from __future__ import annotations

from errno import EINVAL

import pytest

from nlemu.emulator.kernel.core.build import RECORDED_7_2
from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import links
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links import modelled
from nlemu.protocol.refusal import Refusal


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def test_all_are_there(kernel: Kernel) -> None:
    assert set(kernel.kinds) == {kind.name for kind in modelled()} | {"netdevsim"}
    assert len(kernel.kinds) == len(set(kernel.kinds))
    assert all(kernel.kinds[name].name == name for name in kernel.kinds)


@pytest.mark.parametrize("name", ["gretap", "xfrm", "vti", "netkit", "netdevsim"])
def test_one_is_found_by_its_name_and_not_by_that_of_its_file(kernel: Kernel, name: str) -> None:
    assert kernel.kinds[name].name == name


@pytest.mark.parametrize("name", ["", "ip_gre", "loopback", "macvlan_port", "os.path", "no such"])
def test_what_is_no_kind(kernel: Kernel, name: str) -> None:
    assert name not in kernel.kinds


def test_a_kernel_without_it() -> None:
    assert "wireguard" not in Kernel(build=RECORDED_7_2).kinds
    assert "wireguard" in Kernel().kinds


def test_drivers_hear_in_the_order_of_linux(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    for name in ("team", "macsec", "bond", "vlan"):
        kind = kernel.kinds[name]
        told = tuple((stage, lambda event, dev, info, name=name: heard.append(name), (NetdevEvent.CHANGEMTU,))
                     for stage, _, _ in kind.notifiers)
        monkeypatch.setattr(type(kind), "notifiers", told)
        kernel.load(kind)
        kernel.load(kind)
    kernel.notify(NetdevEvent.CHANGEMTU, kernel.init_net.loopback)
    assert heard == ["bond", "macsec", "team", "vlan"]
    assert [kind.name for kind in kernel.chain.drivers] == ["bond", "macsec", "team", "vlan"]


def test_a_driver_hears_from_the_first_device_on(kernel: Kernel) -> None:
    assert not list(kernel.chain.drivers)
    links.new_link(kernel.init_net, kernel.kinds["dummy"], LinkParams(name="d"))
    assert [kind.name for kind in kernel.chain.drivers] == ["dummy"]


def test_a_setting_is_known_to_its_kind(kernel: Kernel) -> None:
    check = kernel.kinds.check("vrf/strict_mode")
    assert check is not None
    with pytest.raises(Refusal) as refused:
        check(kernel.init_net, 2)
    assert refused.value.errno == EINVAL
    assert kernel.kinds.check("ipv4/ip_forward") is None
