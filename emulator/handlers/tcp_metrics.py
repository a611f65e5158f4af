"""The tcp_metrics family (net/ipv4/tcp_metrics.c): nobody speaks TCP here, so nothing is remembered of anybody."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.tcp_metrics import DEL, GET, TcpMetrics
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages


def _names_somebody(call: Call) -> bool:
    """parse_nl_addr()."""
    return TcpMetrics.addr_ipv4 in call.attrs or TcpMetrics.addr_ipv6 in call.attrs


@doit(GET)
def get(call: Call) -> None:
    """tcp_metrics_nl_cmd_get(): EAFNOSUPPORT without an address, ESRCH."""
    raise Refusal(errno.ESRCH if _names_somebody(call) else errno.EAFNOSUPPORT)


@dumpit(GET)
def dump(call: Call) -> Messages:
    """tcp_metrics_nl_dump()."""
    return iter(())


@doit(DEL)
def delete(call: Call) -> None:
    """tcp_metrics_nl_cmd_del(): ESRCH; without an address all are forgotten."""
    if _names_somebody(call):
        raise Refusal(errno.ESRCH)
