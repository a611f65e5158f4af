"""The policies of rtnetlink against the kernel's source: which attributes, types, lengths, limits and refusals.

rtnetlink does not tell its policies, as generic netlink does (those of netdev, ethtool and nlctrl are in traces c02,
c08 and e10). So they are read from the arrays of struct nla_policy, of which the tree need not have all.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from nlemu.protocol.families.route import addr, link, link_af, link_vf, neigh, neightbl, nsid, route, rule
from nlemu.protocol.families.route.kinds import netkit, veth
from nlemu.protocol.release import V7_2_13
from nlemu.protocol.schema import structs
from nlemu.protocol.schema.attributes import Attr
from nlemu.protocol.schema.kinds import Bytes, Structure, Text, Unspec
from nlemu.protocol.schema.policy import Policy
from tests.protocol.uapi.header import COMMENT, NoNumber, numbers, value

POLICIES: dict[str, tuple[str, Policy]] = {
    "ifla_policy": ("net/core/rtnetlink.c", link.TAKEN),
    "ifla_info_policy": ("net/core/rtnetlink.c", link.TAKEN_INFO),
    "ifla_vf_policy": ("net/core/rtnetlink.c", link_vf.TAKEN_VF),
    "ifla_port_policy": ("net/core/rtnetlink.c", link_vf.TAKEN_PORT),
    "ifla_xdp_policy": ("net/core/rtnetlink.c", link.TAKEN_XDP),
    "ifla_proto_down_reason_policy": ("net/core/rtnetlink.c", link.TAKEN_PROTO_DOWN_REASON),
    "netkit_policy": ("drivers/net/netkit.c", netkit.Netkit.spec.policy),
    "veth_policy": ("drivers/net/veth.c", veth.Veth.spec.policy),
    "inet_af_policy": ("net/ipv4/devinet.c", link_af.SET_INET),
    "inet_devconf_policy": ("net/ipv4/devinet.c", link_af.SET_DEVCONF),
    "inet6_af_policy": ("net/ipv6/addrconf.c", link_af.SET_INET6),
    "ifa_ipv4_policy": ("net/ipv4/devinet.c", addr.IPV4),
    "ifa_ipv6_policy": ("net/ipv6/addrconf.c", addr.IPV6),
    "rtm_ipv4_policy": ("net/ipv4/fib_frontend.c", route.IPV4),
    "rtm_ipv6_policy": ("net/ipv6/route.c", route.IPV6),
    "fib_rule_policy": ("net/core/fib_rules.c", rule.TAKEN),
    "nda_policy": ("net/core/neighbour.c", neigh.TAKEN),
    "nl_neightbl_policy": ("net/core/neighbour.c", neightbl.TAKEN),
    "nl_ntbl_parm_policy": ("net/core/neighbour.c", neightbl.TAKEN_PARMS),
    "rtnl_net_policy": ("net/core/net_namespace.c", nsid.TAKEN),
}
UAPI = "include/uapi/linux"
HEADERS = ("netlink", "if", "if_link", "if_addr", "rtnetlink", "neighbour", "fib_rules", "net_namespace", "veth", "ip")
INSIDE = {
    "MAX_ADDR_LEN": 32, "MAX_PHYS_ITEM_ID_LEN": 32, "MAX_TCP_HEADER": link.MAX_TCP_HEADER, "INET_DSCP_MASK": 0xFC,
    "RTNH_F_UNRESOLVED": 32, "NTF_EXT_MASK": neigh.TAKEN_EXT, "S16_MAX": 0x7FFF, "INT_MAX": 0x7FFFFFFF,
}
"""Numbers of the kernel's own headers."""
SIZES = {"u32": 4, "struct in6_addr": 16, "struct fib_rule_uid_range": 8, "struct fib_rule_port_range": 4} | {
    f"struct {name}": described.sizeof() for name, described in vars(structs).items() if hasattr(described, "sizeof")
} | {f"struct {attr.kind.name}": attr.kind.size or 0 for attr in link_vf.Vf.order} | {
    "struct ifla_vf_mac": 36, "struct ifla_port_vsi": 8
}

Rule = tuple[Any, ...]


def constants(tree: pathlib.Path) -> dict[str, int]:
    known = dict(INSIDE)
    for name in HEADERS:
        path = tree / UAPI / f"{name}.h"
        if path.is_file():
            known |= numbers(path, known)
    return known


def array(text: str, name: str) -> Iterator[tuple[str, str]]:
    """An array of struct nla_policy: its size, under the name of "size", then its entries, index and initializer."""
    start = re.search(rf"struct nla_policy {name}\[([^]]*)\]\s*=\s*{{", text)
    assert start is not None, name
    yield "size", start[1]
    body = text[start.end() : text.index("};", start.end())]
    for entry in re.split(r",\s*(?=\[)", body.strip().rstrip(",")):
        match = re.fullmatch(r"\[([^]]+)\]\s*=\s*(.+)", entry.strip(), re.DOTALL)
        assert match is not None, entry
        yield match[1].strip(), " ".join(match[2].split())


def told(initializer: str, text: str, known: Mapping[str, int]) -> Rule:
    """An initializer as type, length, least, most, mask, refusal."""

    def number(expression: str) -> int:
        sized = re.sub(r"sizeof\(([^)]*)\)", lambda match: str(SIZES[match[1].strip()]), expression)
        return value(sized, known, {})

    if macro := re.fullmatch(r"NLA_POLICY_(\w+)\((.*)\)", initializer):
        what, (first, *others) = macro[1], [part.strip() for part in macro[2].split(",")]
        if what == "FULL_RANGE":
            bounds = re.search(rf"{others[0].lstrip('&')} = {{([^}}]*)}}", text)
            assert bounds is not None
            fields = dict(re.findall(r"\.(min|max)\s*=\s*([^,\s]+)", bounds[1]))
            return first, 0, number(fields.get("min", "0")), number(fields["max"]), None, None
        if what == "EXACT_LEN":
            return "NLA_BINARY", 0, number(first), number(first), None, None
        if what == "VALIDATE_FN":
            return first, 0, None, None, None, None
        limits = [number(one) for one in others]
        low, high, mask = {
            "MIN": (limits[0], None, None), "MAX": (None, limits[0], None), "MASK": (None, None, limits[0]),
            "RANGE": (limits[0], limits[-1], None),
        }[what]
        return first, 0, low, high, mask, None
    fields = dict(re.findall(r"\.\s*(\w+)\s*=\s*(\"[^\"]*\"|[^,}]+)", initializer))
    refusal = fields["reject_message"].strip('"') if "reject_message" in fields else ""
    kind = fields.get("type", "NLA_UNSPEC").strip()
    return kind, number(fields.get("len", "0")), None, None, None, refusal if kind == "NLA_REJECT" else None


def declared(attr: Attr[Any]) -> Rule:
    kind = attr.kind
    if attr.reject is not None:
        return "NLA_REJECT", 0, None, None, None, attr.reject
    if isinstance(kind, Structure | Unspec):
        return "NLA_UNSPEC", kind.size or attr.length, None, None, None, None
    name = f"NLA_{kind.advertised.name}" if kind.advertised is not None else f"NLA_{kind.name.upper()}"
    length = attr.length if isinstance(kind, Text | Bytes) else 0
    return name, length, attr.min, attr.max, attr.mask, None


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_the_kernel_s(kernel_tree: pathlib.Path, name: str) -> None:
    file, policy = POLICIES[name]
    path = kernel_tree / file
    if not path.is_file():
        pytest.skip(f"the tree lacks {file}")
    known = constants(kernel_tree)
    try:
        top, strict_from, rules = read(COMMENT.sub(" ", path.read_text(encoding="utf-8")), name, known)
    except NoNumber as unknown:
        if all((kernel_tree / UAPI / f"{header}.h").is_file() for header in HEADERS):
            raise
        pytest.skip(f"the tree lacks a header: {unknown}")
    policy = policy.on(V7_2_13)
    assert {number: declared(attr) for number, attr in policy.rules.items()} == rules
    assert (policy.top, policy.strict_from) == (top, strict_from)


def read(text: str, name: str, known: Mapping[str, int]) -> tuple[int, int, dict[int, Rule]]:
    """A policy of that name: its greatest number, where strictness starts, and its rules by number."""
    top = strict_from = 0
    rules = {}
    for index, initializer in array(text, name):
        if index == "size":
            top = value(initializer, known, {}) - 1
        elif start := re.search(r"\.strict_start_type\s*=\s*([^}]+)", initializer):
            strict_from = value(start[1], known, {})
        elif number := value(index, known, {}):  # 0 is no attribute
            rules[number] = told(initializer, text, known)
    return top, strict_from, rules


def test_a_doctored_policy_is_noticed() -> None:
    """Each part of a rule is read: what the kernel had otherwise would differ."""
    text = """
        static const struct netlink_range_validation some_range = { .max = 9, };
        static const struct nla_policy some_policy[A_MAX + 1] = {
            [A_UNSPEC] = { .strict_start_type = A_B + 1 },
            [A_B] = { .type = NLA_STRING, .len = 16 - 1 }, [A_C] = NLA_POLICY_RANGE(NLA_U8, 1, 3),
            [A_D] = NLA_POLICY_FULL_RANGE(NLA_U32, &some_range),
            [A_E] = { .type = NLA_REJECT, .reject_message = "no, never" },
            [A_F] = { .len = sizeof(struct ndmsg) },
            [A_G] = NLA_POLICY_MASK(NLA_U8, 0xfc >> 2),
        };
    """
    known = {"A_UNSPEC": 0, "A_B": 1, "A_C": 2, "A_D": 3, "A_E": 4, "A_F": 5, "A_G": 6, "A_MAX": 7}
    assert read(text, "some_policy", known) == (
        7, 2, {
            1: ("NLA_STRING", 15, None, None, None, None), 2: ("NLA_U8", 0, 1, 3, None, None),
            3: ("NLA_U32", 0, 0, 9, None, None), 4: ("NLA_REJECT", 0, None, None, None, "no, never"),
            5: ("NLA_UNSPEC", 12, None, None, None, None), 6: ("NLA_U8", 0, None, None, 0x3F, None),
        },
    )
