"""queues/ of a device: a directory for each queue in use, with which processors it is steered to
(net/core/net-sysfs.c)."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.kstrto import kstrtoul
from nlemu.emulator.kernel.devices import steering
from nlemu.emulator.kernel.nics.netdevsim.port import is_netdevsim
from nlemu.emulator.launch.files.tree import Directory, File

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.launch.files.tree import Node

ALWAYS_0 = ("inflight", "stall_cnt")
BYTES = ("limit", "limit_max", "limit_min")
STALLS = range(4, 4 // 2 * 64 + 1)
"""For how many jiffies a queue may stand still (bql_set_stall_thrs())."""


def queues(dev: Device) -> Directory:
    """The directories. A name is that of a queue for as long as the device uses it."""
    entries: dict[str, Callable[[], Node]] = {}
    for index in range(dev.real_num_rx_queues):
        entries[f"rx-{index}"] = partial(_receiving, dev, index)
    for index in range(dev.real_num_tx_queues):
        entries[f"tx-{index}"] = partial(_sending, dev, index)
    return Directory(entries)


def _receiving(dev: Device, queue: int) -> Directory:
    cpus = dev.kernel.cpus
    return Directory({
        "rps_cpus": lambda: File(
            lambda: steering.show_mask(steering.of(dev).rps_cpus.get(queue, 0), cpus) + "\n",
            lambda text: _put(steering.to_set(dev).rps_cpus, queue, steering.parse_mask(text, cpus)),
        ),
        "rps_flow_cnt": lambda: File(
            lambda: f"{steering.of(dev).rps_flow_cnt.get(queue, 0)}\n",
            lambda text: _put(steering.to_set(dev).rps_flow_cnt, queue, steering.flows(kstrtoul(text))),
        ),
    })


def _put(kept: dict[int, int], queue: int, value: int) -> None:
    kept[queue] = value


def _several(dev: Device) -> None:
    """netif_is_multiqueue(): OSError ENOENT."""
    if dev.num_tx_queues < 2:
        raise OSError(errno.ENOENT, "it has one queue")


def _sending(dev: Device, queue: int) -> Directory:
    entries: dict[str, Callable[[], Node]] = {
        "traffic_class": lambda: File(partial(_traffic_class, dev)),
        "tx_maxrate": lambda: File(lambda: "0\n", _no_rate),
        "tx_timeout": lambda: File(lambda: "0\n"),
        "xps_cpus": lambda: File(partial(_xps_cpus, dev, queue), partial(_set_xps_cpus, dev, queue)),
        "xps_rxqs": lambda: File(
            lambda: steering.show_mask(steering.of(dev).xps_rxqs.get(queue, 0), dev.num_rx_queues) + "\n",
            lambda text: _put(
                steering.to_set(dev).xps_rxqs, queue, steering.parse_mask(text, dev.num_rx_queues)
            ),
        ),
    }
    if dev.parent is not None and not is_netdevsim(dev):
        # netdev_uses_bql(): not of devices without a queue (IFF_NO_QUEUE) or without a lock (lltx), as all others here
        entries["byte_queue_limits"] = lambda: _limits(dev, queue)
    return Directory(entries)


def _traffic_class(dev: Device) -> str:
    _several(dev)
    return "0\n"


def _no_rate(text: str) -> None:
    """tx_maxrate_store(): no driver here has ndo_set_tx_maxrate."""
    raise OSError(errno.EOPNOTSUPP, "no driver here limits rates")


def _xps_cpus(dev: Device, queue: int) -> str:
    _several(dev)
    return steering.show_mask(steering.of(dev).xps_cpus.get(queue, 0), dev.kernel.cpus) + "\n"


def _set_xps_cpus(dev: Device, queue: int, text: str) -> None:
    _several(dev)
    _put(steering.to_set(dev).xps_cpus, queue, steering.parse_mask(text, dev.kernel.cpus))


def _limits(dev: Device, queue: int) -> Directory:
    entries: dict[str, Callable[[], Node]] = {
        name: partial(File, partial(_limit, dev, queue, name), partial(_set_limit, dev, queue, name))
        for name in steering.LIMITS
    }
    entries |= dict.fromkeys(ALWAYS_0, lambda: File(lambda: "0\n"))
    entries["stall_max"] = lambda: File(lambda: "0\n", lambda _: None)
    return Directory(entries)


def _limit(dev: Device, queue: int, name: str) -> str:
    return f"{steering.limits_of(dev, queue)[name]}\n"


def _set_limit(dev: Device, queue: int, name: str, text: str) -> None:
    """bql_set(), bql_set_hold_time(), bql_set_stall_thrs()."""
    if name in BYTES and text.removesuffix("\n") == "max":
        value = steering.DQL_MAX_LIMIT
    else:
        value = kstrtoul(text)
        if value > (steering.DQL_MAX_LIMIT if name in BYTES else 0xFFFFFFFF):
            raise OSError(errno.EINVAL, text)
        if name == "stall_thrs" and value and value not in STALLS:
            raise OSError(errno.ERANGE, text)
    steering.to_set(dev).limits.setdefault(queue, {})[name] = value
