"""The IOAM6 family: namespaces and schemas of in-situ OAM (net/ipv6/ioam6.c).

There is no specification of it. Each command has a policy of its own; a dump is not looked at. No packet passes, so
nothing is told of traces.
"""

from typing import Any

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import binary, flag, u16, u32, u64
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.ioam6_genl import (
    IOAM6_GENL_EV_GRP_NAME,
    IOAM6_GENL_NAME,
    IOAM6_GENL_VERSION,
    IOAM6_MAX_SCHEMA_DATA_LEN,
    Ioam6Cmd,
)
from nlemu.protocol.uapi.netlink import NLM_F


class Ioam6(AttrSet):
    """IOAM6_ATTR_*; 7 is for padding."""

    ns_id = Attr(1, u16)
    ns_data = Attr(2, u32)
    ns_data_wide = Attr(3, u64)
    sc_id = Attr(4, u32)
    sc_data = Attr(5, binary, length=IOAM6_MAX_SCHEMA_DATA_LEN)
    sc_none = Attr(6, flag)


ioam6 = Family(
    IOAM6_GENL_NAME, version=IOAM6_GENL_VERSION, groups=(IOAM6_GENL_EV_GRP_NAME,),
    privileged=(IOAM6_GENL_EV_GRP_NAME,), strict_from=Ioam6Cmd.NS_SET_SCHEMA + 1, dump_flags=NLM_F.MULTI,
)

ADMIN = GenlFlag.ADMIN_PERM


def _asked(*attrs: Attr[Any]) -> Half:
    return Half(Policy(*attrs, chosen_from=Ioam6), flags=ADMIN, level=LIBERAL)


LISTED = Half(None, flags=ADMIN, done_apart=True)

ADD_NAMESPACE = ioam6.operation(
    Ioam6Cmd.ADD_NAMESPACE, Ioam6, do=_asked(Ioam6.ns_id, Ioam6.ns_data, Ioam6.ns_data_wide)
)
DEL_NAMESPACE = ioam6.operation(Ioam6Cmd.DEL_NAMESPACE, Ioam6, do=_asked(Ioam6.ns_id))
DUMP_NAMESPACES = ioam6.operation(
    Ioam6Cmd.DUMP_NAMESPACES, Ioam6, dump=LISTED,
    replies=Layout(Ioam6.ns_id, Ioam6.ns_data, Ioam6.ns_data_wide, Ioam6.sc_id),
)
ADD_SCHEMA = ioam6.operation(Ioam6Cmd.ADD_SCHEMA, Ioam6, do=_asked(Ioam6.sc_id, Ioam6.sc_data))
DEL_SCHEMA = ioam6.operation(Ioam6Cmd.DEL_SCHEMA, Ioam6, do=_asked(Ioam6.sc_id))
DUMP_SCHEMAS = ioam6.operation(
    Ioam6Cmd.DUMP_SCHEMAS, Ioam6, dump=LISTED, replies=Layout(Ioam6.sc_id, Ioam6.sc_data, Ioam6.ns_id)
)
NS_SET_SCHEMA = ioam6.operation(Ioam6Cmd.NS_SET_SCHEMA, Ioam6, do=_asked(Ioam6.ns_id, Ioam6.sc_id, Ioam6.sc_none))
