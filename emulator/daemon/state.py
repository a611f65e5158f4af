"""The whole state of a machine as JSON, for people and for tests that look in from outside.

It is a view: what netlink would show only in pieces and per namespace, in one document with names instead of numbers
where there are names. What does not apply is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.rules import empty
from nlemu.emulator.kernel.ethtool.rules import every
from nlemu.protocol.names.words import address, dashed
from nlemu.protocol.uapi.ethtool import FlowType
from nlemu.protocol.uapi.if_ import IFF, IfOper

if TYPE_CHECKING:
    from nlemu.emulator.daemon.connection import Connection
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.queue import RxQueue
    from nlemu.emulator.kernel.devices.rules import Rule
    from nlemu.emulator.kernel.queues.napi import Napi
    from nlemu.emulator.kernel.queues.page_pool import PagePool
    from nlemu.emulator.machine.machine import Machine


def state(machine: Machine, connections: Iterable[Connection] = ()) -> dict[str, Any]:
    """What there is: namespaces with their ids and devices, protocols and families by number, open sockets; and what
    was asked for that such a kernel would do and we do not."""
    connected = {id(connection.endpoint): connection for connection in connections}
    sockets = []
    for endpoint in machine.ports:
        connection = connected.get(id(endpoint))
        sockets.append(
            _present(
                name=None if connection is None else connection.name,
                netns=endpoint.net.name,
                protocol=endpoint.spec.name,
                port=endpoint.portid,
                uid=endpoint.credentials.uid,
                groups=sorted(endpoint.groups) or None,
                overruns=None if connection is None else connection.overruns or None,
                drops=endpoint.drops or None,
            )
        )
    return {
        "kernel": {
            "name": machine.build.name, "cpus": machine.cpus, "netdevsim": machine.netdevsim, "bugs": machine.bugs,
            "seed": machine.seed,
        },
        "families": {family.name: number for family, number in machine.families.numbers.items()},
        "protocols": {protocol.name: number for number, protocol in machine.protocols.items()},
        "namespaces": {name: _namespace(net) for name, net in machine.nets.items()},
        "sockets": sockets,
        "not emulated": list(machine.not_emulated),
    }


def _namespace(net: Net) -> dict[str, Any]:
    return {
        "cookie": net.cookie,
        "inode": net.inum,
        "ids": {peer.name: nsid for nsid, peer in net.ids},
        "devices": [device(dev) for dev in sorted(net, key=lambda dev: dev.ifindex)],
    }


def device(dev: Device) -> dict[str, Any]:
    """One device."""
    peer = dev.ops.get_peer(dev)
    rx = dev.rx.made(dev.real_num_rx_queues)
    return _present(
        ifindex=dev.ifindex,
        name=dev.name,
        altnames=list(dev.altnames) or None,
        alias=dev.ifalias or None,
        kind=dev.kind.name if dev.kind is not None and dev.kind.name else None,
        driver=dev.ops.driver or None,
        parent=None if dev.parent is None else dev.parent.name,
        peer=None if peer is None else {"netns": peer.net.name, "name": peer.name, "ifindex": peer.ifindex},
        master=None if dev.master is None else dev.master.name,
        flags=[flag.name for flag in IFF if dev.flags & flag],
        operstate=IfOper(dev.operstate).name,
        carrier=dev.carrier,
        mtu=dev.mtu,
        address=dev.address.hex(":") or None,
        rx_queues=dev.real_num_rx_queues,
        tx_queues=dev.real_num_tx_queues,
        leases=[_lease(queue) for queue in rx if queue.lease is not None] or None,
        xsk=[queue.index for queue in rx if queue.pool is not None] or None,
        providers={str(queue.index): queue.mp.kind.value for queue in rx if queue.mp is not None} or None,
        napis=[_napi(napi) for napi in dev.napi_list] or None,
        page_pools=[_page_pool(pool) for pool in dev.page_pools] or None,
        tables=_tables(dev),
        rules=[_rule(rule) for rule in every(dev)] or None,
    )


def _tables(dev: Device) -> dict[str, dict[str, int]] | None:
    """How many entries of its tables of receive-side scaling each queue has, by context; 0 is the device's own."""
    if not dev.ops.has("get_rxfh"):
        return None
    tables = {0: dev.ops.get_rxfh(dev).table or ()}
    tables |= {number: context.table for number, context in dev.spread.contexts.items()}
    return {
        str(number): {str(queue): count for queue, count in sorted(Counter(table).items())}
        for number, table in tables.items() if table
    }


def _rule(rule: Rule) -> dict[str, Any]:
    """One that sends flows to a queue or a context. flow: what is matched, field by field."""
    matched = {} if rule.masks is None else {
        name: _field(name, getattr(rule.values, name))
        for name in rule.masks._fields if not empty(getattr(rule.masks, name))
    }
    return _present(
        location=rule.location,
        kind=dashed(rule.flow.name) if isinstance(rule.flow, FlowType) else rule.flow,
        flow=matched,
        queue=rule.ring if not rule.spread and rule.queue is not None else None,
        vf=rule.vf - 1 if rule.vf else None,
        context=rule.context if rule.spread else None,
        drops=rule.drops or None,
    )


def _field(name: str, value: int | bytes) -> int | str:
    """A field of a packet as people write it."""
    if name.startswith("ip4"):
        return address(int(value).to_bytes(4, "big"))
    return address(value) if isinstance(value, bytes) else value


def _lease(queue: RxQueue) -> dict[str, Any]:
    """One end of a lease. A device with a parent is the one that lends."""
    other = queue.lease
    assert other is not None
    return {
        "queue": queue.index,
        "to" if queue.dev.parent is not None else "from": {
            "netns": other.dev.net.name, "name": other.dev.name, "ifindex": other.dev.ifindex, "queue": other.index,
        },
    }


def _napi(napi: Napi) -> dict[str, Any]:
    return _present(
        id=napi.napi_id if napi.valid else None,
        index=napi.index if napi.index >= 0 else None,
        enabled=napi.enabled,
        irq=napi.irq if napi.irq >= 0 else None,
        pid=napi.pid,
        threaded=napi.threaded.name,
        defer_hard_irqs=napi.defer_hard_irqs,
        gro_flush_timeout=napi.gro_flush_timeout,
        irq_suspend_timeout=napi.irq_suspend_timeout,
    )


def _page_pool(pool: PagePool) -> dict[str, Any]:
    return _present(
        id=pool.id,
        napi_id=pool.napi_id,
        inflight=pool.inflight,
        detach_time=pool.detach_time,
        provider=None if pool.provider is None else pool.provider.kind.value,
    )


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
