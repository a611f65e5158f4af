"""Every family of generic netlink, in the order in which the recorded machines register them at boot: their numbers
follow from it, and from what each was built with."""

from nlemu.protocol.families import listed
from nlemu.protocol.families.devlink.commands import devlink
from nlemu.protocol.families.ethtool.commands import ethtool
from nlemu.protocol.families.fou import fou
from nlemu.protocol.families.gtp import gtp
from nlemu.protocol.families.hsr import hsr
from nlemu.protocol.families.ioam6 import ioam6
from nlemu.protocol.families.l2tp import l2tp
from nlemu.protocol.families.macsec import macsec
from nlemu.protocol.families.mptcp_pm import mptcp_pm
from nlemu.protocol.families.net_shaper import net_shaper
from nlemu.protocol.families.netdev import netdev
from nlemu.protocol.families.nlctrl import nlctrl
from nlemu.protocol.families.seg6 import seg6
from nlemu.protocol.families.tcp_metrics import tcp_metrics
from nlemu.protocol.families.team import team
from nlemu.protocol.families.wireguard import wireguard
from nlemu.protocol.schema.family import Family

REGISTERED: tuple[Family, ...] = (
    nlctrl,
    listed.thermal,
    netdev,
    ethtool,
    listed.psp,
    devlink,
    listed.nlbl_mgmt,
    listed.nlbl_cipsov4,
    listed.nlbl_calipso,
    listed.nlbl_unlbl,
    net_shaper,
    listed.acpi_event,
    tcp_metrics,
    mptcp_pm,
    wireguard,
    macsec,
    team,
    listed.net_dm,
    listed.ipvs,
    fou,
    seg6,
    ioam6,
    l2tp,
    listed.psample,
    listed.ovs_datapath,
    listed.ovs_vport,
    listed.ovs_flow,
    listed.ovs_packet,
    listed.ovs_meter,
    hsr,
    listed.taskstats,
    gtp,
)
