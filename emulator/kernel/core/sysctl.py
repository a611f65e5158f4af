"""Settings of a namespace that the model only keeps: what is written to one is read from it, there and nowhere else.

A setting has the shape of its first value: one or several whole numbers, which are read as proc_dointvec() reads them
and have limits (sysctl_limits.py), or a word or several. What handlers of their own look at besides, as which ports a
range may have, is in sysctl_values.py, as far as it is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.core import sysctl_table as table
from nlemu.emulator.kernel.core.sysctl_limits import NOT_ABOVE, NOT_BELOW, limits
from nlemu.emulator.kernel.core.sysctl_values import CHECKED, READ

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.kernel.core.net import Net

S32_MIN, S32_MAX = -(1 << 31), (1 << 31) - 1
NUMBER = re.compile(r"\s*(-?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(?=\s|$)")
OPTIONS = {"netfilter": "NF_CONNTRACK", "nf_conntrack_max": "NF_CONNTRACK", "mpls": "MPLS_ROUTING", "vrf": "NET_VRF",
           "mptcp": "MPTCP"}
"""Of what stands in these folders, the option that it comes with."""
BORROWED = frozenset({"ipv4/tcp_ehash_entries", "ipv4/udp_hash_entries"})
"""Sizes of tables of the first namespace that others use as well, where they are negative (proc_tcp_ehash_entries(),
proc_udp_hash_entries())."""


class Scope(Enum):
    """Whose a setting is: see sysctl_table.py."""

    PER_NAMESPACE = "per namespace"
    SHARED = "shared"
    FIRST = "first"
    READ_ONLY = "read only"
    SECRET = "secret"


class Setting(NamedTuple):
    """One setting: its name below /proc/sys/net, its first value, and whose it is."""

    name: str
    value: str
    scope: Scope

    @property
    def first_alone(self) -> bool:
        """Whether only the first namespace shows it."""
        return self.scope == Scope.FIRST or (self.scope == Scope.SECRET and self.name.startswith("core/"))

    def is_in(self, net: Net) -> bool:
        """Whether that namespace shows it."""
        return not self.first_alone or net is net.kernel.init_net

    def is_written_in(self, net: Net) -> bool:
        """Whether it can be written there, by whoever may."""
        if self.scope == Scope.SHARED:
            return net is net.kernel.init_net
        return self.scope != Scope.READ_ONLY

    def read(self, net: Net) -> str:
        """Its value there, without the newline."""
        value = self._home(net).get(self.name, self.value)
        return f"-{value}" if self.name in BORROWED and net is not net.kernel.init_net else value

    def write(self, net: Net, text: str) -> None:
        """Gives it another. ValueError, and what who knows the setting refuses."""
        home, now = self._home(net), self.read(net)
        if (read := READ.get(self.name)) is not None:
            home[self.name] = read(text)
            return
        words = now.split("\t")
        if not all(NUMBER.fullmatch(word) for word in words):
            home[self.name] = text.removesuffix("\n")
            return
        given = integers(text)
        if len(given) > len(words):
            raise ValueError(text)
        least, most = limits().get(self.name, (S32_MIN, S32_MAX))
        if (other := NOT_BELOW.get(self.name)) is not None:
            least = int(settings(net.kernel.build)[other].read(net))
        elif (other := NOT_ABOVE.get(self.name)) is not None:
            most = int(settings(net.kernel.build)[other].read(net))
        if not all(least <= one <= most for one in given):
            raise ValueError(text)
        check = net.kernel.kinds.check(self.name)
        if check is not None:
            check(net, given[0])
        whole = [*given, *map(int, words[len(given) :])]
        if (checked := CHECKED.get(self.name)) is not None:
            known = settings(net.kernel.build)
            whole = checked(whole, lambda other: integers(known[other].read(net)))
        home[self.name] = "\t".join(map(str, whole))

    def _home(self, net: Net) -> dict[str, str]:
        return net.sysctls if self.scope == Scope.PER_NAMESPACE else net.kernel.init_net.sysctls


def integers(text: str) -> list[int]:
    """The whole numbers that a text begins with, of any base as C spells it (do_proc_dointvec()). ValueError: there is
    something else, or nothing."""
    found, at = [], 0
    while text[at:].strip():
        match = NUMBER.match(text, at)
        if match is None:
            raise ValueError(text)
        sign, digits = match.groups()
        value = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10)
        found.append(-value if sign else value)
        at = match.end()
    if not found:
        raise ValueError(text)
    return found


@cache
def settings(build: Build) -> Mapping[str, Setting]:
    """Those that a kernel of that build has, by name."""
    found = {}
    for scope in Scope:
        for line in getattr(table, scope.name).strip().splitlines():
            name, _, value = line.partition(" ")
            option = OPTIONS.get(name.partition("/")[0])
            if option is None or build.has(option):
                several = value.replace(" ", "\t") if all(map(NUMBER.fullmatch, value.split())) else value
                found[name] = Setting(name, several, scope)
    return found
