"""Where what is declared differs from the specifications of Linux 7.2.13, and why: data, by family.

An exception covers the differences that are at one of its places (``where``, words with * for anything), of one of its
kinds (``what``, several with " or " between them), and have its detail: the whole sentence, one of its words, or
anything if it is "*". Of an exception every word has to be needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.protocol.families.comparison import ABSENT, EXTRA, Difference

ONE_POLICY = "rtnetlink reads all messages of a kind by one policy; the specification lists some of what it takes"
WHOLE_SET = "the specification lists the whole set, of which the kernel's policy takes less"
NOT_WRITTEN = "the specification lists the whole set, of which the kernel writes less"
UNSAID = "the kernel has it, the specification leaves it out"
NEWER = "the kernel has it, the specification was not brought up to date"
NO_RIGHTS = "the specification of ethtool says nothing of who may"
WRONG = "the kernel's source says otherwise"
BYTES = "an array of numbers is bytes here: there is no kind for it"
STRUCTURES = "structures hold numbers here, and this one an address too"
ADDRESS = "it is an address, and shown as one; the specification leaves it bytes"
UNNAMED = "the kernel has it as a nest or a structure, the specification as bytes"
NETWORK_ORDER = "the kernel has it in network order"
SEVERAL = "the kernel writes several"
NUMBERED_0 = "no message holds an attribute of this number"
C_LAYOUT = "the compiler aligns the structure, the specification does not"
OTHER_KINDS = "a kind of link that is not emulated"
OTHER_TABLES = "of forwarding tables, whose replies hold other attributes than those of neighbours"
NOT_MODELLED = "nothing of the kind is in a route here"
NUMBERS = "fields of structures are shown as plain numbers"
ETHERTYPES = "two of the numbers of Ethernet, of which all are declared"
NOT_EMULATED = "not emulated"
NUMBERED_BITS = "the header numbers the bits, or has no such name; masks are declared as numbers"
NAMES_IT = "of what is told the specification lists what names the object"


@dataclass(frozen=True)
class Excepted:
    where: str
    what: str
    detail: str
    reason: str

    @property
    def words(self) -> set[str]:
        """All that has to be needed."""
        return {*self.where.split(), *self.what.split(" or "), *self.details}

    @property
    def details(self) -> Iterable[str]:
        sentence = self.detail in (ABSENT, EXTRA) or "declared" in self.detail
        return (self.detail,) if sentence else self.detail.split()

    def used_by(self, one: Difference) -> set[str]:
        """The words that cover this difference; empty if it is not covered."""
        place = next((place for place in self.where.split() if fnmatchcase(one.where, place)), None)
        detail = next((detail for detail in self.details if detail in (one.detail, "*")), None)
        if place is None or detail is None or one.what not in self.what.split(" or "):
            return set()
        return {place, one.what, detail}


def uncovered(found: Iterable[Difference], table: Iterable[Excepted]) -> list[str]:
    """What is wrong: differences that no exception covers, and words of exceptions that no difference needs."""
    used: dict[Excepted, set[str]] = {one: set() for one in table}
    wrong = []
    for difference in sorted(found):
        covering = {one: words for one in used if (words := one.used_by(difference))}
        for one, words in covering.items():
            used[one] |= words
        if not covering:
            wrong.append(str(difference))
    for one, words in used.items():
        if one.words - words:
            wrong.append(f"not needed any more: {', '.join(sorted(one.words - words))} of {one}")
    return wrong


LINK_POLICY = (
    "address af-spec allmulti alt-ifname broadcast carrier carrier-changes carrier-down-count carrier-up-count event "
    "ext-mask gro-ipv4-max-size gro-max-size group gso-ipv4-max-size gso-max-segs gso-max-size headroom ifalias ifname "
    "link link-netnsid linkinfo linkmode map master max-mtu min-mtu mtu net-ns-fd net-ns-pid netns-immutable "
    "new-ifindex num-rx-queues num-tx-queues operstate parent-dev-name perm-address phys-port-id phys-switch-id "
    "port-self promiscuity prop-list proto-down proto-down-reason tailroom target-netnsid tso-max-segs tso-max-size "
    "txqlen vf-ports vfinfo-list weight xdp"
)
REQUESTS = f"do request {EXTRA} or dump request {EXTRA}"
REPLIES = f"do reply {EXTRA} or dump reply {EXTRA}"
NOT_IN_REPLIES = f"do reply {ABSENT} or dump reply {ABSENT}"

EXCEPTIONS: dict[str, tuple[Excepted, ...]] = {
    "netdev": (),
    "nlctrl": (
        Excepted("family", "version", "1 in the specification, declared 2", UNSAID),
        Excepted("family", f"group {EXTRA}", "notify", UNSAID),
        Excepted("newfamily delfamily newmcast-grp delmcast-grp", "operation", EXTRA, UNSAID),
        Excepted("getfamily", REQUESTS, "family-id family-name", UNSAID),
        Excepted("policy-attrs.pad", "pad", "declared mask", "the header has pad in front of mask"),
        Excepted("policy-attrs.mask", "attribute", ABSENT, "the header has pad in front of mask"),
    ),
    "devlink": (
        Excepted("family", f"group {EXTRA}", "config", UNSAID),
        Excepted(
            "new del port-new-ntf port-del-ntf param-new param-del region-new-ntf region-del-ntf trap-new trap-del "
            "trap-group-new trap-group-del trap-policer-new trap-policer-del rate-new-ntf rate-del-ntf "
            "health-reporter-recover-ntf flash-update-ntf flash-update-end flash-update-status",
            "operation", EXTRA, UNSAID,
        ),
        Excepted(
            "devlink.fmsg-obj-value-data devlink.nested-devlink devlink.param-value devlink.param-value-data "
            "devlink.param-value-default devlink.param-values-list dl-param.param-values-list "
            "dl-resource.resource-list dl-fmsg.fmsg-obj-value-type dl-fmsg.fmsg-obj-value-data", "attribute", EXTRA,
            UNSAID,
        ),
        Excepted(
            "devlink.flash-update-overwrite-mask devlink.reload-actions-performed devlink.reload-limits "
            "devlink.resource-scope-mask dl-port-function.caps", "names of values", ABSENT, NUMBERED_BITS,
        ),
        Excepted(
            "flash-overwrite port-fn-attr-cap resource-scope rate-tc-index-max", "definition", ABSENT, NUMBERED_BITS,
        ),
        Excepted(
            "dl-rate-tc-bws.index", "bounds", "(0, 'rate-tc-index-max') in the specification, declared (0, 7)",
            "the specification names the number",
        ),
        Excepted(
            "port-get", REPLIES,
            "port-flavour port-netdev-ifindex port-netdev-name port-number port-splittable port-type "
            "port-controller-number port-pci-pf-number port-pci-vf-number port-external port-function", NAMES_IT,
        ),
        Excepted("param-get", REPLIES, "param", NAMES_IT),
        Excepted("param-get", NOT_IN_REPLIES, "param-name", "it stands in the nest"),
        Excepted(
            "region-get", REPLIES, "region-max-snapshots region-size region-snapshots region-snapshot-id", NAMES_IT,
        ),
        Excepted("health-reporter-get", REPLIES, "health-reporter", NAMES_IT),
        Excepted("health-reporter-get", NOT_IN_REPLIES, "health-reporter-name", "it stands in the nest"),
        Excepted(
            "trap-get", REPLIES, "stats trap-action trap-generic trap-group-name trap-metadata trap-type", NAMES_IT,
        ),
        Excepted("trap-group-get", REPLIES, "stats trap-generic trap-policer-id", NAMES_IT),
        Excepted("trap-policer-get", REPLIES, "stats trap-policer-burst trap-policer-rate", NAMES_IT),
        Excepted(
            "rate-get", REPLIES,
            "rate-parent-node-name rate-tc-bws rate-tx-max rate-tx-priority rate-tx-share rate-tx-weight rate-type",
            NAMES_IT,
        ),
        Excepted("region-read", f"dump reply {EXTRA}", "region-chunks", NAMES_IT),
        Excepted(
            "devlink.region-chunk devlink.region-snapshot dl-region-chunks.region-chunk "
            "dl-region-snapshots.region-snapshot",
            "several times", "False in the specification, declared True", SEVERAL,
        ),
    ),
    "ethtool": (
        Excepted("*-act *-set", "do flags", "[] in the specification, declared ['uns-admin-perm']", NO_RIGHTS),
        Excepted(
            "wol-get module-eeprom-get", "do flags or dump flags",
            "[] in the specification, declared ['uns-admin-perm']", NO_RIGHTS,
        ),
        Excepted("plca-set-cfg", "do flags", "[] in the specification, declared ['uns-admin-perm']", NO_RIGHTS),
        Excepted("channels-set", f"do request {ABSENT}", "rx-max tx-max other-max combined-max", WHOLE_SET),
        Excepted("eee-set", f"do request {ABSENT}", "active modes-peer", WHOLE_SET),
        Excepted("features-set", f"do request {ABSENT}", "hw active nochange", WHOLE_SET),
        Excepted("fec-set", f"do request {ABSENT}", "active stats", WHOLE_SET),
        Excepted("linkinfo-set", f"do request {ABSENT}", "tp-mdix transceiver", WHOLE_SET),
        Excepted("linkmodes-set", f"do request {ABSENT}", "peer master-slave-state rate-matching", WHOLE_SET),
        Excepted("module-set", f"do request {ABSENT}", "power-mode", WHOLE_SET),
        Excepted("pause-set", f"do request {ABSENT}", "stats", WHOLE_SET),
        Excepted("plca-set-cfg", f"do request {ABSENT}", "version status", WHOLE_SET),
        Excepted(
            "rings-set", f"do request {ABSENT}",
            "rx-max rx-mini-max rx-jumbo-max tx-max tx-push-buf-len-max hds-thresh-max", WHOLE_SET,
        ),
        Excepted("features-set", f"do reply {ABSENT}", "hw nochange", NOT_WRITTEN),
        Excepted("mm-get", REPLIES, "verify-status", UNSAID),
        Excepted("phc-vclocks-get", REPLIES, "index", UNSAID),
        Excepted("cable-test-ntf", f"event {EXTRA}", "nest", UNSAID),
        Excepted("cable-test-tdr-act", f"do request {EXTRA}", "cfg", UNSAID),
        Excepted("pause-get", REQUESTS, "stats-src", UNSAID),
        Excepted("stats-get", REQUESTS, "src", UNSAID),
        Excepted("rss-get", REQUESTS, "context start-context", "one policy for both, and each looks at its own"),
        Excepted("rss-create-ntf", "like", "False in the specification, declared True",
                 "after an ioctl it tells what is hashed, too"),
        Excepted(
            "cable-test-tdr-ntf.nest", "inside", "cable-nest in the specification, declared cable-tdr-nest", WRONG
        ),
        Excepted("stats-grp.hist-rx stats-grp.hist-tx stats-grp.stat stats.grp tunnel-udp.table cable-nest.*",
                 "several times", "False in the specification, declared True", SEVERAL),
        Excepted("stringset.strings", "several times", "True in the specification, declared False",
                 "the kernel writes one, with all strings in it"),
        Excepted("stats-grp.stat", "type", "u64 in the specification, declared indexed-array of u64",
                 "the kernel has a nest around each counter, and its number inside"),
        Excepted("fec-hist.bin-val-per-lane fec-stat.corr-bits fec-stat.corrected fec-stat.uncorr", "type",
                 "binary of u64 in the specification, declared binary", BYTES),
        Excepted("phc-vclocks.index", "type", "binary of s32 in the specification, declared binary", BYTES),
        Excepted("rss.indir", "type", "binary of u32 in the specification, declared binary", BYTES),
        Excepted("stringset", "definition", ABSENT, "it is empty"),
        Excepted("c33-pse-ext-state.none", "value", ABSENT, WRONG),
        Excepted("c33-pse-ext-state.pd-dll-power-type", "value", EXTRA, WRONG),
        Excepted("c33-pse-ext-state.power-not-available", "value", "7 in the specification, declared 8", WRONG),
        Excepted("c33-pse-ext-state.short-detected", "value", "8 in the specification, declared 9", WRONG),
        Excepted("module-fw-flash-status.started", "value", "0 in the specification, declared 1", WRONG),
        Excepted("module-fw-flash-status.in-progress", "value", "1 in the specification, declared 2", WRONG),
        Excepted("module-fw-flash-status.completed", "value", "2 in the specification, declared 3", WRONG),
        Excepted("module-fw-flash-status.error", "value", "3 in the specification, declared 4", WRONG),
    ),
    "rt-addr": (
        Excepted("getaddr", "do", EXTRA, "IPv6 has it (inet6_rtm_getaddr()), the specification leaves it out"),
        Excepted("getmulticast", "do", ABSENT, "the kernel only has a dump of it"),
        Excepted("getanycast", "operation", EXTRA, UNSAID),
        Excepted("newaddr deladdr getaddr getmulticast", REQUESTS,
                 "address local label broadcast cacheinfo flags rt-priority target-netnsid proto", ONE_POLICY),
        Excepted("getaddr getmulticast", f"dump reply {EXTRA}", "broadcast flags rt-priority target-netnsid proto",
                 UNSAID),
        Excepted("addr-attrs.anycast addr-attrs.multicast", "shown",
                 "None in the specification, declared address", ADDRESS),
        Excepted("addr-attrs.broadcast", "type", "be-u32 in the specification, declared binary",
                 "it is shown as an address either way"),
        Excepted("addr-attrs.target-netnsid", "type", "binary in the specification, declared s32", WRONG),
        Excepted("ifa-flags.temporary", "value", EXTRA, "the header has two names for the bit"),
    ),
    "rt-link": (
        Excepted("newlinkprop dellinkprop", "operation", EXTRA, UNSAID),
        Excepted("mctp-attrs", "attribute set", ABSENT, NOT_EMULATED),
        Excepted("getstats", f"do request {EXTRA}", "link-64", UNSAID),
        Excepted("setstats", "operation", EXTRA, UNSAID),
        Excepted("stats-attrs.link-xstats stats-attrs.link-xstats-slave", "type",
                 "binary in the specification, declared nest", UNNAMED),
        Excepted("stats-attrs.link-xstats stats-attrs.link-xstats-slave", "inside", EXTRA, UNNAMED),
        Excepted("bond-slave-attrs.actor-port-prio bond-slave-attrs.ad-churn-actor-state "
                 "bond-slave-attrs.ad-churn-partner-state", "attribute", EXTRA, NEWER),
        Excepted("linkinfo-bond-attrs.mode linkinfo-bond-attrs.xmit-hash-policy bond-slave-attrs.state "
                 "bond-slave-attrs.mii-status bond-slave-attrs.ad-actor-oper-port-state "
                 "bond-slave-attrs.ad-partner-oper-port-state", "names of values", EXTRA, "the header has them"),
        Excepted("bond-slave-attrs.prio", "type", "u32 in the specification, declared s32", WRONG),
        Excepted("linkinfo-bond-attrs.arp-ip-target", "type",
                 "indexed-array of u32 in the specification, declared indexed-array of be32", NETWORK_ORDER),
        Excepted("linkinfo-bond-attrs.arp-ip-target linkinfo-bond-attrs.ns-ip6-target", "shown", "*",
                 "members of arrays are shown as numbers or bytes"),
        Excepted("linkinfo-bond-attrs.ns-ip6-target", "length", "16 in the specification, declared None", UNSAID),
        Excepted("link-offload-xstats.l3-stats", "type",
                 "binary in the specification, declared binary struct rtnl-hw-stats64", UNNAMED),
        Excepted("stats-attrs.af-spec", "type", "binary in the specification, declared nest", UNNAMED),
        Excepted("stats-attrs.af-spec", "inside", EXTRA, UNNAMED),
        Excepted("af-spec-attrs.mctp", "attribute", ABSENT, NOT_EMULATED),
        Excepted("rtgenmsg", "definition", ABSENT, "nothing in the file uses it"),
        Excepted("newlink dellink getlink setlink", REQUESTS, LINK_POLICY, ONE_POLICY),
        Excepted(
            "setlink", f"do request {ABSENT}",
            "qdisc stats cost priority wireless protinfo num-vf stats64 phys-port-name pad new-netnsid "
            "parent-dev-bus-name devlink-port", WHOLE_SET,
        ),
        Excepted(
            "getlink", NOT_IN_REPLIES, "cost priority wireless protinfo weight net-ns-pid net-ns-fd ext-mask pad",
            NOT_WRITTEN,
        ),
        Excepted("getlink", REPLIES, "dpll-pin max-pacing-offload-horizon netns-immutable headroom tailroom", NEWER),
        Excepted("linkinfo-attrs.data", f"kind {ABSENT}",
                 "ovpn",
                 OTHER_KINDS),
        Excepted("linkinfo-attrs.data", f"kind {EXTRA}",
                 "veth vxlan macvlan macvtap macsec ipvlan ipvtap ip6gretap ip6erspan xfrm bareudp gtp", UNSAID),
        Excepted("linkinfo-attrs.slave-data", f"kind {EXTRA}", "vrf", UNSAID),
        Excepted("linkinfo-hsr-attrs.protocol", "names of values", EXTRA, "the header has them"),
        Excepted("linkinfo-hsr-attrs.supervision-addr", "shown", "address in the specification, declared None", UNSAID),
        Excepted(
            "linkinfo-ovpn-attrs", "attribute set", ABSENT, OTHER_KINDS,
        ),
        Excepted(
            "ovpn-mode", "definition", ABSENT, OTHER_KINDS,
        ),
        Excepted("linkinfo-geneve-attrs.local linkinfo-geneve-attrs.remote linkinfo-iptun-attrs.6rd-relay-prefix",
                 "type", "be-u32 in the specification, declared binary", "it is shown as an address either way"),
        Excepted("linkinfo-geneve-attrs.df linkinfo-gre-attrs.iflags linkinfo-gre-attrs.oflags "
                 "linkinfo-gre-attrs.encap-* linkinfo-iptun-attrs.encap-* linkinfo-gre6-attrs.iflags "
                 "linkinfo-gre6-attrs.oflags linkinfo-gre6-attrs.encap-* linkinfo-gre6-attrs.flags "
                 "linkinfo-ip6tnl-attrs.encap-* linkinfo-ip6tnl-attrs.flags", "names of values", EXTRA, UNNAMED),
        Excepted("linkinfo-ip6tnl-attrs.flags", "type", "be-u32 in the specification, declared u32", WRONG),
        Excepted("ifla-bridge-id.addr linkinfo-bridge-attrs.group-addr", "shown", "*", NUMBERS),
        Excepted("ifla-bridge-id.prio", "offset and type", "(0, 'u16') in the specification, declared (0, 'be-u16')",
                 NETWORK_ORDER),
        Excepted("linkinfo-bridge-attrs.mcast-querier-state", "type",
                 "binary in the specification, declared nest", UNNAMED),
        Excepted("linkinfo-bridge-attrs.mcast-querier-state", "inside", EXTRA, UNNAMED),
        Excepted("linkinfo-bridge-attrs.vlan-protocol", "type", "u16 in the specification, declared be-u16",
                 NETWORK_ORDER),
        Excepted("linkinfo-bridge-attrs.vlan-protocol linkinfo-tun-attrs.type", "names of values", EXTRA, UNNAMED),
        Excepted("link-attrs.devlink-port link-attrs.protinfo", "type", "binary in the specification, declared nest",
                 UNNAMED),
        Excepted("link-attrs.proto-down-reason", "type", "string in the specification, declared nest", WRONG),
        Excepted("link-attrs.devlink-port link-attrs.protinfo link-attrs.proto-down-reason", "inside", EXTRA, UNNAMED),
        Excepted("linkinfo-netkit-attrs.peer-info", "type",
                 "binary in the specification, declared binary struct ifinfomsg", UNNAMED),
        Excepted("vfinfo-attrs.mac", "type", "binary struct ifla-vf-mac in the specification, declared binary",
                 STRUCTURES),
        Excepted("ifla-vf-mac", "definition", ABSENT, STRUCTURES),
        Excepted("vfinfo-attrs.mac", "shown", "None in the specification, declared address", STRUCTURES),
        Excepted("vf-ports-attrs.port port-self-attrs.*", "attribute", EXTRA, "the specification leaves the set empty"),
        Excepted("vfinfo-attrs.broadcast", "shown", "None in the specification, declared address", ADDRESS),
        Excepted("ifla-vf-guid.guid", "offset and type",
                 "(4, 'u64') in the specification, declared (8, 'u64')", C_LAYOUT),
        Excepted("ifla-vf-guid", "size", "12 in the specification, declared 16", C_LAYOUT),
        Excepted("rtnl-link-ifmap", "size", "28 in the specification, declared 32", C_LAYOUT),
        Excepted("ifla-vlan-flags.mask", "shown", "hex in the specification, declared None", NUMBERS),
        Excepted("vlan-protocols.*", "value", "*", ETHERTYPES),
        Excepted("ifla-vf-vlan-info.vlan-proto", "offset and type",
                 "(12, 'u32') in the specification, declared (12, 'be-u16')", WRONG),
        Excepted("ifla-cacheinfo.reachable-time", "offset and type",
                 "(8, 's32') in the specification, declared (8, 'u32')", WRONG),
        Excepted("ifla-inet6-stats.*", "value", "*", "it has the order of the header before it was sorted for speed"),
        Excepted("ipv6-devconf.accept-ra-min-lft ipv6-devconf.force-forwarding", "value", EXTRA, NEWER),
        Excepted("netkit-policy.next netkit-policy.redirect", "value", EXTRA,
                 "the header has what a program may say as well, the specification what can be set"),
        Excepted("rtext-filter.name-only", "value", EXTRA, NEWER),
    ),
    "rt-neigh": (
        Excepted("newneigh getneigh", REQUESTS,
                 "dst lladdr cacheinfo probes vlan port vni ifindex master protocol nh-id flags-ext fdb-ext-attrs",
                 ONE_POLICY),
        Excepted("delneigh", f"do request {ABSENT}", "dst ifindex", "the kernel looks for them without a policy"),
        Excepted("getneigh", NOT_IN_REPLIES, "ifindex master nh-id port vlan vni fdb-ext-attrs", OTHER_TABLES),
        Excepted("getneigh", REPLIES, "cacheinfo", UNSAID),
        Excepted("neighbour-attrs.port", "type", "u16 in the specification, declared be-u16", NETWORK_ORDER),
        Excepted("neighbour-attrs.unspec", "attribute", ABSENT, NUMBERED_0),
        Excepted("neighbour-attrs.fdb-ext-attrs", "type", "binary in the specification, declared nest", UNNAMED),
        Excepted("neighbour-attrs.fdb-ext-attrs", "inside", EXTRA, UNNAMED),
    ),
    "rt-rule": (
        Excepted("rtgenmsg", "definition", ABSENT, "nothing in the file uses it"),
        Excepted("getrule", f"dump reply {EXTRA}", "dst src", UNSAID),
        Excepted("fib-rule-attrs.tun-id", "type", "u64 in the specification, declared be-u64", NETWORK_ORDER),
    ),
    "rt-route": (
        Excepted("getroute", REQUESTS,
                 "dst src iif oif gateway priority prefsrc metrics multipath flow table mark pref encap-type "
                 "encap expires uid ip-proto sport dport nh-id flowlabel", ONE_POLICY),
        Excepted("newroute delroute", f"do request {ABSENT}", "cacheinfo mfc-stats via newdst pad ttl-propagate",
                 WHOLE_SET),
        Excepted("getroute", NOT_IN_REPLIES,
                 "newdst expires ttl-propagate ip-proto sport dport flowlabel mfc-stats",
                 NOT_MODELLED),
        Excepted("getroute", NOT_IN_REPLIES, "pad", NUMBERED_0),
        Excepted("route-attrs.pad", "attribute", ABSENT, NUMBERED_0),
        Excepted("route-attrs.newdst", "shown", "None in the specification, declared address", ADDRESS),
        Excepted("route-attrs.sport route-attrs.dport", "type", "u16 in the specification, declared be-u16",
                 NETWORK_ORDER),
        Excepted("route-attrs.encap", "type", "binary in the specification, declared nest", UNNAMED),
        Excepted("rta-cacheinfo", "size", "20 in the specification, declared 32",
                 "the specification ends where timestamps of peers began, which are always zero"),
        Excepted("rta-cacheinfo.rta-expires", "offset and type",
                 "(8, 'u32') in the specification, declared (8, 's32')", WRONG),
    ),
}
