"""What a world can say, section by section.

Addresses, routes, rules, neighbours and ids are what their messages are: the entry has the attributes and the fields
of the header that rtnetlink's NEW message has, under the specification's names, but for what is declared here: the
prefix of the header's fields goes, a length belongs to the network that it is the length of, and devices are named. A
link is said in words of its own (LINK_WORDS), since it comes to be in several ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """A section whose entries are messages of rtnetlink.

    specification, operation: which makes one, and get: which tells of them all. prefix: of the header's fields.
    devices: words that hold indices, by the word that an entry has for each. networks: the field of the header with the
    length of an address, by the word of the address. untold: what a message tells and nobody asks for. usual: values
    that are left out because they are what comes without.
    """

    specification: str
    operation: str
    get: str
    prefix: str
    devices: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    usual: Mapping[str, object] = field(default_factory=dict)


ADDRESS = Section(
    "rt-addr", "newaddr", "getaddr", "ifa-",
    devices={"device": "ifa-index"}, networks={"address": "ifa-prefixlen"},
    untold=frozenset({"target-netnsid", "ifa-flags"}),
    usual={"scope": "universe"},
)
ROUTE = Section(
    "rt-route", "newroute", "getroute", "rtm-",
    devices={"device": "oif", "in": "iif"}, networks={"dst": "rtm-dst-len", "src": "rtm-src-len"},
    untold=frozenset({"cacheinfo", "mfc-stats", "uid", "expires"}),
    usual={
        "type": "unicast", "scope": "universe", "protocol": "boot", "pref": 0, "tos": 0, "flags": [],
    },
)
RULE = Section(
    "rt-rule", "newrule", "getrule", "",
    networks={"dst": "dst-len", "src": "src-len"}, untold=frozenset({"res1", "res2", "flags"}),
    usual={"action": "to-tbl", "tos": 0, "suppress-prefixlen": 0xFFFFFFFF, "protocol": "unspec"},
)
NEIGHBOUR = Section(
    "rt-neigh", "newneigh", "getneigh", "ndm-",
    devices={"device": "ndm-ifindex"}, untold=frozenset({"pad1", "pad2", "cacheinfo", "probes", "ndm-type"}),
    usual={"flags": []},
)

SECTIONS: Mapping[str, Section] = {"address": ADDRESS, "route": ROUTE, "rule": RULE, "neighbour": NEIGHBOUR}
"""In the order in which they are made."""

TOLD_WHOLE = frozenset({"address", "route", "rule"})
"""Sections of which a machine tells everything that matters; of neighbours, what was learnt passes."""

LINK_WORDS: Mapping[str, str] = {
    "address": "address",
    "broadcast": "broadcast",
    "mtu": "mtu",
    "txqlen": "txqlen",
    "group": "group",
    "alias": "ifalias",
    "rx-queues": "num-rx-queues",
    "tx-queues": "num-tx-queues",
    "link-mode": "linkmode",
    "gso-max-size": "gso-max-size",
    "gso-max-segs": "gso-max-segs",
    "gro-max-size": "gro-max-size",
    "gso-ipv4-max-size": "gso-ipv4-max-size",
    "gro-ipv4-max-size": "gro-ipv4-max-size",
}
"""Attributes of a link that are asked for as they are told, by the word that an entry has for each."""

LINK_DEVICES: Mapping[str, str] = {"parent": "link", "master": "master"}
"""Those that hold the index of another device."""

LINK_KEYS: Mapping[str, tuple[type, ...] | None] = {
    "name": (str,), "index": (int,), "kind": (str,), "data": (dict,), "peer": (str,),
    "nic": (str,), "bus": (str,), "at": (str,), "port": (str,), "numa-node": (int,),
    "vfs": (int,), "total-vfs": (int,), "physfn": (str,), "vf": (int,),
    "eswitch": (str,), "representor": (int,),
    "up": (bool,), "flags": (list,), "altnames": (list,), "addr-gen-mode": None,
    "slave-kind": (str,), "slave": (dict,), "promiscuity": (int,),
    "carrier": (int,), "carrier-up-count": (int,), "carrier-down-count": (int,), "stats64": (dict,),
    "ipv4": (dict,), "ipv6": (dict,), "ethtool": (dict,), "parent-netnsid": (int,), "xdp": (dict,),
}
"""What else is said of a link, and of which sort it is.

A link comes to be by its `kind`, or as a NIC of a profile (`nic`), or as a `port` of a device on a `bus` (netdevsim),
or as one (`vf`) of the virtual functions (`vfs`) of a NIC (`physfn`), or what represents one (`representor`) in its
switch (`eswitch`); `peer` is made with it. `slave` is what its
master, which is of `slave-kind`, keeps of it as a port. `ipv4` and `ipv6` are settings
(net.ipv4.conf.DEVICE), `ethtool` holds what ethtool sets, by the name of the operation without -set.
"""

MORE: Mapping[str, Mapping[str, tuple[type, ...] | None]] = {
    "id": {"namespace": (str,), "id": (int,)},
    "lease": {"device": (str, int), "nic": (str, int), "queue": (int,), "id": (int,)},
    "settings": {"ipv4": (dict,), "ipv6": (dict,)},
}
"""Sections that are no messages of rtnetlink: ids that a namespace has for others; queues leased from NICs (which of
the NIC's, and what it is on the device); settings for all devices and those to come."""

ETHTOOL = ("channels", "rings", "coalesce", "pause", "features")
"""What of ethtool a world has: operations without -get and -set."""

LINK_FLAGS = ("promisc", "all-multi", "no-arp", "multicast", "dynamic", "debug")
"""Flags that a user sets (dev_change_flags()), beside `up`."""
