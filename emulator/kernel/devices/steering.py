"""Which processors take what a device's queues bring, and which queues take what processors send: RPS and XPS
(net/core/net-sysfs.c, __netif_set_xps_queue() of net/core/dev.c).

Nothing is steered here: what is set is kept and told. A queue that a device stops using forgets what was set for it.
Masks are whole numbers, bit n for processor n, or for receive queue n.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EINVAL, EOVERFLOW
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

KEY = "steering"
ENTRY = 8
"""sizeof(struct rps_dev_flow)."""
MOST_FLOWS = 0x7FFFFFFF // ENTRY - 1
"""The greatest mask of a table of flows."""
DQL_MAX_LIMIT = 0xFFFFFFFF // 2 - 0xFFFFFFFF // 16
"""DQL_MAX_LIMIT of linux/dynamic_queue_limits.h, in bytes."""
LIMITS = {"limit": 0, "limit_max": DQL_MAX_LIMIT, "limit_min": 0, "hold_time": 1000, "stall_thrs": 0}
"""struct dql as dql_init() makes it: bytes, and milliseconds."""


@dataclass(slots=True)
class Steering:
    """What was set, by queue: rps_map, rps_flow_table (its size), the two kinds of xps_maps, and limits of bytes."""

    rps_cpus: dict[int, int] = field(default_factory=dict)
    rps_flow_cnt: dict[int, int] = field(default_factory=dict)
    xps_cpus: dict[int, int] = field(default_factory=dict)
    xps_rxqs: dict[int, int] = field(default_factory=dict)
    limits: dict[int, dict[str, int]] = field(default_factory=dict)


UNSET = Steering()


def of(dev: Device) -> Steering:
    """What is set of a device; to be read."""
    found: Steering = dev.attached.get(KEY, UNSET)
    return found


def to_set(dev: Device) -> Steering:
    """The same, to be written."""
    if KEY not in dev.attached:
        dev.attach(KEY, Steering())
    found: Steering = dev.attached[KEY]
    return found


def limits_of(dev: Device, queue: int) -> dict[str, int]:
    """struct dql of a queue."""
    return {**LIMITS, **of(dev).limits.get(queue, {})}


def flows(wanted: int) -> int:
    """store_rps_dev_flow_table_cnt(): how many entries a table gets that is to have so many. EINVAL."""
    mask = (1 << (wanted - 1).bit_length()) - 1 if wanted else 0
    if mask > MOST_FLOWS:
        raise Refusal(EINVAL)
    return mask + 1 if wanted else 0


def forget(dev: Device, direction: str, count: int) -> None:
    """rx_queue_release(), netif_reset_xps_queues_gt(): queues from that one on are used no more."""
    if KEY not in dev.attached:
        return
    steering = to_set(dev)
    receiving = steering.rps_cpus, steering.rps_flow_cnt
    sending = steering.xps_cpus, steering.xps_rxqs
    for kept in receiving if direction == "rx" else sending:
        for queue in [queue for queue in kept if queue >= count]:
            del kept[queue]


def parse_mask(text: str, bits: int) -> int:
    """bitmap_parse(): groups of at most eight hexadecimal digits. EINVAL, EOVERFLOW."""
    groups = text.strip().removesuffix(",").split(",") if text.strip() else ["0"]
    value = 0
    for group in groups:
        if not group or any(digit not in "0123456789abcdefABCDEF" for digit in group):
            raise Refusal(EINVAL)
        if len(group) > 8:
            raise Refusal(EOVERFLOW)
        value = value << 32 | int(group, 16)
    if value >> bits:
        raise Refusal(EOVERFLOW)
    return value


def show_mask(value: int, bits: int) -> str:
    """%*pb: groups of 32 bits, all digits of each."""
    first = bits % 32 or 32
    groups = [f"{value >> (bits - first) & (1 << first) - 1:0{(first + 3) // 4}x}"]
    groups += [f"{value >> at & 0xFFFFFFFF:08x}" for at in range(bits - first - 32, -1, -32)]
    return ",".join(groups)
