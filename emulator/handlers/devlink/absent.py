"""What instances have none of here, so that the kernel's answer is known: shared buffers, line cards, self-tests,
parameters of ports, tables of a pipeline; and what the driver of simulated devices cannot do to a port."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.beyond import find_whole
from nlemu.emulator.handlers.devlink.instance import Fills, dump, fill_handle, find, find_port
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Attr

MULTI, DONE = int(NLM_F.MULTI), int(NlmsgType.DONE)
NO_PORT_PARAMETERS = "Port params are not supported"


def nothing(instance: Instance) -> Fills:
    """What there is to tell of an instance."""
    return iter(())


def dump_nothing(call: Call) -> Dump:
    """A dump of what no instance has."""
    return dump(call, nothing)


def refuse_named(call: Call, attr: Attr[int]) -> None:
    """Something that is known by a number, and that there is none of. Refusal EINVAL: no number; ENODEV."""
    raise Refusal(errno.ENODEV if attr in call.attrs else errno.EINVAL)


for op in (
    c.SB_GET, c.SB_POOL_GET, c.SB_PORT_POOL_GET, c.SB_TC_POOL_BIND_GET, c.LINECARD_GET, c.SELFTESTS_GET,
):
    dumpit(op)(dump_nothing)


@doit(c.SB_GET)
@doit(c.SB_POOL_GET)
@doit(c.SB_POOL_SET)
@doit(c.SB_OCC_SNAPSHOT)
@doit(c.SB_OCC_MAX_CLEAR)
def shared_buffer(call: Call) -> None:
    """devlink_sb_get_from_info()."""
    find(call)
    refuse_named(call, Devlink.sb_index)


@doit(c.SB_PORT_POOL_GET)
@doit(c.SB_PORT_POOL_SET)
@doit(c.SB_TC_POOL_BIND_GET)
@doit(c.SB_TC_POOL_BIND_SET)
def shared_buffer_of_port(call: Call) -> None:
    """The same of a port, which is looked for first."""
    find_port(call, find(call))
    refuse_named(call, Devlink.sb_index)


@doit(c.LINECARD_GET)
@doit(c.LINECARD_SET)
def line_card(call: Call) -> None:
    """devlink_linecard_get_from_info()."""
    find(call)
    refuse_named(call, Devlink.linecard_index)


@doit(c.SELFTESTS_GET)
@doit(c.SELFTESTS_RUN)
@doit(c.PORT_NEW)
def cannot(call: Call) -> None:
    """genl_family_rcv_msg(): what the driver has no function for."""
    find(call)
    raise Refusal(errno.EOPNOTSUPP)


@doit(c.PORT_DEL)
@doit(c.PORT_UNSPLIT)
def cannot_to_port(call: Call) -> None:
    """genl_family_rcv_msg(): the same of ports."""
    find_port(call, find(call))
    raise Refusal(errno.EOPNOTSUPP)


@doit(c.PORT_SPLIT)
def split(call: Call) -> None:
    """devlink_nl_port_split_doit(): into how many is missed first."""
    find_port(call, find(call))
    call.attrs.require((Devlink.port_split_count,))
    raise Refusal(errno.EOPNOTSUPP)


@dumpit(c.PORT_PARAM_GET)
def port_parameters(call: Call) -> Messages:
    """devlink_nl_port_param_get_dumpit(): empty, and the DONE says why."""
    call.extack.text = NO_PORT_PARAMETERS
    yield from ()


@doit(c.PORT_PARAM_GET)
@doit(c.PORT_PARAM_SET)
def port_parameter(call: Call) -> None:
    """devlink_nl_port_param_get_doit(), devlink_nl_port_param_set_doit()."""
    find_port(call, find(call))
    raise Refusal(errno.EINVAL, NO_PORT_PARAMETERS)


@doit(c.DPIPE_TABLE_GET)
def tables(call: Call) -> None:
    """devlink_nl_dpipe_table_get_doit(): an empty list, whether or not one is asked for by name, and that it was
    all."""
    told = call.encode(fill_handle(find_whole(call)) | {Devlink.dpipe_tables: {}}, MULTI)
    call.endpoint.deliver(told + message(DONE, MULTI, call.seq, call.portid, b""))


@doit(c.DPIPE_ENTRIES_GET)
def entries(call: Call) -> None:
    """devlink_nl_dpipe_entries_get_doit()."""
    find_whole(call)
    call.attrs.require((Devlink.dpipe_table_name,))
    raise Refusal(errno.EINVAL)


@doit(c.DPIPE_HEADERS_GET)
def headers(call: Call) -> None:
    """devlink_nl_dpipe_headers_get_doit()."""
    find_whole(call)
    raise Refusal(errno.EOPNOTSUPP)


@doit(c.DPIPE_TABLE_COUNTERS_SET)
def counters(call: Call) -> None:
    """devlink_nl_dpipe_table_counters_set_doit()."""
    find_whole(call)
    call.attrs.require((Devlink.dpipe_table_name, Devlink.dpipe_table_counters_enabled))
    raise Refusal(errno.EINVAL)
