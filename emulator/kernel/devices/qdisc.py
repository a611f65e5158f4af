"""Queueing disciplines, as much as shows: the root's name, and whether the queues run (net/sched/sch_generic.c).

A registered device has "noop" and gets its real one when it first comes up. From then on the name stays while the
device goes up and down, until it leaves its namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.protocol.uapi.if_ether import ETH_P, VLAN_HLEN
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel

NOOP = "noop"
NOQUEUE = "noqueue"
MQ = "mq"
PFIFO_FAST = "pfifo_fast"
"""CONFIG_DEFAULT_NET_SCH, which the recorded machine leaves as it is."""
HW_TAG = {
    int(ETH_P.VLAN_8021Q): 1 << NetifF.HW_VLAN_CTAG_TX,
    int(ETH_P.VLAN_8021AD): 1 << NetifF.HW_VLAN_STAG_TX,
}
"""What a device needs to put the tag in itself."""


def init_scheduler(dev: Device) -> None:
    """dev_init_scheduler()."""
    dev.qdisc = NOOP
    dev.tx_active = True
    dev.queued_packets = dev.queued_bytes = 0


def activate(dev: Device) -> None:
    """dev_activate(): a default qdisc for a device that has none; without a carrier it does not run yet. A queue
    without any room cannot be made, and then there is none (attach_default_qdiscs())."""
    if dev.qdisc == NOOP:
        if dev.no_queue or not dev.txqlen:
            dev.qdisc = NOQUEUE
        else:
            dev.qdisc = MQ if dev.num_tx_queues > 1 else PFIFO_FAST
        dev.tx_active = False
        dev.changed()
    if dev.carrier:
        dev.tx_active = True


def deactivate(dev: Device) -> None:
    """dev_deactivate()."""
    dev.tx_active = dev.qdisc == NOOP


def shutdown(dev: Device) -> None:
    """dev_shutdown(): back to the beginning."""
    init_scheduler(dev)
    dev.changed()


def changing(dev: Device) -> bool:
    """qdisc_tx_changing(): the queues are about to start or stop."""
    return not dev.tx_active


def transmit(dev: Device, size: int) -> tuple[Xmit, Device | None]:
    """dev_queue_xmit(): a frame of that many bytes is handed to the driver, if the queues run; answers as the driver's
    transmit(), but that a queue has taken the frame whatever becomes of it. A tag beside the frame is put in before, if
    the device does not do that itself (validate_xmit_vlan())."""
    tag = dev.kernel.tag
    if tag and not dev.features & HW_TAG[tag]:
        with tagged(dev.kernel, 0):
            return transmit(dev, size + VLAN_HLEN)
    if not running(dev):
        dev.own_stats.tx_dropped += 1
        return Xmit.CN, None
    if dev.qdisc == NOQUEUE:
        return dev.ops.transmit(dev, size)
    dev.queued_packets += 1
    dev.queued_bytes += size
    return Xmit.SUCCESS, dev.ops.transmit(dev, size)[1]


def running(dev: Device) -> bool:
    """Whether the queues pass packets on to the driver; else noop_enqueue() drops them."""
    return dev.tx_active and dev.qdisc != NOOP


@contextmanager
def tagged(kernel: Kernel, tag: int) -> Iterator[None]:
    """While it lasts what is sent has a tag of that protocol beside it (skb_vlan_tag_present()), or none."""
    before, kernel.tag = kernel.tag, tag
    try:
        yield
    finally:
        kernel.tag = before
