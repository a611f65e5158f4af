"""Names of a device after it was registered: its own, and alternative ones (net/core/dev.c)."""

from __future__ import annotations

from contextlib import suppress
from errno import EEXIST, EINVAL, ENOENT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import uevents
from nlemu.emulator.kernel.devices.states import NameAssignment
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def change_name(dev: Device, wanted: str) -> None:
    """dev_change_name(): a name, or a pattern with "%d"; a device may be up meanwhile. Nothing happens when it is that
    already. EINVAL, EEXIST, ENFILE, and what a notifier refuses, in which case the old name is back."""
    if wanted == dev.name:
        return
    old, old_assignment = dev.name, dev.name_assign_type
    _rename(dev, dev.net.prepare_name(wanted), NameAssignment.RENAMED)
    try:
        dev.kernel.notify(NetdevEvent.CHANGENAME, dev)
    except Refusal:
        _rename(dev, old, old_assignment)
        with suppress(Refusal):
            dev.kernel.notify(NetdevEvent.CHANGENAME, dev)
        raise


def _rename(dev: Device, name: str, assignment: NameAssignment) -> None:
    if dev.name not in dev.altnames:
        dev.net.drop_name(dev.name)
    place = uevents.devpath(dev)
    dev.name = name
    dev.name_assign_type = assignment
    uevents.renamed(dev, place)
    dev.net.add_name(name, dev)
    dev.changed()


def add_altname(dev: Device, name: str) -> None:
    """netdev_name_node_alt_create(): EEXIST. There are no rules what it may look like, "" included."""
    if dev.net.by_name(name) is not None:
        raise Refusal(EEXIST)
    dev.altnames = (*dev.altnames, name)
    dev.net.add_name(name, dev)
    dev.changed()


def delete_altname(dev: Device, name: str) -> None:
    """netdev_name_node_alt_destroy(): ENOENT, or EINVAL when it is a proper name, or another device's."""
    owner = dev.net.by_name(name)
    if owner is None:
        raise Refusal(ENOENT)
    if owner is not dev or (name == dev.name and name not in dev.altnames):
        raise Refusal(EINVAL)
    drop_altname(dev, name)


def drop_altname(dev: Device, name: str) -> None:
    """__netdev_name_node_alt_destroy(), of one that is there."""
    dev.altnames = tuple(other for other in dev.altnames if other != name)
    if name != dev.name:
        dev.net.drop_name(name)
    dev.changed()
