"""Which families have rules in a namespace, and the tables that a rule of theirs leads to (fib4_rule_configure(),
fib6_rule_configure())."""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.rules import IN_ORDER, IP6MR, IPMR, IPV4, IPV6, TO_TABLE, Rule, add
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.rules import Rules, RulesOps

KEPT: dict[RulesOps, Callable[[Net], Rules]] = {
    IPV4: lambda net: ip4.of(net).rules,
    IPMR: lambda net: ip4.of(net).group_rules,
    IP6MR: lambda net: ip6.of(net).group_rules,
    IPV6: lambda net: ip6.of(net).rules,
}


def registered(net: Net) -> list[Rules]:
    """net->rules_ops: the rules of all families that have any, in the order of a dump."""
    return [KEPT[ops](net) for ops in IN_ORDER if net.kernel.build.has(ops.option)]


def of(net: Net, family: int) -> Rules | None:
    """lookup_rules_ops()."""
    return next((rules for rules in registered(net) if rules.ops.family == family), None)


L3MDEV = 1000
"""FIB_RULE_PREF of drivers/net/vrf.c"""


def new_table(net: Net, number: int) -> None:
    """fib_new_table(), fib6_new_table()."""
    ip4.of(net).fib.new_table(number)
    ip6.of(net).fib.new_table(number)


def lead_to_domains(net: Net) -> None:
    """vrf_add_fib_rules(): once in a namespace, a rule of each family that leads to the table of a packet's domain."""
    if net.leads_to_domains:
        return
    net.leads_to_domains = True
    for ops in (IPV4, IPV6, IPMR, IP6MR):
        rules = of(net, ops.family)
        if rules is None:
            continue
        rule = Rule(L3MDEV, 0, l3mdev=1, ops=ops)
        if any(other.like(rule) for other in rules):
            continue
        lead(net, rules, rule)
        add(net, rules, rule)


def lead(net: Net, rules: Rules, rule: Rule) -> None:
    """The end of ops->configure(): the table that a new rule leads to is there. EINVAL with a text, where it names
    none; IPv4 then makes one that nothing is in."""
    leads = rule.action == TO_TABLE and not rule.l3mdev
    if rules.ops is IPV4:
        ip4.of(net).fib.split = True
        if leads and not rule.table:
            rule.table = ip4.of(net).fib.empty_table()
    elif rules.ops is IPV6 and leads:
        if not rule.table:
            raise Refusal(EINVAL, "Invalid table")
        ip6.of(net).fib.new_table(rule.table)
    rules.changed = True
