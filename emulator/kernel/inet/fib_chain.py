"""Who hears of routes beside user space: the FIB notifier chain of a namespace (net/core/fib_notifier.c).

Drivers that take over routes register here; the routing tables call. So the tables know no driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.rules import Rules
    from nlemu.emulator.kernel.ipv4.fib import Route4, Table4
    from nlemu.emulator.kernel.ipv6.fib import Route6


class FibListener(Protocol):
    """struct notifier_block of register_fib_notifier()."""

    def check4(self, route: Route4) -> None:
        """Whether a route of IPv4 may come, which will be the first of its prefix. Refusal."""

    def check6(self, route: Route6) -> None:
        """The same of IPv6. Refusal."""

    def check_rule(self, rules: Rules) -> None:
        """Whether there may be one more rule. Refusal."""

    def changed4(self, table: Table4, route: Route4) -> None:
        """A route of IPv4 came or went that is, or was, the first of its prefix."""

    def changed6(self, route: Route6) -> None:
        """A route of IPv6 came or went that is, or was, the first of its prefix, or shares the load with it."""


def check4(net: Net, route: Route4) -> None:
    """call_fib4_notifiers() of FIB_EVENT_ENTRY_REPLACE. Refusal."""
    for listener in net.fib_listeners:
        listener.check4(route)


def check6(net: Net, route: Route6) -> None:
    """call_fib6_notifiers() of the same. Refusal."""
    for listener in net.fib_listeners:
        listener.check6(route)


def check_rule(net: Net, rules: Rules) -> None:
    """call_fib_rule_notifiers() of FIB_EVENT_RULE_ADD. Refusal."""
    for listener in net.fib_listeners:
        listener.check_rule(rules)


def changed4(net: Net, table: Table4, route: Route4) -> None:
    """call_fib4_notifiers()."""
    for listener in net.fib_listeners:
        listener.changed4(table, route)


def changed6(net: Net, route: Route6) -> None:
    """call_fib6_notifiers()."""
    for listener in net.fib_listeners:
        listener.changed6(route)
