"""The mptcp_pm family: endpoints and limits of Multipath TCP (net/mptcp/pm_netlink.c, pm_kernel.c, pm_userspace.c)."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.inet import mptcp
from nlemu.emulator.kernel.inet.mptcp import FULLMESH, IMPLICIT, MAX_LIMIT, SIGNAL, Endpoint
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.mptcp_pm import (
    ADD_ADDR,
    ANNOUNCE,
    DEL_ADDR,
    FLUSH_ADDRS,
    GET_ADDR,
    GET_LIMITS,
    REMOVE,
    SET_FLAGS,
    SET_LIMITS,
    SUBFLOW_CREATE,
    SUBFLOW_DESTROY,
    Address,
    EndpointAttrs,
    PmAttrs,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.mptcp_pm import MptcpPmAddrFlag
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Attr, Values

ALL_FLAGS = sum(int(flag) for flag in MptcpPmAddrFlag)
"""MPTCP_PM_ADDR_FLAGS_MASK"""
SUBFLOW = int(MptcpPmAddrFlag.SUBFLOW)


def refuse(call: Call, text: str, attr: Attr[Any]) -> Refusal:
    """EINVAL, with that text, at that attribute."""
    return Refusal(errno.EINVAL, text, at=call.attrs.offset(attr))


def parse(call: Call, attr: Attr[Any], *, require_family: bool) -> Endpoint:
    """mptcp_pm_parse_entry(): EINVAL, with texts."""
    said = call.attrs[attr]
    found = Endpoint(id=said.get(Address.id, 0))
    if Address.family in said:
        found.family = said[Address.family]
        if found.family not in (AF_INET, AF_INET6):
            raise refuse(call, "unknown address family", attr)
        address = Address.addr6 if found.family == AF_INET6 else Address.addr4
        if address not in said:
            raise refuse(call, "missing address data", attr)
        found.address = said.payload(address)[: 16 if found.family == AF_INET6 else 4]
    elif require_family:
        raise refuse(call, "missing family", attr)
    found.ifindex = said.get(Address.if_idx, 0)
    found.flags = said.get(Address.flags, 0) & ALL_FLAGS
    found.port = said.get(Address.port, 0)
    return found


def fill(one: Endpoint) -> Values:
    """mptcp_nl_fill_addr()."""
    four = one.family == AF_INET
    return {
        PmAttrs.addr: {
            Address.family: one.family, Address.port: one.port, Address.id: one.id, Address.flags: one.flags,
            Address.if_idx: one.ifindex or None,
            Address.addr4: int.from_bytes(one.address, "big") if four else None,
            Address.addr6: None if four else one.address,
        }
    }


@doit(ADD_ADDR)
def add(call: Call) -> None:
    """mptcp_pm_nl_add_addr_doit(): EINVAL and those of Endpoints.add(), with texts."""
    at = EndpointAttrs.addr
    new = parse(call, at, require_family=True)
    if new.port and new.flags & (SIGNAL | SUBFLOW) != SIGNAL:
        raise refuse(call, "flags must have signal and not subflow when using port", at)
    if new.flags & SIGNAL and new.flags & FULLMESH:
        raise refuse(call, "flags mustn't have both signal and fullmesh", at)
    if new.flags & IMPLICIT:
        raise refuse(call, "can't create IMPLICIT endpoint", at)
    if new.port:
        call.machine.refuse_not_emulated("mptcp_pm add-addr of a port")
    try:
        mptcp.of(call.net).add(new)
    except Refusal as refused:
        text = f"too many addresses or duplicate one: {-refused.errno}"
        raise Refusal(refused.errno, text) from refused


@doit(DEL_ADDR)
def delete(call: Call) -> None:
    """mptcp_pm_nl_del_addr_doit(): EINVAL, with texts."""
    said = parse(call, EndpointAttrs.addr, require_family=False)
    _blaming(call, EndpointAttrs.addr, lambda: mptcp.of(call.net).delete(said.id))


def _blaming(call: Call, attr: Attr[Any], run: Callable[[], None]) -> None:
    """What is refused is so for that attribute."""
    try:
        run()
    except Refusal as refused:
        raise Refusal(refused.errno, refused.text, at=call.attrs.offset(attr)) from refused


@doit(GET_ADDR)
def get(call: Call) -> Values:
    """mptcp_pm_nl_get_addr_doit(): EINVAL, with texts. No connection has an endpoint either."""
    said = parse(call, PmAttrs.addr, require_family=False)
    found = None if PmAttrs.token in call.attrs else mptcp.of(call.net).find(said.id)
    if found is None:
        raise refuse(call, "address not found", PmAttrs.addr)
    return fill(found)


@dumpit(GET_ADDR)
def dump(call: Call) -> Messages:
    """mptcp_pm_nl_get_addr_dumpit(): EINVAL, with a text."""
    if PmAttrs.token in call.attrs:
        refuse_token(call)
    for one in mptcp.of(call.net):
        yield partial(_body, one)


def _body(one: Endpoint) -> bytes:
    return GET_ADDR.body(fill(one))


@doit(FLUSH_ADDRS)
def flush(call: Call) -> None:
    """mptcp_pm_nl_flush_addrs_doit()."""
    mptcp.of(call.net).flush()


@doit(SET_LIMITS)
def set_limits(call: Call) -> None:
    """mptcp_pm_nl_set_limits_doit(): EINVAL, with a text."""
    known, attrs = mptcp.of(call.net), call.attrs
    for attr in (PmAttrs.rcv_add_addrs, PmAttrs.subflows):
        if attrs.get(attr, 0) > MAX_LIMIT:
            raise refuse(call, f"limit greater than maximum ({MAX_LIMIT})", attr)
    known.add_addr_accepted = attrs.get(PmAttrs.rcv_add_addrs, known.add_addr_accepted)
    known.subflows = attrs.get(PmAttrs.subflows, known.subflows)


@doit(GET_LIMITS)
def get_limits(call: Call) -> Values:
    """mptcp_pm_nl_get_limits_doit()."""
    known = mptcp.of(call.net)
    return {PmAttrs.rcv_add_addrs: known.add_addr_accepted, PmAttrs.subflows: known.subflows}


@doit(SET_FLAGS)
def set_flags(call: Call) -> None:
    """mptcp_pm_set_flags(): EINVAL, EOPNOTSUPP, with texts."""
    said = parse(call, PmAttrs.addr, require_family=False)
    if PmAttrs.token in call.attrs:
        call.attrs.require((PmAttrs.addr_remote,))
        refuse_token(call)
    _blaming(call, PmAttrs.addr, lambda: mptcp.of(call.net).set_flags(said))


def refuse_token(call: Call) -> None:
    """mptcp_userspace_pm_get_sock(): there is no connection. EINVAL, with a text."""
    raise refuse(call, "invalid token", PmAttrs.token)


for op in (ANNOUNCE, REMOVE, SUBFLOW_CREATE, SUBFLOW_DESTROY):
    doit(op)(refuse_token)
