"""What a driver has beside queues and links: Wake-on-LAN, numbers to tune, tests of itself, and what begins it anew."""

from __future__ import annotations

import errno
import struct
from typing import Any

from nlemu.emulator.kernel.devices.link_watch import set_testing
from nlemu.emulator.kernel.ethtool.wake import Wol
from nlemu.emulator.launch.ioctls.ethtool.request import Request, want
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import KernelMsg, StringSet, TestFlag, Tunable, TunableType

WOL = prepare(structs.ethtool_wolinfo)
TUNABLE = prepare(structs.ethtool_tunable)
TEST = prepare(structs.ethtool_test)
SIZES = {
    **dict.fromkeys((Tunable.RX_COPYBREAK, Tunable.TX_COPYBREAK, Tunable.TX_COPYBREAK_BUF_SIZE),
                    (TunableType.U32, 4)),
    Tunable.PFC_PREVENTION_TOUT: (TunableType.U16, 2),
}
"""ethtool_tunable_valid(): of which type each is, and how long."""


def get_wol(request: Request) -> None:
    """ethtool_get_wol()."""
    want(request, "get_wol")
    wol = request.dev.ops.get_wol(request.dev)
    request.write(WOL.pack(cmd=request.command, supported=wol.supported, wolopts=wol.options, sopass=wol.password))


def set_wol(request: Request) -> None:
    """ethtool_set_wol()."""
    want(request, "get_wol", "set_wol")
    dev, kept = request.dev, request.dev.ops.get_wol(request.dev)
    said = request.read(WOL)
    if said.wolopts & ~kept.supported:
        raise OSError(errno.EINVAL, "cannot be woken up so")
    if (said.wolopts, said.sopass) != (kept.options, kept.password):
        dev.ops.set_wol(dev, Wol(kept.supported, said.wolopts, said.sopass))
        request.tell(KernelMsg.WOL_NTF)


def _tunable(request: Request) -> Any:
    asked = request.read(TUNABLE)
    if asked.id not in SIZES or (asked.type_id, asked.len) != SIZES[asked.id]:
        raise OSError(errno.EINVAL, "no such number")
    return asked


def get_tunable(request: Request) -> None:
    """ethtool_get_tunable()."""
    want(request, "get_tunable")
    asked = _tunable(request)
    value = request.dev.ops.get_tunable(request.dev, asked.id)
    request.write(value.to_bytes(asked.len, "little"), TUNABLE.size)


def set_tunable(request: Request) -> None:
    """ethtool_set_tunable()."""
    want(request, "set_tunable")
    asked = _tunable(request)
    value = request.caller.memory.read(request.place + TUNABLE.size, asked.len)
    request.dev.ops.set_tunable(request.dev, asked.id, int.from_bytes(value, "little"))


def test(request: Request) -> None:
    """ethtool_self_test()."""
    want(request, "self_test", "get_strings")
    dev = request.dev
    asked, names = request.read(TEST), dev.ops.get_strings(dev, StringSet.TEST)
    set_testing(dev, True)
    try:
        fared, failed = dev.ops.self_test(dev, bool(asked.flags & TestFlag.OFFLINE))
    finally:
        set_testing(dev, False)
    flags = asked.flags | (TestFlag.FAILED if failed else 0)
    request.write(TEST.pack(cmd=asked.cmd, flags=flags, reserved=asked.reserved, len=len(names)))
    request.write(struct.pack(f"<{len(fared)}Q", *fared), TEST.size)


def negotiate(request: Request) -> None:
    """ethtool_nway_reset()."""
    want(request, "nway_reset")
    request.dev.ops.nway_reset(request.dev)


def reset(request: Request) -> None:
    """ethtool_reset()."""
    want(request, "reset")
    request.answer_number(request.dev.ops.reset(request.dev, request.number()))


def blink(request: Request) -> None:
    """ethtool_phys_id(), which here does not wait."""
    want(request, "set_phys_id")
    request.number()
    request.dev.ops.set_phys_id(request.dev)
