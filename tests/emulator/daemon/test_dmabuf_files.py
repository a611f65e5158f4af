"""dmabufs of real processes: a descriptor that came from the daemon, and a number that was given a meaning."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from nlemu.emulator.client.client import Client
from nlemu.emulator.client.control import Control, ControlError
from nlemu.emulator.daemon.background import daemon
from nlemu.protocol.encode.conversation import NlError


@contextmanager
def machine() -> Iterator[tuple[Control, Client]]:
    """A daemon with a NIC that splits headers."""
    with daemon() as directory, Control(directory) as control:
        control.do(nic_new="0000:08:00.0", profile="bnxt_en", queues=4, hds_thresh=0)
        with Client.open(control, "rt-link") as links, Client.open(control, "ethtool") as ethtool:
            links.do("setlink", {"ifi-index": 2, "ifi-flags": ["up"], "ifi-change": 1})
            ethtool.do("rings-set", {"header": {"dev-index": 2}, "tcp-data-split": "enabled"})
        with Client.open(control, "netdev") as netdev:
            yield control, netdev


def bind(netdev: Client, fd: int, queue: int) -> int:
    asked = {"ifindex": 2, "fd": fd, "queues": [{"id": queue, "type": "rx"}]}
    found: int = netdev.do("bind-rx", asked)[0]["id"]
    return found


def shown(netdev: Client, queue: int) -> Any:
    return netdev.do("queue-get", {"ifindex": 2, "type": "rx", "id": queue})[0].get("dmabuf")


def test_a_descriptor_that_came_with_the_answer() -> None:
    with machine() as (control, netdev):
        fd = control.dmabuf("d")
        assert (bind(netdev, fd, 0), bind(netdev, fd, 1)) == (1, 2)
        assert (shown(netdev, 0), shown(netdev, 1), shown(netdev, 2)) == (1, 2, None)
        other = os.dup(fd)
        os.close(fd)
        assert bind(netdev, other, 2) == 3, "any descriptor of it will do"
        control.do(end="d")
        with pytest.raises(NlError) as caught:
            bind(netdev, other, 3)
        assert caught.value.errno == errno.EBADF, "it stands for nothing any more"
        assert shown(netdev, 2) == 3, "what is bound stays bound"
        os.close(other)


def test_a_namespace_is_no_dmabuf() -> None:
    with machine() as (control, netdev):
        home = os.open(control._sock.getpeername().removesuffix("control") + "init", os.O_RDONLY)
        with pytest.raises(NlError) as caught:
            bind(netdev, home, 0)
        assert caught.value.errno == errno.EINVAL
        os.close(home)


def test_a_number_with_a_meaning_and_the_end_of_its_socket() -> None:
    with machine() as (control, netdev):
        os.close(control.dmabuf("d"))
        other = Client.open(control, "netdev")
        control.do(descriptor=12345, socket=other.name, of="d")
        assert bind(other, 12345, 0) == 1
        with pytest.raises(NlError) as caught:
            bind(netdev, 12345, 1)
        assert caught.value.errno == errno.EBADF, "on one socket only"
        assert shown(netdev, 0) == 1
        control.do(close=other.name)
        assert shown(netdev, 0) is None
        other.close()


def test_one_line_that_names_the_field() -> None:
    with machine() as (control, _):
        for fields, words in (
            ({"descriptor": 5, "socket": "x", "of": "d"}, "descriptor: there is no socket 'x'"),
            ({"descriptor": 5, "socket": _.name, "of": "d"}, "descriptor: there is no dmabuf 'd'"),
            ({"descriptor": -5, "socket": "x", "of": "d"}, "'descriptor' should be a number"),
            ({"end": "x"}, "end: there is no program 'x'"),
        ):
            with pytest.raises(ControlError) as caught:
                control.do(**fields)
            assert str(caught.value).startswith(words)


def test_a_reset_forgets_them() -> None:
    with machine() as (control, _):
        fd = control.dmabuf("d")
        control.do(reset=True)
        control.do(dmabuf="d")
        os.close(fd)
