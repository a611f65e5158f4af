"""bind-rx and bind-tx: a dmabuf behind a descriptor of the sender, bound to queues (net/core/netdev-genl.c)."""

from __future__ import annotations

import errno

from nlemu.emulator.handlers.common.devices import device
from nlemu.emulator.kernel.queues.devmem import PAGE_SIZE
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.netdev import BIND_RX, BIND_TX, Dmabuf, QueueId
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.netdev import QueueType

RX = int(QueueType.RX)


@doit(BIND_RX)
def bind_rx(call: Call) -> Values:
    """netdev_nl_bind_rx_doit()."""
    attrs = call.attrs
    dev = device(call.net, attrs[Dmabuf.ifindex])
    if not dev.present:
        raise Refusal(errno.ENODEV, at=attrs.offset(Dmabuf.ifindex))
    if not dev.ops_locked:
        raise Refusal(errno.EOPNOTSUPP, at=attrs.offset(Dmabuf.ifindex))
    page_size = attrs.get(Dmabuf.rx_page_size, PAGE_SIZE)
    if page_size & page_size - 1:
        raise Refusal(errno.EINVAL, "rx-page-size must be a power of 2", at=attrs.offset(Dmabuf.rx_page_size))
    queues = []
    for _, queue in attrs.all(Dmabuf.queues):
        queue.require((QueueId.id, QueueId.type))
        if queue[QueueId.type] != RX:
            raise Refusal(errno.EINVAL, at=queue.offset(QueueId.type))
        index = queue[QueueId.id]
        if index >= dev.real_num_rx_queues:
            raise Refusal(errno.EINVAL, at=queue.offset(QueueId.id))
        queues.append(index)
    dmabuf = call.endpoint.descriptors.get(attrs[Dmabuf.fd])
    return {Dmabuf.id: call.machine.devmem.bind_rx(dev, queues, dmabuf, call.endpoint, page_size).dmabuf_id}


@doit(BIND_TX)
def bind_tx(call: Call) -> Values:
    """netdev_nl_bind_tx_doit()."""
    attrs = call.attrs
    dev = device(call.net, attrs[Dmabuf.ifindex])
    if not dev.present:
        raise Refusal(errno.ENODEV)
    dmabuf = call.endpoint.descriptors.get(attrs[Dmabuf.fd])
    return {Dmabuf.id: call.machine.devmem.bind_tx(dev, dmabuf, call.endpoint).dmabuf_id}
