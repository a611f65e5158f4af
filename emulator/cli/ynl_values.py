"""Values as the kernel's ynl tool has them in Python: flags as sets, bytes as bytes, numbered nests spelled out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nlemu.emulator.client.client import Client
from nlemu.emulator.client.control import Control
from nlemu.protocol.decode.printer import Style
from nlemu.protocol.decode.tree import Node
from nlemu.protocol.encode.conversation import POLICY_NAMES
from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.names.words import ADDRESSES, address, field_name
from nlemu.protocol.schema.kinds import Headed, Records

TYPE_VALUE = {"policy": ("policy-id", "attr-id"), "op-policy": ("op-id",)}
"""nest-type-value: nests whose numbers are values, as the specification of nlctrl calls them."""

NAMED_FIELDS = frozenset(
    {"ifi-flags", "ifa-flags", "rtm-type", "ndm-state", "ndm-flags", "ndm-type", "action", "link-state"}
) | {field_name(*place) for kind in KINDS.values() for place in kind.shown}
"""Fields of structures for which the specifications have an enum."""
NUMBERS = {
    "Link": {"operstate", "linkmode", "event"},
    "Xdp": {"attached", "flags"},
    "Inet6Link": {"flags", "addr-gen-mode"},
    "Stringset": {"id"},
    "Linkinfo": {"port", "tp-mdix", "tp-mdix-ctrl", "transceiver"},
    "Linkmodes": {"autoneg", "duplex", "master-slave-cfg", "master-slave-state"},
    "Linkstate": {"ext-state"},
    "Pause": {"stats-src"},
    "StatsGet": {"src"},
    "StatsGrp": {"id", "ss-id"},
    "Module": {"power-mode-policy", "power-mode"},
    "Pse": {
        "podl-pse-admin-state", "podl-pse-admin-control", "c33-pse-admin-state", "c33-pse-admin-control",
    },
    "Fra": {"protocol"},
    "Nda": {"protocol"},
    "Ifa": {"proto"},
    "HwtstampProvider": {"qualifier"},
    "Rta": {"encap-type"},
}
"""Attributes for which they have none, though the headers name the values."""
WORDS = {"InetLink": {"conf"}, "Inet6Link": {"conf", "stats", "icmp6stats"}}
"""Structures that are arrays of unsigned numbers to them."""
HEX = {"Fra": {"fwmark", "fwmask", "suppress-prefixlen", "flowlabel", "flowlabel-mask", "sport-mask", "dport-mask",
               "dscp-mask"}, "Rta": {"flowlabel"}}
"""Numbers that they write in hexadecimal."""
UNSAID = frozenset({"res1", "res2", "rta-id", "rta-ts", "rta-tsage"})
"""Fields of structures that they leave out, beside padding."""
NEWS = {"rt-neigh": ("newneigh", "delneigh"), "rt-rule": ("newrule", "delrule")}
"""Messages that are called NAME-ntf when nobody asked for them. Other news of rtnetlink have no name there and keep
that of the message; the kernel's tool calls a new link getlink, and ends at one that is deleted."""


def listed(table: dict[str, set[str]], node: Node) -> bool:
    """Whether a table of attributes, by their set, has that of the node."""
    return node.attr is not None and node.name in table.get(node.attr.owner, ())


def said(field: str) -> bool:
    """Whether a field of a structure is told, which padding is not."""
    return not field.startswith("pad") and field not in UNSAID


class AsYnl(Style):
    """The conversions of pyynl, for what it does not know as well."""

    def number(self, node: Node, value: int) -> Any:
        if listed(NUMBERS, node) or (node.attr is None and node.name not in NAMED_FIELDS):
            return value
        return hex(value) if listed(HEX, node) else super().number(node, value)

    def value(self, node: Node) -> Any:
        if node.attr is not None and isinstance(node.attr.kind, Records | Headed) and node.children:
            return node.value  # it does not look inside
        if listed(WORDS, node):
            return [child.value & (1 << 8 * (child.end - child.start)) - 1 for child in node.children]
        if node.form == "struct":
            return self.members([child for child in node.children if said(child.name)])
        return super().value(node)

    def enum(self, name: str | None, value: int) -> Any:
        return f"Unknown({value})" if name is None else name

    def flags(self, names: list[str], unknown: int) -> Any:
        bits = {f"Unknown({bit})" for bit in range(unknown.bit_length()) if unknown >> bit & 1}
        return {*names, *bits}

    def bytes(self, node: Node, value: bytes) -> Any:
        if node.attr is not None and node.name in ADDRESSES - {"token"} and value:
            return address(value)
        return value

    def unknown(self, node: Node) -> tuple[Any, Any]:
        return f"UnknownAttr({node.number})", node.value

    def array(self, node: Node) -> Any:
        if node.name in TYPE_VALUE and node.attr is not None:
            spelled = list(type_values(self, node, TYPE_VALUE[node.name]))
            return spelled[0] if len(spelled) == 1 else spelled
        return [
            {child.number: self.value(child)} if child.form == "nest" else self.value(child)
            for child in node.children
        ]


AS_YNL = AsYnl()


class ByNumber(Style):
    """Arrays by number, always."""

    def array(self, node: Node) -> Any:
        return {child.number: self.value(child) for child in node.children}


def type_values(style: Style, node: Node, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """A nest whose number is a value, once for each that is in it."""
    for child in node.children:
        if len(names) > 1:
            for inside in type_values(style, child, names[1:]):
                yield {names[0]: child.number, **inside}
        else:
            yield {names[0]: child.number, **style.members(child.children)}


def policy_of(control: Control, client: Client, name: str, mode: str, netns: str) -> Any:
    """The policy of an operation as nlctrl tells it: attributes by name, None where there is none."""
    op = client.specification.operation(name)
    with Client.open(control, "nlctrl", netns=netns, style=ByNumber()) as nlctrl:
        told = nlctrl.dump("getpolicy", {"family-name": client.specification.family.name, "op": op.cmd})
    first: int | None = None
    policies: dict[int, dict[int, Any]] = {}
    for one in told:
        for modes in one.get("op-policy", {}).values():
            first = modes.get(mode, first)
        for index, attributes in one.get("policy", {}).items():
            policies.setdefault(index, {}).update(attributes)
    if first is None:
        return None

    def expand(index: int, attributes: Any, seen: frozenset[int]) -> dict[str, Any]:
        result = {}
        for number, facts in policies.get(index, {}).items():
            attr = None if attributes is None else attributes.spec.by_number.get(number)
            props = {POLICY_NAMES.get(key, key): one for key, one in facts.items() if key != "policy-maxtype"}
            inner = props.pop("policy-idx", None)
            if inner is not None and inner not in seen:
                inside = None if attr is None else getattr(attr.kind, "set", None)
                props["policy"] = expand(inner, inside, seen | {inner})
            result[f"attr-{number}" if attr is None else attr.name] = props
        return result

    return expand(first, op.set, frozenset({first}))
