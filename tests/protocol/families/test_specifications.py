"""The declarations against the kernel's specifications, Documentation/netlink/specs.

What differs stands in exceptions.py, each with its reason; a difference that does not is a fault, and so is an
exception that is not needed. ``python -m tests.protocol.families.test_specifications TREE`` counts what is compared.
"""

from __future__ import annotations

import copy
import importlib
import pathlib
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from nlemu.protocol.encode.conversation import specification as declared
from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.families.route import addr, route
from nlemu.protocol.names.words import dashed
from nlemu.protocol.schema.attributes import Layout
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.snmp import Icmp6Mib, IpstatsMib
from tests.protocol.families.comparison import Comparison, Difference
from tests.protocol.families.exceptions import EXCEPTIONS, Excepted, uncovered
from tests.protocol.families.specification import Specification, load, specification

LAYOUTS: dict[str, tuple[Layout, ...]] = {
    "getaddr": (addr.TOLD6,),
    "getroute": (route.TOLD6, route.LOOKED_UP4, route.LOOKED_UP6),
}
POLICIES: dict[str, tuple[Policy, ...]] = {
    "newaddr": (addr.IPV6,),
    "newroute": (route.IPV6,),
    "delroute": (route.IPV6,),
    "getroute": (route.IPV6,),
}
"""What IPv6 takes and tells where IPv4 has other policies and layouts."""
WORDS = {
    "ipv4-devconf": {dashed(one.name): one - 1 for one in Ipv4Devconf},
    "ipv6-devconf": {dashed(one.name): int(one) for one in Ipv6Devconf},
    "ifla-inet6-stats": {dashed(one.name): int(one) for one in IpstatsMib},
    "ifla-icmp6-stats": {dashed(one.name): int(one) for one in Icmp6Mib},
}
"""What the words of arrays are. The specification counts those of IPv4 from 0, the header from 1."""
LISTED = {family.name: family for family in REGISTERED if family.listed}


def read(tree: pathlib.Path, name: str) -> Specification:
    return load(tree / f"Documentation/netlink/specs/{name}.yaml")


def compare(spec: Specification) -> Comparison:
    return Comparison(spec, declared(spec.name), LAYOUTS, POLICIES, WORDS)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_what_is_declared_is_what_is_specified(kernel_tree: pathlib.Path, name: str) -> None:
    assert uncovered(compare(read(kernel_tree, name)).differences, EXCEPTIONS[name]) == []


@pytest.mark.parametrize("name", ["net-shaper"])
def test_the_commands_of_listed_families(kernel_tree: pathlib.Path, name: str) -> None:
    """Families that are only listed: which commands there are, what they can be asked for and who may."""
    spec = read(kernel_tree, name.replace("-", "_"))
    flags = {}
    for op in spec.operations.values():
        if op.modes:
            assert op.request is not None
            flags[op.request] = sum(
                flag for word, flag in (
                    ("do", GenlFlag.CMD_CAP_DO), ("dump", GenlFlag.CMD_CAP_DUMP), ("admin-perm", GenlFlag.ADMIN_PERM),
                    ("uns-admin-perm", GenlFlag.UNS_ADMIN_PERM),
                ) if word in op.modes | op.flags
            )
    family = LISTED[name]
    assert {cmd: told & ~GenlFlag.CMD_CAP_HASPOL for cmd, told in family.commands().items()} == flags
    assert set(spec.groups) <= set(family.groups)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_the_files_are_read_as_the_kernel_s_client_reads_them(
    kernel_tree: pathlib.Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of attributes, of values and of commands, which the files mostly leave out."""
    monkeypatch.syspath_prepend(str(kernel_tree / "tools/net/ynl/pyynl"))
    library: Any = importlib.import_module("lib.nlspec")
    try:
        theirs = library.SpecFamily(str(kernel_tree / f"Documentation/netlink/specs/{name}.yaml"), "")
    finally:
        for module in [module for module in sys.modules if module == "lib" or module.startswith("lib.")]:
            del sys.modules[module]
    ours = read(kernel_tree, name)
    assert {of: {attr.name: number for number, attr in attrs.items()} for of, attrs in ours.sets.items()} == {
        of: {attr.name: attr.value for attr in attrs.attrs.values()} for of, attrs in theirs.attr_sets.items()
    }
    assert {of: dict(told.values) for of, told in ours.definitions.items() if told.type in ("enum", "flags")} == {
        of: {entry.name: entry.user_value() for entry in told.entries.values()}
        for of, told in theirs.consts.items() if told["type"] in ("enum", "flags")
    }
    for op in ours.operations.values():
        assert op.set == theirs.msgs[op.name].attr_set.name
        assert op.request in (None, theirs.msgs[op.name].req_value)
        assert op.reply in (None, theirs.msgs[op.name].rsp_value)


def doctored(told: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> set[str]:
    """What differs from netdev or rt-addr once the file is changed, and did not before."""
    before = compare(specification(copy.deepcopy(told))).differences
    change(told)
    return {f"{one.where}: {one.what}: {one.detail}" for one in compare(specification(told)).differences - before}


def attr(told: dict[str, Any], of: str, name: str) -> dict[str, Any]:
    attributes = next(one["attributes"] for one in told["attribute-sets"] if one["name"] == of)
    found: dict[str, Any] = next(one for one in attributes if one["name"] == name)
    return found


def op(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in told["operations"]["list"] if one["name"] == name)
    return found


def defined(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in told["definitions"] if one["name"] == name)
    return found


SAID = "in the specification, declared"
DOCTORED: dict[str, tuple[str, Callable[[dict[str, Any]], Any], set[str]]] = {
    "an attribute's name": (
        "netdev", lambda told: attr(told, "napi", "pid").update(name="tid"),
        {f"napi.tid: name: tid {SAID} pid"},
    ),
    "an attribute's number": (
        "netdev", lambda told: attr(told, "qstats", "tx-wake").update(value=99),
        {"qstats.tx-wake: attribute: not declared", "qstats.tx-wake: attribute: only declared"},
    ),
    "an attribute's type": (
        "netdev", lambda told: attr(told, "napi", "irq").update(type="s32"),
        {f"napi.irq: type: s32 {SAID} u32"},
    ),
    "byte order": (
        "netdev", lambda told: attr(told, "napi", "irq").update({"byte-order": "big-endian"}),
        {f"napi.irq: type: be-u32 {SAID} u32"},
    ),
    "a display hint": (
        "netdev", lambda told: attr(told, "napi", "irq").update({"display-hint": "hex"}),
        {f"napi.irq: shown: hex {SAID} None"},
    ),
    "several times": (
        "netdev", lambda told: attr(told, "dmabuf", "queues").pop("multi-attr"),
        {f"dmabuf.queues: several times: False {SAID} True"},
    ),
    "a limit": (
        "netdev", lambda told: attr(told, "lease", "netns-id")["checks"].update(min=-1),
        {f"lease.netns-id: bounds: (-1, 2147483647) {SAID} (0, 2147483647)"},
    ),
    "an enum": (
        "netdev", lambda told: attr(told, "napi", "threaded").pop("enum"),
        {"napi.threaded: names of values: only declared", "napi-threaded: definition: not declared",
         f"napi.threaded: bounds: (0, 4294967295) {SAID} (0, 2)"},
    ),
    "a value": (
        "netdev", lambda told: defined(told, "xdp-act")["entries"].append({"name": "teleport"}),
        {"xdp-act.teleport: value: not declared", f"dev.xdp-features: mask: 255 {SAID} 127"},
    ),
    "a value's number": (
        "rt-addr", lambda told: defined(told, "ifa-flags")["entries"].append({"name": "nodad", "value": 40}),
        {f"ifa-flags.nodad: value: {1 << 40} {SAID} 2"},
    ),
    "what is inside": (
        "netdev", lambda told: attr(told, "page-pool-stats", "info").update({"nested-attributes": "page-pool"}),
        {f"page-pool-stats.info: inside: page-pool {SAID} page-pool-info",
         "page-pool-info: attribute set: not declared"},
    ),
    "a set": (
        "netdev", lambda told: told["attribute-sets"].append({"name": "more", "attributes": []}),
        {"more: attribute set: not declared"},
    ),
    "an operation": (
        "netdev", lambda told: told["operations"]["list"].append(op(told, "bind-tx") | {"name": "bind-both"}),
        {"bind-both: operation: not declared"},
    ),
    "an operation's number": (
        "netdev", lambda told: op(told, "queue-create").update(value=20),
        {f"queue-create: request number: 20 {SAID} 16", f"queue-create: reply number: 20 {SAID} 16"},
    ),
    "a mode": ("netdev", lambda told: op(told, "dev-get").pop("dump"), {"dev-get: dump: only declared"}),
    "what a request holds": (
        "netdev", lambda told: op(told, "napi-set")["do"]["request"]["attributes"].remove("threaded"),
        {"napi-set: do request only declared: threaded"},
    ),
    "what a reply holds": (
        "netdev", lambda told: op(told, "bind-rx")["do"]["reply"]["attributes"].append("fd"),
        {"bind-rx: do reply not declared: fd"},
    ),
    "who may": (
        "netdev", lambda told: op(told, "bind-tx").update(flags=["admin-perm"]),
        {f"bind-tx: do flags: ['admin-perm'] {SAID} []"},
    ),
    "what a notification is like": (
        "netdev", lambda told: op(told, "dev-add-ntf").update(notify="napi-get"),
        {f"dev-add-ntf: inside: napi {SAID} dev", f"dev-add-ntf: like: False {SAID} True"},
    ),
    "where a notification goes": (
        "netdev", lambda told: op(told, "dev-add-ntf").update(mcgrp="page-pool"),
        {f"dev-add-ntf: group: page-pool {SAID} mgmt"},
    ),
    "a group": (
        "rt-addr", lambda told: told["mcast-groups"]["list"][0].update(value=6),
        {f"rtnlgrp-ipv4-ifaddr: group: 6 {SAID} 5"},
    ),
    "a field": (
        "rt-addr", lambda told: defined(told, "ifaddrmsg")["members"][1].update(name="ifa-length", type="u16"),
        {"ifaddrmsg.ifa-length: member: not declared", "ifaddrmsg.ifa-prefixlen: member: only declared",
         f"ifaddrmsg.ifa-flags: offset and type: (3, 'u8') {SAID} (2, 'u8')",
         f"ifaddrmsg.ifa-scope: offset and type: (4, 'u8') {SAID} (3, 'u8')",
         f"ifaddrmsg.ifa-index: offset and type: (5, 'u32') {SAID} (4, 'u32')", f"ifaddrmsg: size: 9 {SAID} 8"},
    ),
    "a field's names": (
        "rt-addr", lambda told: defined(told, "ifaddrmsg")["members"][2].pop("enum"),
        {f"ifaddrmsg.ifa-flags: names of values: False {SAID} True"},
    ),
    "the version": ("netdev", lambda told: told.update(version=2), {f"family: version: 2 {SAID} 1"}),
}


@pytest.mark.parametrize("what", DOCTORED)
def test_a_doctored_specification_is_noticed(kernel_tree: pathlib.Path, what: str) -> None:
    """The comparison can fail: for each kind of difference, a file with one."""
    import yaml

    name, change, expected = DOCTORED[what]
    told = yaml.safe_load((kernel_tree / f"Documentation/netlink/specs/{name}.yaml").read_text())
    assert doctored(told, change) == expected


def test_an_unknown_key_is_noticed(kernel_tree: pathlib.Path) -> None:
    import yaml

    told = yaml.safe_load((kernel_tree / "Documentation/netlink/specs/netdev.yaml").read_text())
    attr(told, "napi", "irq")["colour"] = "red"
    with pytest.raises(AssertionError, match=r"napi\.irq: nothing is known of \['colour'\]"):
        specification(told)


def test_an_exception_has_to_be_needed() -> None:
    found = {Difference("netdev", "dev.a", "attribute", "not declared"), Difference("netdev", "get", "do", "x")}
    table = (Excepted("dev.a dev.b", "attribute", "not declared", ""), Excepted("get", "do or dump", "x y", ""))
    assert [line.split(" of Excepted")[0] for line in uncovered(found, table)] == [
        "not needed any more: dev.b", "not needed any more: dump, y"
    ]
    assert uncovered(found, table[:1])[0] == "netdev: get: do: x"
    assert uncovered(found, (Excepted("dev.*", "attribute", "*", ""), Excepted("get", "do", "x", ""))) == []


def main(tree: str) -> None:
    counted: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    found = 0
    for name, table in EXCEPTIONS.items():
        comparison = compare(read(pathlib.Path(tree), name))
        counted += comparison.counted + Counter({"attribute sets": len(dict(comparison.pairs))})
        found += len(comparison.differences)
        for difference in comparison.differences:
            reasons.update({next(one.reason for one in table if one.used_by(difference)): 1})
    print(", ".join(f"{number} {what}" for what, number in sorted(counted.items())))
    print(f"{found} differences, by {sum(map(len, EXCEPTIONS.values()))} exceptions:")
    for reason, number in reasons.most_common():
        print(f"{number:5} {reason}")


if __name__ == "__main__":
    main(sys.argv[1])
