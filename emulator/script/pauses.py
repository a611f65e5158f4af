"""How much time the recorder let pass after a step, before it read what had come of it.

A trace seldom says (`pause`): its times are the recorder's habits (fixtures/recorder/agent.py), and as long as it took
for something to come. They show in what IPv6 sends by itself and counts, and in addresses that are announced a second
or two after their device came up. Where the recorded kernel had more to say than the machine has yet, time goes on for
a while. So it does before an answer that told how long a neighbour had been known.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.inet import CENTISECOND
from nlemu.emulator.kernel.bridge.bridge import bridge_of
from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.vxlan.vxlan import vxlan_of
from nlemu.emulator.script.trace import open_bytes
from nlemu.protocol.families.route.neigh import HEADER as NEIGHBOUR
from nlemu.protocol.families.route.neigh import Nda
from nlemu.protocol.frame import HEADER_SIZE, split
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import Entry
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.vxlan.vxlan import TunnelEntry
    from nlemu.emulator.script.steps import Answer, Steps
    from nlemu.emulator.script.trace import Step

AFTER = {"close": 0.05, "netns_del": 1.0, "nsim_new": 0.2, "nsim_write": 0.2, "nsim_del": 0.5, "end": 0.3}
"""In seconds, by verb; nothing after the others."""
AFTER_UP_OR_DOWN = 0.6
"""After a request that raises a device or takes it down."""
PATIENCE, GLANCE = 4.0, 0.1
"""How long in all, and in what steps, to wait for what was recorded."""
NEIGHBOUR_END = HEADER_SIZE + (NEIGHBOUR.size or 0)
LINK = struct.Struct("<IHHII BBHiII")
"""A message header, and struct ifinfomsg behind it."""


def pause_after(steps: Steps, step: Step) -> float:
    """How long the recorder waited, in seconds."""
    said: float | None = step.get("pause")
    if said is not None:
        return said
    if step.verb == "send" and steps.sockets[step.subject].protocol == NetlinkProtocol.ROUTE:
        data = bytes.fromhex(step["hex"])
        if len(data) >= LINK.size:
            fields = LINK.unpack_from(data)
            if fields[1] == RTM.SETLINK and fields[-1] & IFF.UP:
                return AFTER_UP_OR_DOWN
    return AFTER.get(step.verb, 0.0)


def let_time_pass(steps: Steps, step: Step, answer: Answer) -> None:
    """Lets time pass after a step, and adds to the answer what comes in the meantime."""
    waited = pause_after(steps, step)
    if waited:
        steps.wait(waited, answer)
    while waited < PATIENCE and lacks(step, answer):
        steps.wait(GLANCE, answer)
        waited += GLANCE


def catch_up(steps: Steps, step: Step) -> None:
    """Lets time pass before a step, where the recorded kernel had known a neighbour for longer than the machine has:
    what it said of the neighbour tells the age."""
    missing = 0
    for socket, patterns in step.got.items():
        endpoint = steps.sockets.get(socket)
        if endpoint is None or endpoint.protocol != NetlinkProtocol.ROUTE:
            continue
        for pattern in patterns:
            for header, message in split(b"" if pattern.startswith("!") else open_bytes(pattern)[0]):
                if header.type in (RTM.NEWNEIGH, RTM.DELNEIGH) and not grows_old(step, message):
                    missing = max(missing, _missing(steps, endpoint.net, message))
    if missing:
        steps.machine.advance(missing / NSEC_PER_SEC)


def grows_old(step: Step, message: bytes) -> bool:
    """Whether it is an entry of a forwarding table that was told of while time passed: it was younger before that."""
    return step.verb == "sleep" and message[HEADER_SIZE] == AF_BRIDGE


def _missing(steps: Steps, net: Net, message: bytes) -> int:
    """How much younger than recorded a neighbour is, in nanoseconds; bytes that were open count as 0."""
    header = NEIGHBOUR.decode(message, HEADER_SIZE, NEIGHBOUR_END)
    told = Attrs.index(message, NEIGHBOUR_END, len(message))
    dev = net.device(header.ifindex)
    if dev is not None and header.family == AF_BRIDGE and Nda.cacheinfo in told and Nda.lladdr in told:
        return _missing_on_bridge(steps, net, dev, told)
    if dev is None or Nda.cacheinfo not in told or Nda.dst not in told:
        return 0
    known = neighbour.of(net).find(dev, header.family, int.from_bytes(told[Nda.dst], "big"))
    if known is None:
        return 0
    ages, now = told[Nda.cacheinfo], steps.machine.clock.now
    return max(
        int(ages.updated) * CENTISECOND - (now - known.updated),
        int(ages.confirmed) * CENTISECOND - (now - known.confirmed),
    )


def _missing_on_bridge(steps: Steps, net: Net, dev: Device, told: Attrs) -> int:
    """The same of an entry of a forwarding table."""
    bridge = net.device(told.get(Nda.master, 0))
    br, vxlan = None if bridge is None else bridge_of(bridge), vxlan_of(dev)
    entry: Entry | TunnelEntry | None = None
    if br is not None:
        entry = br.fdb.get((told[Nda.lladdr], told.get(Nda.vlan, 0)))
    elif vxlan is not None:
        entry = vxlan.fdb.get((told[Nda.lladdr], told.get(Nda.src_vni, vxlan.vni)))
    if entry is None:
        return 0
    ages, now = told[Nda.cacheinfo], steps.machine.clock.now
    return max(
        int(ages.updated) * CENTISECOND - (now - entry.updated), int(ages.used) * CENTISECOND - (now - entry.used)
    )


def lacks(step: Step, answer: Answer) -> bool:
    """Whether a socket had more to read when the trace was recorded."""
    return any(len(recorded) > len(answer.got.get(socket, ())) for socket, recorded in step.got.items())
