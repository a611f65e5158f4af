"""Every family of generic netlink, in the order in which the recorded machine registers them at boot: their numbers
follow from it."""

from nlemu.protocol.families import listed
from nlemu.protocol.families.devlink.commands import devlink
from nlemu.protocol.families.ethtool.commands import ethtool
from nlemu.protocol.families.net_shaper import net_shaper
from nlemu.protocol.families.netdev import netdev
from nlemu.protocol.families.nlctrl import nlctrl
from nlemu.protocol.families.tcp_metrics import tcp_metrics
from nlemu.protocol.schema.family import Family

REGISTERED: tuple[Family, ...] = (
    nlctrl,
    listed.thermal,
    netdev,
    ethtool,
    devlink,
    listed.nlbl_mgmt,
    listed.nlbl_cipsov4,
    listed.nlbl_calipso,
    listed.nlbl_unlbl,
    net_shaper,
    listed.acpi_event,
    tcp_metrics,
    listed.seg6,
    listed.ioam6,
    listed.psample,
    listed.taskstats,
)
