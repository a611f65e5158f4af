"""NICs as steps: which kind is plugged where, and what it can do otherwise than its profile says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from errno import EADDRNOTAVAIL
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.address import valid_ethernet
from nlemu.emulator.kernel.devices.queue import MAX_QUEUES
from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.function import NO_NODE
from nlemu.emulator.kernel.nics.profiles import PROFILES, Profile
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.world.profile import profile_of
from nlemu.emulator.world.values import ProfileError
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.script.steps import Steps
    from nlemu.emulator.script.trace import Step

ABILITIES = (
    "bus", "dma", "functions", "hds_thresh", "max_queues", "netmem_tx", "queue_mgmt", "rx_page_size", "speed",
    "xdp_features", "xdp_zc_max_segs",
)
"""Fields of a profile that a step may set."""
FUNCTIONS_MAX = 8
ADDRESS = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


class NicSteps:
    """Comings and goings of NICs."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.verbs: dict[str, Callable[[Step], None]] = {"nic_new": self._new, "nic_del": self._del}

    def _new(self, step: Step) -> None:
        profile = self._profile(step["profile"])
        queues = step.get("queues", 0)
        if queues > MAX_QUEUES:
            raise StepError(f"nic_new: queues: no NIC has more than {MAX_QUEUES}")
        changes = {name: step[name] for name in ABILITIES if step.get(name) is not None}
        if not 1 <= changes.get("functions", 1) <= FUNCTIONS_MAX:
            raise StepError(f"nic_new: functions: from 1 to {FUNCTIONS_MAX}")
        if not changes.get("xdp_zc_max_segs", 1):
            raise StepError("nic_new: xdp_zc_max_segs: at least 1")
        self.steps.machine.nics.plug(
            step.subject, dataclasses.replace(profile, **changes), self.steps.net("nic_new", step.get("netns", "init")),
            name=step.get("name", "eth%d"), queues=queues, mac=_mac(step.get("address")),
            numa_node=step.get("numa_node", NO_NODE), total_vfs=step.get("total_vfs"),
        )
        self._functions(step, step.get("vfs", 0))

    def _profile(self, said: str | Mapping[str, Any]) -> Profile:
        """The profile of that name, or that a table tells, which has its name from then on. Raises StepError."""
        nics = self.steps.machine.nics
        if not isinstance(said, str):
            try:
                own = profile_of(said)
            except ProfileError as error:
                raise StepError(f"nic_new: profile.{error}") from None
            nics.own[own.name] = own
            return own
        profile = nics.profile(said)
        if profile is None:
            raise StepError(f"nic_new: profile: there is no {said!r}, but {', '.join([*nics.own, *PROFILES])}")
        return profile

    def _functions(self, step: Step, count: int) -> None:
        """The virtual functions with which a NIC comes, whatever its driver would have them wait for. StepError: it
        cannot have so many."""
        if not count:
            return
        nics = self.steps.machine.nics
        card = nics.functions[step.subject]
        if card.sriov is None or count > card.sriov.total:
            most = 0 if card.sriov is None else card.sriov.total
            nics.unplug(step.subject)
            raise StepError(f"nic_new: vfs: such a NIC has at most {most}")
        sriov.enable(nics, card, count)

    def _del(self, step: Step) -> None:
        self.steps.machine.nics.unplug(step.subject)


def _mac(text: str | None) -> bytes | None:
    if text is None:
        return None
    if not ADDRESS.fullmatch(text):
        raise StepError(f"nic_new: address: six bytes like 02:00:00:00:00:01, and not {text!r}")
    mac = bytes.fromhex(text.replace(":", ""))
    if not valid_ethernet(mac):
        raise Refusal(EADDRNOTAVAIL)
    return mac
