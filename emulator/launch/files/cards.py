"""/sys/bus/pci, /sys/bus/virtio, and what stands below /sys/devices of NICs: where programs look for them
(drivers/pci/pci-sysfs.c, drivers/base/bus.c, drivers/virtio/virtio.c).

These buses hold the emulated NICs, and nothing of the machine that is underneath. Other files of its cards, which are
no NICs, are reached by the paths of their own below /sys/devices.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.kstrto import kstrtobool, kstrtoul
from nlemu.emulator.kernel.devices import steering
from nlemu.emulator.kernel.nics import pci, sriov
from nlemu.emulator.kernel.nics.function import PCI, VIRTIO, BusFunction
from nlemu.emulator.launch.files.tree import Directory, File, Link, Node, walk

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.nics import Nics
    from nlemu.emulator.machine.machine import Machine

Entries = dict[str, Callable[[], Node]]
VIRTIO_VENDOR, VIRTIO_STATUS = "0x1af4", "0x0000000f"
"""VIRTIO_CONFIG_S_ACKNOWLEDGE, DRIVER, DRIVER_OK and FEATURES_OK: recorded."""
RESOURCES = 13
"""PCI_BRIDGE_RESOURCES: six of the card, its ROM, and six of its virtual functions; none has a place in memory here."""
NOWHERE = " ".join(["0x" + "0" * 16] * 3)
CONFIG = struct.Struct("<HHHHI8x24x4xHH16x")
"""The header of the configuration space, of 64 bytes."""
MASTER = 0x0406
"""PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE"""
U16_MAX = 0xFFFF


def find(machine: Machine, net: Net, parts: list[str], *, follow: bool) -> Node | bool | None:
    """The node of a path below /sys, as seen from a namespace; False when the path is none of NICs, None when there is
    nothing by that name. OSError ENOTDIR."""
    nics = machine.nics
    match parts:
        case ["bus", ("pci" | "virtio") as name, *rest]:
            return walk(_bus(nics, net, name), rest, follow=follow)
        case ["kernel", "iommu_groups", *rest]:
            return walk(_groups(nics, net), rest, follow=follow)
        case ["module", name, *rest]:
            buses = {bus: driver for bus in (PCI, VIRTIO) for driver in _drivers(nics, bus) if _module(driver) == name}
            return walk(_module_directory(nics, net, buses), rest, follow=follow) if buses else False
        case ["devices", top, *rest]:
            return _below_devices(nics, net, top, rest, follow=follow)
    return False


def _below_devices(nics: Nics, net: Net, top: str, rest: list[str], *, follow: bool) -> Node | bool | None:
    alone = nics.functions.get(top)
    if alone is not None and alone.place == top:
        return walk(parent(alone, net), rest, follow=follow)
    if rest:
        one = nics.at(rest[0])
        if one is None or one.root != top:
            return False
        return walk(function(one, net), rest[1:], follow=follow)
    found = [one for one in nics.functions.values() if one.root == top]
    return Directory({one.address: partial(function, one, net) for one in found}) if found else False


# Buses, drivers and modules


def _drivers(nics: Nics, bus: str) -> dict[str, list[BusFunction]]:
    """The drivers of a bus, and what each has."""
    found: dict[str, list[BusFunction]] = {}
    for one in nics.functions.values():
        if bus == PCI and one.address:
            found.setdefault(pci.VIRTIO_DRIVER if one.bus == VIRTIO else one.profile.driver, []).append(one)
        elif bus == VIRTIO and one.bus == VIRTIO:
            found.setdefault(one.profile.driver, []).append(one)
    return found


def _bus(nics: Nics, net: Net, bus: str) -> Directory:
    """/sys/bus/NAME."""
    there = [one for ones in _drivers(nics, bus).values() for one in ones]
    entries: Entries = {
        "devices": lambda: Directory({_name(one, bus): partial(_link, one, net, bus, 3) for one in there}),
        "drivers": lambda: Directory(
            {name: partial(_driver, nics, net, bus, name) for name in _drivers(nics, bus)}
        ),
        "drivers_autoprobe": lambda: File(lambda: "1\n"),
        "drivers_probe": lambda: File(write=partial(_bind, nics, bus, "")),
        "uevent": lambda: File(write=lambda _: None),
    }
    if bus == PCI:
        entries["slots"] = lambda: Directory({})
    return Directory(entries)


def _name(one: BusFunction, bus: str) -> str:
    return one.address if bus == PCI else one.name


def _link(one: BusFunction, net: Net, bus: str, up: int) -> Link:
    """A link to a device on a bus, from so far below /sys."""
    if bus == PCI:
        return Link(f"{'../' * up}devices/{one.pci_place}", partial(function, one, net))
    return Link(f"{'../' * up}devices/{one.place}", partial(parent, one, net))


def _driver(nics: Nics, net: Net, bus: str, driver: str) -> Directory:
    """/sys/bus/NAME/drivers/DRIVER."""
    entries: Entries = {
        _name(one, bus): partial(_link, one, net, bus, 4)
        for one in _drivers(nics, bus).get(driver, ()) if (one.pci_driver if bus == PCI else one.driver)
    }
    module = _module(driver)
    entries |= {
        "bind": lambda: File(write=partial(_bind, nics, bus, driver)),
        "module": lambda: Link(
            f"../../../../module/{module}", partial(_module_directory, nics, net, {bus: driver})
        ),
        "uevent": lambda: File(write=lambda _: None),
        "unbind": lambda: File(write=partial(_unbind, nics, bus, driver)),
    }
    return Directory(entries)


def _module(driver: str) -> str:
    return driver.replace("-", "_")


def _module_directory(nics: Nics, net: Net, buses: dict[str, str]) -> Directory:
    """/sys/module/NAME, of a driver's module: the drivers in it. buses: the driver, by its bus."""
    return Directory({
        "drivers": lambda: Directory({
            f"{bus}:{driver}": partial(
                Link, f"../../../bus/{bus}/drivers/{driver}", partial(_driver, nics, net, bus, driver)
            )
            for bus, driver in buses.items()
        }),
    })


def _wanted(nics: Nics, bus: str, driver: str, text: str) -> BusFunction:
    """bus_find_device_by_name(): what is written names a device that the driver is for. OSError ENODEV."""
    name = text.removesuffix("\n")
    one = nics.at(name) if bus == PCI else nics.functions.get(name)
    if one is None or one.bus != bus or (driver and one.profile.driver != driver):
        raise OSError(errno.ENODEV, name)
    return one


def _bind(nics: Nics, bus: str, driver: str, text: str) -> None:
    """bind_store(); and drivers_probe_store(), of any driver, which does nothing where one has the device."""
    one = _wanted(nics, bus, driver, text)
    if driver or one.dev is None:
        nics.probe(one)


def _unbind(nics: Nics, bus: str, driver: str, text: str) -> None:
    """unbind_store()."""
    nics.release(_wanted(nics, bus, driver, text))


# Devices


def parent(one: BusFunction, net: Net) -> Node:
    """The directory of the device below which a NIC's is."""
    if one.bus == VIRTIO and one.address:
        return _virtio(one, net)
    return function(one, net) if one.address else Directory(_nets(one, net))


def _nets(one: BusFunction, net: Net) -> Entries:
    """net/: the device of the NIC and those that represent its virtual functions, of the namespace of whoever looks."""
    if one.dev is None:
        return {}
    devices = [one.dev, *(one.eswitch.representors.values() if one.eswitch is not None else ())]
    return {"net": lambda: Directory({dev.name: partial(_net_device, dev) for dev in devices if dev.net is net})}


def _net_device(dev: Device) -> Node:
    from nlemu.emulator.launch.files.sysfs import device

    return device(dev)


def _text(value: object) -> Callable[[], File]:
    return lambda: File(lambda: f"{value}\n")


def _lines(variables: tuple[tuple[str, object], ...]) -> Callable[[], File]:
    """uevent: what a uevent would say."""
    return lambda: File(lambda: "".join(f"{name}={value}\n" for name, value in variables), lambda _: None)


def _virtio(one: BusFunction, net: Net) -> Directory:
    """/sys/devices/.../virtioN."""
    entries: Entries = {
        "device": _text(f"{pci.VIRTIO_NET:#06x}"), "modalias": _text(one.virtio_modalias),
        "status": _text(VIRTIO_STATUS), "vendor": _text(f"{pci.REDHAT:#06x}"),
        "subsystem": lambda: Link("../../../../bus/virtio", lambda: _bus(net.kernel.nics, net, VIRTIO)),
        "uevent": _lines(one.virtio_variables()),
    }
    if one.driver:
        entries["driver"] = lambda: Link(
            f"../../../../bus/virtio/drivers/{one.driver}",
            lambda: _driver(net.kernel.nics, net, VIRTIO, one.driver),
        )
    return Directory(entries | _nets(one, net))


def function(one: BusFunction, net: Net) -> Directory:
    """/sys/devices/pciDOMAIN:BUS/ADDRESS."""
    nics, said, cpus = net.kernel.nics, one.identity, net.kernel.cpus
    entries: Entries = {
        "ari_enabled": _text(0), "broken_parity_status": _text(0), "class": _text(f"{said.kind:#08x}"),
        "config": lambda: File(partial(_config, one)),
        "consistent_dma_mask_bits": _text(64), "d3cold_allowed": _text(1), "device": _text(f"{said.device:#06x}"),
        "dma_mask_bits": _text(64), "enable": _text(int(bool(one.pci_driver))), "irq": _text(0),
        "local_cpulist": _text(f"0-{cpus - 1}" if cpus > 1 else "0"),
        "local_cpus": _text(steering.show_mask((1 << cpus) - 1, cpus)),
        "modalias": _text(one.modalias), "msi_bus": _text(1), "numa_node": _text(one.numa_node),
        "power_state": _text("D0"), "resource": _text("\n".join([NOWHERE] * RESOURCES)),
        "revision": _text(f"{said.revision:#04x}"),
        "subsystem": lambda: Link("../../../bus/pci", lambda: _bus(nics, net, PCI)),
        "subsystem_device": _text(f"{said.subsystem_device:#06x}"),
        "subsystem_vendor": _text(f"{said.subsystem_vendor:#06x}"),
        "uevent": _lines(one.pci_variables()), "vendor": _text(f"{said.vendor:#06x}"),
    }
    entries |= _sriov(one, net)
    if one.group is not None:
        entries["iommu_group"] = lambda: Link(
            f"../../../kernel/iommu_groups/{one.group}", lambda: _group(one, net)
        )
    if one.pci_driver:
        entries["driver"] = lambda: Link(
            f"../../../bus/pci/drivers/{one.pci_driver}", lambda: _driver(nics, net, PCI, one.pci_driver)
        )
    if one.bus == VIRTIO:
        entries[one.name] = partial(_virtio, one, net)
    else:
        entries |= _nets(one, net)
    return Directory(entries)


def _sriov(one: BusFunction, net: Net) -> Entries:
    """sriov_pf_dev_attrs, and the links between a card and its virtual functions."""
    card, said, nics = one.physfn, one.sriov, net.kernel.nics
    if card is not None:
        return {"physfn": lambda: Link(f"../{card.address}", partial(function, card, net))}
    if said is None:
        return {}
    entries: Entries = {
        f"virtfn{at}": partial(Link, f"../{vf.address}", partial(function, vf, net))
        for at, vf in enumerate(said.vfs)
    }
    return entries | {
        "sriov_drivers_autoprobe": lambda: File(
            lambda: f"{int(said.autoprobe)}\n", lambda text: setattr(said, "autoprobe", kstrtobool(text))
        ),
        "sriov_numvfs": lambda: File(lambda: f"{len(said.vfs)}\n", partial(_set_vfs, nics, one)),
        "sriov_offset": _text(said.facts.offset), "sriov_stride": _text(said.facts.stride),
        "sriov_totalvfs": _text(said.total), "sriov_vf_device": _text(f"{said.facts.device:x}"),
    }


def _set_vfs(nics: Nics, card: BusFunction, text: str) -> None:
    """sriov_numvfs_store(): whatever is no number of 16 bits is EINVAL."""
    try:
        count = kstrtoul(text)
    except OSError as error:
        raise ValueError(text) from error
    if count > U16_MAX:
        raise ValueError(text)
    sriov.configure(nics, card, count)


def _config(one: BusFunction) -> str:
    """The header of the configuration space."""
    said = one.identity
    header = CONFIG.pack(
        said.vendor, said.device, MASTER, 0, said.kind << 8 | said.revision, said.subsystem_vendor,
        said.subsystem_device,
    )
    return header.decode("utf-8", "surrogateescape")


def _groups(nics: Nics, net: Net) -> Directory:
    """/sys/kernel/iommu_groups."""
    return Directory(
        {str(one.group): partial(_group, one, net) for one in nics.functions.values() if one.group is not None}
    )


def _group(one: BusFunction, net: Net) -> Directory:
    """iommu_group_alloc(): a function by itself, whose memory is guarded."""
    return Directory({
        "devices": lambda: Directory({one.address: partial(_link, one, net, PCI, 4)}),
        "reserved_regions": _text("0x00000000fee00000 0x00000000feefffff msi"),
        "type": _text("DMA-FQ"),
    })
