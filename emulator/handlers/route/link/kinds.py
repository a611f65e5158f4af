"""What is told and taken of a link's kind: IFLA_INFO_DATA.

A kind's attributes become its parameters (emulator/kernel/links/netkit.py: NetkitParams ...), and what it is becomes
attributes. The peer of a pair is described by a whole link message inside an attribute.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from nlemu.emulator.handlers.common.netns import capable_in
from nlemu.emulator.handlers.route.link.parse import link_params, named_net, parse_peer
from nlemu.emulator.kernel.links.netkit import NetkitParams
from nlemu.emulator.kernel.links.veth import VethParams
from nlemu.protocol.families.route.link_kinds import Netkit, Veth
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, AttrSet
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.if_link import NetkitPairing
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
    from nlemu.emulator.netlink.call import Call

Told = tuple[type[AttrSet], dict[Attr[Any], Any]] | None


def fill_info(dev: Device) -> Told:
    """rtnl_link_info_fill(): what the kind has to say of the device; None if it has no fill_info."""
    assert dev.kind is not None
    fill = FILLS.get(dev.kind.name)
    return None if fill is None else fill(dev)


def fill_netkit(dev: Device) -> Told:
    """netkit_fill_info()."""
    netkit = dev.priv
    peer = netkit.peer
    return Netkit, {
        Netkit.primary: int(netkit.primary),
        Netkit.policy: netkit.policy,
        Netkit.mode: netkit.mode,
        Netkit.scrub: netkit.scrub if netkit.pair == NetkitPairing.PAIR else None,
        Netkit.headroom: dev.needed_headroom,
        Netkit.tailroom: dev.needed_tailroom,
        Netkit.pairing: netkit.pair,
        Netkit.peer_policy: None if peer is None else peer.priv.policy,
        Netkit.peer_scrub: None if peer is None else peer.priv.scrub,
    }


@dataclass(slots=True)
class Taken:
    """What a request says of its kind.

    attrs: IFLA_INFO_DATA, None without it; params: the same as the kind's own dataclass; peer: of its peer; peer_net:
    where the peer is to be, None when nothing is said of that."""

    attrs: Attrs | None = None
    params: Any = None
    peer: LinkParams | None = None
    peer_net: Net | None = None


FILLS: dict[str, Callable[[Device], Told]] = {"netkit": fill_netkit}


def parse_data(call: Call, kind: Kind, attrs: Attrs, span: tuple[int, int] | None) -> Taken:
    """IFLA_INFO_DATA, at that span, by the kind's policy; then the link's own attributes by the kind's rules; then
    those of the peer (rtnl_newlink(), rtnl_get_peer_net())."""
    described = KINDS.get(kind.name)
    taken = Taken()
    if described is not None and span is not None:
        policy = described.attributes.spec.policy
        taken.attrs = Attrs(call.message, validate(policy, call.message, *span, LIBERAL, call.extack), *span)
    kind.validate(link_params(attrs, call.fixed, call.extack))
    if described is None:
        return taken
    peer_attrs = attrs
    if taken.attrs is not None:
        at = taken.attrs.spans.get(described.peer.number)
        if at is not None:
            header, peer_attrs = parse_peer(call.message, *at, call.extack)
            taken.peer = link_params(peer_attrs, header, call.extack)
            kind.validate(taken.peer)
        taken.params = described.params(taken.attrs, taken.peer)
    taken.peer_net = named_net(call, peer_attrs)
    if taken.peer_net is not None and not capable_in(call, taken.peer_net):
        raise Refusal(errno.EPERM)
    return taken


def netkit_params(data: Attrs, peer: LinkParams | None) -> NetkitParams:
    get = data.get
    return NetkitParams(
        mode=get(Netkit.mode),
        policy=get(Netkit.policy),
        peer_policy=get(Netkit.peer_policy),
        scrub=get(Netkit.scrub),
        peer_scrub=get(Netkit.peer_scrub),
        headroom=get(Netkit.headroom),
        tailroom=get(Netkit.tailroom),
        pairing=get(Netkit.pairing),
        peer=peer,
    )


def veth_params(data: Attrs, peer: LinkParams | None) -> VethParams:
    return VethParams(peer)


class Described(NamedTuple):
    """A kind's attributes: the set, the one that describes the peer (peer_type), how they become parameters, and which
    attribute is to blame for which parameter."""

    attributes: type[AttrSet]
    peer: Attr[Any]
    params: Callable[[Attrs, LinkParams | None], Any]
    blamed: dict[str, Attr[Any]]


KINDS = {
    "netkit": Described(
        Netkit,
        Netkit.peer_info,
        netkit_params,
        {attr.name.replace("-", "_"): attr for attr in Netkit.order} | {"peer": Netkit.peer_info},
    ),
    "veth": Described(Veth, Veth.peer, veth_params, {}),
}


def blame(refusal: Refusal, kind: Kind, taken: Taken) -> None:
    """Turns the name of a parameter that the model blames into the offset of its attribute."""
    described = KINDS.get(kind.name)
    if isinstance(refusal.at, str):
        attr = described.blamed.get(refusal.at) if described is not None else None
        refusal.at = None if attr is None or taken.attrs is None else taken.attrs.offset(attr)
