"""Attributes of what hangs on a NIC: modules, PHYs, powered cables, MACs that merge frames.

But for modules no device here has any of it: the commands answer that there is nothing. What a reply or a notification
may hold is declared all the same, for messages of other kernels are read with it.
"""

from nlemu.protocol.families.ethtool.common import HEADER, HEADER_PHY, HEADER_STATS, unread
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import binary, nest, nul_string, s16, string, u8, u16, u32, u64, uint
from nlemu.protocol.uapi.ethtool import (
    ETH_MODULE_EEPROM_PAGE_LEN,
    ETH_MODULE_MAX_I2C_ADDRESS,
    C33PseExtState,
    ModuleFwFlashStatus,
    ModulePowerMode,
    ModulePowerModePolicy,
    PhyUpstream,
    PseEvent,
    PsePodlAdminState,
)


class CableTest(AttrSet):
    """ETHTOOL_A_CABLE_TEST_*."""

    header = Attr(1, HEADER_PHY)


class CableResult(AttrSet):
    """ETHTOOL_A_CABLE_RESULT_*: how a pair is."""

    pair = Attr(1, u8)
    code = Attr(2, u8)
    src = Attr(3, u32)


class CableFaultLength(AttrSet):
    """ETHTOOL_A_CABLE_FAULT_LENGTH_*: how far away its fault is, in centimetres."""

    pair = Attr(1, u8)
    cm = Attr(2, u32)
    src = Attr(3, u32)


class CableNest(AttrSet):
    """ETHTOOL_A_CABLE_NEST_*."""

    result = Attr(1, nest(CableResult), multi=True)
    fault_length = Attr(2, nest(CableFaultLength), multi=True)


class CableTestNtf(AttrSet):
    """ETHTOOL_A_CABLE_TEST_NTF_*."""

    header = Attr(1, HEADER)
    status = Attr(2, u8)
    nest = Attr(3, nest(CableNest))


class CableStep(AttrSet):
    """ETHTOOL_A_CABLE_STEP_*: where is measured, in centimetres."""

    first_distance = Attr(1, u32)
    last_distance = Attr(2, u32)
    step_distance = Attr(3, u32)


class CableAmplitude(AttrSet):
    """ETHTOOL_A_CABLE_AMPLITUDE_*: what comes back, in millivolts."""

    pair = Attr(1, u8)
    mv = Attr(2, s16)


class CablePulse(AttrSet):
    """ETHTOOL_A_CABLE_PULSE_*: what is sent, in millivolts."""

    mv = Attr(1, s16)


class CableTdrNest(AttrSet):
    """ETHTOOL_A_CABLE_TDR_NEST_*."""

    step = Attr(1, nest(CableStep), multi=True)
    amplitude = Attr(2, nest(CableAmplitude), multi=True)
    pulse = Attr(3, nest(CablePulse), multi=True)


class CableTestTdrNtf(AttrSet):
    """ETHTOOL_A_CABLE_TEST_TDR_NTF_*."""

    header = Attr(1, HEADER)
    status = Attr(2, u8)
    nest = Attr(3, nest(CableTdrNest))


class TdrCfg(AttrSet):
    """ETHTOOL_A_CABLE_TEST_TDR_CFG_*."""

    first = Attr(1, u32)
    last = Attr(2, u32)
    step = Attr(3, u32)
    pair = Attr(4, u8)


class CableTestTdr(AttrSet):
    """ETHTOOL_A_CABLE_TEST_TDR_*."""

    header = Attr(1, HEADER_PHY)
    cfg = Attr(2, unread(TdrCfg))


class ModuleEeprom(AttrSet):
    """ETHTOOL_A_MODULE_EEPROM_*."""

    header = Attr(1, HEADER)
    offset = Attr(2, u32, max=2 * ETH_MODULE_EEPROM_PAGE_LEN - 1)
    length = Attr(3, u32, min=1, max=ETH_MODULE_EEPROM_PAGE_LEN)
    page = Attr(4, u8)
    bank = Attr(5, u8)
    i2c_address = Attr(6, u8, min=0, max=ETH_MODULE_MAX_I2C_ADDRESS)
    data = Attr(7, binary)


class Module(AttrSet):
    """ETHTOOL_A_MODULE_*."""

    header = Attr(1, HEADER)
    power_mode_policy = Attr(
        2, u8, min=int(ModulePowerModePolicy.HIGH), max=int(ModulePowerModePolicy.AUTO), shown=ModulePowerModePolicy
    )
    power_mode = Attr(3, u8, shown=ModulePowerMode)


class ModuleFwFlash(AttrSet):
    """ETHTOOL_A_MODULE_FW_FLASH_*."""

    header = Attr(1, HEADER)
    file_name = Attr(2, nul_string)
    password = Attr(3, u32)
    status = Attr(4, u32, shown=ModuleFwFlashStatus)
    status_msg = Attr(5, string)
    done = Attr(6, uint)
    total = Attr(7, uint)


_OFF, _ON = int(PsePodlAdminState.DISABLED), int(PsePodlAdminState.ENABLED)


class C33PsePwLimit(AttrSet):
    """ETHTOOL_A_C33_PSE_PW_LIMIT_*: a range of limits that can be set, in milliwatts."""

    min = Attr(1, u32)
    max = Attr(2, u32)


class Pse(AttrSet):
    """ETHTOOL_A_PSE_*, ETHTOOL_A_PODL_PSE_*, ETHTOOL_A_C33_PSE_*, in the order of pse_fill_reply()."""

    header = Attr(1, HEADER_PHY)
    podl_pse_admin_state = Attr(2, u32, shown=PsePodlAdminState)
    podl_pse_admin_control = Attr(3, u32, min=_OFF, max=_ON, shown=PsePodlAdminState)
    podl_pse_pw_d_status = Attr(4, u32)
    c33_pse_admin_state = Attr(5, u32, shown=PsePodlAdminState)
    c33_pse_admin_control = Attr(6, u32, min=_OFF, max=_ON, shown=PsePodlAdminState)
    c33_pse_pw_d_status = Attr(7, u32)
    c33_pse_pw_class = Attr(8, u32)
    c33_pse_actual_pw = Attr(9, u32)
    c33_pse_ext_state = Attr(10, u32, shown=C33PseExtState)
    c33_pse_ext_substate = Attr(11, u32)
    c33_pse_avail_pw_limit = Attr(12, u32)
    c33_pse_pw_limit_ranges = Attr(13, nest(C33PsePwLimit), multi=True)
    pse_pw_d_id = Attr(14, u32)
    pse_prio_max = Attr(15, u32)
    pse_prio = Attr(16, u32)
    order = (
        header, pse_pw_d_id, podl_pse_admin_state, podl_pse_pw_d_status, c33_pse_admin_state, c33_pse_pw_d_status,
        c33_pse_pw_class, c33_pse_actual_pw, c33_pse_ext_state, c33_pse_ext_substate, c33_pse_avail_pw_limit,
        c33_pse_pw_limit_ranges, pse_prio_max, pse_prio, podl_pse_admin_control, c33_pse_admin_control,
    )


class PseNtf(AttrSet):
    """ETHTOOL_A_PSE_NTF_*."""

    header = Attr(1, HEADER)
    events = Attr(2, uint, shown=PseEvent)


class Plca(AttrSet):
    """ETHTOOL_A_PLCA_*."""

    header = Attr(1, HEADER_PHY)
    version = Attr(2, u16)
    enabled = Attr(3, u8, max=1)
    status = Attr(4, u8)
    node_cnt = Attr(5, u32, min=1, max=255)
    node_id = Attr(6, u32, max=255)
    to_tmr = Attr(7, u32, max=255)
    burst_cnt = Attr(8, u32, max=255)
    burst_tmr = Attr(9, u32, max=255)


class MmStat(AttrSet):
    """ETHTOOL_A_MM_STAT_*; 1 is for padding."""

    reassembly_errors = Attr(2, u64)
    smd_errors = Attr(3, u64)
    reassembly_ok = Attr(4, u64)
    rx_frag_count = Attr(5, u64)
    tx_frag_count = Attr(6, u64)
    hold_count = Attr(7, u64)


class Mm(AttrSet):
    """ETHTOOL_A_MM_*."""

    header = Attr(1, HEADER_STATS)
    pmac_enabled = Attr(2, u8, max=1)
    tx_enabled = Attr(3, u8, max=1)
    tx_active = Attr(4, u8)
    tx_min_frag_size = Attr(5, u32, min=60, max=252)
    rx_min_frag_size = Attr(6, u32)
    verify_enabled = Attr(7, u8, max=1)
    verify_status = Attr(8, u8)
    verify_time = Attr(9, u32, min=1, max=128)
    max_verify_time = Attr(10, u32)
    stats = Attr(11, nest(MmStat))


class Phy(AttrSet):
    """ETHTOOL_A_PHY_*."""

    header = Attr(1, HEADER)
    index = Attr(2, u32)
    drvname = Attr(3, string)
    name = Attr(4, string)
    upstream_type = Attr(5, u32, shown=PhyUpstream)
    upstream_index = Attr(6, u32)
    upstream_sfp_name = Attr(7, string)
    downstream_sfp_name = Attr(8, string)
    order = (
        header, index, name, upstream_type, drvname, upstream_index, upstream_sfp_name, downstream_sfp_name,
    )


class MseCapabilities(AttrSet):
    """ETHTOOL_A_MSE_CAPABILITIES_*."""

    max_average_mse = Attr(1, uint)
    max_peak_mse = Attr(2, uint)
    refresh_rate_ps = Attr(3, uint)
    num_symbols = Attr(4, uint)


class MseSnapshot(AttrSet):
    """ETHTOOL_A_MSE_SNAPSHOT_*."""

    average_mse = Attr(1, uint)
    peak_mse = Attr(2, uint)
    worst_peak_mse = Attr(3, uint)


class Mse(AttrSet):
    """ETHTOOL_A_MSE_*."""

    header = Attr(1, HEADER_PHY)
    capabilities = Attr(2, nest(MseCapabilities))
    channel_a = Attr(3, nest(MseSnapshot))
    channel_b = Attr(4, nest(MseSnapshot))
    channel_c = Attr(5, nest(MseSnapshot))
    channel_d = Attr(6, nest(MseSnapshot))
    worst_channel = Attr(7, nest(MseSnapshot))
    link = Attr(8, nest(MseSnapshot))
