"""What all commands of the ethtool family have in common (net/ethtool/netlink.c).

Nearly every command is one of two kinds. A query looks a device up by the request's header and fills a reply from it;
dumped, it does so for every device of the namespace and passes over those that cannot. A setting changes a device, and
tells the group "monitor" if that made a difference, in the words of the query's reply. So a command is one function,
and the decorators here make of it what the registry wants.

A text that a passed-over device would have given stays in the ack: a dump of link settings ends well, and still says
that some could not be retrieved.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.netlink.call import Body, Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.ethtool.commands import ethtool, header_of
from nlemu.protocol.families.ethtool.common import Header
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, AttrSet, Values
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.uapi.ethtool import EthtoolFlag
from nlemu.protocol.uapi.netlink import NLA_F_NESTED
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.machine.machine import Machine
    from nlemu.protocol.schema.family import Operation

COMPACT_BITSETS = int(EthtoolFlag.COMPACT_BITSETS)
OMIT_REPLY = int(EthtoolFlag.OMIT_REPLY)
STATS = int(EthtoolFlag.STATS)
NO_ATTRIBUTES = Attrs(b"", {}, 0, 0)


@dataclass(slots=True)
class Request:
    """What is asked for: struct ethnl_req_info. ``dev`` is the header's device, None where a dump covers all; a
    notification asks for itself, without attributes. ``options`` is what a command's ``parse`` made of the rest."""

    attrs: Attrs
    extack: Extack
    dev: Device | None = None
    flags: int = 0
    phy_index: int = 0
    header: int | None = None
    """Where the header stands."""
    options: Any = None

    @property
    def compact(self) -> bool:
        """Bit sets are wanted compact."""
        return bool(self.flags & COMPACT_BITSETS)

    @property
    def stats(self) -> bool:
        """Statistics are wanted."""
        return bool(self.flags & STATS)


Fill = Callable[["Device", Request], Values]
"""Fills the reply about one device, but for the header. Refusal EOPNOTSUPP: the device has nothing of the kind."""
Parse = Callable[[Request], Any]
Change = Callable[["Device", Request], bool]
"""Sets something; True if that changed anything. Blames arguments by their attributes' names or offsets."""

fills: dict[int, Fill] = {}
"""By the command of the notification: what fills it."""


def parse_header(call: Call, *, demanded: bool) -> Request:
    """ethnl_parse_header_dev_get(): which device, and how to answer. Refusal EINVAL, ENODEV."""
    attr = header_of(call.op.set)
    at = call.attrs.offset(attr)
    request = Request(call.attrs, call.extack, header=at)
    if at is None:
        if demanded:
            raise Refusal(errno.EINVAL, "request header missing")
        return request
    header = call.attrs[attr]
    index, name = header.get(Header.dev_index), header.get(Header.dev_name)
    if index is not None:
        request.dev = call.net.device(index)
        if request.dev is None:
            raise Refusal(errno.ENODEV, "no device matches ifindex", at=header.offset(Header.dev_index))
        if name is not None and name != request.dev.name:
            raise Refusal(errno.ENODEV, "ifindex and name do not match", at=at)
    elif name is not None:
        request.dev = call.net.by_name(name)
        if request.dev is None:
            raise Refusal(errno.ENODEV, "no device matches name", at=header.offset(Header.dev_name))
    elif demanded:
        raise Refusal(errno.EINVAL, "neither ifindex nor name specified", at=at)
    request.phy_index = header.get(Header.phy_index, 0)
    if request.phy_index and request.dev is None:
        raise Refusal(errno.EINVAL, "phy_index set without a netdev", at=at)
    request.flags = header.get(Header.flags, 0)
    return request


def named_header(op: Operation, dev: Device | None) -> dict[Attr[Any], Any]:
    """ethnl_fill_reply_header(): which device a message is about."""
    if dev is None:
        return {}
    return {header_of(op.set): {Header.dev_index: dev.ifindex, Header.dev_name: dev.name}}


def check_phy(request: Request) -> None:
    """ethnl_req_get_phydev(): no device here has a PHY, so one that is named is not found. Refusal ENODEV."""
    if request.phy_index and request.dev is not None:
        raise Refusal(errno.ENODEV, "no phy matching phyindex", at=request.header)


def parse_nest(extack: Extack, data: bytes, at: int, end: int, policy: Policy) -> Attrs:
    """nla_parse_nested(): the nest whose header stands at ``at``, strictly by ``policy``. Refusal EINVAL, ERANGE."""
    if not int.from_bytes(data[at + 2 : at + 4], "little") & NLA_F_NESTED:
        raise Refusal(errno.EINVAL, "NLA_F_NESTED is missing", at=at)
    return Attrs(data, validate(policy, data, at + 4, end, STRICT, extack), at + 4, end, at)


def inside(request: Request, attr: Attr[Any], policy: Policy) -> Attrs:
    """What a nest of the request holds, which must be there, strictly by a policy of its own."""
    start, end = request.attrs.spans[attr.number]
    return parse_nest(request.extack, request.attrs.message, start - 4, end, policy)


# -- queries ----------------------------------------------------------------------------------


def query(
    op: Operation, *, ntf: Operation | None = None, parse: Parse | None = None, per_phy: bool = False
) -> Callable[[Fill], Fill]:
    """Makes a function the fill of a query (ethnl_default_doit(), ethnl_default_dumpit()), and of the notification.

    ``parse`` reads the rest of the request into ``options``; ``per_phy``: a dump tells of PHYs, so here of nothing."""

    def register(fill: Fill) -> Fill:
        def do(call: Call) -> Body:
            request = parse_header(call, demanded=True)
            if parse is not None:
                request.options = parse(request)
            assert request.dev is not None
            return named_header(op, request.dev) | dict(fill(request.dev, request))

        def dump(call: Call) -> Messages:
            request = start_dump(call, parse)
            return iter(()) if per_phy else dump_devices(call, op, fill, request)

        doit(op)(do)
        dumpit(op)(dump)
        if ntf is not None:
            fills[ntf.cmd] = fill
        return fill

    return register


def start_dump(call: Call, parse: Parse | None = None) -> Request:
    """ethnl_default_start(): a device that the header names has to be there, and is not looked at again."""
    request = parse_header(call, demanded=False)
    if parse is not None:
        request.options = parse(request)
    request.dev = None
    return request


def dump_devices(call: Call, op: Operation, fill: Fill, request: Request) -> Messages:
    """ethnl_default_dumpit()."""
    for dev in devices(call.net):
        yield partial(dump_one, call, op, fill, dev, request)


def dump_one(call: Call, op: Operation, fill: Fill, dev: Device, request: Request) -> Values | None:
    """ethnl_default_dump_one(): one device; None where it has nothing to say. The extack is that of the datagram."""
    request.extack = call.extack
    try:
        return named_header(op, dev) | dict(fill(dev, request))
    except Refusal as refusal:
        if refusal.errno != errno.EOPNOTSUPP:
            raise
        call.extack.merge(refusal)
        return None


# -- settings ---------------------------------------------------------------------------------


def setting(op: Operation, ntf: Operation | None = None, parse: Parse | None = None) -> Callable[[Change], Change]:
    """Makes a function the one that sets (ethnl_default_set_doit()), and announces what it changed."""

    def register(change: Change) -> Change:
        def do(call: Call) -> None:
            request = parse_header(call, demanded=True)
            if parse is not None:
                request.options = parse(request)
            assert request.dev is not None
            try:
                changed = change(request.dev, request)
            except Refusal as refusal:
                if isinstance(refusal.at, str):
                    refusal.at = call.attrs.offset(op.set.spec.by_name[refusal.at])
                raise
            if changed and ntf is not None:
                call.machine.ethtool.notify(request.dev, ntf, request.options)

        doit(op)(do)
        return change

    return register


def given(attrs: Attrs, attributes: type[AttrSet], names: Iterable[str]) -> dict[str, int]:
    """The integers of those names that a request holds."""
    by_name = vars(attributes)
    return {name: attrs[by_name[name]] for name in names if by_name[name] in attrs}


# -- notifications ----------------------------------------------------------------------------


class EthtoolNotify:
    """What the ethtool family of one machine tells its group (ethnl_default_notify()).

    Notifications are counted, over all namespaces, and the count is their sequence number; one that nobody hears
    counts too."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def notify(self, dev: Device, event: Operation, options: Any = None) -> None:
        """Tells of a device what `event` is about, as it is now; options: as its fill wants them."""
        build = partial(self._build, dev, event, self.machine.count_ethtool(), options)
        self.machine.families.notify(dev.net, event, build)

    def tell(self, dev: Device, message: int, context: int = 0) -> None:
        """The same by the number of the notification (KernelMsg). context: of those about contexts, which; that one is
        gone is told by its number alone."""
        event = ethtool.events[message]
        if event.cmd in fills:
            self.notify(dev, event, context)
        else:
            self.say(dev, event, named_header(event, dev) | {event.set.spec.by_name["context"]: context})

    def say(self, dev: Device, event: Operation, values: Values) -> None:
        """Tells just that, under no number (ethnl_bcastmsg_put() gives it the next one)."""
        machine, body = self.machine, event.body(values)
        count = machine.count_ethtool()
        machine.families.notify(dev.net, event, lambda: message(machine.number(event), 0, count, 0, body))

    def _build(self, dev: Device, event: Operation, number: int, options: Any) -> bytes:
        request = Request(NO_ATTRIBUTES, Extack(), dev, COMPACT_BITSETS, options=options)
        body = event.body(named_header(event, dev) | dict(fills[event.cmd](dev, request)))
        return message(self.machine.number(event), 0, number, 0, body)
