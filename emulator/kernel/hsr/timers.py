"""What devices of the kind hsr do by the clock: they say that they are there, and forget who is not (net/hsr).

As long as a device is up and its state says so, it announces itself: of the first version of HSR three times every 100
ms, then every two seconds. Every three seconds it looks at the nodes that it knows: who was heard on one side only is
told of, and who was not heard for a minute is told of and forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.hsr import forward
from nlemu.emulator.kernel.hsr.hsr import NSEC_PER_MSEC, Hsr, Node, Port, PortType, Version
from nlemu.protocol.uapi.hsr_netlink import HsrCmd
from nlemu.protocol.uapi.if_ import IfOper

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device

LIFE_CHECK_INTERVAL = 2000 * NSEC_PER_MSEC
ANNOUNCE_INTERVAL = 100 * NSEC_PER_MSEC
PRUNE_PERIOD = 3000 * NSEC_PER_MSEC
MAX_SLAVE_DIFF = 3000 * NSEC_PER_MSEC
NODE_FORGET_TIME = 60000 * NSEC_PER_MSEC
WHEEL = tuple((NSEC_PER_MSEC << 3 * level, NSEC_PER_MSEC * 63 << 3 * level) for level in range(4))
"""How rough a level of the wheel is, and which delays are beyond it."""
FIRST = 3
"""So often a device of the first version announces itself in a hurry."""
UP_STATES = (IfOper.UP, IfOper.UNKNOWN)
ANNOUNCE, ANNOUNCE_PROXY, PRUNE, PRUNE_PROXY = "announce", "announce_proxy", "prune", "prune_proxy"


def expiry(now: int, after: int) -> int:
    """When a timer goes off that is to do so after so many nanoseconds: the further away, the rougher
    (kernel/time/timer.c: calc_wheel_index()). A jiffy is a millisecond."""
    granularity = next((one for one, limit in WHEEL if after < limit), WHEEL[-1][0])
    return ((now + after) // granularity + 1) * granularity


def start(hsr: Hsr, name: str, after: int, run: Callable[[Hsr], None]) -> None:
    """mod_timer(): after so many nanoseconds."""
    kernel = hsr.dev.kernel
    stop(hsr, name)

    def due() -> None:
        hsr.jobs.pop(name, None)
        run(hsr)

    hsr.jobs[name] = kernel.work.at(expiry(kernel.clock.now, after), due)


def stop(hsr: Hsr, name: str) -> None:
    """timer_delete()."""
    job = hsr.jobs.pop(name, None)
    if job is not None:
        job.cancel()


def check_announce(hsr: Hsr) -> None:
    """hsr_check_announce(): whether it announces itself, now that its state may be another one."""
    dev = hsr.dev
    if not (dev.running and is_oper_up(dev)):
        stop(hsr, ANNOUNCE)
        stop(hsr, ANNOUNCE_PROXY)
        return
    if ANNOUNCE not in hsr.jobs:
        hsr.announce_count = 0
        start(hsr, ANNOUNCE, ANNOUNCE_INTERVAL, _announce)
    if hsr.redbox is not None and ANNOUNCE_PROXY not in hsr.jobs:
        start(hsr, ANNOUNCE_PROXY, ANNOUNCE_INTERVAL // 2, _announce_proxies)


def is_oper_up(dev: Device) -> bool:
    """netif_oper_up()."""
    return dev.operstate in UP_STATES


def _send(port: Port, address: bytes) -> int:
    """Announces a node, and answers when it is to be done again, in nanoseconds."""
    hsr = port.hsr
    first = hsr.version == Version.HSR_V0 and hsr.announce_count < FIRST
    hsr.announce_count += first
    forward.announce(port, address)
    return ANNOUNCE_INTERVAL if first else LIFE_CHECK_INTERVAL


def _announce(hsr: Hsr) -> None:
    """hsr_announce()."""
    master = hsr.port(PortType.MASTER)
    assert master is not None
    interval = _send(master, hsr.dev.address)
    if hsr.dev.up:
        start(hsr, ANNOUNCE, interval, _announce)


def _announce_proxies(hsr: Hsr) -> None:
    """hsr_proxy_announce(): those without the protocol that are behind this device."""
    interlink = hsr.port(PortType.INTERLINK)
    if interlink is None:
        return
    interval = ANNOUNCE_INTERVAL
    for node in tuple(hsr.proxy_nodes):
        if node.address_a != hsr.redbox:
            interval = _send(interlink, node.address_a)
    if interlink.dev.up:
        start(hsr, ANNOUNCE_PROXY, interval, _announce_proxies)


def prune(hsr: Hsr) -> None:
    """hsr_prune_nodes()."""
    now = hsr.dev.kernel.clock.now
    for node in tuple(hsr.nodes):
        if node.address_a in hsr.self_addresses:
            continue
        newest = max(node.time_in[PortType.SLAVE_A], node.time_in[PortType.SLAVE_B])
        late = late_port(hsr, node) if newest + MAX_SLAVE_DIFF * 3 // 2 > now else None
        if late is not None:
            hsr.dev.kernel.announcer.hsr(late.dev.net, HsrCmd.RING_ERROR, node.address_a, late.dev.ifindex)
        if newest + NODE_FORGET_TIME < now:
            _forget(hsr, hsr.nodes, node)
    start(hsr, PRUNE, PRUNE_PERIOD, prune)


def late_port(hsr: Hsr, node: Node) -> Port | None:
    """get_late_port(): where the node was not heard, though it was on the other side."""
    a, b = node.time_in[PortType.SLAVE_A], node.time_in[PortType.SLAVE_B]
    if b > a + MAX_SLAVE_DIFF:
        return hsr.port(PortType.SLAVE_A)
    return hsr.port(PortType.SLAVE_B) if a > b + MAX_SLAVE_DIFF else None


def prune_proxies(hsr: Hsr) -> None:
    """hsr_prune_proxy_nodes()."""
    now = hsr.dev.kernel.clock.now
    for node in tuple(hsr.proxy_nodes):
        if node.address_a != hsr.redbox and node.time_in[PortType.INTERLINK] + NODE_FORGET_TIME < now:
            _forget(hsr, hsr.proxy_nodes, node)
    start(hsr, PRUNE_PROXY, PRUNE_PERIOD, prune_proxies)


def _forget(hsr: Hsr, nodes: list[Node], node: Node) -> None:
    hsr.dev.kernel.announcer.hsr(hsr.dev.net, HsrCmd.NODE_DOWN, node.address_a)
    nodes.remove(node)
