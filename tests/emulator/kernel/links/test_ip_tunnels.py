"""Tunnels through IPv4: which is another's, how long headers are, and what is refused, beyond the recorded ones."""

from __future__ import annotations

from dataclasses import replace
from errno import EADDRNOTAVAIL, EEXIST, EINVAL
from ipaddress import ip_address

import pytest

from nlemu.emulator.kernel.devices import flags, links, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.ip_gre import KINDS, Erspan, Gre, GreParams, calc_hlen, known_flags
from nlemu.emulator.kernel.links.ip_vti import KIND as VTI
from nlemu.emulator.kernel.links.ip_vti import VtiParams
from nlemu.emulator.kernel.links.ipip import KIND as IPIP
from nlemu.emulator.kernel.links.ipip import IptunParams
from nlemu.emulator.kernel.links.sit import KIND as SIT
from nlemu.emulator.kernel.links.sit import SixRd, read_sixrd
from nlemu.emulator.kernel.tunnels.encap import Encap, read
from nlemu.emulator.kernel.tunnels.ip_tunnel import of_net
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_tunnel import GreFlag, TunnelEncap, TunnelEncapFlag

UP = int(IFF.UP)
GRE, GRETAP, ERSPAN = KINDS
KEY, CSUM, SEQ = int(GreFlag.KEY), int(GreFlag.CSUM), int(GreFlag.SEQ)


def packed(text: str) -> bytes:
    return ip_address(text).packed


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def new(kernel: Kernel, kind: Kind, data: object, **params: object) -> Device:
    said = LinkParams(link_net=kernel.init_net, data=data, **params)  # type: ignore[arg-type]
    kind.validate(said)
    return links.new_link(kernel.init_net, kind, said)


def refused(verb: object, *args: object, **kwargs: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    return caught.value


@pytest.mark.parametrize(
    ("encap", "hlen"),
    [
        (Encap(), 0), (Encap(int(TunnelEncap.FOU)), 8), (Encap(int(TunnelEncap.GUE)), 12),
        (Encap(int(TunnelEncap.GUE), int(TunnelEncapFlag.REMCSUM)), 20), (Encap(int(TunnelEncap.MPLS)), 4),
    ],
)
def test_what_is_around_a_packet_has_a_length(encap: Encap, hlen: int) -> None:
    assert encap.hlen == hlen


def test_what_there_is_not_is_refused_and_nothing_is_around_it_then(kernel: Kernel) -> None:
    dev = new(kernel, IPIP, IptunParams(encap_type=int(TunnelEncap.FOU)))
    assert (dev.priv.hlen, dev.mtu) == (8, 1472)
    change = LinkParams(link_net=kernel.init_net)
    assert refused(IPIP.change, dev, IptunParams(encap_type=9), change).errno == EINVAL
    assert dev.priv.encap == Encap() and dev.priv.hlen == 8
    assert read(IptunParams()) is None and read(None) is None


@pytest.mark.parametrize("kind", [IPIP, SIT, GRE, VTI], ids=lambda kind: kind.name)
def test_no_two_have_the_same_ends(kernel: Kernel, kind: Kind) -> None:
    ends = {"local": packed("192.0.2.1"), "remote": packed("192.0.2.2")}
    data = kind.params(**ends)  # type: ignore[misc]
    new(kernel, kind, data)
    assert refused(new, kernel, kind, data).errno == EEXIST
    new(kernel, kind, replace(data, local=packed("192.0.2.3")))
    assert len(of_net(kernel.init_net, kind.name).tunnels) == 2


def test_keys_tell_tunnels_with_the_same_ends_apart(kernel: Kernel) -> None:
    data = GreParams(remote=packed("192.0.2.2"), iflags=KEY, ikey=1)
    new(kernel, GRE, data)
    new(kernel, GRE, replace(data, ikey=2))
    new(kernel, GRE, replace(data, iflags=0))
    assert refused(new, kernel, GRE, data).errno == EEXIST


def test_a_vti_s_key_is_none_by_which_it_is_found(kernel: Kernel) -> None:
    """Nor does a flag say that it has one: only the hash, of the remote alone, counts."""
    data = VtiParams(remote=packed("192.0.2.2"), ikey=1)
    new(kernel, VTI, data)
    assert refused(new, kernel, VTI, replace(data, ikey=2)).errno == EEXIST


def test_one_alone_takes_what_metadata_tells_of(kernel: Kernel) -> None:
    new(kernel, IPIP, IptunParams(collect_metadata=True))
    assert refused(new, kernel, IPIP, IptunParams(collect_metadata=True)).errno == EEXIST
    new(kernel, GRE, GreParams(collect_metadata=True))


@pytest.mark.parametrize(("flags_", "hlen"), [(0, 4), (KEY, 8), (CSUM | SEQ, 12), (KEY | CSUM | SEQ, 16)])
def test_a_header_of_gre_grows_by_what_is_in_it(flags_: int, hlen: int) -> None:
    assert calc_hlen(flags_) == hlen


def test_of_some_flags_only_whether_there_is_one_is_known() -> None:
    assert known_flags(0x0100) == int(GreFlag.REC)
    assert known_flags(KEY | 0x0080) == KEY


def test_a_gre_whose_header_grows_carries_less(kernel: Kernel) -> None:
    dev = new(kernel, GRE, GreParams(remote=packed("192.0.2.2")))
    assert dev.mtu == 1476
    said = GreParams(remote=packed("192.0.2.2"), oflags=KEY | CSUM)
    GRE.change(dev, said, LinkParams(link_net=kernel.init_net))
    assert (dev.mtu, dev.priv.hlen) == (1468, 12)
    GRE.change(dev, GreParams(remote=packed("192.0.2.2")), LinkParams(link_net=kernel.init_net, mtu=1000))
    assert dev.mtu == 1468  # what the message says of the MTU comes later
    assert refused(
        GRE.change, dev, GreParams(remote=packed("192.0.2.2"), collect_metadata=True), LinkParams()
    ).text == "Enabling collect_md on an existing device is not supported"


def test_a_group_wants_a_way_when_the_device_goes_up(kernel: Kernel) -> None:
    dev = new(kernel, GRE, GreParams(local=packed("192.0.2.1"), remote=packed("239.1.1.1")))
    assert dev.flags & IFF.BROADCAST and dev.priv.heads
    assert refused(flags.apply_flags, dev, dev.flags | UP).errno == EADDRNOTAVAIL
    assert refused(new, kernel, GRE, GreParams(remote=packed("239.1.1.2"))).errno == EINVAL


def test_a_point_stays_one(kernel: Kernel) -> None:
    dev = new(kernel, IPIP, IptunParams(remote=packed("192.0.2.2")))
    assert refused(IPIP.change, dev, IptunParams(), LinkParams()).errno == EINVAL
    IPIP.change(dev, IptunParams(remote=packed("192.0.2.9"), fwmark=4), LinkParams())
    assert (dev.broadcast, dev.priv.fwmark) == (packed("192.0.2.9"), 4)
    IPIP.change(dev, IptunParams(remote=packed("192.0.2.9")), LinkParams())
    assert dev.priv.fwmark == 4


def test_erspan_checks_what_its_version_has(kernel: Kernel) -> None:
    base = GreParams(iflags=SEQ | KEY, oflags=SEQ | KEY)
    for said in ({"erspan_ver": 3}, {"erspan_index": 1 << 20}, {"erspan_ver": 2, "erspan_dir": 2},
                 {"erspan_ver": 2, "erspan_hwid": 64}, {"ikey": 1 << 10}, {"iflags": 0, "oflags": KEY}):
        assert refused(new, kernel, ERSPAN, replace(base, **said)).errno == EINVAL, said  # type: ignore[arg-type]
    dev = new(kernel, ERSPAN, replace(base, erspan_ver=2, erspan_dir=1, erspan_hwid=5))
    told = ERSPAN.fill_info(dev)
    assert (told["erspan_dir"], told["erspan_hwid"], told["erspan_index"]) == (1, 5, None)
    assert isinstance(ERSPAN, Erspan) and isinstance(GRE, Gre)


@pytest.mark.parametrize(
    "said",
    [
        {"sixrd_prefixlen": 65}, {"sixrd_relay_prefixlen": 33}, {"sixrd_prefixlen": 33},
        {"sixrd_prefixlen": 32, "sixrd_prefix": packed("2001:db8:0:1::")},
        {"sixrd_prefix": packed("2001:db8::"), "sixrd_prefixlen": 32, "sixrd_relay_prefix": packed("10.0.0.1"),
         "sixrd_relay_prefixlen": 8},
    ],
    ids=str,
)
def test_what_6rd_cannot_be(said: dict[str, object]) -> None:
    sixrd = read_sixrd(IptunParams(**said))  # type: ignore[arg-type]
    assert sixrd is not None
    assert refused(sixrd.check).errno == EINVAL


def test_what_6rd_can_be(kernel: Kernel) -> None:
    SixRd().check()
    assert read_sixrd(None) is None and read_sixrd(IptunParams()) is None
    dev = new(kernel, SIT, IptunParams(
        sixrd_prefix=packed("2001:db8::"), sixrd_prefixlen=32, sixrd_relay_prefix=packed("10.0.0.0"),
        sixrd_relay_prefixlen=8,
    ))
    assert SIT.fill_info(dev)["sixrd_relay_prefix"] == packed("10.0.0.0")
    assert refused(new, kernel, SIT, IptunParams(local=packed("192.0.2.1"), sixrd_prefixlen=65)).errno == EINVAL
    assert len(of_net(kernel.init_net, "sit").tunnels) == 1


def test_isatap_is_said_in_the_machine_s_order(kernel: Kernel) -> None:
    assert not new(kernel, SIT, IptunParams(flags=1)).isatap
    assert new(kernel, SIT, IptunParams(flags=0x0100, local=packed("192.0.2.1"))).isatap


def test_an_mtu_that_was_asked_for_stays_within_its_bounds(kernel: Kernel) -> None:
    dev = new(kernel, IPIP, IptunParams(), mtu=68)
    assert dev.mtu == 68
    settings.set_mtu(dev, 65515)
    assert refused(settings.set_mtu, dev, 65516).errno == EINVAL
    assert new(kernel, IPIP, IptunParams(remote=packed("192.0.2.1")), mtu=70000).mtu == 65515
