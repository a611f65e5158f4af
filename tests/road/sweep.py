"""Goes the road on one profile after another, and prints how it went: run by test_road.py, under `nlemu run --dir`.

First wholly, and then back; with each of its requests refused, one at a time (ENOMEM); with the NIC pulled out before
each of its requests; for two pods at once, of which the NIC has a queue for one; and last, how far the channels can be
taken away from under it. What is printed is a line of JSON a case: how it ended, and what is otherwise afterwards.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nlemu.emulator.client.control import Control
from tests.road.doors import TCP_V4, TCP_V6, UDP_V4, UDP_V6, Flow, Rules, inside
from tests.road.road import Place, Road, number

NIC, ADDRESS = "nic0", "0000:08:00.0"
HEADER = {"header": {"dev-name": NIC}}
FLOWS = (
    Flow(TCP_V4, "10.0.0.1", 8080), Flow(UDP_V4, "10.0.0.1", 53),
    Flow(TCP_V6, "fd00::1", 8080), Flow(UDP_V6, "fd00::1", 53),
)
FAMILIES = ("netdev", "ethtool", "rt-link")
OPERATIONS = {"rt-link": "route", "rt-nsid": "route"}
"""Families whose operations a fault calls otherwise."""


def opened(tree: str, path: str) -> dict[str, Any]:
    """pyynl's families in a namespace."""
    library = importlib.import_module("lib.ynl")
    with inside(path):
        families = {
            name: library.YnlFamily(f"{tree}/Documentation/netlink/specs/{name}.yaml", schema="") for name in FAMILIES
        }
    return families


class Machine:
    """The daemon, with a NIC and two pods."""

    def __init__(self, tree: str) -> None:
        self.control = Control(os.environ["NLEMU_DIR"])
        # Not by /proc/self: that is wherever this program is when it looks.
        host = f"/proc/self/fd/{os.open('/proc/self/ns/net', os.O_RDONLY)}"
        self.host = Place(host, opened(tree, host))
        self.pods = []
        for name in ("pod", "other"):
            subprocess.run(["ip", "netns", "add", name], check=True)
            self.pods.append(Place(f"/run/netns/{name}", opened(tree, f"/run/netns/{name}")))

    def plug(self, profile: str, queues: int = 8) -> None:
        """A NIC comes, and goes up."""
        self.control.do(nic_new=ADDRESS, profile=profile, name=NIC, queues=queues)
        subprocess.run(["ip", "link", "set", NIC, "up"], check=True)

    def unplug(self) -> None:
        """And goes."""
        self.control.do(nic_del=ADDRESS)

    def road(self, look: Callable[[str], None] = lambda what: None) -> Road:
        """The road, for the first pod."""
        self.host.look = self.pods[0].look = look
        return Road(NIC, self.host, self.pods[0], FLOWS)

    def seen(self) -> dict[str, Any]:
        """All that the road may have changed, as it is."""
        self.host.look = self.pods[0].look = lambda what: None
        links = {
            where: sorted(link["ifname"] for link in place.families["rt-link"].dump("getlink", {}))
            for where, place in (("host", self.host), ("pod", self.pods[0]), ("other", self.pods[1]))
        }
        told: dict[str, Any] = {"links": links}
        if NIC in links["host"]:
            for name in ("rss-get", "rings-get", "features-get", "channels-get"):
                told[name] = self.host.do(f"ethtool.{name}", HEADER)
                told[name].pop("header")
            index = self.host.do("rt-link.getlink", {"ifname": NIC})["ifi-index"]
            told["queues"] = [
                {name: value for name, value in queue.items() if name != "napi-id"}
                for queue in self.host.families["netdev"].dump("queue-get", {"ifindex": index})
            ]
            with suppress(OSError):  # of a driver without rules
                told["rules"] = Rules(NIC).places()[1]
        return told


def attempt(do: Callable[[], object]) -> str:
    """How it ends, in one line."""
    try:
        do()
    except Exception as error:
        told = getattr(error, "nl_msg", None)
        text = (told.extack or {}).get("msg", "") if told is not None else str(error.args[-1])
        errno = os.strerror(number(error))
        return errno if text in ("", errno) else f"{errno}: {text}"
    return "went"


def fault(what: str) -> str:
    """What a fault calls the operation that the road is about to ask."""
    family, dot, name = what.partition(".")
    return OPERATIONS.get(family, family) + dot + name


def wholly(machine: Machine, profile: str) -> list[str]:
    """All of it, and back. What it asked, or nothing where it ended before its end."""
    machine.plug(profile)
    before = machine.seen()
    asked: list[str] = []
    road = machine.road(asked.append)
    end = attempt(road.go)
    there = [*asked] if end == "went" else []
    say(profile, "wholly", "", end, before, machine.seen(), leased=road.leased, rules=len(road.places))
    say(profile, "back", "", attempt(road.back), before, machine.seen())
    machine.unplug()
    return there


def refused(machine: Machine, profile: str, asked: list[str]) -> None:
    """Each of its requests is refused once."""
    for at, operation in enumerate(asked):
        machine.plug(profile)
        before, left = machine.seen(), [at]

        def look(what: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == -1:
                machine.control.do(fault=fault(what), errno="ENOMEM")

        end = attempt(machine.road(look).go)
        say(profile, "refused", operation, end, before, machine.seen())
        machine.unplug()


def unplugged(machine: Machine, profile: str, asked: list[str]) -> None:
    """The NIC goes before each of its requests."""
    gone = machine.seen()
    for at, operation in enumerate(asked):
        machine.plug(profile)
        left = [at]

        def look(what: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == -1:
                machine.unplug()

        end = attempt(machine.road(look).go)
        say(profile, "unplugged", operation, end, gone, machine.seen())


def race(machine: Machine, profile: str) -> None:
    """Two pods want the only queue that can be lent, and the second is faster."""
    machine.plug(profile, queues=2)
    second = Road(NIC, machine.host, machine.pods[1], FLOWS[:1], leases=1, name="nk-other")
    end = ""

    def look(what: str) -> None:
        nonlocal end
        if what == "netdev.queue-create" and not end:
            end = "on its way"
            end = attempt(second.go)

    before = machine.seen()
    first = machine.road(look)
    first.leases = 1
    of_the_first = attempt(first.go)
    after = machine.seen()
    say(profile, "race", "first", of_the_first, before["links"], after["links"])
    say(profile, "race", "second", end, {}, {}, leased=second.leased, table=sorted(set(after["rss-get"]["indir"])))
    second.back()
    machine.unplug()


def shrink(machine: Machine, profile: str) -> None:
    """Channels are taken from under a rule, a lease, a table; and then nothing holds them."""
    machine.plug(profile)
    road = machine.road()
    counts = machine.host.do("ethtool.channels-get", HEADER)
    end = attempt(road.go)
    before = machine.seen()

    def less(what: str, count: int) -> None:
        fewer = {name: count for name in ("combined-count", "rx-count", "tx-count") if counts.get(name)}
        end = attempt(lambda: machine.host.do("ethtool.channels-set", HEADER | fewer))
        say(profile, "shrink", what, end, before["channels-get"], machine.seen()["channels-get"])

    if end == "went":
        # The road's table names queues 0 to 5, its rules queue 7, and its leases are of queues 6 and 7.
        less("rule", 6)
        while road.places:
            Rules(NIC).delete(road.places.pop())
        less("lease", 6)
        machine.host.do("rt-link.dellink", {"ifname": road.name})
        less("table", 4)
        machine.host.do("ethtool.rss-set", HEADER | {"indir": []})
        less("nothing", 4)
    machine.unplug()


def say(profile: str, case: str, at: str, end: str, before: dict[str, Any], after: dict[str, Any], **more: Any) -> None:
    """A line."""
    differs = {
        name: [before.get(name), after.get(name)] for name in before | after if before.get(name) != after.get(name)
    }
    line = {"profile": profile, "case": case, "at": at, "end": end, "differs": differs, **more}
    print(json.dumps(line, default=lambda value: sorted(value) if isinstance(value, set) else value.hex()), flush=True)


def main() -> None:
    """sweep.py TREE PROFILE..."""
    tree, *profiles = sys.argv[1:]
    sys.path.insert(0, f"{tree}/tools/net/ynl/pyynl")
    machine = Machine(tree)
    for profile in profiles:
        asked = wholly(machine, profile)
        if asked:
            refused(machine, profile, asked)
            unplugged(machine, profile, asked)
            race(machine, profile)
            shrink(machine, profile)


if __name__ == "__main__":
    main()
