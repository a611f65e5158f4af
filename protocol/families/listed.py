"""The families of the recorded machines that are not emulated.

A generic netlink client sees every family of its kernel in a dump, and those in front of netdev and ethtool gave them
their numbers. So the recorded machines' other families are registered too: by name, version, operations with their
flags, and groups, as their own nlctrl told them (traces c03, c13); which groups want a capability, traces c10 and c13
show. They can be looked up and listed. What they would do is not here: their commands are refused as a kernel refuses
a command that a family does not have.
"""

from nlemu.protocol.schema.family import Family

thermal = Family(
    "thermal",
    netns=False,
    version=2,
    attributes=27,
    groups=("sampling", "event"),
    listed={1: 0x4, 2: 0xa, 3: 0xa, 4: 0xa, 6: 0x4, 7: 0xa, 8: 0xa, 9: 0xa, 10: 0xa},
)
nlbl_mgmt = Family(
    "NLBL_MGMT",
    netns=False,
    version=3,
    attributes=12,
    listed={1: 0xb, 2: 0xb, 3: 0x4, 4: 0xb, 5: 0xb, 6: 0xa, 7: 0x4, 8: 0xa},
)
nlbl_cipsov4 = Family(
    "NLBL_CIPSOv4",
    netns=False,
    version=3,
    attributes=12,
    listed={1: 0xb, 2: 0xb, 3: 0xa, 4: 0x4},
)
nlbl_calipso = Family(
    "NLBL_CALIPSO",
    netns=False,
    version=3,
    attributes=2,
    listed={1: 0xb, 2: 0xb, 3: 0xa, 4: 0x4},
)
nlbl_unlbl = Family(
    "NLBL_UNLBL",
    netns=False,
    version=3,
    attributes=7,
    listed={3: 0xb, 4: 0xb, 5: 0x4, 6: 0xb, 7: 0xb, 8: 0x4, 1: 0xb, 2: 0xa},
)
acpi_event = Family(
    "acpi_event",
    netns=False,
    version=1,
    attributes=1,
    groups=("acpi_mc_group",),
    listed={},
)
psample = Family(
    "psample",
    version=1,
    attributes=16,
    groups=("config", "packets"),
    privileged=("packets",),
    listed={1: 0x4},
)
taskstats = Family(
    "TASKSTATS",
    version=1,
    listed={1: 0xb, 4: 0xa},
)

# What a distribution turns on besides, as trace c13 shows it.
psp = Family(
    "psp",
    version=1,
    groups=("mgmt", "use"),
    option="INET_PSP",
    listed={1: 0xe, 4: 0xb, 6: 0xb, 8: 0xa, 9: 0xa, 10: 0xe, 11: 0xb, 12: 0xb},
)
net_dm = Family(
    "NET_DM",
    version=2,
    attributes=23,
    groups=("events",),
    privileged=("events",),
    netns=False,
    option="NET_DROP_MONITOR",
    listed={2: 0xb, 3: 0xb, 4: 0xb, 6: 0xa, 8: 0xa},
)
ipvs = Family(
    "IPVS",
    version=1,
    attributes=6,
    option="IP_VS",
    listed={
        1: 0xb, 2: 0xb, 3: 0xb, 4: 0xf, 5: 0xb, 6: 0xb, 7: 0xb, 8: 0x5, 9: 0xb, 10: 0xb, 11: 0x5, 12: 0xb, 13: 0xb,
        15: 0xb, 16: 0xb, 17: 0xb,
    },
)
ovs_datapath = Family(
    "ovs_datapath",
    version=2,
    header_size=4,
    attributes=9,
    groups=("ovs_datapath",),
    option="OPENVSWITCH",
    listed={1: 0x1a, 2: 0x1a, 3: 0xe, 4: 0x1a},
)
ovs_vport = Family(
    "ovs_vport",
    version=1,
    header_size=4,
    attributes=10,
    groups=("ovs_vport",),
    option="OPENVSWITCH",
    listed={1: 0x1a, 2: 0x1a, 3: 0xe, 4: 0x1a},
)
ovs_flow = Family(
    "ovs_flow",
    version=1,
    header_size=4,
    attributes=11,
    groups=("ovs_flow",),
    option="OPENVSWITCH",
    listed={1: 0x1a, 2: 0x1a, 3: 0xe, 4: 0x1a},
)
ovs_packet = Family(
    "ovs_packet",
    version=1,
    header_size=4,
    attributes=12,
    option="OPENVSWITCH",
    listed={3: 0x1a},
)
ovs_meter = Family(
    "ovs_meter",
    version=1,
    header_size=4,
    attributes=9,
    groups=("ovs_meter",),
    option="OPENVSWITCH",
    listed={1: 0xa, 2: 0x1a, 4: 0xa, 3: 0x1a},
)
