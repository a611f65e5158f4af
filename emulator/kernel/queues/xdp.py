"""XDP programs on devices, as far as they stand in other programs' way (dev_xdp_attach() of net/core/dev.c).

What the program does nobody sees; that it is there, the queues do: no memory provider comes to a device with a program,
and no program to a device with a provider; header split and a program without fragments exclude each other too. A
device has at most one program in each of two modes, and never both: the driver's (native) and the stack's (generic).
One is attached by a link, which ends with the program that holds it, or by netlink, and then stays; either ends with
the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from errno import EBUSY, EEXIST, EINVAL, ENOLINK, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.queue import min_provider_channels
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import TcpDataSplit
from nlemu.protocol.uapi.if_link import XDP_FLAGS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

MODES = int(XDP_FLAGS.SKB_MODE | XDP_FLAGS.DRV_MODE | XDP_FLAGS.HW_MODE)


class Mode(Enum):
    """enum bpf_xdp_mode, without offload to hardware, which no program here is made for."""

    GENERIC = "generic"
    NATIVE = "native"


OTHER = {Mode.GENERIC: Mode.NATIVE, Mode.NATIVE: Mode.GENERIC}


@dataclass(frozen=True)
class XdpProgram:
    """struct bpf_prog of BPF_PROG_TYPE_XDP, as far as it is known. id: its number; fragments: it was loaded with
    BPF_F_XDP_HAS_FRAGS."""

    id: int
    fragments: bool = False


class Attached:
    """A program in one of a device's modes, whatever attached it. id, fragments: the program's."""

    __slots__ = ("mode", "program")

    def __init__(self, mode: Mode, program: XdpProgram) -> None:
        self.mode, self.program = mode, program

    @property
    def id(self) -> int:
        """Its number."""
        return self.program.id

    @property
    def fragments(self) -> bool:
        """It can do with packets in fragments."""
        return self.program.fragments


class XdpLink(Attached):
    """struct bpf_xdp_link: a program on a device. number: the link's own; dev: None when the device is gone, or it was
    taken off."""

    __slots__ = ("dev", "number")

    def __init__(self, net: Net, ifindex: int, program: XdpProgram, flags: int = 0) -> None:
        """bpf_xdp_link_attach(): flags are XDP_FLAGS_*_MODE, one of them or none. EINVAL (also for a device that is
        not there), EBUSY, EEXIST, EOPNOTSUPP and what the driver refuses; mostly with a text, which the system call
        cannot carry."""
        dev = net.device(ifindex)
        if dev is None:
            raise Refusal(EINVAL)
        self.number = net.kernel.xdp.prime()
        if flags & ~MODES:
            raise Refusal(EINVAL, "Invalid XDP flags for BPF link attachment")
        if flags & (flags - 1):
            raise Refusal(EINVAL, "Only one XDP mode flag can be set")
        super().__init__(_mode(dev, flags), program)
        self.dev: Device | None = None
        if dev.kernel.xdp.on(dev).get(self.mode) is not None:
            if isinstance(dev.kernel.xdp.on(dev)[self.mode], XdpLink):
                raise Refusal(EBUSY, "Can't replace active BPF XDP link")
            raise Refusal(EBUSY, "Can't replace active XDP program with BPF link")
        _install(dev, self)
        self.dev = dev

    def update(self, program: XdpProgram, expected: XdpProgram | None) -> None:
        """bpf_xdp_link_update(): another program, in the place of the one that is expected, if any is. EPERM, ENOLINK,
        and what attaching one is refused with."""
        if expected is not None and self.program != expected:
            raise Refusal(EPERM)
        if self.dev is None:
            raise Refusal(ENOLINK)
        before, self.program = self.program, program
        if program == before:
            return
        try:
            _install(self.dev, self)
        except Refusal:
            self.program = before
            raise

    def close(self) -> None:
        """bpf_xdp_link_release()."""
        dev, self.dev = self.dev, None
        if dev is not None:
            _forget(dev, self.mode)


class XdpAttached(Attached):
    """A program that netlink has attached: it stays until it is taken away, or its device goes."""

    __slots__ = ("dev",)

    def __init__(self, dev: Device, mode: Mode, program: XdpProgram) -> None:
        super().__init__(mode, program)
        self.dev = dev

    def close(self) -> None:
        """It is no longer there."""
        _forget(self.dev, self.mode)


def change(dev: Device, new: XdpProgram | None, expected: XdpProgram | None, flags: int) -> None:
    """dev_xdp_attach() of a program, or of none, in the place of what is there. EINVAL, EBUSY, EEXIST, EOPNOTSUPP, with
    texts, and what the driver refuses."""
    attached = dev.kernel.xdp.on(dev)
    if not flags & MODES and len(attached) > 1:
        raise Refusal(EINVAL, "More than one program loaded, unset mode is ambiguous")
    mode = _mode(dev, flags)
    current = attached.get(mode)
    if isinstance(current, XdpLink):
        raise Refusal(EBUSY, "Can't replace active BPF XDP link")
    if any(dev.kernel.xdp.on(upper) for upper in dev.uppers):
        raise Refusal(EEXIST, "Cannot attach when an upper device already has a program")
    before = None if current is None else current.program
    if flags & XDP_FLAGS.REPLACE and before != expected:
        raise Refusal(EEXIST, "Active program does not match expected")
    if new is not None and flags & XDP_FLAGS.UPDATE_IF_NOEXIST and current is not None:
        raise Refusal(EBUSY, "XDP program already attached")
    if new == before:
        return
    if new is None:
        _check_driver(dev, mode)
        _forget(dev, mode)
        return
    _install(dev, XdpAttached(dev, mode, new))


def _check_driver(dev: Device, mode: Mode) -> None:
    if mode is Mode.NATIVE and not dev.ops.has_bpf:
        raise Refusal(EOPNOTSUPP, "Underlying driver does not support XDP in native mode")


def _mode(dev: Device, flags: int) -> Mode:
    """dev_xdp_mode(). EINVAL, EOPNOTSUPP: hardware is asked for, and no driver takes a program over that is not made
    for it."""
    if flags & XDP_FLAGS.HW_MODE:
        _check_driver(dev, Mode.NATIVE)
        raise Refusal(EINVAL)
    native = dev.ops.has_bpf if not flags & MODES else bool(flags & XDP_FLAGS.DRV_MODE)
    return Mode.NATIVE if native else Mode.GENERIC


def _install(dev: Device, program: XdpLink | XdpAttached) -> None:
    """dev_xdp_install(): a program takes its place, whatever was in it. EOPNOTSUPP, EEXIST, EBUSY, with texts."""
    _check_driver(dev, program.mode)
    if OTHER[program.mode] in dev.kernel.xdp.on(dev):
        raise Refusal(EEXIST, "Native and generic XDP can't be active at the same time")
    if dev.cfg.hds_config == TcpDataSplit.ENABLED and not program.fragments:
        raise Refusal(EBUSY, "unable to install XDP to device using tcp-data-split")
    if min_provider_channels(dev):
        raise Refusal(EBUSY, "unable to install XDP to device using memory provider")
    if program.mode is Mode.NATIVE:
        dev.ops.setup_xdp(dev, program)
    dev.kernel.xdp.attached.setdefault(dev, {})[program.mode] = program
    if program.mode is Mode.NATIVE:
        dev.ops.xdp_is_set_up(dev)
    dev.changed()
    if program.mode is Mode.GENERIC:
        # generic_xdp_install() switches off what merges packets before the program sees them.
        features.disable(dev, features.LRO)
        features.disable(dev, features.GRO_HW)


def _forget(dev: Device, mode: Mode) -> None:
    programs = dev.kernel.xdp.attached[dev]
    del programs[mode]
    if not programs:
        del dev.kernel.xdp.attached[dev]
    if mode is Mode.NATIVE:
        dev.ops.clear_xdp(dev)
    dev.changed()


class XdpPrograms:
    """The XDP programs of a machine, by device."""

    __slots__ = ("_linked", "_loaded", "attached")

    def __init__(self) -> None:
        self._loaded = self._linked = 0
        self.attached: dict[Device, dict[Mode, XdpLink | XdpAttached]] = {}

    def load(self) -> int:
        """bpf_prog_alloc_id(): a number for a program that is loaded, wherever it will be attached."""
        self._loaded += 1
        return self._loaded

    def prime(self) -> int:
        """bpf_link_prime(): a number for a link that is made, whether or not it will be attached."""
        self._linked += 1
        return self._linked

    def on(self, dev: Device) -> dict[Mode, XdpLink | XdpAttached]:
        """What dev_xdp_prog_count() counts."""
        return self.attached.get(dev, {})

    def single_buffer(self, dev: Device) -> bool:
        """dev_xdp_sb_prog_count(): whether one of them cannot do with fragments."""
        return any(not link.fragments for link in self.on(dev).values())

    def uninstall(self, dev: Device) -> None:
        """dev_xdp_uninstall(): the device goes."""
        for link in list(self.on(dev).values()):
            link.close()
