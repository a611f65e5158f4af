"""Tunnels that end here: what is done with packets to a segment of ours, seg6_local_build_state(),
seg6_local_fill_encap() of net/ipv6/seg6_local.c.

Each action needs some attributes and can have others; what it has no use for is not looked at. What it needs is read
first, each by number. Programs (End.BPF) are not emulated.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, NamedTuple

from nlemu.emulator.handlers.route.route import segments
from nlemu.emulator.kernel.inet.lwtunnel import Flavors, Seg6Local
from nlemu.emulator.kernel.links import vrf
from nlemu.protocol.families.route import lwtunnel
from nlemu.protocol.families.route.lwtunnel import Seg6Counters, Seg6Flavors
from nlemu.protocol.families.route.lwtunnel import Seg6Local as Told
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.seg6 import Seg6LocalAction as Action
from nlemu.protocol.uapi.seg6 import Seg6LocalFlavor as Flavor
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.protocol.schema.attributes import Attr
    from nlemu.protocol.schema.policy import Policy

DOMAINS = "NET_L3_MASTER_DEV"
"""The option without which no action ends in a domain's table."""
PSP, NEXT_CSID = 1 << Flavor.PSP, 1 << Flavor.NEXT_CSID
BLOCK, FUNCTION, CONTAINER = 32, 16, 128
"""SEG6_LOCAL_LCBLOCK_DBITS, SEG6_LOCAL_LCNODE_FN_DBITS, and how long both may be, in bits."""
MOST = 120


class Use(NamedTuple):
    """struct seg6_action_desc: what an action needs, and what it can have besides counters; flavors: which."""

    needs: tuple[Attr[Any], ...] = ()
    can: tuple[Attr[Any], ...] = ()
    flavors: int = 0
    domain: bool = False


ACTIONS: dict[int, Use] = {
    Action.END: Use(can=(Told.flavors,), flavors=PSP | NEXT_CSID),
    Action.END_X: Use((Told.nh6,), (Told.oif, Told.flavors), NEXT_CSID),
    Action.END_T: Use((Told.table,)),
    Action.END_DX2: Use((Told.oif,)),
    Action.END_DX6: Use((Told.nh6,)),
    Action.END_DX4: Use((Told.nh4,)),
    Action.END_DT4: Use((Told.vrftable,), domain=True),
    Action.END_DT6: Use(can=(Told.table, Told.vrftable)),
    Action.END_DT46: Use((Told.vrftable,), domain=True),
    Action.END_B6: Use((Told.srh,)),
    Action.END_B6_ENCAP: Use((Told.srh,)),
    Action.END_BPF: Use((Told.bpf,)),
}
"""seg6_action_table, of a kernel with domains"""


def read(net: Net, attrs: Attrs) -> Seg6Local:
    """EINVAL, EOPNOTSUPP, EPERM, ENODEV, some with texts."""
    if Told.action not in attrs:
        raise Refusal(errno.EINVAL)
    action = attrs[Told.action]
    use = ACTIONS.get(action)
    if use is None:
        raise Refusal(errno.EINVAL)
    domains = net.kernel.build.has(DOMAINS)
    if use.domain and not domains:
        raise Refusal(errno.EOPNOTSUPP)
    if action == Action.END_DT6 and not domains:
        use = Use((Told.table,))
    found: dict[int, Any] = {}
    for attr in use.needs:
        if attr not in attrs:
            raise Refusal(errno.EINVAL)
        found[attr.number] = READ[attr.number](attrs, use)
    for attr in (*use.can, Told.counters):
        if attr in attrs:
            found[attr.number] = READ[attr.number](attrs, use)
    tunnel = Seg6Local(
        action, found.get(Told.srh.number), found.get(Told.table.number), found.get(Told.nh4.number),
        found.get(Told.nh6.number), found.get(Told.oif.number), found.get(Told.vrftable.number),
        found.get(Told.counters.number, False), found.get(Told.flavors.number),
    )
    if action == Action.END_DT6 and domains and (tunnel.table is None) is (tunnel.vrf_table is None):
        raise Refusal(errno.EINVAL, "table or vrftable must be specified")
    if tunnel.vrf_table is not None:
        vrf.check_table(net, tunnel.vrf_table)
    return tunnel


def _number(attr: Attr[bytes]) -> Any:
    return lambda attrs, use: int.from_bytes(attrs[attr], "big")


def _same(attr: Attr[int]) -> Any:
    return lambda attrs, use: attrs[attr]


def _inside(policy: Policy, attrs: Attrs, attr: Attr[Any]) -> Attrs:
    """nla_parse_nested_deprecated(), of which nothing is said."""
    span = attrs.spans[attr.number]
    try:
        return Attrs(attrs.message, validate(policy, attrs.message, *span, LIBERAL, Extack()), *span)
    except Refusal as refused:
        raise Refusal(refused.errno) from refused


def _counters(attrs: Attrs, use: Use) -> bool:
    """parse_nla_counters(): all of them, whatever their values. EINVAL."""
    inside = _inside(lwtunnel.COUNTERS, attrs, Told.counters)
    if not all(attr in inside for attr in Seg6Counters.order):
        raise Refusal(errno.EINVAL)
    return True


def _flavors(attrs: Attrs, use: Use) -> Flavors:
    """parse_nla_flavors(): EINVAL, EOPNOTSUPP, with texts."""
    inside = _inside(lwtunnel.FLAVORS, attrs, Told.flavors)
    if Seg6Flavors.operation not in inside:
        raise Refusal(errno.EINVAL)
    operations = inside[Seg6Flavors.operation]
    if operations & ~use.flavors:
        raise Refusal(errno.EOPNOTSUPP, "Unsupported Flavor operation(s)")
    if not operations & NEXT_CSID:
        return Flavors(operations)
    block = inside.get(Seg6Flavors.lcblock_bits, BLOCK)
    function = inside.get(Seg6Flavors.lcnode_fn_bits, FUNCTION)
    if block + function > CONTAINER or any(not bits or bits > MOST or bits & 7 for bits in (block, function)):
        raise Refusal(errno.EINVAL, "Invalid Locator Block/Node Function lengths")
    return Flavors(operations, block, function)


def _program(attrs: Attrs, use: Use) -> None:
    raise Refusal(errno.EOPNOTSUPP, "nlemu: routes through programs are not emulated")


READ: dict[int, Any] = {
    Told.srh.number: lambda attrs, use: segments.read(attrs[Told.srh]),
    Told.nh4.number: _number(Told.nh4),
    Told.nh6.number: _number(Told.nh6),
    Told.bpf.number: _program,
    Told.counters.number: _counters,
    Told.flavors.number: _flavors,
    **{attr.number: _same(attr) for attr in (Told.table, Told.oif, Told.vrftable)},
}
"""seg6_action_params: how each attribute is read."""


def told(tunnel: Seg6Local) -> bytes:
    """seg6_local_fill_encap(). Nothing has been counted."""
    flavors = tunnel.flavors
    return Told.spec.layout.encode(
        {
            Told.action: tunnel.action,
            Told.srh: None if tunnel.header is None else segments.told(tunnel.header),
            Told.table: tunnel.table,
            Told.nh4: None if tunnel.nh4 is None else tunnel.nh4.to_bytes(4, "big"),
            Told.nh6: None if tunnel.nh6 is None else tunnel.nh6.to_bytes(16, "big"),
            Told.oif: tunnel.oif,
            Told.vrftable: tunnel.vrf_table,
            Told.counters: dict.fromkeys(Seg6Counters.order, 0) if tunnel.counted else None,
            Told.flavors: None if flavors is None else {
                Seg6Flavors.operation: flavors.operations,
                Seg6Flavors.lcblock_bits: flavors.block or None,
                Seg6Flavors.lcnode_fn_bits: flavors.function or None,
            },
        }
    )
