"""Every family, in the order in which the recorded machine registers them at boot: their numbers follow from it."""

from protocol.families import machine
from protocol.families.ethtool import ethtool
from protocol.families.netdev import netdev
from protocol.families.nlctrl import nlctrl
from protocol.family import Family

REGISTERED: tuple[Family, ...] = (
    nlctrl,
    machine.thermal,
    netdev,
    ethtool,
    machine.devlink,
    machine.nlbl_mgmt,
    machine.nlbl_cipsov4,
    machine.nlbl_calipso,
    machine.nlbl_unlbl,
    machine.net_shaper,
    machine.acpi_event,
    machine.tcp_metrics,
    machine.seg6,
    machine.ioam6,
    machine.psample,
    machine.taskstats,
)
