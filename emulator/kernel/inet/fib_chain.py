"""Who hears of routes beside user space: the FIB notifier chain of a namespace (net/core/fib_notifier.c).

Drivers that take over routes register here; the routing tables call. So the tables know no driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv4.fib import Route4, Table4
    from nlemu.emulator.kernel.ipv6.fib import Route6


class FibListener(Protocol):
    """struct notifier_block of register_fib_notifier()."""

    def changed4(self, table: Table4, route: Route4) -> None:
        """A route of IPv4 came or went that is, or was, the first of its prefix."""

    def changed6(self, route: Route6) -> None:
        """A route of IPv6 came or went that is, or was, the first of its prefix, or shares the load with it."""


def changed4(net: Net, table: Table4, route: Route4) -> None:
    """call_fib4_notifiers()."""
    for listener in net.fib_listeners:
        listener.changed4(table, route)


def changed6(net: Net, route: Route6) -> None:
    """call_fib6_notifiers()."""
    for listener in net.fib_listeners:
        listener.changed6(route)
