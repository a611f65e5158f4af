"""The table of rules: it finds what a walk would find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlemu.emulator.kernel.nics.rule_table import RuleTable
from nlemu.protocol.uapi.ethtool import FlowType
from tests.emulator.kernel.nics.rules import rule

STEP = st.tuples(
    st.booleans(), st.integers(0, 5), st.integers(0, 3), st.sampled_from((FlowType.TCP_V4, FlowType.UDP_V4))
)


@given(st.lists(STEP))
def test_it_finds_what_a_walk_finds(steps: list[tuple[bool, int, int, FlowType]]) -> None:
    table = RuleTable(lambda one: (one.flow, one.values))
    for made, location, port, flow in steps:
        one = rule(flow, location=location, values={"pdst": port, "ip4src": 0, "ip4dst": 0, "psrc": 0, "tos": 0},
                   pdst=0xFFFF, ip4src=0, ip4dst=0, psrc=0, tos=0)
        if made:
            table[location] = one
        else:
            table.pop(location, None)
        kept = dict(table)
        assert table.free() == next(at for at in range(7) if at not in kept)
        assert table.matching(one) == {
            at: other for at, other in kept.items() if (other.flow, other.values) == (flow, one.values)
        }
        found = table.of_kind(flow)
        assert (found in kept.values()) if found is not None else all(other.flow != flow for other in kept.values())
