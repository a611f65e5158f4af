"""Geneve tunnels: what is read, whose port it is, and what is sent, beyond the recorded ones."""

from __future__ import annotations

from errno import EADDRINUSE, EADDRNOTAVAIL, EBUSY, EOPNOTSUPP
from ipaddress import ip_address

import pytest

from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.geneve import KIND as GENEVE
from nlemu.emulator.kernel.links.geneve import GeneveParams, of_net, read
from nlemu.emulator.kernel.tunnels import udp
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

UP = int(IFF.UP)


def packed(text: str) -> bytes:
    return ip_address(text).packed


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def geneve(kernel: Kernel, number: int, **data: object) -> Device:
    net = kernel.init_net
    params = LinkParams(link_net=net, data=GeneveParams(id=number, **data))  # type: ignore[arg-type]
    GENEVE.validate(params)
    return links.new_link(net, GENEVE, params)


def raise_(dev: Device) -> None:
    flags.apply_flags(dev, dev.flags | UP)


def refused(verb: object, *args: object, **kwargs: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    return caught.value


def test_a_remote_of_ipv6_wants_checksums_until_told_otherwise() -> None:
    config = read(GeneveParams(remote6=packed("2001:db8::1")), None)
    assert config.csum and config.rx_csum and config.local.family == AF_INET6
    config = read(GeneveParams(remote6=packed("2001:db8::1"), udp_zero_csum6_tx=1, udp_zero_csum6_rx=1), None)
    assert not config.csum and not config.rx_csum


def test_a_local_address_must_be_one_of_ours(kernel: Kernel) -> None:
    assert refused(raise_, geneve(kernel, 1, local6=packed("2001:db8::1"))).errno == EADDRNOTAVAIL
    raise_(geneve(kernel, 2, port=7000, local=packed("192.0.2.1")))  # nothing is routed yet, so it may be anything
    assert len(of_net(kernel.init_net).sockets) == 1


def test_tunnels_share_the_sockets_of_their_port(kernel: Kernel) -> None:
    one, two = geneve(kernel, 1), geneve(kernel, 2)
    raise_(one)
    raise_(two)
    assert one.priv.sockets == two.priv.sockets
    flags.apply_flags(one, one.flags & ~UP)
    assert len(udp.taken(kernel.init_net)) == 1
    flags.apply_flags(two, two.flags & ~UP)
    assert not udp.taken(kernel.init_net)


def test_metadata_listens_in_both_families_or_in_none(kernel: Kernel) -> None:
    params = LinkParams(link_net=kernel.init_net, data=GeneveParams(collect_metadata=True))
    dev = links.new_link(kernel.init_net, GENEVE, params)
    udp.bind(kernel.init_net, AF_INET, 6081, object())
    assert refused(raise_, dev).errno == EADDRINUSE
    assert set(udp.taken(kernel.init_net)) == {(AF_INET, 6081, b"")}
    dev.ops.transmit(dev, 100)
    assert dev.stats.tx_dropped == 1
    assert refused(GENEVE.change, dev, GeneveParams(ttl=1), LinkParams()).errno == EOPNOTSUPP


def test_the_same_ends_and_number_are_taken(kernel: Kernel) -> None:
    geneve(kernel, 1, remote=packed("192.0.2.1"))
    count = len(kernel.init_net)
    assert refused(geneve, kernel, 1, remote=packed("192.0.2.1")).errno == EBUSY
    assert len(kernel.init_net) == count


def test_without_a_way_there_is_an_error_of_the_carrier(kernel: Kernel) -> None:
    dev = geneve(kernel, 1, remote=packed("192.0.2.1"))
    raise_(dev)
    dev.ops.transmit(dev, 100)
    assert (dev.stats.tx_errors, dev.stats.tx_carrier_errors) == (1, 1)


def test_an_address_listened_on_alone_leaves_others_free(kernel: Kernel) -> None:
    net = kernel.init_net
    udp.bind(net, AF_INET, 5000, object())
    assert refused(udp.bind, net, AF_INET, 5000, object()).errno == EADDRINUSE
    udp.bind(net, AF_INET6, 5000, object())
    udp.release(net, AF_INET, 5000)
    assert (AF_INET, 5000, b"") not in udp.taken(net)


def test_it_goes_with_the_namespace_of_its_sockets(kernel: Kernel) -> None:
    other = kernel.new_net("other")
    links.new_link(kernel.init_net, GENEVE, LinkParams(name="far", link_net=other, data=GeneveParams(id=1)))
    kernel.delete_net("other")
    kernel.settle()
    assert kernel.init_net.by_name("far") is None
