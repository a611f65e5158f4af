"""Bonds: what the traces do not reach. Partners of LACP, watching by ARP, frames, and what cannot be undone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from errno import EACCES, EBUSY, EINVAL, ENODEV, ENOTEMPTY, EPERM

import pytest

from nlemu.emulator.kernel.bonding import active, lacp, options, slaves, spread
from nlemu.emulator.kernel.bonding.bond import BACK, DOWN, UP, Bond, Slave, slave_of
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import adjacency, flags, links, rename, settings
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.bond import KIND as BOND
from nlemu.emulator.kernel.links.bond import BondParams
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.ifb import KIND as IFB
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.emulator.kernel.links.vlan import KIND as VLAN
from nlemu.emulator.kernel.links.vlan import VlanParams
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_bonding import BondMode, LacpState

IN_STEP = int(LacpState.SYNCHRONIZATION | LacpState.COLLECTING | LacpState.DISTRIBUTING)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(build=DISTRIBUTION_7_2)


def bond(kernel: Kernel, mode: BondMode = BondMode.ROUNDROBIN, name: str = "bond", **said: int) -> Bond:
    params = BondParams(mode=mode, **said)  # type: ignore[arg-type]
    made: Bond = links.new_link(kernel.init_net, BOND, LinkParams(name=name, mtu=1200, data=params)).priv
    return made


def dummy(kernel: Kernel, name: str) -> Device:
    return links.new_link(kernel.init_net, DUMMY, LinkParams(name=name, mtu=1200))


def slave(made: Bond, name: str) -> Slave:
    dev = dummy(made.dev.kernel, name)
    slaves.enslave(made, dev)
    return made.members[dev]


def pair(kernel: Kernel, name: str) -> tuple[Device, Device]:
    one = links.new_link(kernel.init_net, VETH, LinkParams(name=name, mtu=1200))
    return one, one.priv.peer


def refused(errno: int, text: str | None = None) -> AbstractContextManager[pytest.ExceptionInfo[Refusal]]:
    return pytest.raises(
        Refusal, check=lambda refusal: refusal.errno == errno and (text is None or refusal.text == text)
    )


def lacp_pair(kernel: Kernel, links_: int) -> tuple[Bond, Bond]:
    """Two bonds at both ends of that many pairs, up."""
    one, other = (bond(kernel, BondMode.B8023AD, name, miimon=100, ad_lacp_rate=1) for name in ("one", "other"))
    for number in range(links_):
        near, far = pair(kernel, f"v{number}")
        slaves.enslave(one, near)
        slaves.enslave(other, far)
    for made in (one, other):
        flags.open_device(made.dev)
    return one, other


def test_partners_come_into_step(kernel: Kernel) -> None:
    one, other = lacp_pair(kernel, 2)
    kernel.work.advance(30)
    for made, partner in ((one, other), (other, one)):
        found = lacp.active_info(made)
        assert found is not None and len(found.ports) == 2
        assert found.partner_system == partner.dev.address
        assert all(port.actor_oper_state & IN_STEP == IN_STEP for port in found.ports)
        assert made.dev.carrier and made.usable is not None and len(made.usable) == 2


def test_a_partner_that_falls_silent_is_forgotten(kernel: Kernel) -> None:
    one, other = lacp_pair(kernel, 1)
    kernel.work.advance(30)
    (near,) = one.slaves
    assert near.active and near.ad.port.partner.system == other.dev.address
    flags.close_device(other.dev)
    kernel.work.advance(10)
    assert near.ad.port.partner.system == lacp.NO_SYSTEM
    assert near.ad.port.actor_oper_state & LacpState.DEFAULTED


def test_a_port_that_leaves_says_so(kernel: Kernel) -> None:
    one, other = lacp_pair(kernel, 2)
    kernel.work.advance(30)
    first = next(one.slaves)
    slaves.release(one, first.dev)
    kernel.work.advance(5)
    found = lacp.active_info(one)
    assert found is not None and [port.slave for port in found.ports] == list(one.slaves)
    assert len([port for port in lacp.aggregators(other) if port.ports]) == 2


def test_ports_of_an_aggregator_that_goes_get_another(kernel: Kernel) -> None:
    one, _ = lacp_pair(kernel, 3)
    kernel.work.advance(30)
    found = lacp.active_info(one)
    assert found is not None
    slaves.release(one, found.slave.dev)
    again = lacp.active_info(one)
    assert again is not None and again is not found and len(again.ports) == 2


def test_churn_is_found_after_a_minute(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.B8023AD)
    near, far = pair(kernel, "v")
    flags.open_device(far)
    slaves.enslave(made, near)
    flags.open_device(made.dev)
    kernel.work.advance(70)
    port = made.members[near].ad.port
    assert (port.churn_partner_state, port.churn_partner_count) == (1, 1)


def test_uncoupled_ports_collect_before_they_distribute(kernel: Kernel) -> None:
    one = bond(kernel, BondMode.B8023AD, "one", ad_lacp_rate=1, coupled_control=0)
    other = bond(kernel, BondMode.B8023AD, "other", ad_lacp_rate=1)
    near, far = pair(kernel, "v")
    slaves.enslave(one, near)
    slaves.enslave(other, far)
    for made in (one, other):
        flags.open_device(made.dev)
    kernel.work.advance(30)
    assert one.members[near].ad.port.actor_oper_state & IN_STEP == IN_STEP


@pytest.mark.parametrize(("policy", "best"), [(lacp.BANDWIDTH, 1), (lacp.COUNT, 1), (lacp.PRIO, 0)])
def test_the_aggregator_is_chosen_by_a_policy(kernel: Kernel, policy: int, best: int) -> None:
    made = bond(kernel, BondMode.B8023AD, ad_select=policy)
    for number in range(3):
        near, far = pair(kernel, f"v{number}")
        flags.open_device(far)
        slaves.enslave(made, near)
    one, two, three = (member.ad for member in made.slaves)
    one.aggregator.ports, two.aggregator.ports = [one.port], [two.port, three.port]
    one.port.actor_priority = 1000
    lacp.select(made)
    assert [one.aggregator.is_active, two.aggregator.is_active].index(True) == best


# Watching


def test_without_an_active_slave_a_link_is_believed_at_once(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.ACTIVEBACKUP, miimon=100, updelay=5000)
    one = slave(made, "a")
    assert (one.link, made.curr_active) == (BACK, None)
    flags.open_device(made.dev)
    kernel.work.advance(0.3)
    assert (one.link, made.curr_active) == (UP, one)
    settings.change_carrier(one.dev, False)
    kernel.work.advance(0.3)
    assert (one.link, made.curr_active) == (DOWN, None)
    settings.change_carrier(one.dev, True)
    kernel.work.advance(0.3)
    assert (one.link, made.curr_active) == (UP, one)
    two = slave(made, "b")
    kernel.work.advance(1)
    assert two.link == BACK
    kernel.work.advance(5)
    assert two.link == UP


def test_silence_takes_links_down(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.ACTIVEBACKUP, arp_interval=100)
    one, two = slave(made, "a"), slave(made, "b")
    flags.open_device(made.dev)
    kernel.work.advance(3)
    assert made.curr_active is None and not made.dev.carrier
    assert one.link_failure_count and two.link_failure_count
    assert made.current_arp in (one, two)


def test_silence_takes_links_down_that_share(kernel: Kernel) -> None:
    made = bond(kernel, arp_interval=100)
    one = slave(made, "a")
    flags.open_device(made.dev)
    kernel.work.advance(3)
    assert (one.link, one.active, made.dev.carrier) == (DOWN, False, False)


# Frames


def test_frames_go_round(kernel: Kernel) -> None:
    made = bond(kernel)
    one, two = slave(made, "a"), slave(made, "b")
    flags.open_device(made.dev)
    kernel.work.settle()
    for _ in range(4):
        spread.transmit(made, 100)
    assert (one.dev.stats.tx_packets, two.dev.stats.tx_packets) == (2, 2)
    assert made.dev.stats.tx_packets == 4


@pytest.mark.parametrize(
    ("mode", "sent"),
    [(BondMode.ACTIVEBACKUP, (1, 0)), (BondMode.BROADCAST, (1, 1)), (BondMode.XOR, (1, 0)), (BondMode.TLB, (1, 0))],
)
def test_a_frame_goes_by_the_mode(kernel: Kernel, mode: BondMode, sent: tuple[int, int]) -> None:
    made = bond(kernel, mode)
    one, two = slave(made, "a"), slave(made, "b")
    if mode == BondMode.TLB:  # which wants to know how fast a link is
        one.link = UP
        active.select(made)
    flags.open_device(made.dev)
    kernel.work.settle()
    before = one.dev.stats.tx_packets, two.dev.stats.tx_packets
    spread.transmit(made, 100)
    after = one.dev.stats.tx_packets, two.dev.stats.tx_packets
    assert (after[0] - before[0], after[1] - before[1]) == sent


def test_a_bond_without_slaves_drops(kernel: Kernel) -> None:
    made = bond(kernel)
    assert spread.transmit(made, 100) == (Xmit.DROP, None)
    assert made.dev.stats.tx_dropped == 1


def test_what_comes_to_a_slave_is_the_bonds(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.ACTIVEBACKUP)
    one, two = slave(made, "a"), slave(made, "b")
    assert spread.arrive(one.dev, 60, b"") is made.dev
    assert spread.arrive(two.dev, 60, b"") is None
    options.set_number(made, "all_slaves_active", 1)
    assert spread.arrive(two.dev, 60, b"") is made.dev
    assert spread.arrive(made.dev, 60, b"") is made.dev


def test_a_bond_keeps_what_was_counted(kernel: Kernel) -> None:
    made = bond(kernel)
    one = slave(made, "a")
    one.dev.stats.received(60)
    assert made.dev.stats.rx_packets == 1
    slaves.release(made, one.dev)
    one.dev.stats.received(60)
    assert made.dev.stats.rx_packets == 1


# Options


@pytest.mark.parametrize(
    ("name", "text", "errno"),
    [
        ("mode", "bogus", EINVAL), ("mode", "7", EINVAL), ("slaves", "a", EPERM), ("slaves", "+nobody", ENODEV),
        ("slaves", "+", EPERM), ("arp_ip_target", "+1.2.3", EPERM), ("arp_ip_target", "1.2.3.4", EPERM),
        ("arp_ip_target", "-1.2.3.4", EINVAL), ("queue_id", "a", EPERM), ("queue_id", "nobody:1", EPERM),
        ("primary", "a", EACCES), ("ad_actor_system", "02:00:00:00:00:01", EACCES), ("use_carrier", "0", EINVAL),
        ("updelay", "100", EPERM), ("num_grat_arp", "256", EINVAL), ("lp_interval", "0", EINVAL),
    ],
)
def test_texts_that_are_no_options(kernel: Kernel, name: str, text: str, errno: int) -> None:
    with refused(errno):
        options.set_text(bond(kernel), name, f"{text}\n")


def test_options_by_text(kernel: Kernel) -> None:
    told: list[NetdevEvent] = []
    made = bond(kernel)
    kernel.register_notifier(Stage.MPLS, lambda event, dev, info: told.append(event), {NetdevEvent.CHANGEINFODATA})
    for name, text in (
        ("mode", "802.3ad"), ("lacp_rate", "fast"), ("resend_igmp", "default"), ("min_links", "maxval"),
        ("ad_actor_system", "02:00:00:00:00:07"), ("arp_ip_target", "+10.0.0.1"), ("arp_ip_target", "-10.0.0.1"),
    ):
        options.set_text(made, name, f"{text}\n")
    params = made.params
    assert (params.mode, params.lacp_rate, params.resend_igmp, params.min_links) == (4, 1, 1, 0x7FFFFFFF)
    assert params.ad_actor_system == b"\2\0\0\0\0\7" and params.arp_targets == []
    assert len(told) == 7
    with refused(EINVAL):
        options.set_text(made, "ad_actor_system", "01:00:00:00:00:07\n")
    with refused(EINVAL):
        options.set_text(made, "ad_actor_system", "2:0:0:0:0:7\n")


def test_slaves_by_text(kernel: Kernel) -> None:
    made = bond(kernel)
    dev = dummy(kernel, "a")
    options.set_text(made, "slaves", "+a\n")
    assert [one.dev for one in made.slaves] == [dev]
    options.set_text(made, "queue_id", "a:3\n")
    assert made.members[dev].queue_id == 3
    with refused(ENOTEMPTY):
        options.set_text(made, "mode", "balance-xor\n")
    options.set_text(made, "slaves", "-a\n")
    assert dev.master is None
    flags.open_device(made.dev)
    with refused(EBUSY):
        options.set_text(made, "mode", "balance-xor\n")


# Slaves


def test_a_primary_slave_is_known_by_its_name(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.ACTIVEBACKUP)
    one, two = slave(made, "a"), slave(made, "b")
    options.set_raw(made, "primary", "b")
    assert made.curr_active is two
    flags.close_device(two.dev)
    rename.change_name(two.dev, "c")
    assert made.primary is None
    flags.close_device(one.dev)
    rename.change_name(one.dev, "b")
    assert made.primary is one


def test_a_slave_that_is_preferred_before_it_comes(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.ACTIVEBACKUP)
    slave(made, "a")
    options.set_raw(made, "primary", "b")
    assert made.primary is None and made.params.primary == "b"
    assert made.curr_active is not slave(made, "b") or made.curr_active is made.primary
    assert made.primary is made.curr_active


def test_a_device_without_an_address_to_change(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.ACTIVEBACKUP)
    dev = links.new_link(kernel.init_net, IFB, LinkParams(name="i", mtu=1200))
    slaves.enslave(made, dev)
    assert made.params.fail_over_mac == active.FOM_ACTIVE and made.dev.address == dev.address
    other = bond(kernel, BondMode.ACTIVEBACKUP, "other")
    slave(other, "a")
    with refused(95, "Slave device does not support setting the MAC address, but fail_over_mac is not set to active"):
        slaves.enslave(other, links.new_link(kernel.init_net, IFB, LinkParams(name="j", mtu=1200)))


def test_a_slave_that_does_not_come_up_is_given_back(kernel: Kernel) -> None:
    made = bond(kernel)
    dev = dummy(kernel, "a")
    address, mtu = dev.address, dev.mtu

    def veto(event: NetdevEvent, about: Device, info: Info) -> None:
        if about is dev:
            raise Refusal(EBUSY)

    kernel.register_notifier(Stage.MPLS, veto, {NetdevEvent.PRE_UP})
    with refused(EBUSY):
        slaves.enslave(made, dev)
    assert (dev.address, dev.mtu, dev.master, dev.no_addrconf) == (address, mtu, None, False)
    assert made.dev.address != address  # which it had from it


def test_a_slave_that_is_refused_above_is_given_back(kernel: Kernel) -> None:
    made = bond(kernel, BondMode.ACTIVEBACKUP)
    dev = dummy(kernel, "a")

    def veto(event: NetdevEvent, about: Device, info: Info) -> None:
        raise Refusal(EBUSY)

    kernel.register_notifier(Stage.MPLS, veto, {NetdevEvent.PRECHANGEUPPER})
    with refused(EBUSY):
        slaves.enslave(made, dev)
    assert (dev.up, dev.master, slave_of(dev), made.has_slaves) == (False, None, None, False)


def test_an_mtu_that_a_slave_refuses_is_undone(kernel: Kernel) -> None:
    made = bond(kernel)
    one = slave(made, "a")
    two, _ = pair(kernel, "v")
    slaves.enslave(made, two)
    two.max_mtu = 1200
    with refused(EINVAL):
        settings.set_mtu(made.dev, 1250)
    assert (made.dev.mtu, one.dev.mtu, two.mtu) == (1200, 1200, 1200)


def test_a_vlan_goes_with_its_bond(kernel: Kernel) -> None:
    made = bond(kernel)
    one = slave(made, "a")
    vlan = links.new_link(
        kernel.init_net, VLAN,
        LinkParams(name="v.5", link=made.dev.ifindex, link_net=kernel.init_net, data=VlanParams(id=5)),
    )
    assert vlan.mtu == 1200
    links.delete_link(made.dev)
    assert kernel.init_net.by_name("v.5") is None and one.dev.master is None and not one.dev.up


def test_the_speed_of_a_bond_is_that_of_its_slaves(kernel: Kernel) -> None:
    made = bond(kernel)
    assert made.dev.ops.get_link_ksettings(made.dev).speed == -1
    for number in range(2):
        near, far = pair(kernel, f"v{number}")
        flags.open_device(far)
        slaves.enslave(made, near)
    assert made.dev.ops.get_link_ksettings(made.dev).speed == 20000
    adjacency.set_master(near, 0)
    assert made.dev.ops.get_link_ksettings(made.dev).speed == 10000
