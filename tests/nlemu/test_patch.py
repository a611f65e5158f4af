"""`nlemu.patch()`: programs of this process that open sockets themselves, and what is left of it afterwards."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import socket
import struct

import pytest
import trio
from pyroute2 import NDB, AsyncIPRoute, Ethtool, IPRoute

import nlemu

GET_LO = struct.pack("=IHHII", 32, 18, 1, 1, 0) + struct.pack("=BxHiII", 0, 0, 1, 0, 0)
SIOCETHTOOL = 0x8946


def what_is_there() -> list[object]:
    return [dict(vars(socket.socket)), fcntl.ioctl, socket.if_nameindex, socket.if_nametoindex, socket.if_indextoname]


def test_pyroute2_works_as_it_is() -> None:
    with nlemu.patch() as kernel:
        kernel.do(nic_new="0000:08:00.0", profile="mlx5_core", name="eth0")
        with IPRoute() as ip:
            ip.link("add", ifname="red", kind="dummy")
            assert [link.get("ifname") for link in ip.get_links()] == ["lo", "eth0", "red"]

        async def names() -> list[str]:
            async with AsyncIPRoute() as ip:
                return [link.get("ifname") async for link in await ip.get_links()]

        assert asyncio.run(names()) == ["lo", "eth0", "red"]
        with Ethtool() as ethtool:
            assert ethtool.get_link_mode("eth0").duplex == "Unknown"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_its_database_too() -> None:
    """NDB leaves transports unclosed, on a kernel as here; they are collected before the test ends."""
    with nlemu.patch() as kernel:
        with NDB() as ndb:
            ndb.interfaces.create(ifname="blue", kind="dummy").commit()
        assert [link["ifname"] for link in kernel.family("rt-link").dump("getlink")] == ["lo", "blue"]
    del ndb
    gc.collect()


def test_everything_is_put_back() -> None:
    before = what_is_there()
    with nlemu.patch() as kernel:
        inner = what_is_there()
        assert inner != before
        with nlemu.patch(kernel, netns="pod"):
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
                sock.bind((0, 0))
            assert socket.if_nameindex() == [(1, "lo")]
        assert what_is_there() == inner
    assert what_is_there() == before
    with pytest.raises(ZeroDivisionError), nlemu.patch():
        raise ZeroDivisionError
    assert what_is_there() == before


def test_plain_sockets_and_what_is_derived_from_them() -> None:
    class Derived(socket.socket):
        pass

    with nlemu.patch():
        for kind in (socket.socket, Derived):
            with kind(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
                assert (sock.family, sock.type, sock.proto) == (socket.AF_NETLINK, socket.SOCK_RAW, 0)
                sock.send(GET_LO)
                assert sock.recvfrom(65536)[1] == (0, 0)
                with socket.socket(fileno=socket.dup(sock.fileno())) as twin:
                    assert twin.family == socket.AF_NETLINK
                    assert twin.getsockname() == sock.getsockname()
        with socket.socket() as ordinary:
            assert ordinary.family == socket.AF_INET
            ordinary.bind(("127.0.0.1", 0))
            assert ordinary.getsockname()[0] == "127.0.0.1"


def test_interfaces_by_the_socket_module() -> None:
    with nlemu.patch() as kernel:
        kernel.family("rt-link").do("newlink", {"ifname": "d0", "linkinfo": {"kind": "dummy"}}, nlemu.NLM_F.CREATE)
        assert socket.if_nameindex() == [(1, "lo"), (2, "d0")]
        assert (socket.if_nametoindex("d0"), socket.if_indextoname(1)) == (2, "lo")
        for ask in (lambda: socket.if_nametoindex("d1"), lambda: socket.if_indextoname(9)):
            with pytest.raises(OSError):
                ask()


def test_ioctls_do_not_reach_the_machine() -> None:
    with nlemu.patch(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        with pytest.raises(OSError, match="Operation not supported"):
            fcntl.ioctl(sock, SIOCETHTOOL, bytes(40))
        assert fcntl.ioctl(sock, 0x541B, bytes(4)) == bytes(4), "FIONREAD is not about interfaces"


async def test_trio_takes_such_a_socket() -> None:
    with nlemu.patch():
        ours = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        with trio.socket.from_stdlib_socket(ours) as sock:
            await sock.send(GET_LO)
            assert struct.unpack_from("=IH", await sock.recv(65536))[1] == 16


@nlemu.patch(netns="pod")
def decorated() -> list[tuple[int, str]]:
    return socket.if_nameindex()


def test_as_a_decorator_each_call_has_a_kernel_of_its_own() -> None:
    assert decorated() == decorated() == [(1, "lo")]


def test_options_are_for_a_kernel_that_is_made_here() -> None:
    with nlemu.Kernel() as kernel, pytest.raises(TypeError, match="seed"):
        nlemu.patch(kernel, seed=1)
