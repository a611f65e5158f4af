"""Parameters (net/devlink/param.c): asked for, and set. Ports have none."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.instance import dump, each, fill_handle, find, named
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink, DlParam, DlParamValue, DlParamValuesList
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkVarAttrType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.kernel.devlink.param import Param
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Attrs, Values

U32_SIZE = 4


def fill_param(instance: Instance, param: Param) -> Values:
    """devlink_nl_param_fill(): a flag is there or not as a value, and a byte as a default."""
    current = instance.param_value(param)
    if param.type is DevlinkVarAttrType.FLAG:
        data, default = b"" if current else None, bytes([param.value])
    else:
        data, default = current.to_bytes(4, "little"), param.value.to_bytes(4, "little")
    value = {
        DlParamValue.param_value_cmode: param.mode, DlParamValue.param_value_data: data,
        DlParamValue.param_value_default: default,
    }
    return fill_handle(instance) | {
        Devlink.param: {
            DlParam.param_name: param.name,
            DlParam.param_generic: True if param.generic else None,
            DlParam.param_type: param.type,
            DlParam.param_values_list: {DlParamValuesList.param_value: [value]},
        },
    }


@doit(c.PARAM_GET)
def param_get(call: Call) -> Values:
    """devlink_nl_param_get_doit()."""
    instance = find(call)
    call.attrs.require((Devlink.param_name,))
    param = named(call, Devlink.param_name, instance.params)
    if param is None:
        raise Refusal(errno.EINVAL)
    return fill_param(instance, param)


@doit(c.PARAM_SET)
def param_set(call: Call) -> None:
    """__devlink_nl_cmd_param_set_doit(): type, value and mode are looked at in this order, a value not at all where it
    is to be what it was at first. EINVAL; EOPNOTSUPP: the parameter cannot be set in that mode."""
    instance, attrs = find(call), call.attrs
    attrs.require((Devlink.param_name,))
    param = named(call, Devlink.param_name, instance.params)
    if param is None:
        raise Refusal(errno.EINVAL)
    attrs.require((Devlink.param_type,))
    if attrs[Devlink.param_type] != param.type:
        raise Refusal(errno.EINVAL)
    value = None if Devlink.param_reset_default in attrs else given(attrs, param)
    attrs.require((Devlink.param_value_cmode,))
    if attrs[Devlink.param_value_cmode] != param.mode:
        raise Refusal(errno.EOPNOTSUPP)
    instance.set_param(param, value)


def given(attrs: Attrs, param: Param) -> int:
    """devlink_param_value_get_from_info(): a value of that parameter's type. EINVAL: none, or one of another length."""
    number = Devlink.param_value_data.number
    start, end = attrs.spans.get(number, (0, 0))
    if param.type is DevlinkVarAttrType.FLAG:
        if end > start:
            raise Refusal(errno.EINVAL)
        return int(number in attrs.spans)
    if end - start != U32_SIZE:
        raise Refusal(errno.EINVAL)
    return int.from_bytes(attrs.message[start:end], "little")


@dumpit(c.PARAM_GET)
def param_dump(call: Call) -> Dump:
    """devlink_nl_param_get_dumpit()."""
    return dump(call, each(fill_param, lambda instance: instance.params))
