"""GTP tunnels: whose sockets they take, and where contexts are found, beyond the recorded ones."""

from __future__ import annotations

from errno import EADDRINUSE, EADDRNOTAVAIL, EBADF, EBUSY, EINVAL, ENOMEM, ENOTSOCK

import pytest

from nlemu.emulator.kernel.devices import links
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.register import KillList
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.gtp import KIND, LARGEST, GtpParams, of_net, state_of
from nlemu.emulator.kernel.tunnels import udp
from nlemu.emulator.kernel.tunnels.gtp import Wanted
from nlemu.emulator.kernel.tunnels.udp import UdpSocket
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.gtp import GtpVersion
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

FOUR, SIX, BOTH, OTHER = 3, 4, 5, 6


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def files() -> dict[int, object]:
    return {
        FOUR: UdpSocket(AF_INET), SIX: UdpSocket(AF_INET6, ipv6_only=True), BOTH: UdpSocket(AF_INET6), OTHER: object(),
    }


def new(kernel: Kernel, files: dict[int, object] | None = None, **data: int | bytes) -> Device:
    params = LinkParams(
        link_net=kernel.init_net, data=GtpParams(**data), file_of=(files or {}).get,  # type: ignore[arg-type]
    )
    return links.new_link(kernel.init_net, KIND, params)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ({}, EINVAL), ({"fd0": 9}, EBADF), ({"fd1": OTHER}, ENOTSOCK), ({"fd1": BOTH}, EADDRNOTAVAIL),
        ({"fd0": FOUR, "fd1": FOUR}, EBUSY), ({"fd0": FOUR, "fd1": SIX}, EINVAL), ({"fd0": SIX, "fd1": 9}, EBADF),
    ],
)
def test_sockets_that_are_refused_are_nobody_s(
    kernel: Kernel, files: dict[int, object], said: dict[str, int], number: int
) -> None:
    with pytest.raises(Refusal) as caught:
        new(kernel, files, **said)
    assert caught.value.errno == number
    assert all(thing.user is None for thing in files.values() if isinstance(thing, UdpSocket))


def test_a_socket_is_the_device_s_until_that_goes(kernel: Kernel, files: dict[int, object]) -> None:
    dev = new(kernel, files, fd0=FOUR)
    assert set(state_of(dev).sockets) == {GtpVersion.V0}
    with pytest.raises(Refusal) as caught:
        new(kernel, files, fd1=FOUR)
    assert caught.value.errno == EBUSY
    links.delete_link(dev)
    assert new(kernel, files, fd1=FOUR).mtu == 1452
    assert new(kernel, files, fd1=SIX).mtu == 1432


def test_what_it_cannot_have_is_given_back(kernel: Kernel) -> None:
    udp.bind(kernel.init_net, AF_INET, 2152, object())
    for said in ({"create_sockets": 1}, {"create_sockets": 1, "local6": bytes(16)}):
        with pytest.raises(Refusal) as caught:
            new(kernel, **said)
        assert caught.value.errno == EADDRINUSE
        assert set(udp.taken(kernel.init_net)) == {(AF_INET, 2152, b"")}
    with pytest.raises(Refusal) as caught:
        new(kernel, fd0=0xFFFFFFFF, pdp_hashsize=LARGEST + 1)
    assert caught.value.errno == ENOMEM


def test_a_context_stays_in_the_buckets_where_it_was(kernel: Kernel) -> None:
    gtp = state_of(new(kernel, create_sockets=1, pdp_hashsize=LARGEST))
    socket = gtp.sockets[GtpVersion.V1]
    context = gtp.add(socket, Wanted(1, ms=1, peer=5, i_tei=1, o_tei=7))
    assert gtp.add(socket, Wanted(1, ms=1, peer=5, i_tei=2, o_tei=7)) is context
    assert gtp.find_number(AF_INET, 1, 1) is gtp.find_number(AF_INET, 1, 2) is None
    assert gtp.find_ms(AF_INET, 1, b"") is context
    gtp.delete(context)
    assert not gtp.by_ms and not gtp.by_number


def test_the_buckets_of_another_boot_are_others() -> None:
    orders = set()
    for seed in range(8):
        gtp = state_of(new(Kernel(seed=seed), create_sockets=1))
        for number in range(1, 6):
            gtp.add(gtp.sockets[GtpVersion.V1], Wanted(1, ms=number, peer=5, i_tei=number, o_tei=7))
        orders.add(tuple(context.ms for context in gtp.contexts()))
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {(1, 2, 3, 4, 5)}


def test_what_was_made_from_a_namespace_goes_with_it(kernel: Kernel) -> None:
    devices = [new(kernel, fd0=0xFFFFFFFF), new(kernel, create_sockets=1)]
    kill: KillList = {}
    KIND.exit_rtnl(kernel.init_net, kill)
    assert list(kill) == devices[::-1]
    assert not of_net(kernel.init_net).devices
