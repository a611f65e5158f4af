"""What a namespace keeps of IPv4 (struct netns_ipv4): its routing tables, its rules, and when addresses end.

It is made when somebody first asks for it. Addresses of IPv4 are integers here, the first byte of the address being
the highest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.rules import IPMR, IPV4, Rules
from nlemu.emulator.kernel.ipv4.conf import Ipv4Conf
from nlemu.emulator.kernel.ipv4.fib import Fib4
from nlemu.protocol.uapi.ip import Ipv4Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.ipv4.address import Address4

AF_INET = 2
LOOPBACK = 0x7F000001
"""INADDR_LOOPBACK, 127.0.0.1."""
BROADCAST = 0xFFFFFFFF
"""INADDR_BROADCAST, 255.255.255.255."""


class Ip4Net:
    """Of one namespace. genid: grows with every change of its addresses (dev_addr_genid); mortal: the addresses whose
    lifetime is not infinite; expiry: the job that looks which of them are due; autojoined: the groups that the kernel's
    own socket has joined, each with the index of a device (mc_autojoin_sk); group_rules: of routes of groups;
    conf_all, conf_default: the settings that stand for all devices, and those of devices to come."""

    __slots__ = ("autojoined", "conf_all", "conf_default", "expiry", "fib", "genid", "group_rules", "mortal", "rules")

    def __init__(self) -> None:
        self.fib = Fib4()
        self.rules = Rules(IPV4)
        self.group_rules = Rules(IPMR)
        self.genid = 0
        self.mortal: dict[Address4, None] = {}
        self.autojoined: set[tuple[int, int]] = set()
        self.expiry: Job | None = None
        self.conf_all, self.conf_default = Ipv4Conf(), Ipv4Conf()
        self.conf_all[Ipv4Devconf.ACCEPT_SOURCE_ROUTE] = 0


def of(net: Net) -> Ip4Net:
    """What that namespace keeps of IPv4."""
    state: Ip4Net | None = net.ip4
    if state is None:
        state = net.ip4 = Ip4Net()
        first: Net | None = getattr(net.kernel, "init_net", None)  # not there before that one is made
        if first is not None:
            # devinet_init_net(): as they are in the first namespace now (net.core.devconf_inherit_init_net is 0).
            inherited = of(first)
            state.conf_all.words[:] = inherited.conf_all.words
            state.conf_default.words[:] = inherited.conf_default.words
            state.conf_default.written = set(inherited.conf_default.written or ())
    return state


def mask_of(length: int) -> int:
    """inet_make_mask(): the mask of a prefix of that many bits."""
    return BROADCAST << 32 - length & BROADCAST


def is_zeronet(address: int) -> bool:
    """ipv4_is_zeronet(): no longer the whole of 0.0.0.0/8, just its first address."""
    return address == 0


def is_multicast(address: int) -> bool:
    """ipv4_is_multicast(): 224.0.0.0/4."""
    return address >> 28 == 0xE


def base_seq(net: Net) -> int:
    """inet_base_seq(): changes with every change of addresses and devices, and is never 0."""
    return (of(net).genid + net.dev_base_seq) & 0xFFFFFFFF or 0x80000000
