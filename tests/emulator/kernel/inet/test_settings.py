"""Settings of all devices, of those to come, and of a namespace: who has which after what was written where."""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2, RECORDED_7_2
from nlemu.emulator.kernel.core.sysctl import Setting, settings
from nlemu.emulator.kernel.core.sysctl_limits import limits
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.inet import neighbour_parms
from nlemu.emulator.kernel.inet.neighbour_parms import AF_INET, AF_INET6
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import settings as settings4
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import settings as settings6
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from tests.emulator.kernel.ip_world import IpWorld

RP_FILTER, FORWARDING4 = Ipv4Devconf.RP_FILTER, Ipv4Devconf.FORWARDING
FORWARDING6, FORCED = Ipv6Devconf.FORWARDING, Ipv6Devconf.FORCE_FORWARDING


@pytest.fixture
def w() -> IpWorld:
    return IpWorld(DISTRIBUTION_7_2)


def test_a_default_reaches_devices_where_nobody_said_otherwise(w: IpWorld) -> None:
    """devinet_copy_dflt_conf(): not where it was written, nor where there is an address."""
    untouched, written, addressed = w.dummy("a"), w.dummy("b"), w.dummy("c")
    settings4.set_conf(written, RP_FILTER, 0)
    w.add4("192.0.2.1/24", dev=addressed)
    settings4.set_default(w.net, RP_FILTER, 2)
    assert [dev.inet.conf[RP_FILTER] for dev in (untouched, written, addressed)] == [2, 0, 0]
    assert w.dummy("f").inet.conf[RP_FILTER] == 2
    settings4.set_default(w.net, Ipv4Devconf.NOPOLICY, 1)
    assert (untouched.inet.conf[Ipv4Devconf.NOPOLICY], w.dummy("e").inet.conf[Ipv4Devconf.NOPOLICY]) == (0, 1)


def test_forwarding_of_all_is_forwarding_of_each(w: IpWorld) -> None:
    dev = w.dummy("a")
    settings4.set_all(w.net, FORWARDING4, 1)
    state = ip4.of(w.net)
    assert (state.conf_default[FORWARDING4], dev.inet.conf[FORWARDING4]) == (1, 1)
    assert state.conf_all[Ipv4Devconf.ACCEPT_REDIRECTS] == 0
    settings4.set_all(w.net, RP_FILTER, 1)
    assert (state.conf_default[RP_FILTER], dev.inet.conf[RP_FILTER]) == (0, 0), "the others stay where they are"


def test_a_new_namespace_has_the_first_ones_settings_of_ipv4_and_none_of_ipv6(w: IpWorld) -> None:
    settings4.set_all(w.net, FORWARDING4, 1)
    settings6.set_all(w.net, FORWARDING6, 1)
    pod = w.kernel.new_net("pod")
    assert ip4.of(pod).conf_all[FORWARDING4] == pod.loopback.inet.conf[FORWARDING4] == 1
    assert ip6.of(pod).conf_all[FORWARDING6] == 0
    settings4.set_all(pod, FORWARDING4, 0)
    assert ip4.of(w.net).conf_all[FORWARDING4] == 1


def test_a_router_listens_to_the_groups_of_routers(w: IpWorld) -> None:
    dev = new_link(w.net, VETH, LinkParams(name="a"))
    settings6.set_all(w.net, FORWARDING6, 1)
    assert set(ip6.ROUTERS) <= set(dev.inet6.listener.members)
    settings6.set_conf(dev, FORCED, 1)
    settings6.set_all(w.net, FORWARDING6, 0)
    assert not set(ip6.ROUTERS) & set(dev.inet6.listener.members)
    assert (dev.inet6.conf[FORWARDING6], dev.inet6.conf[FORCED]) == (0, 0)
    assert ip6.of(w.net).conf_default[FORWARDING6] == 0


def test_without_ipv6_on_all_there_is_none_on_those_to_come(w: IpWorld) -> None:
    dev = w.dummy("a")
    w.add6("2001:db8::1/64", dev=dev)
    settings6.set_all(w.net, Ipv6Devconf.DISABLE_IPV6, 1)
    assert dev.inet6.addresses == []
    later = w.dummy("b")
    assert later.inet6.conf[Ipv6Devconf.DISABLE_IPV6] == 1 and not later.inet6.addresses
    settings6.set_default(w.net, Ipv6Devconf.DISABLE_IPV6, 0)
    assert later.inet6.conf[Ipv6Devconf.DISABLE_IPV6] == 1, "a default of IPv6 reaches only those to come"


def test_parameters_of_neighbours(w: IpWorld) -> None:
    dev, addressed = w.dummy("a"), w.dummy("b")
    w.add4("192.0.2.1/24", dev=addressed)
    assert neighbour_parms.get(w.net, AF_INET, "base_reachable_time", dev) == 30
    neighbour_parms.put(w.net, AF_INET, "base_reachable_time_ms", 45000)
    assert neighbour_parms.get(w.net, AF_INET, "base_reachable_time", dev) == 45
    assert neighbour_parms.get(w.net, AF_INET, "base_reachable_time", addressed) == 30
    assert neighbour_parms.get(w.net, AF_INET6, "base_reachable_time", dev) == 30
    neighbour_parms.put(w.net, AF_INET, "gc_stale_time", 7, dev)
    neighbour_parms.put(w.net, AF_INET, "gc_stale_time", 9)
    assert neighbour_parms.get(w.net, AF_INET, "gc_stale_time", dev) == 7
    shown = [neighbour_parms.get(w.net, family, "retrans_time") for family in (AF_INET, AF_INET6)]
    assert shown == [100, 1000], "a second, in hundredths and in ticks"
    pod = w.kernel.new_net("pod")
    assert "gc_thresh3" in neighbour_parms.names(w.net, None)
    assert "gc_thresh3" not in neighbour_parms.names(pod, None)


def test_a_default_parameter_set_by_message_reaches_those_to_come(w: IpWorld) -> None:
    """lookup_neigh_parms(), neigh_parms_alloc(): a device copies the table's, in whatever namespace it comes."""
    there = w.dummy("a")
    default = neighbour_parms.lookup(w.net, AF_INET, 0)
    assert default is not None
    default.put("locktime", 70, w.kernel.random)
    pod = w.kernel.new_net("pod")
    assert neighbour_parms.lookup(pod, AF_INET, 0) is None, "the default ones are the first namespace's"
    shown = [neighbour_parms.get(dev.net, AF_INET, "locktime", dev) for dev in (there, w.dummy("b"), pod.loopback)]
    assert shown == [100, 7, 7]


def test_a_link_is_told_anew_when_a_parameter_of_ipv6_changes(w: IpWorld) -> None:
    dev = w.dummy("a")
    before = dev.revision
    neighbour_parms.put(w.net, AF_INET6, "retrans_time_ms", 250)
    assert dev.revision != before and dev.inet6.neighbour_parms.values["retrans_time"] == 250
    w.add6("2001:db8::1/64", dev=dev)
    neighbour_parms.put(w.net, AF_INET6, "retrans_time_ms", 500)
    assert dev.inet6.neighbour_parms.values["retrans_time"] == 250, "it has an address, and parameters of its own"


def test_a_queue_is_shown_in_bytes_and_in_packets(w: IpWorld) -> None:
    dev = w.dummy("a")
    neighbour_parms.put(w.net, AF_INET, "unres_qlen", 3, dev)
    assert neighbour_parms.get(w.net, AF_INET, "unres_qlen_bytes", dev) == 3 * neighbour_parms.TRUESIZE


def test_what_is_only_kept_is_kept_where_it_was_written(w: IpWorld) -> None:
    known = settings(DISTRIBUTION_7_2)
    pod = w.kernel.new_net("pod")
    known["core/somaxconn"].write(w.net, "500\n")
    assert (known["core/somaxconn"].read(w.net), known["core/somaxconn"].read(pod)) == ("500", "4096")
    known["core/rmem_max"].write(w.net, "0x1000")
    assert known["core/rmem_max"].read(pod) == "4096", "it is the machine's"
    assert known["core/rmem_max"].is_written_in(w.net) and not known["core/rmem_max"].is_written_in(pod)
    assert known["core/netdev_budget"].is_in(w.net) and not known["core/netdev_budget"].is_in(pod)
    known["ipv4/tcp_rmem"].write(pod, "4097 5000")
    assert known["ipv4/tcp_rmem"].read(pod) == "4097\t5000\t7914528"
    known["ipv4/tcp_congestion_control"].write(pod, "reno\n")
    assert known["ipv4/tcp_congestion_control"].read(pod) == "reno"
    for text in ("x", "", "1 x", "1 2 3 4"):
        with pytest.raises(ValueError):
            known["ipv4/tcp_rmem"].write(pod, text)


def test_a_narrow_kernel_has_fewer() -> None:
    assert settings(DISTRIBUTION_7_2).keys() - settings(RECORDED_7_2).keys() >= {
        "netfilter/nf_conntrack_max", "mpls/default_ttl", "vrf/strict_mode", "mptcp/enabled",
    }


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("core/somaxconn", ["0", "2147483647"], ["-1", "2147483648"]),
        ("core/rmem_default", ["2304"], ["2303"]),
        ("ipv4/ip_default_ttl", ["1", "255"], ["0", "256"]),
        ("ipv4/tcp_syncookies", ["255"], ["256", "-1"]),
        ("ipv4/tcp_rmem", ["4096 4096 4096", "5000"], ["4095", "4096 1 4096"]),
        ("ipv4/tcp_fin_timeout", ["-1", "2147483"], ["2147484"]),
        ("ipv4/tcp_notsent_lowat", ["4294967295"], ["4294967296", "-1"]),
        ("ipv4/ipfrag_high_thresh", ["3145728", "5000000"], ["3145727"]),
        ("ipv6/ip6frag_low_thresh", ["0", "4194304"], ["4194305"]),
        ("ipv6/fib_multipath_hash_policy", ["3"], ["4"]),
    ],
)
def test_what_a_setting_takes(w: IpWorld, name: str, taken: list[str], refused: list[str]) -> None:
    setting: Setting = settings(w.kernel.build)[name]
    for text in taken:
        setting.write(w.net, text)
        assert setting.read(w.net).split()[0] == text.split()[0]
    now = setting.read(w.net)
    for text in refused:
        with pytest.raises(ValueError):
            setting.write(w.net, text)
        assert setting.read(w.net) == now


def test_limits_are_of_settings_that_there_are_and_let_in_what_is_there(w: IpWorld) -> None:
    there = settings(w.kernel.build)
    assert limits().keys() <= there.keys()
    for name, (least, most) in limits().items():
        assert all(least <= int(word) <= most for word in there[name].value.split()), name
