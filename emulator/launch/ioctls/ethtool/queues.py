"""Channels, rings, interrupt coalescing, pause frames: structures whose words are the model's.

Netlink's rules are the model's (emulator/kernel/ethtool/settings.py); those of ioctls are fewer. Rings and coalescing
are set without a look at what was there; only channels that stay what they are come to nothing.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.ethtool import settings as model
from nlemu.emulator.launch.ioctls.ethtool.request import Request, unsupported, want
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.uapi.ethtool import EthtoolIoctl, KernelMsg

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    numbers = _wanted(request)
    dev.ops.set_coalesce(dev, replace(dev.ops.get_coalesce(dev), **numbers, command=request.command))
    request.tell(KernelMsg.COALESCE_NTF)


def of_queues(request: Request) -> None:
    """ethtool_set_per_queue(): what follows the mask is one structure for each queue in it. Who may only ask has been
    let in as whoever says the command inside may."""
    asked = request.read(PER_QUEUE)
    queues = [word * 32 + bit for word, bits in enumerate(asked.queue_mask) for bit in range(32) if bits >> bit & 1]
    match asked.sub_command:
        case EthtoolIoctl.GCOALESCE:
            want(request, "get_per_queue_coalesce")
            get_of_queues(request, queues)
        case EthtoolIoctl.SCOALESCE:
            want(request, "get_per_queue_coalesce", "set_per_queue_coalesce")
            set_of_queues(request, queues)
        case _:
            unsupported(request)


def get_of_queues(request: Request, queues: Iterable[int]) -> None:
    """ethtool_get_per_queue_coalesce()."""
    place = PER_QUEUE.size
    for queue in queues:
        record = request.dev.ops.get_per_queue_coalesce(request.dev, queue)
        numbers = {name: int(getattr(record, name)) for name in fields(COALESCE)}
        request.write(COALESCE.pack(cmd=EthtoolIoctl.GCOALESCE, **numbers), behind=place)
        place += COALESCE.size


def set_of_queues(request: Request, queues: Iterable[int]) -> None:
    """ethtool_set_per_queue_coalesce(): if one queue refuses, those before it are set back. Nobody is told."""
    dev, place, before = request.dev, PER_QUEUE.size, {}
    try:
        for queue in queues:
            kept = dev.ops.get_per_queue_coalesce(dev, queue)
            wanted = _wanted(request, place)
            dev.ops.set_per_queue_coalesce(dev, queue, replace(kept, **wanted))
            before[queue] = kept
            place += COALESCE.size
    except (OSError, Refusal):
        for queue, kept in before.items():
            with suppress(Refusal):
                dev.ops.set_per_queue_coalesce(dev, queue, kept)
        raise


def _wanted(request: Request, behind: int = 0) -> dict[str, int]:
    """The numbers of a struct ethtool_coalesce; what the driver does not know has to be zero
    (ethtool_set_coalesce_supported()). OSError EFAULT, EOPNOTSUPP."""
    wanted = request.read(COALESCE, behind)
    numbers = {name: getattr(wanted, name) for name in fields(COALESCE)}
    if any(value and name not in request.dev.ops.settable_coalesce for name, value in numbers.items()):
        raise OSError(errno.EOPNOTSUPP, "an unsupported parameter")
    return numbers


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
