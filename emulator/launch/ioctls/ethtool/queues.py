"""Channels, rings, interrupt coalescing, pause frames: structures whose words are the model's.

Netlink's rules are the model's (emulator/kernel/ethtool/settings.py); those of ioctls are fewer. Rings and coalescing
are set without a look at what was there; only channels that stay what they are come to nothing.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.ethtool import settings as model
from nlemu.emulator.launch.ioctls.ethtool.request import Request, unsupported, want
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import KernelMsg

if TYPE_CHECKING:
    from nlemu.protocol.schema.interpret import Codec

CHANNELS = prepare(structs.ethtool_channels)
RINGS = prepare(structs.ethtool_ringparam)
COALESCE = prepare(structs.ethtool_coalesce)
PAUSE = prepare(structs.ethtool_pauseparam)
PER_QUEUE = prepare(structs.ethtool_per_queue_op)
RING_KINDS = ("rx", "rx_mini", "rx_jumbo", "tx")
COUNTS = ("rx_count", "tx_count", "other_count", "combined_count")


def fields(codec: Codec) -> tuple[str, ...]:
    """The names of a structure's numbers behind its command."""
    names: tuple[str, ...] = codec.unpack(bytes(codec.size))._fields[1:]
    return names


def write(request: Request, codec: Codec, record: Any) -> None:
    """A record of the model, in the structure that has its words."""
    command = getattr(record, "command", None)
    request.write(codec.pack(
        cmd=request.command if command is None else command,
        **{name: int(getattr(record, name)) for name in fields(codec)},
    ))


def get_channels(request: Request) -> None:
    """ethtool_get_channels()."""
    write(request, CHANNELS, model.get_channels(request.dev))


def set_channels(request: Request) -> None:
    """ethtool_set_channels()."""
    want(request, "get_channels", "set_channels")
    wanted = request.read(CHANNELS)
    if model.set_channels(request.dev, {name: getattr(wanted, name) for name in COUNTS}):
        request.tell(KernelMsg.CHANNELS_NTF)


def get_rings(request: Request) -> None:
    """ethtool_get_ringparam()."""
    write(request, RINGS, model.get_rings(request.dev))


def set_rings(request: Request) -> None:
    """ethtool_set_ringparam(): sizes only. Whoever gives memory to queues is not asked."""
    want(request, "get_ringparam", "set_ringparam")
    wanted = request.read(RINGS)
    rings = model.configured_rings(request.dev)
    for kind in RING_KINDS:
        if getattr(wanted, kind) > getattr(rings, f"{kind}_max"):
            raise OSError(errno.EINVAL, "more than there can be")
    rings = replace(rings, **{kind: getattr(wanted, kind) for kind in RING_KINDS})
    request.dev.ops.set_ringparam(request.dev, rings)
    request.tell(KernelMsg.RINGS_NTF)


def get_coalesce(request: Request) -> None:
    """ethtool_get_coalesce()."""
    write(request, COALESCE, model.get_coalesce(request.dev))


def set_coalesce(request: Request) -> None:
    """ethtool_set_coalesce(): what the driver does not know has to be zero."""
    want(request, "get_coalesce", "set_coalesce")
    dev = request.dev
    wanted = request.read(COALESCE)
    numbers = {name: getattr(wanted, name) for name in fields(COALESCE)}
    if any(value and name not in dev.ops.settable_coalesce for name, value in numbers.items()):
        raise OSError(errno.EOPNOTSUPP, "an unsupported parameter")
    dev.ops.set_coalesce(dev, replace(dev.ops.get_coalesce(dev), **numbers, command=wanted.cmd))
    request.tell(KernelMsg.COALESCE_NTF)


def of_queues(request: Request) -> None:
    """ethtool_set_per_queue(): no driver here coalesces by queues."""
    request.read(PER_QUEUE)
    unsupported(request)


def get_pause(request: Request) -> None:
    """ethtool_get_pauseparam()."""
    write(request, PAUSE, model.get_pause(request.dev))


def set_pause(request: Request) -> None:
    """ethtool_set_pauseparam()."""
    want(request, "set_pauseparam")
    wanted = request.read(PAUSE)
    pause = model.Pause(bool(wanted.autoneg), bool(wanted.rx), bool(wanted.tx))
    request.dev.ops.set_pauseparam(request.dev, pause)
    request.tell(KernelMsg.PAUSE_NTF)
