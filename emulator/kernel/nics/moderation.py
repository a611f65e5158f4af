"""How NICs hold their interrupts back: what each driver takes of `ethtool -C`, refuses and rounds, of the device as of
one of its queues.

What is set is a function of what was set and what is wanted. Of some drivers that is a matter of each queue: what is
set of the device is set of each in turn, up to the first that refuses. Numbers whose headers were not at hand in
7.2.13 are those of older kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from errno import EINVAL, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.ethtool.settings import Coalesce
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

Moderate = Callable[[Coalesce, Coalesce], Coalesce]
"""What comes of it, from what was so and what is wanted. Refusal."""

LONGEST = 8160
"""ICE_ITR_MAX, I40E_MAX_ITR, IDPF_ITR_MAX: microseconds."""
I40E_LEAST = 2
"""I40E_MIN_ITR"""
LONGEST_RATE, RATE_GRAIN = 236, 4
"""ICE_MAX_INTRL, INTRL_REG_TO_USEC(I40E_MAX_INTRL), and what both count them in (ICE_INTRL_GRAN_ABOVE_25)."""
SIDES = ("rx", "tx")
MLX5_LONGEST, MLX5_MOST = 4095, 65535
"""MLX5E_MAX_COAL_TIME, MLX5E_MAX_COAL_FRAMES (MLX5_MAX_CQ_PERIOD, MLX5_MAX_CQ_COUNT)"""
BNXT_STATS = range(250_000, 1_000_001)
"""BNXT_MIN_STATS_COAL_TICKS to BNXT_MAX_STATS_COAL_TICKS, in microseconds"""
E1000E_USECS = range(10, 10_001)
"""E1000_MIN_ITR_USECS to E1000_MAX_ITR_USECS"""
E1000E_MODES = frozenset((0, 1, 3, 4))
"""Numbers that are none of microseconds, but ways to adapt."""


def _adapts(of: Coalesce, side: str) -> bool:
    return bool(getattr(of, f"use_adaptive_{side}"))


def _usecs(of: Coalesce, side: str) -> int:
    usecs: int = getattr(of, f"{side}_usecs")
    return usecs


def as_it_is(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """Of drivers that take what they are told."""
    return replace(wanted)


def ice(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """ice_set_q_coalesce(): whoever adapts is not told how long. EINVAL."""
    rate = wanted.rx_usecs_high
    if rate > LONGEST_RATE or 0 < rate < RATE_GRAIN:
        raise Refusal(EINVAL)
    if rate != kept.rx_usecs_high and (wanted.use_adaptive_rx or wanted.use_adaptive_tx):
        raise Refusal(EINVAL)
    for side in SIDES:
        if _adapts(wanted, side) and _usecs(wanted, side) != _usecs(kept, side):
            raise Refusal(EINVAL)
        if _usecs(wanted, side) > LONGEST:
            raise Refusal(EINVAL)
    return replace(wanted)


def i40e(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """__i40e_set_coalesce(): the rate is one, and set by rx-usecs-high. EINVAL."""
    if wanted.tx_usecs_high != kept.rx_usecs_high or wanted.rx_usecs_high > LONGEST_RATE:
        raise Refusal(EINVAL)
    rate = wanted.rx_usecs_high // RATE_GRAIN * RATE_GRAIN
    frames = wanted.tx_max_frames_irq or kept.tx_max_frames_irq
    new = replace(wanted, rx_usecs_high=rate, tx_usecs_high=rate, tx_max_frames_irq=frames)
    for side in SIDES:
        usecs, adapts = _usecs(wanted, side), _adapts(wanted, side)
        if (adapts and usecs != _usecs(kept, side)) or usecs > LONGEST:
            raise Refusal(EINVAL)
        if adapts and not usecs:
            usecs = I40E_LEAST
        setattr(new, f"{side}_usecs", usecs + usecs % 2)  # ITR_REG_ALIGN()
    return new


def idpf(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """__idpf_set_q_coalesce(): the hardware knows even numbers only. EINVAL."""
    new = replace(wanted)
    for side in SIDES:
        usecs, adapts = _usecs(wanted, side), _adapts(wanted, side)
        if (adapts and usecs != _usecs(kept, side)) or usecs > LONGEST:
            raise Refusal(EINVAL)
        setattr(new, f"{side}_usecs", usecs - usecs % 2)
    return new


def bnxt(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """bnxt_set_coalesce(): whoever ends to adapt is told nothing else."""
    if kept.use_adaptive_rx and not wanted.use_adaptive_rx:
        return replace(kept, use_adaptive_rx=0)
    ticks = wanted.stats_block_usecs
    if ticks and ticks != kept.stats_block_usecs:
        ticks = min(max(ticks, BNXT_STATS[0]), BNXT_STATS[-1]) // BNXT_STATS[0] * BNXT_STATS[0]
    return replace(wanted, stats_block_usecs=ticks)


def e1000e(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """e1000_set_coalesce(), e1000_get_coalesce(): it is kept as interrupts a second, without their last two bits.
    EINVAL."""
    usecs = wanted.rx_usecs
    if usecs in E1000E_MODES:
        return replace(wanted)
    if usecs not in E1000E_USECS:
        raise Refusal(EINVAL)
    return replace(wanted, rx_usecs=1_000_000 // (1_000_000 // usecs & ~3))


def mlx5(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """mlx5e_ethtool_set_per_queue_coalesce(): a queue that adapts is not told how long. ERANGE."""
    if max(wanted.rx_usecs, wanted.tx_usecs) > MLX5_LONGEST:
        raise Refusal(ERANGE)
    if max(wanted.rx_max_frames, wanted.tx_max_frames) > MLX5_MOST:
        raise Refusal(ERANGE)
    new = replace(wanted)
    for side in SIDES:
        if _adapts(wanted, side):
            setattr(new, f"{side}_usecs", _usecs(kept, side))
            setattr(new, f"{side}_max_frames", getattr(kept, f"{side}_max_frames"))
    return new


def virtio(kept: Coalesce, wanted: Coalesce) -> Coalesce:
    """virtnet_coal_params_supported(), of a device that cannot be told how long. EOPNOTSUPP, EINVAL."""
    if wanted.rx_usecs or wanted.tx_usecs:
        raise Refusal(EOPNOTSUPP)
    if wanted.tx_max_frames > 1 or wanted.rx_max_frames != 1:
        raise Refusal(EINVAL)
    return replace(kept, tx_max_frames=wanted.tx_max_frames)


def in_use(dev: Device) -> int:
    """Of most drivers, queues can be asked about that are in use."""
    count: int = dev.priv.count
    return count


def running(dev: Device) -> int:
    """mlx5 has channels while the device is up."""
    return in_use(dev) if dev.running else 0


def all_there_are(dev: Device) -> int:
    """virtio_net's, whether they are in use or not."""
    return dev.num_rx_queues


@dataclass(frozen=True, slots=True)
class Way:
    """What a driver makes of it. whole: of the device; None: it is set of each queue. of_queue: of one queue; None:
    that cannot be set. room: how many queues can be asked about; first: what is told of the device is what is so of its
    first queue; shared: what is the same of all queues; forgets: channels begin as the device is set."""

    whole: Moderate | None = as_it_is
    of_queue: Moderate | None = None
    room: Callable[[Device], int] = in_use
    first: bool = False
    shared: tuple[str, ...] = ()
    forgets: bool = False


WAYS = {
    "bnxt_en": Way(bnxt),
    "e1000e": Way(e1000e),
    "i40e": Way(i40e, i40e, first=True, shared=("rx_usecs_high", "tx_usecs_high", "tx_max_frames_irq")),
    "ice": Way(None, ice, first=True),
    "idpf": Way(None, idpf, first=True),
    "mlx5_core": Way(of_queue=mlx5, room=running, forgets=True),
    "virtio_net": Way(virtio, virtio, room=all_there_are, first=True),
}
ANY = Way()


class NicModeration(DeviceOps):
    """get_coalesce and its like of ethtool_ops."""

    OF_QUEUES = frozenset(("get_per_queue_coalesce", "set_per_queue_coalesce"))

    def take_way(self, driver: str) -> None:
        """Of which driver it is."""
        self.way = WAYS.get(driver, ANY)

    def get_coalesce(self, dev: Device) -> Coalesce:
        kept: Coalesce = dev.priv.coalesce
        return _of(dev, 0) if self.way.first else replace(kept)

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        state = dev.priv
        if self.way.whole is not None:
            state.coalesce = self.way.whole(NicModeration.get_coalesce(self, dev), coalesce)
            state.apart.clear()
            return
        for queue in range(state.count):
            self._set(dev, queue, coalesce)
        state.coalesce = _of(dev, 0)  # as queues begin that are not in use yet
        state.apart.clear()

    def get_per_queue_coalesce(self, dev: Device, queue: int) -> Coalesce:
        self._check(dev, queue)
        return _of(dev, queue)

    def set_per_queue_coalesce(self, dev: Device, queue: int, coalesce: Coalesce) -> None:
        self._check(dev, queue)
        self._set(dev, queue, coalesce)

    def _check(self, dev: Device, queue: int) -> None:
        if queue >= self.way.room(dev):
            raise Refusal(EINVAL)

    def _set(self, dev: Device, queue: int, wanted: Coalesce) -> None:
        assert self.way.of_queue is not None
        state, shared = dev.priv, self.way.shared
        new = state.apart[queue] = self.way.of_queue(_of(dev, queue), wanted)
        for other in (state.coalesce, *state.apart.values()):
            for name in shared:
                setattr(other, name, getattr(new, name))

    def forget_apart(self, dev: Device) -> None:
        """Channels begin."""
        if self.way.forgets:
            dev.priv.apart.clear()


def _of(dev: Device, queue: int) -> Coalesce:
    """What is so of a queue."""
    state = dev.priv
    kept: Coalesce = state.apart.get(queue, state.coalesce)
    return replace(kept)
