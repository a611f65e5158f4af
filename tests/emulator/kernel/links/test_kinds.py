"""Kinds of links: what they take and what they refuse, beyond the recorded links."""

from __future__ import annotations

from errno import EACCES, EADDRNOTAVAIL, EINVAL, EOPNOTSUPP, EPERM

import pytest

from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.features import GRO, update_features
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.states import AddressAssignment, NetmemTx
from nlemu.emulator.kernel.ethtool.settings import Channels
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.emulator.kernel.links.netkit import FIXED, NetkitParams
from nlemu.emulator.kernel.links.netkit import KIND as NETKIT
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.emulator.kernel.links.veth import VethParams
from nlemu.emulator.kernel.queues import lease
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netdev import XdpAct
from tests.emulator.kernel.notifications import Notifications

L2, SINGLE = 0, 1
DROP = 2
MAC = bytes((2, 0, 0, 0, 0, 1))


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


def netkit(kernel: Kernel, name: str = "a", rx: int | None = None, **data: object) -> Device:
    params = LinkParams(name=name, num_rx_queues=rx, data=NetkitParams(**data))  # type: ignore[arg-type]
    return links.new_link(kernel.init_net, NETKIT, params)


def peer_of(dev: Device) -> Device:
    peer = dev.ops.get_peer(dev)
    assert peer is not None
    return peer


def refused(verb: object, *args: object, **kwargs: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    return caught.value


def count(kernel: Kernel) -> int:
    return len(kernel.init_net)


class TestNetkit:
    def test_addresses_need_layer_2(self, kernel: Kernel) -> None:
        dev = netkit(kernel)
        assert dev.address == bytes(6) and dev.addr_assign_type == AddressAssignment.PERM
        assert refused(dev.ops.set_mac, dev, MAC).errno == EOPNOTSUPP
        layer2 = netkit(kernel, "b", mode=L2)
        assert layer2.addr_assign_type == AddressAssignment.RANDOM and layer2.address[0] & 3 == 2
        assert layer2.address != peer_of(layer2).address
        params = LinkParams(name="c", address=MAC)
        assert refused(links.new_link, kernel.init_net, NETKIT, params).errno == EOPNOTSUPP
        assert refused(netkit, kernel, "c", peer_info=LinkParams(address=MAC)).errno == EOPNOTSUPP

    def test_single_devices_take_nothing_of_a_pair(self, kernel: Kernel) -> None:
        pair = {"peer_info": LinkParams(), "scrub": 1, "peer_scrub": 1, "peer_policy": 0, "policy": DROP}
        for data in ({name: value} for name, value in pair.items()):
            assert refused(netkit, kernel, pairing=SINGLE, **data).errno == EOPNOTSUPP
        assert count(kernel) == 1
        assert netkit(kernel, pairing=SINGLE, policy=0).iflink == 0

    def test_policies(self, kernel: Kernel) -> None:
        refusal = refused(netkit, kernel, policy=1)
        assert (refusal.errno, refusal.at) == (EINVAL, "policy")
        assert refusal.text == "Provided default xmit policy not supported"
        assert refused(netkit, kernel, peer_policy=7).at == "peer_policy"
        dev = netkit(kernel, policy=DROP)
        assert (dev.priv.policy, peer_of(dev).priv.policy) == (DROP, 0)

    def test_changing(self, kernel: Kernel) -> None:
        dev = netkit(kernel)
        peer = peer_of(dev)
        revisions = dev.revision, peer.revision
        NETKIT.change_link(dev, NetkitParams(policy=DROP))
        assert dev.revision > revisions[0] and peer.revision > revisions[1]
        NETKIT.change_link(dev, NetkitParams(peer_policy=DROP))
        assert (dev.priv.policy, peer.priv.policy) == (DROP, DROP)
        refusal = refused(NETKIT.change_link, peer, NetkitParams(policy=0))
        assert refusal.errno == EACCES
        assert refusal.text == "netkit link settings can be changed only through the primary device"
        assert refused(NETKIT.change_link, dev, NetkitParams(policy=5)).errno == EINVAL
        for name, words in FIXED:
            refusal = refused(NETKIT.change_link, dev, NetkitParams(**{name: 0}))  # type: ignore[arg-type]
            assert (refusal.errno, refusal.at) == (EACCES, name)
            assert refusal.text == f"netkit link {words} cannot be changed after device creation"

    def test_a_bad_peer_leaves_nothing_behind(self, kernel: Kernel) -> None:
        assert refused(netkit, kernel, peer_info=LinkParams(name="lo")).errno != 0
        assert refused(netkit, kernel, "lo").errno != 0
        assert count(kernel) == 1

    def test_room(self, kernel: Kernel) -> None:
        dev = netkit(kernel, headroom=20, tailroom=10)
        for end in (dev, peer_of(dev)):
            assert (end.needed_headroom, end.needed_tailroom) == (20, 10)

    def test_queues(self, kernel: Kernel) -> None:
        assert refused(netkit, kernel, rx=1025).errno == EOPNOTSUPP
        assert refused(netkit, kernel, rx=0).text == "Invalid number of receive queues"
        kernel.netdevsim_bus.new_device(1, 1, 4)
        dev = netkit(kernel, rx=2)
        peer = peer_of(dev)
        assert (peer.num_rx_queues, peer.real_num_rx_queues) == (2, 1)
        refusal = refused(lease.create_queue, kernel.init_net, dev.ifindex, 2, 0)
        assert refusal.text == "netkit can only lease against the peer device"
        assert lease.create_queue(kernel.init_net, peer.ifindex, 2, 0) == 1
        refusal = refused(lease.create_queue, kernel.init_net, peer.ifindex, 2, 1)
        assert (refusal.errno, refusal.text) == (EINVAL, "netkit maximum queue limit reached")
        links.delete_link(dev)
        eth0 = kernel.init_net.device(2)
        assert eth0 is not None and eth0.rx[0].lease is None

    def test_a_wanted_index(self, kernel: Kernel) -> None:
        data = NetkitParams(peer_info=LinkParams(ifindex=30))
        dev = links.new_link(kernel.init_net, NETKIT, LinkParams(ifindex=20, data=data))
        assert (dev.ifindex, peer_of(dev).ifindex) == (20, 30)
        # Without an index for the device the peer's is not looked at.
        other = links.new_link(kernel.init_net, NETKIT, LinkParams(data=data))
        assert (other.ifindex, peer_of(other).ifindex) == (3, 2)

    def test_netmem(self, kernel: Kernel) -> None:
        assert netkit(kernel).netmem_tx == NetmemTx.NO_DMA

    def test_a_lessee_in_another_list_goes_once(self, kernel: Kernel) -> None:
        kernel.announcer = notifications = Notifications()
        kernel.netdevsim_bus.new_device(1, 1, 4)
        dev = netkit(kernel, rx=4, pairing=SINGLE)
        for queue in (1, 2):
            lease.create_queue(kernel.init_net, dev.ifindex, 2, queue)
        notifications.taken(kernel.init_net)
        kernel.netdevsim_bus.del_device(1)
        assert [item["name"] for item in notifications.taken(kernel.init_net) if item["what"] == "del"] == ["a", "eth0"]


class TestVeth:
    def test_queues(self, kernel: Kernel) -> None:
        dev = links.new_link(kernel.init_net, VETH, LinkParams())
        assert (dev.num_rx_queues, dev.num_tx_queues) == (2, 2)
        assert (dev.real_num_rx_queues, dev.real_num_tx_queues) == (1, 1)
        assert dev.xdp_features == XdpAct.BASIC | XdpAct.REDIRECT | XdpAct.RX_SG
        peer = LinkParams(num_rx_queues=8)
        dev = links.new_link(kernel.init_net, VETH, LinkParams(num_tx_queues=5, data=VethParams(peer)))
        # Whether a peer uses all of its queues is decided by what was said of the first end.
        assert (dev.real_num_tx_queues, dev.real_num_rx_queues) == (5, 1)
        assert (peer_of(dev).real_num_tx_queues, peer_of(dev).real_num_rx_queues) == (2, 1)
        assert peer_of(dev).xdp_features == 0

    def test_channels(self, kernel: Kernel) -> None:
        dev = links.new_link(kernel.init_net, VETH, LinkParams())
        peer = peer_of(dev)
        for end in (dev, peer):
            flags.open_device(end)
        downs = dev.carrier_down_count
        dev.ops.set_channels(dev, Channels(rx_count=1, tx_count=2))
        assert dev.ops.get_channels(dev) == Channels(rx_max=2, tx_max=2, rx_count=1, tx_count=2)
        assert dev.carrier and dev.carrier_down_count == downs + 1
        assert peer.xdp_features == 0
        assert refused(dev.ops.set_channels, dev, Channels(rx_count=0, tx_count=1)).errno == EINVAL

    def test_gro_polls(self, kernel: Kernel) -> None:
        dev = links.new_link(kernel.init_net, VETH, LinkParams())
        peer = peer_of(dev)
        dev.wanted_features |= GRO
        update_features(dev)
        assert dev.napi_list == []
        flags.open_device(dev)
        assert len(dev.napi_list) == 1 and peer.xdp_features & XdpAct.NDO_XMIT
        dev.ops.set_channels(dev, Channels(rx_count=2, tx_count=1))
        assert len(dev.napi_list) == 2
        assert dev.page_pools == []
        flags.close_device(dev)
        assert dev.napi_list == []
        flags.open_device(dev)
        dev.wanted_features &= ~GRO
        update_features(dev)
        assert dev.napi_list == [] and not peer.xdp_features & XdpAct.NDO_XMIT

    def test_names(self, kernel: Kernel) -> None:
        dev = links.new_link(kernel.init_net, VETH, LinkParams())
        assert (dev.name, peer_of(dev).name) == ("veth1", "veth0")

    def test_addresses(self, kernel: Kernel) -> None:
        dev = links.new_link(kernel.init_net, VETH, LinkParams(address=MAC))
        assert dev.address == MAC and dev.addr_assign_type == AddressAssignment.SET
        assert peer_of(dev).addr_assign_type == AddressAssignment.RANDOM

    def test_mtu(self, kernel: Kernel) -> None:
        assert refused(VETH.validate, LinkParams(mtu=67)).errno == EINVAL
        VETH.validate(LinkParams(mtu=68))


def test_dummy_needs_a_proper_address() -> None:
    assert refused(DUMMY.validate, LinkParams(address=b"\1" * 6)).errno == EADDRNOTAVAIL
    assert refused(DUMMY.validate, LinkParams(address=MAC + b"\0")).errno == EINVAL
    DUMMY.validate(LinkParams(address=MAC))


def test_sizes_of_a_new_link(kernel: Kernel) -> None:
    def new(**params: int) -> Device:
        return links.new_link(kernel.init_net, VETH, LinkParams(**params))  # type: ignore[arg-type]

    dev = new(gso_max_size=1000, gro_max_size=100000, txqlen=7, group=9, link_mode=1)
    assert (dev.gso_max_size, dev.gso_ipv4_max_size) == (1000, 1000)
    assert (dev.gro_max_size, dev.gro_ipv4_max_size) == (100000, 65536)
    assert (dev.txqlen, dev.group, dev.link_mode) == (7, 9, 1)
    assert refused(new, gso_max_size=600000).text == "too big gso_max_size"
    assert refused(new, gso_max_segs=65536).text == "too big gso_max_segs"
    assert refused(new, gro_ipv4_max_size=600000).text == "too big gro_ipv4_max_size"
    assert refused(new, num_tx_queues=4097).text == "Invalid number of transmit queues"
    assert refused(new, mtu=70000).text == "mtu greater than device maximum"


def test_deleting_groups(kernel: Kernel) -> None:
    assert refused(links.delete_group, kernel.init_net, 0).errno == EPERM
    links.new_link(kernel.init_net, DUMMY, LinkParams(group=4))
    kernel.init_net.loopback.group = 4
    assert refused(links.delete_group, kernel.init_net, 4).errno == EOPNOTSUPP
    kernel.init_net.loopback.group = 0
    links.delete_group(kernel.init_net, 4)
    assert count(kernel) == 1


def test_origin_is_whoever_asked(kernel: Kernel) -> None:
    kernel.announcer = notifications = Notifications()
    dev = links.new_link(kernel.init_net, NETKIT, LinkParams(), origin="us")
    assert notifications.origins == [None, "us"]
    links.delete_link(dev, origin="them")
    assert notifications.origins[2:] == ["them", "them"]


def test_one_seed_one_machine() -> None:
    def addresses(seed: int) -> list[bytes]:
        kernel = Kernel(seed=seed)
        return [links.new_link(kernel.init_net, DUMMY, LinkParams()).address for _ in range(3)]

    assert addresses(1) == addresses(1) != addresses(2)
