"""Virtual functions of cards: how many a card has, where they come, and what the driver of the card does
(drivers/pci/iov.c, and the sriov_configure() of each driver).

A number is written to the file sriov_numvfs; so many functions come behind the card's own, each with a driver of its
own where that is wanted (sriov_drivers_autoprobe), and its network device in the first namespace. The source of
drivers/pci was not at hand in 7.2.13: what is said of it here is what it has long been.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from errno import EBUSY, EEXIST, ENOENT, ENOMEM, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.devices.vf import VfConfig
from nlemu.emulator.kernel.nics import pci
from nlemu.emulator.kernel.nics.eswitch import SWITCHDEV
from nlemu.emulator.kernel.nics.function import BusFunction
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.nics.nics import Nics


@dataclass(frozen=True, slots=True)
class SriovFacts:
    """What the capability of a card says. total: TotalVFs; offset, stride: where the first one is, and each next, in
    functions; device: the number that they have; driver: whose they are; queues: how many one begins with; room: and
    may have; up: the card's driver makes them only while its device is up; spoofchk: is on at first."""

    total: int
    offset: int
    device: int
    driver: str
    queues: int
    room: int
    stride: int = 1
    up: bool = False
    spoofchk: bool = False


SRIOV = {
    "mlx5_core": SriovFacts(16, 2, 0x101E, "mlx5_core", 4, 16),
    "bnxt_en": SriovFacts(128, 16, 0x1819, "bnxt_en", 4, 16, up=True),  # bnxt_sriov_configure()
    "ice": SriovFacts(128, 8, 0x1889, "iavf", 4, 16, spoofchk=True),  # ice_initialize_vf_entry()
    "i40e": SriovFacts(64, 16, 0x154C, "iavf", 4, 16, spoofchk=True),
}
"""By the driver of the card. The numbers of functions are those of large cards with two ports, and can be others."""


@dataclass(slots=True)
class Sriov:
    """struct pci_sriov of a card, and what its driver keeps of its functions. configs: of as many as there can be; what
    is set of one that is not there is kept where the driver keeps it."""

    facts: SriovFacts
    total: int
    vfs: list[BusFunction] = dataclasses.field(default_factory=list)
    configs: list[VfConfig] = dataclasses.field(default_factory=list)
    autoprobe: bool = True

    def forget(self) -> None:
        """What was set of the functions is forgotten."""
        self.configs = [VfConfig(spoofchk=self.facts.spoofchk) for _ in range(self.total)]


def begin(function: BusFunction, total: int | None) -> None:
    """A card with that many functions at most comes; None: as many as such cards have, 0: it has no such capability."""
    facts = SRIOV.get(function.profile.driver)
    if facts is None or not pci.parsed(function.address) or total == 0:
        return
    function.sriov = Sriov(facts, facts.total if total is None else total)
    function.sriov.forget()


def configure(nics: Nics, card: BusFunction, count: int) -> None:
    """sriov_numvfs_store(): so many functions are wanted. ERANGE: more than there can be, ENOENT: no driver has the
    card or has such a function, EBUSY: there are some, and another number of them cannot be had before there are
    none."""
    sriov = card.sriov
    if sriov is None or count > sriov.total:
        raise Refusal(ERANGE)
    if count == len(sriov.vfs):
        return
    if card.dev is None:
        raise Refusal(ENOENT)
    if count and sriov.vfs:
        raise Refusal(EBUSY)
    if sriov.facts.up and not card.dev.running:
        return  # it says so in the log, and that all is well
    if count:
        enable(nics, card, count)
    else:
        disable(nics, card)


def enable(nics: Nics, card: BusFunction, count: int) -> None:
    """pci_enable_sriov(): they come, one after the other. ENOMEM: there is no bus of that number, EEXIST: something is
    where one would be."""
    sriov = card.sriov
    assert sriov is not None
    coming = [_virtual(card, number) for number in range(count)]
    if any(pci.parsed(one.address) is None for one in coming):
        raise Refusal(ENOMEM)
    if any(nics.at(one.address) for one in coming):
        raise Refusal(EEXIST)
    switched = card.eswitch is not None and card.eswitch.mode == SWITCHDEV
    if switched and card.eswitch is not None and card.eswitch.facts.first:
        card.eswitch.represent(count)
    for one in coming:
        sriov.vfs.append(one)
        nics.added(one)
        one.announce(nics.kernel, Action.CHANGE)  # pci_iov_sysfs_link()
        if sriov.autoprobe:
            nics.probe(one)
    card.announce(nics.kernel, Action.CHANGE)
    if switched and card.eswitch is not None:
        card.eswitch.represent(count)


def disable(nics: Nics, card: BusFunction) -> None:
    """pci_disable_sriov(): all go, and what was set of them is forgotten."""
    sriov = card.sriov
    if sriov is None:
        return
    switch = card.eswitch
    if switch is not None and not switch.facts.outlive:
        switch.forget()
    for one in sriov.vfs:
        nics.lost(one)
    sriov.vfs.clear()
    if switch is not None:
        switch.forget()
    sriov.forget()


def _virtual(card: BusFunction, number: int) -> BusFunction:
    """pci_iov_add_virtfn(): a function, before it is there."""
    sriov, place = card.sriov, pci.parsed(card.address)
    assert sriov is not None and place is not None
    facts = sriov.facts
    address = pci.after(card.address, facts.offset + number * facts.stride)
    profile = dataclasses.replace(
        PROFILES[facts.driver], queues=facts.queues, max_queues=facts.room, speed=card.profile.speed
    )
    return BusFunction(
        address, profile, address, f"{card.root}/{address}", dataclasses.replace(card.identity, device=facts.device),
        queues=facts.queues, serial=card.serial, numa_node=card.numa_node, physfn=card, number=number,
    )
