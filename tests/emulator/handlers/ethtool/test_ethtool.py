"""The ethtool family where traces do not reach: counting of notifications, refusals that leave no trace, large sets."""

from __future__ import annotations

from typing import Any

import pytest

from nlemu.emulator.daemon.state import state
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool.link import get_ts_info
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.families.ethtool.commands import (
    CHANNELS_GET,
    CHANNELS_NTF,
    COALESCE_SET,
    FEC_SET,
    PAUSE_SET,
    RINGS_SET,
    ethtool,
)
from nlemu.protocol.families.ethtool.common import Header
from nlemu.protocol.families.ethtool.device import Channels, Coalesce, Rings
from nlemu.protocol.families.ethtool.link import Fec, Pause
from nlemu.protocol.frame import GENERIC, message, split
from nlemu.protocol.schema.attributes import Attrs, AttrSet, Layout, Values
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.uapi.ethtool import KernelMsg, UserMsg
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkOpt, NetlinkProtocol

GENERIC_PROTOCOL = int(NetlinkProtocol.GENERIC)


class World:
    """A machine with a netdevsim port of four queues, and a socket to ask with."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.port: Device = self.machine.netdevsim_bus.new_device(1, 1, 4).ports[0]
        self.asker = Endpoint(self.machine, self.machine.init_net, GENERIC_PROTOCOL, options=[(NetlinkOpt.CAP_ACK, 1)])

    def ask(self, op: Operation, values: Values, *, dump: bool = False) -> list[bytes]:
        """The messages that answer a request."""
        flags = NLM_F.REQUEST | (NLM_F.DUMP if dump else NLM_F.ACK)
        head = GENERIC.pack(op.cmd, 1, 0)
        body = head + Layout(*op.set.order).encode(values)
        self.asker.send(message(self.machine.families.numbers[ethtool], int(flags), 1, 0, body))
        answers: list[bytes] = []
        while self.asker.pending():
            datagram = self.asker.receive()
            assert datagram is not None
            answers += [one for _, one in split(datagram)]
        assert not self.machine.bugs
        return answers

    def header(self) -> dict[Any, Any]:
        return {Header.dev_index: self.port.ifindex}

    def listen(self, net: Any = None) -> Endpoint:
        group = self.machine.families.group_ids[ethtool, "monitor"]
        return Endpoint(
            self.machine, net or self.machine.init_net, GENERIC_PROTOCOL, options=[(NetlinkOpt.ADD_MEMBERSHIP, group)]
        )


def errno_of(answer: bytes) -> int:
    return -int.from_bytes(answer[16:20], "little", signed=True)


def channels(world: World, count: int) -> int:
    return errno_of(world.ask(ethtool.operations[UserMsg.CHANNELS_SET],
                              {Channels.header: world.header(), Channels.combined_count: count})[-1])


def test_notifications_are_counted_whether_heard_or_not() -> None:
    world = World()
    assert channels(world, 3) == 0
    listener = world.listen()
    assert channels(world, 3) == 0
    assert channels(world, 2) == 0
    told = listener.receive()
    assert told is not None and listener.receive() is None
    ((header, whole),) = split(told)
    assert (header.seq, header.portid, header.flags) == (2, 0, 0)
    assert whole[16] == KernelMsg.CHANNELS_NTF
    attrs = Attrs.index(whole, 20, len(whole))
    assert attrs[Channels.combined_count] == 2


def test_only_the_device_s_namespace_hears() -> None:
    world = World()
    elsewhere = world.listen(world.machine.new_net("elsewhere"))
    assert channels(world, 2) == 0
    assert not elsewhere.pending()


def test_a_notification_is_what_a_query_answers_then() -> None:
    world = World()
    listener = world.listen()
    assert channels(world, 1) == 0
    told, answer = listener.receive(), world.ask(CHANNELS_GET, {Channels.header: world.header()})[0]
    assert told is not None
    assert told[20:] == answer[20:]
    assert CHANNELS_NTF.replies is CHANNELS_GET.replies


REFUSED: list[tuple[Operation, type[AttrSet], Values]] = [
    (ethtool.operations[UserMsg.CHANNELS_SET], Channels, {Channels.combined_count: 0}),
    (ethtool.operations[UserMsg.CHANNELS_SET], Channels, {Channels.combined_count: 5}),
    (RINGS_SET, Rings, {Rings.rx: 128, Rings.hds_thresh: 4096}),
    (RINGS_SET, Rings, {Rings.rx: 128, Rings.cqe_size: 64}),
    (PAUSE_SET, Pause, {Pause.rx: 1, Pause.autoneg: 1}),
    (FEC_SET, Fec, {Fec.auto: 0, Fec.modes: {}}),
    (COALESCE_SET, Coalesce, {Coalesce.use_cqe_mode_rx: 2, Coalesce.rx_usecs: 5}),
]


@pytest.mark.parametrize(("op", "attributes", "values"), REFUSED)
def test_a_refused_setting_leaves_no_trace(op: Operation, attributes: type[AttrSet], values: Values) -> None:
    world = World()
    listener = world.listen()
    before, queries = state(world.machine), answers(world)
    assert errno_of(world.ask(op, {attributes.spec.by_name["header"]: world.header(), **values})[-1]) > 0
    assert state(world.machine) == before
    assert answers(world) == queries
    assert not listener.pending()


def answers(world: World) -> list[bytes]:
    """What every query says of the port."""
    told = []
    for op in ethtool.operations.values():
        if op.dump is not None:
            told += world.ask(op, {op.set.spec.by_name["header"]: world.header()})
    return told


def test_every_query_can_be_dumped_without_a_header() -> None:
    world = World()
    for op in ethtool.operations.values():
        if op.dump is not None:
            assert world.ask(op, {}, dump=True)


def test_clocks_are_numbered_from_the_lowest_that_is_free() -> None:
    machine = Machine()
    bus = machine.netdevsim_bus
    first, second = bus.new_device(1, 2, 1), bus.new_device(2, 1, 1)
    assert [get_ts_info(dev).phc_index for dev in (first.ports[0], first.ports[1], second.ports[0])] == [0, 1, 2]
    bus.del_device(1)
    assert get_ts_info(bus.new_device(3, 1, 1).ports[0]).phc_index == 0


def test_a_device_that_could_not_be_driven_keeps_no_clock() -> None:
    machine = Machine()
    machine.netdevsim_bus.new_device(1, 1, 0)
