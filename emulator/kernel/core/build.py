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

from nlemu.protocol.release import V7_2_13, Release


@dataclass(frozen=True)
class Build:
    """One kernel that can be chosen: its name, its release, the name of its configuration, the options it has on."""

    name: str
    release: Release
    config: str
    options: frozenset[str]

    def has(self, option: str) -> bool:
        """Whether CONFIG_<option> is set."""
        return option in self.options


EVERYWHERE = frozenset({
    "DUMMY", "VETH", "NETKIT", "NETDEVSIM", "BRIDGE", "VLAN_8021Q", "VXLAN", "BONDING", "MACVLAN", "IPVLAN", "TUN",
    "NLMON", "INET", "IPV6", "IP_MULTIPLE_TABLES", "IP_ROUTE_MULTIPATH", "PACKET", "UNIX", "XFRM", "INET_DIAG",
    "NETLINK_DIAG", "XDP_SOCKETS_DIAG", "NET_DEVLINK", "NETLABEL", "PSAMPLE", "TASKSTATS",
})
"""What both configurations have."""

DISTRIBUTION = EVERYWHERE | {
    "IFB", "BRIDGE_VLAN_FILTERING", "BRIDGE_MRP", "BRIDGE_CFM", "VLAN_8021Q_GVRP", "VLAN_8021Q_MVRP",
    "IP_ROUTE_CLASSID", "IPV6_MULTIPLE_TABLES", "IPV6_SUBTREES", "IPV6_ROUTER_PREF", "IPV6_ROUTE_INFO",
    "IPV6_OPTIMISTIC_DAD", "IP_MROUTE_MULTIPLE_TABLES", "IPV6_MROUTE", "IPV6_MROUTE_MULTIPLE_TABLES",
    "MPLS", "MPLS_ROUTING", "LWTUNNEL", "NET_L3_MASTER_DEV", "NET_VRF", "NETFILTER", "NETFILTER_NETLINK",
    "NF_CONNTRACK", "NF_TABLES", "IP_SET", "XFRM_USER", "CONNECTOR", "PROC_EVENTS", "UNIX_DIAG", "PACKET_DIAG",
    "INET_DIAG_DESTROY", "NET_SWITCHDEV",
}
"""What a distribution turns on besides."""

RECORDED_7_2 = Build("7.2.13-recorded", V7_2_13, "recorded", EVERYWHERE)
DISTRIBUTION_7_2 = Build("7.2.13", V7_2_13, "distribution", DISTRIBUTION)

BUILDS = {build.name: build for build in (DISTRIBUTION_7_2, RECORDED_7_2)}
DEFAULT = RECORDED_7_2


def build_of(release: str, config: str) -> Build:
    """The build of that release and configuration; for an unknown release the default's. LookupError for an unknown
    configuration."""
    known = [build for build in BUILDS.values() if build.config == config]
    if not known:
        raise LookupError(f"there is no kernel configured as {config!r}")
    return next((build for build in known if str(build.release) == release), known[0])


def find_build(name: str) -> Build:
    """The build of that name. LookupError, whose text lists those that there are."""
    try:
        return BUILDS[name]
    except KeyError:
        raise LookupError(f"there is no kernel {name!r}; there are {', '.join(BUILDS)}") from None
