"""The IOAM6 family: namespaces and schemas of in-situ OAM (net/ipv6/ioam6.c). Their order in a dump is that of a hash,
which on Linux differs from boot to boot."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.wanted import need
from nlemu.emulator.kernel.ipv6 import ioam6
from nlemu.emulator.kernel.ipv6.ioam6 import UNAVAILABLE, UNAVAILABLE_WIDE, Namespace, Schema
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.ioam6 import (
    ADD_NAMESPACE,
    ADD_SCHEMA,
    DEL_NAMESPACE,
    DEL_SCHEMA,
    DUMP_NAMESPACES,
    DUMP_SCHEMAS,
    NS_SET_SCHEMA,
    Ioam6,
)

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages


@doit(ADD_NAMESPACE)
def add_namespace(call: Call) -> None:
    """ioam6_genl_addns(): EINVAL, EEXIST."""
    need(call, Ioam6.ns_id)
    attrs = call.attrs
    ioam6.of(call.net).add_namespace(Namespace(
        attrs[Ioam6.ns_id], attrs.get(Ioam6.ns_data, UNAVAILABLE), attrs.get(Ioam6.ns_data_wide, UNAVAILABLE_WIDE),
    ))


@doit(DEL_NAMESPACE)
def delete_namespace(call: Call) -> None:
    """ioam6_genl_delns(): EINVAL, ENOENT."""
    need(call, Ioam6.ns_id)
    ioam6.of(call.net).delete_namespace(call.attrs[Ioam6.ns_id])


@doit(ADD_SCHEMA)
def add_schema(call: Call) -> None:
    """ioam6_genl_addsc(): EINVAL, EEXIST."""
    need(call, Ioam6.sc_id, Ioam6.sc_data)
    ioam6.of(call.net).add_schema(call.attrs[Ioam6.sc_id], call.attrs[Ioam6.sc_data])


@doit(DEL_SCHEMA)
def delete_schema(call: Call) -> None:
    """ioam6_genl_delsc(): EINVAL, ENOENT."""
    need(call, Ioam6.sc_id)
    ioam6.of(call.net).delete_schema(call.attrs[Ioam6.sc_id])


@doit(NS_SET_SCHEMA)
def use(call: Call) -> None:
    """ioam6_genl_ns_set_schema(): EINVAL, ENOENT."""
    need(call, Ioam6.ns_id)
    none = Ioam6.sc_none in call.attrs
    if not none:
        need(call, Ioam6.sc_id)
    ioam6.of(call.net).use(call.attrs[Ioam6.ns_id], None if none else call.attrs[Ioam6.sc_id])


@dumpit(DUMP_NAMESPACES)
def dump_namespaces(call: Call) -> Messages:
    """ioam6_genl_dumpns()."""
    for one in tuple(ioam6.of(call.net).namespaces.values()):
        yield partial(_namespace, one)


def _namespace(one: Namespace) -> bytes:
    """__ioam6_genl_dumpns_element()."""
    return DUMP_NAMESPACES.body({
        Ioam6.ns_id: one.number,
        Ioam6.ns_data: None if one.data == UNAVAILABLE else one.data,
        Ioam6.ns_data_wide: None if one.data_wide == UNAVAILABLE_WIDE else one.data_wide,
        Ioam6.sc_id: None if one.schema is None else one.schema.number,
    })


@dumpit(DUMP_SCHEMAS)
def dump_schemas(call: Call) -> Messages:
    """ioam6_genl_dumpsc()."""
    for one in tuple(ioam6.of(call.net).schemas.values()):
        yield partial(_schema, one)


def _schema(one: Schema) -> bytes:
    """__ioam6_genl_dumpsc_element()."""
    return DUMP_SCHEMAS.body({
        Ioam6.sc_id: one.number, Ioam6.sc_data: one.data,
        Ioam6.ns_id: None if one.namespace is None else one.namespace.number,
    })
