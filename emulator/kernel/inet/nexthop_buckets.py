"""The buckets of a resilient group of next hops: struct nh_res_table of net/ipv4/nexthop.c.

A group has so many buckets, and each is one of its members'; packets choose a bucket, so a flow keeps its way while
others change theirs. A member is to have as many as its weight says. Where one has more than that (overweight) and
another fewer (underweight), buckets are moved, but only those that nobody has used for a while (idle_timer), or, when
that has lasted too long (unbalanced_timer), all. What cannot be moved yet is looked at again later.

No packet is carried here, so a bucket that was moved is idle at once. Whoever has the group in hardware may say that a
bucket is used (`use()`), hears of each that is moved, and may refuse that, unless it has to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlemu.emulator.kernel.core.clock import Clock
    from nlemu.emulator.kernel.core.work import Job, Work
    from nlemu.emulator.kernel.inet.nexthop import Nexthop

TICK = NSEC_PER_SEC // 100
"""A hundredth of a second, USER_HZ, in nanoseconds."""
LEAST_WAIT = NSEC_PER_SEC // 2
"""NH_RES_UPKEEP_DW_MINIMUM_INTERVAL"""


@dataclass(slots=True, eq=False)
class Share:
    """struct nh_grp_entry, of a resilient group: which buckets a member is to have, and has."""

    member: Nexthop
    weight: int
    wanted: int = 0
    count: int = 0


@dataclass(slots=True, eq=False)
class Bucket:
    """struct nh_res_bucket. share: whose it is, None for nobody's; used: since when, in nanoseconds since boot; busy:
    it was used since it was moved; trap: RTNH_F_TRAP, somebody has it in hardware."""

    share: Share | None = None
    used: int = 0
    busy: bool = False
    trap: bool = False


class Watcher(Protocol):
    """Whoever hears of what becomes of buckets."""

    def bucket_replaced(self, index: int) -> None:
        """NEXTHOP_EVENT_BUCKET_REPLACE: before it is moved. Refusal."""

    def bucket_moved(self, index: int) -> None:
        """nexthop_bucket_notify(): it was, later than what brought it about."""


@dataclass(slots=True, eq=False)
class Buckets:
    """All of a group. idle_timer, unbalanced_timer: in hundredths of a second, 0 for never; short: who has fewer than
    it is to have, and since when there is somebody."""

    clock: Clock
    work: Work
    watcher: Watcher
    idle_timer: int
    unbalanced_timer: int
    buckets: list[Bucket]
    shares: list[Share] = field(default_factory=list)
    short: list[Share] = field(default_factory=list)
    since: int = 0
    job: Job | None = None

    def share_out(self, members: Iterable[tuple[Nexthop, int]], *, heard: bool = True) -> None:
        """replace_nexthop_grp_res(), and what insert_nexthop() does at first: these are the members now, by their
        weights; who was one before keeps what may be kept. heard: the watcher hears of each bucket."""
        self.cancel()
        self.shares = [Share(member, weight) for member, weight in members]
        by_member = {share.member: share for share in self.shares}
        for bucket in self.buckets:
            share = None if bucket.share is None else by_member.get(bucket.share.member)
            bucket.share = share
            if share is not None:
                share.count += 1
        before, self.short = self.short, self._rebalance()
        if not (before and self.short):
            self.since = self.clock.now
        self._upkeep(heard=heard, told=False)

    def cancel(self) -> None:
        """nh_res_table_cancel_upkeep()."""
        if self.job is not None:
            self.job.cancel()
            self.job = None

    def _rebalance(self) -> list[Share]:
        """nh_res_group_rebalance(): how many each is to have. Returns who has fewer, the last member first."""
        total, weight, before = sum(share.weight for share in self.shares), 0, 0
        for share in self.shares:
            weight += share.weight
            bound = (len(self.buckets) * weight + total // 2) // total  # DIV_ROUND_CLOSEST_ULL()
            share.wanted, before = bound - before, bound
        return [share for share in reversed(self.shares) if share.count < share.wanted]

    def _upkeep(self, *, heard: bool, told: bool) -> None:
        """nh_res_table_upkeep(): buckets of nobody, and those of who has too many that may be moved, become theirs who
        have too few. told: listeners of netlink hear of each."""
        now = self.clock.now
        deadline = now + (self.unbalanced_timer or self.idle_timer) * TICK
        for index, bucket in enumerate(self.buckets):
            if bucket.share is not None and bucket.share.count <= bucket.share.wanted:
                continue
            idle = self._idle_point(bucket)
            forced = bucket.share is None
            if not forced and now < idle:
                forced = bool(self.unbalanced_timer) and now >= self._end_of_patience()
                if not forced:
                    deadline = min(deadline, idle, *([self._end_of_patience()] if self.unbalanced_timer else []))
                    continue
            if not self._move(index, heard=heard, told=told, forced=forced):
                bucket.used, bucket.busy = now, True
                deadline = min(deadline, self._idle_point(bucket))
        if self.short:
            self.job = self.work.at(max(deadline, self.clock.now + LEAST_WAIT), self._again)

    def _again(self) -> None:
        """nh_res_table_upkeep_dw()"""
        self.job = None
        self._upkeep(heard=True, told=True)

    def _idle_point(self, bucket: Bucket) -> int:
        """nh_res_bucket_idle_point(): from when on it may be moved."""
        return bucket.used + self.idle_timer * TICK if bucket.busy else self.clock.now

    def _end_of_patience(self) -> int:
        """nh_res_table_unb_point(): from when on it has to be."""
        return self.since + self.unbalanced_timer * TICK

    def _move(self, index: int, *, heard: bool, told: bool, forced: bool) -> bool:
        """nh_res_bucket_migrate(): to the first who has too few. Returns whether nobody refused; what is forced is
        moved all the same, and is in no hardware."""
        bucket, taker = self.buckets[index], self.short[0]
        if heard:
            try:
                self.watcher.bucket_replaced(index)
            except Refusal:
                if not forced:
                    return False
                bucket.trap = False
        if bucket.share is not None:
            bucket.share.count -= 1
        taker.count += 1
        bucket.share, bucket.used, bucket.busy = taker, self.clock.now, False
        if told:
            self.watcher.bucket_moved(index)
        if taker.count == taker.wanted:
            del self.short[0]
        return True

    def use(self, index: int) -> None:
        """nexthop_res_grp_activity_update(): packets have gone through a bucket."""
        bucket = self.buckets[index]
        bucket.used, bucket.busy = self.clock.now, True

    def idle(self, bucket: Bucket) -> int:
        """nh_res_bucket_idle_time(): for how long nobody has used it, in hundredths of a second."""
        return (self.clock.now - bucket.used) // TICK

    @property
    def unbalanced_time(self) -> int:
        """nh_res_table_unbalanced_time(): for how long somebody has had too few, in hundredths of a second."""
        return (self.clock.now - self.since) // TICK if self.short else 0
