"""The families of the recorded machine that are not emulated.

A generic netlink client sees every family of its kernel in a dump, and those in front of netdev and ethtool gave them
their numbers. So the recorded machine's other families are registered too: by name, version, operations with
their flags, and groups, as its own nlctrl told them (trace c03); which groups want a capability, trace c10 shows. They
can be looked up and listed. What they would do is not here: their commands are refused as a kernel refuses a command
that a family does not have.
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
seg6 = Family(
    "SEG6",
    version=1,
    attributes=7,
    listed={1: 0xb, 2: 0x5, 3: 0xb, 4: 0xb},
)
ioam6 = Family(
    "IOAM6",
    version=1,
    groups=("ioam6_events",),
    privileged=("ioam6_events",),
    listed={1: 0xb, 2: 0xb, 3: 0x5, 4: 0xb, 5: 0xb, 6: 0x5, 7: 0xb},
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
