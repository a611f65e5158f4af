"""The l2tp family (net/l2tp/l2tp_netlink.c): no tunnel can be made here, so there are none, and no sessions."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.l2tp import (
    NOOP,
    SESSION_CREATE,
    SESSION_DELETE,
    SESSION_GET,
    SESSION_MODIFY,
    TUNNEL_CREATE,
    TUNNEL_DELETE,
    TUNNEL_GET,
    TUNNEL_MODIFY,
    L2tp,
)
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Values

NEEDED = (L2tp.conn_id, L2tp.peer_conn_id, L2tp.proto_version, L2tp.encap_type)
ENDS = ((L2tp.ip6_saddr, L2tp.ip6_daddr), (L2tp.ip_saddr, L2tp.ip_daddr))


@doit(NOOP)
def noop(call: Call) -> Values:
    """l2tp_nl_cmd_noop()."""
    return {}


@doit(TUNNEL_CREATE)
def create_tunnel(call: Call) -> None:
    """l2tp_nl_cmd_tunnel_create(): EINVAL."""
    attrs = call.attrs
    if any(attr not in attrs for attr in NEEDED):
        raise Refusal(errno.EINVAL)
    if L2tp.fd not in attrs and not any(one in attrs and other in attrs for one, other in ENDS):
        raise Refusal(errno.EINVAL)
    call.machine.refuse_not_emulated("l2tp tunnel-create")


def refuse_tunnel(call: Call) -> None:
    """Of the tunnel that a request names: EINVAL, ENODEV."""
    raise Refusal(errno.ENODEV if L2tp.conn_id in call.attrs else errno.EINVAL)


def refuse_session(call: Call) -> None:
    """l2tp_nl_session_get(): ENODEV, whatever the request names."""
    raise Refusal(errno.ENODEV)


def dump(call: Call) -> Messages:
    """l2tp_nl_cmd_tunnel_dump(), l2tp_nl_cmd_session_dump()."""
    return iter(())


for op in (TUNNEL_DELETE, TUNNEL_MODIFY, TUNNEL_GET, SESSION_CREATE):
    doit(op)(refuse_tunnel)
for op in (SESSION_DELETE, SESSION_MODIFY, SESSION_GET):
    doit(op)(refuse_session)
for op in (TUNNEL_GET, SESSION_GET):
    dumpit(op)(dump)
