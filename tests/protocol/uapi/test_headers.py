"""The numbers of protocol/uapi against the kernel's headers, by name.

A row says which names of a header a class stands for. What the class has and the header lacks, or has otherwise, is a
fault; what the header has besides, unless the row leaves it out, with a reason.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import pytest

from nlemu.protocol import uapi
from nlemu.protocol.families.ethtool import hardware
from nlemu.protocol.families.net_shaper import Caps
from nlemu.protocol.families.nlctrl import McastGroup
from nlemu.protocol.families.route import link, link_vf, nsid, tunnel
from nlemu.protocol.families.route.kinds import veth, vxlan, xfrm_interface
from nlemu.protocol.families.xfrm import Xfrma
from nlemu.protocol.schema.attributes import AttrSet
from nlemu.protocol.uapi import (
    bpf,
    devlink,
    ethtool,
    fib_rules,
    fou,
    genetlink,
    gtp,
    hsr_netlink,
    if_,
    if_addr,
    if_arp,
    if_bonding,
    if_bridge,
    if_ether,
    if_link,
    if_macsec,
    if_team,
    if_tun,
    if_tunnel,
    if_vlan,
    if_xdp,
    in_,
    io_uring,
    ioam6_genl,
    ip,
    ip6_tunnel,
    ipv6,
    l2tp,
    link_modes,
    lwtunnel,
    mptcp_pm,
    neighbour,
    net_shaper,
    net_tstamp,
    netdev,
    netdevice,
    netlink,
    nexthop,
    nfnetlink,
    nsfs,
    route,
    rtnetlink,
    seg6,
    seg6_genl,
    snmp,
    sock_diag,
    socket,
    sockios,
    wireguard,
    xfrm,
)
from nlemu.protocol.wire import acks, advertise
from tests.protocol.uapi.header import numbers

Numbers = type[IntEnum] | type[IntFlag]
UAPI = "include/uapi/linux"
ENDS = re.compile(r"__\w+|\w+_(MAX|CNT|COUNT|MASK|NONE|UNSPEC|PAD)")
"""Names that only say where a list begins and ends, what all bits are, and what is unused."""

UNUSED = "nothing here needs them"
KERNEL = "not for programs: the kernel's own headers or sources have it"
HISTORY = "hardware that is history, or not here"


@dataclass(frozen=True)
class Row:
    """``names`` of a header, as a pattern whose group is our name, are those of ``classes``.

    ``spelled``: ours, and the header's whole name where the pattern does not lead there. ``omitted``: patterns of names
    of the header that we leave out, each with its reason.
    """

    header: str
    names: str
    classes: tuple[Numbers, ...]
    spelled: Mapping[str, str] = field(default_factory=dict)
    omitted: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.header}:{self.classes[0].__name__}"


def some(names: type[IntEnum | IntFlag]) -> str:
    """Of the names of a header, those that a class has: they share their beginning with hundreds."""
    return "|".join(names.__members__)


ROWS = (
    Row("netdev.h", "NETDEV_CMD_(.*)", (netdev.NetdevCmd,)),
    Row("netdev.h", "NETDEV_XDP_ACT_(.*)", (netdev.XdpAct,)),
    Row("netdev.h", "NETDEV_XDP_RX_METADATA_(.*)", (netdev.XdpRxMetadata,)),
    Row("netdev.h", "NETDEV_XSK_FLAGS_(.*)", (netdev.XskFlags,)),
    Row("netdev.h", "NETDEV_QUEUE_TYPE_(.*)", (netdev.QueueType,)),
    Row("netdev.h", "NETDEV_QSTATS_SCOPE_(.*)", (netdev.QstatsScope,)),
    Row("netdev.h", "NETDEV_NAPI_THREADED_(.*)", (netdev.NapiThreaded,)),
    Row("genetlink.h", "CTRL_CMD_(.*)", (genetlink.CtrlCmd,)),
    Row("genetlink.h", "GENL_((?:CMD_|UNS_|ADMIN_).*)", (genetlink.GenlFlag,)),
    Row("netlink.h", "NETLINK_(.*)", (netlink.NetlinkProtocol, netlink.NetlinkOpt), omitted={
        "NETLINK_(UNUSED|SMC)": "no kernel here has a socket of it", "NETLINK_INET_DIAG": "SOCK_DIAG's older name",
        "NETLINK_(UN)?CONNECTED": "states of a socket",
    }),
    Row("netlink.h", "NLMSG_(NOOP|ERROR|DONE|OVERRUN)", (netlink.NlmsgType,)),
    Row("netlink.h", "NLMSGERR_ATTR_((?!UNUSED).*)", (netlink.NLMSGERR_ATTR,)),
    Row("netlink.h", "NLM_F_(.*)", (netlink.NLM_F,)),
    Row("netlink.h", "NL_ATTR_TYPE_(.*)", (netlink.AttrType,)),
    Row("rtnetlink.h", "RTM_((?:NEW|DEL|GET|SET).*)", (rtnetlink.RTM,)),
    Row("rtnetlink.h", "RTNLGRP_(.*)", (rtnetlink.RTNLGRP,)),
    Row("rtnetlink.h", "RTEXT_FILTER_(.*)", (rtnetlink.RTEXT_FILTER,)),
    Row("rtnetlink.h", "RTN_(.*)", (rtnetlink.RTN,)),
    Row("rtnetlink.h", "RTPROT_(.*)", (rtnetlink.RTPROT,)),
    Row("rtnetlink.h", "RT_SCOPE_(.*)", (rtnetlink.RT_SCOPE,)),
    Row("rtnetlink.h", "RT_TABLE_(.*)", (rtnetlink.RT_TABLE,)),
    Row("rtnetlink.h", "RTM_F_(.*)", (rtnetlink.RTM_F,)),
    Row("rtnetlink.h", "RTNH_F_(.*)", (rtnetlink.RTNH_F,)),
    Row("neighbour.h", "NTF_(.*)", (neighbour.NTF,)),
    Row("neighbour.h", "NTF_EXT_(.*)", (neighbour.NTF_EXT,), omitted={"NTF_EXT_LEARNED": "it is one of NTF_*"}),
    Row("neighbour.h", "NUD_(.*)", (neighbour.NUD,)),
    Row("if.h", "IFF_(.*)", (if_.IFF,)),
    Row("if.h", "IF_OPER_(.*)", (if_.IfOper,)),
    Row("if.h", "IF_LINK_MODE_(.*)", (if_.IfLinkMode,)),
    Row("ethtool.h", f"ETHTOOL_({'|'.join(ethtool.EthtoolIoctl.__members__)})", (ethtool.EthtoolIoctl,)),
    Row("ethtool.h", "ETH_FLAG_(.*)", (ethtool.EthFlag,)),
    Row("ethtool.h", "ETHTOOL_F_(UNSUPPORTED|WISH|COMPAT)", (ethtool.SfeaturesResult,)),
    Row("devlink.h", "DEVLINK_CMD_(.*)", (devlink.DevlinkCmd,), omitted={
        "DEVLINK_CMD_(UNSPEC|MAX)": "no command", "DEVLINK_CMD_ESWITCH_MODE_.ET": "the same by other names",
    }),
    Row("devlink.h", "DEVLINK_SB_POOL_TYPE_(.*)", (devlink.DevlinkSbPoolType,)),
    Row("devlink.h", "DEVLINK_SB_THRESHOLD_TYPE_(.*)", (devlink.DevlinkSbThresholdType,)),
    Row("devlink.h", "DEVLINK_PORT_TYPE_(.*)", (devlink.DevlinkPortType,)),
    Row("devlink.h", "DEVLINK_PORT_FLAVOUR_(.*)", (devlink.DevlinkPortFlavour,)),
    Row("devlink.h", "DEVLINK_PORT_FN_STATE_(.*)", (devlink.DevlinkPortFnState,)),
    Row("devlink.h", "DEVLINK_PORT_FN_OPSTATE_(.*)", (devlink.DevlinkPortFnOpstate,)),
    Row("devlink.h", "DEVLINK_ESWITCH_MODE_(.*)", (devlink.DevlinkEswitchMode,)),
    Row("devlink.h", "DEVLINK_ESWITCH_INLINE_MODE_(.*)", (devlink.DevlinkEswitchInlineMode,)),
    Row("devlink.h", "DEVLINK_ESWITCH_ENCAP_MODE_(.*)", (devlink.DevlinkEswitchEncapMode,)),
    Row("devlink.h", "DEVLINK_DPIPE_HEADER_(.*)", (devlink.DevlinkDpipeHeaderId,)),
    Row("devlink.h", "DEVLINK_DPIPE_MATCH_TYPE_(.*)", (devlink.DevlinkDpipeMatchType,)),
    Row("devlink.h", "DEVLINK_DPIPE_ACTION_TYPE_(.*)", (devlink.DevlinkDpipeActionType,)),
    Row("devlink.h", "DEVLINK_DPIPE_FIELD_MAPPING_TYPE_(.*)", (devlink.DevlinkDpipeFieldMappingType,)),
    Row("devlink.h", "DEVLINK_RESOURCE_UNIT_(.*)", (devlink.DevlinkResourceUnit,)),
    Row("devlink.h", "DEVLINK_RELOAD_ACTION_(.*)", (devlink.DevlinkReloadAction,)),
    Row("devlink.h", "DEVLINK_RELOAD_LIMIT_(.*)", (devlink.DevlinkReloadLimit,)),
    Row("devlink.h", "DEVLINK_PARAM_CMODE_(.*)", (devlink.DevlinkParamCmode,)),
    Row("devlink.h", "DEVLINK_VAR_ATTR_TYPE_(.*)", (devlink.DevlinkVarAttrType,)),
    Row("devlink.h", "DEVLINK_TRAP_ACTION_(.*)", (devlink.DevlinkTrapAction,)),
    Row("devlink.h", "DEVLINK_TRAP_TYPE_(.*)", (devlink.DevlinkTrapType,)),
    Row("devlink.h", "DEVLINK_RATE_TYPE_(.*)", (devlink.DevlinkRateType,)),
    Row("net_shaper.h", "NET_SHAPER_SCOPE_(.*)", (net_shaper.NetShaperScope,)),
    Row("net_shaper.h", "NET_SHAPER_CMD_(.*)", (net_shaper.NetShaperCmd,)),
    Row("sockios.h", "SIOC(.*)", (sockios.Sioc,), omitted={".*": "ioctls that are not emulated"}),
    Row("lwtunnel.h", "LWTUNNEL_ENCAP_(.*)", (lwtunnel.LwtunnelEncap,)),
    Row("seg6_iptunnel.h", "SEG6_IPTUN_MODE_(.*)", (seg6.Seg6IptunMode,)),
    Row("seg6_local.h", "SEG6_LOCAL_ACTION_(.*)", (seg6.Seg6LocalAction,)),
    Row("seg6_local.h", "SEG6_LOCAL_FLV_OP_(.*)", (seg6.Seg6LocalFlavor,)),
    Row("rtnetlink.h", "RTAX_(.*)", (rtnetlink.RTAX,), omitted={"RTAX_.*": UNUSED}),
    Row("if_addr.h", "IFA_F_(.*)", (if_addr.IFA_F,)),
    Row("if_addr.h", "IFAPROT_(.*)", (if_addr.IFAPROT,)),
    Row("if_arp.h", "ARPHRD_(.*)", (if_arp.ARPHRD,), {"LOWPAN": "ARPHRD_6LOWPAN"}, {"ARPHRD_.*": HISTORY}),
    Row("if_arp.h", "ATF_(.*)", (if_arp.ATF,), omitted={"ATF_USETRAILERS": HISTORY}),
    Row("if_ether.h", "ETH_P_(.*)", (if_ether.ETH_P,), {"VLAN_8021Q": "ETH_P_8021Q", "VLAN_8021AD": "ETH_P_8021AD"},
        {"ETH_P_.*": UNUSED}),
    Row("if_link.h", "IN6_ADDR_GEN_MODE_(.*)", (if_link.In6AddrGenMode,)),
    Row("if_link.h", "NETKIT_(NEXT|PASS|DROP|REDIRECT)", (if_link.NetkitAction,)),
    Row("if_link.h", "NETKIT_(L2|L3)", (if_link.NetkitMode,)),
    Row("if_link.h", "NETKIT_DEVICE_(.*)", (if_link.NetkitPairing,)),
    Row("if_link.h", "NETKIT_SCRUB_(.*)", (if_link.NetkitScrub,)),
    Row("if_link.h", "IFLA_VF_LINK_STATE_(.*)", (if_link.VfLinkState,)),
    Row("if_link.h", "IFLA_EVENT_(.*)", (if_link.IflaEvent,)),
    Row("if_link.h", "XDP_ATTACHED_(.*)", (if_link.XdpAttached,)),
    Row("if_link.h", "XDP_FLAGS_(.*)", (if_link.XDP_FLAGS,), omitted={"XDP_FLAGS_MODES": "several of them"}),
    Row("if_link.h", "VXLAN_DF_(.*)", (if_link.VxlanDf,)),
    Row("if_link.h", "VXLAN_LABEL_(.*)", (if_link.VxlanLabelPolicy,)),
    Row("if_link.h", "GENEVE_DF_(.*)", (if_link.GeneveDf,)),
    Row("if_link.h", "TUNNEL_MSG_FLAG_(.*)", (if_link.TunnelMsgFlag,)),
    Row("if_link.h", "MACVLAN_MODE_(.*)", (if_link.MacvlanMode,)),
    Row("if_link.h", "MACVLAN_MACADDR_(.*)", (if_link.MacvlanMacaddrMode,)),
    Row("if_link.h", "MACVLAN_FLAG_(.*)", (if_link.MacvlanFlag,)),
    Row("if_link.h", "IPVLAN_MODE_(.*)", (if_link.IpvlanMode,)),
    Row("if_link.h", "IPVLAN_F_(.*)", (if_link.IpvlanFlag,)),
    Row("if_link.h", "BR_STP_MODE_(.*)", (if_bridge.BrStpMode,)),
    Row("if_bonding.h", "BOND_MODE_(.*)", (if_bonding.BondMode,), spelled={"B8023AD": "BOND_MODE_8023AD"}),
    Row("if_bonding.h", "BOND_LINK_(.*)", (if_bonding.BondLink,)),
    Row("if_bonding.h", "BOND_STATE_(.*)", (if_bonding.BondState,)),
    Row("if_bonding.h", "BOND_XMIT_POLICY_(.*)", (if_bonding.BondXmitPolicy,)),
    Row("if_bonding.h", "LACP_STATE_(.*)", (if_bonding.LacpState,)),
    Row("if_bridge.h", "BR_STATE_(.*)", (if_bridge.BrState,)),
    Row("if_bridge.h", "BRCTL_(.*)", (if_bridge.Brctl,), omitted={"BRCTL_VERSION": "the version of all of it"}),
    Row("if_bridge.h", "BRIDGE_FLAGS_(.*)", (if_bridge.BridgeFlags,)),
    Row("if_bridge.h", "BRIDGE_VLAN_INFO_(.*)", (if_bridge.BrVlanInfo,)),
    Row("if_bridge.h", "BR_BOOLOPT_(.*)", (if_bridge.BrBoolopt,)),
    Row("if_bridge.h", "MDB_RTR_TYPE_(.*)", (if_bridge.MdbRtrType,)),
    Row("if_link.h", "GTP_ROLE_(.*)", (if_link.GtpRole,)),
    Row("gtp.h", "GTP_CMD_(.*)", (gtp.GtpCmd,)),
    Row("gtp.h", "GTP_(V[0-9])", (gtp.GtpVersion,)),
    Row("fou.h", "FOU_CMD_(.*)", (fou.FouCmd,)),
    Row("fou.h", "FOU_ENCAP_(.*)", (fou.FouEncap,)),
    Row("ioam6_genl.h", "IOAM6_CMD_(.*)", (ioam6_genl.Ioam6Cmd,)),
    Row("l2tp.h", "L2TP_CMD_(.*)", (l2tp.L2tpCmd,)),
    Row("mptcp.h", "MPTCP_PM_ADDR_FLAG_(.*)", (mptcp_pm.MptcpPmAddrFlag,)),
    Row("mptcp_pm.h", "MPTCP_PM_CMD_(.*)", (mptcp_pm.MptcpPmCmd,)),
    Row("seg6_genl.h", "SEG6_CMD_(.*)", (seg6_genl.Seg6Cmd,)),
    Row("seg6_hmac.h", "SEG6_HMAC_ALGO_(.*)", (seg6_genl.Seg6HmacAlgo,)),
    Row("if_team.h", "TEAM_CMD_(.*)", (if_team.TeamCmd,)),
    Row("wireguard.h", "WG_CMD_(.*)", (wireguard.WgCmd,)),
    Row("wireguard.h", "WGDEVICE_F_(.*)", (wireguard.WgdeviceFlag,)),
    Row("wireguard.h", "WGPEER_F_(.*)", (wireguard.WgpeerFlag,)),
    Row("wireguard.h", "WGALLOWEDIP_F_(.*)", (wireguard.WgallowedipFlag,)),
    Row("if_link.h", "MACSEC_VALIDATE_(.*)", (if_link.MacsecValidate,)),
    Row("if_link.h", "MACSEC_OFFLOAD_(.*)", (if_link.MacsecOffload,)),
    Row("if_macsec.h", "MACSEC_CMD_(.*)", (if_macsec.MacsecCmd,)),
    Row("if_macsec.h", "MACSEC_CIPHER_ID_(.*)", (if_macsec.MacsecCipherId,), spelled={
        "DEFAULT": "MACSEC_DEFAULT_CIPHER_ID",
    }),
    Row("if_link.h", "HSR_PROTOCOL_(.*)", (if_link.HsrProtocol,)),
    Row("hsr_netlink.h", "HSR_C_(.*)", (hsr_netlink.HsrCmd,)),
    Row("if_tun.h", "TUN((?:SET|GET|ATTACH|DETACH).*)", (if_tun.TunIoctl,)),
    Row("if_tun.h", "IFF_(.*)", (if_tun.TunIff,)),
    Row("if_tun.h", "TUN_F_(.*)", (if_tun.TunF,)),
    Row("if_tunnel.h", "TUNNEL_ENCAP_(NONE|FOU|GUE|MPLS)", (if_tunnel.TunnelEncap,)),
    Row("if_tunnel.h", "TUNNEL_ENCAP_FLAG_(.*)", (if_tunnel.TunnelEncapFlag,)),
    Row("in.h", "IPPROTO_(.*)", (in_.IpProto,), omitted={"IPPROTO_.*": "no tunnel is made of it"}),
    Row("if_vlan.h", "VLAN_FLAG_(.*)", (if_vlan.VlanFlag,)),
    Row("if_vlan.h", "VLAN_NAME_TYPE_(.*)", (if_vlan.VlanNames,),
        omitted={"VLAN_NAME_TYPE_HIGHEST": "an end of the list"}),
    Row("if_xdp.h", "XDP_(SHARED_UMEM|COPY|ZEROCOPY|USE_.*)", (if_xdp.XDP,)),
    Row("if_xdp.h", f"XDP_({some(if_xdp.XdpOption)})", (if_xdp.XdpOption,)),
    Row("if_xdp.h", "XDP_UMEM_(UNALIGNED_.*|TX_.*)", (if_xdp.XDP_UMEM,)),
    Row("nexthop.h", "NEXTHOP_GRP_TYPE_(.*)", (nexthop.NEXTHOP_GRP_TYPE,)),
    Row("fib_rules.h", "FR_ACT_(.*)", (fib_rules.FR_ACT,)),
    Row("ip.h", "IPV4_DEVCONF_(.*)", (ip.Ipv4Devconf,)),
    Row("ipv6.h", "DEVCONF_(.*)", (ipv6.Ipv6Devconf,)),
    Row("../../net/if_inet6.h", "IF_(R.*)", (ipv6.InetDeviceFlag,)),
    Row("snmp.h", "IPSTATS_MIB_(.*)", (snmp.IpstatsMib,)),
    Row("snmp.h", "ICMP6_MIB_(.*)", (snmp.Icmp6Mib,)),
    Row("net_tstamp.h", "SOF_TIMESTAMPING_(.*)", (net_tstamp.SOF_TIMESTAMPING,),
        omitted={"SOF_TIMESTAMPING_LAST": "the last of them"}),
    Row("net_tstamp.h", "HWTSTAMP_TX_(.*)", (net_tstamp.HwtstampTx,)),
    Row("net_tstamp.h", "HWTSTAMP_FILTER_(.*)", (net_tstamp.HwtstampFilter,)),
    Row("net_tstamp.h", "HWTSTAMP_PROVIDER_QUALIFIER_(.*)", (net_tstamp.HwtstampQualifier,)),
    Row("ethtool_netlink_generated.h", "HWTSTAMP_SOURCE_(.*)", (net_tstamp.HwtstampSource,)),
    Row("ethtool_netlink_generated.h", "ETHTOOL_MSG_(.*)", (ethtool.UserMsg, ethtool.KernelMsg)),
    Row("ethtool_netlink_generated.h", "ETHTOOL_FLAG_(.*)", (ethtool.EthtoolFlag,)),
    Row("ethtool_netlink_generated.h", "ETHTOOL_TCP_DATA_SPLIT_(.*)", (ethtool.TcpDataSplit,)),
    Row("ethtool_netlink_generated.h", "ETHTOOL_UDP_TUNNEL_TYPE_(.*)", (ethtool.UdpTunnelType,)),
    Row("ethtool_netlink_generated.h", "ETHTOOL_((?:C33_)?PSE_EVENT_.*)", (ethtool.PseEvent,)),
    Row("ethtool_netlink.h", "ETHTOOL_STATS_(.*)", (ethtool.Stats,)),
    Row("ethtool_netlink.h", "ETHTOOL_A_CABLE_PAIR_(.*)", (ethtool.CablePair,)),
    Row("ethtool.h", "ETH_SS_(.*)", (ethtool.StringSet,)),
    Row("ethtool.h", "DUPLEX_(.*)", (ethtool.Duplex,)),
    Row("ethtool.h", "PORT_(.*)", (ethtool.Port,)),
    Row("ethtool.h", "XCVR_(.*)", (ethtool.Transceiver,), omitted={"XCVR_DUMMY.": UNUSED}),
    Row("ethtool.h", "AUTONEG_(.*)", (ethtool.Autoneg,)),
    Row("ethtool.h", "ETH_TP_MDI_?(.*)", (ethtool.TpMdi,), {"MDI": "ETH_TP_MDI", "MDI_X": "ETH_TP_MDI_X"}),
    Row("ethtool.h", "MASTER_SLAVE_CFG_(.*)", (ethtool.MasterSlaveCfg,)),
    Row("ethtool.h", "MASTER_SLAVE_STATE_(.*)", (ethtool.MasterSlaveState,)),
    Row("ethtool.h", "ETHTOOL_LINK_EXT_STATE_(.*)", (ethtool.LinkExtState,)),
    Row("ethtool.h", "ETHTOOL_FEC_(.*)_BIT", (ethtool.FecBit,)),
    Row("ethtool.h", "ETHTOOL_FEC_(.*)", (ethtool.FecFlag,)),
    Row("ethtool.h", "ETHTOOL_LINK_MODE_FEC_(.*)_BIT", (ethtool.LinkModeFec,)),
    Row("ethtool.h", "ETHTOOL_MAC_STATS_SRC_(.*)", (ethtool.MacStatsSrc,)),
    Row("ethtool.h", r"ETH_MODULE_(SFF_\d+)", (ethtool.EthModule,)),
    Row("ethtool.h", "WAKE_(.*)", (ethtool.Wake,)),
    Row("ethtool.h", "ETHTOOL_((?:RX_|TX_)COPYBREAK.*|PFC_PREVENTION_TOUT)", (ethtool.Tunable,)),
    Row("ethtool.h", "ETHTOOL_TUNABLE_(.*)", (ethtool.TunableType,)),
    Row("ethtool.h", "ETH_TEST_FL_(.*)", (ethtool.TestFlag,)),
    Row("ethtool.h", "ETHTOOL_MODULE_POWER_MODE_POLICY_(.*)", (ethtool.ModulePowerModePolicy,)),
    Row("ethtool.h", "ETHTOOL_MODULE_POWER_MODE_(.*)", (ethtool.ModulePowerMode,)),
    Row("ethtool.h", "ETHTOOL_PODL_PSE_ADMIN_STATE_(.*)", (ethtool.PsePodlAdminState,)),
    Row("ethtool.h", "ETHTOOL_C33_PSE_EXT_STATE_(.*)", (ethtool.C33PseExtState,)),
    Row("ethtool.h", "ETHTOOL_MODULE_FW_FLASH_STATUS_(.*)", (ethtool.ModuleFwFlashStatus,)),
    Row("ethtool.h", "PHY_UPSTREAM_(.*)", (ethtool.PhyUpstream,)),
    Row("ethtool.h", "RXH_(.*)", (ethtool.Rxh,)),
    Row("ethtool.h", "([A-Z0-9_]+)_FLOW", (ethtool.FlowType,), omitted={"IP_USER_FLOW": "IPV4_USER_FLOW again"}),
    Row("ethtool.h", "RXH_XFRM_(.*)", (ethtool.RxhXfrm,), omitted={"RXH_XFRM_NO_CHANGE": "of ioctls"}),
    Row("xfrm.h", "XFRM_MSG_(.*)", (xfrm.XfrmMsg,), omitted={"XFRM_MSG_BASE": "where the list begins"}),
    Row("xfrm.h", "XFRMNLGRP_(.*)", (xfrm.XfrmGroup,)),
    Row("xfrm.h", "XFRM_POLICY_TYPE_(.*)", (xfrm.XfrmPolicyType,), omitted={"XFRM_POLICY_TYPE_ANY": UNUSED}),
    Row("xfrm.h", "XFRM_POLICY_(IN|OUT|FWD)", (xfrm.XfrmPolicyDir,)),
    Row("xfrm.h", "XFRM_USERPOLICY_(.*)", (xfrm.XfrmUserpolicy,)),
    Row("sock_diag.h", "SKNLGRP_(.*)", (sock_diag.SockDiagGroup,)),
    Row("bpf.h", f"BPF_({some(bpf.BpfCmd)})", (bpf.BpfCmd,)),
    Row("bpf.h", f"BPF_({some(bpf.BpfAttachType)})", (bpf.BpfAttachType,)),
    Row("bpf.h", f"BPF_F_({some(bpf.ProgFlag)})", (bpf.ProgFlag,)),
    Row("io_uring.h", "IORING_SETUP_(.*)", (io_uring.Setup,)),
    Row("io_uring.h", "IORING_ENTER_(.*)", (io_uring.Enter,)),
    Row("io_uring/zcrx.h", "ZCRX_REG_(.*)", (io_uring.Zcrx,)),
    Row("unix_diag.h", "UDIAG_SHOW_(.*)", (sock_diag.UnixShow,)),
    Row("netlink_diag.h", "NDIAG_SHOW_(.*)", (sock_diag.NetlinkShow,)),
    Row("netlink_diag.h", "NDIAG_FLAG_(.*)", (sock_diag.NetlinkFlag,)),
    Row("packet_diag.h", "PACKET_SHOW_(.*)", (sock_diag.PacketShow,)),
    Row("packet_diag.h", "PDI_(.*)", (sock_diag.PacketFlag,)),
    Row("netfilter/nfnetlink.h", "NFNLGRP_(.*)", (nfnetlink.NfnlGroup,)),
    Row("netfilter/nfnetlink.h", "NFNL_SUBSYS_(.*)", (nfnetlink.Subsys,), omitted={
        "NFNL_SUBSYS_(OSF|CTNETLINK_TIMEOUT|CTHELPER|NFT_COMPAT)": "no kernel here has them",
    }),
)

SETS: tuple[tuple[str, str, type[AttrSet]], ...] = (
    ("net_namespace.h", "NETNSA_((?!NSID_).*)", nsid.Nsid),
    ("veth.h", "VETH_INFO_(.*)", veth.Veth),
    ("if_link.h", "IFLA_VXLAN_(.*)", vxlan.Vxlan),
    ("if_link.h", "IFLA_XFRM_(.*)", xfrm_interface.XfrmInterface),
    ("if_link.h", "VXLAN_VNIFILTER_(ENTRY)", tunnel.VniFilter),
    ("if_link.h", "VXLAN_VNIFILTER_ENTRY_(.*)", tunnel.VniEntry),
    ("if_link.h", "VNIFILTER_ENTRY_STATS_(.*)", tunnel.VniStats),
    ("if_link.h", "IFLA_PORT_((?!SELF).*)", link_vf.Port),
    ("if_link.h", "IFLA_VF_(PORT)", link_vf.VfPorts),
    ("if_link.h", "IFLA_PROTO_DOWN_REASON_(.*)", link.ProtoDownReason),
    ("ethtool_netlink.h", "ETHTOOL_A_CABLE_TDR_NEST_(.*)", hardware.CableTdrNest),
    ("ethtool_netlink.h", "ETHTOOL_A_CABLE_STEP_(.*)", hardware.CableStep),
    ("ethtool_netlink.h", "ETHTOOL_A_CABLE_AMPLITUDE_(.*)", hardware.CableAmplitude),
    ("ethtool_netlink.h", "ETHTOOL_A_CABLE_PULSE_(.*)", hardware.CablePulse),
    ("netlink.h", "NL_POLICY_TYPE_ATTR_(.*)", advertise.PolicyType),
    ("netlink.h", "NLMSGERR_ATTR_((?!UNUSED).*)", acks.Error),
    ("devlink.h", "DEVLINK_ATTR_(BUS_NAME|DEV_NAME|PORT_INDEX|INDEX)", link.DevlinkHandle),
    ("genetlink.h", "CTRL_ATTR_MCAST_GRP_(.*)", McastGroup),
    ("xfrm.h", "XFRMA_((?!SAD_|SPD_|OUTPUT_MARK).*)", Xfrma),
    ("net_shaper.h", "NET_SHAPER_A_CAPS_(.*)", Caps),
)
"""Sets of attributes that no specification has, or has otherwise."""

OF_A_SUBSYSTEM = "the headers have the numbers within a subsystem; traces p07 and p08 have the types"

UNCOVERED: dict[type, str] = {
    **dict.fromkeys((
        nfnetlink.CtMsg, nfnetlink.ExpMsg, nfnetlink.QueueMsg, nfnetlink.LogMsg, nfnetlink.IpsetMsg, nfnetlink.AcctMsg,
        nfnetlink.NftMsg, nfnetlink.HookMsg,
    ), OF_A_SUBSYSTEM),
    rtnetlink.RtDelReason: "since 7.3, and the tree is 7.2.13",
    ip6_tunnel.Ip6TnlFlag: "of two headers",
    route.RTF: "of two headers",
    if_tunnel.TunnelIoctl: "numbers from SIOCDEVPRIVATE on, which is of another header",
    if_vlan.VlanCommand: "the word that they share is in their middle",
    if_tunnel.GreFlag: "the header has them in network order",
    ethtool.RssHash: KERNEL,
    ethtool.NetifMsg: KERNEL,
    link_modes.Mode: KERNEL,
    io_uring.Register: "three of many",
    io_uring.Off: "of two headers",
    if_xdp.XdpPgoff: "they begin in two ways",
    nsfs.NsIoctl: "ioctls, which the header makes of a letter and a number",
    socket.So: "of asm-generic/socket.h, which is not among the kernel's networking",
    devlink.DevlinkResourceScope: "the header makes them of DEVLINK_RESOURCE_SCOPE_*_BIT",
    net_shaper.NetShaperCaps: "a set of the attributes NET_SHAPER_A_CAPS_SUPPORT_*, as bits",
    sock_diag.SockDiag: "of two headers",
    sock_diag.DiagFamily: KERNEL,
    sock_diag.TcpState: KERNEL,
    sock_diag.InetProto: "some of those of in.h",
    sock_diag.InetSockopt: "a structure of bits, without numbers",
    xfrm.IpsecProto: "some of those of in.h",
    net_tstamp.HwtstampFlag: "the header has bits, this their numbers",
    netdevice.NetifF: "of no header for programs; tests/protocol/uapi/test_features.py has what is known of them",
}
"""Classes without a row."""
MODULES = {
    name: f"{name.strip('_')}.h"
    for name in (module.name for module in pkgutil.iter_modules(uapi.__path__)) if name != "bits"
}
"""The header that a module is called after; what a word of flags is, none says."""
ELSEWHERE = {
    "ethtool": {
        "LINK_MODE_MASK_NBITS": "__ETHTOOL_LINK_MODE_MASK_NBITS", "ETHTOOL_GENL_VERSION": "in the generated header",
        "ETH_MODULE_EEPROM_PAGE_LEN": KERNEL, "ETH_MODULE_MAX_I2C_ADDRESS": KERNEL, "MAX_LANES": KERNEL,
        "MAX_CABLE_LENGTH_CM": KERNEL, "NETIF_MSG_CLASS_COUNT": KERNEL,
    },
    "genetlink": {"GENL_HDRLEN": "a size"},
    "if_ether": {"VLAN_HLEN": KERNEL},
    "io_uring": {"IORING_ZCRX_AREA_DMABUF": "in io_uring/zcrx.h"},
    "seg6_genl": {"SEG6_HMAC_SECRET_LEN": "in seg6_hmac.h"},
    "if_vlan": dict.fromkeys(("VLAN_VID_MASK", "VLAN_PRIO_MASK", "VLAN_PRIO_SHIFT"), KERNEL),
    "socket": dict.fromkeys(
        ("AF_UNSPEC", "AF_INET", "AF_BRIDGE", "AF_INET6", "AF_NETLINK", "AF_MPLS", "SOL_SOCKET", "SOL_NETLINK",
         "SCM_CREDENTIALS", "SCM_RIGHTS"), KERNEL,
    ),
    "sock_diag": {
        "AF_MAX": KERNEL, "INET_DIAG_REQ_PROTOCOL": "of inet_diag.h", "NDIAG_PROTO_ALL": "of netlink_diag.h",
    },
    "netlink": {
        "NLMSG_HDRLEN": "a size", "NLA_HDRLEN": "a size", "NLA_TYPE_MASK": "of 32 bits there, of 16 here",
        "NETLINK_MAX_COOKIE_LEN": KERNEL, "NETLINK_MAX_FMTMSG_LEN": KERNEL,
    },
}
"""Numbers that the header has otherwise, or not, after which their module is called; and why."""


@pytest.fixture(scope="session")
def headers(kernel_tree: pathlib.Path) -> dict[str, dict[str, int]]:
    """The numbers of each header that the tree has."""
    names = {row.header for row in ROWS} | {name for name, _, _ in SETS} | set(MODULES.values())
    places = {name: kernel_tree / UAPI / name for name in names}
    common = numbers(kernel_tree / UAPI / "netlink.h")
    return {name: numbers(path, common) for name, path in places.items() if path.is_file()}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_class_has_the_header_s_numbers(headers: dict[str, dict[str, int]], row: Row) -> None:
    if row.header not in headers:
        pytest.skip(f"the tree lacks {row.header}")
    assert differences(row, headers[row.header]) == []


def differences(row: Row, header: Mapping[str, int]) -> list[str]:
    pattern = re.compile(row.names)
    closer = [re.compile(other.names) for other in ROWS if other.header == row.header and other is not row
              and len(other.names) > len(row.names)]
    named = {name: match[1] for name in header if (match := pattern.fullmatch(name))}
    found = []
    ours: set[str] = set()
    for numbers_of in row.classes:
        for name, one in numbers_of.__members__.items():
            whole = row.spelled.get(name) or next((known for known, short in named.items() if short == name), name)
            ours.add(whole)
            if header.get(whole) != int(one):
                found.append(f"{name} is {int(one)}, {whole} {header.get(whole)}")
    needed = set()
    for whole in named.keys() - ours:
        omitted = [one for one in row.omitted if re.fullmatch(one, whole)]
        needed |= set(omitted)
        if not omitted and not ENDS.fullmatch(whole) and not any(other.fullmatch(whole) for other in closer):
            found.append(f"{whole} is left out")
    return sorted(found) + [f"{one} is omitted for nothing" for one in row.omitted if one not in needed]


@pytest.mark.parametrize(("header", "names", "attributes"), SETS, ids=[one.__name__ for _, _, one in SETS])
def test_attributes_have_the_header_s_numbers(
    headers: dict[str, dict[str, int]], header: str, names: str, attributes: type[AttrSet]
) -> None:
    if header not in headers:
        pytest.skip(f"the tree lacks {header}")
    ours = {attr.name: attr.number for attr in attributes.spec.by_number.values()}
    found = {}
    for whole, number in headers[header].items():
        if match := re.fullmatch(names, whole):
            name = match[1].lower().replace("_", "-")
            if name in ours or not ENDS.fullmatch(whole):
                found[name] = number
    assert found == ours


def test_every_class_has_a_row() -> None:
    covered = {one for row in ROWS for one in row.classes} | UNCOVERED.keys()
    for module in MODULES:
        held = importlib.import_module(f"{uapi.__name__}.{module}")
        for _, one in inspect.getmembers(held, inspect.isclass):
            if one.__module__ == held.__name__:
                assert one in covered, f"{module}.{one.__name__}"


@pytest.mark.parametrize("module", [module for module in MODULES if module != "netdevice"])
def test_constants_are_the_header_s(headers: dict[str, dict[str, int]], module: str) -> None:
    if MODULES[module] not in headers:
        pytest.skip(f"the tree lacks {MODULES[module]}")
    header, elsewhere = headers[MODULES[module]], ELSEWHERE.get(module, {})
    held = vars(importlib.import_module(f"{uapi.__name__}.{module}"))
    ours = {name: value for name, value in held.items() if name.isupper() and isinstance(value, int)}
    assert {name: value for name, value in ours.items() if name not in elsewhere} == {
        name: header.get(name) for name in ours if name not in elsewhere
    }
    assert not [name for name in elsewhere if header.get(name) == ours[name]], "not needed any more"


def test_a_wrong_number_is_noticed() -> None:
    row = Row("", "Q_(.*)", (netdev.QueueType,), omitted={"Q_OLD": ""})
    right = {"Q_RX": 0, "Q_TX": 1, "Q_OLD": 7, "Q_MAX": 1}
    assert differences(row, right) == []
    assert differences(row, right | {"Q_TX": 2}) == ["TX is 1, Q_TX 2"]
    assert differences(row, right | {"Q_XDP": 2}) == ["Q_XDP is left out"]
    assert differences(row, {name: right[name] for name in ("Q_RX", "Q_TX")}) == ["Q_OLD is omitted for nothing"]
    assert differences(row, {"Q_RX": 0, "Q_OLD": 7}) == ["TX is 1, TX None"]


def test_a_header_is_read(tmp_path: pathlib.Path) -> None:
    """Enums that count on, macros, expressions, comments; and what is no number is left out."""
    path = tmp_path / "some.h"
    path.write_text("""
        /* #define IN_A_COMMENT 1 */
        #define FIRST 0x10U  // hexadecimal
        #define SECOND (FIRST | _BITUL(2))
        #define OCTAL 010
        #define LATER (AFTER + 1)
        #define TEXT "text"
        #define CALL(x) (x)
        #define SIZE sizeof(struct some)
        enum some { ZERO, ONE, /* two */ SIX = 6, SEVEN,
        #define SEVEN SEVEN
            AFTER = SEVEN << 1, LAST = AFTER - 1 };
        enum { UNKNOWN = sizeof(int), NEXT };
    """)
    assert numbers(path) == {
        "FIRST": 0x10, "SECOND": 0x14, "OCTAL": 8, "LATER": 15, "ZERO": 0, "ONE": 1, "SIX": 6, "SEVEN": 7, "AFTER": 14,
        "LAST": 13,
    }
