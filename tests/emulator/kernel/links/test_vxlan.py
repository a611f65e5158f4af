"""VXLANs: sockets and groups that are shared, what follows the device below, what namespaces take along, what is sent,
beyond the recorded ones."""

from __future__ import annotations

from errno import EADDRINUSE, EEXIST, EINVAL, ENOBUFS, ENODEV
from ipaddress import ip_address

import pytest

from nlemu.emulator.kernel.devices import flags, links, move, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.vxlan import KIND as VXLAN
from nlemu.emulator.kernel.tunnels import udp
from nlemu.emulator.kernel.tunnels.address import NO_ADDRESS, TunnelAddress, ipv4
from nlemu.emulator.kernel.vxlan import fdb, sockets, vnis
from nlemu.emulator.kernel.vxlan.params import VxlanParams
from nlemu.emulator.kernel.vxlan.vxlan import ZEROS, Remote, Vxlan, of_net, vxlan_of
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.neighbour import NUD
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

MAC = bytes((2, 0, 0, 0, 0, 1))
UP = int(IFF.UP)
REACHABLE, PERMANENT = int(NUD.REACHABLE), int(NUD.PERMANENT)


def packed(text: str) -> bytes:
    return ip_address(text).packed


def address(text: str) -> TunnelAddress:
    return ipv4(packed(text))


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def dummy(kernel: Kernel, name: str = "d") -> Device:
    return links.new_link(kernel.init_net, DUMMY, LinkParams(name=name, address=MAC))


def vxlan(kernel: Kernel, number: int, *, mtu: int | None = None, **data: object) -> Device:
    net = kernel.init_net
    params = LinkParams(
        name=f"v{number}", link_net=net, mtu=mtu, data=VxlanParams(id=number, **data),  # type: ignore[arg-type]
    )
    VXLAN.validate(params)
    return links.new_link(net, VXLAN, params)


def raise_(dev: Device) -> None:
    flags.apply_flags(dev, dev.flags | UP)


def lower(dev: Device) -> None:
    flags.apply_flags(dev, dev.flags & ~UP)


def refused(verb: object, *args: object, **kwargs: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    return caught.value


class TestMaking:
    def test_a_refusal_leaves_nothing_behind(self, kernel: Kernel) -> None:
        vxlan(kernel, 1)
        count = len(kernel.init_net)
        assert refused(vxlan, kernel, 1).errno == EEXIST
        assert refused(vxlan, kernel, 2, link=99).errno == ENODEV
        assert len(kernel.init_net) == count and len(of_net(kernel.init_net).devices) == 1

    def test_a_socket_refused_as_it_is_born_up_takes_it_away_again(self, kernel: Kernel) -> None:
        raise_(vxlan(kernel, 1))
        params = LinkParams(
            name="w", link_net=kernel.init_net, data=VxlanParams(id=2, gbp=True), flags=UP, change=UP
        )
        assert refused(links.new_link, kernel.init_net, VXLAN, params).errno == EADDRINUSE
        assert kernel.init_net.by_name("w") is None and len(of_net(kernel.init_net).devices) == 1

    def test_a_device_of_packets_has_no_address(self, kernel: Kernel) -> None:
        dev = vxlan(kernel, 0, collect_metadata=1, gpe=True, learning=0)
        assert (dev.type, dev.addr_len, dev.hard_header_len) == (ARPHRD.NONE, 0, 0)
        assert vxlan_of(dev) is dev.priv and not dev.ops.has("set_mac")

    def test_others_are_no_vxlans(self, kernel: Kernel) -> None:
        assert vxlan_of(dummy(kernel)) is None


class TestSockets:
    def test_devices_that_agree_share_one(self, kernel: Kernel) -> None:
        one, two = vxlan(kernel, 1), vxlan(kernel, 2)
        raise_(one)
        raise_(two)
        assert one.priv.ipv4 is two.priv.ipv4 and one.priv.ipv4.users == 2
        lower(one)
        assert udp.taken(kernel.init_net) == {(AF_INET, 8472, b""): two.priv.ipv4}
        lower(two)
        assert not udp.taken(kernel.init_net)

    def test_metadata_wants_both_families_or_none(self, kernel: Kernel) -> None:
        taken = object()
        udp.bind(kernel.init_net, AF_INET, 8472, taken)
        dev = vxlan(kernel, 0, collect_metadata=1)
        assert refused(raise_, dev).errno == EADDRINUSE
        assert udp.taken(kernel.init_net) == {(AF_INET, 8472, b""): taken} and dev.priv.ipv6 is None
        udp.release(kernel.init_net, AF_INET, 8472)
        raise_(dev)
        assert set(udp.taken(kernel.init_net)) == {(AF_INET, 8472, b""), (AF_INET6, 8472, b"")}


class TestGroups:
    def test_a_group_is_left_by_the_last_who_wants_it(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        raise_(below)
        group = address("239.1.1.1")
        one, two = (vxlan(kernel, n, link=below.ifindex, group=group.packed) for n in (1, 2))
        raise_(one)
        raise_(two)
        assert below.inet.groups[group.number].users == 1
        lower(one)
        assert group.number in below.inet.groups
        lower(two)
        assert group.number not in below.inet.groups

    def test_more_than_a_socket_can_join(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        raise_(below)
        for number in range(1, 22):
            dev = vxlan(kernel, number, link=below.ifindex, group=packed(f"239.1.1.{number}"))
            if number == 21:
                assert refused(raise_, dev).errno == ENOBUFS
                assert dev.priv.ipv4 is None and not dev.up
            else:
                raise_(dev)

    def test_the_device_below_has_no_ip(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        dev = vxlan(kernel, 1, link=below.ifindex, group6=packed("ff05::1"))
        settings.set_mtu(below, 100)
        assert below.ip6 is None and refused(raise_, dev).errno == EINVAL

    def test_a_vni_may_have_a_group_of_its_own(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        raise_(below)
        dev = vxlan(kernel, 0, link=below.ifindex, collect_metadata=1, vnifilter=1)
        own = address("239.7.7.7")
        vnis.add(dev.priv, 5, own)
        assert own.number not in below.inet.groups
        raise_(dev)
        assert own.number in below.inet.groups
        vnis.delete(dev.priv, 5)
        assert own.number not in below.inet.groups

    def test_a_vni_whose_remote_is_taken_away(self, kernel: Kernel) -> None:
        dev = vxlan(kernel, 0, collect_metadata=1, vnifilter=1)
        vnis.add(dev.priv, 5, address("192.0.2.1"))
        vnis.add(dev.priv, 5, NO_ADDRESS)
        assert not dev.priv.fdb and dev.priv.vnis[5].remote.any


class TestForwarding:
    def test_what_is_reachable_alone_grows_old_while_the_device_is_up(self, kernel: Kernel) -> None:
        dev = vxlan(kernel, 1, ageing=5)
        own: Vxlan = dev.priv
        for last, state in ((1, REACHABLE), (2, PERMANENT)):
            remote = Remote(address("192.0.2.1"), 8472, 1, 0)
            fdb.update(own, fdb.Wanted(MAC[:5] + bytes((last,)), 1, remote, state, fdb.SELF, create=True))
        kernel.advance(60)
        assert len(own.fdb) == 2
        raise_(dev)
        kernel.advance(60)
        assert [entry.state for entry in own.fdb.values()] == [PERMANENT]

    def test_an_age_that_is_changed_is_looked_at_at_once(self, kernel: Kernel) -> None:
        dev = vxlan(kernel, 1)
        remote = Remote(address("192.0.2.1"), 8472, 1, 0)
        fdb.update(dev.priv, fdb.Wanted(MAC, 1, remote, REACHABLE, fdb.SELF, create=True))
        raise_(dev)
        kernel.advance(9)
        VXLAN.change(dev, VxlanParams(ageing=3), LinkParams())
        kernel.settle()
        assert not dev.priv.fdb

    def test_the_default_entry_stays_while_the_device_goes_down(self, kernel: Kernel) -> None:
        dev = vxlan(kernel, 1, group=packed("192.0.2.1"))
        raise_(dev)
        lower(dev)
        assert list(dev.priv.fdb) == [(ZEROS, 1)]


class TestGoing:
    def test_it_goes_with_the_device_below_that_moves(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        vxlan(kernel, 1, link=below.ifindex)
        move.change_net_namespace(below, kernel.new_net("other"))
        assert kernel.init_net.by_name("v1") is None and not of_net(kernel.init_net).devices

    def test_it_goes_with_the_namespace_of_its_sockets(self, kernel: Kernel) -> None:
        other = kernel.new_net("other")
        params = LinkParams(name="far", link_net=other, data=VxlanParams(id=1))
        dev = links.new_link(kernel.init_net, VXLAN, params)
        raise_(dev)
        kernel.delete_net("other")
        kernel.settle()
        assert kernel.init_net.by_name("far") is None

    def test_a_device_below_may_be_changed_for_another(self, kernel: Kernel) -> None:
        one, two = dummy(kernel, "a"), dummy(kernel, "b")
        dev = vxlan(kernel, 1, link=one.ifindex)
        VXLAN.change(dev, VxlanParams(link=two.ifindex), LinkParams())
        assert list(dev.lowers) == [two] and not one.uppers


class TestSending:
    def test_what_goes_to_a_group_of_hosts_leaves_through_the_device_below(self, kernel: Kernel) -> None:
        below = dummy(kernel)
        raise_(below)
        dev = vxlan(kernel, 1, link=below.ifindex, group=packed("239.1.1.1"))
        raise_(dev)
        before = below.stats.tx_bytes
        dev.ops.transmit(dev, 114)
        assert (dev.stats.tx_packets, dev.stats.tx_bytes) == (1, 100)
        assert below.stats.tx_bytes == before + 114 + 20 + 8 + 8 + 14

    def test_without_a_way_there_is_an_error_of_the_carrier(self, kernel: Kernel) -> None:
        dev = vxlan(kernel, 1, group=packed("192.0.2.1"))
        raise_(dev)
        dev.ops.transmit(dev, 114)
        assert (dev.stats.tx_errors, dev.stats.tx_carrier_errors, dev.stats.tx_packets) == (1, 1, 0)

    def test_a_remote_that_is_none_is_dropped(self, kernel: Kernel) -> None:
        dev = vxlan(kernel, 1)
        raise_(dev)
        fdb.add_default(dev.priv, fdb.default_remote(dev.priv, dev.priv.remote, 1), append=True)
        dev.ops.transmit(dev, 114)
        assert dev.stats.tx_dropped == 1


def test_groups_are_asked_for_by_devices_that_share_a_socket(kernel: Kernel) -> None:
    dev = vxlan(kernel, 1)
    assert not sockets.group_used(dev.priv, address("239.1.1.1"))
