"""The ethtool family: every command of net/ethtool/netlink.c of Linux 7.2, in the order of its table.

Most commands come in pairs: one that asks, of one device or of all, and one that sets; a setting that changed
something is told to the group "monitor" in the words of the answer. The attributes are in common.py,
link.py, device.py and hardware.py; the replies are laid out in the order of the kernel's fill
functions, which is often not that of the numbers.

Commands to the kernel and from it are numbered apart. A policy is made for each command, because CTRL_CMD_GETPOLICY
tells policies apart by identity; asking and dumping share one. Where the kernel's array is longer than its last rule,
``top`` says how long.
"""

from __future__ import annotations

from typing import Any

from nlemu.protocol.families.ethtool.common import HEADER, Strset
from nlemu.protocol.families.ethtool.device import (
    Channels,
    Coalesce,
    Debug,
    Features,
    Privflags,
    Rings,
    Rss,
    StatsGet,
    TunnelInfo,
    Wol,
)
from nlemu.protocol.families.ethtool.hardware import (
    CableTest,
    CableTestNtf,
    CableTestTdr,
    CableTestTdrNtf,
    Mm,
    Module,
    ModuleEeprom,
    ModuleFwFlash,
    Mse,
    Phy,
    Plca,
    Pse,
    PseNtf,
)
from nlemu.protocol.families.ethtool.link import (
    Eee,
    Fec,
    Linkinfo,
    Linkmodes,
    Linkstate,
    Pause,
    PhcVclocks,
    Tsconfig,
    Tsinfo,
)
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half, Operation
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.ethtool import (
    ETHTOOL_GENL_NAME,
    ETHTOOL_GENL_VERSION,
    ETHTOOL_MCGRP_MONITOR_NAME,
    KernelMsg,
    UserMsg,
)
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.netlink import NLM_F

ADMIN = int(GenlFlag.UNS_ADMIN_PERM)

ethtool = Family(
    ETHTOOL_GENL_NAME,
    version=ETHTOOL_GENL_VERSION,
    groups=(ETHTOOL_MCGRP_MONITOR_NAME,),
    strict_from=UserMsg.MODULE_GET + 1,
    dump_flags=NLM_F.MULTI,
)


def header_of(attributes: type[AttrSet]) -> Attr[Any]:
    """The attribute that holds the header of a message."""
    return attributes.spec.by_name["header"]


def query(
    cmd: UserMsg,
    attributes: type[AttrSet],
    *asked: Attr[Any],
    replies: Layout | None = None,
    top: int | None = None,
    flags: int = 0,
    demanded: bool = True,
) -> Operation:
    """A command that asks. ``asked``: what a request may hold beside the header, which it must hold if ``demanded``;
    ``replies``: the order of the reply where it is not that of the set."""
    header = header_of(attributes)
    policy = Policy(header, *asked, top=top)
    return ethtool.operation(
        cmd,
        attributes,
        do=Half(policy, requires=(header,) if demanded else (), flags=flags),
        dump=Half(policy, flags=flags),
        replies=replies or attributes.spec.layout,
        reply_cmd=KernelMsg[cmd.name + "_REPLY"],
    )


def setting(
    cmd: UserMsg,
    attributes: type[AttrSet],
    *taken: Attr[Any],
    header: Attr[Any] | None = None,
    top: int | None = None,
    demanded: bool = True,
    replies: Layout | None = None,
) -> Operation:
    """A command that sets or acts, with ``taken`` beside the header; ``header`` where it differs from the set's."""
    header = header or header_of(attributes)
    return ethtool.operation(
        cmd,
        attributes,
        do=Half(Policy(header, *taken, top=top), requires=(header,) if demanded else (), flags=ADMIN),
        replies=replies,
        reply_cmd=KernelMsg[cmd.name + "_REPLY"] if replies else None,
    )


def event(cmd: KernelMsg, like: Operation, layout: Layout | None = None) -> Operation:
    """A notification, in the words of the answer to a query, or with what ``layout`` says of its attributes."""
    return ethtool.event(cmd, ETHTOOL_MCGRP_MONITOR_NAME, like, layout=layout)


def notice(cmd: KernelMsg, attributes: type[AttrSet]) -> Operation:
    """A notification that has a set of its own."""
    return ethtool.event(cmd, ETHTOOL_MCGRP_MONITOR_NAME, attributes=attributes, layout=attributes.spec.layout)


STRSET_GET = query(
    UserMsg.STRSET_GET, Strset, Strset.stringsets, Strset.counts_only, replies=Layout(Strset.header, Strset.stringsets)
)

LINKINFO_GET = query(UserMsg.LINKINFO_GET, Linkinfo)
LINKINFO_SET = setting(
    UserMsg.LINKINFO_SET, Linkinfo, Linkinfo.port, Linkinfo.phyaddr, Linkinfo.tp_mdix_ctrl
)
LINKINFO_NTF = event(KernelMsg.LINKINFO_NTF, LINKINFO_GET)

LINKMODES_GET = query(
    UserMsg.LINKMODES_GET,
    Linkmodes,
    replies=Layout(
        Linkmodes.header, Linkmodes.autoneg, Linkmodes.ours, Linkmodes.peer, Linkmodes.speed, Linkmodes.duplex,
        Linkmodes.lanes, Linkmodes.master_slave_cfg, Linkmodes.master_slave_state, Linkmodes.rate_matching,
    ),
)
LINKMODES_SET = setting(
    UserMsg.LINKMODES_SET, Linkmodes, Linkmodes.autoneg, Linkmodes.ours, Linkmodes.speed, Linkmodes.duplex,
    Linkmodes.master_slave_cfg, Linkmodes.lanes,
)
LINKMODES_NTF = event(KernelMsg.LINKMODES_NTF, LINKMODES_GET)

LINKSTATE_GET = query(UserMsg.LINKSTATE_GET, Linkstate)

DEBUG_GET = query(UserMsg.DEBUG_GET, Debug)
DEBUG_SET = setting(UserMsg.DEBUG_SET, Debug, Debug.msgmask)
DEBUG_NTF = event(KernelMsg.DEBUG_NTF, DEBUG_GET)

WOL_GET = query(UserMsg.WOL_GET, Wol, flags=ADMIN)
WOL_SET = setting(UserMsg.WOL_SET, Wol, Wol.modes, Wol.sopass)
WOL_NTF = event(KernelMsg.WOL_NTF, WOL_GET)

FEATURES_GET = query(UserMsg.FEATURES_GET, Features)
FEATURES_SET = setting(
    UserMsg.FEATURES_SET, Features, Features.wanted, demanded=False,
    replies=Layout(Features.header, Features.wanted, Features.active),
)
FEATURES_NTF = event(KernelMsg.FEATURES_NTF, FEATURES_GET)

PRIVFLAGS_GET = query(UserMsg.PRIVFLAGS_GET, Privflags)
PRIVFLAGS_SET = setting(UserMsg.PRIVFLAGS_SET, Privflags, Privflags.flags)
PRIVFLAGS_NTF = event(KernelMsg.PRIVFLAGS_NTF, PRIVFLAGS_GET)

RINGS_GET = query(
    UserMsg.RINGS_GET,
    Rings,
    replies=Layout(
        Rings.header, Rings.rx_max, Rings.rx, Rings.rx_mini_max, Rings.rx_mini, Rings.rx_jumbo_max, Rings.rx_jumbo,
        Rings.tx_max, Rings.tx, Rings.rx_buf_len, Rings.tcp_data_split, Rings.cqe_size, Rings.tx_push, Rings.rx_push,
        Rings.tx_push_buf_len_max, Rings.tx_push_buf_len, Rings.hds_thresh, Rings.hds_thresh_max,
    ),
)
RINGS_SET = setting(
    UserMsg.RINGS_SET, Rings, Rings.rx, Rings.rx_mini, Rings.rx_jumbo, Rings.tx, Rings.rx_buf_len,
    Rings.tcp_data_split, Rings.cqe_size, Rings.tx_push, Rings.rx_push, Rings.tx_push_buf_len, Rings.hds_thresh,
    top=Rings.hds_thresh_max.number,
)
RINGS_NTF = event(KernelMsg.RINGS_NTF, RINGS_GET)

CHANNELS_GET = query(
    UserMsg.CHANNELS_GET,
    Channels,
    replies=Layout(
        Channels.header, Channels.rx_max, Channels.rx_count, Channels.tx_max, Channels.tx_count, Channels.other_max,
        Channels.other_count, Channels.combined_max, Channels.combined_count,
    ),
)
CHANNELS_SET = setting(
    UserMsg.CHANNELS_SET, Channels, Channels.rx_count, Channels.tx_count, Channels.other_count, Channels.combined_count
)
CHANNELS_NTF = event(KernelMsg.CHANNELS_NTF, CHANNELS_GET)

COALESCE_GET = query(
    UserMsg.COALESCE_GET,
    Coalesce,
    replies=Layout(
        *(attr for attr in Coalesce.order if attr not in (Coalesce.rx_profile, Coalesce.tx_profile)),
        Coalesce.rx_profile,
        Coalesce.tx_profile,
    ),
)
COALESCE_SET = setting(UserMsg.COALESCE_SET, Coalesce, *Coalesce.order[1:])
COALESCE_NTF = event(KernelMsg.COALESCE_NTF, COALESCE_GET)

PAUSE_GET = query(
    UserMsg.PAUSE_GET,
    Pause,
    Pause.stats_src,
    replies=Layout(Pause.header, Pause.autoneg, Pause.rx, Pause.tx, Pause.stats_src, Pause.stats),
)
PAUSE_SET = setting(
    UserMsg.PAUSE_SET, Pause, Pause.autoneg, Pause.rx, Pause.tx, Pause.stats_src.but(reject=""),
    header=Pause.header.but(kind=HEADER),
)
PAUSE_NTF = event(KernelMsg.PAUSE_NTF, PAUSE_GET)

EEE_GET = query(UserMsg.EEE_GET, Eee)
EEE_SET = setting(UserMsg.EEE_SET, Eee, Eee.modes_ours, Eee.enabled, Eee.tx_lpi_enabled, Eee.tx_lpi_timer)
EEE_NTF = event(KernelMsg.EEE_NTF, EEE_GET)

TSINFO_GET = query(
    UserMsg.TSINFO_GET,
    Tsinfo,
    Tsinfo.hwtstamp_provider,
    top=Tsinfo.hwtstamp_phyindex.number,
    replies=Layout(
        Tsinfo.header, Tsinfo.timestamping, Tsinfo.tx_types, Tsinfo.rx_filters, Tsinfo.phc_index,
        Tsinfo.hwtstamp_provider, Tsinfo.hwtstamp_source, Tsinfo.hwtstamp_phyindex, Tsinfo.stats,
    ),
)

CABLE_TEST_ACT = setting(UserMsg.CABLE_TEST_ACT, CableTest, demanded=False)
CABLE_TEST_NTF = notice(KernelMsg.CABLE_TEST_NTF, CableTestNtf)
CABLE_TEST_TDR_ACT = setting(UserMsg.CABLE_TEST_TDR_ACT, CableTestTdr, CableTestTdr.cfg, demanded=False)
CABLE_TEST_TDR_NTF = notice(KernelMsg.CABLE_TEST_TDR_NTF, CableTestTdrNtf)

TUNNEL_INFO_GET = query(UserMsg.TUNNEL_INFO_GET, TunnelInfo, demanded=False)

FEC_GET = query(UserMsg.FEC_GET, Fec)
FEC_SET = setting(UserMsg.FEC_SET, Fec, Fec.modes, Fec.auto, header=Fec.header.but(kind=HEADER))
FEC_NTF = event(KernelMsg.FEC_NTF, FEC_GET)

MODULE_EEPROM_GET = query(
    UserMsg.MODULE_EEPROM_GET, ModuleEeprom, ModuleEeprom.offset, ModuleEeprom.length, ModuleEeprom.page,
    ModuleEeprom.bank, ModuleEeprom.i2c_address, flags=ADMIN, replies=Layout(ModuleEeprom.header, ModuleEeprom.data),
)

STATS_GET = query(UserMsg.STATS_GET, StatsGet, StatsGet.groups, StatsGet.src)

PHC_VCLOCKS_GET = query(UserMsg.PHC_VCLOCKS_GET, PhcVclocks)

MODULE_GET = query(UserMsg.MODULE_GET, Module)
MODULE_SET = setting(UserMsg.MODULE_SET, Module, Module.power_mode_policy)
MODULE_NTF = event(KernelMsg.MODULE_NTF, MODULE_GET)

PSE_GET = query(UserMsg.PSE_GET, Pse)
PSE_SET = setting(
    UserMsg.PSE_SET, Pse, Pse.podl_pse_admin_control, Pse.c33_pse_admin_control, Pse.c33_pse_avail_pw_limit,
    Pse.pse_prio,
)
PSE_NTF = notice(KernelMsg.PSE_NTF, PseNtf)

RSS_GET = query(
    UserMsg.RSS_GET, Rss, Rss.context, Rss.start_context,
    replies=Layout(*(attr for attr in Rss.order if attr is not Rss.start_context)),
)

PLCA_GET_CFG = query(UserMsg.PLCA_GET_CFG, Plca)
PLCA_SET_CFG = setting(
    UserMsg.PLCA_SET_CFG, Plca, Plca.enabled, Plca.node_cnt, Plca.node_id, Plca.to_tmr, Plca.burst_cnt, Plca.burst_tmr
)
PLCA_NTF = event(KernelMsg.PLCA_NTF, PLCA_GET_CFG)
PLCA_GET_STATUS = query(UserMsg.PLCA_GET_STATUS, Plca)

MM_GET = query(UserMsg.MM_GET, Mm)
MM_SET = setting(
    UserMsg.MM_SET, Mm, Mm.pmac_enabled, Mm.tx_enabled, Mm.tx_min_frag_size, Mm.verify_enabled, Mm.verify_time,
    header=Mm.header.but(kind=HEADER), top=Mm.stats.number,
)
MM_NTF = event(KernelMsg.MM_NTF, MM_GET)

MODULE_FW_FLASH_ACT = setting(
    UserMsg.MODULE_FW_FLASH_ACT, ModuleFwFlash, ModuleFwFlash.file_name, ModuleFwFlash.password, demanded=False
)
MODULE_FW_FLASH_NTF = event(
    KernelMsg.MODULE_FW_FLASH_NTF, MODULE_FW_FLASH_ACT,
    Layout(
        ModuleFwFlash.header, ModuleFwFlash.status, ModuleFwFlash.status_msg, ModuleFwFlash.done, ModuleFwFlash.total
    ),
)

PHY_GET = query(UserMsg.PHY_GET, Phy)
PHY_NTF = event(KernelMsg.PHY_NTF, PHY_GET)

TSCONFIG_GET = query(UserMsg.TSCONFIG_GET, Tsconfig)
TSCONFIG_SET = setting(UserMsg.TSCONFIG_SET, Tsconfig, *Tsconfig.order[1:], replies=Tsconfig.spec.layout)

RSS_SET = setting(
    UserMsg.RSS_SET, Rss, Rss.context, Rss.hfunc, Rss.indir, Rss.hkey, Rss.input_xfrm, Rss.flow_hash
)
RSS_NTF = event(KernelMsg.RSS_NTF, RSS_GET)
RSS_CREATE_ACT = setting(
    UserMsg.RSS_CREATE_ACT, Rss, Rss.context.but(min=1), Rss.hfunc, Rss.indir.but(min=1), Rss.hkey, Rss.input_xfrm,
    demanded=False, replies=Layout(Rss.header, Rss.context, Rss.indir, Rss.hfunc, Rss.input_xfrm, Rss.hkey),
)
RSS_CREATE_NTF = event(
    KernelMsg.RSS_CREATE_NTF, RSS_CREATE_ACT, Layout(*(attr for attr in Rss.order if attr is not Rss.start_context))
)
"""After an ioctl it tells what is hashed, too."""
RSS_DELETE_ACT = setting(UserMsg.RSS_DELETE_ACT, Rss, Rss.context.but(min=1), demanded=False)
RSS_DELETE_NTF = event(KernelMsg.RSS_DELETE_NTF, RSS_DELETE_ACT, Layout(Rss.header, Rss.context))

MSE_GET = query(UserMsg.MSE_GET, Mse)

