"""VLANs of a port of a bridge that are tunnels: mapped one by one and in ranges, told in runs, and forgotten."""

from __future__ import annotations

from errno import EEXIST, EINVAL

import pytest

from nlemu.emulator.kernel.bridge import settings, vlan_tunnels, vlans
from nlemu.emulator.kernel.bridge.bridge import Port, port_of
from nlemu.emulator.kernel.bridge.params import PortParams
from nlemu.emulator.kernel.bridge.vlan_tunnels import BEGIN, END, Mapping, Request
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2
from nlemu.emulator.kernel.core.events import NullAnnouncer
from nlemu.emulator.kernel.devices import adjacency, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.bridge import KIND as BRIDGE
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.protocol.refusal import Refusal


class News(NullAnnouncer):
    """`told`: of which VLANs, by the first and the last, since it was emptied."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def bridge_vlan(self, event: int, dev: Device, vid: int, last: int = 0) -> None:
        self.told.append((vid, last))


@pytest.fixture
def port() -> Port:
    """With the VLANs 1 and 10 to 14, and the flag."""
    kernel = Kernel(build=DISTRIBUTION_7_2)
    br = links.new_link(kernel.init_net, BRIDGE, LinkParams(name="br0"))
    dev = links.new_link(kernel.init_net, DUMMY, LinkParams(name="a"))
    adjacency.set_master(dev, br.ifindex)
    made = port_of(dev)
    assert made is not None
    for vid in range(10, 15):
        vlans.add_to_port(made, vid, 0)
    settings.change_port(made, PortParams(vlan_tunnel=1))
    kernel.announcer = News()
    return made


def news(port: Port) -> list[tuple[int, int]]:
    announcer = port.dev.kernel.announcer
    assert isinstance(announcer, News)
    told, announcer.told = announcer.told, []
    return told


def runs(port: Port) -> list[tuple[int, int]]:
    return [(first.vid, last.vid) for first, last in vlan_tunnels.runs(port)]


def test_a_number_is_of_one_vlan(port: Port) -> None:
    vlan_tunnels.add(port, 10, 30)
    for vid, tunnel, errno in ((10, 31, EEXIST), (11, 30, EEXIST), (99, 31, EINVAL)):
        with pytest.raises(Refusal) as refused:
            vlan_tunnels.add(port, vid, tunnel)
        assert refused.value.errno == errno
    vlan_tunnels.delete(port, 10)
    vlan_tunnels.add(port, 11, 30)
    assert runs(port) == [(11, 11)]


def test_a_range_is_told_in_runs_up_to_what_is_refused(port: Port) -> None:
    request = Request(port, add=True)
    request.take(Mapping(0, 12, 0))
    assert news(port) == [(12, 0)]
    request.take(Mapping(BEGIN, 10, 30))
    with pytest.raises(Refusal) as refused:
        request.take(Mapping(END, 14, 34))
    assert refused.value.errno == EEXIST
    assert (news(port), runs(port), request.changed) == ([(10, 11)], [(10, 11), (12, 12)], True)


def test_those_that_are_no_tunnels_divide_what_is_told_of_a_deletion_no_more(port: Port) -> None:
    request = Request(port, add=True)
    request.take(Mapping(BEGIN, 10, 30))
    request.take(Mapping(END, 14, 34))
    assert (news(port), runs(port)) == ([(10, 14)], [(10, 14)])
    request = Request(port, add=False)
    request.take(Mapping(BEGIN, 11, 31))
    request.take(Mapping(END, 12, 32))
    assert (news(port), runs(port), request.changed) == ([(11, 12)], [(10, 10), (13, 14)], True)
    nothing = Request(port, add=False)
    nothing.take(Mapping(0, 99, 31))
    assert (news(port), nothing.changed) == ([], False), "to delete what is not there is no error"


@pytest.mark.parametrize("said", [
    [Mapping(END, 11, 31)], [Mapping(BEGIN, 10, 30)] * 2, [Mapping(BEGIN, 10, 30), Mapping(0, 11, 31)],
    [Mapping(BEGIN, 11, 31), Mapping(END, 10, 30)], [Mapping(BEGIN, 10, 30), Mapping(END, 11, 32)],
])
def test_what_is_no_range(port: Port, said: list[Mapping]) -> None:
    request = Request(port, add=True)
    for mapping in said[:-1]:
        request.take(mapping)
    with pytest.raises(Refusal) as refused:
        request.take(said[-1])
    assert refused.value.errno == EINVAL
    assert not runs(port) and not request.changed


def test_without_the_flag_there_are_none(port: Port) -> None:
    vlan_tunnels.add(port, 10, 30)
    settings.change_port(port, PortParams(vlan_tunnel=1))
    assert runs(port) == [(10, 10)]
    settings.change_port(port, PortParams(vlan_tunnel=0))
    assert not runs(port)
