"""pyroute2 in its own process: `use_socket` with a stand-in, against the daemon's sockets."""

from __future__ import annotations

import asyncio
import errno
import os
import pathlib
import socket
from collections.abc import Callable

import pytest
from pyroute2 import AsyncIPRoute, GenericNetlinkSocket, IPRoute, NetlinkError
from pyroute2.netlink import NLM_F_DUMP, NLM_F_REQUEST, genlmsg, rtnl

from nlemu.emulator.client.control import Control
from nlemu.emulator.client.stand_in import StandIn, netlink_socket

ROUTE, GENERIC = 0, 16
Open = Callable[..., StandIn]


@pytest.fixture
def sock(daemon: pathlib.Path) -> Open:
    """Makes a socket for `use_socket`: its protocol, and its namespace."""

    def make(protocol: int, netns: str = "init") -> StandIn:
        return netlink_socket(daemon, netns)(socket.AF_NETLINK, socket.SOCK_DGRAM, protocol)

    return make


def names(ip: IPRoute) -> list[str]:
    return [link.get("ifname") for link in ip.get_links()]


def test_links(sock: Open) -> None:
    with IPRoute(use_socket=sock(ROUTE)) as ip:
        ip.link("add", ifname="v0", kind="veth", peer="v1")
        (index,) = ip.link_lookup(ifname="v0")
        ip.link("set", index=index, state="up", mtu=1400, ifalias="here")
        (link,) = ip.link("get", index=index)
        assert (link.get("state"), link.get("mtu"), link.get("ifalias")) == ("up", 1400, "here")
        assert link.get(("linkinfo", "kind")) == "veth"
        assert names(ip) == ["lo", "v1", "v0"]
        ip.link("del", index=index)
        assert names(ip) == ["lo"]


def test_addresses_and_routes(sock: Open) -> None:
    with IPRoute(use_socket=sock(ROUTE)) as ip:
        ip.link("add", ifname="d0", kind="dummy", state="up")
        (index,) = ip.link_lookup(ifname="d0")
        ip.addr("add", index=index, address="192.0.2.1", prefixlen=24)
        assert [address.get("address") for address in ip.get_addr(family=socket.AF_INET)] == ["192.0.2.1"]
        ip.route("add", dst="198.51.100.0/24", gateway="192.0.2.254")
        (route,) = ip.get_routes(dst="198.51.100.0/24", table=254)
        assert (route.get("gateway"), route.get("oif")) == ("192.0.2.254", index)
        ip.flush_addr(index=index)
        assert not list(ip.get_addr(family=socket.AF_INET))


def test_it_says_what_the_kernel_says(sock: Open) -> None:
    with IPRoute(use_socket=sock(ROUTE)) as ip:
        with pytest.raises(NetlinkError) as refused:
            ip.link("set", index=99, state="up")
        assert refused.value.code == errno.ENODEV
        ip.link("add", ifname="d0", kind="dummy")
        with pytest.raises(NetlinkError) as refused:
            ip.link("add", ifname="d0", kind="dummy")
        assert refused.value.code == errno.EEXIST


def test_it_listens(sock: Open) -> None:
    with IPRoute(use_socket=sock(ROUTE)) as ip, IPRoute(use_socket=sock(ROUTE)) as other:
        ip.bind()
        port, groups = ip.asyncore.getsockname()
        assert port & 0x3FFFFF == os.getpid() and port != os.getpid(), "pyroute2 chooses its port"
        assert groups & rtnl.RTMGRP_LINK
        other.link("add", ifname="d0", kind="dummy")
        (news,) = ip.get()
        assert (news["event"], news.get("ifname")) == ("RTM_NEWLINK", "d0")
        assert "d0" in names(ip), "and asks on the same socket"


def test_namespaces_are_apart(sock: Open, daemon: pathlib.Path) -> None:
    with Control(daemon) as control:
        control.do(netns="pod")
    with IPRoute(use_socket=sock(ROUTE)) as host, IPRoute(use_socket=sock(ROUTE, "pod")) as pod:
        pod.link("add", ifname="p0", kind="dummy")
        assert (names(host), names(pod)) == (["lo"], ["lo", "p0"])


def test_without_waiting(sock: Open) -> None:
    async def work() -> list[str]:
        async with AsyncIPRoute(use_socket=sock(ROUTE)) as ip:
            await ip.link("add", ifname="d0", kind="dummy")
            return [link.get("ifname") async for link in await ip.get_links()]

    assert asyncio.run(work()) == ["lo", "d0"]


class Device(genlmsg):  # type: ignore[misc]
    prefix = "NETDEV_A_DEV_"
    nla_map = (
        ("NETDEV_A_DEV_UNSPEC", "none"),
        ("NETDEV_A_DEV_IFINDEX", "uint32"),
        ("NETDEV_A_DEV_PAD", "hex"),
        ("NETDEV_A_DEV_XDP_FEATURES", "uint64"),
    )


def test_generic_netlink(sock: Open, daemon: pathlib.Path) -> None:
    with Control(daemon) as control, GenericNetlinkSocket(use_socket=sock(GENERIC)) as netdev:
        netdev.bind("netdev", Device)
        assert set(netdev.mcast_groups) == {"mgmt", "page-pool"}
        assert {policy.get_attr("CTRL_ATTR_FAMILY_ID") for policy in netdev.policy("netdev")} == {netdev.prid}
        netdev.add_membership("mgmt")
        control.do(nsim_new=[1, 1, 1])
        (news,) = netdev.get()
        assert (news["cmd"], news.get("ifindex")) == (2, 2), "NETDEV_CMD_DEV_ADD_NTF"
        request = Device()
        request["cmd"], request["version"] = 1, 1
        found = netdev.nlm_request(request, msg_type=netdev.prid, msg_flags=NLM_F_REQUEST | NLM_F_DUMP)
        assert [device.get("ifindex") for device in found] == [1, 2]


def test_an_unknown_family(sock: Open) -> None:
    with GenericNetlinkSocket(use_socket=sock(GENERIC)) as nothing:
        with pytest.raises(NetlinkError) as refused:
            nothing.bind("nothing", genlmsg)
        assert refused.value.code == errno.ENOENT
