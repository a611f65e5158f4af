"""The team family: options and ports of teams, asked for, set, and told (drivers/net/team/team_core.c).

What is told fills datagrams, whose last has an NLMSG_DONE at its end, or is one; so do answers. An option that was told
is not marked as changed any more, whoever was there to hear; but where nobody was, the rest is not told, and keeps its
mark.
"""

from __future__ import annotations

import errno
import struct
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.links.team import team_of
from nlemu.emulator.kernel.teaming import options
from nlemu.emulator.kernel.teaming.options import OptionType
from nlemu.emulator.netlink.dump import GOODSIZE
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.team import (
    NOOP,
    OPTION,
    OPTIONS_GET,
    OPTIONS_SET,
    OPTIONS_TOLD,
    PORT_LIST_GET,
    PORTS_TOLD,
    AttrOption,
    AttrPort,
    ItemOption,
    ItemPort,
    Team,
)
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, Values, walk
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.if_team import TEAM_STRING_MAX_LEN
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkProtocol, NlmsgType
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nlemu.emulator.kernel.teaming.options import Instance
    from nlemu.emulator.kernel.teaming.team import Port
    from nlemu.emulator.kernel.teaming.team import Team as Device
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.family import Operation

ROOM = GOODSIZE
"""What genlmsg_new(GENLMSG_DEFAULT_SIZE) has room for."""
DONE = 16
"""An NLMSG_DONE without anything in it."""
GENERIC = int(NetlinkProtocol.GENERIC)
MULTI = int(NLM_F.MULTI)
ACK = int(NLM_F.ACK)
U32, S32 = struct.Struct("<I"), struct.Struct("<i")


def find(call: Call) -> Device:
    """team_nl_team_get(): EINVAL."""
    dev = call.net.device(call.attrs[Team.team_ifindex]) if Team.team_ifindex in call.attrs else None
    team = None if dev is None else team_of(dev)
    if team is None:
        raise Refusal(errno.EINVAL)
    return team


# Telling


def fill_option(team: Device, one: Instance) -> bytes:
    """team_nl_fill_one_option_get()"""
    option, value = one.option, one.option.get(team, one)
    data: bytes | None
    if option.type == OptionType.U32:
        data = U32.pack(value & 0xFFFFFFFF)
    elif option.type == OptionType.S32:
        data = S32.pack(value)
    elif option.type == OptionType.STRING:
        data = value.encode() + b"\0"
    elif option.type == OptionType.BOOL:
        data = b"" if value else None
    else:
        data = value
    return AttrOption.spec.layout.encode({
        AttrOption.name: option.name,
        AttrOption.port_ifindex: None if one.port is None else one.port.dev.ifindex,
        AttrOption.array_index: one.index if option.size else None,
        AttrOption.type: int(option.type),
        AttrOption.data: data,
        AttrOption.removed: one.removed or None,
        AttrOption.changed: one.changed or None,
    })


def fill_port(port: Port) -> bytes:
    """team_nl_fill_one_port_get()"""
    return AttrPort.spec.layout.encode({
        AttrPort.ifindex: port.dev.ifindex,
        AttrPort.changed: port.changed or None,
        AttrPort.removed: port.removed or None,
        AttrPort.linkup: port.state_linkup or None,
        AttrPort.speed: port.speed,
        AttrPort.duplex: port.duplex,
    })


def send_list(
    team: Device, op: Operation, list_attr: Attr[Any], item: Attr[Any], things: Iterable[Any],
    fill: Callable[[Any], bytes], wrap: Callable[[Operation, int, bytes], bytes], done: bytes,
    send: Callable[[bytes], bool],
) -> bool:
    """team_nl_send_options_get(), team_nl_send_port_list_get(): whether all was heard. The marks of what stands in a
    datagram that was filled are taken away."""
    head = {Team.team_ifindex: team.dev.ifindex}
    bare = len(wrap(op, 0, op.body(head | {list_attr: b""})))
    packed: list[bytes] = []
    left = ROOM - bare
    for thing in things:
        encoded = item.encode(fill(thing))
        if len(encoded) > left:
            if not send(wrap(op, 0, op.body(head | {list_attr: b"".join(packed)}))):
                return False
            packed, left = [], ROOM - bare
        packed.append(encoded)
        left -= len(encoded)
        thing.changed = False
    last = wrap(op, 0, op.body(head | {list_attr: b"".join(packed)}))
    if left >= DONE:
        return send(last + done)
    return send(last) and send(done)


class TeamNotify:
    """What one machine's team family tells its group."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def options(self, team: Device, chosen: list[Instance]) -> bool:
        """team_nl_send_event_options_get()"""
        return self._send(team, OPTIONS_TOLD, Team.list_option, ItemOption.option, chosen, partial(fill_option, team))

    def port(self, team: Device, port: Port) -> bool:
        """team_nl_send_event_port_get()"""
        return self._send(team, PORTS_TOLD, Team.list_port, ItemPort.port, [port], fill_port)

    def _send(
        self, team: Device, op: Operation, list_attr: Attr[Any], item: Attr[Any], things: Iterable[Any],
        fill: Callable[[Any], bytes],
    ) -> bool:
        machine = self.machine

        def wrap(op: Operation, flags: int, body: bytes) -> bytes:
            return message(machine.number(op), MULTI | flags, 0, 0, body)

        def send(data: bytes) -> bool:
            families, group = machine.families, op.group
            assert group is not None
            heard = machine.multicast.reaches(team.dev.net, GENERIC, families.group_ids[op.family, group])
            families.notify(team.dev.net, op, lambda: data)
            return heard

        return send_list(team, op, list_attr, item, things, fill, wrap, message(NlmsgType.DONE, MULTI, 0, 0, b""), send)


def answer(
    call: Call, team: Device, op: Operation, list_attr: Attr[Any], item: Attr[Any], things: Iterable[Any],
    fill: Callable[[Any], bytes],
) -> None:
    """The same to whoever asked."""

    def wrap(op: Operation, flags: int, body: bytes) -> bytes:
        return message(call.machine.number(op), MULTI | ACK, call.seq, call.portid, body)

    def send(data: bytes) -> bool:
        call.endpoint.deliver(data)
        return True

    done = message(NlmsgType.DONE, MULTI | ACK, call.seq, call.portid, b"")
    send_list(team, op, list_attr, item, things, fill, wrap, done, send)


@doit(NOOP)
def noop(call: Call) -> Values:
    """team_nl_noop_doit()"""
    return {}


@doit(OPTIONS_GET)
def options_get(call: Call) -> None:
    """team_nl_options_get_doit()"""
    team = find(call)
    answer(
        call, team, OPTIONS_GET, Team.list_option, ItemOption.option, tuple(team.instances), partial(fill_option, team)
    )


@doit(PORT_LIST_GET)
def port_list_get(call: Call) -> None:
    """team_nl_port_list_get_doit()"""
    team = find(call)
    answer(call, team, PORT_LIST_GET, Team.list_port, ItemPort.port, tuple(team.ports), fill_port)


# Setting


@doit(OPTIONS_SET)
def options_set(call: Call) -> None:
    """team_nl_options_set_doit(): one after the other, up to the first that is refused. EINVAL; ENOENT for an option
    that there is not; what the option refuses; ESRCH where nobody listens to what was set."""
    team, attrs = find(call), call.attrs
    if Team.list_option not in attrs:
        raise Refusal(errno.EINVAL)
    empty = True
    for number, first, last in walk(attrs.message, *attrs.spans[Team.list_option.number]):
        empty = False
        if number != ItemOption.option.number:
            raise Refusal(errno.EINVAL)
        spans = validate(OPTION, attrs.message, first, last, LIBERAL, call.extack)
        if not set_one(team, Attrs(attrs.message, spans, first, last)):
            return
    if empty:
        raise Refusal(errno.EINVAL)


def set_one(team: Device, said: Attrs) -> bool:
    """One option; False where its type is none, which ends it all without a word."""
    if AttrOption.name not in said or AttrOption.type not in said:
        raise Refusal(errno.EINVAL)
    if said[AttrOption.type] not in OptionType.__members__.values():
        return False
    kind, data = OptionType(said[AttrOption.type]), said.get(AttrOption.data)
    if kind != OptionType.BOOL and data is None:
        raise Refusal(errno.EINVAL)
    chosen = list(matching(team, said, kind))
    set_ones: list[Instance] = []
    for one in chosen:
        options.set_option(team, one, value_of(kind, data))
        set_ones.insert(0, one)
    if not chosen:
        raise Refusal(errno.ENOENT)
    if not team.tell_options(set_ones):
        raise Refusal(errno.ESRCH)
    return True


def matching(team: Device, said: Attrs, kind: OptionType) -> Iterator[Instance]:
    """The instances that are meant."""
    name, ifindex = said[AttrOption.name], said.get(AttrOption.port_ifindex, 0)
    index = said.get(AttrOption.array_index)
    for one in team.instances:
        if (one.option.type, one.option.name) != (kind, name) or (one.option.size and index is None):
            continue
        if (0 if one.port is None else one.port.dev.ifindex) == ifindex and one.index == (index or 0):
            yield one


def value_of(kind: OptionType, data: bytes | None) -> bool | int | str | bytes:
    """What is to be set: EINVAL for a string that does not end, or is too long."""
    if kind == OptionType.BOOL:
        return data is not None
    assert data is not None
    if kind == OptionType.BINARY:
        return data
    if kind == OptionType.STRING:
        if len(data) > TEAM_STRING_MAX_LEN or b"\0" not in data:
            raise Refusal(errno.EINVAL)
        return data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
    number: int = (U32 if kind == OptionType.U32 else S32).unpack(data[:4].ljust(4, b"\0"))[0]
    return number
