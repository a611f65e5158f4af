"""The buckets of a resilient group of next hops: struct nh_res_table of net/ipv4/nexthop.c.

A group has so many buckets, and each is one of its members'; packets choose a bucket, so a flow keeps its way while
others change theirs. A member is to have as many as its weight says. Where one has more than that (overweight) and
another fewer (underweight), buckets are moved, but only those that nobody has used for a while (idle_timer), or, when
that has lasted too long (unbalanced_timer), all. No packet is carried here: each bucket is idle, so what is to be moved
is moved at once, nothing is moved later, and a group is never unbalanced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlemu.emulator.kernel.core.clock import Clock
    from nlemu.emulator.kernel.inet.nexthop import Nexthop

TICK = NSEC_PER_SEC // 100
"""A hundredth of a second, USER_HZ, in nanoseconds."""


@dataclass(slots=True, eq=False)
class Share:
    """struct nh_grp_entry, of a resilient group: which buckets a member is to have, and has."""

    member: Nexthop
    weight: int
    wanted: int = 0
    count: int = 0


@dataclass(slots=True, eq=False)
class Bucket:
    """struct nh_res_bucket. share: whose it is, None for nobody's; used: since when, in nanoseconds since boot."""

    share: Share | None = None
    used: int = 0


@dataclass(slots=True, eq=False)
class Buckets:
    """All of a group. idle_timer, unbalanced_timer: in hundredths of a second, 0 for never."""

    clock: Clock
    idle_timer: int
    unbalanced_timer: int
    buckets: list[Bucket]
    shares: list[Share] = field(default_factory=list)

    def share_out(self, members: Iterable[tuple[Nexthop, int]]) -> None:
        """replace_nexthop_grp_res(), and what insert_nexthop() does at first: these are the members now, by their
        weights; who was one before keeps what may be kept."""
        self.shares = [Share(member, weight) for member, weight in members]
        by_member = {share.member: share for share in self.shares}
        for bucket in self.buckets:
            share = None if bucket.share is None else by_member.get(bucket.share.member)
            bucket.share = share
            if share is not None:
                share.count += 1
        self._upkeep(self._rebalance())

    def _rebalance(self) -> list[Share]:
        """nh_res_group_rebalance(): how many each is to have. Returns who has fewer, the last member first."""
        total, weight, before = sum(share.weight for share in self.shares), 0, 0
        for share in self.shares:
            weight += share.weight
            bound = (len(self.buckets) * weight + total // 2) // total  # DIV_ROUND_CLOSEST_ULL()
            share.wanted, before = bound - before, bound
        return [share for share in reversed(self.shares) if share.count < share.wanted]

    def _upkeep(self, underweight: list[Share]) -> None:
        """nh_res_table_upkeep(): buckets of nobody, and of who has too many, become theirs who have too few."""
        for bucket in self.buckets:
            if bucket.share is not None:
                if bucket.share.count <= bucket.share.wanted:
                    continue
                bucket.share.count -= 1
            taker = underweight[0]
            taker.count += 1
            bucket.share, bucket.used = taker, self.clock.now
            if taker.count == taker.wanted:
                del underweight[0]

    def idle(self, bucket: Bucket) -> int:
        """nh_res_bucket_idle_time(): for how long nobody has used it, in hundredths of a second."""
        return (self.clock.now - bucket.used) // TICK
