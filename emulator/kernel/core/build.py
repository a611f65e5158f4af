"""Which Linux this is: a release, and how it was configured.

Both hang on the Kernel (`kernel.build`) and say what differs between the kernels that can be chosen. Code asks
`build.has("IPV6_MULTIPLE_TABLES")` for an option, by the name it has in Kconfig without ``CONFIG_``, or compares
`build.release`; it never asks which build it is.

Rules: an option is listed here when something in the emulator depends on it, and then it is listed for every build that
has it. The lists were read from the configurations that the recorded kernels were built with: ``recorded`` is
x86_64_defconfig with netkit, netdevsim and what they need, ``distribution`` has on top what Debian turns on.
"""

from __future__ import annotations

from dataclasses import dataclass

from nlemu.protocol.release import V7_2_13, V7_3_4, Release, parse_release


@dataclass(frozen=True, eq=False)
class Build:
    """One kernel that can be chosen: its name, its release, the name of its configuration, the options it has on.

    boot_uevents: how many uevents were made when user space begins (/sys/kernel/uevent_seqnum), on the recorded
    machine; the same at every boot of it.

    booted: how old the recorded machine is when its first namespace gets IPv6, which is when the clock here begins; in
    nanoseconds, to a hundredth of a second. It shows where user space is told of a time as such.

    Each exists once and is equal to itself alone, so that what follows from it is quickly found again.
    """

    name: str
    release: Release
    config: str
    options: frozenset[str]
    boot_uevents: int
    booted: int

    def has(self, option: str) -> bool:
        """Whether CONFIG_<option> is set."""
        return option in self.options


EVERYWHERE = frozenset({
    "DUMMY", "VETH", "NETKIT", "NETDEVSIM", "BRIDGE", "VLAN_8021Q", "VXLAN", "BONDING", "MACVLAN", "IPVLAN", "TUN",
    "NLMON", "INET", "IPV6", "IP_MULTIPLE_TABLES", "IP_ROUTE_MULTIPATH", "PACKET", "UNIX", "XFRM", "XFRM_USER",
    "NETLINK_DIAG", "XDP_SOCKETS_DIAG", "VSOCKETS_DIAG", "NET_DEVLINK", "NETLABEL", "PSAMPLE", "TASKSTATS", "CONNECTOR",
    "PROC_EVENTS",
})
"""What both configurations have."""

DISTRIBUTION = EVERYWHERE | {
    "IFB", "BRIDGE_VLAN_FILTERING", "BRIDGE_MRP", "BRIDGE_CFM", "VLAN_8021Q_GVRP", "VLAN_8021Q_MVRP",
    "IP_ROUTE_CLASSID", "IPV6_MULTIPLE_TABLES", "IPV6_SUBTREES", "IPV6_ROUTER_PREF", "IPV6_ROUTE_INFO",
    "IPV6_OPTIMISTIC_DAD", "IP_MROUTE_MULTIPLE_TABLES", "IPV6_MROUTE", "IPV6_MROUTE_MULTIPLE_TABLES",
    "MPLS", "MPLS_ROUTING", "LWTUNNEL", "NET_L3_MASTER_DEV", "NET_VRF", "NETFILTER", "NETFILTER_NETLINK",
    "NF_CONNTRACK", "NF_CT_NETLINK", "NF_TABLES", "IP_SET", "NETFILTER_NETLINK_ACCT", "NETFILTER_NETLINK_HOOK",
    "NETFILTER_NETLINK_LOG", "NETFILTER_NETLINK_QUEUE", "XFRM_SUB_POLICY", "XFRM_MIGRATE", "INET_DIAG", "INET_TCP_DIAG",
    "INET_UDP_DIAG", "INET_RAW_DIAG", "INET_MPTCP_DIAG", "INET_DIAG_DESTROY", "UNIX_DIAG", "PACKET_DIAG",
    "NET_SWITCHDEV", "MACSEC", "MPLS_IPTUNNEL", "LWTUNNEL_BPF", "IPV6_SEG6_LWTUNNEL", "IPV6_SEG6_HMAC",
    "IPV6_RPL_LWTUNNEL", "IPV6_IOAM6_LWTUNNEL", "XFRM_INTERFACE", "XFRM_STATISTICS", "MPTCP",
    "TLS", "GENEVE", "NET_IPIP", "NET_IPGRE", "NET_IPVTI", "IPV6_SIT", "MACVTAP", "IPVTAP", "IPVLAN_L3S",
    "INET_PSP", "WIREGUARD", "NET_TEAM", "NET_DROP_MONITOR", "IP_VS", "NET_FOU", "L2TP", "OPENVSWITCH", "HSR",
    "GTP", "IPV6_TUNNEL", "IPV6_GRE", "IPV6_VTI", "BAREUDP",
}
"""What a distribution turns on besides."""

RECORDED_7_2 = Build("7.2.13-recorded", V7_2_13, "recorded", EVERYWHERE, boot_uevents=636, booted=2_100_000_000)
DISTRIBUTION_7_2 = Build("7.2.13", V7_2_13, "distribution", DISTRIBUTION, boot_uevents=676, booted=2_140_000_000)
DISTRIBUTION_7_3 = Build("7.3.4", V7_3_4, "distribution", DISTRIBUTION, boot_uevents=674, booted=2_130_000_000)

BUILDS = {build.name: build for build in (DISTRIBUTION_7_2, RECORDED_7_2, DISTRIBUTION_7_3)}
DEFAULT = DISTRIBUTION_7_2


class NoBuild(LookupError):
    """A kernel that there is not: one line, which lists those that there are."""


def find_build(name: str) -> Build:
    """The build of that name. Raises NoBuild."""
    try:
        return BUILDS[name]
    except KeyError:
        raise NoBuild(f"there is no kernel {name!r}; there are {', '.join(BUILDS)}") from None


def recorded_on(release: str, config: str) -> Build:
    """The build that a trace was recorded on, by the release and the configuration that its header names. Raises
    NoBuild."""
    for build in BUILDS.values():
        if (str(build.release), build.config) == (release, config):
            return build
    raise NoBuild(f"there is no kernel {release} ({config}); there are {', '.join(BUILDS)}")


def nearest(release: str, config: str) -> Build:
    """The build that is most like that kernel: one of the same configuration before others, of the releases the one
    that is the fewest away."""
    wanted = parse_release(release)
    rank = sorted(BUILDS.values(), key=lambda build: build.release)
    at = sum(build.release < wanted for build in rank)
    return min(BUILDS.values(), key=lambda build: (build.config != config, abs(rank.index(build) - at)))
