"""Namespaces and schemas of in-situ OAM, for each network namespace: struct ioam6_pernet_data of net/ipv6/ioam6.c.

A namespace of OAM may have a schema, and a schema is one namespace's. No packet is carried, so they are kept and told,
and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EEXIST, ENOENT
from typing import TYPE_CHECKING, cast

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

KEY = "ioam6"
UNAVAILABLE, UNAVAILABLE_WIDE = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
"""IOAM6_U32_UNAVAILABLE, IOAM6_U64_UNAVAILABLE: no data."""


@dataclass(slots=True, eq=False)
class Namespace:
    """struct ioam6_namespace."""

    number: int
    data: int = UNAVAILABLE
    data_wide: int = UNAVAILABLE_WIDE
    schema: Schema | None = None


@dataclass(slots=True, eq=False)
class Schema:
    """struct ioam6_schema. data: filled up to four bytes; namespace: whose it is."""

    number: int
    data: bytes
    namespace: Namespace | None = None


@dataclass(slots=True)
class Ioam6:
    """All of a network namespace, by number."""

    namespaces: dict[int, Namespace] = field(default_factory=dict)
    schemas: dict[int, Schema] = field(default_factory=dict)

    def add_namespace(self, new: Namespace) -> None:
        """ioam6_genl_addns(): EEXIST."""
        if new.number in self.namespaces:
            raise Refusal(EEXIST)
        self.namespaces[new.number] = new

    def delete_namespace(self, number: int) -> None:
        """ioam6_genl_delns(): ENOENT."""
        gone = self.namespaces.pop(number, None)
        if gone is None:
            raise Refusal(ENOENT)
        if gone.schema is not None:
            gone.schema.namespace = None

    def add_schema(self, number: int, data: bytes) -> None:
        """ioam6_genl_addsc(): EEXIST."""
        if number in self.schemas:
            raise Refusal(EEXIST)
        self.schemas[number] = Schema(number, data + bytes(-len(data) % 4))

    def delete_schema(self, number: int) -> None:
        """ioam6_genl_delsc(): ENOENT."""
        gone = self.schemas.pop(number, None)
        if gone is None:
            raise Refusal(ENOENT)
        if gone.namespace is not None:
            gone.namespace.schema = None

    def use(self, number: int, schema_number: int | None) -> None:
        """ioam6_genl_ns_set_schema(): a namespace has that schema, or none, and who had it no more. ENOENT."""
        namespace = self.namespaces.get(number)
        schema = None if schema_number is None else self.schemas.get(schema_number)
        if namespace is None or (schema is None and schema_number is not None):
            raise Refusal(ENOENT)
        if namespace.schema is not None:
            namespace.schema.namespace = None
        namespace.schema = schema
        if schema is not None:
            if schema.namespace is not None:
                schema.namespace.schema = None
            schema.namespace = namespace


def of(net: Net) -> Ioam6:
    """Those of that network namespace."""
    return cast("Ioam6", net.generic.setdefault(KEY, Ioam6()))
