"""The stand-in for `socket.socket`: names, options and ancillary data as netlink has them."""

from __future__ import annotations

import array
import errno
import os
import pathlib
import socket
import struct
from collections.abc import Iterator

import pytest

from nlemu.emulator.client.control import Control
from nlemu.emulator.client.stand_in import StandIn, netlink_socket
from nlemu.emulator.daemon.background import daemon
from nlemu.protocol.uapi.netlink import NetlinkOpt
from nlemu.protocol.uapi.socket import SOL_NETLINK
from tests.emulator.daemon.edge import (
    MGMT,
    NETDEV,
    PATIENCE,
    errno_of,
    getfamily,
    message,
    newlink,
    port_of,
    type_of,
)

LINK = 1
"""RTNLGRP_LINK"""


@pytest.fixture
def place() -> Iterator[pathlib.Path]:
    with daemon() as directory:
        yield directory


@pytest.fixture
def control(place: pathlib.Path) -> Iterator[Control]:
    with Control(place) as control:
        yield control


def route(place: pathlib.Path, netns: str = "init") -> StandIn:
    sock = netlink_socket(place, netns)(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    sock.settimeout(PATIENCE)
    return sock


def generic(place: pathlib.Path) -> StandIn:
    sock = netlink_socket(place)(socket.AF_NETLINK, socket.SOCK_DGRAM, 16)
    sock.settimeout(PATIENCE)
    return sock


def refused(error: pytest.ExceptionInfo[OSError]) -> str:
    return errno.errorcode[error.value.errno or 0]


def test_it_looks_like_a_netlink_socket(place: pathlib.Path) -> None:
    with generic(place) as sock:
        assert (sock.family, sock.type, sock.proto) == (socket.AF_NETLINK, socket.SOCK_DGRAM, 16)
        options = (socket.SO_DOMAIN, socket.SO_TYPE, socket.SO_PROTOCOL)
        assert [sock.getsockopt(socket.SOL_SOCKET, option) for option in options] == [16, socket.SOCK_DGRAM, 16]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE, 4) == struct.pack("=i", socket.SOCK_DGRAM)
        assert sock.getpeername() == (0, 0)
        sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 20)  # SO_RCVBUFFORCE is for root, as whom it takes itself
    with netlink_socket(place)(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0) as sock:
        assert (sock.gettimeout(), sock.type) == (0, socket.SOCK_RAW)


def test_other_sockets_are_ordinary(place: pathlib.Path) -> None:
    ordinary = netlink_socket(place)
    with ordinary(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        assert sock.family == socket.AF_INET and sock.getsockname()[0] == "127.0.0.1"
        sock.sendto(b"here", sock.getsockname())
        data, address = sock.recvfrom(16)
        assert (data, address) == (b"here", sock.getsockname())
        with sock.dup() as copy:
            assert copy.getsockname() == address


def test_what_there_is_not(place: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(OSError) as error:
        netlink_socket(place)(socket.AF_NETLINK, socket.SOCK_RAW, 9)
    assert refused(error) == "EPROTONOSUPPORT"
    with pytest.raises(OSError) as error:
        netlink_socket(place)(socket.AF_NETLINK, socket.SOCK_STREAM, 0)
    assert refused(error) == "ESOCKTNOSUPPORT"
    with pytest.raises(OSError) as error:
        route(tmp_path)
    assert refused(error) == "ECONNREFUSED" and "no daemon serves" in str(error.value)


def test_the_first_request_binds(place: pathlib.Path) -> None:
    with route(place) as first, route(place) as second:
        assert first.getsockname() == (0, 0)
        for sock in (first, second):
            sock.sendto(message(18, bytes(16), flags=5), (0, 0))  # RTM_GETLINK, refused: no such device
            data, address = sock.recvfrom(8192)
            assert errno_of(data) and address == (0, 0)
            assert port_of(data) == sock.getsockname()[0]
        assert first.getsockname() == (os.getpid(), 0) != second.getsockname()


def test_bind(place: pathlib.Path) -> None:
    with route(place) as sock, route(place) as other:
        sock.bind((7000, 1 << LINK - 1))
        assert sock.getsockname() == (7000, 1)
        sock.bind((7000, 1 << 4))
        assert sock.getsockname() == (7000, 1 << 4), "the groups of the last bind, and no others"
        with pytest.raises(OSError) as error:
            sock.bind((7001, 0))
        assert refused(error) == "EINVAL"
        with pytest.raises(OSError) as error:
            other.bind((7000, 0))
        assert refused(error) == "EADDRINUSE"
        other.bind((0, 0))
        assert other.getsockname()[0] == os.getpid()


def test_only_the_kernel_listens(place: pathlib.Path) -> None:
    with route(place) as sock:
        sock.connect((0, 0))
        for attempt in (lambda: sock.connect((7, 0)), lambda: sock.sendto(b"", (0, 1))):
            with pytest.raises(OSError) as error:
                attempt()
            assert refused(error) == "ECONNREFUSED"


def test_options(place: pathlib.Path) -> None:
    with generic(place) as sock:
        assert sock.getsockopt(SOL_NETLINK, NetlinkOpt.EXT_ACK) == 0
        sock.setsockopt(SOL_NETLINK, NetlinkOpt.EXT_ACK, struct.pack("=i", 1))
        assert sock.getsockopt(SOL_NETLINK, NetlinkOpt.EXT_ACK) == 1
        assert sock.getsockopt(SOL_NETLINK, NetlinkOpt.EXT_ACK, 4) == struct.pack("=i", 1)
        sock.setsockopt(SOL_NETLINK, NetlinkOpt.ADD_MEMBERSHIP, MGMT)
        assert sock.getsockopt(SOL_NETLINK, NetlinkOpt.LIST_MEMBERSHIPS, 4) == struct.pack("=I", 1 << MGMT - 1)
        for attempt in (
            lambda: sock.setsockopt(SOL_NETLINK, 99, 1),
            lambda: sock.getsockopt(SOL_NETLINK, 99),
        ):
            with pytest.raises(OSError) as error:
                attempt()
            assert refused(error) == "ENOPROTOOPT"
        with pytest.raises(OSError) as error:
            sock.setsockopt(SOL_NETLINK, NetlinkOpt.ADD_MEMBERSHIP, 9999)
        assert refused(error) == "EINVAL"


def test_a_copy_is_the_same_socket(place: pathlib.Path) -> None:
    sock = generic(place)
    copy = sock.dup()
    sock.close()
    copy.send(getfamily())
    assert type_of(copy.recv(8192)) == 16
    assert copy.getsockname()[0] == os.getpid()
    copy.close()


def test_other_namespaces_are_told(place: pathlib.Path, control: Control) -> None:
    control.do(netns="pod")
    inside = os.open(place / "pod", os.O_RDONLY)
    with route(place) as host, route(place) as deaf, route(place, "pod") as pod:
        for sock in (host, deaf):
            sock.bind((0, 0))  # a socket without a port hears nothing
            sock.setsockopt(SOL_NETLINK, NetlinkOpt.LISTEN_ALL_NSID, 1)
        # RTM_NEWNSID: the host calls the pod 7
        host.send(message(88, struct.pack("=BxxxHHiHHI", 0, 8, 1, 7, 8, 3, inside), flags=5))
        assert errno_of(host.recv(8192)) == 0
        for sock in (host, deaf):
            sock.setsockopt(SOL_NETLINK, NetlinkOpt.ADD_MEMBERSHIP, LINK)
        pod.send(newlink("p0"))
        assert errno_of(pod.recv(8192)) == 0
        data, ancillary, flags, address = host.recvmsg(8192, socket.CMSG_SPACE(4))
        assert (type_of(data), flags, address) == (16, 0, (0, 0))
        assert ancillary == [(SOL_NETLINK, NetlinkOpt.LISTEN_ALL_NSID, struct.pack("=i", 7))]
        before = os.listdir("/proc/self/fd")
        assert deaf.recv(8192) == data, "who does not ask gets the message"
        assert os.listdir("/proc/self/fd") == before, "and no file"
        host.send(newlink("h0"))
        buffer = bytearray(8192)
        size, ancillary, _, _ = host.recvmsg_into([buffer], 4096)
        assert type_of(bytes(buffer[:size])) == 16 and not ancillary, "one's own namespace has no id"
    os.close(inside)


def test_groups_are_told(place: pathlib.Path, control: Control) -> None:
    with generic(place) as sock:
        sock.bind((0, 0))
        sock.setsockopt(SOL_NETLINK, NetlinkOpt.PKTINFO, 1)
        sock.setsockopt(SOL_NETLINK, NetlinkOpt.ADD_MEMBERSHIP, MGMT)
        control.do(nsim_new=[1, 1, 1])
        data, ancillary, _, _ = sock.recvmsg(8192, 4096)
        assert type_of(data) == NETDEV
        assert ancillary == [(SOL_NETLINK, NetlinkOpt.PKTINFO, struct.pack("=I", MGMT))]
        sock.sendmsg([getfamily()], (), 0, (0, 0))
        _, ancillary, _, _ = sock.recvmsg(8192, 4096)
        assert ancillary == [(SOL_NETLINK, NetlinkOpt.PKTINFO, bytes(4))]


def test_the_note_is_a_line_of_json(control: Control) -> None:
    """What a client in another language finds with a datagram."""
    sock, name = control.open(options=[(NetlinkOpt.PKTINFO, 1)])
    with sock:
        sock.send(getfamily())
        _, ancillary, _, _ = sock.recvmsg(8192, socket.CMSG_SPACE(4))
        ((_, _, rights),) = ancillary
        (file,) = array.array("i", rights)
        with open(file) as note:
            assert note.read() == '{"group": 0}\n'
    assert name


@pytest.mark.parametrize(
    ("room", "number"), [("os.memfd_create", errno.EMFILE), ("socket.send_fds", errno.ETOOMANYREFS)]
)
def test_files_run_out(
    place: pathlib.Path, control: Control, monkeypatch: pytest.MonkeyPatch, room: str, number: int
) -> None:
    """The datagrams come all the same."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with generic(place) as sock:
        sock.setsockopt(SOL_NETLINK, NetlinkOpt.PKTINFO, 1)
        with monkeypatch.context() as patch:
            patch.setattr(room, refuse)
            sock.send(getfamily())
            data, ancillary, _, _ = sock.recvmsg(8192, 4096)
        assert type_of(data) == 16 and not ancillary
