"""Why a request was refused: in which function of the kernel, at which attribute, and what was so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nlemu import NLM_F, Kernel, NlError
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script import explanation
from nlemu.emulator.script.explanation import Explanation, Reason, condition
from tests.emulator.launch.nobody import need

ROOT = Path(__file__).resolve().parents[3]


def refused(kernel: Kernel, family: str, operation: str, values: dict[str, object], flags: int = 0) -> Explanation:
    with pytest.raises(NlError):
        kernel.family(family).do(operation, values, flags)
    return kernel._why[-1].explanation()


def test_a_bare_errno_has_a_reason() -> None:
    with Kernel(record=True) as kernel:
        kernel.do(nsim_new=[1, 1, 4])
        kernel.family("rt-link").do("newlink", {
            "ifname": "nk0", "num-rx-queues": 2, "linkinfo": {"kind": "netkit", "data": {"pairing": "single"}}},
            NLM_F.CREATE | NLM_F.EXCL)
        lease = {"ifindex": 2, "queue": {"id": 9, "type": "rx"}}
        kernel.family("rt-link").do("setlink", {"ifi-index": 2, "ifi-flags": ["up"], "ifi-change": 1})
        why = refused(kernel, "netdev", "queue-create", {"ifindex": 3, "type": "rx", "lease": lease})
        assert (why.errno, why.text, why.netns) == ("ERANGE", None, "init")
        assert why.functions[0] == "netdev_nl_queue_create_doit()"
        assert why.condition == "queue >= lessor.real_num_rx_queues"
        assert why.lines()[-1].startswith(f"    because {why.condition}  (emulator/kernel/queues/lease.py:")


def test_the_attribute_is_named_and_who_called_whom() -> None:
    with Kernel(record=True) as kernel:
        route = {"dst": "10.0.0.0", "rtm-dst-len": 8, "gateway": "1.2.3.4", "rtm-family": 2, "rtm-table": 254,
                 "rtm-type": 1, "rtm-protocol": 4}
        why = refused(kernel, "rt-route", "newroute", route, NLM_F.CREATE)
        assert why.functions[:3] == ("fib_check_nh_v4_gw()", "fib_check_nh()", "fib_create_info()")
        why = refused(kernel, "netdev", "queue-get", {"ifindex": 0, "type": "rx", "id": 0})
        assert (why.errno, why.blamed) == ("ERANGE", ".ifindex")


def test_conditions_are_read_from_the_source(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        "def f(x):\n    if x > 1:\n        if x > 2:\n            raise A\n        raise B\n"
        "    else:\n        raise C\n    match x:\n        case 5:\n            raise D\n    raise E\n"
    )
    told = {line: condition(str(source), line) for line in (4, 5, 7, 10, 11)}
    assert told == {4: "x > 2", 5: "x > 1", 7: "not (x > 1)", 10: "it is 5", 11: "x is not 5"}
    assert condition(str(tmp_path / "nowhere.py"), 1) is None


def test_a_fault_is_called_one() -> None:
    with Kernel(record=True) as kernel:
        kernel.do(fault="route.newlink", errno="ENOMEM")
        why = refused(kernel, "rt-link", "newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NLM_F.CREATE)
        assert (why.errno, why.condition) == ("ENOMEM", "a fault that was set has struck")


def test_where_a_request_is_read_there_is_a_function_too() -> None:
    with Kernel(record=True) as kernel:
        why = refused(kernel, "netdev", "queue-get", {"ifindex": 1, "type": "rx"})
        assert "genl_family_rcv_msg()" in why.functions and why.condition is not None


def test_what_was_not_so_is_a_condition_too(tmp_path: Path) -> None:
    """What only refuses stands behind what would have returned, or where something was tried."""
    source = tmp_path / "module.py"
    source.write_text(
        "def f(x):\n    if x:\n        return 1\n    y = 2\n    raise A\n"
        "def g(x):\n    for one in x:\n        if one.good:\n            return one\n    raise A\n"
        "def h(x):\n    try:\n        return x[1]\n    except KeyError:\n        raise A\n"
        "def i(x):\n    if x:\n        y = 1\n    raise A\n"
    )
    assert [condition(str(source), line) for line in (5, 10, 15, 19)] == [
        "not (x)", "for no one in x is one.good", "KeyError was raised by return x[1]", None,
    ]


def test_nobody_is_told_of_what_is_ours() -> None:
    told: list[Reason] = []
    machine = explanation.begin(Machine(), told.append)
    from nlemu.emulator.world.export import export

    export(machine)
    assert told == []


def test_programs_are_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nlemu", "run", "--explain", "--", need("ip"), "link", "add", "red", "type", "nosuch"],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 2 and "EOPNOTSUPP, 'Unknown device type'" in done.stderr
    assert "in rtnl_newlink" in done.stderr or "in __rtnl_newlink" in done.stderr
