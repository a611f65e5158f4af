"""Tunnels through IPv6: what their ends allow, which is another's, and what is sent, beyond the recorded ones."""

from __future__ import annotations

from dataclasses import replace
from errno import EEXIST, EINVAL
from ipaddress import ip_address
from typing import Any

import pytest

from nlemu.emulator.kernel.devices import links, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.register import KillList
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.ip6_gre import KINDS, Gre6Params
from nlemu.emulator.kernel.links.ip6_tnl import KIND as IP6TNL
from nlemu.emulator.kernel.links.ip6_tnl import Ip6tnlParams
from nlemu.emulator.kernel.links.ip6_vti import KIND as VTI6
from nlemu.emulator.kernel.links.ip6_vti import Vti6Params
from nlemu.emulator.kernel.tunnels.ip6_tunnel import Parms6, capabilities, may_send, of_net
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_tunnel import GreFlag, TunnelEncap
from nlemu.protocol.uapi.ip6_tunnel import Ip6TnlFlag

GRE, GRETAP, ERSPAN = KINDS
KEY, SEQ = int(GreFlag.KEY), int(GreFlag.SEQ)
XMIT, RCV, PER_PACKET = Ip6TnlFlag.CAP_XMIT, Ip6TnlFlag.CAP_RCV, Ip6TnlFlag.CAP_PER_PACKET
OURS, FAR = "2001:db8::1", "2001:db8::2"


def packed(text: str) -> bytes:
    return ip_address(text).packed


ENDS: dict[str, Any] = {"local": packed(OURS), "remote": packed(FAR)}


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
    ("local", "remote", "link", "able"),
    [
        (OURS, FAR, 0, XMIT | RCV), ("::", FAR, 0, PER_PACKET), (OURS, "::", 0, PER_PACKET), (OURS, "ff0e::1", 0, XMIT),
        ("ff0e::1", FAR, 0, RCV), (OURS, "::1", 0, 0), (OURS, "fe80::1", 0, 0), (OURS, "fe80::1", 2, XMIT | RCV),
        (OURS, "::ffff:192.0.2.1", 0, 0),
    ],
)
def test_ends_allow_something(local: str, remote: str, link: int, able: int) -> None:
    assert capabilities(Parms6(link=link), int(ip_address(local)), int(ip_address(remote))) == able


@pytest.mark.parametrize("kind", [IP6TNL, GRE, VTI6], ids=lambda kind: kind.name)
def test_no_two_have_the_same_ends(kernel: Kernel, kind: Kind) -> None:
    data = kind.params(**ENDS)  # type: ignore[misc]
    dev = new(kernel, kind, data)
    assert dev.flags & IFF.POINTOPOINT and dev.address == packed(OURS) and any(dev.perm_address)
    assert refused(new, kernel, kind, data).errno == EEXIST
    other = new(kernel, kind, replace(data, local=packed("2001:db8::3")))
    assert refused(kind.change, other, data, LinkParams()).errno == EEXIST
    kind.change(other, kind.params(), LinkParams())  # type: ignore[misc]
    assert not other.flags & IFF.POINTOPOINT


def test_a_device_below_tells_two_apart_but_for_a_vti6(kernel: Kernel) -> None:
    new(kernel, IP6TNL, Ip6tnlParams(**ENDS))
    new(kernel, IP6TNL, Ip6tnlParams(**ENDS, link=1))
    new(kernel, VTI6, Vti6Params(**ENDS))
    assert refused(new, kernel, VTI6, Vti6Params(**ENDS, link=1)).errno == EEXIST


def test_a_key_need_not_be_said_to_be_one(kernel: Kernel) -> None:
    new(kernel, GRE, Gre6Params(**ENDS, iflags=KEY, ikey=7))
    assert refused(new, kernel, GRE, Gre6Params(**ENDS, ikey=7)).errno == EEXIST
    new(kernel, GRETAP, Gre6Params(**ENDS, ikey=7))
    assert len(of_net(kernel.init_net, "ip6gre").tunnels) == 2


def test_one_of_each_sort_takes_what_metadata_tells_of(kernel: Kernel) -> None:
    new(kernel, GRE, Gre6Params(collect_metadata=True))
    assert refused(new, kernel, GRETAP, Gre6Params(collect_metadata=True)).errno == EEXIST
    new(kernel, ERSPAN, Gre6Params(collect_metadata=True))
    assert refused(new, kernel, ERSPAN, Gre6Params(collect_metadata=True)).errno == EEXIST
    assert refused(new, kernel, GRE, Gre6Params()).errno == EEXIST  # one without ends is there already


def test_what_is_around_a_tunnel_is_not_labels(kernel: Kernel) -> None:
    assert refused(new, kernel, IP6TNL, Ip6tnlParams(encap_type=int(TunnelEncap.MPLS))).errno == EINVAL
    dev = new(kernel, IP6TNL, Ip6tnlParams(encap_type=int(TunnelEncap.GUE)))
    assert (dev.priv.hlen, dev.mtu, dev.max_mtu) == (12, 1500 - 40 - 12 - 8, 65575 - 52)


def test_no_limit_leaves_more_room(kernel: Kernel) -> None:
    assert new(kernel, IP6TNL, Ip6tnlParams(flags=int(Ip6TnlFlag.IGN_ENCAP_LIMIT))).mtu == 1460
    assert new(kernel, GRE, Gre6Params(**ENDS, oflags=KEY)).mtu == 1500 - 40 - 8 - 8
    assert new(kernel, GRETAP, Gre6Params(**ENDS)).mtu == 1500 - 40 - 4 - 8 - 14


def test_a_gre_without_another_end_writes_the_header_itself(kernel: Kernel) -> None:
    dev = new(kernel, GRE, Gre6Params())
    assert dev.hard_header_len == 44 and dev.priv.heads


def test_of_which_protocol_says_how_large_packets_may_be(kernel: Kernel) -> None:
    four = new(kernel, IP6TNL, Ip6tnlParams(proto=4))
    settings.set_mtu(four, 68)
    assert refused(settings.set_mtu, four, 65500).errno == EINVAL
    six = new(kernel, IP6TNL, Ip6tnlParams(**ENDS, proto=41))
    assert refused(settings.set_mtu, six, 1279).errno == EINVAL
    settings.set_mtu(six, 65535)


@pytest.mark.parametrize(
    "said",
    [
        {"erspan_ver": 0}, {"erspan_ver": 3}, {"erspan_ver": 1, "erspan_index": 1 << 20},
        {"erspan_ver": 2, "erspan_dir": 2}, {"erspan_ver": 2, "erspan_hwid": 64}, {"okey": 1 << 10}, {"oflags": 0},
    ],
    ids=str,
)
def test_erspan_checks_what_its_version_has(kernel: Kernel, said: dict[str, Any]) -> None:
    base = Gre6Params(iflags=SEQ, oflags=KEY, **ENDS)
    assert refused(new, kernel, ERSPAN, replace(base, **said)).errno == EINVAL


def test_erspan_tells_what_its_version_has(kernel: Kernel) -> None:
    base = Gre6Params(iflags=SEQ, oflags=KEY, **ENDS)
    one = ERSPAN.fill_info(new(kernel, ERSPAN, replace(base, erspan_index=9)))
    two = ERSPAN.fill_info(new(kernel, ERSPAN, replace(base, ikey=2, erspan_ver=2, erspan_dir=1, erspan_hwid=5)))
    assert (one["erspan_ver"], one["erspan_index"], one["erspan_dir"]) == (1, 9, None)
    assert (two["erspan_ver"], two["erspan_index"], two["erspan_hwid"]) == (2, None, 5)


def test_only_from_an_address_of_ours_can_be_sent(kernel: Kernel) -> None:
    dev = new(kernel, IP6TNL, Ip6tnlParams(**ENDS))
    assert not may_send(dev.priv, int(ip_address(OURS)), int(ip_address(FAR)))
    dev.ops.transmit(dev, 100)
    assert (dev.stats.tx_carrier_errors, dev.stats.tx_errors, dev.stats.tx_dropped) == (1, 1, 1)
    meta = new(kernel, GRE, Gre6Params(collect_metadata=True))
    meta.ops.transmit(meta, 100)
    assert (meta.stats.tx_errors, meta.stats.tx_dropped) == (0, 1)


def test_a_namespace_takes_with_it_what_was_made_from_it(kernel: Kernel) -> None:
    tap = new(kernel, GRETAP, Gre6Params(**ENDS))
    kill = KillList()
    GRETAP.exit_rtnl(kernel.init_net, kill)
    GRE.exit_rtnl(kernel.init_net, kill)
    assert tap in list(kill)
