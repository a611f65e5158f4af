"""NAPI instances: who polls a queue, known to user space by number.

An instance gets its id when it is enabled, from one cyclic counter of the whole machine that starts above the
processor numbers. What user space set, and the id itself, outlive the instance: a driver that names an index when it
adds one finds the settings of that index in the device's configuration, so an interface that goes down and up again
shows the same ids. The instance itself remembers its last id too, even while it is disabled.

A device's list runs from the highest id to the lowest; an instance that will get a new id goes first.
"""

from __future__ import annotations

from bisect import bisect_left
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.states import RegState
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netdev import NapiThreaded

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

NR_CPUS = 64
"""CONFIG_NR_CPUS of x86_64_defconfig, which the recorded machine has: the ids up to it are processors' own."""
MIN_NAPI_ID = NR_CPUS + 1
"""include/net/busy_poll.h: the least valid id."""
MAX_ID = 0xFFFFFFFF
FIRST_THREAD = 60
"""The process id of the first NAPI thread. On a real machine it is whatever number comes next; this is what the
recorded one gives to the first after boot."""


class NapiConfig:
    """struct napi_config."""

    __slots__ = ("defer_hard_irqs", "gro_flush_timeout", "irq_suspend_timeout", "napi_id", "threaded")

    def __init__(self) -> None:
        self.napi_id = 0
        self.defer_hard_irqs = 0
        self.gro_flush_timeout = 0
        self.irq_suspend_timeout = 0
        self.threaded = NapiThreaded.DISABLED


class Napi:
    """struct napi_struct. A new one belongs to no device until it is added to one."""

    __slots__ = (
        "config", "defer_hard_irqs", "dev", "enabled", "gro_flush_timeout", "index", "irq", "irq_suspend_timeout",
        "listed", "napi_id", "pid", "threaded",
    )

    def __init__(self) -> None:
        self.dev: Device | None = None
        """Set when it is added, and kept when it is deleted."""
        self.index = -1
        self.config: NapiConfig | None = None
        self.napi_id = 0
        """The id it has, or had last; 0 before it had one."""
        self.enabled = False
        """It can be found by its id."""
        self.listed = False
        self.irq = -1
        """The interrupt; -1 for none, and none is shown."""
        self.pid: int | None = None
        """The thread that polls, if any."""
        self.threaded = NapiThreaded.DISABLED
        self.defer_hard_irqs = 0
        self.gro_flush_timeout = 0
        self.irq_suspend_timeout = 0

    def __repr__(self) -> str:
        return f"<Napi {self.napi_id}>"

    @property
    def valid(self) -> bool:
        """napi_id_valid(): whether messages show the id."""
        return self.napi_id >= MIN_NAPI_ID

    # Adding and deleting

    def add_config(self, dev: Device, index: int) -> None:
        """netif_napi_add_config(): belongs to the device now, with the configuration of that index."""
        self.index = index
        self.config = dev.napi_config.get(index)
        if self.config is None:
            self.config = dev.napi_config[index] = NapiConfig()
            self.config.defer_hard_irqs = dev.napi_defer_hard_irqs
            self.config.gro_flush_timeout = dev.gro_flush_timeout
        self.add(dev)

    def add(self, dev: Device) -> None:
        """netif_napi_add(): belongs to the device now, not enabled yet."""
        if self.listed:
            return
        self.listed = True
        self.dev = dev
        dev.napi_list.insert(self._place(dev), self)
        self.defer_hard_irqs = dev.napi_defer_hard_irqs
        self.gro_flush_timeout = dev.gro_flush_timeout
        threaded = dev.threaded if self.config is None else self.config.threaded
        if threaded:
            self._start_thread()
        self.irq = -1

    def _place(self, dev: Device) -> int:
        """netif_napi_dev_list_add(): after every id that is higher than the one it is going to get."""
        new = MAX_ID
        if self.config is not None and self.config.napi_id:
            new = self.config.napi_id
        listed = dev.napi_list
        if not listed or listed[0]._sorts_as() <= new:
            return 0
        # Numbers fall along the list, as drivers enable their instances in the order in which they add them.
        return bisect_left(listed, -new, key=_falling)

    def _sorts_as(self) -> int:
        if self.valid:
            return self.napi_id
        return MAX_ID if self.config is None else self.config.napi_id

    def delete(self) -> None:
        """netif_napi_del(): leaves the device's list; it must be disabled."""
        if not self.listed:
            return
        self.listed = False
        if self.dev is not None:
            _take_out(self, self.dev.napi_list)
        self.index = -1
        self.config = None
        self.pid = None

    def enable(self) -> None:
        """napi_enable(): gets its id, the old one if its configuration has one, and its settings back."""
        assert self.dev is not None
        table = self.dev.kernel.napis
        config = self.config
        if config is None:
            table.give_id(self)
        else:
            self.defer_hard_irqs = config.defer_hard_irqs
            self.gro_flush_timeout = config.gro_flush_timeout
            self.irq_suspend_timeout = config.irq_suspend_timeout
            if config.napi_id:
                table.take_id(self, config.napi_id)
            else:
                table.give_id(self)
                config.napi_id = self.napi_id
            self.set_threaded(config.threaded)
        if self.dev.threaded and self.pid is not None and not self.threaded:
            self.threaded = NapiThreaded.ENABLED

    def disable(self) -> None:
        """napi_disable(): is found no more; its settings go to its configuration."""
        assert self.dev is not None
        self.threaded = NapiThreaded.DISABLED
        if self.config is not None:
            self.config.defer_hard_irqs = self.defer_hard_irqs
            self.config.gro_flush_timeout = self.gro_flush_timeout
            self.config.irq_suspend_timeout = self.irq_suspend_timeout
        self.dev.kernel.napis.drop_id(self)

    # Settings

    def set_threaded(self, threaded: NapiThreaded) -> None:
        """napi_set_threaded(): polled by a thread of its own, which starts and ends with the setting."""
        if threaded and self.pid is None:
            self._start_thread()
        if self.config is not None:
            self.config.threaded = threaded
        if not threaded:
            self.pid = None
        self.threaded = threaded

    def set_defer_hard_irqs(self, defer: int) -> None:
        """napi_set_defer_hard_irqs(): how often the interrupt stays masked."""
        self.defer_hard_irqs = defer

    def set_irq_suspend_timeout(self, timeout: int) -> None:
        """napi_set_irq_suspend_timeout(), in nanoseconds."""
        self.irq_suspend_timeout = timeout

    def set_gro_flush_timeout(self, timeout: int) -> None:
        """napi_set_gro_flush_timeout(), in nanoseconds."""
        self.gro_flush_timeout = timeout

    def _start_thread(self) -> None:
        assert self.dev is not None
        self.pid = self.dev.kernel.napis.new_pid()


def set_device_defer_hard_irqs(dev: Device, defer: int) -> None:
    """netdev_set_defer_hard_irqs(): of all instances of a device, and of those to come."""
    dev.napi_defer_hard_irqs = defer
    for napi in dev.napi_list:
        napi.set_defer_hard_irqs(defer)
    for config in dev.napi_config.values():
        config.defer_hard_irqs = defer


def set_device_gro_flush_timeout(dev: Device, timeout: int) -> None:
    """netdev_set_gro_flush_timeout(): the same of that, in nanoseconds."""
    dev.gro_flush_timeout = timeout
    for napi in dev.napi_list:
        napi.set_gro_flush_timeout(timeout)
    for config in dev.napi_config.values():
        config.gro_flush_timeout = timeout


def _falling(napi: Napi) -> int:
    return -napi._sorts_as()


def _take_out(napi: Napi, listed: list[Napi]) -> None:
    """Off the list. With thousands of queues it matters not to walk it: a device that stops deletes its oldest first,
    which stands last, and one that restarts a queue has the new instance right before the old one."""
    if listed[-1] is napi:
        listed.pop()
        return
    place = bisect_left(listed, _falling(napi), key=_falling)
    for at in (place, place + 1):
        if at < len(listed) and listed[at] is napi:
            del listed[at]
            return
    listed.remove(napi)


class NapiTable:
    """All NAPI ids of a machine: napi_hash and napi_gen_id."""

    def __init__(self) -> None:
        self._by_id: dict[int, Napi] = {}
        self._last = NR_CPUS
        self._pid = FIRST_THREAD - 1

    def give_id(self, napi: Napi) -> None:
        """napi_hash_add(): the next free id."""
        while True:
            self._last += 1
            if self._last > MAX_ID:
                self._last = MIN_NAPI_ID
            if self._last not in self._by_id:
                break
        self.take_id(napi, self._last)

    def take_id(self, napi: Napi, napi_id: int) -> None:
        """napi_hash_add_with_id(): an id it had before."""
        napi.napi_id = napi_id
        napi.enabled = True
        self._by_id[napi_id] = napi

    def drop_id(self, napi: Napi) -> None:
        """napi_hash_del(). Another instance may have the id by then: a driver may enable the new one first."""
        napi.enabled = False
        if self._by_id.get(napi.napi_id) is napi:
            del self._by_id[napi.napi_id]

    def find(self, net: Net, napi_id: int) -> Napi | None:
        """netdev_napi_by_id_lock(): an enabled instance of a registered device of that namespace."""
        napi = self._by_id.get(napi_id)
        if napi is None or napi.dev is None or napi.dev.net is not net:
            return None
        return napi if napi.dev.reg_state == RegState.REGISTERED else None

    def new_pid(self) -> int:
        """A process id for a thread."""
        self._pid += 1
        return self._pid


def set_queue_napi(dev: Device, index: int, napi: Napi | None) -> None:
    """netif_queue_set_napi() of a receive queue: which instance polls it; None for none."""
    dev.rx[index].napi = napi


def set_device_threaded(dev: Device, threaded: NapiThreaded) -> None:
    """netif_set_threaded(): all NAPI instances of the device, and those that are to come. EOPNOTSUPP for a device that
    has none."""
    if not dev.napi_list:
        raise Refusal(EOPNOTSUPP)
    for instance in dev.napi_list:
        instance.set_threaded(threaded)
    for config in dev.napi_config.values():
        config.threaded = threaded
    dev.threaded = int(threaded)
