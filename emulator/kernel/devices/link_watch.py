"""Link-watch: from a carrier that comes and goes to an operational state that is announced (net/core/link_watch.c).

A driver turns the carrier on or off; the operational state of RFC 2863 follows later, from work. That work runs at
once for an urgent event (the device is up, and is half of a pair, a bond or a team, a slave of one, or about to start
its queues) and otherwise at most once a second, for all devices together: the first event after a quiet second is
served at once, the following ones wait for the second to end. So a device that was just made may come up with its
state still unknown.

When the work finds a device up it starts or stops its queues and raises NETDEV_CHANGE, and the link is announced with
an empty change mask, whether or not the state is another one.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import announce, qdisc
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.protocol.uapi.if_ import IfLinkMode, IfOper

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.clock import Clock
    from nlemu.emulator.kernel.core.work import Job, Work
    from nlemu.emulator.kernel.devices.device import Device

DEVICES_PER_RUN = 100
"""MAX_DO_DEV_PER_LOOP; an urgent run takes twice as many."""


def default_operstate(dev: Device) -> IfOper:
    """default_operstate(). The lower device is looked up by its index in this device's namespace, wherever it really
    is, as the kernel does."""
    if dev.testing:
        return IfOper.TESTING
    if dev.no_carrier:
        iflink = dev.iflink if dev.reg_state <= RegState.REGISTERED else dev.ifindex
        if iflink == dev.ifindex:
            return IfOper.DOWN
        lower = dev.net.device(iflink)
        return IfOper.DOWN if lower is None or lower.carrier else IfOper.LOWERLAYERDOWN
    return IfOper.DORMANT if dev.dormant else IfOper.UP


def apply_policy(dev: Device) -> None:
    """rfc2863_policy()."""
    operstate = default_operstate(dev)
    if operstate == dev.operstate:
        return
    if operstate == IfOper.UP:
        if dev.link_mode == IfLinkMode.TESTING:
            operstate = IfOper.TESTING
        elif dev.link_mode == IfLinkMode.DORMANT:
            operstate = IfOper.DORMANT
    dev.operstate = operstate
    dev.changed()


def init_device(dev: Device) -> None:
    """linkwatch_init_dev(): what happened to the link before the device was registered."""
    if dev.no_carrier or dev.dormant or dev.testing:
        apply_policy(dev)


def is_urgent(dev: Device) -> bool:
    """linkwatch_urgent_event()."""
    if not dev.running:
        return False
    if dev.ifindex != dev.iflink or dev.ops.lag or (dev.master is not None and dev.master.ops.lag):
        return True
    return dev.carrier and qdisc.changing(dev)


def state_change(dev: Device) -> None:
    """netif_state_change(): tells everybody about the state of a device that is up."""
    if dev.up:
        dev.kernel.notify(NetdevEvent.CHANGE, dev, Info())
        announce.announce(dev, 0)


class LinkWatch:
    """The work of one kernel: the devices that wait, and when they are served.

    Those that were found urgent are also kept apart, so that it costs nothing that thousands of others wait."""

    def __init__(self, clock: Clock, work: Work) -> None:
        self._clock = clock
        self._work = work
        self._waiting: dict[Device, int] = {}
        self._hurried: dict[Device, None] = {}
        self._arrivals = 0
        self._urgent = False
        self._next_event = -NSEC_PER_SEC
        self._job: Job | None = None

    def fire(self, dev: Device) -> None:
        """linkwatch_fire_event(): the carrier, or another bit of the link's state, changed."""
        urgent = is_urgent(dev)
        if not dev.linkwatch_pending:
            dev.linkwatch_pending = True
            self._arrivals += 1
            self._waiting.setdefault(dev, self._arrivals)
        elif not urgent:
            return
        if urgent:
            self._hurried[dev] = None
        self._schedule(urgent)

    def reconsider(self, dev: Device) -> None:
        """The device came up, or its other end moved: if it waits, it may be urgent by now. The kernel looks at all
        that wait in each urgent run; here it has to be told."""
        if dev in self._waiting and is_urgent(dev):
            self._hurried[dev] = None

    def sync(self, dev: Device) -> None:
        """linkwatch_sync_dev(): serves this one device now, if it waits; before it is shown or freed."""
        if dev in self._waiting:
            self._serve(dev)

    def _schedule(self, urgent: bool) -> None:
        """linkwatch_schedule_work()."""
        if self._urgent:
            return
        now = self._clock.now
        if urgent:
            self._urgent = True
            if self._job is not None:
                self._job.cancel()
            self._job = self._work.at(now, self._run)
        elif self._job is None:
            wait = self._next_event - now
            self._job = self._work.at(self._next_event if 0 <= wait <= NSEC_PER_SEC else now, self._run)

    def _run(self) -> None:
        """linkwatch_event() and __linkwatch_run_queue()."""
        self._job = None
        now = self._clock.now
        self._urgent = False
        if self._next_event > now:
            urgent = sorted((dev for dev in self._hurried if dev.present), key=self._waiting.__getitem__)
            todo = [dev for dev in urgent if is_urgent(dev)][: 2 * DEVICES_PER_RUN]
        else:
            self._next_event = now + NSEC_PER_SEC
            todo = list(islice((dev for dev in self._waiting if dev.present), DEVICES_PER_RUN))
        for dev in todo:
            self.sync(dev)
        if self._waiting:
            self._schedule(False)

    def _serve(self, dev: Device) -> None:
        """linkwatch_do_dev()."""
        del self._waiting[dev]
        self._hurried.pop(dev, None)
        dev.linkwatch_pending = False
        apply_policy(dev)
        if dev.up:
            if dev.carrier:
                qdisc.activate(dev)
            else:
                qdisc.deactivate(dev)
            state_change(dev)


def carrier_on(dev: Device) -> None:
    """netif_carrier_on(): not of a device that a protocol holds down, whatever comes up below it."""
    if dev.proto_down or not dev.no_carrier:
        return
    dev.no_carrier = False
    dev.changed()
    if dev.reg_state == RegState.UNINITIALIZED:
        return
    dev.carrier_up_count += 1
    dev.kernel.link_watch.fire(dev)


def carrier_off(dev: Device) -> None:
    """netif_carrier_off()."""
    if dev.no_carrier:
        return
    dev.no_carrier = True
    dev.changed()
    if dev.reg_state == RegState.UNINITIALIZED:
        return
    dev.carrier_down_count += 1
    dev.kernel.link_watch.fire(dev)


def set_dormant(dev: Device, dormant: bool) -> None:
    """netif_dormant_on(), netif_dormant_off()."""
    if dev.dormant != dormant:
        dev.dormant = dormant
        dev.changed()
        dev.kernel.link_watch.fire(dev)


def set_testing(dev: Device, testing: bool) -> None:
    """netif_testing_on(), netif_testing_off()."""
    if dev.testing != testing:
        dev.testing = testing
        dev.changed()
        dev.kernel.link_watch.fire(dev)


def transfer_operstate(root: Device, dev: Device) -> None:
    """netif_stacked_transfer_operstate(): a device that stands on another is as that is: dormant, being tested,
    without a carrier, or none of it."""
    set_dormant(dev, root.operstate == IfOper.DORMANT)
    set_testing(dev, root.operstate == IfOper.TESTING)
    if root.carrier:
        carrier_on(dev)
    else:
        carrier_off(dev)


def request_operstate(dev: Device, wanted: int) -> None:
    """set_operstate() of net/core/rtnetlink.c: what user space may make of the state, from where it is."""
    state = dev.operstate
    if wanted == IfOper.UP:
        if state in (IfOper.DORMANT, IfOper.TESTING, IfOper.UNKNOWN) and not dev.dormant and not dev.testing:
            state = IfOper.UP
    elif wanted in (IfOper.TESTING, IfOper.DORMANT) and state in (IfOper.UP, IfOper.UNKNOWN):
        state = wanted
    set_operstate(dev, state)


def set_operstate(dev: Device, state: int) -> None:
    """netif_set_operstate()."""
    if state != dev.operstate:
        dev.operstate = state
        dev.changed()
        state_change(dev)
