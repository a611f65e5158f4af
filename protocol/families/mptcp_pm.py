"""The mptcp_pm family: by which addresses Multipath TCP may speak (net/mptcp/pm_netlink.c, mptcp_pm_gen.c).

As Documentation/netlink/specs/mptcp_pm.yaml has it. What is told of connections is not declared: there are none.
"""

from typing import Any

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import be32, binary, nest, s32, u8, u16, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.mptcp_pm import (
    MPTCP_PM_CMD_GRP_NAME,
    MPTCP_PM_EV_GRP_NAME,
    MPTCP_PM_NAME,
    MPTCP_PM_VER,
    MptcpPmAddrFlag,
    MptcpPmCmd,
)
from nlemu.protocol.uapi.netlink import NLM_F


class Address(AttrSet):
    """MPTCP_PM_ADDR_ATTR_*, written as by mptcp_nl_fill_addr()."""

    family = Attr(1, u16)
    id = Attr(2, u8)
    addr4 = Attr(3, be32)
    addr6 = Attr(4, binary, min=16, max=16)
    port = Attr(5, u16)
    flags = Attr(6, u32, shown=MptcpPmAddrFlag)
    if_idx = Attr(7, s32)
    order = (family, port, id, flags, if_idx, addr4, addr6)


class EndpointAttrs(AttrSet):
    """MPTCP_PM_ENDPOINT_*: what adds and deletes."""

    addr = Attr(1, nest(Address))


class PmAttrs(AttrSet):
    """MPTCP_PM_ATTR_*."""

    addr = Attr(1, nest(Address))
    rcv_add_addrs = Attr(2, u32)
    subflows = Attr(3, u32)
    token = Attr(4, u32)
    loc_id = Attr(5, u8)
    addr_remote = Attr(6, nest(Address))


mptcp_pm = Family(
    MPTCP_PM_NAME, version=MPTCP_PM_VER, groups=(MPTCP_PM_CMD_GRP_NAME, MPTCP_PM_EV_GRP_NAME),
    privileged=(MPTCP_PM_EV_GRP_NAME,), option="MPTCP", strict_from=MptcpPmCmd.SUBFLOW_DESTROY + 1,
    dump_flags=NLM_F.MULTI,
)

UNS_ADMIN = GenlFlag.UNS_ADMIN_PERM
LIMITS = (PmAttrs.rcv_add_addrs, PmAttrs.subflows)


def _endpoint(*requires: Attr[Any]) -> Half:
    """A policy of its own each, as the kernel generates them."""
    return Half(Policy(EndpointAttrs.addr, chosen_from=EndpointAttrs), requires, UNS_ADMIN, LIBERAL)


def _asked(*attrs: Attr[Any], requires: tuple[Attr[Any], ...] = (), flags: int = UNS_ADMIN) -> Half:
    return Half(Policy(*attrs, chosen_from=PmAttrs), requires, flags, LIBERAL)


ADD_ADDR = mptcp_pm.operation(MptcpPmCmd.ADD_ADDR, EndpointAttrs, do=_endpoint(EndpointAttrs.addr))
DEL_ADDR = mptcp_pm.operation(MptcpPmCmd.DEL_ADDR, EndpointAttrs, do=_endpoint(EndpointAttrs.addr))
GET_POLICY = Policy(PmAttrs.addr, PmAttrs.token, chosen_from=PmAttrs)
GET_ADDR = mptcp_pm.operation(
    MptcpPmCmd.GET_ADDR, PmAttrs, do=Half(GET_POLICY, (PmAttrs.addr,), level=LIBERAL),
    dump=Half(GET_POLICY, done_apart=True), replies=Layout(PmAttrs.addr),
)
FLUSH_ADDRS = mptcp_pm.operation(MptcpPmCmd.FLUSH_ADDRS, EndpointAttrs, do=_endpoint())
SET_LIMITS = mptcp_pm.operation(MptcpPmCmd.SET_LIMITS, PmAttrs, do=_asked(*LIMITS))
GET_LIMITS = mptcp_pm.operation(
    MptcpPmCmd.GET_LIMITS, PmAttrs, do=_asked(*LIMITS, flags=0), replies=Layout(*LIMITS)
)
SET_FLAGS = mptcp_pm.operation(
    MptcpPmCmd.SET_FLAGS, PmAttrs, do=_asked(PmAttrs.addr, PmAttrs.token, PmAttrs.addr_remote, requires=(PmAttrs.addr,))
)
ANNOUNCE = mptcp_pm.operation(
    MptcpPmCmd.ANNOUNCE, PmAttrs, do=_asked(PmAttrs.addr, PmAttrs.token, requires=(PmAttrs.addr, PmAttrs.token))
)
REMOVE = mptcp_pm.operation(
    MptcpPmCmd.REMOVE, PmAttrs, do=_asked(PmAttrs.token, PmAttrs.loc_id, requires=(PmAttrs.loc_id, PmAttrs.token))
)
CONNECTION = (PmAttrs.addr, PmAttrs.addr_remote, PmAttrs.token)
SUBFLOW_CREATE = mptcp_pm.operation(
    MptcpPmCmd.SUBFLOW_CREATE, PmAttrs,
    do=_asked(PmAttrs.addr, PmAttrs.token, PmAttrs.addr_remote, requires=CONNECTION),
)
SUBFLOW_DESTROY = mptcp_pm.operation(
    MptcpPmCmd.SUBFLOW_DESTROY, PmAttrs,
    do=_asked(PmAttrs.addr, PmAttrs.token, PmAttrs.addr_remote, requires=CONNECTION),
)
