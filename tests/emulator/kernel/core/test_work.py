"""Jobs run in the order in which they are due, and then in the order in which they came."""

from __future__ import annotations

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC, Clock
from nlemu.emulator.kernel.core.work import Work


def test_order() -> None:
    clock = Clock()
    work, done = Work(clock), []
    work.at(2 * NSEC_PER_SEC, lambda: done.append("late"))
    work.defer(lambda: done.append("first"))
    work.defer(lambda: done.append("second"))
    assert done == []
    work.settle()
    assert done == ["first", "second"] and clock.now == 0
    assert work.next_due() == 2 * NSEC_PER_SEC
    work.advance(1.5)
    assert done == ["first", "second"]
    work.advance(0.5)
    assert done[-1] == "late" and work.next_due() is None


def test_a_job_sees_its_time_and_may_queue_others() -> None:
    clock = Clock()
    work, seen = Work(clock), []

    def job() -> None:
        seen.append(clock.now)
        if len(seen) < 3:
            work.at(clock.now + NSEC_PER_SEC, job)

    work.defer(job)
    work.advance(1.25)
    assert seen == [0, NSEC_PER_SEC] and clock.now == 1.25 * NSEC_PER_SEC


def test_what_is_deferred_by_a_job_runs_in_the_same_go() -> None:
    work, done = Work(Clock()), []

    def outer() -> None:
        work.defer(lambda: done.append("inner"))
        done.append("outer")

    work.defer(outer)
    work.settle()
    assert done == ["outer", "inner"]


def test_cancel() -> None:
    work, done = Work(Clock()), []
    job = work.defer(lambda: done.append("no"))
    job.cancel()
    assert work.next_due() is None
    work.settle()
    assert done == []
