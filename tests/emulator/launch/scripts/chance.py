"""What a script prints that Linux leaves to chance or to the clock, and so is blanked on either side, by what it is and
never by where it stands."""

from __future__ import annotations

import re

CLOCKS = (
    r"(?<=_lft )\d+sec", r"(?<=expires )\d+sec",  # lifetimes
    r'(?<="expires":)\d+', r'(?<=_life_time":)\d+(?!\d)(?<!4294967295)',
    r"(?<=_timer)\"?:? +\d+\.\d\d", r'(?<=_timer":)\d+\.\d\d', r"(?<=timer\t)\s+\d+\.\d\d",  # of bridges
    r"(?<=used )\d+/\d+", r" +\d+\.\d\d$",  # of forwarding tables, of groups
    r"(?<=reachable )\d+",  # rand_reach_time()
)
CHANCE = (r"(?<=permaddr )[0-9a-f:]+",)  # of tunnels over IPv6
ADDRESS = re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b")
GIVEN = re.compile(r"00:00:00|01:|0[23]:(?:00|11|80|aa|ff):(?:00|5e|c2|ff)|33:33|ff:ff")
"""How addresses begin that a script gives, and groups. One in some ten thousand that are made up begins so too."""


def blanked(text: str) -> str:
    """The text without them: clocks are `#`, and addresses that were made up are numbered as they come."""
    for pattern in (*CLOCKS, *CHANCE):
        text = re.sub(pattern, "#", text, flags=re.MULTILINE)
    numbers: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        address = found.group()
        if GIVEN.match(address):
            return address
        return numbers.setdefault(address, f"address {len(numbers) + 1}")

    return ADDRESS.sub(named, text)
