"""What runs in the daemon's process: `nlemu serve`, whose control socket knows a verb more.

`{"look": true}` is answered with what there is: whether the machine holds together (tests/fuzz/invariants.py), what is
open, how many objects of our classes live, and devices and namespaces that live without being listed anywhere.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from typing import Any, cast

import trio

from nlemu.emulator.cli import main
from nlemu.emulator.daemon import control
from nlemu.emulator.daemon.server import Server
from nlemu.emulator.kernel.core.net import Net
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.script.checks import true
from nlemu.emulator.script.trace import Step
from nlemu.emulator.script.verbs import Verb
from tests.fuzz.invariants import broken, devices

LISTED = 40
"""Of how many classes it is told how many objects there are."""


def look(server: Server) -> dict[str, Any]:
    """What there is."""
    gc.collect()
    machine = server.machine
    known = {id(dev) for _, dev in devices(machine)}
    kept = bool(server.snapshots)
    objects: Counter[str] = Counter()
    lost = []
    for one in gc.get_objects():
        kind = type(one)
        if kind.__module__.startswith("nlemu."):
            objects[kind.__qualname__] += 1
        if isinstance(one, Device) and id(one) not in known and not kept:
            lost.append(f"{one.net.name}/{one.name}")
        elif isinstance(one, Net) and one not in machine.alive and not kept:
            lost.append(one.name)
    return {
        "broken": broken(machine), "bugs": machine.bugs, "lost": sorted(lost),
        "connections": len(server.connections), "endpoints": sum(not one.closed for one in machine.endpoints),
        "namespaces": len(machine.alive), "watching": len(server.watching), "hosts": len(server.hosts),
        "tasks": trio.lowlevel.current_statistics().tasks_living,
        "blocks": sys.getallocatedblocks(), "objects": dict(objects.most_common(LISTED)),
    }


def teach() -> None:
    """The control socket knows it from now on."""
    cast(dict[str, Verb], control.VERBS)["look"] = Verb(true)
    others = control.Control._do

    def do(self: control.Control, step: Step) -> Any:
        return look(self.server) if step.verb == "look" else others(self, step)

    control.Control._do = do  # type: ignore[method-assign]


if __name__ == "__main__":
    teach()
    sys.exit(main(["serve", *sys.argv[1:]]))
