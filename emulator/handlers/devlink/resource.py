"""Resources of devices and ports (net/devlink/resource.c): asked for, and set for the driver's next beginning."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.devlink.beyond import find_whole, refuse
from nlemu.emulator.handlers.devlink.instance import Fills, dump, fill_handle
from nlemu.emulator.kernel.devlink.resource import set_size
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.devlink import commands as c
from nlemu.protocol.families.devlink.attributes import Devlink, DlResource, DlResourceList
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkResourceScope
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.kernel.devlink.resource import Resource
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.attributes import Values

MULTI, DONE = int(NLM_F.MULTI), int(NlmsgType.DONE)
NO_SCOPE = "empty resource scope selection"


def fill_resource(resource: Resource) -> Values:
    """devlink_resource_put()."""
    parts = resource.parts
    return {
        DlResource.resource_name: resource.name,
        DlResource.resource_size: resource.size,
        DlResource.resource_id: resource.id,
        DlResource.resource_size_new: None if resource.size == resource.size_new else resource.size_new,
        DlResource.resource_occ: None if resource.occupied is None else resource.occupied(),
        DlResource.resource_size_gran: resource.granularity,
        DlResource.resource_size_max: resource.size_max,
        DlResource.resource_size_min: resource.size_min,
        DlResource.resource_unit: resource.unit,
        DlResource.resource_size_valid: int(resource.valid) if parts else None,
        DlResource.resource_list: DlResourceList.spec.layout.encode(fill_list(parts)) if parts else None,
    }


def fill_list(resources: Sequence[Resource]) -> Values:
    """Some of one level."""
    return {DlResourceList.resource: [fill_resource(resource) for resource in resources]}


def fill_resources(instance: Instance, port: int | None, resources: Sequence[Resource]) -> Values:
    """devlink_resource_dump_fill_one(): of the device, or of a port."""
    return fill_handle(instance) | {Devlink.port_index: port, Devlink.resource_list: fill_list(resources)}


@doit(c.RESOURCE_SET)
def resource_set(call: Call) -> None:
    """devlink_nl_resource_set_doit()."""
    instance, attrs = find_whole(call), call.attrs
    attrs.require((Devlink.resource_id, Devlink.resource_size))
    set_size(instance.resources, attrs[Devlink.resource_id], attrs[Devlink.resource_size])


@doit(c.RESOURCE_DUMP)
def resource_get(call: Call) -> None:
    """devlink_nl_resource_dump_doit(): a message that says that it is one of many, and that it was the last. ENODEV:
    there is no such port; EOPNOTSUPP: it has none."""
    instance = find_whole(call)
    port = call.attrs.get(Devlink.port_index)
    if port is not None and port not in instance.ports:
        raise Refusal(errno.ENODEV)
    resources = instance.resources if port is None else instance.port_resources(port)
    if not resources:
        raise Refusal(errno.EOPNOTSUPP)
    told = call.encode(fill_resources(instance, port, resources), MULTI)
    call.endpoint.deliver(told + message(DONE, MULTI, call.seq, call.portid, b""))


@dumpit(c.RESOURCE_DUMP)
def resource_dump(call: Call) -> Dump:
    """devlink_nl_resource_dump_dumpit(): of devices, of their ports, or of both. EINVAL."""
    attr = Devlink.resource_scope_mask
    scope = call.attrs.get(attr, DevlinkResourceScope.DEV | DevlinkResourceScope.PORT)

    def told(instance: Instance) -> Fills:
        return fills(instance) if instance.whole else iter((partial(refuse, call),))

    def fills(instance: Instance) -> Iterator[partial[Values]]:
        if not scope:
            raise Refusal(errno.EINVAL, NO_SCOPE, at=call.attrs.offset(attr))
        if scope & DevlinkResourceScope.DEV and instance.resources:
            yield partial(fill_resources, instance, None, instance.resources)
        for index in sorted(instance.ports) if scope & DevlinkResourceScope.PORT else ():
            resources = instance.port_resources(index)
            if resources:
                yield partial(fill_resources, instance, index, resources)

    return dump(call, told)
