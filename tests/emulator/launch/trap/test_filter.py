"""The filter, run as the kernel would run it, on both architectures."""

from __future__ import annotations

import pytest

from nlemu.emulator.launch.trap.architectures import AARCH64, X86_64, Architecture
from nlemu.emulator.launch.trap.filter import program
from nlemu.emulator.launch.trap.instructions import (
    RET_ALLOW,
    RET_ERRNO,
    RET_KILL_PROCESS,
    RET_USER_NOTIF,
    Rule,
    assemble,
    below,
    evaluate,
    not_null,
    null,
    within,
)

BASE = 900
BOTH = pytest.mark.parametrize("arch", [X86_64, AARCH64], ids=lambda arch: arch.name)


def verdict(arch: Architecture, call: str, *args: int, root: bool = True) -> int:
    return evaluate(program(arch, BASE, root=root), arch.audit, arch.numbers[call], args)


@BOTH
def test_only_netlink_sockets_are_ours(arch: Architecture) -> None:
    assert verdict(arch, "socket", 16, 3, 0) == RET_USER_NOTIF
    assert verdict(arch, "socket", 2, 1, 0) == RET_ALLOW
    assert verdict(arch, "socket", 1, 1, 0) == RET_ALLOW


@BOTH
@pytest.mark.parametrize("call", ["bind", "setsockopt", "write", "writev", "readv", "dup"])
def test_only_high_descriptors_are_ours(arch: Architecture, call: str) -> None:
    assert verdict(arch, call, BASE) == RET_USER_NOTIF
    assert verdict(arch, call, BASE - 1) == RET_ALLOW
    assert verdict(arch, call, -1) == RET_ALLOW
    assert verdict(arch, call, 0xFFFFFFFF) == RET_ALLOW


@BOTH
def test_what_only_netlink_sockets_are_asked_is_handed_over_at_any_number(arch: Architecture) -> None:
    assert verdict(arch, "setsockopt", 5, 270, 1, 0x1000, 4) == RET_USER_NOTIF
    assert verdict(arch, "setsockopt", 5, 1, 1, 0x1000, 4) == RET_ALLOW
    assert verdict(arch, "getsockopt", 5, 270, 9, 0x1000, 0x2000) == RET_USER_NOTIF
    for name in (3, 38, 39):
        assert verdict(arch, "getsockopt", 5, 1, name, 0x1000, 0x2000) == RET_USER_NOTIF
    assert verdict(arch, "getsockopt", 5, 1, 2, 0x1000, 0x2000) == RET_ALLOW
    assert verdict(arch, "setsockopt", 5, 1, 16, 0x1000, 4) == RET_USER_NOTIF
    assert verdict(arch, "getsockopt", 5, 6, 3, 0x1000, 0x2000) == RET_ALLOW
    for call in ("bind", "connect"):
        assert verdict(arch, call, 5, 0x1000, 12) == RET_USER_NOTIF
        assert verdict(arch, call, 5, 0x1000, 28) == RET_ALLOW
    assert verdict(arch, "connect", 5, 0x1000, 16) == RET_ALLOW
    assert verdict(arch, "sendto", 5, 0x1000, 20, 0, 0x2000, 12) == RET_USER_NOTIF
    assert verdict(arch, "sendto", 5, 0x1000, 20, 0, 0x2000, 16) == RET_ALLOW
    for call in ("getsockname", "getpeername", "recvmsg", "sendmsg", "recvmmsg", "sendmmsg", "accept4", "shutdown"):
        assert verdict(arch, call, 5) == verdict(arch, call, BASE) == RET_USER_NOTIF


@BOTH
def test_sockets_of_af_xdp_are_asked_at_any_number(arch: Architecture) -> None:
    """What is bound with a name of theirs may be of IPv4; it is looked at."""
    assert verdict(arch, "socket", 44, 3, 0) == RET_USER_NOTIF
    assert verdict(arch, "setsockopt", 5, 283, 4, 0x1000, 32) == RET_USER_NOTIF
    assert verdict(arch, "getsockopt", 5, 283, 1, 0x1000, 0x2000) == RET_USER_NOTIF
    assert verdict(arch, "bind", 5, 0x1000, 16) == RET_USER_NOTIF


@BOTH
def test_the_listener_goes_by_a_number_that_is_not_looked_at(arch: Architecture) -> None:
    assert verdict(arch, "sendmsg", BASE - 1) == RET_ALLOW
    assert verdict(arch, "sendmsg", BASE - 2) == verdict(arch, "sendmsg", BASE) == RET_USER_NOTIF


@BOTH
def test_short_writes_to_the_standard_output_are_handed_over(arch: Architecture) -> None:
    assert verdict(arch, "write", 1, 0x1000, 256) == RET_USER_NOTIF
    assert verdict(arch, "write", 1, 0x1000, 257) == RET_ALLOW
    assert verdict(arch, "write", 2, 0x1000, 1) == RET_ALLOW


@BOTH
def test_a_receive_with_room_and_no_wishes_passes(arch: Architecture) -> None:
    assert verdict(arch, "recvfrom", BASE, 0x1000, 32768, 0, 0, 0) == RET_ALLOW
    assert verdict(arch, "recvfrom", BASE, 0x1000, 1 << 40, 0x20, 0, 0) == RET_ALLOW
    assert verdict(arch, "recvfrom", BASE, 0x1000, 32767, 0, 0, 0) == RET_USER_NOTIF
    assert verdict(arch, "recvfrom", BASE, 0x1000, 65536, 0x40, 0, 0) == RET_USER_NOTIF
    assert verdict(arch, "recvfrom", BASE, 0x1000, 65536, 0, 1 << 33, 0) == RET_USER_NOTIF
    assert verdict(arch, "recvfrom", 5, 0x1000, 10, 0, 0, 0) == RET_ALLOW
    assert verdict(arch, "recvfrom", 5, 0x1000, 10, 0, 0x1000, 0) == RET_USER_NOTIF


@BOTH
def test_a_send_is_handed_over(arch: Architecture) -> None:
    """What it caused has happened when it returns."""
    assert verdict(arch, "sendto", BASE, 0x1000, 20, 0, 0, 0) == RET_USER_NOTIF
    assert verdict(arch, "sendto", BASE - 1, 0x1000, 20, 0, 0, 0) == RET_ALLOW
    assert verdict(arch, "sendto", BASE, 0x1000, 20, 0, 0x1000, 12) == RET_USER_NOTIF
    assert verdict(arch, "sendto", BASE, 0x1000, 0, 0, 0, 0) == RET_USER_NOTIF


@BOTH
def test_clone3_does_not_exist_and_clone_is_looked_at(arch: Architecture) -> None:
    assert verdict(arch, "clone3") == RET_ERRNO | 38
    assert verdict(arch, "clone", 0x11) == RET_ALLOW
    assert verdict(arch, "clone", 0x40000011) == RET_USER_NOTIF


@BOTH
def test_whoever_is_to_be_root_is_told_so(arch: Architecture) -> None:
    assert verdict(arch, "geteuid", root=True) == verdict(arch, "setresuid", root=True) == RET_USER_NOTIF
    assert verdict(arch, "prctl", 8, root=True) == RET_USER_NOTIF
    assert verdict(arch, "geteuid", root=False) == verdict(arch, "prctl", 4, root=True) == RET_ALLOW


def test_another_architecture_ends_the_process() -> None:
    """Its calls have other numbers, and would reach the real kernel."""
    instructions = program(X86_64, BASE, root=True)
    assert evaluate(instructions, AARCH64.audit, 41, (16, 3, 0)) == RET_KILL_PROCESS
    assert evaluate(instructions, X86_64.audit, 0x40000000 + 41, (16, 3, 0)) == RET_ERRNO | 38


def test_calls_that_are_never_ours_do_not_depend_on_arguments() -> None:
    """The kernel finds that out itself and does not even run the filter: so nothing may be asked of them."""
    assert evaluate(program(X86_64, BASE, root=True), X86_64.audit, 3, (BASE,)) == RET_ALLOW  # close


@pytest.mark.parametrize(
    ("condition", "arg", "holds"),
    [
        (null(0), 0, True), (null(0), 1, False), (null(0), 1 << 32, False),
        (not_null(0), 0, False), (not_null(0), 1, True), (not_null(0), 1 << 32, True),
        (below(0, 10), 9, True), (below(0, 10), 10, False), (below(0, 10), 1 << 32, False),
        (within(0, 5, 7), 4, False), (within(0, 5, 7), 5, True),
        (within(0, 5, 7), 7, True), (within(0, 5, 7), 8, False),
    ],
)
def test_conditions(condition: object, arg: int, holds: bool) -> None:
    instructions = assemble([Rule("read", (condition,))], X86_64.numbers, X86_64.audit, None)  # type: ignore[arg-type]
    assert (evaluate(instructions, X86_64.audit, 0, (arg,)) == RET_USER_NOTIF) is holds


@BOTH
def test_every_rule_speaks_of_a_call_that_somebody_answers(arch: Architecture) -> None:
    from nlemu.emulator.launch.answers import CALLS
    from nlemu.emulator.launch.trap.filter import rules

    for rule in rules(BASE, root=True):
        if rule.action == RET_USER_NOTIF and rule.call in arch.numbers:
            assert rule.call in CALLS, rule.call
