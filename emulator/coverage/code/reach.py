"""Which refusals can come of a request: the walk from its handler.

A method that derived classes have too may be any of theirs. Of drivers and kinds of links only those count that there
were: a suite that never had a VXLAN does not miss what VXLANs refuse (rapid type analysis is what compilers call it).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import FunctionType

from nlemu.emulator.coverage.code.functions import read
from nlemu.emulator.coverage.code.known import Function, member, of_value, underlying
from nlemu.emulator.coverage.code.sites import FUNCTION, Site
from nlemu.emulator.coverage.code.source import in_rooms, load
from nlemu.emulator.kernel.devices.kind import Kind
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links import modelled
from nlemu.emulator.machine.machine import Machine

CHOSEN = (Kind, DeviceOps)
"""Classes of which only those count that a suite has had."""

MODEL = "nlemu.emulator.kernel."


def name_of(found: type) -> str:
    """By which a class is called in what a suite leaves."""
    return f"{found.__module__}:{found.__qualname__}"


class Reach:
    """Takes the names of the drivers and kinds of links that there were."""

    def __init__(self, devices: Iterable[str]) -> None:
        load()
        self.devices = frozenset(devices)

    def refusals(self, handlers: Iterable[FunctionType]) -> Iterator[Site | str]:
        """What can be refused on the way from these functions, each with the nearest function of the kernel on the way
        to it; what is nearer comes first. A text is the name of an attribute without which it is."""
        waiting: deque[tuple[FunctionType, type | None, str | None]] = deque(
            (one, None, None) for one in handlers
        )
        met = {(one, on) for one, on, _ in waiting}
        told: set[Site] = set()
        while waiting:
            function, on, above = waiting.popleft()
            named = FUNCTION.search(function.__doc__ or "")
            kernel = named[0] if named else above
            found = read(function, on)
            yield from found.required
            for site in found.sites:
                if site not in told:
                    told.add(site)
                    yield site if site.kernel is not None else replace(site, kernel=kernel)
            for call in (*found.calls, *self._chain(function)):
                for one in self.dispatch(call):
                    key = one.function, one.on
                    if key not in met and in_rooms(one.function) and not _announces(function, one.function):
                        met.add(key)
                        waiting.append((*key, kernel))

    def dispatch(self, call: Function) -> Iterator[Function]:
        """Which functions a call can arrive at."""
        if call.on is None or not call.virtual:
            yield call
            return
        name = call.function.__name__
        for found in derived(call.on):
            if issubclass(found, CHOSEN) and name_of(found) not in self.devices:
                continue
            function = underlying(member(found, name))
            if function is not None:
                yield Function(function, found)

    def _chain(self, function: FunctionType) -> Iterator[Function]:
        """call_netdevice_notifiers() calls whoever has registered: all parts of the kernel, and the drivers of kinds of
        links that there were."""
        if function is not Kernel.notify:
            return
        heard = [notifier for chain in Machine().chain.events.values() for _, _, notifier in chain]
        for kind in modelled():
            if name_of(type(kind)) in self.devices:
                heard += [notifier for _, notifier, _ in kind.notifiers]
        for notifier in heard:
            yield from (one for one in of_value(notifier) if isinstance(one, Function))


def _announces(caller: FunctionType, called: FunctionType) -> bool:
    """From the model upwards there are announcements alone, which nobody refuses."""
    return caller.__module__.startswith(MODEL) and not called.__module__.startswith(MODEL)


def derived(of: type) -> Iterator[type]:
    """A class and all that are derived from it."""
    yield of
    below: list[type] = type.__subclasses__(of)
    for one in below:
        yield from derived(one)
