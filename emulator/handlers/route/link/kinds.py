"""What requests and replies hold of a link's kind: IFLA_LINKINFO.

A kind is declared (protocol/families/route/kinds) and modelled (emulator/kernel/links) under one name, and the names of
its attributes are those of the model's parameters. So there is nothing of any one kind here: attributes become
parameters, and what the model says becomes attributes, by name. The peer of a pair is described by a whole link message
inside an attribute.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.netns import capable_in
from nlemu.emulator.handlers.route.link.parse import link_params, named_net, parse_peer
from nlemu.emulator.kernel.devices.kind import of_link
from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.families.route.link import LinkInfo
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import NLATTR, Attr, Attrs, AttrSet, walk
from nlemu.protocol.schema.kinds import Nest, NestArray
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.link_kind import LinkKind

OF_LINK = of_link(0).removesuffix("0")
Pairs = dict[Any, Any]


# -- what is told ------------------------------------------------------------------------------


def fill_linkinfo(dev: Device, *, privileged: bool = True) -> Pairs | None:
    """rtnl_link_fill(): of the device's kind, and of its master's kind. privileged: whether who is told may administer
    the network."""
    kind, master = dev.kind, dev.master
    if kind is None and (master is None or master.kind is None):
        return None
    told: Pairs = {} if kind is None else fill_info(dev, kind, privileged=privileged)
    if master is not None and master.kind is not None:
        told |= fill_slave_info(master, master.kind, dev)
    return told


def fill_info(dev: Device, kind: Kind, *, privileged: bool = True) -> Pairs:
    """rtnl_link_info_fill()."""
    described = KINDS.get(kind.name)
    if described is None:
        return {LinkInfo.kind: kind.name}
    told: Pairs = {LinkInfo.kind: kind.name}
    if described.xstats is not None:
        xstats = kind.fill_xstats(dev)
        told[LinkInfo.xstats] = None if xstats is None else described.xstats.encode(xstats)
    if described.data is not None:
        data = kind.fill_info(dev)
        if data is not None and not privileged and kind.guarded:
            data = {name: value for name, value in data.items() if name not in kind.guarded}
        told[LinkInfo.data] = _named(described.data, data)
    return told


def fill_slave_info(master: Device, kind: Kind, dev: Device) -> Pairs:
    """rtnl_link_slave_info_fill()."""
    described = KINDS.get(kind.name)
    slave = None if described is None else described.slave
    return {
        LinkInfo.slave_kind: kind.name,
        LinkInfo.slave_data: None if slave is None else _named(slave, kind.fill_slave_info(master, dev)),
    }


def _named(attr_set: type[AttrSet], said: Mapping[str, Any] | None) -> tuple[type[AttrSet], Pairs] | None:
    """Values by the names of attributes, as values by attribute."""
    if said is None:
        return None
    return attr_set, by_attr(attr_set, said)


def by_attr(attr_set: type[AttrSet], said: Mapping[str, Any]) -> Pairs:
    """A mapping inside a mapping is a nest."""
    told: Pairs = {}
    for name, attr in attr_set.spec.fields.items():
        value, inner = said.get(name), attr.kind.set if isinstance(attr.kind, Nest) else None
        told[attr] = by_attr(inner, value) if inner is not None and isinstance(value, Mapping) else value
    return told


# -- what is taken -----------------------------------------------------------------------------


@dataclass(slots=True)
class Taken:
    """What a request says of its kind.

    attrs: IFLA_INFO_DATA or IFLA_INFO_SLAVE_DATA, None without it; params: the same as the kind's own dataclass;
    peer_net: where the peer is to be, None when nothing is said of that."""

    attrs: Attrs | None = None
    params: Any = None
    peer_net: Net | None = None


def parse_data(call: Call, kind: Kind, link: LinkParams, attrs: Attrs, span: tuple[int, int] | None) -> Taken:
    """IFLA_INFO_DATA, at that span, by the kind's policy; then the link's own parameters by the kind's rules; then
    those of the peer (rtnl_newlink(), rtnl_get_peer_net())."""
    described = KINDS.get(kind.name)
    taken, wrong = Taken(), None
    if described is not None and described.data is not None and span is not None:
        policy = described.policy or described.data.spec.policy
        taken.attrs = Attrs(call.message, validate(policy, call.message, *span, LIBERAL, call.extack), *span)
        wrong = look_inside(described, taken.attrs)
        if described.peer is None:
            unread = {attr.field: None for attr, _ in described.inside} if wrong else {}
            taken.params = read(kind.params, described.data, taken.attrs, unread)
    link.data = taken.params
    try:
        kind.validate(link)
        if wrong is not None:
            raise wrong
        if described is not None and described.peer is not None:
            take_peer(call, kind, described, attrs, taken)
    except Refusal as refused:
        blame(refused, kind, taken, attrs)
        raise
    return taken


def look_inside(described: LinkKind, attrs: Attrs) -> Refusal | None:
    """nla_validate_nested_deprecated() of the nests that a kind looks into, without an extack: what is wrong there, in
    the kind's words; None: nothing."""
    for attr, words in described.inside:
        span = attrs.spans.get(attr.number)
        if span is None:
            continue
        assert isinstance(attr.kind, Nest) and attr.kind.set is not None
        try:
            validate(attr.kind.set.spec.policy, attrs.message, *span, LIBERAL, Extack())
        except Refusal as refused:
            return Refusal(refused.errno, words)
    return None


def take_peer(call: Call, kind: Kind, described: LinkKind, attrs: Attrs, taken: Taken) -> None:
    """rtnl_get_peer_net(): the peer's description, and the namespace that it, or else the link itself, names."""
    peer_attrs = attrs
    if taken.attrs is not None:
        assert described.data is not None and described.peer is not None
        peer = None
        at = taken.attrs.spans.get(described.peer.number)
        if at is not None:
            header, peer_attrs = parse_peer(call.message, *at, call.extack)
            peer = link_params(peer_attrs, header, call.extack)
            kind.validate(peer)
        taken.params = read(kind.params, described.data, taken.attrs, {described.peer.field: peer})
    taken.peer_net = named_net(call, peer_attrs)
    if taken.peer_net is not None and not capable_in(call, taken.peer_net):
        raise Refusal(errno.EPERM)


def parse_slave_data(call: Call, kind: Kind, span: tuple[int, int]) -> Taken:
    """IFLA_INFO_SLAVE_DATA by the policy of the master's kind, as its dataclass; nothing for a kind without
    attributes."""
    described = KINDS.get(kind.name)
    if described is None or described.slave is None:
        return Taken()
    policy: Policy = described.slave_policy or described.slave.spec.policy
    attrs = Attrs(call.message, validate(policy, call.message, *span, LIBERAL, call.extack), *span)
    return Taken(attrs, read(kind.slave_params, described.slave, attrs))


def read(
    params: type[Any] | None, attr_set: type[AttrSet], attrs: Attrs, known: Mapping[str, Any] | None = None
) -> Any:
    """Attributes as a dataclass whose fields bear their names. known: fields that were read
    elsewhere."""
    if params is None:
        return None
    said = dict(known or {})
    wanted = fields_of(params, attr_set)
    for number in attrs.spans:
        found = wanted.get(number)
        if found is not None and found[0] not in said:
            said[found[0]] = plain(found[1], attrs)
    return params(**said)


_FIELDS: dict[tuple[type[Any], type[AttrSet]], dict[int, tuple[str, Attr[Any]]]] = {}


def fields_of(params: type[Any], attr_set: type[AttrSet]) -> Mapping[int, tuple[str, Attr[Any]]]:
    """The fields of a dataclass that attributes of a set are read into, by the attributes' numbers; looked up once."""
    found = _FIELDS.get((params, attr_set))
    if found is None:
        named = {field.name: attr_set.spec.fields[field.name] for field in fields(params)}
        found = _FIELDS[params, attr_set] = {attr.number: (name, attr) for name, attr in named.items()}
    return found


def plain(attr: Attr[Any], attrs: Attrs) -> Any:
    """The value of an attribute as the model takes it: of an attribute that stands several times all of them, a nest as
    a mapping by names, an array as the payloads of its members."""
    if attr.multi:
        return [_plain(attr, value) for _, value in attrs.all(attr)]
    return _plain(attr, attrs[attr])


def _plain(attr: Attr[Any], value: Any) -> Any:
    if isinstance(attr.kind, NestArray):
        return [value.message[first:last] for _, first, last in walk(value.message, value.start, value.end)]
    inner = attr.kind.set if isinstance(attr.kind, Nest) else None
    if inner is None:
        return value
    return {name: plain(one, value) for name, one in inner.spec.fields.items() if one in value}


def blame(refusal: Refusal, kind: Kind, taken: Taken, link: Attrs, *, slave: bool = False) -> None:
    """Turns the name of a parameter that the model blames into the offset of its attribute: one of the kind's, of
    IFLA_INFO_DATA or IFLA_INFO_SLAVE_DATA, or of the link's own (of_link())."""
    if not isinstance(refusal.at, str):
        return
    if refusal.at.startswith(OF_LINK):
        span = link.spans.get(int(refusal.at.removeprefix(OF_LINK)))
        refusal.at = None if span is None else span[0] - NLATTR.size
        return
    described = KINDS.get(kind.name)
    data = None if described is None else described.slave if slave else described.data
    attr = None if data is None else data.spec.fields.get(refusal.at)
    refusal.at = None if attr is None or taken.attrs is None else taken.attrs.offset(attr)
